use super::super::text::Text;
use super::{Cleaner, PART, squeezed};
use rstest::rstest;

/// The text after cleaning, with blanks where some were, taken in chunks of this size.
fn cleaned(input: &[u8], chunk: usize) -> String {
    let (mut cleaner, mut text) = (Cleaner::default(), Text::default());
    for part in input.chunks(chunk) {
        cleaner.push(part, &mut text, &mut |_, _| {});
    }
    cleaner.finish(&mut text, &mut |_, _| {});
    text.shown(0, text.bytes().len(), false)
}

#[rstest]
#[case::folded("Mailman expected\n    the mail", "Mailman expected the mail")]
#[case::wrapped_within_a_word("Mailman expec\nted the", "Mailman expec ted the")]
#[case::quoted_in_a_mail("> > one\n> > two", "one two")]
#[case::quotes_and_emphasis("as group **\"mail\"**, but", "as group mail, but")]
#[case::hyphens_of_a_word("--with-mail-gid=a--b ----- x", "-with-mail-gid=a--b - x")]
#[case::one_record_of_lines("Jan 1 h a[1]: one\nJan 1 h a[1]: two", "one two")]
#[case::qmail(
    "@40 delivery 1: deferral: Group_mismatch_error.__a/b/\n@40 status: x_y",
    "@40 delivery 1: deferral: \
         Group mismatch error. a b @40 status: x_y"
)]
fn damage_is_undone(#[case] input: &str, #[case] wanted: &str) {
    for chunk in [1, 2, 7, 4096] {
        assert_eq!(cleaned(input.as_bytes(), chunk), wanted, "in chunks of {chunk}");
    }
}

#[test]
fn a_long_line_is_taken_in_parts() {
    let word = "word ".repeat(3 * PART / 5);
    assert_eq!(cleaned(word.as_bytes(), 1 << 20), word.trim_end());
    let solid = "a".repeat(3 * PART + 1);
    assert_eq!(cleaned(solid.as_bytes(), 4096), solid);
}

#[test]
fn lines_and_records_are_known() {
    let (mut cleaner, mut text) = (Cleaner::default(), Text::default());
    let mut fronts = 0;
    let input = b"Jan 1 h a[1]: one\nJan 1 h b[2]: two\n\nthree";
    cleaner.push(input, &mut text, &mut |_, text| {
        fronts += 1;
        text.belongs_to(fronts);
    });
    cleaner.finish(&mut text, &mut |_, _| {});
    assert_eq!(text.bytes(), b"onetwothree");
    let at: Vec<u64> = [0, 3, 6].iter().map(|&at| text.line_of(at)).collect();
    assert_eq!(at, [1, 2, 4]);
    let of: Vec<u16> = [0, 3, 6].iter().map(|&at| text.record_of(at).map_or(99, |record| record.servers)).collect();
    assert_eq!(of, [1, 2, 0]);
    text.forget(4);
    assert_eq!((text.line_of(0), text.line_of(2), text.absolute(0)), (2, 4, 4));
    assert_eq!(text.record_of(0).map(|record| record.servers), Some(2));
}

#[rstest]
#[case(b"", 0)]
#[case(b"one", 1)]
#[case(b"one\n", 1)]
#[case(b"one\n\ntwo", 3)]
fn lines_are_counted(#[case] input: &[u8], #[case] lines: u64) {
    let (mut cleaner, mut text) = (Cleaner::default(), Text::default());
    cleaner.push(input, &mut text, &mut |_, _| {});
    cleaner.finish(&mut text, &mut |_, _| {});
    assert_eq!(text.lines_begun(), lines);
}

#[test]
fn a_wording_is_cleaned_as_a_text_is() {
    assert_eq!(squeezed(b"option `--with-mail-gid"), b"option-with-mail-gid");
}
