//! Delivers a refusal: first to syslog, then once to whoever started the program.
//!
//! Neither can hold the program up, and neither needs memory, as a limit on that can be what is refused.

pub(crate) mod text;

use crate::policy::Kind;
use crate::refusal::{Line, Refusal};
use crate::sys::{STANDARD_ERROR, STANDARD_OUTPUT};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::write;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixDatagram;
use text::Text;

/// Where syslogd listens: syslog(3).
const SYSLOG: &str = "/dev/log";

/// Longest wait for standard error or output, in seconds.
const PATIENCE: i64 = 1;

/// Tells it to the administrator, and to the mail server on standard error or the web server as a page.
pub fn deliver(refusal: &Refusal<'_>, kind: Kind) {
    let line = refusal.line(kind);
    // A machine without syslogd, as a container, is no fault; and there is nowhere to tell of another.
    let _ = to_syslog(Text::log_entry(&line).as_bytes());
    match kind {
        Kind::Mail => offer(STANDARD_ERROR, Text::diagnostic(&line).as_bytes()),
        Kind::Cgi => offer_page(&line),
    }
}

/// Apart, so that the mail wrapper need not have room for it on its stack, which can be what is too small.
#[inline(never)]
fn offer_page(line: &Line) {
    offer(STANDARD_OUTPUT, Text::page(line).as_bytes());
}

fn to_syslog(entry: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(entry, SYSLOG).map(drop)
}

/// One write, if the descriptor takes it within [`PATIENCE`].
///
/// O_NONBLOCK would be simpler, but belongs to the open file description, which the caller and others use as well.
/// select(2) where poll(2) would be usual: that fails as soon as RLIMIT_NOFILE is 0.
fn offer(descriptor: BorrowedFd<'_>, text: &[u8]) {
    let mut writable = FdSet::new();
    writable.insert(descriptor);
    let mut patience = TimeVal::seconds(PATIENCE);
    if select(None, None, &mut writable, None, &mut patience) == Ok(1) {
        // Whoever started the program has stopped listening, or has not: it ends either way.
        let _ = write(descriptor, text);
    }
}

#[cfg(test)]
mod tests {
    use super::offer;
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::time::{Duration, Instant};

    #[test]
    fn a_pipe_with_room_gets_the_text() {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        offer(writer.as_fd(), b"refused\n");
        drop(writer);
        let mut got = String::new();
        reader.read_to_string(&mut got).expect("read");
        assert_eq!(got, "refused\n");
    }

    #[test]
    fn a_full_pipe_is_given_up_after_a_second_and_stays_as_it_was() {
        let (_reader, mut writer) = std::io::pipe().expect("pipe");
        let flags = fcntl(&writer, FcntlArg::F_GETFL).expect("flags");
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK)).expect("non-blocking");
        while writer.write(&[0; 4096]).is_ok() {}
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::from_bits_retain(flags))).expect("blocking again");

        let start = Instant::now();
        offer(writer.as_fd(), b"refused\n");
        assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&start.elapsed()));
        assert_eq!(fcntl(&writer, FcntlArg::F_GETFL).expect("flags"), flags);
    }

    #[test]
    fn nobody_at_the_other_end_is_no_harm() {
        let (reader, writer) = std::io::pipe().expect("pipe");
        drop(reader);
        // The test process ignores SIGPIPE, as `make_safe` does.
        offer(writer.as_fd(), b"refused\n");
    }
}
