//! The files of the queue, as somebody reads them who trusts none of them.
//!
//! A message is two files: `qf` with the envelope and the header, `df` with the body. The lock on `qf` is whose the message
//! is for now; the owner of `df` is who submitted it, since sendmail's runner writes `qf` anew as its own.

use crate::control::{CONTROL_MAX, Control};
use crate::identity::QueueUser;
use crate::poison::{Part, Poison};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use wrapper::credentials;
use wrapper::policy::{Group, Limits, Owner, QueuePolicy};
use wrapper::queue::commit::Store;
use wrapper::queue::directory::Queue;
use wrapper::queue::refusal::QueueRefusal;

/// Longest id: with a longer one sendmail would not run it either.
const ID_MAX: usize = 18;

/// As long as sendmail's runner an empty envelope is taken for one that is being written.
const BEGUN_FOR: Duration = Duration::from_secs(10 * 60);

/// The queue, opened as its user.
pub(crate) struct Spool {
    queue: Queue,
    user: QueueUser,
}

/// A message that is this process's until it is dropped.
pub(crate) struct Message {
    /// Its id.
    pub(crate) id: String,
    /// Envelope and header.
    pub(crate) control: Control,
    /// The body.
    pub(crate) body: File,
    /// Who submitted it, by the owner of the body: uid.
    pub(crate) submitter: u32,
    /// The envelope, with the lock.
    locked: OwnedFd,
}

impl Message {
    /// Header and body, as they are sent; none if that is more than so many bytes, however large they are.
    ///
    /// # Errors
    /// What the kernel says, or that there is no memory for it now.
    pub(crate) fn text(&mut self, largest: usize) -> Result<Option<Vec<u8>>, Errno> {
        let mut text = self.control.header();
        text.push(b'\n');
        let Some(room) = largest.checked_sub(text.len()) else { return Ok(None) };
        let size = usize::try_from(fstat(&self.body)?.st_size).unwrap_or(usize::MAX);
        text.try_reserve_exact(size.min(room)).map_err(|_| Errno::ENOMEM)?;
        // One byte more than there is room for says that it is too large. Its owner can make it longer meanwhile.
        let read = Read::by_ref(&mut self.body).take(room as u64 + 1).read_to_end(&mut text);
        read.map_err(|error| errno_of(&error))?;
        Ok((text.len() <= largest).then_some(text))
    }
}

/// What there is in the queue.
#[derive(Debug, Default)]
pub(crate) struct List {
    /// Ids of messages.
    pub(crate) ids: Vec<String>,
    /// How many names begin as that of a message, and go on with what is no id.
    pub(crate) strange: u64,
}

/// What has become of an attempt to have a message.
pub(crate) enum Claim {
    /// It is this process's.
    Mine(Box<Message>),
    /// Another process has it: who submits it, or another runner.
    Busy,
    /// It is there no longer.
    Gone,
    /// It is none that can be delivered.
    Poisoned {
        /// Why.
        poison: Poison,
        /// The lock, if it could be had: nobody puts another in its place before it is put aside.
        _locked: Option<OwnedFd>,
    },
}

impl Spool {
    /// Opens the queue, if it is one in which nobody but its user, its group and root can change anything: by the rules
    /// of the queue writer, and in its words.
    ///
    /// # Errors
    /// What is wrong with it, and how to mend that.
    pub(crate) fn open(directory: &str, user: QueueUser) -> Result<Self, String> {
        let gid = credentials::Gid::new(user.gid.as_raw()).ok_or("gid 4294967295 is no group")?;
        let policy = QueuePolicy {
            own: Group { gid, name: &user.group },
            owner: Owner { uid: user.uid.as_raw(), name: &user.name },
            directory,
            // To open it asks for none.
            limits: Limits::DEFAULT,
        };
        match Queue::open(&policy) {
            Ok(queue) => Ok(Self { queue, user }),
            Err((path, fault)) => Err(QueueRefusal::Directory { path, fault, policy: &policy }.to_string()),
        }
    }

    /// The messages there are now, in the order in which they were queued as far as ids say it.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub(crate) fn list(&self) -> Result<List, Errno> {
        let how = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut directory = Dir::openat(self.queue.as_fd(), ".", how, Mode::empty())?;
        let mut list = List::default();
        for entry in directory.iter() {
            let entry = entry?;
            let Some(id) = entry.file_name().to_bytes().strip_prefix(b"qf") else { continue };
            let sound = (1..=ID_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_alphanumeric);
            match std::str::from_utf8(id).ok().filter(|_| sound) {
                Some(id) => list.ids.push(id.to_owned()),
                None => list.strange += 1,
            }
        }
        list.ids.sort_unstable();
        Ok(list)
    }

    /// Tries whether the queue can be written at all: a message that is delivered and cannot be taken out of it is
    /// delivered again by each run.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn try_to_write(&mut self) -> Result<(), Errno> {
        // By the name of an envelope that is being written, which no runner takes for a message. Always the same, so that
        // one that a killed runner leaves is taken away by the next.
        let name = "tfrunner";
        match self.queue.create(name) {
            Ok(_) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(errno),
        }
        match self.queue.remove(name) {
            // By another runner, which tried the same.
            Err(Errno::ENOENT) => Ok(()),
            other => other,
        }
    }

    /// Takes a message, if it can be had at once: nobody can have this wait.
    ///
    /// # Errors
    /// What fails that need not fail the next time.
    pub(crate) fn claim(&mut self, id: &str) -> Result<Claim, Errno> {
        let file = match self.open_part(Part::Control, id)? {
            Opened::File(file) => file,
            Opened::Missing => return Ok(Claim::Gone),
            Opened::Poisoned(poison) => return Ok(Claim::Poisoned { poison, _locked: None }),
        };
        match self.queue.lock(&file) {
            Ok(()) => {}
            Err(Errno::EWOULDBLOCK) => return Ok(Claim::Busy),
            Err(errno) => return Err(errno),
        }
        // What was opened may have been delivered, or written anew, before the lock was had.
        if !self.queue.is(&format!("qf{id}"), &file)? {
            return Ok(Claim::Gone);
        }
        if self.is_begun(&file)? {
            return Ok(Claim::Busy);
        }
        match self.read(id, &file)? {
            Ok((control, body, submitter)) => {
                Ok(Claim::Mine(Box::new(Message { id: id.into(), control, body, submitter, locked: file })))
            }
            Err(poison) => Ok(Claim::Poisoned { poison, _locked: Some(file) }),
        }
    }

    /// Whether sendmail has just created it: it locks an envelope after that, and writes it then.
    fn is_begun(&self, file: &OwnedFd) -> Result<bool, Errno> {
        let status = fstat(file)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let age = now.saturating_sub(u64::try_from(status.st_mtime).unwrap_or_default());
        Ok(status.st_size == 0 && age < BEGUN_FOR.as_secs())
    }

    /// Envelope, body and submitter of what is locked.
    fn read(&mut self, id: &str, locked: &OwnedFd) -> Result<Result<(Control, File, u32), Poison>, Errno> {
        let mut status = fstat(locked)?;
        let other = format!("tf{id}");
        if status.st_nlink == 2 && self.queue.is(&other, locked)? {
            // Where the kernel has no rename to a free name a message is committed by a second name, and this is from a
            // machine that stopped before the first one was taken away.
            self.queue.remove(&other)?;
            status = fstat(locked)?;
        }
        let body = match self.open_part(Part::Body, id)? {
            Opened::File(file) => file,
            Opened::Missing => return Ok(Err(Poison::NoBody)),
            Opened::Poisoned(poison) => return Ok(Err(poison)),
        };
        let body_status = fstat(&body)?;
        for (part, status) in [(Part::Control, &status), (Part::Body, &body_status)] {
            if let Some(poison) = self.judge(part, status) {
                return Ok(Err(poison));
            }
        }
        let (control, submitter) = (status.st_uid, body_status.st_uid);
        if ![submitter, self.user.uid.as_raw()].contains(&control) {
            return Ok(Err(Poison::Owner { control, body: submitter }));
        }
        let mut text = Vec::new();
        let reader = File::from(locked.try_clone().map_err(|error| errno_of(&error))?);
        reader.take(CONTROL_MAX + 1).read_to_end(&mut text).map_err(|error| errno_of(&error))?;
        if text.len() as u64 > CONTROL_MAX {
            return Ok(Err(Poison::TooLong));
        }
        let parsed = Control::parse(&text).map_err(Poison::Control);
        Ok(parsed.map(|control| (control, File::from(body), submitter)))
    }

    fn judge(&self, part: Part, status: &FileStat) -> Option<Poison> {
        let mode = status.st_mode & 0o7777;
        if status.st_nlink != 1 {
            Some(Poison::Links(part))
        } else if status.st_gid != self.user.gid.as_raw() {
            Some(Poison::Group(part, status.st_gid))
        } else if mode & 0o002 != 0 {
            Some(Poison::Writable(part, mode))
        } else {
            None
        }
    }

    fn open_part(&self, part: Part, id: &str) -> Result<Opened, Errno> {
        // Without O_NONBLOCK to open a FIFO would wait for its writer.
        let how = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let name = format!("{}{id}", part.prefix());
        let file = match openat(self.queue.as_fd(), name.as_str(), how, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::ENOENT) => return Ok(Opened::Missing),
            // A symbolic link; a socket or a device that is not there.
            Err(Errno::ELOOP | Errno::ENXIO | Errno::ENODEV) => return Ok(Opened::Poisoned(Poison::NotAFile(part))),
            Err(errno @ (Errno::EACCES | Errno::EPERM)) => {
                return Ok(Opened::Poisoned(Poison::Unreadable(part, errno)));
            }
            Err(errno) => return Err(errno),
        };
        let regular = SFlag::from_bits_truncate(fstat(&file)?.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG;
        Ok(if regular { Opened::File(file) } else { Opened::Poisoned(Poison::NotAFile(part)) })
    }

    /// Takes a message out of the queue: first what makes it one.
    ///
    /// # Errors
    /// What of it is still there, and what the kernel says.
    pub(crate) fn remove(&mut self, message: &Message) -> Result<(), NotRemoved> {
        self.queue.remove(&format!("qf{}", message.id)).map_err(NotRemoved::Message)?;
        // A body that outlives its envelope is no message, an envelope without its body would be a false one.
        self.queue.sync_directory().map_err(NotRemoved::Body)?;
        self.queue.remove(&format!("df{}", message.id)).map_err(NotRemoved::Body)
    }

    /// Writes the envelope of a message anew, so that at no moment there is none, nor one that is not locked.
    ///
    /// # Errors
    /// What the kernel says; the message is then as it was, or written anew and perhaps not on disk.
    pub(crate) fn keep(&mut self, message: &mut Message, control: &[u8]) -> Result<(), Errno> {
        let (new, name) = (format!("tf{}", message.id), format!("qf{}", message.id));
        let file = match self.queue.create(&new) {
            // Of a runner that was killed. Nobody else writes it while the message is locked.
            Err(Errno::EEXIST) => {
                self.queue.remove(&new)?;
                self.queue.create(&new)?
            }
            other => other?,
        };
        let written = self
            .write(&file, control)
            .and_then(|()| renameat(self.queue.as_fd(), new.as_str(), self.queue.as_fd(), name.as_str()));
        if let Err(errno) = written {
            // It is no message, whether it goes or stays.
            let _ = self.queue.remove(&new);
            return Err(errno);
        }
        message.locked = file;
        self.queue.sync_directory()
    }

    fn write(&mut self, file: &OwnedFd, mut text: &[u8]) -> Result<(), Errno> {
        self.queue.set_mode(file)?;
        self.queue.lock(file)?;
        while !text.is_empty() {
            match self.queue.write(file, text) {
                Ok(0) => return Err(Errno::EIO),
                Ok(length) => text = text.get(length..).unwrap_or_default(),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        self.queue.sync(file)
    }

    /// Gives the control file the name `Qf`, under which no runner looks, sendmail's neither. Nothing is lost.
    ///
    /// # Errors
    /// What the kernel says; EEXIST if there is one of that name already.
    pub(crate) fn put_aside(&mut self, id: &str) -> Result<(), Errno> {
        self.queue.rename(&format!("qf{id}"), &format!("Qf{id}"))?;
        self.queue.sync_directory()
    }
}

/// What could not be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotRemoved {
    /// Everything is as it was, and the message may be delivered once more.
    Message(Errno),
    /// The envelope is gone, the body is not.
    Body(Errno),
}

/// What there is under a name.
enum Opened {
    File(OwnedFd),
    Missing,
    Poisoned(Poison),
}

/// The kernel's number for it.
fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
