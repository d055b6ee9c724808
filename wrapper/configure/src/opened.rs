//! A file that was opened once, so that what is said of its owner, its content and its mount is said of one file.

use crate::mount::MountOptions;
use crate::stat::{FileKind, Stat};
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{Mode, fstat};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

/// An open file and what fstat(2) says of it.
#[derive(Debug)]
pub(crate) struct Opened {
    /// For reading.
    pub(crate) file: File,
    /// Owner, group and mode.
    pub(crate) stat: Stat,
}

impl Opened {
    /// Opens a path which the user of this program has named: it may be a symbolic link.
    ///
    /// # Errors
    /// As open(2).
    pub(crate) fn named(path: &Path) -> nix::Result<Self> {
        Self::open(AT_FDCWD, path, OFlag::empty())
    }

    /// Opens a path which somebody else can have made: a symbolic link at its end is not followed.
    ///
    /// # Errors
    /// As open(2); ELOOP for a symbolic link.
    pub(crate) fn found(path: &Path) -> nix::Result<Self> {
        Self::open(AT_FDCWD, path, OFlag::O_NOFOLLOW)
    }

    /// The same for a name in an open directory.
    ///
    /// # Errors
    /// As openat(2); ELOOP for a symbolic link.
    pub(crate) fn found_in(directory: impl AsFd, name: &Path) -> nix::Result<Self> {
        Self::open(directory, name, OFlag::O_NOFOLLOW)
    }

    fn open(directory: impl AsFd, path: &Path, flags: OFlag) -> nix::Result<Self> {
        // Opening must neither wait for the writer of a FIFO nor take a terminal.
        let flags = flags | OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let file = File::from(openat(directory, path, flags, Mode::empty())?);
        let stat = Stat::from(fstat(&file)?);
        Ok(Self { file, stat })
    }

    /// Whether it is a regular file: the only kind whose content ends and is there at once.
    pub(crate) fn is_file(&self) -> bool {
        self.stat.kind == FileKind::File
    }

    /// Options of the mount which it lies on.
    ///
    /// # Errors
    /// As fstatvfs(3).
    pub(crate) fn mount(&self) -> nix::Result<MountOptions> {
        MountOptions::of_open(&self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_only_where_the_user_named_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        std::fs::write(&file, "").expect("a file");
        symlink("file", &link).expect("a link");
        assert!(Opened::named(&link).expect("followed").is_file());
        assert_eq!(Opened::found(&link).map(|_| ()), Err(Errno::ELOOP));
        let open = File::open(directory.path()).expect("a directory");
        assert_eq!(Opened::found_in(&open, Path::new("link")).map(|_| ()), Err(Errno::ELOOP));
        let (named, found) = (Opened::named(&link).expect("open"), Opened::found_in(&open, Path::new("file")));
        assert_eq!(named.stat, found.expect("open").stat);
    }

    #[test]
    fn a_fifo_is_opened_without_waiting_and_is_no_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("fifo");
        nix::unistd::mkfifo(&path, Mode::from_bits_truncate(0o600)).expect("a FIFO");
        assert!(!Opened::named(&path).expect("opened").is_file());
    }
}
