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
    /// A record reaches beyond the end of the body.
    CutShort {
        /// Where the record begins, in bytes from the start of the body.
        at: usize,
    },
    /// A record of an unknown kind.
    UnknownTag {
        /// Its number.
        tag: u8,
    },
    /// A record stands after one with a higher tag.
    OutOfOrder {
        /// The later record.
        tag: Tag,
    },
    /// One field is wrong by itself.
    Field {
        /// Which.
        tag: Tag,
        /// How.
        fault: Fault,
    },
    /// Each field is sound, but they do not go together.
    Contradiction(Contradiction),
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
    /// A number of the wrong size.
    Size {
        /// Bytes found.
        found: usize,
        /// Bytes that the number has.
        wanted: usize,
    },
    /// 4294967295, which means "leave unchanged" to setresgid(2).
    MinusOne,
    /// An empty text.
    Empty,
    /// A text beyond its limit.
    TooLong {
        /// Bytes found.
        found: usize,
        /// Most that it may have.
        limit: usize,
    },
    /// A byte that may not stand in such a text.
    Byte {
        /// The byte.
        found: u8,
    },
    /// A path that does not begin with a slash.
    Relative,
    /// A path with an empty component, `.` or `..`, or with a slash at its end.
    NotCanonical,
    /// A flag which does not begin with a hyphen, or is only one.
    NotAFlag,
    /// A variable which no script may be given.
    Forbidden,
    /// A number without a meaning.
    Unknown {
        /// The number.
        found: u8,
    },
}

/// Fields that do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// A mail policy with a CGI script.
    MailWithCgiScript,
    /// A CGI policy with commands.
    CgiWithCommands,
    /// A CGI policy that defers: a web server does not try again.
    CgiDefers,
    /// Flags for an interpreter that is not there.
    FlagsWithoutInterpreter,
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
            Self::CutShort { at } => write!(f, "its record at byte {at} is cut short"),
            Self::UnknownTag { tag } => write!(f, "it has a record of the unknown kind {tag}"),
            Self::OutOfOrder { tag } => write!(f, "its record \"{}\" is out of order", tag.name()),
            Self::Field { tag, fault } => write!(f, "its {} {fault}", tag.name()),
            Self::Contradiction(contradiction) => contradiction.fmt(f),
        }
    }
}

impl std::error::Error for PolicyError {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "is missing"),
            Self::TooMany { limit } => write!(f, "is there more than {limit} times"),
            Self::Twice => write!(f, "is there twice with the same value"),
            Self::Size { found, wanted } => write!(f, "has {found} bytes, not {wanted}"),
            Self::MinusOne => write!(f, "is 4294967295, which the kernel takes as \"leave unchanged\""),
            Self::Empty => write!(f, "is empty"),
            Self::TooLong { found, limit } => write!(f, "has {found} bytes, at most {limit} are allowed"),
            Self::Byte { found } => write!(f, "contains the byte 0x{found:02x}, which may not stand there"),
            Self::Relative => write!(f, "does not begin with a slash"),
            Self::NotCanonical => write!(f, "has an empty component, \".\" or \"..\", or ends in a slash"),
            Self::NotAFlag => write!(f, "is not a hyphen and something after it"),
            Self::Forbidden => write!(f, "is one that no script may be given"),
            Self::Unknown { found } => write!(f, "is {found}, which has no meaning"),
        }
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MailWithCgiScript => "it is for mail but names a CGI script",
            Self::CgiWithCommands => "it is for CGI but lists commands",
            Self::CgiDefers => "it is for CGI but defers, and a web server does not try again",
            Self::FlagsWithoutInterpreter => "it has interpreter flags but no interpreter",
        })
    }
}
