//! What a launcher with memory of its own asks stage 1 for, on a socket that exec closes: things which only somebody else
//! can do for it.

use super::faults::{FileId, Supervisor};
use super::tracer::Tracer;
use crate::idmaps::{self, Kind};
use lab_invocation::Invocation;
use lab_invocation::evidence::InvokerState;
use lab_invocation::invocation;
use libc::c_long;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::process::{ForeignRawFd, PidfdGetfdFlags, pidfd_getfd};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use crate::sys::clone::Child;

/// A request; on the wire it is one packet: its number and an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Write the id maps of the user namespace which the launcher has just made.
    MapIds,
    /// Trace the launcher.
    Trace,
    /// Take the listener of the system call filter, which has this number in the launcher.
    Listen(RawFd),
}

/// The two ends.
pub(super) fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// The launcher's side: asks and waits. With a call that is not among the watched ones, because nobody answers these
/// before stage 1 has taken the listener; nothing receives with recvfrom(2) but this.
pub(super) fn ask(link: BorrowedFd<'_>, request: Request, watched: &[c_long]) -> Result<(), Errno> {
    let (number, argument) = match request {
        Request::MapIds => (1, 0),
        Request::Trace => (2, 0),
        Request::Listen(fd) => (3, fd),
    };
    let mut packet = [0; 8];
    packet[..4].copy_from_slice(&i32::to_ne_bytes(number));
    packet[4..].copy_from_slice(&argument.to_ne_bytes());
    if watched.contains(&libc::SYS_sendto) {
        rustix::io::write(link, &packet)?;
    } else {
        rustix::net::send(link, &packet, SendFlags::NOSIGNAL)?;
    }
    let mut answer = [0; 4];
    match rustix::net::recv(link, &mut answer, RecvFlags::empty())? {
        (4, _) => match i32::from_ne_bytes(answer) {
            0 => Ok(()),
            errno => Err(Errno::from_raw_os_error(errno)),
        },
        _ => Err(Errno::CONNRESET),
    }
}

/// Stage 1's side.
pub(super) struct Link<'a> {
    pub(super) socket: OwnedFd,
    invocation: &'a Invocation,
    proc: BorrowedFd<'a>,
    /// Text of the sandbox's own maps: what can be mapped further.
    maps: (&'a str, &'a str),
    /// Texts of the invoker's maps, once they were written.
    pub(super) invoker_maps: Option<(String, String)>,
    /// The listener's supervisor, once there is one.
    pub(super) supervisor: Option<Supervisor<'a>>,
    tracer: Option<Tracer>,
    traced: bool,
}

impl<'a> Link<'a> {
    /// For one case. `maps` are the sandbox's uid_map and gid_map.
    pub(super) fn new(
        socket: OwnedFd,
        invocation: &'a Invocation,
        proc: BorrowedFd<'a>,
        maps: (&'a str, &'a str),
    ) -> Self {
        Self { socket, invocation, proc, maps, invoker_maps: None, supervisor: None, tracer: None, traced: false }
    }

    /// Serves one request; false at the end of the stream, that is, when the launcher has executed the subject or ended.
    pub(super) fn serve(&mut self, child: &Child, subject: Option<FileId>) -> bool {
        let mut packet = [0; 8];
        match rustix::net::recv(&self.socket, &mut packet, RecvFlags::DONTWAIT) {
            Ok((8, _)) => {}
            Err(Errno::AGAIN | Errno::INTR) => return true,
            Ok(_) | Err(_) => return false,
        }
        let word = |at| packet.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_ne_bytes);
        let result = match word(0) {
            1 => self.map_ids(child),
            2 => self.trace(child),
            3 => self.listen(child, word(4), subject),
            _ => Err(Errno::INVAL),
        };
        let answer = result.map_or_else(|errno| errno.raw_os_error(), |()| 0);
        // Fails only if the launcher has ended, which the watch sees.
        let _ = rustix::net::send(&self.socket, &answer.to_ne_bytes(), SendFlags::NOSIGNAL);
        true
    }

    /// Ends the tracer.
    pub(super) fn end_tracer(&mut self) {
        self.tracer = None;
    }

    /// Adds what was seen to the launcher's state.
    pub(super) fn finish(self, invoker: &mut InvokerState) {
        invoker.traced = self.traced;
        if let Some((uid_map, gid_map)) = self.invoker_maps {
            invoker.uid_map = uid_map;
            invoker.gid_map = gid_map;
        }
    }

    fn map_ids(&mut self, child: &Child) -> Result<(), Errno> {
        let transition = &self.invocation.transition;
        let users = transition.unmapped_uids.iter().map(|uid| uid.as_raw()).collect();
        let groups = transition.unmapped_gids.iter().map(|gid| gid.as_raw()).collect();
        idmaps::write(self.proc, child.pid, Kind::Users, &idmaps::all_but(self.maps.0, &users))?;
        idmaps::write(self.proc, child.pid, Kind::Groups, &idmaps::all_but(self.maps.1, &groups))?;
        let read = |kind| idmaps::read(self.proc, child.pid, kind);
        self.invoker_maps = Some((read(Kind::Users)?, read(Kind::Groups)?));
        Ok(())
    }

    fn trace(&mut self, child: &Child) -> Result<(), Errno> {
        let invoker = match self.invocation.transition.tracer {
            Some(invocation::Tracer::Invoker) => Some(&self.invocation.identity),
            Some(invocation::Tracer::Root) | None => None,
        };
        self.tracer = Some(Tracer::start(child.pid, invoker)?);
        let status = idmaps::read_file(self.proc, child.pid, "status")?;
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        self.traced = tracer.is_some_and(|pid| pid.trim() != "0");
        Ok(())
    }

    fn listen(&mut self, child: &Child, number: RawFd, subject: Option<FileId>) -> Result<(), Errno> {
        let listener = pidfd_getfd(&child.pidfd, number as ForeignRawFd, PidfdGetfdFlags::empty())?;
        let subject = subject.ok_or(Errno::NOENT)?;
        self.supervisor = Some(Supervisor::new(listener, self.proc, subject, &self.invocation.faults));
        Ok(())
    }
}
