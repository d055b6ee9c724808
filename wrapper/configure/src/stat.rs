//! What stat(2) says of a file, as plain data, so that rules about files can be tested without files.

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::stat::{FileStat, fstatat};
use std::fmt;
use std::path::Path;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device.
    Other,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "a directory",
            Self::File => "a regular file",
            Self::Link => "a symbolic link",
            Self::Other => "neither file nor directory",
        })
    }
}

/// Owner, group and mode of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// What it is.
    pub(crate) kind: FileKind,
    /// Owner.
    pub(crate) uid: u32,
    /// Group.
    pub(crate) gid: u32,
    /// The twelve lowest bits: permissions, set-user-ID, set-group-ID, sticky.
    pub(crate) mode: u32,
    /// Names of the file.
    pub(crate) links: u64,
    /// File system and number in it: equal for the same file only.
    pub(crate) identity: (u64, u64),
}

/// `S_ISGID` of inode(7).
pub(crate) const SET_GROUP_ID: u32 = 0o2000;
/// `S_ISUID`.
pub(crate) const SET_USER_ID: u32 = 0o4000;
/// `S_ISVTX`.
pub(crate) const STICKY: u32 = 0o1000;
/// `S_IXGRP`: without it, the kernel ignores set-group-ID.
pub(crate) const GROUP_EXECUTE: u32 = 0o0010;
/// `S_IWGRP`.
pub(crate) const GROUP_WRITE: u32 = 0o0020;
/// `S_IWOTH`.
pub(crate) const OTHER_WRITE: u32 = 0o0002;

impl Stat {
    /// Whether others than its owner may write it, and so have written what it says.
    pub(crate) fn is_writable_by_others(&self) -> bool {
        self.mode & (GROUP_WRITE | OTHER_WRITE) != 0
    }

    /// Looks at `path` itself, not at what a symbolic link points to.
    ///
    /// # Errors
    /// As lstat(2).
    pub(crate) fn of(path: &Path) -> nix::Result<Self> {
        Ok(Self::from(fstatat(AT_FDCWD, path, AtFlags::AT_SYMLINK_NOFOLLOW)?))
    }

    /// The same, `None` where there is nothing.
    ///
    /// # Errors
    /// As lstat(2), save ENOENT.
    pub(crate) fn if_there(path: &Path) -> nix::Result<Option<Self>> {
        match Self::of(path) {
            Err(Errno::ENOENT) => Ok(None),
            stat => stat.map(Some),
        }
    }

    /// Whether all these mode bits are there.
    pub(crate) const fn has(&self, bits: u32) -> bool {
        self.mode & bits == bits
    }

    /// `drwxrwsr-x 02775`.
    pub(crate) fn shown_mode(&self) -> String {
        format!("{} {:05o}", letters(self.kind, self.mode), self.mode)
    }
}

impl From<FileStat> for Stat {
    fn from(stat: FileStat) -> Self {
        let kind = match stat.st_mode & nix::libc::S_IFMT {
            nix::libc::S_IFDIR => FileKind::Directory,
            nix::libc::S_IFREG => FileKind::File,
            nix::libc::S_IFLNK => FileKind::Link,
            _ => FileKind::Other,
        };
        Self {
            kind,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mode: stat.st_mode & 0o7777,
            // Its type differs between architectures.
            #[expect(clippy::useless_conversion, reason = "u32 on some architectures")]
            links: u64::from(stat.st_nlink),
            identity: (stat.st_dev, stat.st_ino),
        }
    }
}

/// As ls(1) writes a mode.
fn letters(kind: FileKind, mode: u32) -> String {
    let mut text = String::from(match kind {
        FileKind::Directory => "d",
        FileKind::File => "-",
        FileKind::Link => "l",
        FileKind::Other => "?",
    });
    let special = [(SET_USER_ID, 's'), (SET_GROUP_ID, 's'), (STICKY, 't')];
    for (shift, (bit, letter)) in [6, 3, 0].into_iter().zip(special) {
        let bits = mode >> shift;
        text.push(if bits & 4 == 0 { '-' } else { 'r' });
        text.push(if bits & 2 == 0 { '-' } else { 'w' });
        text.push(match (mode & bit != 0, bits & 1 != 0) {
            (false, false) => '-',
            (false, true) => 'x',
            (true, false) => letter.to_ascii_uppercase(),
            (true, true) => letter,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(FileKind::Directory, 0o2775, "drwxrwsr-x")]
    #[case(FileKind::File, 0o2755, "-rwxr-sr-x")]
    #[case(FileKind::File, 0o2745, "-rwxr-Sr-x")]
    #[case(FileKind::File, 0o4600, "-rwS------")]
    #[case(FileKind::Directory, 0o1777, "drwxrwxrwt")]
    #[case(FileKind::Directory, 0o1776, "drwxrwxrwT")]
    fn modes_are_written_as_ls_writes_them(#[case] kind: FileKind, #[case] mode: u32, #[case] text: &str) {
        assert_eq!(letters(kind, mode), text);
    }

    #[test]
    fn a_symbolic_link_is_looked_at_itself() {
        let directory = tempfile::tempdir().expect("a directory");
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).expect("a link");
        assert_eq!(Stat::of(&link).expect("it is there").kind, FileKind::Link);
        assert_eq!(Stat::if_there(&directory.path().join("none")), Ok(None));
    }
}
