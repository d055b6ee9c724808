//! Mounts from their descriptions.

use super::home::Home;
use super::path::Absolute;
use super::{EMPTY, attach, clone_mount};
use crate::failure::{During, Failure};
use crate::sys;
use lab_invocation::layout::{Mount, MountFlags, MountKind};
use rustix::fs::{CWD, StatVfsMountFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen};
use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

/// MOUNT_ATTR_RDONLY.
pub(crate) const READ_ONLY: u64 = MountAttrFlags::MOUNT_ATTR_RDONLY.bits() as u64;
/// MOUNT_ATTR_NOSUID.
pub(crate) const NO_SUID: u64 = MountAttrFlags::MOUNT_ATTR_NOSUID.bits() as u64;
/// MOUNT_ATTR_NODEV.
pub(crate) const NO_DEV: u64 = MountAttrFlags::MOUNT_ATTR_NODEV.bits() as u64;
/// MOUNT_ATTR_NOEXEC.
pub(crate) const NO_EXEC: u64 = MountAttrFlags::MOUNT_ATTR_NOEXEC.bits() as u64;

/// A file system in memory that is attached nowhere, with options of tmpfs(5).
pub(crate) fn new_tmpfs(options: &[(&str, &str)]) -> Result<OwnedFd, Failure> {
    new_filesystem(c"tmpfs", options, Some(("huge", "within_size"))).during(|| "make a file system in memory")
}

/// A /proc of the calling process's process namespace, attached nowhere.
pub(super) fn new_proc() -> Result<OwnedFd, Failure> {
    new_filesystem(c"proc", &[], None)
        .during(|| "make a /proc (in a container whose /proc is partly masked: --security-opt systempaths=unconfined)")
}

/// `wish` is an option that a kernel may not have: large pages make writing and freeing a program file several times
/// cheaper (tmpfs(5), `huge`; a kernel without CONFIG_TRANSPARENT_HUGEPAGE refuses the option).
fn new_filesystem(kind: &CStr, options: &[(&str, &str)], wish: Option<(&str, &str)>) -> Result<OwnedFd, Errno> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        fsconfig_set_string(context.as_fd(), *key, *value)?;
    }
    if let Some((key, value)) = wish {
        let _ = fsconfig_set_string(context.as_fd(), key, value);
    }
    fsconfig_create(context.as_fd())?;
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}

/// Makes one mount in the current namespace.
pub(crate) fn make(home: &Home, spec: &Mount) -> Result<(), Failure> {
    let at = Absolute::new(&spec.at)?;
    let attributes = attributes(spec.flags);
    if at == Absolute::root() {
        let MountKind::Itself = spec.kind else {
            return Err(Failure::refused("mount something on /: only flags of the root itself can be changed"));
        };
        return sys::mounts::set_attributes(CWD, c"/", attributes, 0).during(|| "set the flags of /");
    }
    let (mount, attributes) = match &spec.kind {
        MountKind::Itself => {
            (clone_mount(at.as_c_str(), true).during(|| format!("copy the mount at {at}"))?, attributes)
        }
        MountKind::Bind(source) => {
            let source = Absolute::new(source)?;
            (clone_mount(source.as_c_str(), true).during(|| format!("copy the mount at {source}"))?, attributes)
        }
        MountKind::Host(source) => {
            let source = Absolute::new(source)?;
            let mount = home.host_mount(source.as_c_str()).during(|| format!("copy the host's mount at {source}"))?;
            // A directory brings the mounts below it along.
            sys::mounts::set_attributes_below(mount.as_fd(), READ_ONLY)
                .during(|| format!("make the host's {source} read-only"))?;
            (mount, attributes)
        }
        MountKind::Overlay(lower) => {
            let lower = Absolute::new(lower)?;
            (overlay(&lower).during(|| format!("make an overlay over {lower}"))?, attributes)
        }
        MountKind::IdMapped { from, to } => {
            let mount = clone_mount(at.as_c_str(), true).during(|| format!("copy the mount at {at}"))?;
            super::idmap::apply(home, &mount, *from, *to)?;
            (mount, attributes)
        }
    };
    // MOUNT_ATTR flags that are not set are left as the copied mount has them.
    sys::mounts::set_attributes(mount.as_fd(), c"", attributes, 0)
        .during(|| format!("set the flags of the mount for {at}"))?;
    attach(&mount, at.as_c_str()).during(|| format!("mount on {at}"))
}

/// `MOUNT_ATTR_*` of mount flags.
pub(crate) fn attributes(flags: MountFlags) -> u64 {
    let MountFlags { nosuid, noexec, nodev, read_only } = flags;
    [(nosuid, NO_SUID), (noexec, NO_EXEC), (nodev, NO_DEV), (read_only, READ_ONLY)]
        .into_iter()
        .filter_map(|(set, attribute)| set.then_some(attribute))
        .sum()
}

/// Mount flags as statvfs(3) gives them.
pub(crate) fn of_statvfs(flags: StatVfsMountFlags) -> MountFlags {
    MountFlags {
        nosuid: flags.contains(StatVfsMountFlags::NOSUID),
        noexec: flags.contains(StatVfsMountFlags::NOEXEC),
        nodev: flags.contains(StatVfsMountFlags::NODEV),
        read_only: flags.contains(StatVfsMountFlags::RDONLY),
    }
}

/// A read-only overlay; without an upper layer the kernel wants two lower ones, so the second is empty.
fn overlay(lower: &Absolute) -> Result<OwnedFd, Errno> {
    let mut layers = Vec::new();
    for &byte in lower.as_bytes() {
        if matches!(byte, b':' | b'\\') {
            layers.push(b'\\');
        }
        layers.push(byte);
    }
    layers.push(b':');
    layers.extend_from_slice(EMPTY.as_bytes());
    let context = fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(context.as_fd(), c"lowerdir", layers.as_slice())?;
    fsconfig_create(context.as_fd())?;
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}
