//! Logs that say one thing each.

use super::fate;
use crate::scenario::deploy::{Fate, Form};
use rstest::rstest;

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
fn what_a_log_says(#[case] form: Form, #[case] log: &str, #[case] wanted: Option<Fate>) {
    let said = fate(form, log, 0, "a@lab.test");
    assert_eq!(said.as_ref().map(|(fate, _)| *fate), wanted);
    // Its last line is about the message, and the arrival is not among them.
    assert!(said.is_none_or(|(_, lines)| lines.ends_with(log.lines().last().unwrap_or_default())));
    assert_eq!(fate(form, log, log.len(), "a@lab.test"), None, "nothing is new");
}

/// The same recipient again: what was said of the first message is not about the second.
#[test]
fn the_last_message_to_an_address_counts() {
    let first = format!("{SENDMAIL}6AQ7: to=|/w, dsn=5.3.0, stat=x\n");
    let second = first.replace("6AQ7", "6AQ8").replace("dsn=5.3.0", "dsn=2.0.0");
    let both = format!("{first}{second}");
    let last = |log: &str, from| fate(Form::Sendmail, log, from, "a@lab.test").map(|(fate, _)| fate);
    assert_eq!(last(&both, 0), Some(Fate::Sent));
    // It waited, and was tried again.
    let waited = first.replace("dsn=5", "dsn=4");
    assert_eq!(last(&format!("{waited}lab sendmail[9]: 6AQ7: to=|/w, dsn=2.0.0"), waited.len()), Some(Fate::Sent));
}
