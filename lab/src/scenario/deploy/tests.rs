//! Files that are wrong in one place.

use super::{Case, read};
use rstest::rstest;
use std::path::Path;

/// Each file of the project, and that it has more than the witness started: a wrapper that is refused, or a program that ends.
#[test]
fn every_file_of_the_project_can_be_read() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/deploy");
    let mut count = 0;
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let file = read(&path).unwrap_or_else(|problem| panic!("{problem}"));
        let refused = |case: &Case| case.mismatch.is_some() || case.without_bit.is_some();
        assert!(file.ends.is_some() || file.cases.iter().any(refused), "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 35);
}

const MAIL: &str = r#"
title = "t"
why = "w"
source = "s"
server = "s"
log = "/l"
form = "postfix"
ready = "r"
retry = "true"
[[case]]
name = "control"
control = true
to = "a"
fate = "bounced"
says = []
starts = "nothing"
"#;

const MISMATCH: &str = r#"
[case.mismatch]
trusts = "a"
fate = "bounced"
says = []
server = { impossible = "x" }
"#;

const PROGRAM: &str = r#"{ program = { user = "a", group = "a", effective-group = "a", groups = [], args = [], environment = [], directory = "/", umask = "022", ignored = [], descriptors = {} } }"#;

const SHOWS: &str = "shows = { do = 'x', says = ['y'] }\n";

const UNNOTICED: &str = "unnoticed = { why = 'w', logs = ['l'], never = ['n'] }\n";

const ANEW: &str = "refused-anew = { why = 'w', logs = ['l'], cause = 'c' }\n";

fn unnoticed(fate: &str, unnoticed: &str) -> String {
    let mismatch = MISMATCH.replace("\"bounced\"", fate).replace("trusts = \"a\"", "trusts = \"b\"");
    MAIL.replace("\"nothing\"", PROGRAM) + &mismatch + unnoticed
}

const RETRIED: &str = "retried-as = { user = \"a\", group = \"a\", why = \"w\" }\n";

const WITHOUT_BIT: &str = "[case.without-bit]\nfate = \"bounced\"\nsays = []\n";

fn started() -> String {
    MAIL.replace("\"nothing\"", PROGRAM)
}

fn with_ends(text: &str) -> String {
    text.replace("[[case]]", "[ends]\nsent = []\nbounced = []\ndeferred = []\n[[case]]")
}

fn carried() -> String {
    MAIL.replace("ready", "carrier = \"nosuid\"\nready")
}

fn web(text: &str) -> String {
    let web = text.replace("form = \"postfix\"", "form = \"web\"").replace("retry = \"true\"\n", "");
    web.replace("to = \"a\"", "to = \"/a\"").replace("fate = \"bounced\"", "fate = 403")
}

/// What is wrong with a file of this text; empty if nothing is.
fn wrong(text: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("a file");
    read(file.path()).err().map_or_else(String::new, |problem| problem.to_string())
}

#[rstest]
#[case::nothing(MAIL.to_owned(), "")]
#[case::nothing_of_web(web(MAIL), "")]
#[case::no_control(MAIL.replace("control = true\n", ""), "it has no control")]
#[case::twice(
    MAIL.to_owned() + &MAIL.split_at(MAIL.find("[[case]]").expect("a case")).1.replace("\"control\"", "\"other\""),
    "two cases go to `a`"
)]
#[case::shows(MAIL.to_owned() + SHOWS, "")]
#[case::shows_nothing(MAIL.to_owned() + &SHOWS.replace("'y'", ""), "`shows` has something to do")]
#[case::shows_what_is_in_every_text(MAIL.to_owned() + &SHOWS.replace("'y'", "''"), "an empty text in `says`")]
#[case::does_nothing(MAIL.to_owned() + &SHOWS.replace("'x'", "''"), "`shows` has something to do")]
#[case::unnoticed(unnoticed("\"sent\"", UNNOTICED), "")]
#[case::lost_and_sent(unnoticed("\"sent\"", ""), "a lost message that is `sent` is `unnoticed`")]
#[case::noticed(unnoticed("\"bounced\"", UNNOTICED), "a lost message that is `sent` is `unnoticed`")]
#[case::nothing_is_logged(unnoticed("\"sent\"", &UNNOTICED.replace("'l'", "")), "with what the log says beside it")]
#[case::what_is_always_logged(unnoticed("\"sent\"", &UNNOTICED.replace("'l'", "''")), "an empty text in `says`")]
#[case::what_never_is(unnoticed("\"sent\"", &UNNOTICED.replace("'n'", "''")), "an empty text in `says`")]
#[case::anew(unnoticed("\"sent\"", &[UNNOTICED, ANEW].concat()), "")]
#[case::anew_without_a_word(unnoticed("\"sent\"", &[UNNOTICED, &ANEW.replace("'l'", "")].concat()), "`refused-anew` has something")]
#[case::anew_with_what_is_always_there(
    unnoticed("\"sent\"", &[UNNOTICED, &ANEW.replace("'l'", "''")].concat()),
    "an empty text in `says`"
)]
#[case::anew_of_what_is_noticed(unnoticed("\"bounced\"", ANEW), "is for what is `unnoticed`")]
#[case::variant(MAIL.replace("ready", "variant = \"v\"\nready"), "")]
#[case::no_variant(MAIL.replace("ready", "variant = \"\"\nready"), "may not be empty")]
#[case::unknown(MAIL.replace("name =", "nam ="), "unknown field `nam`")]
#[case::fate(MAIL.replace("bounced", "lost"), "or the status code of a web server")]
#[case::status_of_mail(MAIL.replace("\"bounced\"", "403"), "each `fate` a word")]
#[case::headers_of_mail(MAIL.replace("says", "headers = ['x']\nsays"), "there are no `headers`")]
#[case::path_of_mail(MAIL.replace("to = \"a\"", "to = \"/a\""), "`to` is a local part")]
#[case::mail_that_is_not_retried(MAIL.replace("retry = \"true\"\n", ""), "a mail server has `retry`")]
#[case::web_that_is_retried(web(MAIL).replace("ready", "retry = 'x'\nready"), "a web server has none")]
#[case::fate_of_web(web(MAIL).replace("403", "\"sent\""), "each `fate` a status code")]
#[case::name_for_a_path(web(MAIL).replace("/a", "a"), "`to` is a path")]
#[case::mismatch_where_no_bit_acts(carried() + MISMATCH, "`mismatch` is for a wrapper whose bit acts")]
#[case::carrier_of_nothing(carried(), "no case has a `without-bit`")]
#[case::two_words(MAIL.replace("to = \"a\"", "to = \"a b\""), "`to` is one word")]
#[case::two_lines(web(MAIL).replace("says", "headers = [\"a: b\\nc: d\"]\nsays"), "each of `headers` one line")]
#[case::retried_request(web(&(MAIL.replace("\"nothing\"", PROGRAM) + &MISMATCH.replace("trusts = \"a\"", "trusts = \"b\""))) + RETRIED, "a web server keeps no request")]
#[case::bit_that_acts(format!("{MAIL}{WITHOUT_BIT}"), "`without-bit` for a `carrier`")]
#[case::bit_of_nothing(carried() + WITHOUT_BIT, "no wrapper refuses it")]
#[case::carrier(carried().replace("nosuid", "noexec"), "unknown variant `noexec`")]
#[case::ready_at_once(MAIL.replace("ready = \"r\"", "ready = \"\""), "may not be empty")]
#[case::no_retry(MAIL.replace("retry = \"true\"", "retry = \"\""), "may not be empty")]
#[case::says_nothing(MAIL.replace("says = []", "says = ['']"), "an empty text in `says`")]
#[case::the_sender(MAIL.replace("to = \"a\"", "to = \"bob\""), "who sends the messages")]
#[case::one_name_twice(
    MAIL.to_owned() + &MAIL.split_at(MAIL.find("[[case]]").expect("a case")).1.replace("to = \"a\"", "to = \"b\""),
    "two cases are called `control`"
)]
#[case::no_mismatch(MAIL.replace("\"nothing\"", PROGRAM) + MISMATCH, "there is no mismatch")]
#[case::bit_that_acts_all_the_same(
    carried().replace("\"nothing\"", &PROGRAM.replace("effective-group = \"a\"", "effective-group = \"b\"")) + WITHOUT_BIT,
    "on a `carrier` the effective group is the real one"
)]
#[case::own_group_of_the_wrapper(
    carried().replace("\"nothing\"", &PROGRAM.replace("group = \"a\"", "group = \"mailman\"")) + WITHOUT_BIT,
    "on a `carrier` the effective group is the real one"
)]
#[case::bytes_of_web(web(MAIL).replace("says", "bytes = 7\nsays"), "there are no `bytes`")]
#[case::ends_of_web(with_ends(&web(&started())), "`ends` is for a mail server")]
#[case::ends_beside_a_mismatch(with_ends(&started()) + MISMATCH, "no `carrier` and no `mismatch`")]
#[case::ends_of_nothing(with_ends(MAIL), "the control starts a program")]
#[case::ends_that_are_not_stated(with_ends(&started()), "does not state 0, 1, 2")]
#[case::no_end(with_ends(&started()).replace("sent = []", "sent = ['256']"), "`256` is no way to end")]
#[case::mismatch_of_nothing(format!("{MAIL}{MISMATCH}"), "no wrapper refuses it")]
fn a_file_that_says_nothing_sound_is_refused(#[case] text: String, #[case] words: &str) {
    let found = wrong(&text);
    assert!(found.contains(words) && found.is_empty() == words.is_empty(), "{found}");
}
