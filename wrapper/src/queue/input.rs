//! Standard input, the signals that may end a submission, and its deadline.
//!
//! No handler runs: the signals are blocked and read from a descriptor, so that a submission ends between two calls and
//! takes back what it has done. A signal that the caller ignored stays ignored: mail programs start this one so, in order
//! that no key that is typed meanwhile loses a message.

use super::message::{Source, Stop};
use crate::process_state::SafeProcess;
use crate::sys::{self, Disposition};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::{SFlag, fstat, major, minor};
use nix::unistd::{alarm, read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// What may end a submission.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Seconds that a submission has to clean up after its deadline, before the kernel ends it.
const GRACE: u64 = 60;

/// Those of [`ENDING`] that the caller has not ignored. To be asked before [`crate::process_state::make_safe`], which
/// ignores them all.
///
/// # Errors
/// What the kernel says.
pub fn heeded() -> Result<SigSet, Errno> {
    let mut heeded = SigSet::empty();
    for signal in ENDING {
        if !sys::is_ignored(signal as i32)? {
            heeded.add(signal);
        }
    }
    Ok(heeded)
}

/// Why standard input is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// The caller closed it. An empty message would be a message that nobody wrote.
    Closed,
    /// It is open for writing only.
    WriteOnly,
    /// The kernel says something else.
    Failed(Errno),
}

/// Standard input.
#[derive(Debug)]
pub struct StandardInput {
    input: BorrowedFd<'static>,
    signals: SignalFd,
    deadline: Instant,
}

impl StandardInput {
    /// Opens the eyes for signals and starts the clock.
    ///
    /// # Errors
    /// If there is nothing to read from, or the signals cannot be had.
    pub fn new(_: &SafeProcess, heeded: SigSet, seconds: u64) -> Result<Self, Unreadable> {
        let failed = Unreadable::Failed;
        readable(sys::STANDARD_INPUT)?;
        heeded.thread_block().map_err(failed)?;
        let signals = SignalFd::with_flags(&heeded, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).map_err(failed)?;
        // Where another process takes from the same pipe what was announced to this one, a read waits and nothing else is
        // looked at. Then the kernel ends the process, which before the commit leaves no message.
        sys::dispose_of_signal(libc::SIGALRM, Disposition::Default).map_err(failed)?;
        alarm::set(u32::try_from(seconds.saturating_add(GRACE)).unwrap_or(u32::MAX));
        let deadline = Instant::now() + Duration::from_secs(seconds);
        Ok(Self { input: sys::STANDARD_INPUT, signals, deadline })
    }

    /// A signal that has come, or the end of the time.
    fn stopped(&self) -> Result<(), Stop> {
        match self.signals.read_signal().map_err(Stop::Failed)? {
            Some(signal) => Err(Stop::Signal(i32::try_from(signal.ssi_signo).unwrap_or_default())),
            None if Instant::now() >= self.deadline => Err(Stop::Deadline),
            None => Ok(()),
        }
    }
}

impl Source for StandardInput {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Stop> {
        loop {
            self.stopped()?;
            let rest = self.deadline.saturating_duration_since(Instant::now());
            // One millisecond more than is left, so that the deadline has passed when nothing else has come.
            let patience =
                PollTimeout::try_from(rest.saturating_add(Duration::from_millis(1))).unwrap_or(PollTimeout::MAX);
            let mut polled =
                [PollFd::new(self.input, PollFlags::POLLIN), PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
            match poll(&mut polled, patience) {
                // A process that was stopped and goes on.
                Err(Errno::EINTR) => continue,
                other => other.map_err(Stop::Failed)?,
            };
            let [input, signals] = polled.map(|polled| polled.any().unwrap_or(true));
            if signals || !input {
                continue;
            }
            match read(self.input, buffer) {
                // Not blocking, and somebody else was faster.
                Err(Errno::EAGAIN) => {}
                other => return other.map_err(Stop::Failed),
            }
        }
    }

    fn last_call(&mut self) -> Result<(), Stop> {
        self.stopped()?;
        // From here on no alarm ends the process. The other signals stay blocked, and nobody reads them any more.
        sys::dispose_of_signal(libc::SIGALRM, Disposition::Ignore).map_err(Stop::Failed)
    }
}

/// Whether there is something to read from.
///
/// A descriptor that the caller closed is open here: the C library, or this program, has put the null device in its place,
/// for reading and writing. Whoever means an empty message opens that for reading only, as `< /dev/null` does. The C
/// library of GNU takes /dev/full, for writing only.
fn readable(input: BorrowedFd<'_>) -> Result<(), Unreadable> {
    let failed = |errno| if errno == Errno::EBADF { Unreadable::Closed } else { Unreadable::Failed(errno) };
    let flags = OFlag::from_bits_retain(fcntl(input, FcntlArg::F_GETFL).map_err(failed)?);
    let status = fstat(input).map_err(failed)?;
    let is_device = status.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFCHR.bits();
    let is_null = is_device && (major(status.st_rdev), minor(status.st_rdev)) == (1, 3);
    match flags & OFlag::O_ACCMODE {
        OFlag::O_WRONLY => Err(Unreadable::WriteOnly),
        OFlag::O_RDWR if is_null => Err(Unreadable::Closed),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Unreadable, readable};
    use std::fs::OpenOptions;
    use std::os::fd::AsFd;

    /// Q7.
    #[test]
    fn the_null_device_for_reading_and_writing_is_a_closed_descriptor() {
        let open = |path: &str, read, write| OpenOptions::new().read(read).write(write).open(path).expect("a device");
        assert_eq!(readable(open("/dev/null", true, true).as_fd()), Err(Unreadable::Closed));
        assert_eq!(readable(open("/dev/null", true, false).as_fd()), Ok(()));
        assert_eq!(readable(open("/dev/null", false, true).as_fd()), Err(Unreadable::WriteOnly));
        assert_eq!(readable(open("/dev/full", false, true).as_fd()), Err(Unreadable::WriteOnly));
        assert_eq!(readable(open("/dev/zero", true, true).as_fd()), Ok(()));
    }
}
