//! A pseudo-terminal of the case's own. See pts(4).

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use rustix::pty::OpenptFlags;
use std::os::fd::{AsFd, OwnedFd};

/// Master (in non-blocking mode) and slave, from a devpts instance that is attached nowhere; where none can be made, from
/// that of the container.
pub(super) fn open() -> Result<(OwnedFd, OwnedFd), Errno> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let master = match instance() {
        Ok(instance) => rustix::fs::openat(&instance, c"ptmx", flags, Mode::empty())?,
        Err(Errno::PERM) => rustix::fs::open(c"/dev/ptmx", flags, Mode::empty())?,
        Err(errno) => return Err(errno),
    };
    rustix::pty::unlockpt(&master)?;
    let slave =
        rustix::pty::ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    Ok((master, slave))
}

fn instance() -> Result<OwnedFd, Errno> {
    let context = fsopen(c"devpts", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(context.as_fd())?;
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}
