//! The canonical text of an [`Attempt`]: entry of a corpus, finding and replayable file at once, so that there is no
//! conversion that could rot, and a change of one shows in a diff.
//!
//! ```text
//! invocation 1
//! # An untrusted caller.
//! sealed mail
//! command post
//! trusted 8 mail
//! own 38 list
//! owner 38 list
//! prefix /usr/local/mailman
//! group 8 mail
//! uid 1000
//! gid 100
//! program /usr/local/mailman/mail/mailman
//! argv mailman
//! argv post
//! env HOME=/\x1b
//! ```
//!
//! The first line is the format and its version. Then one item a line: a key, a blank, a value whose bytes are escaped as
//! [`Bytes::to_text`] does it; a line that begins with `#` is a comment. Lists repeat their key. What is not there is as in
//! a quiet room ([`Invocation::quiet`]), save that there is no argument and no variable. [`decode`] takes the
//! lines in any order and numbers as people write them; [`encode`] has one way to write each attempt, so that
//! `encode(decode(x))` is canonical.

mod read;
mod write;

pub use read::decode;
pub use write::encode;

#[cfg(doc)]
use crate::{Attempt, Bytes, Invocation};
use std::fmt;

/// The first line: name and version of the format.
pub const HEADING: &str = "invocation 1";

/// Every key, in the order of the canonical form.
pub const KEYS: [&str; 48] = [
    "sealed",
    "command",
    "trusted",
    "own",
    "owner",
    "prefix",
    "interpreter",
    "flag",
    "keep",
    "defer",
    "group-file",
    "group",
    "uid",
    "gid",
    "groups",
    "program",
    "argv",
    "env",
    "stdin",
    "fd",
    "umask",
    "cwd",
    "limit",
    "ignored",
    "blocked",
    "pending",
    "alarm",
    "processor-timers",
    "timer-slack",
    "nice",
    "idle",
    "one-processor",
    "own-process-group",
    "no-new-privs",
    "tracer",
    "share-fs",
    "unmapped-gids",
    "unmapped-uids",
    "foreign-mount",
    "by-descriptor",
    "bounding-drop",
    "kept",
    "inheritable",
    "ambient",
    "securebits",
    "fault",
    "script-ends",
    "deadline",
];

/// Why a text is no attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadText {
    /// The line, from 1; one after the last where something is missing.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The first line is not [`HEADING`].
    Heading,
    /// Bytes that are not UTF-8 stand there as they are.
    NotText,
    /// No such key.
    UnknownKey(String),
    /// A key that may be there once.
    Twice(&'static str),
    /// A key that must be there.
    Missing(&'static str),
    /// A value that its key does not take.
    Value {
        /// The key.
        key: &'static str,
        /// What it takes.
        wanted: &'static str,
    },
}

impl fmt::Display for BadText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.problem {
            Problem::Heading => write!(f, "the first line must be \"{HEADING}\""),
            Problem::NotText => {
                f.write_str("not UTF-8; write a byte that is no text as \\x and two hexadecimal digits")
            }
            Problem::UnknownKey(key) => {
                write!(f, "unknown key \"{}\"; known are {}", key.escape_debug(), KEYS.join(", "))
            }
            Problem::Twice(key) => write!(f, "\"{key}\" is there a second time; remove one"),
            Problem::Missing(key) => write!(f, "\"{key}\" is missing; add a line with it"),
            Problem::Value { key, wanted } => write!(f, "the value of \"{key}\" must be {wanted}"),
        }
    }
}

impl std::error::Error for BadText {}

#[cfg(test)]
mod tests;
