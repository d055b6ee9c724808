//! Every refusal: what it says, and the exit status. The only place with such text.
//!
//! A refusal names what was found, what was wanted and what to do. Nothing that the caller wrote is in it: whoever can
//! start the wrapper could put lines of their own into the log and escape sequences into a terminal.

mod line;
mod named;

pub use line::{LINE_MAX, Line};

use crate::credentials::{Gid, Regains};
use crate::policy::{Group, Kind, Owner, PolicyError, RefusalStyle};
use crate::process_state::UnsafeProcess;
use crate::surroundings::AccountName;
use named::Shortened;
use nix::errno::Errno;
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

/// Why nothing was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal<'p> {
    /// The real gid is another than the trusted one.
    Mismatch {
        /// The real gid.
        found: Gid,
        /// What that is called.
        name: AccountName,
        /// Who would be admitted.
        trusted: Group<'p>,
    },
    /// The caller could take any group back.
    CannotGiveUp {
        /// What gives it that power.
        how: Regains,
        /// Who would be admitted.
        trusted: Group<'p>,
    },
    /// The ids of the process could not be changed for good.
    NotSwitched(SwitchFault<'p>),
    /// The script cannot or must not be started.
    NotStarted {
        /// Where the fault is: on the way to the script or its interpreter.
        path: PathBuf,
        /// What it is.
        fault: StartFault,
        /// What the user or group of the fault is called; [`AccountName::Nameless`] where it has none.
        name: AccountName,
        /// Who may own such a file, besides root.
        owner: Owner<'p>,
        /// Which group may write it.
        own: Group<'p>,
    },
    /// The caller gave no command.
    NoCommand {
        /// Those of the policy.
        commands: &'p [&'p str],
    },
    /// The caller gave a command which the policy does not have.
    UnknownCommand {
        /// Those of the policy.
        commands: &'p [&'p str],
    },
    /// The set-group-ID bit of the wrapper's file did not act.
    NotSetGroupId {
        /// The effective gid.
        found: Gid,
        /// What that is called.
        name: AccountName,
        /// What it would be.
        own: Group<'p>,
    },
    /// The sealed policy is not sound.
    Policy(PolicyError),
    /// The trusted gid is the one which stands for all that are not mapped, and some are not.
    AmbiguousTrust {
        /// The trusted group.
        trusted: Group<'p>,
    },
    /// The process could not be made safe.
    Process(UnsafeProcess),
}

/// What went wrong with the ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchFault<'p> {
    /// The kernel does not say which they are.
    Unread(Errno),
    /// setresgid(2) failed.
    Refused {
        /// The group to take on.
        own: Group<'p>,
        /// Why not.
        errno: Errno,
    },
    /// It succeeded, and yet there are other ids.
    Other {
        /// The group to take on.
        own: Group<'p>,
        /// The group to give up.
        given_up: Group<'p>,
        /// Real, effective and saved gid.
        found: [u32; 3],
    },
    /// The group that was given up could be taken back.
    Regained {
        /// The group that was taken on.
        own: Group<'p>,
        /// The one before it.
        given_up: Group<'p>,
    },
}

/// What is wrong with a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFault {
    /// It cannot be looked at.
    Unreachable(Errno),
    /// It belongs to somebody else.
    Owner {
        /// Who.
        uid: u32,
    },
    /// Another group may write it.
    GroupWritable {
        /// Which.
        gid: u32,
    },
    /// Everybody may write it.
    WorldWritable,
    /// Its group may write it, and who else may its access control list decides.
    AccessList,
    /// The path goes on below it, but it is a file.
    NotADirectory,
    /// It is not a regular file.
    NotAFile,
    /// execve(2) failed.
    Exec(Errno),
}

impl From<UnsafeProcess> for Refusal<'_> {
    fn from(fault: UnsafeProcess) -> Self {
        Self::Process(fault)
    }
}

impl From<PolicyError> for Refusal<'_> {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

/// EX_TEMPFAIL of sysexits.h: the one status that makes every mail server try again.
pub const TRY_AGAIN: u8 = 75;

impl Refusal<'_> {
    /// The exit status. Mailman's where it has one (2, 3, 4, 5, 6, 8).
    ///
    /// The style [`RefusalStyle::Defer`] keeps those which do not mend themselves: the caller's arguments and the policy.
    #[must_use]
    pub const fn exit_code(&self, style: RefusalStyle) -> u8 {
        let code = match self {
            Self::Mismatch { name: AccountName::Known(_), .. } => 2,
            Self::CannotGiveUp { .. } | Self::NotSwitched(_) => 3,
            Self::NotStarted { .. } => 4,
            Self::NoCommand { .. } => 5,
            Self::UnknownCommand { .. } => 6,
            Self::Mismatch { .. } => 8,
            Self::NotSetGroupId { .. } => 9,
            Self::Policy(_) | Self::AmbiguousTrust { .. } => 10,
            Self::Process(_) => 11,
        };
        match (style, code) {
            (RefusalStyle::Mailman, _) | (RefusalStyle::Defer, 5 | 6 | 10) => code,
            (RefusalStyle::Defer, _) => TRY_AGAIN,
        }
    }

    /// The refusal as one line, with the program's name and without an end of line.
    #[must_use]
    pub fn line(&self, kind: Kind) -> Line {
        let mut line = Line::default();
        // Writing to a `Line` does not fail.
        let _ = write!(line, "{}: ", kind.program());
        let _ = self.write(&mut line, Words::of(kind));
        line
    }

    fn write(&self, line: &mut Line, words: Words) -> fmt::Result {
        let Words { server, option } = words;
        match self {
            Self::Mismatch { found, name: AccountName::Known(name), trusted } => write!(
                line,
                "group mismatch: started with real gid {found} ({name}), but only {trusted} is trusted; make the {server} \
                 start it as group {}, or seal it again with {option}={found} ({name}), which admits every process \
                 of that group",
                trusted.name
            ),
            Self::Mismatch { found, name: AccountName::Nameless, trusted } => write!(
                line,
                "started with real gid {found}, which has no name in /etc/group, but only {trusted} is trusted; make the \
                 {server} start it as group {}",
                trusted.name
            ),
            Self::Mismatch { found, name: AccountName::Unreadable, trusted } => write!(
                line,
                "started with real gid {found}, but only {trusted} is trusted, and no name could be looked up; make \
                 /etc/group a readable file, and the {server} start it as group {}",
                trusted.name
            ),
            Self::CannotGiveUp { how, trusted } => write!(
                line,
                "started with {}: root cannot give up a group, it could take any back; make the {server} start it as \
                 an ordinary user of group {}",
                match how {
                    Regains::Root => "uid 0 (root)",
                    Regains::Capability => "the capability CAP_SETGID",
                },
                trusted.name
            ),
            Self::NotSwitched(fault) => {
                write!(line, "{fault}; look for a seccomp filter or a user namespace around it")
            }
            Self::NotStarted { path, fault, name, owner, own } => not_started(line, path, *fault, name, (owner, own)),
            Self::NoCommand { commands } => {
                write!(line, "no command; usage: {} COMMAND [ARGUMENT]..., COMMAND one of ", Kind::Mail.program())?;
                list(line, commands)
            }
            Self::UnknownCommand { commands } => {
                write!(line, "unknown command; the first argument must be one of ")?;
                list(line, commands)
            }
            Self::NotSetGroupId { found, name, own } => {
                write!(line, "not running set-group-ID: the effective gid is {found} ({name})")?;
                write!(
                    line,
                    ", not {own}; look for a mount with nosuid, no_new_privs, a tracer, an unmapped gid, or a file whose \
                     group is not {} or whose mode is not 2755",
                    own.name
                )
            }
            Self::Policy(error) => {
                write!(line, "no sound policy is sealed into it: {error}; seal it with wrapper-configure")
            }
            Self::AmbiguousTrust { trusted } => write!(
                line,
                "it trusts {trusted}, which is also how every gid looks that is not mapped, and this user namespace does not \
                 map all; run it where /proc/self/gid_map covers all, or seal it for another group with {option}"
            ),
            Self::Process(UnsafeProcess::Step { what, errno }) => write!(
                line,
                "the process could not be made safe: cannot {what}: {}; look for a seccomp filter around the {server}",
                errno.desc()
            ),
            Self::Process(UnsafeProcess::Place { path, errno }) => write!(
                line,
                "the process could not be made safe: {path} cannot be used: {}; it must be there, for everybody, in the root \
                 directory of the {server}",
                errno.desc()
            ),
            Self::Process(UnsafeProcess::Limit { name, found, needed }) => write!(
                line,
                "the inherited hard limit {name} is {found}, but at least {needed} is needed; raise it where the {server} \
                 is started"
            ),
        }
    }
}

/// What differs between the programs.
#[derive(Clone, Copy)]
struct Words {
    server: &'static str,
    option: &'static str,
}

impl Words {
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Mail => Self { server: "mail server", option: "--with-mail-gid" },
            Kind::Cgi => Self { server: "web server", option: "--with-cgi-gid" },
            // It trusts no group, so that no option is ever named.
            Kind::Queue => Self { server: "program that starts it", option: "--with-groupname" },
        }
    }
}

fn list(line: &mut Line, commands: &[&str]) -> fmt::Result {
    for (at, command) in commands.iter().enumerate() {
        line.write_str(if at == 0 { "" } else { ", " })?;
        line.write_str(command)?;
    }
    Ok(())
}

fn not_started(
    line: &mut Line,
    path: &Path,
    fault: StartFault,
    name: &AccountName,
    (owner, own): (&Owner<'_>, &Group<'_>),
) -> fmt::Result {
    write!(line, "cannot start the script: {} ", Shortened(path))?;
    match fault {
        StartFault::Unreachable(Errno::ENOENT) => write!(line, "does not exist; install it, or seal another prefix"),
        StartFault::Unreachable(errno) => {
            write!(line, "cannot be looked at: {}; {own} must be able to reach it", errno.desc())
        }
        StartFault::Owner { uid } => {
            write!(line, "belongs to uid {uid} ({name}), not to root or {owner}; give it to one of them with chown")
        }
        StartFault::GroupWritable { gid } => {
            write!(line, "can be written by gid {gid} ({name}), not only by {own}; take that away with chmod g-w")
        }
        StartFault::WorldWritable => write!(
            line,
            "can be written by everybody; take that away with chmod o-w, or move the prefix if it is a place for temporary \
             files"
        ),
        StartFault::AccessList => {
            write!(line, "has an access control list, so that more than {own} may write it; remove it with setfacl -b")
        }
        StartFault::NotADirectory => write!(line, "is not a directory; make it one"),
        StartFault::NotAFile => write!(line, "is not a regular file; put the script or interpreter there"),
        StartFault::Exec(errno) => {
            write!(line, "cannot be executed: {}; {}", errno.desc(), exec_remedy(errno))
        }
    }
}

const fn exec_remedy(errno: Errno) -> &'static str {
    match errno {
        Errno::EACCES => "it must be executable for the wrapper's own group, and not be on a mount with noexec",
        Errno::ENOENT => "the interpreter that its first line names does not exist",
        Errno::ENOEXEC => "begin it with #! and an interpreter, or seal one with --with-python",
        Errno::E2BIG => "the caller gave it too many or too long arguments",
        Errno::ETXTBSY => "it is open for writing; wait until whoever writes it has closed it",
        Errno::ENOMEM => "the machine, or its limit on memory, leaves no room; look there",
        Errno::EAGAIN => "its user has more processes than RLIMIT_NPROC allows; raise that limit",
        _ => "look at its file system and at what a security module allows",
    }
}

#[cfg(test)]
mod tests;
