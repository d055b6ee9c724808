//! What is no message, and why.

use crate::control::{CONTROL_MAX, ControlFault};
use nix::errno::Errno;
use std::fmt;

/// Why a message cannot be delivered, whoever tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Poison {
    /// A file of it is a symbolic link, a directory, a device or a FIFO.
    NotAFile(Part),
    /// A file of it has more than one name: whoever has the other can be somebody else.
    Links(Part),
    /// It belongs to another group than the queue: it was put there, not written there.
    Group(Part, u32),
    /// Others may write it.
    Writable(Part, u32),
    /// The control file is neither of the submitter nor of the user of the queue.
    Owner {
        /// Who owns it.
        control: u32,
        /// Who owns the body.
        body: u32,
    },
    /// Its mode, or a lock of the file system, keeps the user of the queue from reading it.
    Unreadable(Part, Errno),
    /// The body is missing.
    NoBody,
    /// The control file has more than [`CONTROL_MAX`] bytes.
    TooLong,
    /// What is in the control file.
    Control(ControlFault),
}

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// `qf`.
    Control,
    /// `df`.
    Body,
}

impl Part {
    /// What its name begins with.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Control => "qf",
            Self::Body => "df",
        }
    }
}

impl fmt::Display for Poison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile(part) => write!(f, "{} is no regular file", part.prefix()),
            Self::Links(part) => write!(f, "{} has more than one name", part.prefix()),
            Self::Group(part, gid) => write!(f, "{} belongs to group {gid}, not to the queue's", part.prefix()),
            Self::Writable(part, mode) => write!(f, "{} has mode {mode:04o}: others may write it", part.prefix()),
            Self::Owner { control, body } => {
                write!(f, "qf belongs to uid {control}, df to uid {body}: nobody can say who submitted it")
            }
            Self::Unreadable(part, errno) => write!(f, "{} cannot be read: {}", part.prefix(), errno.desc()),
            Self::NoBody => f.write_str("df is missing"),
            Self::TooLong => write!(f, "qf has more than {CONTROL_MAX} bytes"),
            Self::Control(fault) => write!(f, "qf: {fault}"),
        }
    }
}
