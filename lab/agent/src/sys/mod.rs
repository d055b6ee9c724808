//! The only unsafe code of the agent: system calls that `rustix` does not offer as safe functions, and the entry point.
//!
//! | module | what it wraps |
//! |---|---|
//! | [`entry`] | `main` as the C runtime calls it, the start's argument vector, environment and auxiliary vector |
//! | [`clone`] | clone(2) with a stack of its own; memory shared with a child |
//! | [`exec`] | execve(2), execveat(2), descriptors placed at fixed numbers |
//! | [`ids`] | reading of real, effective, saved and file-system ids; resource limits |
//! | [`set_ids`] | the set*id calls with plain numbers, personality(2), PTRACE_TRACEME |
//! | [`signals`] | raw signal dispositions and masks, interval timers |
//! | [`place`] | session and process group by number, sched_setscheduler(2) |
//! | [`mounts`] | mount_setattr(2), unshare(2) |
//! | [`ptrace`] | ptrace(2), seize and resume |
//! | [`seccomp`] | seccomp(2) user notification |

#![expect(unsafe_code, reason = "system calls without a safe wrapper; everything else in the agent denies unsafe code")]

pub(crate) mod clone;
pub(crate) mod entry;
pub(crate) mod exec;
pub(crate) mod ids;
pub(crate) mod mounts;
pub(crate) mod place;
pub(crate) mod ptrace;
pub(crate) mod seccomp;
pub(crate) mod set_ids;
pub(crate) mod signals;

use rustix::io::Errno;

/// Result of a system call which returns -1 and sets `errno`.
fn check(result: libc::c_long) -> Result<libc::c_long, Errno> {
    if result == -1 {
        let number = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        Err(Errno::from_raw_os_error(number))
    } else {
        Ok(result)
    }
}
