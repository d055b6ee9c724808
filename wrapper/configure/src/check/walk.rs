//! Looks at every file below a directory, never through a symbolic link.

use crate::shown::shown;
use crate::stat::{FileKind, Stat};
use nix::dir::Dir;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, fstat, fstatat};
use std::ffi::{CString, OsStr};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Deeper than any installation; each level keeps one descriptor open.
const DEEPEST: usize = 64;
/// More than any installation, so that a walk ends.
const MOST_ENTRIES: usize = 10_000_000;

/// A file and what stat(2) says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Absolute path without symbolic links.
    pub(crate) path: PathBuf,
    /// Owner, group, mode.
    pub(crate) stat: Stat,
}

/// Something that could not be looked at, in words.
pub(crate) type Trouble = String;

/// What keeps somebody from looking at a path.
pub(crate) fn trouble(path: &Path, what: &str) -> Trouble {
    format!("{}: {what}", shown(path))
}

/// How far a walk has come.
pub(crate) struct Walk<'v> {
    visit: &'v mut dyn FnMut(&Node),
    /// Entries seen.
    pub(crate) entries: usize,
    /// What could not be looked at.
    pub(crate) troubles: Vec<Trouble>,
}

impl<'v> Walk<'v> {
    /// A walk that has not begun.
    pub(crate) fn new(visit: &'v mut dyn FnMut(&Node)) -> Self {
        Self { visit, entries: 0, troubles: Vec::new() }
    }

    /// Looks at `root` and everything below, in the order of names.
    pub(crate) fn below(&mut self, root: &Path) {
        let opened = openat(AT_FDCWD, root, directory_flags(), Mode::empty()).and_then(|fd| {
            let stat = Stat::from(fstat(&fd)?);
            Ok((Dir::from_fd(fd)?, stat))
        });
        match opened {
            Ok((directory, stat)) => {
                let node = Node { path: root.to_owned(), stat };
                self.see(&node);
                self.enter(directory, &node.path, 1);
            }
            Err(errno) => self.trouble(root, errno.desc()),
        }
    }

    fn enter(&mut self, mut directory: Dir, path: &Path, depth: usize) {
        if depth > DEEPEST {
            return self.trouble(path, &format!("more than {DEEPEST} directories deep"));
        }
        let mut names: Vec<CString> = Vec::new();
        for entry in directory.iter() {
            match entry {
                Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                Ok(entry) => names.push(entry.file_name().to_owned()),
                Err(errno) => return self.trouble(path, errno.desc()),
            }
        }
        names.sort();
        for name in names {
            if self.entries >= MOST_ENTRIES {
                return self.trouble(path, &format!("more than {MOST_ENTRIES} entries in all"));
            }
            let path = path.join(OsStr::from_bytes(name.to_bytes()));
            match fstatat(directory.as_fd(), name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(stat) => self.child(&directory, &name, Node { path, stat: Stat::from(stat) }, depth),
                // Queue files come and go.
                Err(nix::errno::Errno::ENOENT) => {}
                Err(errno) => self.trouble(&path, errno.desc()),
            }
        }
    }

    fn child(&mut self, parent: &Dir, name: &CString, node: Node, depth: usize) {
        self.see(&node);
        if node.stat.kind != FileKind::Directory {
            return;
        }
        match openat(parent.as_fd(), name.as_c_str(), directory_flags(), Mode::empty()).and_then(Dir::from_fd) {
            Ok(directory) => self.enter(directory, &node.path, depth + 1),
            Err(nix::errno::Errno::ENOENT) => {}
            Err(errno) => self.trouble(&node.path, errno.desc()),
        }
    }

    fn see(&mut self, node: &Node) {
        self.entries += 1;
        (self.visit)(node);
    }

    fn trouble(&mut self, path: &Path, what: &str) {
        self.troubles.push(trouble(path, what));
    }
}

fn directory_flags() -> OFlag {
    OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn walk(root: &Path) -> (Vec<PathBuf>, Vec<Trouble>) {
        let mut seen = Vec::new();
        let mut visit = |node: &Node| seen.push(node.path.strip_prefix(root).expect("below the root").to_owned());
        let mut walk = Walk::new(&mut visit);
        walk.below(root);
        let troubles = walk.troubles;
        (seen, troubles)
    }

    #[test]
    fn every_entry_is_seen_once_and_no_link_is_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        fs::create_dir_all(root.join("b/c")).expect("directories");
        fs::write(root.join("b/c/file"), "").expect("a file");
        fs::write(root.join("a"), "").expect("a file");
        symlink("/etc", root.join("etc")).expect("a link");
        symlink(".", root.join("self")).expect("a link");
        let (seen, troubles) = walk(root);
        let seen: Vec<&str> = seen.iter().filter_map(|path| path.to_str()).collect();
        assert_eq!(seen, ["", "a", "b", "b/c", "b/c/file", "etc", "self"]);
        assert!(troubles.is_empty(), "{troubles:?}");
    }

    #[test]
    fn what_cannot_be_looked_at_is_said() {
        let (seen, troubles) = walk(Path::new("/nonexistent"));
        assert!(seen.is_empty());
        assert_eq!(troubles, ["/nonexistent: No such file or directory"]);
        let directory = tempfile::tempdir().expect("a directory");
        symlink("/etc", directory.path().join("etc")).expect("a link");
        let (seen, troubles) = walk(&directory.path().join("etc"));
        assert!(seen.is_empty() && troubles.len() == 1, "a root that is a link is not followed: {troubles:?}");
    }

    #[test]
    fn a_directory_that_is_too_deep_is_said() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut path = directory.path().to_owned();
        path.extend(std::iter::repeat_n("d", DEEPEST + 2));
        fs::create_dir_all(&path).expect("directories");
        let (_, troubles) = walk(directory.path());
        assert!(troubles.len() == 1 && troubles[0].contains("directories deep"), "{troubles:?}");
    }
}
