//! Execution, and what happens to descriptors immediately before it.

use super::check;
use libc::{c_char, c_int};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// A null-terminated vector of C strings, ready for execve(2) without any further allocation.
pub(crate) struct Vector {
    pointers: Vec<*const c_char>,
    // Owns what `pointers` points to: each string once, though it may be pointed to hundreds of thousands of times.
    _strings: Vec<CString>,
}

impl Vector {
    /// Takes the strings, each with how often it stands there.
    pub(crate) fn new(strings: Vec<(CString, usize)>) -> Self {
        let mut pointers = Vec::new();
        // Exactly: a vector that grows takes up to twice as much.
        pointers.reserve_exact(strings.iter().map(|(_, count)| count).sum::<usize>() + 1);
        for (string, count) in &strings {
            pointers.extend(std::iter::repeat_n(string.as_ptr(), *count));
        }
        pointers.push(std::ptr::null());
        Self { pointers, _strings: strings.into_iter().map(|(string, _)| string).collect() }
    }
}

/// execve(2). Returns only if it fails.
pub(crate) fn execve(program: &CStr, argv: &Vector, env: &Vector) -> Errno {
    // SAFETY: `program` is a C string; both vectors end with null and their strings are alive (`Vector` owns them).
    let result = unsafe { libc::execve(program.as_ptr(), argv.pointers.as_ptr(), env.pointers.as_ptr()) };
    check(libc::c_long::from(result)).err().unwrap_or(Errno::IO)
}

/// execveat(2) with AT_EMPTY_PATH. Returns only if it fails.
pub(crate) fn execveat(program: BorrowedFd<'_>, argv: &Vector, env: &Vector) -> Errno {
    // SAFETY: the path is an empty C string; both vectors end with null and their strings are alive.
    let result = unsafe {
        libc::syscall(
            libc::SYS_execveat,
            program.as_raw_fd(),
            c"".as_ptr(),
            argv.pointers.as_ptr(),
            env.pointers.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    check(result).err().unwrap_or(Errno::IO)
}

/// Places a copy of `from` at the number `to`, to be kept across exec. Whatever `to` was is closed: only for a process
/// about to exec, whose owners of descriptors never run again.
pub(crate) fn place(from: BorrowedFd<'_>, to: RawFd) -> Result<(), Errno> {
    // SAFETY: no memory is involved; see above for the ownership of `to`.
    check(libc::c_long::from(unsafe { libc::dup2(from.as_raw_fd(), to) })).map(drop)
}

/// Closes a number, under the same condition as [`place`]. It is no error if it was not open.
pub(crate) fn close(number: RawFd) {
    // SAFETY: no memory is involved; see `place` for the ownership.
    unsafe { libc::close(number) };
}

/// Closes every descriptor from `first` on: only before anything is opened. See close_range(2).
pub(crate) fn close_from(first: RawFd) -> Result<(), Errno> {
    // SAFETY: no memory is involved; called at the start, when nothing in this process owns descriptors of these numbers.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) }).map(drop)
}

/// Takes over a descriptor that the process was started with.
pub(crate) fn inherited(number: RawFd) -> Option<std::os::fd::OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: no memory is involved.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } == -1 {
        return None;
    }
    // SAFETY: it is open, and called once for a number, before anything else could own it.
    Some(unsafe { std::os::fd::OwnedFd::from_raw_fd(number) })
}

/// fcntl(2) F_GETFL of a number that may not be open.
pub(crate) fn status_flags(number: RawFd) -> Result<c_int, Errno> {
    // SAFETY: no memory is involved.
    let flags = check(libc::c_long::from(unsafe { libc::fcntl(number, libc::F_GETFL) }))?;
    c_int::try_from(flags).map_err(|_| Errno::OVERFLOW)
}

/// Magic number of the file system of what is open at a number. See fstatfs(2).
pub(crate) fn file_system(number: RawFd) -> Result<u64, Errno> {
    // SAFETY: the borrowed descriptor is used for one call, which fails if the number is not open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    u64::try_from(rustix::fs::fstatfs(borrowed)?.f_type).map_err(|_| Errno::OVERFLOW)
}

/// Ends the process at once, without any clean-up of the C library.
pub(crate) fn exit_now(status: c_int) -> ! {
    // SAFETY: does not return and touches nothing.
    unsafe { libc::_exit(status) }
}
