//! Stage 0: makes the namespaces, maps the ids, then only watches. It ends as soon as the lab is gone (its end of the
//! socket is closed) or stage 1 is; and stage 1, pid 1 of its namespaces, is killed by the kernel when stage 0 dies. So
//! SIGKILL to the lab or to stage 0, at any moment, leaves no process, and no mount, since the mounts are in a namespace
//! that dies with its processes.
//!
//! The lab is not the direct parent of stage 1 because the parent-death signal follows the parent's *thread*
//! (PR_SET_PDEATHSIG(2const)), and the lab has many; stage 0 has one.

use crate::cure::{self, UNEXPECTED};
use crate::frame;
use crate::sweep::sweep;
use crate::sys::clone::{Child, Stack};
use crate::sys::{clone, exec, signals};
use lab_invocation::protocol::Greeting;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use std::os::fd::{AsFd, OwnedFd};

mod subordinate;

/// Why no sandbox can be made here, and what would help.
pub(crate) struct Unable {
    /// What was being done.
    pub(crate) step: String,
    /// Error number; 0 where no system call failed.
    pub(crate) errno: i32,
    /// What an administrator can do.
    pub(crate) cure: String,
}

impl Unable {
    /// A system call failed.
    pub(crate) fn new(step: impl Into<String>, errno: Errno, cure: impl Into<String>) -> Self {
        Self { step: step.into(), errno: errno.raw_os_error(), cure: cure.into() }
    }
}

/// What pid 1 inside does: it is given the lab's socket, the pipe on which it waits for its start, and whether stage 0 is
/// the machine's root. Its return value is its exit status.
pub(crate) type Inside = fn(&OwnedFd, OwnedFd, bool) -> i32;

/// `lab-agent serve` and `lab-agent transitions`, with a connected stream socket as descriptor 0. Returns the exit status.
pub(crate) fn serve(inside: Inside) -> i32 {
    // It has another number afterwards, and 0 is /dev/null.
    let Some(socket) = exec::inherited(0).and_then(|socket| quiet_process(&socket).ok()) else { return 2 };
    match sandbox(&socket, inside) {
        Ok(()) => 0,
        Err(Unable { step, errno, cure }) => {
            // If this fails as well, the lab sees the end of the stream and says so.
            let _ = frame::send(&socket, &Greeting::Unable { step, errno, cure });
            1
        }
    }
}

fn sandbox(socket: &OwnedFd, inside: Inside) -> Result<(), Unable> {
    let (go, wait) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(|errno| Unable::new("make a socket pair", errno, UNEXPECTED))?;
    let as_root = rustix::process::geteuid().is_root();
    let mut namespaces =
        libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    if !as_root {
        namespaces |= libc::CLONE_NEWUSER;
    }
    let mut stack = Stack::new(1024 * 1024);
    // The child has a copy of everything, so it drops its copy of `go`, and sees the end of the stream if stage 0 dies.
    let mut ends = Some((go, wait));
    let child = clone::clone(namespaces, &mut stack, || match ends.take() {
        Some((go, wait)) => {
            drop(go);
            inside(socket, wait, as_root)
        }
        None => 1,
    })
    .map_err(|errno| {
        let cure = cure::of_namespaces(errno, as_root, cure::apparmor_restricts());
        Unable::new("clone(2) with new mount, process, network, ipc and uts namespaces", errno, cure)
    })?;
    let Some((go, _)) = ends else { return Ok(()) };
    let child = Sandbox(child);
    if !as_root {
        subordinate::map_ids(child.0.pid)?;
    }
    rustix::io::write(&go, b"!").map_err(|errno| Unable::new("release stage 1", errno, UNEXPECTED))?;
    watch(socket, go, &child.0).map_err(|errno| Unable::new("wait for the lab or stage 1 to end", errno, UNEXPECTED))
}

/// Stage 1; dropping it ends everything inside.
struct Sandbox(Child);

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Either call fails only if stage 1 has ended already. waitid returns after every process inside has ended too.
        let _ = pidfd_send_signal(&self.0.pidfd, Signal::KILL);
        let _ = waitid(WaitId::PidFd(self.0.pidfd.as_fd()), WaitIdOptions::EXITED);
    }
}

/// Own session without a terminal (a subject could type into the user's), no inherited descriptors, no inherited signal
/// state. Returns the socket under another number, closed on exec; descriptors 0 and 1 are /dev/null from then on, 2 stays
/// for messages of the runtime.
fn quiet_process(socket: &OwnedFd) -> Result<OwnedFd, Errno> {
    exec::close_from(3)?;
    let moved = rustix::io::fcntl_dupfd_cloexec(socket, 3)?;
    let null = rustix::fs::open(c"/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())?;
    exec::place(null.as_fd(), 0)?;
    exec::place(null.as_fd(), 1)?;
    // Fails only for the leader of a process group, which has no terminal to lose if it leads its session.
    let _ = rustix::process::setsid();
    for signal in 1..=signals::LAST {
        // Fails for SIGKILL and SIGSTOP, which cannot be ignored anyway.
        let _ = signals::set_ignored(signal, false);
    }
    signals::set_mask(0)?;
    Ok(moved)
}

/// Sweeps up behind stage 1 until the lab's end of the socket is closed or stage 1 has ended.
fn watch(socket: &OwnedFd, leavings: OwnedFd, child: &Child) -> Result<(), Errno> {
    let mut leavings = Some(leavings);
    loop {
        let mut fds = vec![PollFd::new(socket, PollFlags::RDHUP), PollFd::new(&child.pidfd, PollFlags::IN)];
        fds.extend(leavings.iter().map(|leavings| PollFd::new(leavings, PollFlags::IN)));
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        let happened: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        match happened.as_slice() {
            [false, false, true] => leavings = leavings.take().filter(sweep),
            [false, false, ..] => {}
            _ => return Ok(()),
        }
    }
}
