//! Deploy scenarios as they are written: `scenarios/deploy/*.toml`, one server each. Whatever a witness reports must be
//! stated, so that nothing is left unseen by leaving it out.

use crate::problem::Problem;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct File {
    /// The rule that the cases show.
    pub title: String,
    /// Why that is so.
    pub why: String,
    /// Where it is said in public.
    pub source: String,
    /// The image: a folder of `docker/`.
    pub server: String,
    /// The log file of the server, in its container.
    pub log: String,
    /// How that log says what became of a message.
    pub form: Form,
    /// What stands in the log when the server is ready.
    pub ready: String,
    /// For root's shell: has the server try the messages that wait, all and now.
    pub retry: String,
    /// The cases.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// The form of a log, which is that of its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `to=<ADDRESS>, …, status=sent (…)`: postfix-logwatch and others rest on it; `src/global/log_adhoc.c`.
    Postfix,
    /// `ID => TARGET <ADDRESS> R=… T=…`: a flag of two characters behind the message's id. Exim specification, Log files.
    Exim,
    /// `ID: to=…, ctladdr=… (uid/gid), …, dsn=2.0.0, stat=Sent`. Sendmail Installation and Operation Guide, 1.3.2.
    Sendmail,
}

impl Form {
    /// What the log says, from this byte on, became of the last message to this address, with its lines about it; `None`:
    /// nothing yet. The message's Message-ID is the address, too.
    pub(super) fn fate(self, log: &str, from: usize, address: &str) -> Option<(Fate, String)> {
        let new = log.get(from..)?;
        let lines: Vec<&str> = match self {
            Self::Postfix => new.lines().filter(|line| line.contains(&format!("to=<{address}>"))).collect(),
            Self::Exim => new.lines().filter(|line| exim(line, address).is_some()).collect(),
            Self::Sendmail => {
                // A list in a file is named by the file: only the queue id of the arrival leads to it, which may be older.
                let arrival = log.lines().rfind(|line| line.contains(&format!("msgid=<{address}>")))?;
                let id = arrival.split_once(": from=")?.0.rsplit(' ').next()?;
                new.lines().filter(|line| line.contains(&format!(" {id}: ")) && !line.contains(": from=")).collect()
            }
        };
        let fate = lines.iter().rev().find_map(|line| match self {
            Self::Postfix => match line.split_once("status=")?.1.split([' ', ',']).next()? {
                "sent" => Some(Fate::Sent),
                "bounced" => Some(Fate::Bounced),
                "deferred" => Some(Fate::Deferred),
                _ => None,
            },
            Self::Exim => exim(line, address),
            // A message that comes to no mailer is only said to be sent back.
            Self::Sendmail if line.contains(": DSN: ") => Some(Fate::Bounced),
            Self::Sendmail => match line.split_once("dsn=")?.1.bytes().next()? {
                b'2' => Some(Fate::Sent),
                b'4' => Some(Fate::Deferred),
                b'5' => Some(Fate::Bounced),
                _ => None,
            },
        })?;
        Some((fate, lines.join("\n")))
    }
}

/// What a line of Exim's says of the message to this address.
fn exim(line: &str, address: &str) -> Option<Fate> {
    // Date, time, id; without the id it is no line of a message.
    let mut words = line.split(' ').skip(3);
    let fate = match words.next()? {
        "=>" | "->" => Fate::Sent,
        "**" => Fate::Bounced,
        "==" => Fate::Deferred,
        _ => return None,
    };
    words.any(|word| word.trim_matches(['<', '>', ':']) == address).then_some(fate)
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    /// What is special.
    pub name: String,
    /// If it does not pass, no other case of the file means anything.
    #[serde(default)]
    pub control: bool,
    /// The local part to which the message goes.
    pub to: String,
    /// What becomes of it, as the log says.
    pub fate: Fate,
    /// What else its log lines say; of one that is refused, what the client is told.
    pub says: Vec<String>,
    /// What the program that the server starts is given; `"nothing"` if none is started.
    pub starts: Starts,
    /// The same message with a wrapper that trusts another group, and what mends that.
    pub mismatch: Option<Mismatch>,
}

/// A wrapper that was sealed for a group which the server does not start it as. It has two remedies, and both are tried:
/// the server is made to start it as that group, or it is sealed for the group which the server has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mismatch {
    /// The group that the wrapper trusts.
    pub trusts: String,
    /// What becomes of the message.
    pub fate: Fate,
    /// What else its log lines say.
    pub says: Vec<String>,
    /// How the server is made to start it as the trusted group.
    pub server: Remedy,
    /// As whom the server starts it when it tries a message again that waited, where that is not as at first.
    pub retried_as: Option<Retried>,
}

/// As whom a server starts a wrapper from its queue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Retried {
    /// The user.
    pub user: String,
    /// The group.
    pub group: String,
    /// Why not as at first.
    pub why: String,
}

/// A change of the server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// There is none, for this reason.
    Impossible(String),
    /// There is one.
    Change(Change),
}

/// What an administrator does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Change {
    /// In words.
    pub what: String,
    /// For root's shell: makes it, and returns when it is in force.
    #[serde(rename = "do")]
    pub make: String,
    /// For root's shell: takes it back.
    pub undo: String,
    /// As which user the server then starts the wrapper.
    pub user: String,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Delivered.
    Sent,
    /// Not taken from the client.
    Refused,
    /// Sent back.
    Bounced,
    /// Kept, to be tried again.
    Deferred,
}

/// Whether the server starts the program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Starts {
    /// It does not.
    Nothing,
    /// It does, thus.
    Program(Box<Program>),
}

/// What a program is given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Program {
    /// Real user.
    pub user: String,
    /// Real group.
    pub group: String,
    /// Effective group: what the set-group-ID bit gives.
    pub effective_group: String,
    /// Supplementary groups.
    pub groups: Vec<String>,
    /// The whole argument vector.
    pub args: Vec<String>,
    /// Names of the environment.
    pub environment: Vec<String>,
    /// Working directory.
    pub directory: String,
    /// File mode creation mask, octal.
    pub umask: String,
    /// Ignored signals.
    pub ignored: Vec<String>,
    /// Open descriptors with what they lead to.
    pub descriptors: BTreeMap<String, String>,
}

/// Reads one.
///
/// # Errors
/// It cannot be read, or is not as it must be.
pub fn read(path: &Path) -> Result<File, Problem> {
    let wrong = |found: String| Problem::usage(format!("{}: cannot be used", path.display())).found(found);
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let file: File = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if !file.cases.iter().any(|case| case.control) {
        return Err(wrong("it has no control: a case with `control = true`".to_owned()));
    }
    for (place, case) in file.cases.iter().enumerate() {
        if file.cases.iter().take(place).any(|other| other.to == case.to) {
            return Err(wrong(format!("two cases go to `{}`, and their log lines cannot be told apart", case.to)));
        }
        if case.mismatch.is_some() && case.starts == Starts::Nothing {
            return Err(wrong(format!("the message to `{}` starts nothing, so that no wrapper refuses it", case.to)));
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::{Fate, Form};
    use rstest::rstest;

    const POSTFIX: &str =
        "Nov 26 lab postfix/local[7]: 4C: to=<a@lab.test>, relay=local, dsn=2.0.0, status=sent (delivered)";
    const EXIM: &str = "2026-11-26 18:00:00 1vO-0001-00";

    const SENDMAIL: &str =
        "Nov 26 lab sendmail[7]: 6AQ7: from=<b@lab.test>, msgid=<a@lab.test>\nNov 26 lab sendmail[8]: ";

    #[rstest]
    #[case::postfix(Form::Postfix, POSTFIX, Some(Fate::Sent))]
    #[case::postfix_of_another(Form::Postfix, "to=<ba@lab.test>, status=sent", None)]
    #[case::postfix_of_no_message(Form::Postfix, "daemon started", None)]
    #[case::exim(Form::Exim, &format!("{EXIM} => |/w post a <a@lab.test> R=r T=t"), Some(Fate::Sent))]
    #[case::exim_second_recipient(Form::Exim, &format!("{EXIM} -> a <a@lab.test> R=r T=t"), Some(Fate::Sent))]
    #[case::exim_bounced(Form::Exim, &format!("{EXIM} ** a <a@lab.test> R=r T=t: returned 2"), Some(Fate::Bounced))]
    #[case::exim_unrouted(Form::Exim, &format!("{EXIM} ** a@lab.test: Unrouteable address"), Some(Fate::Bounced))]
    #[case::exim_deferred(Form::Exim, &format!("{EXIM} == a@lab.test R=r T=t defer (-1)"), Some(Fate::Deferred))]
    #[case::exim_of_another(Form::Exim, &format!("{EXIM} => b <b@lab.test> R=r T=t"), None)]
    #[case::exim_arrival(Form::Exim, &format!("{EXIM} <= bob@lab.test H=client for a@lab.test"), None)]
    #[case::exim_end(Form::Exim, &format!("{EXIM} Completed"), None)]
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
}
