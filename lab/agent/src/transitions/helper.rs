//! A process that does one thing, and then only waits until nobody needs it any more.

use crate::sys::clone::{Child, Stack, clone};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use std::os::fd::AsFd;

/// The process; dropped, it is killed and reaped.
pub(super) struct Helper(Child);

impl Helper {
    /// Starts a process that runs `body`, and waits until it has.
    ///
    /// # Errors
    /// Those of clone(2) and of `body`; EPIPE if it ended without an answer.
    pub(super) fn start(stack: &mut Stack, body: impl FnOnce() -> Result<(), Errno>) -> Result<Self, Errno> {
        let (ready, done) = pipe_with(PipeFlags::CLOEXEC)?;
        // The child's copy is its own to close; the parent's must not keep the pipe open if the child dies.
        let mut done = Some(done);
        let child = clone(0, stack, || {
            let number = body().err().map_or(0, Errno::raw_os_error);
            if let Some(done) = done.take() {
                let _ = rustix::io::write(&done, &number.to_le_bytes());
            }
            loop {
                let _ = rustix::event::poll(&mut [], None);
            }
        })?;
        let helper = Self(child);
        drop(done);
        let mut number = [0; 4];
        match rustix::io::read(&ready, &mut number)? {
            4 => {}
            _ => return Err(Errno::PIPE),
        }
        match i32::from_le_bytes(number) {
            0 => Ok(helper),
            errno => Err(Errno::from_raw_os_error(errno)),
        }
    }

    /// Its number.
    pub(super) fn pid(&self) -> Pid {
        self.0.pid
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Either fails only if the process has ended already.
        let _ = pidfd_send_signal(&self.0.pidfd, Signal::KILL);
        let _ = waitid(WaitId::PidFd(self.0.pidfd.as_fd()), WaitIdOptions::EXITED);
    }
}
