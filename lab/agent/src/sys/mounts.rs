//! Mount attributes and namespaces.

use super::check;
use libc::c_int;
use rustix::io::Errno;
use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `struct mount_attr` of mount_setattr(2).
#[repr(C)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// Sets and clears `MOUNT_ATTR_*` flags of the mount that `path` below `at` is the root of; an empty path means `at` itself.
pub(crate) fn set_attributes(at: BorrowedFd<'_>, path: &CStr, set: u64, clear: u64) -> Result<(), Errno> {
    set_all(at, path, 0, &Attributes { set, clear, propagation: 0, user_namespace: 0 })
}

/// Sets `MOUNT_ATTR_*` flags of a mount and of every mount below it.
pub(crate) fn set_attributes_below(mount: BorrowedFd<'_>, set: u64) -> Result<(), Errno> {
    set_all(mount, c"", libc::AT_RECURSIVE, &Attributes { set, clear: 0, propagation: 0, user_namespace: 0 })
}

fn set_all(at: BorrowedFd<'_>, path: &CStr, flags: c_int, attributes: &Attributes) -> Result<(), Errno> {
    // SAFETY: `path` is a C string, the structure is the kernel's first version of it, with its size, and both are alive.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            at.as_raw_fd(),
            path.as_ptr(),
            libc::AT_EMPTY_PATH | flags,
            std::ptr::from_ref(attributes),
            size_of::<Attributes>(),
        )
    })
    .map(drop)
}

/// unshare(2) of namespaces; never of the descriptor table.
pub(crate) fn unshare(namespaces: c_int) -> Result<(), Errno> {
    if namespaces & libc::CLONE_FILES != 0 {
        return Err(Errno::INVAL);
    }
    // SAFETY: descriptors stay shared as they were, and no memory is involved.
    check(libc::c_long::from(unsafe { libc::unshare(namespaces) })).map(drop)
}

/// Gives a mount that is attached nowhere the id map of a user namespace (MOUNT_ATTR_IDMAP).
pub(crate) fn map_ids(mount: BorrowedFd<'_>, user_namespace: BorrowedFd<'_>) -> Result<(), Errno> {
    const ID_MAPPED: u64 = 0x0010_0000;
    let user_namespace = u64::try_from(user_namespace.as_raw_fd()).map_err(|_| Errno::BADF)?;
    set_all(mount, c"", 0, &Attributes { set: ID_MAPPED, clear: 0, propagation: 0, user_namespace })
}
