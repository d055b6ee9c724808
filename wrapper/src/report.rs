//! Delivers a refusal: first to syslog, then once to whoever started the program.
//!
//! Neither can hold the program up, and neither needs memory, as a limit on that can be what is refused.

pub mod page;

use crate::policy::Kind;
use crate::refusal::{Line, Refusal};
use crate::sys::{STANDARD_ERROR, STANDARD_OUTPUT};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::write;
use std::io::{self, Cursor};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

/// Where syslogd listens: syslog(3).
const SYSLOG: &str = "/dev/log";

/// Longest wait for standard error or output, or for syslogd where it is waited for, in seconds.
const PATIENCE: i64 = 1;

/// Tells it to the administrator, and to the mail server on standard error or the web server as a page.
pub fn deliver(refusal: &Refusal<'_>, kind: Kind) {
    let line = refusal.line(kind);
    log(&line);
    match kind {
        Kind::Mail | Kind::Queue => tell(&line),
        Kind::Cgi => offer_page(&line),
    }
}

/// Tells it to the administrator.
pub fn log(line: &Line) {
    // A machine without syslogd, as a container, is no fault; and there is nowhere to tell of another.
    let _ = to_syslog(Path::new(SYSLOG), line.log_entry());
}

/// Tells it to the administrator, one line of many: syslogd is waited for, at most [`PATIENCE`], because the kernel keeps ten
/// lines for it (unix(7), max_dgram_qlen). For programs that nobody waits for.
pub fn log_in_turn(line: &Line) {
    // As above.
    let _ = to_syslog_in_turn(Path::new(SYSLOG), line.log_entry());
}

/// Tells it to whoever started the program, on standard error.
pub fn tell(line: &Line) {
    offer(STANDARD_ERROR, line.diagnostic());
}

/// Apart, so that the mail wrapper need not have room for it on its stack, which can be what is too small.
#[inline(never)]
fn offer_page(line: &Line) {
    let mut text = Cursor::new([0; page::AT_ONCE]);
    // What does not fit is cut.
    let _ = page::write(line, &mut text);
    let (text, length) = (text.get_ref(), usize::try_from(text.position()).unwrap_or_default());
    offer(STANDARD_OUTPUT, text.get(..length).unwrap_or_default());
}

fn to_syslog(path: &Path, entry: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(entry, path).map(drop)
}

fn to_syslog_in_turn(path: &Path, entry: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(Duration::from_secs(PATIENCE.unsigned_abs())))?;
    socket.send_to(entry, path).map(drop)
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
mod tests;
