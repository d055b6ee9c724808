//! Every refusal of the queue writer: what it says, and the exit status. The only place with such text.
//!
//! The statuses are those of sysexits.h, which programs that send mail know. As everywhere, nothing that the caller wrote is
//! repeated, but for the letter of an option that is unknown.

use super::address::{ADDRESS_MAX, AddressFault};
use super::command_line::UsageFault;
use super::commit::{Fault, NotCommitted, Owned, Part, Step};
use super::directory::{Full, Unsound};
use super::envelope::{MessageFault, NotComposed};
use super::head::{HEAD_MAX, HeadFault};
use super::input::Unreadable;
use super::message::{NoHead, Stop};
use crate::policy::{Kind, QueuePolicy};
use crate::refusal::{Line, Refusal};
use nix::errno::Errno;
use nix::sys::signal::Signal;
use std::fmt::{self, Write};

/// Why nothing is queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueRefusal<'p> {
    /// Something that ends a wrapper, too: the process, the policy, the set-group-ID bit, the ids.
    Start(Refusal<'p>),
    /// The program is set-user-ID as well, so that files would not be the caller's.
    SetUserId {
        /// The real uid.
        real: u32,
        /// The effective uid.
        effective: u32,
    },
    /// The command line.
    Usage(UsageFault),
    /// Standard input.
    Input(Unreadable),
    /// The directory of the queue, or one above it.
    Directory {
        /// Which.
        path: &'p str,
        /// What is wrong.
        fault: Unsound,
        /// What was wanted.
        policy: &'p QueuePolicy<'p>,
    },
    /// No room.
    Full(Full),
    /// The message.
    NotComposed(NotComposed),
    /// The submission ended before the message was whole.
    Stopped(Stop),
    /// The message could not be put into the queue.
    NotCommitted(NotCommitted),
}

/// Statuses of sysexits.h.
const USAGE: u8 = 64;
const DATA: u8 = 65;
const NO_INPUT: u8 = 66;
const NO_USER: u8 = 67;
const SOFTWARE: u8 = 70;
const OS: u8 = 71;
const IO: u8 = 74;
const TRY_AGAIN: u8 = crate::refusal::TRY_AGAIN;
const CONFIGURATION: u8 = 78;

impl QueueRefusal<'_> {
    /// The exit status.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Start(Refusal::Policy(_) | Refusal::NotSetGroupId { .. }) | Self::SetUserId { .. } => CONFIGURATION,
            Self::Start(_) => OS,
            Self::Usage(UsageFault::Address { .. } | UsageFault::TooMany) => DATA,
            Self::Usage(_) => USAGE,
            Self::Input(_) => NO_INPUT,
            Self::Directory { .. } => CONFIGURATION,
            Self::Full(_) => TRY_AGAIN,
            Self::NotComposed(NotComposed::Nameless { .. }) => NO_USER,
            Self::NotComposed(NotComposed::Message(_)) => DATA,
            Self::Stopped(stop) => of_stop(*stop),
            Self::NotCommitted(NotCommitted { fault, .. }) => match fault {
                Fault::Step { errno, .. } => of_errno(*errno),
                Fault::NoFreeName => TRY_AGAIN,
                Fault::Other { .. } => CONFIGURATION,
                Fault::Stop(stop) => of_stop(*stop),
                Fault::Message(_) => DATA,
                Fault::Broken => SOFTWARE,
            },
        }
    }

    /// The refusal as one line, with the program's name and without an end of line.
    #[must_use]
    pub fn line(&self) -> Line {
        if let Self::Start(refusal) = self {
            return refusal.line(Kind::Queue);
        }
        let mut line = Line::default();
        // Writing to a `Line` does not fail.
        let _ = write!(line, "{}: {self}", Kind::Queue.program());
        line
    }
}

const fn of_stop(stop: Stop) -> u8 {
    match stop {
        Stop::Signal(_) | Stop::Deadline => TRY_AGAIN,
        Stop::Failed(_) => NO_INPUT,
    }
}

/// What a later try, or more room, may mend is a temporary failure.
const fn of_errno(errno: Errno) -> u8 {
    match errno {
        Errno::ENOSPC
        | Errno::EDQUOT
        | Errno::EFBIG
        | Errno::ENFILE
        | Errno::EMFILE
        | Errno::ENOMEM
        | Errno::EAGAIN
        | Errno::EINTR
        | Errno::EEXIST => TRY_AGAIN,
        _ => IO,
    }
}

impl fmt::Display for QueueRefusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(refusal) => f.write_str(&String::from_utf8_lossy(refusal.line(Kind::Queue).text())),
            Self::SetUserId { real, effective } => write!(
                f,
                "running set-user-ID: the effective uid is {effective}, not the caller's, {real}, so that no file would \
                 say who submitted it; take the bit away with chmod u-s"
            ),
            Self::Usage(fault) => usage(f, *fault),
            Self::Input(fault) => match fault {
                Unreadable::Closed => write!(
                    f,
                    "standard input is closed, or the null device for reading and writing, which is how that looks; give \
                     the message on standard input, or < /dev/null for an empty one"
                ),
                Unreadable::WriteOnly => {
                    write!(f, "standard input is open for writing only; give the message on standard input")
                }
                Unreadable::Failed(errno) => {
                    write!(f, "standard input cannot be read: {}; give the message there", errno.desc())
                }
            },
            Self::Directory { path, fault, policy } => directory(f, path, *fault, policy),
            Self::Full(fault) => full(f, *fault),
            Self::NotComposed(NotComposed::Message(fault)) => message(f, *fault),
            Self::NotComposed(NotComposed::Nameless { uid }) => write!(
                f,
                "uid {uid} has no name in /etc/passwd that an address can have, so there is no sender; name one with -f"
            ),
            Self::Stopped(stop) => stopped(f, *stop),
            Self::NotCommitted(NotCommitted { fault, left }) => {
                match fault {
                    Fault::Step { step, errno } => {
                        write!(f, "cannot {}: {}; {}", doing(*step), errno.desc(), remedy(*errno))
                    }
                    Fault::NoFreeName => {
                        write!(f, "every name that was tried is taken; the clock may have been set back: try again")
                    }
                    Fault::Other { found, wanted } => other(f, found, wanted),
                    Fault::Stop(stop) => stopped(f, *stop),
                    Fault::Message(fault) => message(f, *fault),
                    Fault::Broken => write!(f, "the control file would have a broken record; please report it"),
                }?;
                f.write_str(if *left {
                    "; the message could not be taken back and may be delivered all the same"
                } else {
                    ""
                })
            }
        }
    }
}

impl From<NoHead> for QueueRefusal<'_> {
    fn from(fault: NoHead) -> Self {
        match fault {
            NoHead::Stop(stop) => Self::Stopped(stop),
            NoHead::Message(fault) => Self::NotComposed(NotComposed::Message(fault)),
        }
    }
}

fn usage(f: &mut fmt::Formatter<'_>, fault: UsageFault) -> fmt::Result {
    match fault {
        UsageFault::Unknown([first, second]) => {
            let (first, second) = (char::from(first), char::from(second));
            let option = format!("-{first}{second}");
            write!(f, "there is no option {}; the manual page has those there are", option.trim_end())
        }
        UsageFault::Elsewhere { option, program } => write!(f, "{option} is not for this program: {program}"),
        UsageFault::NoValue(option) => write!(f, "option -{} needs a value after it", char::from(option)),
        UsageFault::Value { option, rule } => write!(f, "the value of option -{} must be {rule}", char::from(option)),
        UsageFault::Late => {
            write!(f, "an option after a recipient; options come first, and -- before a recipient that begins with -")
        }
        UsageFault::NoRecipient => write!(f, "no recipient; name one, or say -t if the header does"),
        UsageFault::Address { sender: true, fault, .. } => write!(f, "the sender {}", address(fault)),
        UsageFault::Address { number, fault, .. } => write!(f, "recipient argument {number} {}", address(fault)),
        UsageFault::TooMany => write!(f, "more recipients than the policy allows; send the message several times"),
    }
}

fn address(fault: AddressFault) -> String {
    match fault {
        AddressFault::Empty => "is empty; name an address".to_owned(),
        AddressFault::TooLong => {
            format!("has an address of more than {ADDRESS_MAX} bytes, which would be lost on the way")
        }
        AddressFault::Byte => {
            "has a control character or one that is not ASCII; encode the name, and take line ends out".to_owned()
        }
        AddressFault::Unbalanced => "has a quote, comment or bracket without its other half".to_owned(),
        AddressFault::Blank => {
            "is more addresses than one, or has a blank, comma, semicolon or colon outside of quotes".to_owned()
        }
        AddressFault::NotMail => "is a program, a file or a list in a file; only mail is sent from here".to_owned(),
    }
}

fn message(f: &mut fmt::Formatter<'_>, fault: MessageFault) -> fmt::Result {
    match fault {
        MessageFault::HeadTooLong => write!(f, "the header has more than {HEAD_MAX} bytes; shorten it"),
        MessageFault::Head(HeadFault::Byte { line }) => {
            write!(f, "line {line} of the header has a carriage return or NUL in the middle; take it out")
        }
        MessageFault::Head(HeadFault::Name { line }) => {
            write!(f, "line {line} of the header has a question mark in the name of its field; give it another name")
        }
        MessageFault::Address { field, fault } => write!(f, "the field {field} {}", address(fault)),
        MessageFault::NoRecipient => {
            write!(f, "the header names no recipient, and no argument does; add To, Cc or Bcc")
        }
        MessageFault::TooMany { limit } => {
            write!(f, "there are more than {limit} recipients; send the message several times")
        }
        MessageFault::TooLarge { limit } => write!(f, "the message has more than {limit} bytes; send less at once"),
    }
}

fn stopped(f: &mut fmt::Formatter<'_>, stop: Stop) -> fmt::Result {
    match stop {
        Stop::Signal(number) => match Signal::try_from(number) {
            Ok(signal) => write!(f, "ended by {signal} before the message was queued; nothing is queued"),
            Err(_) => write!(f, "ended by signal {number} before the message was queued; nothing is queued"),
        },
        Stop::Deadline => write!(f, "the message was not whole before its deadline; nothing is queued"),
        Stop::Failed(errno) => {
            write!(f, "standard input cannot be read to its end: {}; nothing is queued", errno.desc())
        }
    }
}

fn directory(f: &mut fmt::Formatter<'_>, path: &str, fault: Unsound, policy: &QueuePolicy<'_>) -> fmt::Result {
    let QueuePolicy { own, owner, .. } = policy;
    write!(f, "the queue {} is not used: {path} ", policy.directory)?;
    match fault {
        Unsound::Unreachable(Errno::ENOENT) => write!(f, "does not exist; make it"),
        Unsound::Unreachable(errno) => write!(f, "cannot be opened: {}; {own} must be able to reach it", errno.desc()),
        Unsound::NotADirectory => write!(f, "is a symbolic link or a file; make it a directory, or use another path"),
        Unsound::Owner { uid } => {
            write!(f, "belongs to uid {uid}, not to root or {owner}; give it to one of them with chown")
        }
        Unsound::GroupWritable { gid } => {
            write!(f, "can be written by gid {gid}, who could put another queue there; take that away with chmod g-w")
        }
        Unsound::WorldWritable => {
            write!(f, "can be written by everybody, who could put another queue there; take that away with chmod o-w")
        }
        Unsound::Group { gid } => write!(f, "belongs to gid {gid}, not to {own}; give it to that group with chgrp"),
        Unsound::NotGroupWritable { mode } => {
            write!(f, "has mode {mode:04o}, so that its group cannot work in it; change that with chmod 2770")
        }
        Unsound::WorldAccessible { mode } => {
            write!(f, "has mode {mode:04o}, so that everybody can get at the mail in it; change that with chmod 2770")
        }
        Unsound::Sticky { uid } => write!(
            f,
            "is sticky and belongs to uid {uid}, so that {owner} cannot take out what was delivered; change that with \
             chmod -t"
        ),
        Unsound::AccessList => {
            write!(f, "has an access control list, so that more than {own} may use it; remove it with setfacl -b -k")
        }
    }
}

fn full(f: &mut fmt::Formatter<'_>, fault: Full) -> fmt::Result {
    match fault {
        Full::Files { limit } => write!(f, "the queue has more than {limit} files; see why it is not run"),
        Full::Messages { limit } => write!(f, "you have {limit} messages in the queue; wait until some are delivered"),
        Full::Bytes { limit } => {
            write!(f, "your files in the queue have {limit} bytes or more; wait until some are delivered")
        }
        Full::Space { found, wanted } => {
            write!(f, "the file system of the queue has {found} bytes free, and {wanted} must stay so; make room on it")
        }
        Full::Unknown(errno) => write!(f, "cannot see what is in the queue: {}; look at its file system", errno.desc()),
    }
}

const fn doing(step: Step) -> &'static str {
    match step {
        Step::Create(Part::Data) => "create the data file",
        Step::Create(Part::Control) => "create the control file",
        Step::SetMode(_) => "set the mode of a queue file",
        Step::Check(_) => "look at a queue file",
        Step::Lock(_) => "lock the control file",
        Step::Write(Part::Data) => "write the data file",
        Step::Write(Part::Control) => "write the control file",
        Step::Sync(Part::Data) => "have the data file on disk",
        Step::Sync(Part::Control) => "have the control file on disk",
        Step::SyncDirectory => "have the queue directory on disk",
        Step::LastCall => "end the submission",
        Step::Commit => "give the control file its name",
    }
}

const fn remedy(errno: Errno) -> &'static str {
    match errno {
        Errno::ENOSPC => "make room on the file system of the queue",
        Errno::EDQUOT => "the quota on the file system of the queue is used up",
        Errno::EFBIG => "the message is larger than RLIMIT_FSIZE, or than the file system, allows",
        Errno::EEXIST => "a file of that name is there: try again",
        Errno::EROFS => "mount the file system of the queue for writing",
        _ => "look at the file system of the queue",
    }
}

fn other(f: &mut fmt::Formatter<'_>, found: &Owned, wanted: &Owned) -> fmt::Result {
    let Owned { uid, gid, mode, links } = found;
    write!(
        f,
        "a new queue file belongs to uid {uid} and gid {gid} and has mode {:04o} and {links} names, where uid {}, gid {}, mode \
         {:04o} and one name are wanted; put the queue on a file system that keeps owners",
        mode & 0o7777,
        wanted.uid,
        wanted.gid,
        wanted.mode & 0o7777
    )
}

#[cfg(test)]
mod tests;
