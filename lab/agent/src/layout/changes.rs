//! What a case changed in its fresh directories.

use super::path::Absolute;
use crate::failure::{During, Failure};
use lab_invocation::evidence::{Change, ChangeKind, EntryState};
use lab_invocation::{Bytes, Gid, Uid};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::os::fd::{AsFd, BorrowedFd};

/// How much of a file is kept, in bytes.
const HEAD: usize = 4096;
/// Deepest directory that is looked into, counted from the fresh one.
const DEPTH: usize = 64;

/// One entry: its state, and a digest of the whole content of a regular file, which only tells equal from different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    state: EntryState,
    content: u64,
}

/// All entries of a tree by absolute path, the directory itself included.
pub(crate) type Snapshot = BTreeMap<Vec<u8>, Entry>;

/// Reads a whole tree through the descriptor of its mount.
pub(crate) fn snapshot(mount: BorrowedFd<'_>, at: &Absolute) -> Result<Snapshot, Failure> {
    let mut found = Snapshot::new();
    let path = at.as_bytes().to_vec();
    let stat = rustix::fs::statat(mount, c"", AtFlags::EMPTY_PATH).during(|| format!("stat {at} after the case"))?;
    found.insert(path.clone(), Entry { state: state(&stat, Bytes::default()), content: 0 });
    walk(mount, c".", path, 0, &mut found).during(|| format!("read {at} after the case"))?;
    Ok(found)
}

/// The differences, sorted by path.
pub(crate) fn compare(before: &Snapshot, after: Snapshot) -> Vec<Change> {
    let mut changes = Vec::new();
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        changes.push(Change { path: path.as_slice().into(), kind: ChangeKind::Removed });
    }
    for (path, now) in after {
        let kind = match before.get(&path) {
            Some(then) if *then == now => continue,
            Some(then) => ChangeKind::Modified { before: then.state.clone(), after: now.state },
            None => ChangeKind::Added { state: now.state },
        };
        changes.push(Change { path: path.into(), kind });
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

fn walk(
    parent: BorrowedFd<'_>,
    name: &std::ffi::CStr,
    path: Vec<u8>,
    depth: usize,
    found: &mut Snapshot,
) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    let mut buffer = Vec::with_capacity(4096);
    let mut entries = RawDir::new(directory.as_fd(), buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let path = [path.as_slice(), b"/", name.to_bytes()].concat();
        let stat = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let (head, content) = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => read_file(directory.as_fd(), name)?,
            FileType::Symlink => (rustix::fs::readlinkat(&directory, name, Vec::new())?.into_bytes(), 0),
            _ => (Vec::new(), 0),
        };
        found.insert(path.clone(), Entry { state: state(&stat, head.into()), content });
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory && depth < DEPTH {
            walk(directory.as_fd(), name, path, depth + 1, found)?;
        }
    }
    Ok(())
}

fn read_file(directory: BorrowedFd<'_>, name: &std::ffi::CStr) -> Result<(Vec<u8>, u64), Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    let mut head = Vec::new();
    let mut hasher = DefaultHasher::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = rustix::io::read(&file, chunk.as_mut_slice())?;
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.write(bytes);
        let room = HEAD - head.len();
        head.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }
    Ok((head, hasher.finish()))
}

fn state(stat: &rustix::fs::Stat, head: Bytes) -> EntryState {
    EntryState {
        owner: Uid::new(stat.st_uid).unwrap_or(Uid::OVERFLOW),
        group: Gid::new(stat.st_gid).unwrap_or(Gid::OVERFLOW),
        mode: stat.st_mode,
        size: if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            0
        } else {
            u64::try_from(stat.st_size).unwrap_or(0)
        },
        head,
    }
}
