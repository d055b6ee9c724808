//! The sealed policy: whom a wrapper trusts and what it may start, kept in the binary and nowhere else.
//!
//! Every wrapper has a read-only section [`SECTION_NAME`] of [`SECTION_SIZE`] bytes. `wrapper-configure seal` fills it;
//! a wrapper whose section is not whole refuses everybody. Layout, integers little-endian:
//!
//! | bytes | content                                                                                      |
//! |-------|----------------------------------------------------------------------------------------------|
//! | 0–15  | [`MAGIC`]                                                                                    |
//! | 16–17 | [`VERSION`]                                                                                  |
//! | 18–19 | [`Kind`]: which program the policy is for; an unsealed program carries the kind which it wants |
//! | 20–23 | length of the body; 0: unsealed                                                              |
//! | 24–31 | FNV-1a-64 of the body ([`checksum`]): finds accidents, not attackers                         |
//! | 32–   | the body: records of [`Tag`] u8, length u16, value, with ascending tags; then zeros to the end |
//!
//! The checks run in that order, so that a test can damage one thing at a time.

mod decode;
mod error;
mod list;
mod queue;
pub mod value;

pub use decode::{decode, decode_queue, kind_of};
pub use error::{Fault, PolicyError};
pub use list::{Full, List};
pub use queue::{Limits, QueuePolicy};

use crate::credentials::Gid;

/// Name of the ELF section.
pub const SECTION_NAME: &str = ".wrapper.policy";
/// Size of the section in bytes, sealed or not.
pub const SECTION_SIZE: usize = 4096;
/// The first bytes of every section.
pub const MAGIC: [u8; 16] = *b"set-gid-policy\r\n";
/// The only version of the layout. A new kind is none: a program that does not know it refuses it by its number.
pub const VERSION: u16 = 1;
/// Where the version stands.
pub const VERSION_OFFSET: usize = 16;
/// Where the kind stands.
pub const KIND_OFFSET: usize = 18;
/// Where the length of the body stands.
pub const LENGTH_OFFSET: usize = 20;
/// Where the checksum of the body stands.
pub const CHECKSUM_OFFSET: usize = 24;
/// Where the body begins.
pub const BODY_OFFSET: usize = 32;
/// The longest body in bytes.
pub const BODY_MAX: usize = SECTION_SIZE - BODY_OFFSET;

/// Longest name of a user or group, in bytes.
pub const NAME_MAX: usize = 64;
/// Longest path, in bytes.
pub const PATH_MAX: usize = 255;
/// Longest name of a command or CGI script, in bytes.
pub const SCRIPT_NAME_MAX: usize = 32;
/// Longest interpreter flag, in bytes.
pub const FLAG_MAX: usize = 64;
/// Longest name of an environment variable, in bytes.
pub const VARIABLE_MAX: usize = 64;
/// Most commands: a refusal lists them all in one line.
pub const COMMANDS_MAX: usize = 16;
/// Most interpreter flags.
pub const FLAGS_MAX: usize = 8;
/// Most kept environment variables.
pub const VARIABLES_MAX: usize = 64;

/// Which program a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// `mail-wrapper`.
    Mail = 1,
    /// `cgi-wrapper`.
    Cgi = 2,
    /// `queue-writer`.
    Queue = 3,
}

impl Kind {
    /// The kind of that number.
    #[must_use]
    pub const fn from_raw(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Mail),
            2 => Some(Self::Cgi),
            3 => Some(Self::Queue),
            _ => None,
        }
    }

    /// The number in the section.
    #[must_use]
    pub const fn as_raw(self) -> u16 {
        self as u16
    }

    /// The program which takes a policy of this kind.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Mail => "mail-wrapper",
            Self::Cgi => "cgi-wrapper",
            Self::Queue => "queue-writer",
        }
    }
}

/// What a record of the body says. Numbers are u32, text is printable ASCII without an end mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Tag {
    /// Real gid of the callers that may start the wrapper: u32.
    TrustedGid = 1,
    /// Name of that group when the policy was sealed; only ever printed.
    TrustedName = 2,
    /// The gid which the file of the wrapper is set-group-ID to, and which the script gets: u32.
    OwnGid = 3,
    /// Name of that group; only ever printed.
    OwnName = 4,
    /// Besides root, the uid which may own scripts and the directories above them: u32.
    OwnerUid = 5,
    /// Name of that user; only ever printed.
    OwnerName = 6,
    /// Absolute directory which holds `scripts`.
    Prefix = 7,
    /// Absolute path of the interpreter that runs the scripts; absent: they are executed themselves.
    Interpreter = 8,
    /// A flag for the interpreter, before the script; repeatable.
    InterpreterFlag = 9,
    /// Mail: a command which may be asked for, which is also the name of its script; repeatable, at least one.
    Command = 10,
    /// CGI: the one page, given to the script `driver`.
    CgiScript = 11,
    /// Name of an environment variable that reaches the script; repeatable.
    Variable = 12,
    /// One byte, [`RefusalStyle`].
    Refusal = 13,
    /// Queue: absolute path of the directory. This tag and those after it are a queue's only.
    QueueDirectory = 14,
    /// Queue: most bytes of a message: u64, as every limit.
    MessageBytes = 15,
    /// Queue: most recipients of a message.
    Recipients = 16,
    /// Queue: most messages of one user.
    UserMessages = 17,
    /// Queue: most bytes of the messages of one user.
    UserBytes = 18,
    /// Queue: bytes of the file system that have to stay free.
    FreeBytes = 19,
    /// Queue: seconds until a submission is given up.
    Deadline = 20,
}

impl Tag {
    /// Every tag, in the order of the body.
    pub const ALL: [Self; 20] = [
        Self::TrustedGid,
        Self::TrustedName,
        Self::OwnGid,
        Self::OwnName,
        Self::OwnerUid,
        Self::OwnerName,
        Self::Prefix,
        Self::Interpreter,
        Self::InterpreterFlag,
        Self::Command,
        Self::CgiScript,
        Self::Variable,
        Self::Refusal,
        Self::QueueDirectory,
        Self::MessageBytes,
        Self::Recipients,
        Self::UserMessages,
        Self::UserBytes,
        Self::FreeBytes,
        Self::Deadline,
    ];

    /// The tag of that number.
    #[must_use]
    pub fn from_raw(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|tag| tag.as_raw() == number)
    }

    /// The number in the section.
    #[must_use]
    pub const fn as_raw(self) -> u8 {
        self as u8
    }

    /// In words, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TrustedGid => "trusted gid",
            Self::TrustedName => "trusted group name",
            Self::OwnGid => "own gid",
            Self::OwnName => "own group name",
            Self::OwnerUid => "owner uid",
            Self::OwnerName => "owner name",
            Self::Prefix => "prefix",
            Self::Interpreter => "interpreter",
            Self::InterpreterFlag => "interpreter flag",
            Self::Command => "command",
            Self::CgiScript => "CGI script",
            Self::Variable => "environment variable",
            Self::Refusal => "refusal style",
            Self::QueueDirectory => "queue directory",
            Self::MessageBytes => "limit of a message",
            Self::Recipients => "limit of recipients",
            Self::UserMessages => "limit of a user's messages",
            Self::UserBytes => "limit of a user's bytes",
            Self::FreeBytes => "free space",
            Self::Deadline => "deadline",
        }
    }

    /// What its value has to be, for messages; [`value`] has the code.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::TrustedGid | Self::OwnGid | Self::OwnerUid => {
                "a number of four bytes below 4294967295, which the kernel takes for \"leave unchanged\""
            }
            Self::TrustedName | Self::OwnName | Self::OwnerName => "1 to 64 printable ASCII characters without a colon",
            Self::Prefix | Self::Interpreter | Self::QueueDirectory => {
                "an absolute path of at most 255 printable ASCII characters, without empty components, \".\", \"..\" and \
                 a slash at its end"
            }
            Self::InterpreterFlag => "a hyphen and something after it, at most 64 printable ASCII characters",
            Self::Command | Self::CgiScript => {
                "1 to 32 letters, digits, dots, hyphens and underscores, the first a letter or digit"
            }
            Self::Variable => {
                "1 to 64 letters, digits and underscores, the first no digit, other than PATH, HTTP_PROXY, LD_... and PYTHON..."
            }
            Self::Refusal => "one of the known styles",
            Self::MessageBytes | Self::UserBytes => "a number of eight bytes, 1 to 1099511627776",
            Self::FreeBytes => "a number of eight bytes, 0 to 1099511627776",
            Self::Recipients | Self::UserMessages => "a number of eight bytes, 1 to 10000",
            Self::Deadline => "a number of eight bytes, 1 to 604800",
        }
    }
}

/// Which exit statuses tell a caller that it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RefusalStyle {
    /// Mailman's numbers: Postfix, Exim, sendmail and OpenSMTPD return the message to its sender. qmail tries again, as it
    /// does after any status but a few, until the message is too old: qmail-command(8).
    Mailman = 1,
    /// Mail only. Where an administrator can mend the cause the status is 75, "try again later" to all five.
    Defer = 2,
}

impl RefusalStyle {
    /// The style of that number.
    #[must_use]
    pub const fn from_raw(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Mailman),
            2 => Some(Self::Defer),
            _ => None,
        }
    }

    /// The number in the section.
    #[must_use]
    pub const fn as_raw(self) -> u8 {
        self as u8
    }
}

/// A group as it was when the policy was sealed: the number decides, the name explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group<'s> {
    /// The number, which decides.
    pub gid: Gid,
    /// The name, which is only printed.
    pub name: &'s str,
}

/// The user who looks after the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'s> {
    /// The number, which decides.
    pub uid: u32,
    /// The name, which is only printed.
    pub name: &'s str,
}

/// The program that reads the scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter<'s> {
    /// Absolute path.
    pub path: &'s str,
    /// Arguments before the script.
    pub flags: List<'s, FLAGS_MAX>,
}

/// What the wrapper may start.
#[expect(clippy::large_enum_variant, reason = "there is one in a process, and it must do without a heap")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task<'s> {
    /// The caller names one of these commands; its script is `PREFIX/scripts/COMMAND`.
    Mail {
        /// At least one, no two alike.
        commands: List<'s, COMMANDS_MAX>,
    },
    /// The script is `PREFIX/scripts/driver`, and its only argument this page.
    Cgi {
        /// Name of the page.
        script: &'s str,
    },
}

impl Task<'_> {
    /// The program for it.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Mail { .. } => Kind::Mail,
            Self::Cgi { .. } => Kind::Cgi,
        }
    }
}

/// A sound policy: only [`decode`] makes one from a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy<'s> {
    /// Callers with this real gid are admitted, nobody else.
    pub trusted: Group<'s>,
    /// What the wrapper is set-group-ID to. May be the trusted group.
    pub own: Group<'s>,
    /// Besides root, who may write the scripts.
    pub owner: Owner<'s>,
    /// Absolute, without a slash at the end.
    pub prefix: &'s str,
    /// `None`: scripts are executed themselves.
    pub interpreter: Option<Interpreter<'s>>,
    /// What it starts.
    pub task: Task<'s>,
    /// Names of the environment variables that reach the script. `PATH` is always set and never among them.
    pub variables: List<'s, VARIABLES_MAX>,
    /// How it refuses.
    pub refusal: RefusalStyle,
}

/// FNV-1a, 64 bits, of the body.
/// <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
#[must_use]
pub fn checksum(body: &[u8]) -> u64 {
    body.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The section of a program that nobody has sealed.
#[must_use]
pub const fn unsealed(kind: Kind) -> [u8; SECTION_SIZE] {
    let section = with(&[0; SECTION_SIZE], 0, MAGIC);
    let section = with(&section, VERSION_OFFSET, VERSION.to_le_bytes());
    with(&section, KIND_OFFSET, kind.as_raw().to_le_bytes())
}

/// The section with these bytes at that place.
const fn with<const N: usize>(section: &[u8; SECTION_SIZE], place: usize, bytes: [u8; N]) -> [u8; SECTION_SIZE] {
    let mut section = *section;
    let mut at = 0;
    while at < N {
        section[place + at] = bytes[at];
        at += 1;
    }
    section
}

#[cfg(test)]
mod tests;
