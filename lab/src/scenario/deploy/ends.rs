//! How a program can end. Every way of the list must be stated, so that nothing is left unseen by leaving it out.

use super::Fate;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;

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
    pub fn all() -> BTreeSet<Self> {
        let statuses = STATUSES.into_iter().map(Self::Exits);
        let signals = SIGNALS.into_iter().map(Self::Signal);
        let others = [Self::Unread, Self::UnreadLarge, Self::RefusedLarge, Self::NotExecutable, Self::Missing];
        statuses.chain(signals).chain(others).collect()
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
    pub fn fates(&self) -> [(Fate, &[Way]); 3] {
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

#[cfg(test)]
mod tests;
