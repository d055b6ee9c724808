//! The known state, step by step as `wrapper::process_state` makes it: each step can be the one that is left out.

use crate::Flaw;
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, close, setsid};
use wrapper::process_state::{LEAST_LIMITS, UnsafeProcess};
use wrapper::sys::{self, Disposition};

/// The timer slack that a script must find, in nanoseconds.
const TIMER_SLACK: u64 = 50_000;

/// Makes the process safe, save for the step that the flaw leaves out.
pub(crate) fn make_safe(flaw: Flaw) -> Result<(), UnsafeProcess> {
    step("ignore signals", sys::dispose_of_signals(Disposition::Ignore))?;
    if flaw != Flaw::LeavesSignalsBlocked {
        step("unblock signals", sys::unblock_signals())?;
    }
    if flaw != Flaw::LeavesAlarmRunning {
        step("cancel timers", sys::cancel_timers())?;
    }
    if flaw != Flaw::LeavesTimerSlack {
        step("set the timer slack", prctl::set_timerslack(TIMER_SLACK))?;
    }
    for (resource, name, needed) in LEAST_LIMITS {
        let (soft, hard) = step("read the limits", getrlimit(resource))?;
        if hard < needed {
            return Err(UnsafeProcess::Limit { name, found: hard, needed });
        }
        if soft < needed {
            step("raise a soft limit", setrlimit(resource, needed, hard))?;
        }
    }
    step("clear the parent's death signal", prctl::set_pdeathsig(None))?;
    step("open /dev/null", sys::open_standard_descriptors())?;
    if flaw == Flaw::LeaksDescriptor7 {
        for descriptor in (3..1024).filter(|&descriptor| descriptor != 7) {
            // EBADF for one that is not open.
            let _ = close(descriptor);
        }
    } else if sys::close_range_from_3().is_err() {
        sys::close_each_from_3(1 << 20);
    }
    if flaw != Flaw::LeavesUmask {
        umask(Mode::S_IWGRP | Mode::S_IWOTH);
    }
    if flaw != Flaw::LeavesDirectory {
        step("change to the directory /", chdir("/"))?;
    }
    if flaw == Flaw::LeavesProcessGroup {
        step("make a session", setsid().map(drop))?;
    }
    step("clear inheritable capabilities", clear_inheritable(flaw))?;
    if flaw != Flaw::LeavesCoreLimit {
        step("set RLIMIT_CORE to 0", setrlimit(Resource::RLIMIT_CORE, 0, 0))?;
    }
    Ok(())
}

fn step<T>(what: &'static str, done: Result<T, Errno>) -> Result<T, UnsafeProcess> {
    done.map_err(|errno| UnsafeProcess::Step { what, errno })
}

fn clear_inheritable(flaw: Flaw) -> Result<(), Errno> {
    let mut capabilities = sys::capabilities()?;
    if flaw == Flaw::LeavesCapabilities || capabilities.iter().all(|word| word.inheritable == 0) {
        return Ok(());
    }
    for word in &mut capabilities {
        word.inheritable = 0;
    }
    sys::set_capabilities(&capabilities)
}
