//! What a server makes of the end of a program that it starts. Each way to end is shown by a message of its own, and every
//! way of the list must be stated, so that nothing is left unseen by leaving it out.

use super::PROGRAM;
use super::file::{Case, Fate};
use super::remedy::Scene;
use crate::problem::Problem;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;

/// Where the program notes that it was started.
const NOTE: &str = "/usr/local/mailman/started";
/// A message that is longer than any pipe of a server: 64 KiB is usual, and pipe(7) lets nobody but root have more than 1 MiB.
const LARGE: usize = 1 << 21;
/// The statuses that are tried: those of Mailman's wrappers and of these, those of sysexits.h, those of qmail-command(8),
/// those of a shell, and the largest.
const STATUSES: [u8; 35] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 99, 100, 111,
    112, 126, 127, 128, 255,
];
/// The signals that end it.
const SIGNALS: [Signal; 4] = [Signal::Abrt, Signal::Kill, Signal::Segv, Signal::Term];

/// How a program ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Way {
    /// It exits with this status.
    Exits(u8),
    /// It sends itself this signal, and exits with 0 if that does not end it.
    Signal(Signal),
    /// It exits with 0 and has not read the message, which is short.
    Unread,
    /// It exits with 0 and has not read the message, which no pipe holds.
    UnreadLarge,
    /// It exits with 2 and has not read the message, which no pipe holds: what a wrapper does that refuses.
    RefusedLarge,
    /// It cannot be executed.
    NotExecutable,
    /// It is not there.
    Missing,
}

/// A signal of signal(7) that ends a process, with a core or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// Of abort(3).
    Abrt,
    /// Which cannot be caught.
    Kill,
    /// Of a wrong address.
    Segv,
    /// Which asks to end.
    Term,
}

impl Way {
    /// All that are tried.
    fn all() -> BTreeSet<Self> {
        let statuses = STATUSES.into_iter().map(Self::Exits);
        let signals = SIGNALS.into_iter().map(Self::Signal);
        let others = [Self::Unread, Self::UnreadLarge, Self::RefusedLarge, Self::NotExecutable, Self::Missing];
        statuses.chain(signals).chain(others).collect()
    }

    /// How long the message is.
    fn bytes(&self) -> Option<usize> {
        matches!(self, Self::UnreadLarge | Self::RefusedLarge).then_some(LARGE)
    }

    /// Whether the program runs at all.
    fn runs(&self) -> bool {
        !matches!(self, Self::NotExecutable | Self::Missing)
    }

    /// For root's shell: makes the program.
    fn script(&self) -> String {
        let reads = "cat >/dev/null\\n";
        let end = match self {
            Self::Exits(status) => format!("{reads}exit {status}"),
            Self::Signal(_) => format!("{reads}kill -s {self} $$\\nexit 0"),
            Self::RefusedLarge => "exit 2".to_owned(),
            Self::Unread | Self::UnreadLarge | Self::NotExecutable | Self::Missing => "exit 0".to_owned(),
        };
        let mode = if *self == Self::NotExecutable { "644" } else { "755" };
        // Made anew, so that no server still has the one before it open.
        let mut script = format!("rm -f {PROGRAM}; : >{NOTE}; chmod 666 {NOTE}");
        if *self != Self::Missing {
            script.push_str(&format!(
                "; printf '#!/bin/sh\\necho started >>{NOTE}\\n{end}\\n' >{PROGRAM}; chmod {mode} {PROGRAM}"
            ));
        }
        script
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exits(status) => write!(f, "{status}"),
            Self::Signal(signal) => f.write_str(&format!("{signal:?}").to_uppercase()),
            Self::Unread => f.write_str("unread"),
            Self::UnreadLarge => f.write_str("unread-large"),
            Self::RefusedLarge => f.write_str("refused-large"),
            Self::NotExecutable => f.write_str("not-executable"),
            Self::Missing => f.write_str("missing"),
        }
    }
}

impl TryFrom<String> for Way {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let known = Self::all();
        let found = known.iter().find(|way| way.to_string() == word).cloned();
        found.ok_or_else(|| {
            let words: Vec<String> = known.iter().map(ToString::to_string).collect();
            format!("`{word}` is no way to end that is tried: those are {}", words.join(", "))
        })
    }
}

/// What becomes of the message to the control of a file, by how the program ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ends {
    /// Delivered.
    pub sent: Vec<Way>,
    /// Sent back.
    pub bounced: Vec<Way>,
    /// Kept, to be tried again.
    pub deferred: Vec<Way>,
}

impl Ends {
    /// Each fate with its ways.
    pub(super) fn fates(&self) -> [(Fate, &[Way]); 3] {
        [(Fate::Sent, &self.sent), (Fate::Bounced, &self.bounced), (Fate::Deferred, &self.deferred)]
    }

    /// That every way is stated, and once.
    pub(super) fn check(&self) -> Result<(), String> {
        let mut left = Way::all();
        for way in self.fates().into_iter().flat_map(|(_, ways)| ways) {
            if !left.remove(way) {
                return Err(format!("`ends` states `{way}` twice"));
            }
        }
        match left.into_iter().map(|way| way.to_string()).collect::<Vec<_>>().join(", ") {
            missing if missing.is_empty() => Ok(()),
            missing => Err(format!("`ends` does not state {missing}")),
        }
    }
}

/// Has the program end in each of these ways: what is not as stated.
pub(super) fn differences(
    scene: &mut impl Scene,
    case: &Case,
    fate: Fate,
    ways: &[Way],
) -> Result<Vec<String>, Problem> {
    let mut found = Vec::new();
    for way in ways {
        scene.shell(&way.script())?;
        let delivered = scene.deliver(&Case { bytes: way.bytes(), ..case.clone() })?;
        let started = scene.read(NOTE)?.lines().count();
        if delivered.fate != fate {
            let (seen, log) = (delivered.fate, &delivered.log);
            found.push(format!("{way}: found {seen:?}, wanted {fate:?}, by its log\n{log}"));
        }
        // A fate that comes of something else says nothing about an end.
        let wanted = usize::from(way.runs());
        if started != wanted {
            found.push(format!("{way}: the program was started {started} times, wanted {wanted}"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
