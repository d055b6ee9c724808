//! The agent inside a container that somebody else made: no namespaces of its own, no mounts, no rights to make any.
//!
//! Two processes. `lab-agent hold [PROGRAM [ARGUMENT…]]` is what the container runs: it starts the program, a server that
//! is to be tried, waits for the second process, and ends with it, and the container with that. The second one is
//! `lab-agent contained`, or `lab-agent beside` where a server is, started on the one stream that the lab holds: it ends
//! with the stream. So SIGKILL to the lab, at any moment, ends the container: the engine closes the stream's end when
//! the lab's connection is gone. Should the lab die before it starts the second process, the first one's patience ends.

use crate::frame;
use crate::layout::container::Whose;
use crate::stage0::Unable;
use crate::stage1;
use crate::sys::exec;
use lab_invocation::protocol::Greeting;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::ffi::OsStr;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Abstract unix socket of the container's network namespace on which the holder waits.
const HOLDER: &[u8] = b"lab-holder";
/// How long the holder waits for the lab.
const PATIENCE: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };
/// How often the agent looks for the holder, which an engine starts before it and which need not have come as far.
const ATTEMPTS: u32 = 500;
/// How long it waits from one look to the next.
const STEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// `lab-agent hold`, with the server's program and its arguments, if there is one. Returns the exit status: 0 if the lab
/// came and went, 1 if it never came, 2 if there is no such program.
pub(crate) fn hold(server: &[&[u8]]) -> i32 {
    // Before anything else: who comes early is refused.
    let Ok(socket) = listen(HOLDER) else { return 1 };
    if let Some((program, arguments)) = server.split_first() {
        let arguments = arguments.iter().map(|argument| OsStr::from_bytes(argument));
        // Not waited for: it ends with the container. A group of its own, as from whatever starts servers elsewhere: some
        // send signals to their whole group, as Apache does when it begins anew.
        let mut server = Command::new(OsStr::from_bytes(program));
        let started = server.args(arguments).stdin(Stdio::null()).process_group(0).spawn();
        if started.is_err() {
            return 2;
        }
    }
    match wait_for_the_lab(&socket) {
        Ok(true) => 0,
        Ok(false) | Err(_) => 1,
    }
}

fn listen(name: &[u8]) -> Result<OwnedFd, Errno> {
    let socket = stream()?;
    rustix::net::bind(&socket, &SocketAddrUnix::new_abstract_name(name)?)?;
    rustix::net::listen(&socket, 1)?;
    Ok(socket)
}

fn wait_for_the_lab(socket: &OwnedFd) -> Result<bool, Errno> {
    if !ready(socket, PollFlags::IN, Some(&PATIENCE))? {
        return Ok(false);
    }
    let lab = rustix::net::accept_with(socket, SocketFlags::CLOEXEC)?;
    // Nobody writes to it: it becomes readable when it ends.
    ready(&lab, PollFlags::IN | PollFlags::RDHUP, None)
}

/// Waits; false if the time was up first.
fn ready(socket: &OwnedFd, what: PollFlags, limit: Option<&Timespec>) -> Result<bool, Errno> {
    loop {
        match poll(&mut [PollFd::new(socket, what)], limit) {
            Err(Errno::INTR) => {}
            other => return Ok(other? > 0),
        }
    }
}

/// `lab-agent contained` or `lab-agent beside`, with the stream's two halves as descriptors 0 and 1. Returns the exit
/// status.
pub(crate) fn serve(whose: Whose) -> i32 {
    let Ok((from, to)) = streams() else { return 2 };
    // A session of its own, to which a case's terminal can be given. Fails only if it has one.
    let _ = rustix::process::setsid();
    // Kept open to the end: when it closes, the holder ends the container.
    match reach(HOLDER) {
        Ok(_holder) => stage1::contained(&from, &to, whose),
        Err(errno) => {
            let cure = "start it in a container whose main process is `lab-agent hold`";
            let Unable { step, errno, cure } = Unable::new("reach the container's holder", errno, cure);
            let _ = frame::send(&to, &Greeting::Unable { step, errno, cure });
            1
        }
    }
}

fn reach(name: &[u8]) -> Result<OwnedFd, Errno> {
    let name = SocketAddrUnix::new_abstract_name(name)?;
    let mut attempts = 0;
    loop {
        let socket = stream()?;
        match rustix::net::connect(&socket, &name) {
            // There is no such name yet: unix(7).
            Err(Errno::CONNREFUSED) if attempts < ATTEMPTS => attempts += 1,
            other => return other.map(|()| socket),
        }
        poll(&mut [], Some(&STEP))?;
    }
}

fn stream() -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

/// Takes the two halves under other numbers, closed on exec; 0 and 1 are /dev/null from then on.
fn streams() -> Result<(OwnedFd, OwnedFd), Errno> {
    exec::close_from(3)?;
    let first = exec::inherited(0).ok_or(Errno::BADF)?;
    let second = exec::inherited(1).ok_or(Errno::BADF)?;
    let from = rustix::io::fcntl_dupfd_cloexec(&first, 3)?;
    let to = rustix::io::fcntl_dupfd_cloexec(&second, 3)?;
    let null = rustix::fs::open(c"/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())?;
    exec::place(null.as_fd(), 0)?;
    exec::place(null.as_fd(), 1)?;
    // The two numbers are open on something else now, which their owners must not close.
    let _ = (first.into_raw_fd(), second.into_raw_fd());
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::{listen, reach};
    use rustix::net::accept;

    /// An engine says that the holder has started when it has not yet begun to listen.
    #[test]
    fn an_agent_that_is_early_waits_for_the_holder() {
        let name = format!("lab-holder-of-test-{}", std::process::id());
        std::thread::scope(|scope| {
            let agent = scope.spawn(|| reach(name.as_bytes()));
            std::thread::park_timeout(std::time::Duration::from_millis(50));
            let holder = listen(name.as_bytes()).expect("a name of its own");
            accept(&holder).expect("it comes");
            assert!(agent.join().expect("no panic").is_ok());
        });
    }
}
