//! Stage 1 while the subject runs: takes in outputs (bounded, but always drained), syslog datagrams and witness reports,
//! feeds standard input, and ends the subject at its deadline.

use super::descriptors::Ends;
use super::link::Link;
use super::progress::Progress;
use super::{Child, now_ns};
use lab_invocation::Bytes;
use lab_invocation::evidence::{Capture, End, Evidence, InvokerState, WitnessReport};
use lab_invocation::protocol::MAX_FRAME;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketFlags};
use rustix::process::{Pid, Signal, pidfd_send_signal};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How many witnesses of one case are listened to.
const MAX_WITNESSES: usize = 64;

/// How much is read at once, in bytes: more than any datagram.
const BUFFER: usize = 64 * 1024;
/// How long a subject runs before its outputs are taken in as they come, in nanoseconds.
const BRIEF_NS: u64 = 2_000_000;

/// How long what a subject has left running may go on, in nanoseconds.
const GRACE_NS: u64 = 100_000_000;
/// How long a witness that somebody else has started may take to finish its report, in nanoseconds.
pub(super) const HEARING_NS: u64 = 2_000_000_000;
/// How often it is looked whether it has ended, in nanoseconds.
const GRACE_STEP_NS: u64 = 2_000_000;

/// A witness that has connected.
struct Witness {
    socket: Option<OwnedFd>,
    pid: Option<Pid>,
    received: Vec<u8>,
}

/// The state of one watch.
pub(super) struct Watch<'a> {
    ends: Ends,
    stdout: Capture,
    stderr: Capture,
    listener: &'a OwnedFd,
    log: &'a OwnedFd,
    witnesses: Vec<Witness>,
    syslog: Vec<Bytes>,
    syslog_total: u64,
    timed_out: bool,
    buffer: Vec<u8>,
    progress: &'static Progress,
    link: Option<Link<'a>>,
    /// Whether the launcher still holds its end of the link.
    launching: bool,
}

/// Which of the watched descriptors an event belongs to.
#[derive(Clone, Copy)]
enum Event {
    Ended,
    Stdout,
    Stderr,
    Stdin,
    Terminal,
    User,
    Log,
    Connection,
    Witness(usize),
    Link,
    Call,
}

impl<'a> Watch<'a> {
    /// Watches the given ends, the sandbox's witness listener, the layout's log, and the launcher's link if it has one.
    pub(super) fn new(
        ends: Ends,
        listener: &'a OwnedFd,
        log: &'a OwnedFd,
        progress: &'static Progress,
        link: Option<Link<'a>>,
        mut buffer: Vec<u8>,
    ) -> Self {
        buffer.resize(BUFFER, 0);
        Self {
            progress,
            launching: link.is_some(),
            link,
            ends,
            stdout: Capture::default(),
            stderr: Capture::default(),
            listener,
            log,
            witnesses: Vec::new(),
            syslog: Vec::new(),
            syslog_total: 0,
            timed_out: false,
            buffer,
        }
    }

    /// Serves everything until the subject has ended, or kills it at its deadline. `chores` are done first, while it runs.
    pub(super) fn until_end(&mut self, child: &Child, deadline_ms: u32, chores: impl FnOnce()) {
        let deadline = now_ns().saturating_add(u64::from(deadline_ms) * 1_000_000);
        chores();
        // Most subjects end at once, and what they write fits into the buffers of pipes and sockets: being woken up for
        // each of their writes would cost more than they do.
        if self.link.is_none() && self.ends.stdin.is_none() && self.ends.user.is_none() {
            let mut end = [PollFd::new(&child.pidfd, PollFlags::IN)];
            let brief = timespec(BRIEF_NS.min(u64::from(deadline_ms) * 1_000_000));
            if matches!(poll(&mut end, Some(&brief)), Ok(1)) {
                return;
            }
        }
        loop {
            let left = deadline.saturating_sub(now_ns());
            if left == 0 && !self.timed_out {
                self.timed_out = true;
                // Fails only if it has just ended, which the next round sees.
                let _ = pidfd_send_signal(&child.pidfd, Signal::KILL);
            }
            let timeout = (!self.timed_out).then(|| timespec(left));
            let (ended, events) = self.wait(Some(&child.pidfd), timeout.as_ref());
            for event in events {
                self.serve(event, child);
            }
            if ended {
                return;
            }
        }
    }

    /// How the subject ended.
    pub(super) fn end_of(&self, child: &Child) -> Result<End, Errno> {
        let status = super::wait_for(&child.pidfd)?;
        if self.timed_out {
            return Ok(End::TimedOut);
        }
        if let Some(signal) = status.terminating_signal() {
            return Ok(End::Signaled { signal: signal.unsigned_abs(), core: status.dumped() });
        }
        let code = status.exit_status().and_then(|code| u8::try_from(code & 0xff).ok());
        code.map(End::Exited).ok_or(Errno::CHILD)
    }

    /// Ends the tracer, which is not the subject's and must not be taken for what it left behind.
    pub(super) fn end_tracer(&mut self) {
        if let Some(link) = &mut self.link {
            link.end_tracer();
        }
    }

    /// Goes on serving for a moment what the subject has left running: a script that it started in the background must be
    /// heard, or it would look as if none had started.
    pub(super) fn grace(&mut self, child: &Child) {
        let end = now_ns() + GRACE_NS;
        while super::strays::reap() && now_ns() < end {
            let (_, events) = self.wait(None, Some(&timespec(GRACE_STEP_NS)));
            for event in events {
                self.serve(event, child);
            }
        }
    }

    /// Ends the answers to system calls, and adds what was seen of the launcher to its state.
    pub(super) fn let_go(&mut self, invoker: &mut InvokerState) {
        if let Some(link) = self.link.take() {
            link.finish(invoker);
        }
    }

    /// Takes what is left once every process of the case is gone: nothing here can block.
    pub(super) fn drain(&mut self) {
        while self.read_output(Event::Stdout) {}
        while self.read_output(Event::Stderr) {}
        while self.read_output(Event::Terminal) {}
        while self.read_log() {}
        while self.accept() {}
        for index in 0..self.witnesses.len() {
            while self.read_witness(index) {}
        }
    }

    /// Hears witnesses out that are still alive, because somebody else has started them; all others are dead by now.
    pub(super) fn hear_out(&mut self, child: &Child) {
        let end = now_ns() + HEARING_NS;
        while self.witnesses.iter().any(|witness| witness.socket.is_some()) && now_ns() < end {
            let (_, events) = self.wait(None, Some(&timespec(GRACE_STEP_NS)));
            for event in events {
                self.serve(event, child);
            }
        }
    }

    /// Hands everything over, and the buffer back.
    pub(super) fn deliver(self, subject: Pid, evidence: &mut Evidence) -> Vec<u8> {
        evidence.stdout = self.stdout;
        evidence.stderr = self.stderr;
        evidence.syslog = self.syslog;
        evidence.syslog_total = self.syslog_total;
        for witness in self.witnesses {
            let body = witness.received.get(4..).unwrap_or_default();
            match postcard::from_bytes::<WitnessReport>(body) {
                Ok(mut report) => {
                    report.same_process = witness.pid == Some(subject);
                    evidence.witness.push(report);
                }
                Err(_) => evidence.witness_unfinished += 1,
            }
        }
        self.buffer
    }

    /// Waits for something to happen: whether the subject has ended, and what else.
    fn wait(&self, pidfd: Option<&OwnedFd>, timeout: Option<&Timespec>) -> (bool, Vec<Event>) {
        let mut sources: Vec<(Event, BorrowedFd<'_>, PollFlags)> = vec![
            (Event::Log, self.log.as_fd(), PollFlags::IN),
            (Event::Connection, self.listener.as_fd(), PollFlags::IN),
        ];
        sources.extend(pidfd.map(|pidfd| (Event::Ended, pidfd.as_fd(), PollFlags::IN)));
        let readers = [
            (Event::Stdout, &self.ends.stdout),
            (Event::Stderr, &self.ends.stderr),
            (Event::Terminal, &self.ends.terminal),
        ];
        sources
            .extend(readers.into_iter().filter_map(|(event, fd)| Some((event, fd.as_ref()?.as_fd(), PollFlags::IN))));
        sources.extend(self.ends.user.iter().map(|user| (Event::User, user.as_fd(), PollFlags::IN)));
        if let Some((writer, _)) = &self.ends.stdin {
            sources.push((Event::Stdin, writer.as_fd(), PollFlags::OUT));
        }
        if let Some(link) = &self.link {
            if self.launching {
                sources.push((Event::Link, link.socket.as_fd(), PollFlags::IN));
            }
            sources.extend(link.supervisor.iter().map(|s| (Event::Call, s.listener.as_fd(), PollFlags::IN)));
        }
        let witnesses = self.witnesses.iter().enumerate();
        sources.extend(
            witnesses
                .filter_map(|(i, witness)| Some((Event::Witness(i), witness.socket.as_ref()?.as_fd(), PollFlags::IN))),
        );
        let mut fds: Vec<_> = sources.iter().map(|(_, fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
        if poll(&mut fds, timeout).is_err() {
            return (false, Vec::new());
        }
        let ready = fds.iter().zip(&sources).filter(|(fd, _)| !fd.revents().is_empty()).map(|(_, (event, ..))| *event);
        let mut ended = false;
        let events = ready
            .filter(|event| {
                let end = matches!(event, Event::Ended);
                ended |= end;
                !end
            })
            .collect();
        (ended, events)
    }

    fn serve(&mut self, event: Event, child: &Child) {
        match event {
            Event::Ended => {}
            Event::Link => {
                let subject = self.progress.file_id();
                self.launching = self.link.as_mut().is_some_and(|link| link.serve(child, subject));
            }
            Event::Call => {
                if let Some(supervisor) = self.link.as_mut().and_then(|link| link.supervisor.as_mut()) {
                    supervisor.serve();
                }
            }
            Event::Stdout | Event::Stderr | Event::Terminal => {
                self.read_output(event);
            }
            Event::Stdin => self.feed(),
            Event::User => self.type_in(),
            Event::Log => {
                self.read_log();
            }
            Event::Connection => {
                self.accept();
            }
            Event::Witness(index) => {
                self.read_witness(index);
            }
        }
    }

    /// Reads once; whether there may be more.
    fn read_output(&mut self, which: Event) -> bool {
        let user = &self.ends.user;
        let (end, capture) = match which {
            Event::Stdout => (&mut self.ends.stdout, Some(&mut self.stdout)),
            Event::Stderr => (&mut self.ends.stderr, Some(&mut self.stderr)),
            _ => (&mut self.ends.terminal, None),
        };
        let Some(fd) = end else { return false };
        match rustix::io::read(&*fd, self.buffer.as_mut_slice()) {
            Ok(count) if count > 0 => {
                let bytes = self.buffer.get(..count).unwrap_or_default();
                match (capture, user) {
                    (Some(capture), _) => take(capture, bytes),
                    // A user who has closed his terminal ends the lab, and that ends this.
                    (None, Some(user)) => drop(crate::write_all(user, bytes)),
                    (None, None) => {}
                }
                true
            }
            Err(Errno::INTR) => true,
            Err(Errno::AGAIN) => false,
            // The end of the stream; EIO is how a terminal says it.
            Ok(_) | Err(_) => {
                *end = None;
                false
            }
        }
    }

    /// What the user types goes to the shell's terminal.
    fn type_in(&mut self) {
        let (Some(user), Some(terminal)) = (&self.ends.user, &self.ends.terminal) else { return };
        match rustix::io::read(user, self.buffer.as_mut_slice()) {
            Ok(count) if count > 0 => {
                // Of more than its line discipline holds the terminal keeps what it can, as any does.
                let _ = rustix::io::write(terminal, self.buffer.get(..count).unwrap_or_default());
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(_) | Err(_) => self.ends.user = None,
        }
    }

    fn feed(&mut self) {
        let Some((writer, rest)) = &mut self.ends.stdin else { return };
        match rustix::io::write(&*writer, rest) {
            Ok(count) if count < rest.len() => {
                rest.drain(..count);
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            // All written, or nobody reads any more.
            Ok(_) | Err(_) => self.ends.stdin = None,
        }
    }

    fn read_log(&mut self) -> bool {
        let Ok((count, _)) = rustix::net::recv(self.log, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT) else {
            return false;
        };
        self.syslog_total += 1;
        if self.syslog.len() < Evidence::SYSLOG_LIMIT {
            self.syslog.push(self.buffer.get(..count).unwrap_or_default().into());
        }
        true
    }

    fn accept(&mut self) -> bool {
        let Ok(socket) = rustix::net::accept_with(self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) else {
            return false;
        };
        if self.witnesses.len() < MAX_WITNESSES {
            let pid = rustix::net::sockopt::socket_peercred(&socket).ok().map(|peer| peer.pid);
            self.witnesses.push(Witness { socket: Some(socket), pid, received: Vec::new() });
        }
        true
    }

    fn read_witness(&mut self, index: usize) -> bool {
        let Some(witness) = self.witnesses.get_mut(index) else { return false };
        let Some(socket) = &witness.socket else { return false };
        match rustix::io::read(socket, self.buffer.as_mut_slice()) {
            Ok(count) if count > 0 && witness.received.len() + count <= MAX_FRAME => {
                witness.received.extend_from_slice(self.buffer.get(..count).unwrap_or_default());
                true
            }
            Err(Errno::INTR) => true,
            Err(Errno::AGAIN) => false,
            Ok(_) | Err(_) => {
                witness.socket = None;
                false
            }
        }
    }
}

/// Adds output to a capture.
fn take(capture: &mut Capture, bytes: &[u8]) {
    capture.total += bytes.len() as u64;
    let room = Capture::LIMIT - capture.bytes.0.len();
    capture.bytes.0.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
}

fn timespec(ns: u64) -> Timespec {
    let seconds = i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX);
    Timespec { tv_sec: seconds, tv_nsec: i64::try_from(ns % 1_000_000_000).unwrap_or(0) }
}
