//! Where layouts come from: the host's mounts, kept aside in a namespace of their own so that single files can be bound
//! from them, and a lean namespace with nothing but `/proc` and `/dev` that every layout starts as a copy of.

use super::mounts;
use crate::failure::{During, Failure};
use crate::sys;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, MoveMountFlags, UnmountFlags, mount_change, move_mount, unmount};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::cell::Cell;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// Devices of every sandbox: name, major and minor number (Documentation/admin-guide/devices.txt).
const DEVICES: &[(&CStr, &CStr, u32, u32)] = &[
    (c"dev/null", c"/dev/null", 1, 3),
    (c"dev/zero", c"/dev/zero", 1, 5),
    (c"dev/full", c"/dev/full", 1, 7),
    (c"dev/random", c"/dev/random", 1, 8),
    (c"dev/urandom", c"/dev/urandom", 1, 9),
    (c"dev/tty", c"/dev/tty", 5, 0),
];

/// Directories of the host over which the first root can be mounted for a moment.
const ANCHORS: &[&CStr] = &[c"/tmp", c"/run", c"/mnt", c"/var", c"/usr"];

/// The two namespaces.
pub(crate) struct Home {
    host: OwnedFd,
    lean: OwnedFd,
    /// The writable /proc of the sandbox's process namespace; a layout's own one is read-only.
    pub(crate) proc: OwnedFd,
    can_mknod: bool,
}

impl Home {
    /// Builds both. The caller must be in a mount namespace of its own, and is in the lean one afterwards.
    pub(crate) fn build() -> Result<Self, Failure> {
        // Without this, a host whose / is shared (systemd's default) would see every mount made here.
        mount_change(c"/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)
            .during(|| "detach the mounts of the new namespace from the host's (MS_SLAVE)")?;
        let host = namespace_of_self()?;
        sys::mounts::unshare(libc::CLONE_NEWNS).during(|| "make the lean mount namespace")?;
        let root = mounts::new_tmpfs(&[("mode", "755")])?;
        for directory in [c"dev", c"proc", c"new"] {
            rustix::fs::mkdirat(&root, directory, Mode::from_raw_mode(0o755))
                .during(|| "make a directory of the first root")?;
        }
        let can_mknod = try_mknod(root.as_fd())?;
        let anchor = ANCHORS
            .iter()
            .copied()
            .find(|path| {
                rustix::fs::stat(*path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
            })
            .ok_or_else(|| {
                Failure::refused(
                    "find a directory to mount the first root on: none of /tmp, /run, /mnt, /var, /usr exists",
                )
            })?;
        super::attach(&root, anchor).during(|| "attach the first root")?;
        // Before the old root goes: in a user namespace the kernel allows a new /proc only where one is visible in full.
        let proc = mounts::new_proc()?;
        into(proc.as_fd(), root.as_fd(), c"proc").during(|| "attach /proc")?;
        for &(name, path, major, minor) in DEVICES {
            make_device(root.as_fd(), name, path, major, minor, can_mknod)?;
        }
        pivot(root.as_fd())?;
        let proc = rustix::fs::open(c"/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .during(|| "open /proc")?;
        Ok(Self { host, lean: namespace_of_self()?, proc, can_mknod })
    }

    /// Enters the lean namespace.
    pub(crate) fn enter(&self) -> Result<(), Failure> {
        move_into_link_name_space(self.lean.as_fd(), Some(LinkNameSpaceType::Mount))
            .during(|| "enter the lean mount namespace")
    }

    /// Sets a sysctl of the sandbox's own network namespace.
    pub(crate) fn set_network_sysctl(&self, name: &str, value: &str) -> Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.proc, format!("sys/net/{name}"), flags, Mode::empty())?;
        rustix::io::write(file, value.as_bytes()).map(drop)
    }

    /// Makes the devices of a layout's tree: as nodes, or (in a user namespace, where mknod(2) is refused) as mount points.
    pub(super) fn make_devices(&self, root: BorrowedFd<'_>) -> Result<(), Failure> {
        for &(name, _, major, minor) in DEVICES {
            if self.can_mknod {
                mknod(root, name, major, minor).during(|| format!("make {name:?}"))?;
            } else {
                empty_file(root, name)?;
            }
        }
        Ok(())
    }

    /// Makes `root` the root directory of the current namespace, a copy of the lean one, and leaves nothing else in it but
    /// /proc and the devices.
    pub(super) fn pivot_into(&self, root: OwnedFd) -> Result<(), Failure> {
        super::attach(&root, c"/new").during(|| "attach the layout's root")?;
        let proc = super::clone_mount(c"/proc", false).during(|| "copy the mount of /proc")?;
        // Read-only, or a subject that runs as root could set sysctls of the host.
        let safe = mounts::READ_ONLY | mounts::NO_SUID | mounts::NO_DEV | mounts::NO_EXEC;
        sys::mounts::set_attributes(proc.as_fd(), c"", safe, 0).during(|| "make the layout's /proc read-only")?;
        into(proc.as_fd(), root.as_fd(), c"proc").during(|| "attach the layout's /proc")?;
        if !self.can_mknod {
            for &(name, path, ..) in DEVICES {
                let device = super::clone_mount(path, false).during(|| format!("copy the mount of {path:?}"))?;
                into(device.as_fd(), root.as_fd(), name).during(|| format!("attach {path:?}"))?;
            }
        }
        pivot(root.as_fd())
    }

    /// A copy of the host's mount at `path`, attached nowhere.
    ///
    /// A child that shares this process's descriptors (CLONE_FILES), but not its namespace, fetches it.
    pub(super) fn host_mount(&self, path: &CStr) -> Result<OwnedFd, Errno> {
        let fetched: Cell<Result<RawFd, Errno>> = Cell::new(Err(Errno::IO));
        let mut stack = sys::clone::Stack::new(64 * 1024);
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES;
        let child = sys::clone::clone(flags, &mut stack, || {
            let mount = move_into_link_name_space(self.host.as_fd(), Some(LinkNameSpaceType::Mount))
                .and_then(|()| super::clone_mount(path, true));
            fetched.set(mount.map(std::os::fd::IntoRawFd::into_raw_fd));
            0
        })?;
        crate::case::wait_for(&child.pidfd)?;
        sys::exec::inherited(fetched.get()?).ok_or(Errno::BADF)
    }
}

/// The mount namespace of the calling process.
pub(super) fn namespace_of_self() -> Result<OwnedFd, Failure> {
    rustix::fs::open(c"/proc/self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .during(|| "open /proc/self/ns/mnt")
}

fn into(mount: BorrowedFd<'_>, root: BorrowedFd<'_>, path: &CStr) -> Result<(), Errno> {
    move_mount(mount, c"", root, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

/// pivot_root(2) onto the attached mount `root`, and the old root gone.
fn pivot(root: BorrowedFd<'_>) -> Result<(), Failure> {
    rustix::process::fchdir(root).during(|| "enter the new root")?;
    rustix::process::pivot_root(c".", c".").during(|| "pivot_root(2)")?;
    unmount(c".", UnmountFlags::DETACH).during(|| "detach the old root")?;
    rustix::process::chdir(c"/").during(|| "enter the root directory")
}

fn mknod(root: BorrowedFd<'_>, name: &CStr, major: u32, minor: u32) -> Result<(), Errno> {
    let device = rustix::fs::makedev(major, minor);
    rustix::fs::mknodat(root, name, FileType::CharacterDevice, Mode::from_raw_mode(0o666), device)
}

/// Whether devices can be made here, and opened: in a user namespace the first is refused, under a device control group
/// the second may be.
fn try_mknod(root: BorrowedFd<'_>) -> Result<bool, Failure> {
    if mknod(root, c"try", 1, 3).is_err() {
        return Ok(false);
    }
    let opened = rustix::fs::openat(root, c"try", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).is_ok();
    rustix::fs::unlinkat(root, c"try", AtFlags::empty()).during(|| "remove a trial device")?;
    Ok(opened)
}

fn make_device(
    root: BorrowedFd<'_>,
    name: &CStr,
    path: &CStr,
    major: u32,
    minor: u32,
    can_mknod: bool,
) -> Result<(), Failure> {
    if can_mknod {
        return mknod(root, name, major, minor).during(|| format!("make {path:?}"));
    }
    empty_file(root, name)?;
    let device = super::clone_mount(path, false).during(|| format!("copy the mount of the host's {path:?}"))?;
    into(device.as_fd(), root, name).during(|| format!("attach the host's {path:?}"))
}

fn empty_file(root: BorrowedFd<'_>, name: &CStr) -> Result<(), Failure> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    rustix::fs::openat(root, name, flags, Mode::from_raw_mode(0o644)).during(|| format!("make {name:?}")).map(drop)
}
