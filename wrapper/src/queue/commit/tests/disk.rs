//! A directory in memory that knows what of it is on disk, and that can fail at any call.

use crate::queue::commit::{FILE_MODE, Owned, Store};
use nix::errno::Errno;
use std::collections::BTreeMap;

pub(in crate::queue) const OWNED: Owned = Owned { uid: 1000, gid: 25, mode: 0o100_660, links: 1 };

/// How the failures go on, after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failing {
    /// One call fails, and has done nothing.
    Once(Errno),
    /// One call fails, and has done it all the same.
    OnceAfter(Errno),
    /// Every call from there on fails: a dead disk, or, as nothing happens any more, a killed process.
    Always(Errno),
    /// A write takes a byte only.
    Short,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inode {
    pub(super) content: Vec<u8>,
    pub(super) on_disk: Vec<u8>,
    mode: u32,
    locked: bool,
}

/// The directory.
#[derive(Debug, Clone)]
pub(in crate::queue) struct Disk {
    pub(super) inodes: Vec<Inode>,
    pub(super) names: BTreeMap<String, usize>,
    pub(super) names_on_disk: BTreeMap<String, usize>,
    pub(super) calls: usize,
    failing: Option<(usize, Failing)>,
    /// What a promise was broken by: the first call after which a power cut would have been noticed.
    pub(super) broken: Option<String>,
    pub(super) status: Owned,
    planted: Vec<String>,
}

impl Disk {
    pub(super) fn new(failing: Option<(usize, Failing)>) -> Self {
        Self {
            inodes: Vec::new(),
            names: BTreeMap::new(),
            names_on_disk: BTreeMap::new(),
            calls: 0,
            failing,
            broken: None,
            status: OWNED,
            planted: Vec::new(),
        }
    }

    /// Puts somebody else's file there.
    pub(super) fn plant(&mut self, name: &str) {
        self.planted.push(name.to_owned());
        let content = b"somebody else's".to_vec();
        self.inodes.push(Inode { on_disk: content.clone(), content, mode: 0o600, locked: false });
        self.names.insert(name.to_owned(), self.inodes.len() - 1);
        self.names_on_disk.insert(name.to_owned(), self.inodes.len() - 1);
    }

    /// Whether everything that was planted is as it was.
    pub(super) fn planted_is_untouched(&self) -> bool {
        let untouched = |name: &String| {
            let inode = self.names.get(name).map(|inode| &self.inodes[*inode]);
            inode.is_some_and(|inode| inode.content == b"somebody else's" && !inode.locked && inode.mode == 0o600)
        };
        self.planted.iter().all(untouched)
    }

    /// What the reader of the queue would deliver: the ids, but for what was planted.
    pub(super) fn deliverable(&self) -> Vec<String> {
        let messages = self.names.iter().filter(|(name, inode)| {
            name.starts_with("qf") && !self.planted.contains(name) && !self.inodes[**inode].content.is_empty()
        });
        messages.map(|(name, _)| name[2..].to_owned()).collect()
    }

    /// Q1 and Q4, of one message: all of it is on disk, so that no power cut can leave a part of it.
    pub(super) fn is_whole(&self, id: &str) -> bool {
        let (Some(control), Some(data)) =
            (self.names.get(&format!("qf{id}")), self.names_on_disk.get(&format!("df{id}")))
        else {
            return false;
        };
        let synced = |inode: usize| self.inodes[inode].content == self.inodes[inode].on_disk;
        synced(*control) && synced(*data) && self.inodes[*control].content.ends_with(b"\n.\n")
    }

    fn call<T>(&mut self, what: &str, act: impl FnOnce(&mut Self) -> Result<T, Errno>) -> Result<T, Errno> {
        let at = self.calls;
        self.calls += 1;
        let result = match self.failing {
            Some((place, Failing::Once(errno))) if at == place => Err(errno),
            Some((place, Failing::Always(errno))) if at >= place => Err(errno),
            Some((place, Failing::OnceAfter(errno))) if at == place => act(self).and(Err(errno)),
            _ => act(self),
        };
        // A power cut may leave a name that is not yet on disk as well as one that is, so that this holds at every moment.
        for id in self.deliverable() {
            if !self.is_whole(&id) {
                self.broken.get_or_insert(format!("{id} after call {at}, {what}"));
            }
        }
        result
    }
}

impl Store for Disk {
    type File = usize;

    fn create(&mut self, name: &str) -> Result<usize, Errno> {
        self.call("create", |disk| {
            if disk.names.contains_key(name) {
                return Err(Errno::EEXIST);
            }
            disk.inodes.push(Inode::default());
            let inode = disk.inodes.len() - 1;
            disk.names.insert(name.to_owned(), inode);
            Ok(inode)
        })
    }

    fn set_mode(&mut self, file: &usize) -> Result<(), Errno> {
        self.call("set_mode", |disk| {
            disk.inodes[*file].mode = FILE_MODE;
            Ok(())
        })
    }

    fn status(&mut self, file: &usize) -> Result<Owned, Errno> {
        self.call("status", |disk| Ok(Owned { mode: 0o100_000 | disk.inodes[*file].mode, ..disk.status }))
    }

    fn lock(&mut self, file: &usize) -> Result<(), Errno> {
        self.call("lock", |disk| {
            disk.inodes[*file].locked = true;
            Ok(())
        })
    }

    fn write(&mut self, file: &usize, bytes: &[u8]) -> Result<usize, Errno> {
        let short = matches!(self.failing, Some((at, Failing::Short)) if at == self.calls);
        let taken = if short { bytes.len().min(1) } else { bytes.len() };
        self.call("write", |disk| {
            disk.inodes[*file].content.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        })
    }

    fn sync(&mut self, file: &usize) -> Result<(), Errno> {
        self.call("sync", |disk| {
            let inode = &mut disk.inodes[*file];
            inode.on_disk = inode.content.clone();
            Ok(())
        })
    }

    fn sync_directory(&mut self) -> Result<(), Errno> {
        self.call("sync_directory", |disk| {
            disk.names_on_disk = disk.names.clone();
            Ok(())
        })
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        self.call("rename", |disk| {
            if disk.names.contains_key(to) {
                return Err(Errno::EEXIST);
            }
            let inode = disk.names.remove(from).ok_or(Errno::ENOENT)?;
            if !disk.inodes[inode].locked {
                disk.broken.get_or_insert("a reader could begin before the writer has ended".to_owned());
            }
            disk.names.insert(to.to_owned(), inode);
            Ok(())
        })
    }

    fn is(&mut self, name: &str, file: &usize) -> Result<bool, Errno> {
        self.call("is", |disk| Ok(disk.names.get(name) == Some(file)))
    }

    fn remove(&mut self, name: &str) -> Result<(), Errno> {
        self.call("remove", |disk| disk.names.remove(name).map(drop).ok_or(Errno::ENOENT))
    }

    fn empty(&mut self, file: &usize) -> Result<(), Errno> {
        self.call("empty", |disk| {
            disk.inodes[*file].content.clear();
            Ok(())
        })
    }
}
