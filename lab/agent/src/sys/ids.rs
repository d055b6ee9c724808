//! Reading of ids, and resource limits by number.

use super::check;
use lab_invocation::ids::Ids;
use lab_invocation::{Gid, Uid};
use libc::c_uint;
use rustix::io::Errno;
use std::sync::atomic::AtomicU32;

/// Real, effective, saved and file-system uid. See getresuid(2), setfsuid(2).
pub(crate) fn user_ids() -> Result<Ids<Uid>, Errno> {
    let [mut real, mut effective, mut saved]: [c_uint; 3] = [0; 3];
    // SAFETY: three pointers to integers that are alive.
    check(unsafe { libc::syscall(libc::SYS_getresuid, &raw mut real, &raw mut effective, &raw mut saved) })?;
    // SAFETY: no memory is involved; -1 is no uid, so that the call changes nothing and returns the current one.
    let fs = unsafe { libc::syscall(libc::SYS_setfsuid, -1) };
    let id = |number: c_uint| Uid::new(number).ok_or(Errno::OVERFLOW);
    Ok(Ids { real: id(real)?, effective: id(effective)?, saved: id(saved)?, fs: id(low(fs))? })
}

/// Real, effective, saved and file-system gid. See getresgid(2), setfsgid(2).
pub(crate) fn group_ids() -> Result<Ids<Gid>, Errno> {
    let [mut real, mut effective, mut saved]: [c_uint; 3] = [0; 3];
    // SAFETY: three pointers to integers that are alive.
    check(unsafe { libc::syscall(libc::SYS_getresgid, &raw mut real, &raw mut effective, &raw mut saved) })?;
    // SAFETY: no memory is involved; -1 is no gid, so that the call changes nothing and returns the current one.
    let fs = unsafe { libc::syscall(libc::SYS_setfsgid, -1) };
    let id = |number: c_uint| Gid::new(number).ok_or(Errno::OVERFLOW);
    Ok(Ids { real: id(real)?, effective: id(effective)?, saved: id(saved)?, fs: id(low(fs))? })
}

/// setfsuid and setfsgid return an unsigned number of 32 bits in a signed register.
fn low(value: libc::c_long) -> c_uint {
    c_uint::try_from(value & 0xffff_ffff).unwrap_or(c_uint::MAX)
}

/// Supplementary groups into `into`; how many there are. See getgroups(2).
pub(crate) fn groups(into: &[AtomicU32]) -> Result<usize, Errno> {
    let room = libc::c_int::try_from(into.len()).map_err(|_| Errno::INVAL)?;
    let first = into.as_ptr().cast_mut().cast::<c_uint>();
    // SAFETY: the pointer and the number of elements describe `into`; atomics may be written through a shared reference,
    // have the layout of the integer, and no other thread uses them.
    let count = check(unsafe { libc::syscall(libc::SYS_getgroups, room, first) })?;
    usize::try_from(count).map_err(|_| Errno::OVERFLOW)
}

/// Sets a limit of the calling process by its `RLIMIT_*` number. See prlimit(2).
pub(crate) fn set_limit(resource: u32, soft: u64, hard: u64) -> Result<(), Errno> {
    let limit = [soft, hard];
    // SAFETY: the kernel's `struct rlimit64` is two unsigned 64-bit numbers; no old value is asked for.
    check(unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, limit.as_ptr(), std::ptr::null::<u64>()) }).map(drop)
}

/// `RLIMIT_NOFILE`, as prlimit(2) takes it.
#[cfg_attr(
    target_env = "gnu",
    expect(clippy::unnecessary_cast, reason = "glibc's constant is unsigned, musl's is not")
)]
pub(crate) const NOFILE: u32 = libc::RLIMIT_NOFILE as u32;

/// Soft and hard limit of the calling process by its `RLIMIT_*` number.
pub(crate) fn limit(resource: u32) -> Result<(u64, u64), Errno> {
    let mut limit = [0_u64; 2];
    // SAFETY: as in `set_limit`; the old value goes to an array that is alive.
    check(unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, std::ptr::null::<u64>(), limit.as_mut_ptr()) })?;
    Ok((limit[0], limit[1]))
}

/// `RLIMIT_*` numbers are 0 to one less than this (RLIM_NLIMITS of include/uapi/asm-generic/resource.h).
pub(crate) const LIMITS: u32 = 16;
