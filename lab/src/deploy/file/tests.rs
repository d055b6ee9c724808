//! Logs that say one thing each, and files that are wrong in one place.

use super::{Case, Fate, Form, read};
use rstest::rstest;
use std::path::Path;

const POSTFIX: &str =
    "Nov 26 lab postfix/local[7]: 4C: to=<a@lab.test>, relay=local, dsn=2.0.0, status=sent (delivered)";
const EXIM: &str = "2026-11-26 18:00:00 1vO-0001-00";

const OPENSMTPD: &str =
    "Nov 26 lab smtpd[7]: 5f mda delivery evpid=1 from=<b@lab.test> to=<a@lab.test> rcpt=<a@lab.test> user=u delay=0s";

const SENDMAIL: &str = "Nov 26 lab sendmail[7]: 6AQ7: from=<b@lab.test>, msgid=<a@lab.test>\nNov 26 lab sendmail[8]: ";

#[rstest]
#[case::postfix(Form::Postfix, POSTFIX, Some(Fate::Sent))]
#[case::postfix_of_another(Form::Postfix, "to=<ba@lab.test>, status=sent", None)]
#[case::postfix_of_no_message(Form::Postfix, "daemon started", None)]
#[case::exim(Form::Exim, &format!("{EXIM} => |/w post a <a@lab.test> R=r T=t"), Some(Fate::Sent))]
#[case::exim_second_recipient(Form::Exim, &format!("{EXIM} -> a <a@lab.test> R=r T=t"), Some(Fate::Sent))]
#[case::exim_bounced(Form::Exim, &format!("{EXIM} ** a <a@lab.test> R=r T=t: returned 2"), Some(Fate::Bounced))]
#[case::exim_unrouted(Form::Exim, &format!("{EXIM} ** a@lab.test: Unrouteable address"), Some(Fate::Bounced))]
#[case::exim_deferred(Form::Exim, &format!("{EXIM} == a@lab.test R=r T=t defer (-1)"), Some(Fate::Deferred))]
#[case::exim_why(Form::Exim, &format!("{EXIM} == a@lab.test R=r T=t defer (-1)\n{EXIM} unable to set gid: local delivery to a <a@lab.test> transport=t"), Some(Fate::Deferred))]
#[case::exim_why_of_another(Form::Exim, &format!("{EXIM} unable to set gid: local delivery to b <b@lab.test> transport=t"), None)]
#[case::exim_of_another(Form::Exim, &format!("{EXIM} => b <b@lab.test> R=r T=t"), None)]
#[case::exim_arrival(Form::Exim, &format!("{EXIM} <= bob@lab.test H=client for a@lab.test"), None)]
#[case::exim_end(Form::Exim, &format!("{EXIM} Completed"), None)]
#[case::opensmtpd(Form::Opensmtpd, &format!("{OPENSMTPD} result=Ok stat=Delivered"), Some(Fate::Sent))]
#[case::opensmtpd_bounced(Form::Opensmtpd, &format!("{OPENSMTPD} result=PermFail stat=Error (\"no\")"), Some(Fate::Bounced))]
#[case::opensmtpd_deferred(Form::Opensmtpd, &format!("{OPENSMTPD} result=TempFail stat=Error (\"no\")"), Some(Fate::Deferred))]
#[case::opensmtpd_of_another(Form::Opensmtpd, &OPENSMTPD.replace("<a@", "<ba@").replace("user", "result=Ok"), None)]
#[case::opensmtpd_arrival(Form::Opensmtpd, "smtpd[7]: 5f smtp message msgid=1 to=<a@lab.test> result=Ok", None)]
#[case::web(Form::Web, "a@lab.test result=Ok status=sent", None)]
#[case::sendmail(Form::Sendmail, &format!("{SENDMAIL}6AQ7: to=|/w, dsn=2.0.0, stat=Sent"), Some(Fate::Sent))]
#[case::sendmail_deferred(Form::Sendmail, &format!("{SENDMAIL}6AQ7: to=|/w, dsn=4.3.0, stat=x"), Some(Fate::Deferred))]
#[case::sendmail_bounced(Form::Sendmail, &format!("{SENDMAIL}6AQ7: to=|/w, dsn=5.3.0, stat=x"), Some(Fate::Bounced))]
#[case::sendmail_returned(Form::Sendmail, &format!("{SENDMAIL}6AQ7: 6AQ9: DSN: no shell"), Some(Fate::Bounced))]
#[case::sendmail_of_another(Form::Sendmail, &format!("{SENDMAIL}6AQ8: to=|/w, dsn=2.0.0, stat=Sent"), None)]
#[case::sendmail_arrival(Form::Sendmail, SENDMAIL, None)]
fn what_a_log_says(#[case] form: Form, #[case] log: &str, #[case] fate: Option<Fate>) {
    let said = form.fate(log, 0, "a@lab.test");
    assert_eq!(said.as_ref().map(|(fate, _)| *fate), fate);
    // Its last line is about the message, and the arrival is not among them.
    assert!(said.is_none_or(|(_, lines)| lines.ends_with(log.lines().last().unwrap_or_default())));
    assert_eq!(form.fate(log, log.len(), "a@lab.test"), None, "nothing is new");
}

/// The same recipient again: what was said of the first message is not about the second.
#[test]
fn the_last_message_to_an_address_counts() {
    let first = format!("{SENDMAIL}6AQ7: to=|/w, dsn=5.3.0, stat=x\n");
    let second = first.replace("6AQ7", "6AQ8").replace("dsn=5.3.0", "dsn=2.0.0");
    let both = format!("{first}{second}");
    let fate = |log: &str, from| Form::Sendmail.fate(log, from, "a@lab.test").map(|(fate, _)| fate);
    assert_eq!(fate(&both, 0), Some(Fate::Sent));
    // It waited, and was tried again.
    let waited = first.replace("dsn=5", "dsn=4");
    assert_eq!(fate(&format!("{waited}lab sendmail[9]: 6AQ7: to=|/w, dsn=2.0.0"), waited.len()), Some(Fate::Sent));
}

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
