//! Signals by number, past the C library, which hides two of them and keeps state of its own. Timers.

use super::check;
use libc::c_long;
use rustix::io::Errno;
use rustix::process::Pid;

/// Signals are numbered 1 to this. See signal(7).
pub(crate) const LAST: u32 = 64;

/// `struct sigaction` of the kernel, as far as it is alike on every architecture: the handler comes first and 0 is the
/// default, 1 is ignore; the rest is zero here.
#[repr(C)]
struct Action {
    handler: usize,
    rest: [usize; 7],
}

const SET_BYTES: usize = 8;

/// Whether a signal is ignored. See rt_sigaction(2).
pub(crate) fn is_ignored(signal: u32) -> Result<bool, Errno> {
    let mut action = Action { handler: 0, rest: [0; 7] };
    // SAFETY: the buffer is larger than the kernel's structure on every 64-bit architecture, and alive.
    check(unsafe {
        libc::syscall(libc::SYS_rt_sigaction, signal, std::ptr::null::<Action>(), &raw mut action, SET_BYTES)
    })?;
    Ok(action.handler == libc::SIG_IGN)
}

/// Sets a signal to ignored, or to its default.
pub(crate) fn set_ignored(signal: u32, ignored: bool) -> Result<(), Errno> {
    let action = Action { handler: if ignored { libc::SIG_IGN } else { libc::SIG_DFL }, rest: [0; 7] };
    // SAFETY: no handler is installed, so no restorer is needed and zeroes are valid for the rest.
    check(unsafe {
        libc::syscall(libc::SYS_rt_sigaction, signal, &raw const action, std::ptr::null::<Action>(), SET_BYTES)
    })
    .map(drop)
}

/// Replaces the mask of blocked signals (bit n-1 stands for signal n) and returns the former one.
pub(crate) fn set_mask(mask: u64) -> Result<u64, Errno> {
    let mut old = 0_u64;
    // SAFETY: the kernel's signal set is 8 bytes; both are alive.
    check(unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, &raw mut old, SET_BYTES)
    })?;
    Ok(old)
}

/// The mask of blocked signals.
pub(crate) fn mask() -> Result<u64, Errno> {
    let mut old = 0_u64;
    // SAFETY: as in `set_mask`; a null new set asks only.
    check(unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, std::ptr::null::<u64>(), &raw mut old, SET_BYTES)
    })?;
    Ok(old)
}

/// Signals that are pending for the thread or the process. See rt_sigpending(2).
pub(crate) fn pending() -> Result<u64, Errno> {
    let mut set = 0_u64;
    // SAFETY: the kernel's signal set is 8 bytes and alive.
    check(unsafe { libc::syscall(libc::SYS_rt_sigpending, &raw mut set, SET_BYTES) })?;
    Ok(set)
}

/// Sends a signal by number to one process.
pub(crate) fn send(to: Pid, signal: u32) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::syscall(libc::SYS_kill, to.as_raw_nonzero().get(), signal) }).map(drop)
}

/// Kills every other process of the caller's process namespace: only for its pid 1. ESRCH if there was none.
pub(crate) fn kill_everything() -> Result<(), Errno> {
    if rustix::process::getpid() != Pid::INIT {
        return Err(Errno::PERM);
    }
    // SAFETY: no memory is involved; the check above keeps it inside a process namespace of our own.
    check(unsafe { libc::syscall(libc::SYS_kill, -1, libc::SIGKILL) }).map(drop)
}

/// Sets ITIMER_REAL to go off once after some seconds. See setitimer(2).
pub(crate) fn alarm(seconds: u32) -> Result<(), Errno> {
    set_timer(libc::ITIMER_REAL as u32, seconds)
}

/// Sets a timer, by number, to go off once after an hour of processor time.
pub(crate) fn processor_timer(number: u32) -> Result<(), Errno> {
    set_timer(number, 3600)
}

fn set_timer(number: u32, seconds: u32) -> Result<(), Errno> {
    let value: [c_long; 4] = [0, 0, c_long::from(seconds), 0];
    // SAFETY: the kernel's `struct itimerval` is four longs: interval seconds, microseconds, value seconds, microseconds.
    check(unsafe { libc::syscall(libc::SYS_setitimer, number, value.as_ptr(), std::ptr::null::<c_long>()) }).map(drop)
}

/// Microseconds left on a timer: 0 real, 1 virtual, 2 prof. See getitimer(2).
pub(crate) fn timer_us(which: u32) -> Result<u64, Errno> {
    let mut value: [c_long; 4] = [0; 4];
    // SAFETY: as in `set_timer`, and alive.
    check(unsafe { libc::syscall(libc::SYS_getitimer, which, value.as_mut_ptr()) })?;
    let seconds = u64::try_from(value[2]).unwrap_or(0);
    Ok(seconds.saturating_mul(1_000_000).saturating_add(u64::try_from(value[3]).unwrap_or(0)))
}
