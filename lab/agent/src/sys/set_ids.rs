//! The calls that `lab model check` tries: raw, because the C library's functions change every thread and hide the
//! kernel's answer; with plain numbers, because -1 is among those to be tried.

use super::check;
use lab_invocation::trial::Call;
use libc::{c_int, c_long, c_ulong};
use rustix::io::Errno;
use rustix::process::Pid;

/// Makes a call. Returns its value, or the negative error number.
pub(crate) fn make(call: &Call) -> i64 {
    let (number, arguments) = match *call {
        Call::SetUid(id) => (libc::SYS_setuid, [id, 0, 0]),
        Call::SetReUid(real, effective) => (libc::SYS_setreuid, [real, effective, 0]),
        Call::SetResUid(real, effective, saved) => (libc::SYS_setresuid, [real, effective, saved]),
        Call::SetFsUid(id) => (libc::SYS_setfsuid, [id, 0, 0]),
        Call::SetGid(id) => (libc::SYS_setgid, [id, 0, 0]),
        Call::SetReGid(real, effective) => (libc::SYS_setregid, [real, effective, 0]),
        Call::SetResGid(real, effective, saved) => (libc::SYS_setresgid, [real, effective, saved]),
        Call::SetFsGid(id) => (libc::SYS_setfsgid, [id, 0, 0]),
        Call::SetGroups(ref groups) => {
            let list = groups.as_slice();
            // SAFETY: the pointer and the number of elements describe `list`, which the kernel only reads.
            return value(check(unsafe { libc::syscall(libc::SYS_setgroups, list.len(), list.as_ptr()) }));
        }
    };
    let [first, second, third] = arguments.map(c_ulong::from);
    // SAFETY: these calls take numbers only. They change the ids of the calling thread, which is the only one of its process.
    value(check(unsafe { libc::syscall(number, first, second, third) }))
}

fn value(result: Result<c_long, Errno>) -> i64 {
    result.unwrap_or_else(|errno| -c_long::from(errno.raw_os_error()))
}

/// Supplementary groups of the caller, into a place of fixed size. See getgroups(2).
///
/// # Errors
/// EINVAL if there are more.
pub(crate) fn groups() -> Result<([u32; 4], u8), Errno> {
    let mut gids = [0_u32; 4];
    // SAFETY: the pointer and the number of elements describe `gids`, and a gid is an unsigned number of 32 bits.
    let count = check(unsafe { libc::syscall(libc::SYS_getgroups, gids.len(), gids.as_mut_ptr()) })?;
    u8::try_from(count).map(|count| (gids, count)).map_err(|_| Errno::OVERFLOW)
}

/// personality(2): sets it, and returns the former one; 0xffffffff only asks.
pub(crate) fn personality(persona: c_ulong) -> Result<c_int, Errno> {
    // SAFETY: no memory is involved.
    check(c_long::from(unsafe { libc::personality(persona) })).map(|old| c_int::try_from(old).unwrap_or(-1))
}

/// ptrace(2) PTRACE_TRACEME: the parent traces the caller from now on.
pub(crate) fn trace_me() -> Result<(), Errno> {
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: PTRACE_TRACEME uses no memory.
    check(unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, none, none) }).map(drop)
}

/// ptrace(2) PTRACE_CONT: lets a stopped tracee run on, with this signal or (0) none.
pub(crate) fn resume(tracee: Pid, signal: c_int) -> Result<(), Errno> {
    let (none, signal) = (std::ptr::null_mut::<libc::c_void>(), signal as usize as *mut libc::c_void);
    // SAFETY: PTRACE_CONT uses no memory: its last argument is a number in the place of a pointer.
    check(unsafe { libc::ptrace(libc::PTRACE_CONT, tracee.as_raw_nonzero().get(), none, signal) }).map(drop)
}
