//! Id-mapped mounts. See mount_setattr(2), MOUNT_ATTR_IDMAP.

use super::home::Home;
use crate::case::wait_for;
use crate::failure::{During, Failure};
use crate::idmaps::{self, Kind};
use crate::sys;
use lab_invocation::Gid;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, pidfd_send_signal};
use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};

/// Makes group `from` of the file system appear as `to` through `mount` (and `to` as `from`), which is attached nowhere yet.
pub(super) fn apply(home: &Home, mount: &OwnedFd, from: Gid, to: Gid) -> Result<(), Failure> {
    let what = || format!("map group {from} to {to} in a mount");
    // The map is taken from a user namespace, and a namespace needs a process.
    let mut stack = sys::clone::Stack::new(16 * 1024);
    let holder = sys::clone::clone(libc::CLONE_NEWUSER, &mut stack, || {
        let _ = rustix::event::poll(&mut [], None);
        0
    })
    .during(|| "make a user namespace for an id-mapped mount")?;
    let namespace = name_space(home, holder.pid, from, to);
    // The descriptor keeps the namespace; its process has served.
    let _ = pidfd_send_signal(&holder.pidfd, Signal::KILL);
    let _ = wait_for(&holder.pidfd);
    sys::mounts::map_ids(mount.as_fd(), namespace.during(what)?.as_fd()).during(what)
}

fn name_space(home: &Home, pid: Pid, from: Gid, to: Gid) -> Result<OwnedFd, rustix::io::Errno> {
    let proc = home.proc.as_fd();
    let own = Pid::INIT;
    let users = idmaps::all_but(&idmaps::read(proc, own, Kind::Users)?, &BTreeSet::new());
    let groups = idmaps::swapped(&idmaps::read(proc, own, Kind::Groups)?, from.as_raw(), to.as_raw());
    idmaps::write(proc, pid, Kind::Users, &users)?;
    idmaps::write(proc, pid, Kind::Groups, &groups)?;
    let path = format!("{}/ns/user", pid.as_raw_nonzero());
    rustix::fs::openat(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}
