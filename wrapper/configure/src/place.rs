//! Puts a finished file under a name in one step: whoever looks at the name sees the old file or the whole new one.
//!
//! The file has no name until it is complete (`O_TMPFILE`, see open(2)), so that a killed run leaves nothing behind;
//! where the file system has no such files, a hidden name beside the target stands in.

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, fchmod, fstat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fsync, linkat, unlinkat};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A step that failed; nothing was changed under the name.
#[derive(Debug)]
pub(crate) struct CannotPlace {
    path: PathBuf,
    step: &'static str,
    errno: Errno,
}

impl fmt::Display for CannotPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, step, errno } = self;
        write!(f, "cannot {step} {}: {}", path.display(), errno.desc())?;
        match errno {
            Errno::ENOENT => write!(f, "; create the directory first"),
            Errno::EROFS => write!(f, "; the file system is mounted read-only"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for CannotPlace {}

/// A file which is being written, and has no final name yet. Dropped before [`Unplaced::place`], it is gone.
pub(crate) struct Unplaced {
    directory: OwnedFd,
    file: File,
    path: PathBuf,
    /// Hidden name, while there is one.
    hidden: Option<OsString>,
}

impl Unplaced {
    /// Creates a file for `path` and writes `content`. It has no permission bit yet.
    ///
    /// # Errors
    /// The directory cannot be opened, or written.
    pub(crate) fn write(path: &Path, content: &[u8]) -> Result<Self, CannotPlace> {
        let fail = |step| move |errno| CannotPlace { path: path.to_owned(), step, errno };
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let directory = openat(AT_FDCWD, parent, flags, Mode::empty()).map_err(fail("open the directory of"))?;
        let (file, hidden) = create(&directory, path).map_err(fail("create"))?;
        let mut unplaced = Self { directory, file, path: path.to_owned(), hidden };
        let written = unplaced.file.write_all(content);
        written.map_err(|error| fail("write")(Errno::from_raw(error.raw_os_error().unwrap_or_default())))?;
        Ok(unplaced)
    }

    /// Changes owner (`None`: as it is) and group. Before the mode: chown(2) clears set-group-ID.
    ///
    /// # Errors
    /// The caller may not.
    pub(crate) fn own(&self, owner: Option<u32>, group: u32) -> Result<(), CannotPlace> {
        // A file of a set-group-ID directory has its group already, also where its maker may not give it that.
        let has = fstat(&self.file).map_err(|errno| self.failed("look at", errno))?.st_gid;
        fchown(&self.file, owner.map(Uid::from_raw), (has != group).then(|| Gid::from_raw(group)))
            .map_err(|errno| self.failed("change owner and group of", errno))
    }

    /// Sets the permission bits and returns what the file then has: chmod(2) leaves set-group-ID out, and reports
    /// success, where the caller does not belong to the file's group.
    ///
    /// # Errors
    /// The caller may not.
    pub(crate) fn set_mode(&self, mode: u32) -> Result<FileStat, CannotPlace> {
        fchmod(&self.file, Mode::from_bits_truncate(mode)).map_err(|errno| self.failed("change the mode of", errno))?;
        fstat(&self.file).map_err(|errno| self.failed("look at", errno))
    }

    /// Gives the finished file its name and waits until file and name are on the disk.
    ///
    /// # Errors
    /// The disk is full, or the name is a directory.
    pub(crate) fn place(mut self) -> Result<(), CannotPlace> {
        fsync(&self.file).map_err(|errno| self.failed("write", errno))?;
        let Some(name) = self.path.file_name().map(OsStr::to_owned) else {
            return Err(self.failed("give a name to", Errno::EISDIR));
        };
        let hidden = match self.hidden.take() {
            Some(hidden) => hidden,
            None => link_hidden(&self.directory, &self.file, &name).map_err(|errno| self.failed("name", errno))?,
        };
        let renamed = renameat(&self.directory, hidden.as_os_str(), &self.directory, name.as_os_str());
        // Still hidden if that failed: then `drop` removes it.
        self.hidden = renamed.is_err().then_some(hidden);
        renamed.map_err(|errno| self.failed("replace", errno))?;
        fsync(&self.directory).map_err(|errno| self.failed("write the directory of", errno))
    }

    fn failed(&self, step: &'static str, errno: Errno) -> CannotPlace {
        CannotPlace { path: self.path.clone(), step, errno }
    }
}

impl Drop for Unplaced {
    fn drop(&mut self) {
        if let Some(hidden) = &self.hidden {
            // Nothing more can be done if this fails; the error which led here is the one to report.
            let _ = unlinkat(&self.directory, hidden.as_os_str(), UnlinkatFlags::NoRemoveDir);
        }
    }
}

/// A file without a name, or else with a hidden one.
fn create(directory: &OwnedFd, path: &Path) -> nix::Result<(File, Option<OsString>)> {
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
    match openat(directory, ".", flags | OFlag::O_TMPFILE, Mode::empty()) {
        // Such a file gets its name through /proc.
        Ok(file) if Path::new("/proc/self/fd").is_dir() => return Ok((file.into(), None)),
        Ok(_) | Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::ENOENT) => {}
        Err(errno) => return Err(errno),
    }
    with_hidden_name(path.file_name().unwrap_or_default(), |hidden| {
        openat(directory, hidden, flags | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW, Mode::empty())
            .map(File::from)
    })
    .map(|(file, hidden)| (file, Some(hidden)))
}

/// rename(2) wants a name to start from, and link(2) replaces nothing.
fn link_hidden(directory: &OwnedFd, file: &File, name: &OsStr) -> nix::Result<OsString> {
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    with_hidden_name(name, |hidden| {
        linkat(AT_FDCWD, descriptor.as_str(), directory.as_fd(), hidden, AtFlags::AT_SYMLINK_FOLLOW)
    })
    .map(|((), hidden)| hidden)
}

/// Tries hidden names beside `name` until one is free.
fn with_hidden_name<T>(name: &OsStr, make: impl Fn(&OsStr) -> nix::Result<T>) -> nix::Result<(T, OsString)> {
    const ATTEMPTS: u32 = 100;
    for attempt in 0..ATTEMPTS {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".new-{}-{attempt}", std::process::id()));
        match make(&hidden) {
            Err(Errno::EEXIST) => {}
            made => return made.map(|made| (made, hidden)),
        }
    }
    Err(Errno::EEXIST)
}
