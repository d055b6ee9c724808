//! Puts a finished file under a name in one step: whoever looks at the name sees the old file or the whole new one.
//!
//! The file has no name until it is complete (`O_TMPFILE`, see open(2)), and linkat(2) then gives it the one it is for. To
//! replace a file it must have a name before: rename(2) takes no descriptor. So a run that is killed between the two
//! calls, or at any time on a file system without such files, leaves a hidden name beside the target; [`sweep`] removes
//! what earlier runs have left.

use crate::shown::shown;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, renameat};
use nix::sys::signal::kill;
use nix::sys::stat::{FileStat, Mode, fchmod, fstat};
use nix::unistd::{Gid, Pid, Uid, UnlinkatFlags, fchown, fsync, linkat, unlinkat};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
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
        write!(f, "cannot {step} {}: {}", shown(path), errno.desc())?;
        match errno {
            Errno::ENOENT => write!(f, "; create the directory first"),
            Errno::ENOTDIR | Errno::ELOOP => write!(f, "; it must be a directory and no symbolic link"),
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
    /// Creates a file for `path`, wherever the user's own path leads to, and writes `content`. It has no permission bit
    /// yet.
    ///
    /// # Errors
    /// The directory cannot be opened, or written.
    pub(crate) fn write(path: &Path, content: &[u8]) -> Result<Self, CannotPlace> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let directory = openat(AT_FDCWD, parent, flags, Mode::empty());
        let fail = |errno| CannotPlace { path: path.to_owned(), step: "open the directory of", errno };
        Self::write_in(directory.map_err(fail)?, path, content)
    }

    /// The same in a directory that is open, and has been judged; of `path` only the last name counts.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub(crate) fn write_in(directory: OwnedFd, path: &Path, content: &[u8]) -> Result<Self, CannotPlace> {
        let fail = |step| move |errno| CannotPlace { path: path.to_owned(), step, errno };
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
            None => match link(&self.directory, &self.file, &name) {
                Ok(()) => return self.sync_directory(),
                // rename(2) wants a name to start from, and link(2) replaces nothing.
                Err(Errno::EEXIST) => {
                    with_hidden_name(&name, |hidden| link(&self.directory, &self.file, hidden))
                        .map_err(|errno| self.failed("name", errno))?
                        .1
                }
                Err(errno) => return Err(self.failed("name", errno)),
            },
        };
        let renamed = renameat(&self.directory, hidden.as_os_str(), &self.directory, name.as_os_str());
        // Still hidden if that failed: then `drop` removes it.
        self.hidden = renamed.is_err().then_some(hidden);
        renamed.map_err(|errno| self.failed("replace", errno))?;
        self.sync_directory()
    }

    fn sync_directory(&self) -> Result<(), CannotPlace> {
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

/// Gives a file without a name one that is free.
fn link(directory: &OwnedFd, file: &File, name: &OsStr) -> nix::Result<()> {
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(AT_FDCWD, descriptor.as_str(), directory.as_fd(), name, AtFlags::AT_SYMLINK_FOLLOW)
}

/// Removes what runs that were killed have left beside `name`, and returns those names. What belongs to a process that
/// still is there stays: it may be another run.
///
/// # Errors
/// The directory cannot be read, or not be written.
pub(crate) fn sweep(directory: &OwnedFd, name: &OsStr) -> nix::Result<Vec<OsString>> {
    let mut left = Vec::new();
    for entry in Dir::openat(directory, ".", OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?.iter() {
        let found = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
        let is_over = |process| kill(process, None) == Err(Errno::ESRCH);
        if maker(&found, name).is_some_and(is_over) {
            left.push(found);
        }
    }
    left.sort();
    let removed =
        left.iter().try_for_each(|found| match unlinkat(directory, found.as_os_str(), UnlinkatFlags::NoRemoveDir) {
            // Another run was quicker.
            Err(Errno::ENOENT) => Ok(()),
            removed => removed,
        });
    removed.map(|()| left)
}

/// The process which made a hidden name for `name`.
fn maker(hidden: &OsStr, name: &OsStr) -> Option<Pid> {
    let numbers = hidden.as_bytes().strip_prefix(hidden_stem(name).as_bytes())?;
    let (process, attempt) = std::str::from_utf8(numbers).ok()?.split_once('-')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // No process has number 0: kill(2) takes it for the caller's group.
    let process: i32 = process.parse().ok().filter(|number| *number > 0 && plain(process) && plain(attempt))?;
    Some(Pid::from_raw(process))
}

/// What all hidden names for `name` begin with.
fn hidden_stem(name: &OsStr) -> OsString {
    let mut stem = OsString::from(".");
    stem.push(name);
    stem.push(".new-");
    stem
}

/// Tries hidden names beside `name` until one is free.
fn with_hidden_name<T>(name: &OsStr, make: impl Fn(&OsStr) -> nix::Result<T>) -> nix::Result<(T, OsString)> {
    const ATTEMPTS: u32 = 100;
    for attempt in 0..ATTEMPTS {
        let mut hidden = hidden_stem(name);
        hidden.push(format!("{}-{attempt}", std::process::id()));
        match make(&hidden) {
            Err(Errno::EEXIST) => {}
            made => return made.map(|made| (made, hidden)),
        }
    }
    Err(Errno::EEXIST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::fs;

    fn names(directory: &Path) -> Vec<OsString> {
        let mut names: Vec<_> =
            fs::read_dir(directory).expect("it is there").map(|e| e.expect("an entry").file_name()).collect();
        names.sort();
        names
    }

    #[rstest]
    #[case::new(None)]
    #[case::replacing(Some("old"))]
    fn the_name_shows_all_or_nothing(#[case] old: Option<&str>) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("program");
        old.iter().for_each(|content| fs::write(&path, content).expect("a file"));
        let before = names(directory.path());
        let file = Unplaced::write(&path, b"new").expect("written");
        assert_eq!(names(directory.path()), before, "nothing is visible before it is placed");
        file.set_mode(0o640).expect("its own file");
        file.place().expect("placed");
        assert_eq!(fs::read(&path).expect("it is there"), b"new");
        assert_eq!(names(directory.path()), ["program"]);
        assert_eq!(crate::stat::Stat::of(&path).expect("it is there").mode, 0o640);
    }

    #[test]
    fn what_is_not_placed_leaves_nothing_behind() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("program");
        drop(Unplaced::write(&path, b"new").expect("written"));
        assert_eq!(names(directory.path()), [""; 0]);
        fs::create_dir(&path).expect("a directory");
        let error = Unplaced::write(&path, b"new").expect("written").place().expect_err("a directory");
        assert!(error.to_string().contains("cannot replace"), "{error}");
        assert_eq!(names(directory.path()), ["program"]);
    }

    /// A directory that was judged stays the one that is written, whatever its path comes to mean.
    #[test]
    fn an_open_directory_cannot_be_exchanged() {
        let directory = tempfile::tempdir().expect("a directory");
        let (judged, moved) = (directory.path().join("judged"), directory.path().join("moved"));
        fs::create_dir(&judged).expect("a directory");
        let open: OwnedFd = File::open(&judged).expect("it is there").into();
        fs::rename(&judged, &moved).expect("renamed");
        fs::create_dir(&judged).expect("another directory");
        Unplaced::write_in(open, &judged.join("program"), b"").expect("written").place().expect("placed");
        assert_eq!((names(&judged).len(), names(&moved).len()), (0, 1));
    }

    #[rstest]
    #[case(".x.new-12-0", Some(12))]
    #[case(".x.new-2147483647-99", Some(i32::MAX))]
    #[case(".x.new-2147483648-0", None)]
    #[case(".x.new-0-0", None)]
    #[case(".x.new--1-0", None)]
    #[case(".x.new-+1-0", None)]
    #[case(".x.new-12", None)]
    #[case(".x.new-12-", None)]
    #[case(".x.new-12-0-0", None)]
    #[case(".xy.new-12-0", None)]
    #[case("x.new-12-0", None)]
    fn only_names_of_ours_are_swept(#[case] hidden: &str, #[case] process: Option<i32>) {
        assert_eq!(maker(OsStr::new(hidden), OsStr::new("x")), process.map(Pid::from_raw));
    }

    #[test]
    fn hidden_names_that_are_taken_are_passed_over() {
        let taken = std::cell::Cell::new(3);
        let made = with_hidden_name(OsStr::new("x"), |name| match taken.replace(taken.get() - 1) {
            0 => Ok(name.to_owned()),
            _ => Err(Errno::EEXIST),
        });
        let (name, hidden) = made.expect("the fourth is free");
        assert!(name == hidden && hidden.to_string_lossy().ends_with("-3"), "{hidden:?}");
        assert_eq!(with_hidden_name(OsStr::new("x"), |_| Err::<(), _>(Errno::EEXIST)).map(|_| ()), Err(Errno::EEXIST));
    }
}
