//! From a plan to a message in the queue: each change of the file system is a step, and one function performs them.
//!
//! The order is the promise. The reader of the queue looks at files whose names begin with `qf`; the one rename that makes
//! such a name comes when everything it stands for is on disk, and success is told when the name is, too. Until then the
//! control file is locked, so that the reader cannot take a message whose writer has yet to say whether it is queued.

use super::control::{self, Summary};
use super::envelope::{Envelope, Facts, MessageFault};
use super::id::id;
use super::message::{Message, Source, Stop};
use crate::policy::Limits;
use nix::errno::Errno;

/// One of the two files of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The body, `df`.
    Data,
    /// The envelope and the header: `tf` until it is committed, then `qf`.
    Control,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Create a file, of a name that nothing has.
    Create(Part),
    /// Give it its mode, whatever the umask is.
    SetMode(Part),
    /// See that it is what it has to be, whoever else there is.
    Check(Part),
    /// Lock it against the reader.
    Lock(Part),
    /// Write all of it: of the data, what comes from standard input.
    Write(Part),
    /// Have it on disk.
    Sync(Part),
    /// Have the names on disk.
    SyncDirectory,
    /// From here on nothing stops the submission.
    LastCall,
    /// The one step that makes it a message.
    Commit,
}

/// What is done for every message, in this order.
pub const STEPS: [Step; 15] = [
    Step::Create(Part::Data),
    Step::SetMode(Part::Data),
    Step::Check(Part::Data),
    Step::Write(Part::Data),
    Step::Sync(Part::Data),
    Step::Create(Part::Control),
    Step::SetMode(Part::Control),
    Step::Check(Part::Control),
    Step::Lock(Part::Control),
    Step::Write(Part::Control),
    Step::Sync(Part::Control),
    Step::SyncDirectory,
    Step::LastCall,
    Step::Commit,
    Step::SyncDirectory,
];

/// What is to be done, and all that decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The message but for its body.
    pub envelope: Envelope,
    /// What there is besides the message.
    pub facts: Facts,
    /// The header as it came counts for the size.
    pub head: Summary,
    /// What is too much.
    pub limits: Limits,
    /// Whose the files have to be: the caller's, and of the queue's group.
    pub expected: Owned,
    /// What to do.
    pub steps: &'static [Step],
}

/// What is known of a file by its descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Type and permissions.
    pub mode: u32,
    /// How many names it has.
    pub links: u64,
}

/// Permissions of a queue file: who submitted it, and the queue's group, which runs it.
pub const FILE_MODE: u32 = 0o660;

/// The directory of the queue, one system call each. Tests have one of their own.
pub trait Store {
    /// An open file.
    type File;

    /// Creates a file that was not there.
    ///
    /// # Errors
    /// What the kernel says: EEXIST if there is anything of that name.
    fn create(&mut self, name: &str) -> Result<Self::File, Errno>;
    /// Gives it [`FILE_MODE`].
    ///
    /// # Errors
    /// What the kernel says.
    fn set_mode(&mut self, file: &Self::File) -> Result<(), Errno>;
    /// What it is.
    ///
    /// # Errors
    /// What the kernel says.
    fn status(&mut self, file: &Self::File) -> Result<Owned, Errno>;
    /// Locks it against the reader, without waiting.
    ///
    /// # Errors
    /// What the kernel says.
    fn lock(&mut self, file: &Self::File) -> Result<(), Errno>;
    /// Writes some of the bytes at its end; says how many.
    ///
    /// # Errors
    /// What the kernel says.
    fn write(&mut self, file: &Self::File, bytes: &[u8]) -> Result<usize, Errno>;
    /// Has it on disk.
    ///
    /// # Errors
    /// What the kernel says.
    fn sync(&mut self, file: &Self::File) -> Result<(), Errno>;
    /// Has the names of the directory on disk.
    ///
    /// # Errors
    /// What the kernel says.
    fn sync_directory(&mut self) -> Result<(), Errno>;
    /// Gives a file another name, unless that is taken.
    ///
    /// # Errors
    /// What the kernel says.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno>;
    /// Whether that is a name of this file.
    ///
    /// # Errors
    /// What the kernel says.
    fn is(&mut self, name: &str, file: &Self::File) -> Result<bool, Errno>;
    /// Takes a name away.
    ///
    /// # Errors
    /// What the kernel says.
    fn remove(&mut self, name: &str) -> Result<(), Errno>;
    /// Takes the content away.
    ///
    /// # Errors
    /// What the kernel says.
    fn empty(&mut self, file: &Self::File) -> Result<(), Errno>;
}

/// Proof that a message is in the queue, whole and on disk.
#[derive(Debug, PartialEq, Eq)]
pub struct Committed {
    id: String,
    summary: Summary,
}

impl Committed {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its size.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.summary.bytes
    }
}

/// Why a message is not in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A step failed.
    Step {
        /// Which.
        step: Step,
        /// What the kernel said.
        errno: Errno,
    },
    /// Every name that was tried is taken.
    NoFreeName,
    /// A file that was created is somebody else's, or can be read by somebody else.
    Other {
        /// What it is.
        found: Owned,
        /// What it was to be.
        wanted: Owned,
    },
    /// The submission ended.
    Stop(Stop),
    /// The message is too large.
    Message(MessageFault),
    /// The control file would not have been sound: [`control::Broken`].
    Broken,
}

/// A message that is not in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotCommitted {
    /// Why.
    pub fault: Fault,
    /// It could not be taken back: the file system failed after the commit as well, so that it may be delivered.
    pub left: bool,
}

/// Performs a plan.
///
/// # Errors
/// The first fault. What had been done is undone; what was never ours is not touched.
pub fn perform<S: Store>(
    plan: &Plan,
    store: &mut S,
    message: &mut Message<impl Source>,
) -> Result<Committed, NotCommitted> {
    // Not always 0, so that where a process id is used again within a second the names differ, too.
    let sequence = plan.facts.moment.subsec_micros();
    let mut work = Work { plan, store, message, sequence, data: None, control: None, summary: plan.head, asked: false };
    for step in plan.steps {
        if let Err(fault) = work.step(*step) {
            return Err(NotCommitted { fault, left: work.withdraw().is_err() });
        }
    }
    Ok(Committed { id: work.id(), summary: work.summary })
}

/// How many names are tried. Other processes make other names: this is for a clock that was set back.
const TRIES: u32 = 16;

struct Work<'a, S: Store, M> {
    plan: &'a Plan,
    store: &'a mut S,
    message: &'a mut Message<M>,
    sequence: u32,
    data: Option<S::File>,
    control: Option<S::File>,
    summary: Summary,
    /// The commit has been asked for.
    asked: bool,
}

/// There is no such file: a step before its creation.
const MISSING: Errno = Errno::EBADF;

impl<S: Store, M: Source> Work<'_, S, M> {
    fn step(&mut self, step: Step) -> Result<(), Fault> {
        let failed = |errno| Fault::Step { step, errno };
        match step {
            Step::Create(Part::Data) => return self.create_data(step),
            Step::Create(Part::Control) => {
                let name = self.name("tf");
                self.control = Some(self.store.create(&name).map_err(failed)?);
            }
            Step::Write(Part::Data) => return self.copy(step),
            Step::Write(Part::Control) => {
                let text = control::text(&self.plan.envelope, self.summary, &self.plan.facts, &self.id());
                let text = text.map_err(|control::Broken| Fault::Broken)?;
                return self.write(step, Part::Control, &text);
            }
            Step::Check(part) => return self.check(step, part),
            Step::SetMode(part) => self.on(part, S::set_mode).map_err(failed)?,
            Step::Lock(part) => self.on(part, S::lock).map_err(failed)?,
            // Not repeated, whatever it says: a second fsync(2) may forget what the first has told.
            Step::Sync(part) => self.on(part, S::sync).map_err(failed)?,
            Step::SyncDirectory => self.store.sync_directory().map_err(failed)?,
            Step::LastCall => self.message.last_call().map_err(Fault::Stop)?,
            Step::Commit => {
                self.asked = true;
                let (from, to) = (self.name("tf"), self.name("qf"));
                self.store.rename(&from, &to).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn on<T>(&mut self, part: Part, call: fn(&mut S, &S::File) -> Result<T, Errno>) -> Result<T, Errno> {
        let file = if part == Part::Data { &self.data } else { &self.control };
        call(self.store, file.as_ref().ok_or(MISSING)?)
    }

    fn id(&self) -> String {
        id(self.plan.facts.moment, self.sequence, self.plan.facts.pid)
    }

    fn name(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.id())
    }

    fn create_data(&mut self, step: Step) -> Result<(), Fault> {
        for _ in 0..TRIES {
            match self.store.create(&self.name("df")) {
                Ok(file) => {
                    self.data = Some(file);
                    return Ok(());
                }
                Err(Errno::EEXIST) => self.sequence = self.sequence.wrapping_add(1),
                Err(errno) => return Err(Fault::Step { step, errno }),
            }
        }
        Err(Fault::NoFreeName)
    }

    fn check(&mut self, step: Step, part: Part) -> Result<(), Fault> {
        let found = self.on(part, S::status).map_err(|errno| Fault::Step { step, errno })?;
        let wanted = self.plan.expected;
        if found == wanted { Ok(()) } else { Err(Fault::Other { found, wanted }) }
    }

    fn copy(&mut self, step: Step) -> Result<(), Fault> {
        let limit = self.plan.limits.message_bytes;
        loop {
            let piece = self.message.piece().map_err(Fault::Stop)?;
            self.summary.add(piece.as_deref().unwrap_or_default());
            if self.summary.bytes > limit {
                return Err(Fault::Message(MessageFault::TooLarge { limit }));
            }
            match piece {
                Some(piece) => self.write(step, Part::Data, &piece)?,
                None => return Ok(()),
            }
        }
    }

    fn write(&mut self, step: Step, part: Part, bytes: &[u8]) -> Result<(), Fault> {
        let failed = |errno| Fault::Step { step, errno };
        let file = if part == Part::Data { &self.data } else { &self.control };
        let file = file.as_ref().ok_or(failed(MISSING))?;
        let mut rest = bytes;
        while !rest.is_empty() {
            // Not even EINTR is tried again: no signal can interrupt a call, so that whoever says so may say anything.
            match self.store.write(file, rest) {
                // A file system that takes nothing and says nothing.
                Ok(0) => return Err(failed(Errno::EIO)),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(())
    }

    /// Takes back what has been done: first what makes it a message, on disk too, and only then its body, so that at no
    /// time there is a message without one. A name is removed only if it is one of our file, whoever took it meanwhile,
    /// and whatever a rename said.
    fn withdraw(&mut self) -> Result<(), Errno> {
        if let Some(control) = &self.control {
            let message = self.name("qf");
            // The lock is still held, so that the reader has not begun.
            let found = if self.asked { self.store.is(&message, control) } else { Ok(false) };
            if found == Ok(true) && self.store.remove(&message).is_ok() {
                self.store.sync_directory()?;
            } else if found != Ok(false) {
                // An empty control file is no message to the reader.
                self.store.empty(control)?;
                self.store.sync(control)?;
            }
            remove_own(self.store, &self.name("tf"), control);
        }
        if let Some(data) = &self.data {
            remove_own(self.store, &self.name("df"), data);
        }
        Ok(())
    }
}

/// What stays if this fails is no message, and the owner of the queue knows it by its name and age.
fn remove_own<S: Store>(store: &mut S, name: &str, file: &S::File) {
    if store.is(name, file) == Ok(true) {
        let _ = store.remove(name);
    }
}

#[cfg(test)]
pub(super) mod tests;
