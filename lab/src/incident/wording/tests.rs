use super::super::clean::Cleaner;
use super::super::text::Text;
use super::Wording;
use rstest::rstest;

fn read(wording: &str, input: &str) -> Option<Vec<(String, String)>> {
    let wording = Wording::try_from(wording.to_owned()).expect("a wording");
    let (mut cleaner, mut text) = (Cleaner::default(), Text::default());
    cleaner.push(input.as_bytes(), &mut text, &mut |_, _| {});
    cleaner.finish(&mut text, &mut |_, _| {});
    let at = text.bytes().windows(wording.anchor.len()).position(|window| window == wording.anchor)?;
    Some(wording.read(&text, at)?.holes)
}

#[rstest]
#[case::plain("executed as group \"mail\", but", Some("mail"))]
#[case::folded("executed as\n    group\n  \"mail\", but", Some("mail"))]
#[case::wrapped_by_a_terminal("executed as gro\nup \"ma\nil\", b\nut", Some("mail"))]
#[case::hyphen_and_dot("executed as group \"www-data.x\", but", Some("www-data.x"))]
#[case::number("executed as group \"65534\", but", Some("65534"))]
#[case::qmail("delivery 1: deferral: executed_as/group_\"_smtpd\",_but/", Some("_smtpd"))]
#[case::qmail_within("delivery 1: deferral: executed_as/group_\"my_group\",_but/", Some("my_group"))]
#[case::two_words("executed as group \"mail or so\", but", None)]
#[case::cut_off("executed as group \"mail\", b", None)]
#[case::another_record("h a[1]: executed as group\nh b[2]: \"mail\", but", None)]
#[case::too_long("executed as group \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", but", None)]
#[case::end_of_a_word("unexecuted as group \"mail\", but", None)]
fn a_hole_between_words(#[case] input: &str, #[case] wanted: Option<&str>) {
    let found = read("executed as group \"{name:group}\", but", input);
    assert_eq!(found, wanted.map(|value| vec![("name".to_owned(), value.to_owned())]));
}

#[rstest]
#[case("status 2: x", Some("2"))]
#[case("status 255", Some("255"))]
#[case("status 25 5", Some("25"))]
#[case("status -1.", Some("-1"))]
#[case("status two", None)]
fn a_hole_at_the_end(#[case] input: &str, #[case] wanted: Option<&str>) {
    let found = read("status {status:number}", input);
    assert_eq!(found, wanted.map(|value| vec![("status".to_owned(), value.to_owned())]));
}

#[rstest]
#[case("tiny {a:word}", "begin with")]
#[case("long enough {a:wrd}", "the kinds are")]
#[case("long enough {a}", "name:kind")]
#[case("long enough {a:word", "not closed")]
#[case("long enough {a:word}{b:word}", "nothing separates")]
fn a_wording_that_cannot_be_read_is_refused(#[case] text: &str, #[case] says: &str) {
    let error = Wording::try_from(text.to_owned()).expect_err("a fault");
    assert!(error.contains(says), "{error}");
}
