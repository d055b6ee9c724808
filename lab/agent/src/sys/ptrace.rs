//! ptrace(2).

use super::check;
use libc::c_long;
use rustix::io::Errno;
use rustix::process::Pid;

/// Starts tracing a process without stopping it (PTRACE_SEIZE), with no options.
pub(crate) fn seize(pid: Pid) -> Result<(), Errno> {
    request(libc::PTRACE_SEIZE as c_long, pid, 0)
}

/// Lets a stopped tracee go on, and delivers a signal to it unless that is 0 (PTRACE_CONT).
pub(crate) fn resume(pid: Pid, signal: i32) -> Result<(), Errno> {
    request(libc::PTRACE_CONT as c_long, pid, c_long::from(signal))
}

fn request(request: c_long, pid: Pid, data: c_long) -> Result<(), Errno> {
    // SAFETY: neither of the two requests reads or writes memory of this process; address is ignored and data is a number.
    check(unsafe { libc::syscall(libc::SYS_ptrace, request, pid.as_raw_nonzero().get(), 0, data) }).map(drop)
}
