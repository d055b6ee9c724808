//! Reading one file: TOML errors as reports, names to numbers, every error with its place.

use super::accounts::Accounts;
use super::raw::form::At;
use super::raw::value::NameOrNumber;
use super::report::{Report, Source, nearest, suggestion};
use super::vocabulary;
use lab_invocation::{Gid, Uid};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Reads a TOML text into its form.
pub(crate) fn read_toml<T: DeserializeOwned>(source: &Arc<Source>) -> Result<T, Box<Report>> {
    toml::from_str(&source.text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        let (title, help) = reworded(&message);
        Box::new(Report::new(source, span, title, "here").maybe_help(help))
    })
}

/// serde's message, with the likeliest of the names that it lists as help: "unknown field `umaks`, expected one of …".
fn reworded(message: &str) -> (String, Option<String>) {
    let Some((head, list)) = message.split_once(", expected ") else {
        return (message.replacen("missing field", "missing key", 1), None);
    };
    let names = |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let (wrong, known) = (names(head), names(list));
    match (wrong.first(), head.starts_with("unknown ")) {
        (Some(wrong), true) if !known.is_empty() => {
            let head = head.replacen("unknown field", "unknown key", 1).replacen("unknown variant", "unknown word", 1);
            (head, suggestion(wrong, known.iter().map(String::as_str)))
        }
        _ => (message.to_owned(), None),
    }
}

/// One file being read.
pub(crate) struct Context<'a> {
    /// The file.
    pub(crate) source: &'a Arc<Source>,
    /// Names of users and groups.
    pub(crate) accounts: &'a Accounts,
    /// Errors so far.
    pub(crate) reports: Vec<Report>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(source: &'a Arc<Source>, accounts: &'a Accounts) -> Self {
        Self { source, accounts, reports: Vec::new() }
    }

    /// Notes an error.
    pub(crate) fn error(
        &mut self,
        span: &Range<usize>,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> &mut Report {
        let at = self.reports.len();
        self.reports.push(Report::new(self.source, span.clone(), title, label));
        &mut self.reports[at]
    }

    /// Notes an unknown name, with the nearest known one.
    pub(crate) fn unknown<'n>(
        &mut self,
        what: &str,
        name: &At<String>,
        known: impl IntoIterator<Item = &'n str> + Clone,
    ) {
        let help = suggestion(&name.value, known);
        self.error(&name.span, format!("unknown {what} \"{}\"", name.value), "this name").help.extend(help);
    }

    /// A group's number.
    pub(crate) fn gid(&mut self, group: &At<NameOrNumber>) -> Option<Gid> {
        match &group.value {
            NameOrNumber::Number(number) => self.gid_number(*number, &group.span),
            NameOrNumber::Name(name) => {
                let gid = self.accounts.gid(name);
                if gid.is_none() {
                    self.unknown_account("group", name, &group.span);
                }
                gid
            }
        }
    }

    /// A user's number.
    pub(crate) fn uid(&mut self, user: &At<NameOrNumber>) -> Option<Uid> {
        match &user.value {
            NameOrNumber::Number(number) => self.uid_number(*number, &user.span),
            NameOrNumber::Name(name) => {
                let uid = self.accounts.uid(name);
                if uid.is_none() {
                    self.unknown_account("user", name, &user.span);
                }
                uid
            }
        }
    }

    /// A set of groups.
    pub(crate) fn gids(&mut self, groups: &[At<NameOrNumber>]) -> BTreeSet<Gid> {
        groups.iter().filter_map(|group| self.gid(group)).collect()
    }

    fn unknown_account(&mut self, what: &str, name: &str, span: &Range<usize>) {
        let accounts = self.accounts;
        let near = match what {
            "user" => nearest(name, accounts.users.iter().map(|user| user.name.as_str())),
            _ => nearest(name, accounts.groups.iter().map(|group| group.name.as_str())),
        };
        let help = match near {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("add it to scenarios/identities.toml, or write a number for a {what} without a name"),
        };
        self.error(span, format!("unknown {what} \"{name}\""), "this name").help.push(help);
    }

    /// A group number in range.
    pub(crate) fn gid_number(&mut self, number: i64, span: &Range<usize>) -> Option<Gid> {
        let gid = u32::try_from(number).ok().and_then(Gid::new);
        if gid.is_none() {
            self.not_an_id("group", number, span);
        }
        gid
    }

    /// A user number in range.
    pub(crate) fn uid_number(&mut self, number: i64, span: &Range<usize>) -> Option<Uid> {
        let uid = u32::try_from(number).ok().and_then(Uid::new);
        if uid.is_none() {
            self.not_an_id("user", number, span);
        }
        uid
    }

    fn not_an_id(&mut self, what: &str, number: i64, span: &Range<usize>) {
        let report = self.error(span, format!("{number} is not a {what} number"), "this number");
        report.help.push("the numbers are 0 to 4294967294".to_owned());
        if number == i64::from(u32::MAX) {
            report.help.push("4294967295 is -1 to the system calls, which take it as \"leave unchanged\"".to_owned());
        }
    }

    /// A number within bounds.
    pub(crate) fn number<T: TryFrom<i64>>(&mut self, number: &At<i64>, what: &str, range: Range<i64>) -> Option<T> {
        let found = range.contains(&number.value).then(|| T::try_from(number.value).ok()).flatten();
        if found.is_none() {
            let wanted = format!("{what} must be {} to {}", range.start, range.end - 1);
            self.error(&number.span, format!("{} is out of range", number.value), wanted);
        }
        found
    }

    /// A number by its name in a vocabulary.
    pub(crate) fn word(&mut self, what: &str, name: &At<String>, names: vocabulary::Names) -> Option<u32> {
        let number = vocabulary::number(names, &name.value);
        if number.is_none() {
            self.unknown(what, name, names.iter().map(|(name, _)| *name));
        }
        number
    }

    /// A set of numbers by their names; `"all"` stands for every one.
    pub(crate) fn words(&mut self, what: &str, list: &[At<String>], names: vocabulary::Names) -> BTreeSet<u32> {
        let mut set = BTreeSet::new();
        for name in list {
            if name.value == "all" {
                set.extend(names.iter().map(|(_, number)| *number));
            } else {
                set.extend(self.word(what, name, names));
            }
        }
        set
    }

    /// A signal by name.
    pub(crate) fn signal(&mut self, name: &At<String>) -> Option<u32> {
        let found = vocabulary::signal(&name.value);
        if found.is_none() {
            self.unknown("signal", name, vocabulary::SIGNALS.iter().map(|(name, _)| *name));
        }
        found
    }

    /// A set of signals by name. `"all"` stands for every signal which a process can ignore or block: not SIGKILL and
    /// SIGSTOP, and not the two that belong to the C library.
    pub(crate) fn signals(&mut self, list: &[At<String>], settable: bool) -> BTreeSet<u32> {
        let mut set = BTreeSet::new();
        for name in list {
            if name.value == "all" {
                set.extend((1..=64).filter(|signal| ![9, 19, 32, 33].contains(signal)));
                continue;
            }
            match self.signal(name) {
                Some(9 | 19) if settable => {
                    self.error(&name.span, format!("{} can be neither ignored nor blocked", name.value), "this signal");
                }
                signal => set.extend(signal),
            }
        }
        set
    }

    /// An absolute path in its plain form.
    pub(crate) fn path(&mut self, path: &str, span: &Range<usize>) -> Option<lab_invocation::Bytes> {
        let plain = path.len() > 1
            && path.len() < 4096
            && path.starts_with('/')
            && !path.contains('\0')
            && path[1..].split('/').all(|part| !part.is_empty() && part != "." && part != ".." && part.len() < 256);
        if !plain {
            self.error(span, format!("\"{path}\" is not a plain absolute path"), "this path")
                .help
                .push("write it from the root, without \".\", \"..\", doubled or final slashes".to_owned());
        }
        plain.then(|| path.into())
    }
}
