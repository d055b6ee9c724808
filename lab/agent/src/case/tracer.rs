//! A process that traces the launcher across its exec, as the invoker or as root. See ptrace(2) and, for what it does to
//! set-id programs, execve(2).

use super::wait_for;
use crate::sys::clone::{Child, Stack, clone};
use crate::sys::{exec, ptrace};
use lab_invocation::Identity;
use rustix::fs::{Gid, Uid};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, Signal, WaitOptions, pidfd_send_signal, waitpid};
use std::os::fd::AsFd;

/// A tracer; dropping it ends it.
pub(super) struct Tracer(Child);

impl Tracer {
    /// Starts one with the ids of `invoker`, or as root, and returns once it traces.
    pub(super) fn start(tracee: Pid, invoker: Option<&Identity>) -> Result<Self, Errno> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let mut stack = Stack::new(64 * 1024);
        let tracer = Self(clone(0, &mut stack, || {
            // Nothing but the answer: copies of the subject's pipes must not stay open here.
            if exec::place(theirs.as_fd(), 3).is_err() || exec::close_from(4).is_err() {
                return 1;
            }
            let seized = invoker.map_or(Ok(()), become_invoker).and_then(|()| ptrace::seize(tracee));
            let answer = seized.map_or_else(|errno| errno.raw_os_error(), |()| 0);
            let told = exec::inherited(3).map(|socket| rustix::io::write(socket, &answer.to_ne_bytes()));
            if seized.is_ok() && matches!(told, Some(Ok(_))) {
                pass_signals_on(tracee);
            }
            0
        })?);
        drop(theirs);
        let mut answer = [0; 4];
        match rustix::io::read(&ours, &mut answer)? {
            4 => match i32::from_ne_bytes(answer) {
                0 => Ok(tracer),
                errno => Err(Errno::from_raw_os_error(errno)),
            },
            _ => Err(Errno::CHILD),
        }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // Either fails only if it has ended and was reaped.
        let _ = pidfd_send_signal(&self.0.pidfd, Signal::KILL);
        let _ = wait_for(&self.0.pidfd);
    }
}

fn become_invoker(identity: &Identity) -> Result<(), Errno> {
    let groups: Vec<Gid> = identity.groups.iter().map(|gid| Gid::from_raw(gid.as_raw())).collect();
    rustix::thread::set_thread_groups(&groups)?;
    let gid = Gid::from_raw(identity.gid.as_raw());
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    let uid = Uid::from_raw(identity.uid.as_raw());
    rustix::thread::set_thread_res_uid(uid, uid, uid)
}

/// Lets every signal reach the tracee, as if nobody traced it, until it ends.
fn pass_signals_on(tracee: Pid) {
    /// PTRACE_EVENT_STOP of ptrace(2): a stop of the whole group, which delivers no signal.
    const GROUP_STOP: i32 = 128;
    loop {
        match waitpid(Some(tracee), WaitOptions::empty()) {
            Ok(Some((_, status))) if status.stopped() => {
                let signal =
                    if status.as_raw() >> 16 == GROUP_STOP { 0 } else { status.stopping_signal().unwrap_or(0) };
                // Fails only if it was killed meanwhile, which the next round sees.
                let _ = ptrace::resume(tracee, signal);
            }
            Ok(_) | Err(Errno::INTR) => {
                if matches!(rustix::process::test_kill_process(tracee), Err(Errno::SRCH)) {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}
