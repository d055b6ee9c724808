//! Descriptors of the subject: prepared by stage 1 as far as possible, placed by the launcher.

use crate::failure::{During, Failure};
use lab_invocation::invocation::{Descriptor, Stdin};
use lab_invocation::{Bytes, Invocation};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::Winsize;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd, RawFd};

/// One number and what it is to be.
pub(crate) struct Placement {
    pub(crate) number: RawFd,
    pub(crate) source: Source,
}

/// Where a descriptor comes from.
pub(crate) enum Source {
    /// Nowhere: it is closed.
    Closed,
    /// Stage 1 has it.
    Ready(OwnedFd),
    /// The launcher opens it, inside the case's mount namespace.
    File(CString, OFlags),
    /// A process descriptor of the launcher.
    Launcher,
    /// The slave side of a terminal, to become the controlling one.
    Terminal(OwnedFd),
}

/// The other ends, which stage 1 keeps.
#[derive(Default)]
pub(crate) struct Ends {
    /// Reading ends of descriptors 1 and 2, in non-blocking mode.
    pub(crate) stdout: Option<OwnedFd>,
    /// See `stdout`.
    pub(crate) stderr: Option<OwnedFd>,
    /// Writing end of descriptor 0 with what is still to be written.
    pub(crate) stdin: Option<(OwnedFd, Vec<u8>)>,
    /// Master side of a terminal, which must be drained.
    pub(crate) terminal: Option<OwnedFd>,
    /// Ends which only have to stay open.
    pub(crate) kept: Vec<OwnedFd>,
    /// The user's terminal, which is connected with that one.
    pub(crate) user: Option<OwnedFd>,
}

impl Ends {
    fn source(&mut self, number: RawFd, what: &Descriptor) -> Result<Source, Errno> {
        Ok(match what {
            Descriptor::Closed => Source::Closed,
            Descriptor::File(path) => Source::File(path_of(path)?, OFlags::RDWR | OFlags::NONBLOCK),
            Descriptor::Directory(path) => Source::File(path_of(path)?, OFlags::RDONLY | OFlags::DIRECTORY),
            Descriptor::Socket => {
                let (ours, theirs) =
                    rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
                self.kept.push(ours);
                Source::Ready(theirs)
            }
            Descriptor::FullPipe => {
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
                rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK)?;
                while rustix::io::write(&writer, &[0; 4096]).is_ok() {}
                while rustix::io::write(&writer, &[0]).is_ok() {}
                rustix::fs::fcntl_setfl(&writer, OFlags::empty())?;
                self.kept.push(reader);
                Source::Ready(writer)
            }
            Descriptor::BrokenPipe => Source::Ready(pipe_with(PipeFlags::CLOEXEC)?.1),
            Descriptor::Epoll => {
                Source::Ready(rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC)?)
            }
            Descriptor::Memory => {
                let file = rustix::fs::memfd_create(c"lab-canary", rustix::fs::MemfdFlags::CLOEXEC)?;
                rustix::io::write(&file, b"lab canary: this text must not reach the script\n")?;
                Source::Ready(file)
            }
            Descriptor::Full => Source::File(c"/dev/full".to_owned(), OFlags::RDWR),
            Descriptor::NonBlocking => Source::Ready(self.capture(number, true)?),
            Descriptor::Process => Source::Launcher,
            Descriptor::Terminal => {
                let (master, slave) = super::terminal::open()?;
                self.terminal = Some(master);
                // A terminal that nobody has open any more hangs up, and SIGHUP would end whoever closed it.
                self.kept.push(rustix::io::fcntl_dupfd_cloexec(&slave, 3)?);
                Source::Terminal(slave)
            }
        })
    }

    /// The writing end of the pipe that captures descriptor 1 or 2.
    fn capture(&mut self, number: RawFd, non_blocking: bool) -> Result<OwnedFd, Errno> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&reader, OFlags::NONBLOCK)?;
        if non_blocking {
            rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK)?;
        }
        match number {
            1 => self.stdout = Some(reader),
            2 => self.stderr = Some(reader),
            _ => return Err(Errno::BADF),
        }
        Ok(writer)
    }

    fn stdin(&mut self, what: &Stdin) -> Result<Source, Errno> {
        Ok(match what {
            Stdin::Bytes(bytes) => {
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
                if !bytes.0.is_empty() {
                    rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK)?;
                    let written = rustix::io::write(&writer, bytes.as_slice())?;
                    let rest = bytes.0.get(written..).unwrap_or_default();
                    if !rest.is_empty() {
                        self.stdin = Some((writer, rest.to_vec()));
                    }
                }
                Source::Ready(reader)
            }
            Stdin::Closed => Source::Closed,
            Stdin::Null => Source::File(c"/dev/null".to_owned(), OFlags::RDONLY),
            Stdin::Endless => Source::File(c"/dev/zero".to_owned(), OFlags::RDONLY),
            Stdin::Silent => {
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
                self.kept.push(writer);
                Source::Ready(reader)
            }
            Stdin::Directory => Source::File(c"/".to_owned(), OFlags::RDONLY | OFlags::DIRECTORY),
            Stdin::WriteOnly => {
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
                self.kept.push(reader);
                Source::Ready(writer)
            }
        })
    }
}

/// One terminal for descriptors 0, 1 and 2, connected with the user's, for a shell. The second value is the lowest number
/// above all of them.
pub(super) fn prepare_shell(size: Winsize) -> Result<(Vec<Placement>, RawFd, Ends), Failure> {
    let (master, slave) = super::terminal::open().during(|| "open a terminal")?;
    rustix::termios::tcsetwinsize(&master, size).during(|| "set the size of the terminal")?;
    // Stage 0 has left this one as the lab gave it.
    let user = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3).during(|| "find the user's terminal")?;
    let copy = || rustix::io::fcntl_dupfd_cloexec(&slave, 3).during(|| "copy a terminal");
    let placements = vec![
        Placement { number: 0, source: Source::Terminal(copy()?) },
        Placement { number: 1, source: Source::Ready(copy()?) },
        Placement { number: 2, source: Source::Ready(copy()?) },
    ];
    Ok((placements, 3, Ends { terminal: Some(master), user: Some(user), ..Ends::default() }))
}

/// Everything for descriptors 0, 1, 2 and the listed ones; the second value is the lowest number above all of them.
pub(super) fn prepare(invocation: &Invocation) -> Result<(Vec<Placement>, RawFd, Ends), Failure> {
    let mut ends = Ends::default();
    let mut placements = Vec::with_capacity(3 + invocation.descriptors.len());
    let listed = |number: u32| invocation.descriptors.iter().any(|(listed, _)| *listed == number);
    if !listed(0) {
        let source = ends.stdin(&invocation.stdin).during(|| "prepare standard input")?;
        placements.push(Placement { number: 0, source });
    }
    for number in [1_i32, 2] {
        if !listed(number.unsigned_abs()) {
            let source = Source::Ready(ends.capture(number, false).during(|| "make a pipe for an output")?);
            placements.push(Placement { number, source });
        }
    }
    for (number, what) in &invocation.descriptors {
        let number =
            RawFd::try_from(*number).map_err(|_| Failure::refused(format!("descriptor {number}: no such number")))?;
        let source = ends.source(number, what).during(|| format!("prepare descriptor {number} ({what:?})"))?;
        placements.push(Placement { number, source });
    }
    let above = 1 + placements.iter().map(|placement| placement.number).max().unwrap_or(2);
    if above > 3 {
        // What stage 1 has ready may have a number that another one is to get: move it out of the way.
        for placement in &mut placements {
            if let Source::Ready(fd) | Source::Terminal(fd) = &mut placement.source {
                *fd = rustix::io::fcntl_dupfd_cloexec(fd.as_fd(), above)
                    .during(|| format!("move descriptor {}", placement.number))?;
            }
        }
    }
    Ok((placements, above, ends))
}

fn path_of(path: &Bytes) -> Result<CString, Errno> {
    CString::new(path.as_slice()).map_err(|_| Errno::INVAL)
}

impl Source {
    /// Makes it the descriptor `number` of the calling process, which is about to exec. `above` is a number above which the
    /// subject has no descriptors.
    pub(super) fn place(&self, number: RawFd, above: RawFd) -> Result<(), Errno> {
        match self {
            Self::Closed => {
                crate::sys::exec::close(number);
                Ok(())
            }
            Self::Ready(fd) => crate::sys::exec::place(fd.as_fd(), number),
            Self::Terminal(fd) => {
                // Only the leader of a session without a terminal can take one.
                rustix::process::setsid()?;
                rustix::process::ioctl_tiocsctty(fd)?;
                crate::sys::exec::place(fd.as_fd(), number)
            }
            Self::File(path, flags) => {
                let opened =
                    rustix::fs::open(path.as_c_str(), *flags | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())?;
                let plain = *flags & OFlags::RWMODE;
                let moved = rustix::io::fcntl_dupfd_cloexec(&opened, above)?;
                drop(opened);
                rustix::fs::fcntl_setfl(&moved, plain)?;
                crate::sys::exec::place(moved.as_fd(), number)
            }
            Self::Launcher => {
                let own = rustix::process::pidfd_open(rustix::process::getpid(), rustix::process::PidfdFlags::empty())?;
                let moved = rustix::io::fcntl_dupfd_cloexec(&own, above)?;
                drop(own);
                crate::sys::exec::place(moved.as_fd(), number)
            }
        }
    }
}
