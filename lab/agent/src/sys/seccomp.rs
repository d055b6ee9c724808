//! seccomp(2) user notification: the calling process's watched system calls are handed to whoever holds the listener.
//!
//! Written by hand because the libraries for it set no_new_privs, with which a set-group-ID bit silently does not act.

use super::check;
use libc::{c_long, c_ulong, sock_filter, sock_fprog};
use rustix::io::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// AUDIT_ARCH of this program. See include/uapi/linux/audit.h.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
/// AUDIT_ARCH of this program. See include/uapi/linux/audit.h.
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

/// `struct seccomp_notif`.
#[repr(C)]
#[derive(Default)]
struct Notification {
    id: u64,
    pid: u32,
    flags: u32,
    number: i32,
    architecture: u32,
    instruction_pointer: u64,
    arguments: [u64; 6],
}

/// `struct seccomp_notif_resp`.
#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

const RECEIVE: c_ulong = 0xC050_2100;
const SEND: c_ulong = 0xC018_2101;
const CONTINUE: u32 = 1;

/// A system call that waits for an answer.
pub(crate) struct Call {
    id: u64,
    /// Who makes it, in the listener's process namespace.
    pub(crate) pid: i32,
    /// Its number.
    pub(crate) number: c_long,
}

/// What the caller gets.
pub(crate) enum Answer {
    /// The call is carried out.
    Continue,
    /// It returns this value and is not carried out.
    Value(i64),
    /// It fails with this errno and is not carried out.
    Error(i32),
}

/// Watches system calls of the calling process and all that come from it. Needs CAP_SYS_ADMIN in its user namespace; does
/// not set no_new_privs.
pub(crate) fn watch(numbers: &[c_long]) -> Result<RawFd, Errno> {
    let filter = program(numbers)?;
    let length = u16::try_from(filter.len()).map_err(|_| Errno::INVAL)?;
    let program = sock_fprog { len: length, filter: filter.as_ptr().cast_mut() };
    // SAFETY: the program and its instructions are alive, its length is right; the kernel checks and copies them.
    let listener = check(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    })?;
    RawFd::try_from(listener).map_err(|_| Errno::OVERFLOW)
}

/// Load the architecture, kill foreign ones; load the number, hand over the watched ones, allow the rest.
fn program(numbers: &[c_long]) -> Result<Vec<sock_filter>, Errno> {
    // BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K, BPF_RET | BPF_K of include/uapi/linux/bpf_common.h.
    const LOAD: u16 = 0x20;
    const EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let instruction = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let mut program = vec![
        instruction(LOAD, 0, 0, 4),
        instruction(EQUAL, 1, 0, ARCHITECTURE),
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        instruction(LOAD, 0, 0, 0),
    ];
    for &number in numbers {
        program.push(instruction(EQUAL, 0, 1, u32::try_from(number).map_err(|_| Errno::INVAL)?));
        program.push(instruction(RETURN, 0, 0, libc::SECCOMP_RET_USER_NOTIF));
    }
    program.push(instruction(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW));
    Ok(program)
}

/// Closes the number of a listener in the process that installed it: there it would only be in the way.
pub(crate) fn drop_listener(listener: RawFd) {
    // SAFETY: `watch` returned it, nobody else owns it, and it is not used again in this process.
    drop(unsafe { OwnedFd::from_raw_fd(listener) });
}

/// Takes the next call. ENOENT if its process died meanwhile.
pub(crate) fn receive(listener: BorrowedFd<'_>) -> Result<Call, Errno> {
    let mut notification = Notification::default();
    // SAFETY: the structure has the kernel's layout and size (which the ioctl number carries), is zero and alive.
    check(unsafe { libc::syscall(libc::SYS_ioctl, listener.as_raw_fd(), RECEIVE, &raw mut notification) })?;
    let pid = i32::try_from(notification.pid).map_err(|_| Errno::OVERFLOW)?;
    Ok(Call { id: notification.id, pid, number: c_long::from(notification.number) })
}

/// Answers it. ENOENT if its process died meanwhile.
pub(crate) fn answer(listener: BorrowedFd<'_>, call: &Call, answer: &Answer) -> Result<(), Errno> {
    let (value, error, flags) = match *answer {
        Answer::Continue => (0, 0, CONTINUE),
        Answer::Value(value) => (value, 0, 0),
        Answer::Error(errno) => (0, -errno, 0),
    };
    let response = Response { id: call.id, value, error, flags };
    // SAFETY: the structure has the kernel's layout and size (which the ioctl number carries) and is alive.
    check(unsafe { libc::syscall(libc::SYS_ioctl, listener.as_raw_fd(), SEND, &raw const response) }).map(drop)
}

// The ioctl numbers carry these sizes.
const _: () = assert!(size_of::<Notification>() == 80 && size_of::<Response>() == 24);
