//! Puts the process back into a known state: a set-group-ID program starts in a room furnished by a stranger.
//!
//! What is left as it was: supplementary groups, nice value, scheduler, personality, bounding set, securebits and
//! no_new_privs (a script may have to start a set-group-ID program itself), and limits which are large enough. The
//! working directory is `/`, then and for the script.

use crate::sys::{self, Disposition};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::chdir;

/// Proof that [`make_safe`] has run to its end.
#[derive(Debug)]
pub struct SafeProcess(());

#[cfg(test)]
impl SafeProcess {
    /// For a test, whose process is safe enough, and is not to lose its descriptors.
    pub(crate) const fn assumed() -> Self {
        Self(())
    }
}

/// What stood in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsafeProcess {
    /// A step failed, as a seccomp filter can arrange.
    Step {
        /// What was to be done.
        what: &'static str,
        /// What the kernel said.
        errno: Errno,
    },
    /// What every process can use cannot be used, as a root directory of its own can arrange.
    Place {
        /// Which.
        path: &'static str,
        /// What the kernel said.
        errno: Errno,
    },
    /// An inherited hard limit is too small to work in.
    Limit {
        /// Its name in setrlimit(2).
        name: &'static str,
        /// The hard limit.
        found: u64,
        /// The least that will do.
        needed: u64,
    },
}

/// The least that wrapper and script are started with. Higher limits are left alone, a lower soft limit is raised.
///
/// The values are those below which a script in Python does not start, or stops half-way through writing a message. To
/// refuse takes less: three descriptors (none where the bit did not act), 32 KiB of RLIMIT_DATA and, besides what arguments
/// and environment take, 32 KiB of RLIMIT_STACK and 1 MiB of RLIMIT_AS (measured with static musl on x86-64). Below those
/// the kernel or the C library may end the process before its `main`: in secure mode musl polls the first three descriptors.
pub const LEAST_LIMITS: [(Resource, &str, u64); 5] = [
    // Beyond it SIGXFSZ ends the script in the middle of a file. A mail server limits its deliveries to more.
    (Resource::RLIMIT_FSIZE, "RLIMIT_FSIZE", 1 << 20),
    // _POSIX_OPEN_MAX of limits.h.
    (Resource::RLIMIT_NOFILE, "RLIMIT_NOFILE", 20),
    // A Python with a few modules. Arguments and environment, of which the kernel hands over 6 MiB at most, are in it.
    (Resource::RLIMIT_AS, "RLIMIT_AS", 64 << 20),
    (Resource::RLIMIT_DATA, "RLIMIT_DATA", 32 << 20),
    // A quarter of it, and never less than 128 KiB, is what an exec may hand over: execve(2).
    (Resource::RLIMIT_STACK, "RLIMIT_STACK", 256 << 10),
];

/// Timer slack of the script in nanoseconds: the kernel's default for a new process.
const TIMER_SLACK: u64 = 50_000;

/// The highest descriptor that can exist, plus one, where the kernel has no close_range(2): its default of fs.nr_open.
const DESCRIPTORS_END: i32 = 1 << 20;

/// Does it, in an order in which no step can be disturbed by what a later one will mend.
///
/// # Errors
/// The first step that failed, or the first limit that is too small.
pub fn make_safe() -> Result<SafeProcess, UnsafeProcess> {
    // First: from here on only SIGKILL and SIGSTOP reach this process, which any caller may send. To ignore discards
    // what is pending; only then may nothing be blocked.
    step("ignore signals", sys::dispose_of_signals(Disposition::Ignore))?;
    step("unblock signals", sys::unblock_signals())?;
    // After the switch of the group a script is dumpable, and the caller, who has its uid, could take its memory.
    step("set RLIMIT_CORE to 0", setrlimit(Resource::RLIMIT_CORE, 0, 0))?;
    // Before anything that can be refused: with the caller's slack a refusal would wait for its reader for as long as he likes.
    step("cancel timers", sys::cancel_timers())?;
    step("set the timer slack", prctl::set_timerslack(TIMER_SLACK))?;
    // Before anything that a limit can make fail: below RLIMIT_NOFILE 3 no standard descriptor can be opened.
    for (resource, name, needed) in LEAST_LIMITS {
        let (soft, hard) = step("read the limits", getrlimit(resource))?;
        if let Some(soft) = raised(name, soft, hard, needed)? {
            step("raise a soft limit", setrlimit(resource, soft, hard))?;
        }
    }
    step("clear the parent's death signal", prctl::set_pdeathsig(None))?;
    place("/dev/null", sys::open_standard_descriptors())?;
    if sys::close_range_from_3().is_err() {
        sys::close_each_from_3(DESCRIPTORS_END);
    }
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    place("/", chdir("/"))?;
    step("clear inheritable capabilities", clear_inheritable())?;
    Ok(SafeProcess(()))
}

fn step<T>(what: &'static str, done: Result<T, Errno>) -> Result<T, UnsafeProcess> {
    done.map_err(|errno| UnsafeProcess::Step { what, errno })
}

fn place(path: &'static str, done: Result<(), Errno>) -> Result<(), UnsafeProcess> {
    done.map_err(|errno| UnsafeProcess::Place { path, errno })
}

/// The soft limit to set, if the inherited one is too low.
fn raised(name: &'static str, soft: u64, hard: u64, needed: u64) -> Result<Option<u64>, UnsafeProcess> {
    if hard < needed {
        Err(UnsafeProcess::Limit { name, found: hard, needed })
    } else if soft < needed {
        Ok(Some(needed))
    } else {
        Ok(None)
    }
}

/// Inheritable capabilities, and with them the ambient ones: capabilities(7).
fn clear_inheritable() -> Result<(), Errno> {
    let mut capabilities = sys::capabilities()?;
    if capabilities.iter().all(|word| word.inheritable == 0) {
        return Ok(());
    }
    for word in &mut capabilities {
        word.inheritable = 0;
    }
    sys::set_capabilities(&capabilities)
}

#[cfg(test)]
mod tests;
