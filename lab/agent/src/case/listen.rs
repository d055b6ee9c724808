//! Witnesses that nobody here has started: a mail or web server did, some time after it was asked to.

use super::now_ns;
use super::watch::HEARING_NS;
use lab_invocation::protocol::MAX_FRAME;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use serde::de::DeserializeOwned;
use std::os::fd::OwnedFd;

/// Waits for a witness on a listening socket, and returns every report that came until it was heard, and how many began one
/// and did not end it. Neither if the time was up before anybody came.
///
/// Who has come has as long for his report as in a case, however little of the patience is left: that somebody was there is
/// never lost.
pub(crate) fn listen<T: DeserializeOwned>(witnesses: &OwnedFd, patience_ms: u32) -> (Vec<T>, u32) {
    let end = now_ns().saturating_add(u64::from(patience_ms) * 1_000_000);
    let (mut heard, mut unfinished) = (Vec::new(), 0);
    while heard.is_empty() && unfinished == 0 && ready(witnesses, end) {
        while let Ok(witness) = rustix::net::accept_with(witnesses, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            match hear(&witness, now_ns().saturating_add(HEARING_NS)) {
                Some(report) => heard.push(report),
                None => unfinished += 1,
            }
        }
    }
    (heard, unfinished)
}

/// One report; none from a witness that does not end it in time.
fn hear<T: DeserializeOwned>(witness: &OwnedFd, end: u64) -> Option<T> {
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

#[cfg(test)]
mod tests {
    use super::listen;
    use crate::frame;
    use std::io::Write;
    use std::os::fd::OwnedFd;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
    use std::time::Duration;

    /// How long is listened, in milliseconds.
    const PATIENCE: u32 = 100;

    /// A socket without a file, by a name that no other test has.
    fn listener() -> UnixListener {
        let name = format!("lab-listen-{}-{:?}", std::process::id(), std::thread::current().id());
        let listener =
            UnixListener::bind_addr(&SocketAddr::from_abstract_name(name).expect("a name")).expect("a socket");
        listener.set_nonblocking(true).expect("a flag");
        listener
    }

    /// What comes of one who does this with his connection.
    fn of(witness: impl FnOnce(UnixStream) + Send + 'static) -> (Vec<u32>, u32) {
        let listener = listener();
        let connected = UnixStream::connect_addr(&listener.local_addr().expect("a name")).expect("it listens");
        let other = std::thread::spawn(move || witness(connected));
        let heard = listen(&OwnedFd::from(listener), PATIENCE);
        other.join().expect("it ends");
        heard
    }

    #[test]
    fn who_has_come_is_heard_out_when_the_time_is_up() {
        let report = |stream: UnixStream| {
            // Longer than is listened for somebody to come.
            std::thread::park_timeout(Duration::from_millis(u64::from(PATIENCE) * 3));
            frame::send(&stream, &7_u32).expect("it is read");
        };
        assert_eq!(of(report), (vec![7], 0));
    }

    #[test]
    fn who_does_not_end_his_report_is_counted() {
        assert_eq!(of(drop), (Vec::new(), 1), "he left");
        assert_eq!(of(|mut stream| stream.write_all(&[4, 0]).expect("it is read")), (Vec::new(), 1), "it was cut off");
    }

    #[test]
    fn nobody_came() {
        assert_eq!(listen::<u32>(&OwnedFd::from(listener()), 1), (Vec::new(), 0));
    }
}
