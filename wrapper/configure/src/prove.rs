//! Proof by a refusal: a wrapper is started by a caller whom it must refuse, and its answer tells whether the
//! set-group-ID bit acted. Nothing is ever started that a wrapper would admit.
//!
//! What is started is the open file that was judged, not whatever its path has come to mean: members of the group can
//! write in the directories of the wrappers. A static program can be executed by its descriptor; a wrapper executes its
//! script by path, because a script's interpreter opens that again.

use crate::accounts::Accounts;
use crate::opened::Opened;
use crate::shown::shown;
use crate::stat::Stat;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{AccessFlags, Uid, access, geteuid, getgid};
use serde::Serialize;
use std::fmt;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use wrapper::policy::{Policy, RefusalStyle};
use wrapper::refusal::TRY_AGAIN;

/// A wrapper answers within milliseconds; it gives up writing after one second.
const DEADLINE: Duration = Duration::from_secs(10);
/// More than any refusal.
const LONGEST_ANSWER: usize = 16 << 10;
/// The uid of a caller who owns nothing: nobody on most systems, and without a capability on all.
const POWERLESS_UID: u32 = 65534;

/// What a run of an installed wrapper showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "shown")]
pub(crate) enum Proof {
    /// The caller was refused for its group, so the bit acted before that.
    BitActs {
        /// Its group, with its name.
        caller: String,
        /// Exit status.
        exit: i32,
    },
    /// The wrapper says that it does not run set-group-ID.
    BitLost {
        /// Caller's group.
        caller: String,
        /// Exit status.
        exit: i32,
    },
    /// The policy is not one which this wrapper accepts, so it refused before anything else.
    PolicyRefused {
        /// Exit status.
        exit: i32,
    },
    /// The caller was refused, but as it has the wrapper's own group the bit makes no difference.
    RefusedOnly {
        /// Caller's group.
        caller: String,
        /// Exit status.
        exit: i32,
    },
    /// The kernel did not start it.
    NotStarted {
        /// Caller's group.
        caller: String,
        /// The kernel's reason.
        error: String,
    },
    /// Something else.
    Unexpected {
        /// Caller's group.
        caller: String,
        /// How it ended, and its first line.
        ended: String,
    },
    /// Nothing was run.
    NotRun {
        /// Why.
        because: String,
    },
}

impl Proof {
    /// Whether it shows that the installed wrapper works as sealed.
    pub(crate) const fn holds(&self) -> bool {
        matches!(self, Self::BitActs { .. })
    }

    /// Whether it shows that the installed wrapper does not.
    pub(crate) const fn refutes(&self) -> bool {
        matches!(
            self,
            Self::BitLost { .. } | Self::PolicyRefused { .. } | Self::NotStarted { .. } | Self::Unexpected { .. }
        )
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BitActs { caller, exit } => {
                write!(f, "refuses group {caller} with exit {exit}: the set-group-ID bit acts")
            }
            Self::BitLost { caller, exit } => {
                write!(f, "started by group {caller} it says that it is not running set-group-ID (exit {exit})")
            }
            Self::PolicyRefused { exit } => write!(f, "it refuses its own policy (exit {exit})"),
            Self::RefusedOnly { caller, exit } => write!(
                f,
                "refuses group {caller} with exit {exit}; that is the wrapper's own group, \
                 so this does not show whether the set-group-ID bit acts"
            ),
            Self::NotStarted { caller, error } => {
                write!(f, "group {caller} cannot even start it ({error}), nor can a mail or web server")
            }
            Self::Unexpected { caller, ended } => write!(f, "started by group {caller}, it {ended}"),
            Self::NotRun { because } => write!(f, "not run: {because}"),
        }
    }
}

/// One line for each different proof: how it is called, which program showed it, how many others did.
pub(crate) fn summary<'p>(proofs: impl Iterator<Item = (&'p Path, &'p Proof)>) -> Vec<String> {
    let mut groups: Vec<(&Proof, Vec<&Path>)> = Vec::new();
    for (path, proof) in proofs {
        match groups.iter_mut().find(|(known, _)| *known == proof) {
            Some((_, paths)) => paths.push(path),
            None => groups.push((proof, vec![path])),
        }
    }
    let line = |(proof, paths): (&Proof, Vec<&Path>)| {
        let word = match (proof.holds(), proof.refutes()) {
            (true, _) => "proven",
            (false, true) => "WRONG",
            (false, false) => "unproven",
        };
        let others = match paths.len() {
            0 | 1 => String::new(),
            2 => " and 1 other".to_owned(),
            count => format!(" and {} others", count - 1),
        };
        let first = paths.first().map_or(Path::new(""), |path| path);
        format!("{word:<9}  {}{others}: {proof}", shown(first))
    };
    groups.into_iter().map(line).collect()
}

/// How a caller whom the wrapper must refuse can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Caller {
    /// By changing to these ids, which root can: the first of the gids that the kernel allows.
    Become { uid: u32, gids: Vec<u32> },
    /// The one who runs this program.
    Myself { gid: u32 },
    /// There is none.
    None(String),
}

/// Runs an installed wrapper, an open file whose owner and policy have been judged, as a caller whom its policy refuses.
/// `path` is where others start it.
pub(crate) fn prove(opened: &Opened, path: &Path, policy: &Policy<'_>, accounts: &Accounts) -> Proof {
    let descriptors = Path::new("/proc/self/fd");
    if !descriptors.is_dir() {
        return Proof::NotRun { because: format!("{} is needed to start it by its descriptor", shown(descriptors)) };
    }
    let command = || by_descriptor(opened, path);
    match choose(policy, geteuid().as_raw(), getgid().as_raw(), accounts) {
        Caller::None(because) => Proof::NotRun { because },
        Caller::Myself { gid } => {
            let barred = access(path, AccessFlags::X_OK).err().map(|errno| errno.desc().to_owned());
            proof(policy, gid, barred, accounts, run(&mut command()))
        }
        Caller::Become { uid, gids } => {
            let mut refused = String::from("none");
            for gid in gids {
                match run(command().uid(uid).gid(gid)) {
                    Err(Failed::IdsRefused) => refused = accounts.groups.describe(gid),
                    started => return proof(policy, gid, barred(path, uid, gid), accounts, started),
                }
            }
            Proof::NotRun { because: format!("the kernel does not let this process become group {refused}") }
        }
    }
}

/// Close-on-exec does not hinder it: the kernel has opened the file by then.
fn by_descriptor(opened: &Opened, path: &Path) -> Command {
    let mut command = Command::new(format!("/proc/self/fd/{}", opened.file.as_raw_fd()));
    command.arg0(path);
    command
}

fn proof(
    policy: &Policy<'_>,
    gid: u32,
    barred: Option<String>,
    accounts: &Accounts,
    started: Result<(ExitStatus, String), Failed>,
) -> Proof {
    let caller = accounts.groups.describe(gid);
    match (started, barred) {
        (Err(Failed::IdsRefused), _) => {
            Proof::NotRun { because: format!("the kernel does not let this process become group {caller}") }
        }
        (Err(Failed::NotStarted(error)), _) => Proof::NotStarted { caller, error: error.to_string() },
        // By its descriptor it can be started, by its path it cannot.
        (Ok(_), Some(error)) => Proof::NotStarted { caller, error },
        (Ok((status, answer)), None) => judge(policy, gid, caller, status, &answer),
    }
}

/// The first directory on the way to `path` in which this user and group may not look up a name: path_resolution(7).
/// Access control lists are not looked at.
fn barred(path: &Path, uid: u32, gid: u32) -> Option<String> {
    let real = std::fs::canonicalize(path).ok()?;
    let mut directories: Vec<&Path> = real.ancestors().skip(1).collect();
    directories.reverse();
    directories.into_iter().find_map(|directory| {
        let stat = Stat::of(directory).ok()?;
        (!may_search(&stat, uid, gid))
            .then(|| format!("{}: {} is {}", nix::errno::Errno::EACCES.desc(), shown(directory), stat.shown_mode()))
    })
}

const fn may_search(stat: &Stat, uid: u32, gid: u32) -> bool {
    let bit = if stat.uid == uid {
        0o100
    } else if stat.gid == gid {
        0o010
    } else {
        0o001
    };
    stat.has(bit)
}

/// A gid that is neither trusted nor the wrapper's own.
fn choose(policy: &Policy<'_>, euid: u32, real_gid: u32, accounts: &Accounts) -> Caller {
    let (trusted, own) = (policy.trusted.gid.as_raw(), policy.own.gid.as_raw());
    if euid == 0 {
        // No gid of the database: it could be the key to something. A user namespace may map only the small ones.
        let free = |gid: &u32| ![trusted, own].contains(gid) && accounts.groups.by_number(*gid).is_none();
        let gids = [(1..POWERLESS_UID).rev().find(free), (1..POWERLESS_UID).find(free)];
        return Caller::Become { uid: POWERLESS_UID, gids: gids.into_iter().flatten().collect() };
    }
    if real_gid == trusted {
        return Caller::None(format!(
            "you run as the trusted group {}, so the wrapper would admit you and start a script; \
             run this as root or as a user of another group",
            accounts.groups.describe(real_gid)
        ));
    }
    Caller::Myself { gid: real_gid }
}

fn judge(policy: &Policy<'_>, gid: u32, caller: String, status: ExitStatus, answer: &str) -> Proof {
    let Some(exit) = status.code() else {
        return Proof::Unexpected { caller, ended: format!("was killed by signal {}", status.signal().unwrap_or(0)) };
    };
    // Status and text: other programs end with 2 as well, and in style defer one status stands for several refusals.
    let says =
        |words: &str| answer.contains(policy.task.kind().program()) && answer.to_ascii_lowercase().contains(words);
    let ended_with = |status| exit == status || (exit == i32::from(TRY_AGAIN) && policy.refusal == RefusalStyle::Defer);
    let mismatch = (ended_with(2) && says("group mismatch")) || (ended_with(8) && says("no name"));
    if ended_with(9) && says("not running set-group-id") {
        Proof::BitLost { caller, exit }
    } else if exit == 10 && says("") {
        Proof::PolicyRefused { exit }
    } else if mismatch && gid == policy.own.gid.as_raw() {
        Proof::RefusedOnly { caller, exit }
    } else if mismatch {
        Proof::BitActs { caller, exit }
    } else {
        Proof::Unexpected { caller, ended: ended(exit, answer) }
    }
}

fn ended(exit: i32, answer: &str) -> String {
    let first: String = answer.lines().next().unwrap_or("").chars().take(200).collect();
    match first.as_str() {
        "" => format!("ended with exit {exit} and said nothing"),
        line => format!("ended with exit {exit}: {}", line.escape_debug()),
    }
}

enum Failed {
    /// setgid(2) or setuid(2) of the child: this root cannot change ids.
    IdsRefused,
    NotStarted(io::Error),
}

/// Starts the wrapper with nothing to work on, and reads what it says on both outputs.
fn run(command: &mut Command) -> Result<(ExitStatus, String), Failed> {
    let failed = |error: io::Error| match error.kind() {
        // An execve(2) that is refused says EACCES, a setgid(2) EPERM, or EINVAL for an unmapped id.
        _ if matches!(error.raw_os_error(), Some(nix::libc::EPERM | nix::libc::EINVAL)) => Failed::IdsRefused,
        _ => Failed::NotStarted(error),
    };
    let (reader, writer) = io::pipe().map_err(Failed::NotStarted)?;
    let second = writer.try_clone().map_err(Failed::NotStarted)?;
    command.env_clear().current_dir("/").stdin(Stdio::null()).stdout(writer).stderr(second);
    let mut child = command.spawn().map_err(failed)?;
    // The command keeps both ends for writing; without this the answer would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let answer = read_answer(reader, Instant::now() + DEADLINE);
    // Harmless if it has ended; a set-group-ID program of the same user may be killed: kill(2).
    let _ = child.kill();
    let status = child.wait().map_err(Failed::NotStarted)?;
    Ok((status, String::from_utf8_lossy(&answer).into_owned()))
}

fn read_answer(mut reader: PipeReader, deadline: Instant) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while answer.len() < LONGEST_ANSWER {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        let ready = poll(&mut [PollFd::new(reader.as_fd(), PollFlags::POLLIN)], timeout);
        if !matches!(ready, Ok(1..)) {
            break;
        }
        match reader.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => answer.extend_from_slice(&buffer[..length]),
        }
    }
    answer
}

/// Whether this process may give files away and become anybody.
pub(crate) fn is_root() -> bool {
    geteuid() == Uid::from_raw(0)
}

#[cfg(test)]
mod tests;
