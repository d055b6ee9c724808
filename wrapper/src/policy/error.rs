//! What can be wrong with a sealed policy, in words.

use super::{BODY_MAX, Kind, Tag, VERSION};
use std::fmt;

/// Why a section is not a policy. Nothing in it comes from the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyError {
    /// It does not begin with the magic bytes.
    Magic,
    /// A layout which this program does not know.
    Version {
        /// The number in the section.
        found: u16,
    },
    /// A policy for another program.
    Kind {
        /// The number in the section.
        found: u16,
        /// What this program takes; `None`: any known kind.
        wanted: Option<Kind>,
    },
    /// Nobody has sealed it.
    Unsealed,
    /// The body would not fit.
    TooLong {
        /// The length in the section, in bytes.
        found: u32,
    },
    /// The body is not the one which was sealed.
    Checksum,
    /// There is something after the body.
    Padding,
    /// A record that reaches beyond the end of the body, of an unknown kind, or after one with a higher tag.
    Record {
        /// Where it begins, in bytes from the start of the body.
        at: usize,
    },
    /// One field is wrong.
    Field {
        /// Which.
        tag: Tag,
        /// How.
        fault: Fault,
    },
}

/// What is wrong with one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It must be there.
    Missing,
    /// It stands there more often than it may.
    TooMany {
        /// Most that may be there.
        limit: usize,
    },
    /// The same value twice.
    Twice,
    /// It is not what [`Tag::rule`] says.
    Value,
    /// It does not go with the other fields: a page for mail, a command for CGI, a CGI policy that defers (a web server
    /// does not try again), a flag without an interpreter; a queue of root's group, or of nobody's, which stand for more
    /// than one kind of caller; a field of a queue for a wrapper, and the other way round.
    OutOfPlace,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => write!(f, "its section does not begin as a policy does"),
            Self::Version { found } => write!(f, "it is of version {found}, not {VERSION}"),
            Self::Kind { found, wanted } => {
                match Kind::from_raw(*found) {
                    Some(kind) => write!(f, "it is for {}", kind.program())?,
                    None => write!(f, "it is of the unknown kind {found}")?,
                }
                match wanted {
                    Some(kind) => write!(f, ", not for {}", kind.program()),
                    None => Ok(()),
                }
            }
            Self::Unsealed => write!(f, "this binary has not been sealed"),
            Self::TooLong { found } => write!(f, "its body has {found} bytes, at most {BODY_MAX} fit"),
            Self::Checksum => write!(f, "its checksum does not match, so it is damaged"),
            Self::Padding => write!(f, "there are bytes after its end"),
            Self::Record { at } => write!(f, "its record at byte {at} is cut short, unknown or out of order"),
            Self::Field { tag, fault } => {
                write!(f, "its {} ", tag.name())?;
                match fault {
                    Fault::Missing => write!(f, "is missing"),
                    Fault::TooMany { limit } => write!(f, "is there more than {limit} times"),
                    Fault::Twice => write!(f, "is there twice with the same value"),
                    Fault::Value => write!(f, "is not {}", tag.rule()),
                    Fault::OutOfPlace => write!(f, "does not go with its other fields"),
                }
            }
        }
    }
}

impl std::error::Error for PolicyError {}
