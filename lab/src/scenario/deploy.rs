//! Deploy scenarios as they are written: `scenarios/deploy/*.toml`, one server each. Whatever a witness reports must be
//! stated, so that nothing is left unseen by leaving it out. What is sent is a message, or a request to a web server.

mod beside;
pub mod ends;
mod sound;

pub use beside::{RefusedAnew, Shows, Unnoticed};

use super::asked::{text, unusable};
use crate::problem::Problem;
use ends::Ends;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Where a mail server finds the wrapper.
pub const PROGRAM: &str = "/usr/local/mailman/mail/mailman";
/// Where a web server finds it.
pub const PAGE: &str = "/usr/local/mailman/cgi-bin/listinfo";
/// The wrapper's group.
pub const GROUP: &str = "mailman";
/// Who sends the messages.
pub const SENDER: &str = "bob";

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
    /// How the server is configured, as a word for the image's `start`; none: as its README says first.
    pub variant: Option<String>,
    /// What takes the effect of the set-group-ID bit away, if anything does.
    pub carrier: Option<Carrier>,
    /// The log file of the server, in its container.
    pub log: String,
    /// How that log says what became of a message.
    pub form: Form,
    /// What stands in the log when the server is ready.
    pub ready: String,
    /// For root's shell: has the server try the messages that wait, all and now. A web server keeps none.
    pub retry: Option<String>,
    /// What becomes of the control's message by how the program ends that the server starts.
    pub ends: Option<Ends>,
    /// The cases.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// Where a set-group-ID bit does not act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// The server and all that it starts has no_new_privs set, as by NoNewPrivileges of a unit, or by an engine.
    NoNewPrivs,
    /// The wrapper is on a file system that is mounted nosuid.
    Nosuid,
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
    /// `SESSION mda delivery … to=<ADDRESS> … result=Ok stat=Delivered`: smtpd(8) of OpenSMTPD, `mda.c`.
    Opensmtpd,
    /// That of a web server, which tells its client what came of a request: RFC 9110, 15.
    Web,
}

impl Form {
    /// Where such a server finds the wrapper.
    pub fn program(self) -> &'static str {
        match self {
            Self::Postfix | Self::Exim | Self::Sendmail | Self::Opensmtpd => PROGRAM,
            Self::Web => PAGE,
        }
    }
}

/// One message or request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    /// What is special.
    pub name: String,
    /// If it does not pass, no other case of the file means anything.
    #[serde(default)]
    pub control: bool,
    /// The local part to which the message goes; of a request its path, with the query.
    pub to: String,
    /// How many bytes its body has at least; absent: one line.
    pub bytes: Option<usize>,
    /// Lines of the request besides the usual ones.
    #[serde(default)]
    pub headers: Vec<String>,
    /// What becomes of it, as the log says, or the server's status code.
    pub fate: Fate,
    /// What else its log lines say; of one that is refused, what the client is told; of a request that, and what is new in
    /// the log.
    pub says: Vec<String>,
    /// What the program that the server starts is given; `"nothing"` if none is started.
    pub starts: Starts,
    /// What an administrator is shown when the fate is known.
    pub shows: Option<Shows>,
    /// The same message with a wrapper that trusts another group, and what mends that.
    pub mismatch: Option<Mismatch>,
    /// The same message with the wrapper where its bit does not act.
    pub without_bit: Option<WithoutBit>,
}

/// A wrapper that would be admitted and does not run set-group-ID: nothing in the server or the wrapper mends that.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WithoutBit {
    /// What becomes of the message.
    pub fate: Fate,
    /// What else its log lines say.
    pub says: Vec<String>,
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
    /// Why the server takes the lost message for delivered, and where it shows.
    pub unnoticed: Option<Unnoticed>,
    /// What keeps the second remedy from mending anything.
    pub refused_anew: Option<RefusedAnew>,
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
    /// For root's shell: makes it, and gives the server the time that it takes.
    #[serde(rename = "do")]
    pub make: String,
    /// For root's shell: takes it back.
    pub undo: String,
    /// As which user the server then starts the wrapper.
    pub user: String,
}

/// What becomes of a message, or of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Word")]
pub enum Fate {
    /// Delivered.
    Sent,
    /// Not taken from the client.
    Refused,
    /// Sent back.
    Bounced,
    /// Kept, to be tried again.
    Deferred,
    /// Answered with this status code.
    Status(u16),
}

/// A fate as it is written: a word, or a number.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"sent\", \"refused\", \"bounced\", \"deferred\", or the status code of a web server"
)]
enum Word {
    Message(MessageFate),
    Request(u16),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum MessageFate {
    Sent,
    Refused,
    Bounced,
    Deferred,
}

impl From<Word> for Fate {
    fn from(word: Word) -> Self {
        match word {
            Word::Message(MessageFate::Sent) => Self::Sent,
            Word::Message(MessageFate::Refused) => Self::Refused,
            Word::Message(MessageFate::Bounced) => Self::Bounced,
            Word::Message(MessageFate::Deferred) => Self::Deferred,
            Word::Request(status) => Self::Status(status),
        }
    }
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
    /// Open descriptors with what they lead to; `*` stands for what is another each time.
    pub descriptors: BTreeMap<String, String>,
}

/// Reads one.
///
/// # Errors
/// It cannot be read, or is not as it must be.
pub fn read(path: &Path) -> Result<File, Problem> {
    parse(&path.display().to_string(), &text(path)?)
}

/// Reads the text of one, which has this name.
///
/// # Errors
/// It is not as it must be.
pub fn parse(name: &str, text: &str) -> Result<File, Problem> {
    let wrong = |found: String| unusable(name, found);
    let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if !file.cases.iter().any(|case| case.control) {
        return Err(wrong("it has no control: a case with `control = true`".to_owned()));
    }
    let web = file.form == Form::Web;
    if file.retry.is_some() == web {
        return Err(wrong("a mail server has `retry`, and a web server has none".to_owned()));
    }
    // An empty text is in every log, and an empty script does nothing.
    let texts = [Some(&file.ready), Some(&file.log), file.retry.as_ref(), file.variant.as_ref()];
    if texts.into_iter().flatten().any(String::is_empty) {
        return Err(wrong("`ready`, `log`, `retry` and `variant` may not be empty".to_owned()));
    }
    sound::refuse_ends(&file).map_err(wrong)?;
    for (place, case) in file.cases.iter().enumerate() {
        sound::refuse_unsound(&file, case).map_err(|found| wrong(format!("`{}`: {found}", case.name)))?;
        if file.cases.iter().take(place).any(|other| other.name == case.name) {
            return Err(wrong(format!("two cases are called `{}`", case.name)));
        }
        let lost = case.mismatch.as_ref().map(|mismatch| mismatch.fate);
        let fates = [Some(case.fate), lost, case.without_bit.as_ref().map(|without| without.fate)];
        let of_web = fates.iter().flatten().all(|fate| matches!(fate, Fate::Status(_)));
        let of_mail = fates.iter().flatten().all(|fate| !matches!(fate, Fate::Status(_)));
        if case.to.starts_with('/') != web
            || !(if web { of_web && case.bytes.is_none() } else { of_mail && case.headers.is_empty() })
        {
            let wanted = if web {
                "`to` is a path, each `fate` a status code, and there are no `bytes`"
            } else {
                "`to` is a local part, each `fate` a word, and there are no `headers`"
            };
            return Err(wrong(format!("`{}`: of a case of form {:?} {wanted}", case.name, file.form)));
        }
        if file.cases.iter().take(place).any(|other| other.to == case.to) {
            return Err(wrong(format!("two cases go to `{}`, and their log lines cannot be told apart", case.to)));
        }
        let line = |text: &String| !text.is_empty() && !text.chars().any(char::is_control);
        if !line(&case.to) || case.to.contains(' ') || !case.headers.iter().all(line) {
            return Err(wrong(format!("`{}`: `to` is one word, and each of `headers` one line", case.name)));
        }
        if web && case.mismatch.as_ref().is_some_and(|mismatch| mismatch.retried_as.is_some()) {
            return Err(wrong(format!(
                "`{}`: a web server keeps no request, so that it has no `retried-as`",
                case.name
            )));
        }
        if case.mismatch.is_some() && file.carrier.is_some() || case.without_bit.is_some() && file.carrier.is_none() {
            let wanted =
                "`mismatch` is for a wrapper whose bit acts, `without-bit` for a `carrier` on which it does not";
            return Err(wrong(format!("`{}`: {wanted}", case.name)));
        }
        if (case.mismatch.is_some() || case.without_bit.is_some()) && case.starts == Starts::Nothing {
            return Err(wrong(format!("the message to `{}` starts nothing, so that no wrapper refuses it", case.to)));
        }
    }
    if file.carrier.is_some() && file.cases.iter().all(|case| case.without_bit.is_none()) {
        return Err(wrong("a `carrier` takes the effect of the bit away, and no case has a `without-bit`".to_owned()));
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
