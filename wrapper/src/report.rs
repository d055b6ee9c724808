//! Delivers a refusal: first to syslog, then once to whoever started the program. Neither can hold the program up.

use crate::policy::Kind;
use crate::refusal::{Line, Refusal};
use crate::sys::{self, StandardDescriptor};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::write;
use std::os::unix::net::UnixDatagram;

/// Where syslogd listens: syslog(3).
const SYSLOG: &str = "/dev/log";

/// Facility mail (2), severity error (3), as RFC 3164 writes it: 2 × 8 + 3.
const PRIORITY: &[u8] = b"<19>";

/// Longest wait for standard error or output, in seconds.
const PATIENCE: i64 = 1;

/// Most bytes that a pipe which has become writable takes without blocking: PIPE_BUF of pipe(7).
const AT_ONCE: usize = 4096;

/// Tells it to the administrator, and to the mail server on standard error or the web server as a page.
pub fn deliver(refusal: &Refusal<'_>, kind: Kind) {
    let line = refusal.line(kind);
    // A machine without syslogd, as a container, is no fault; there is nowhere to tell of another.
    let _ = to_syslog(&line);
    match kind {
        Kind::Mail => offer(StandardDescriptor::Error, &[line.as_bytes(), b"\n"].concat()),
        Kind::Cgi => offer(StandardDescriptor::Output, &page(&line)),
    }
}

fn to_syslog(line: &Line) -> std::io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(&[PRIORITY, line.as_bytes()].concat(), SYSLOG).map(drop)
}

/// One write, if the descriptor takes it within [`PATIENCE`].
///
/// O_NONBLOCK would be simpler, but belongs to the open file description, which the caller and others use as well.
/// select(2) where poll(2) would be usual: that fails as soon as RLIMIT_NOFILE is 0.
fn offer(descriptor: StandardDescriptor, text: &[u8]) {
    let descriptor = sys::standard(descriptor);
    let mut writable = FdSet::new();
    writable.insert(descriptor);
    let mut patience = TimeVal::seconds(PATIENCE);
    if select(None, None, &mut writable, None, &mut patience) == Ok(1) {
        // Whoever started the program has stopped listening, or has not: it ends either way.
        let _ = write(descriptor, text.get(..AT_ONCE).unwrap_or(text));
    }
}

/// A response of CGI/1.1 (RFC 3875, 6.2): without a status of its own, a server would say 200 OK.
fn page(line: &Line) -> Vec<u8> {
    let mut page = b"Status: 403 Forbidden\r\nContent-Type: text/html; charset=us-ascii\r\n\r\n\
        <!DOCTYPE html>\n<html lang=\"en\"><head><title>403 Forbidden</title></head>\n\
        <body><h1>Forbidden</h1>\n<p>"
        .to_vec();
    for byte in line.as_bytes() {
        match byte {
            b'&' => page.extend_from_slice(b"&amp;"),
            b'<' => page.extend_from_slice(b"&lt;"),
            b'>' => page.extend_from_slice(b"&gt;"),
            b'"' => page.extend_from_slice(b"&quot;"),
            b'\'' => page.extend_from_slice(b"&#39;"),
            other => page.push(*other),
        }
    }
    page.extend_from_slice(b"</p>\n</body></html>\n");
    page
}
