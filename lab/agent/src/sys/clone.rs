//! clone(2), and memory that a child shares with its parent.

use super::check;
use libc::{c_int, c_void};
use rustix::io::Errno;
use rustix::process::Pid;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// A stack for a child that runs while its parent is suspended, or in a copy of its parent's memory.
pub(crate) struct Stack(Vec<u8>);

impl Stack {
    /// A stack of so many bytes; pages that are never touched cost nothing.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(vec![0; bytes])
    }
}

/// A new process, with its process descriptor (CLONE_PIDFD, close-on-exec).
pub(crate) struct Child {
    /// Number in the caller's process namespace.
    pub(crate) pid: Pid,
    /// See pidfd_open(2).
    pub(crate) pidfd: OwnedFd,
}

/// Runs `body` in a new process made with `flags` (plus CLONE_PIDFD, and SIGCHLD at its end) and ends that process with
/// the returned status. With CLONE_VM the caller is suspended until the child execs or ends.
///
/// # Errors
/// Those of clone(2); EINVAL for CLONE_VM without CLONE_VFORK, and for CLONE_THREAD.
pub(crate) fn clone<F: FnOnce() -> c_int>(flags: c_int, stack: &mut Stack, body: F) -> Result<Child, Errno> {
    let shares_memory = flags & libc::CLONE_VM != 0;
    if (shares_memory && flags & libc::CLONE_VFORK == 0) || flags & libc::CLONE_THREAD != 0 {
        return Err(Errno::INVAL);
    }
    let mut pidfd: RawFd = -1;
    let mut body = Some(body);
    let top = stack.0.as_mut_ptr_range().end;
    let top = top.wrapping_sub(top as usize % 16);
    // SAFETY: `top` is the aligned end of a live allocation. With CLONE_VM the caller does not go on before the
    // child has left this memory (CLONE_VFORK, checked above); without it the child has a copy. `body` and `pidfd` outlive
    // the call in both cases. The process has one thread, so no lock is held by a thread which the child lacks.
    let pid = check(libc::c_long::from(unsafe {
        libc::clone(
            trampoline::<F>,
            top.cast::<c_void>(),
            flags | libc::CLONE_PIDFD | libc::SIGCHLD,
            (&raw mut body).cast::<c_void>(),
            &raw mut pidfd,
        )
    }))?;
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::INVAL)?;
    // SAFETY: clone succeeded with CLONE_PIDFD, so `pidfd` is a new descriptor that nobody else owns.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Child { pid, pidfd })
}

extern "C" fn trampoline<F: FnOnce() -> c_int>(body: *mut c_void) -> c_int {
    // SAFETY: `clone` passes a pointer to its own `Option<F>`, which is alive (see there); no other code touches it now.
    let body = unsafe { &mut *body.cast::<Option<F>>() };
    body.take().map_or(126, |body| body())
}

/// The mount namespace of a child; `None` if it has ended, or where the kernel (before 6.11) does not say.
pub(crate) fn mount_namespace_of(child: &Child) -> Option<OwnedFd> {
    /// PIDFD_GET_MNT_NAMESPACE of include/uapi/linux/pidfd.h.
    const GET: libc::c_ulong = 0xFF03;
    // SAFETY: this request takes no argument, and returns a new descriptor.
    let number = check(unsafe { libc::syscall(libc::SYS_ioctl, child.pidfd.as_raw_fd(), GET, 0) }).ok()?;
    // SAFETY: it was returned just now, so nobody else owns it.
    Some(unsafe { OwnedFd::from_raw_fd(RawFd::try_from(number).ok()?) })
}

/// Memory of type `T` that stays shared with every child, whether or not it shares the rest (mmap(2), MAP_SHARED).
///
/// # Errors
/// Those of mmap(2).
pub(crate) fn shared<T: Zeroed>() -> Result<&'static T, Errno> {
    // SAFETY: an anonymous mapping at an address of the kernel's choice touches no existing memory.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            size_of::<T>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return Err(Errno::NOMEM);
    }
    // SAFETY: the mapping is page-aligned, large enough, never unmapped, zero, and zero is a valid `T` (`Zeroed`); `T` is
    // `Sync`, as shared references in several processes require.
    Ok(unsafe { &*address.cast::<T>() })
}

/// Types for which memory of zeroes is a value, and which several processes may use at once.
///
/// # Safety
/// As said; in practice: structures of atomics without padding that matters.
pub(crate) unsafe trait Zeroed: Sync {}

// SAFETY: the structure consists of atomics only.
unsafe impl Zeroed for crate::case::progress::Progress {}
