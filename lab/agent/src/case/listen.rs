//! Witnesses that nobody here has started: a mail or web server did, some time after it was asked to.

use super::{Bench, now_ns};
use lab_invocation::evidence::WitnessReport;
use lab_invocation::protocol::MAX_FRAME;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use std::os::fd::OwnedFd;

/// Waits for a witness, and returns every report that came until it was heard. None if the time was up first.
pub(crate) fn listen(bench: &Bench, patience_ms: u32) -> Vec<WitnessReport> {
    let end = now_ns().saturating_add(u64::from(patience_ms) * 1_000_000);
    let mut heard = Vec::new();
    while heard.is_empty() && ready(&bench.witnesses, end) {
        while let Ok(witness) = rustix::net::accept_with(&bench.witnesses, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)
        {
            heard.extend(hear(&witness, end));
        }
    }
    heard
}

/// One report; none from a witness that does not end it in time.
fn hear(witness: &OwnedFd, end: u64) -> Option<WitnessReport> {
    let mut received = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while received.len() <= MAX_FRAME && ready(witness, end) {
        match rustix::io::read(witness, buffer.as_mut_slice()) {
            Ok(0) => return postcard::from_bytes(received.get(4..)?).ok(),
            Ok(count) => received.extend_from_slice(buffer.get(..count)?),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return None,
        }
    }
    None
}

/// Whether something can be read before the time is up.
fn ready(socket: &OwnedFd, end: u64) -> bool {
    let left = end.saturating_sub(now_ns());
    let (seconds, rest) = (i64::try_from(left / 1_000_000_000), i64::try_from(left % 1_000_000_000));
    let left = Timespec { tv_sec: seconds.unwrap_or(i64::MAX), tv_nsec: rest.unwrap_or(0) };
    matches!(poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&left)), Ok(1))
}
