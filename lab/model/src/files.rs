//! Walking a path. See path_resolution(7) and `fs/namei.c`.

use crate::Bytes;
use crate::capability::Capability;
use crate::exec::{Image, MountView};
use crate::process::{Errno, Process};
use std::collections::BTreeMap;

/// The tree in which subject, script and interpreter lie. Paths are absolute, without `.`, `..` or a final slash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// What is where. Directories that lead to an entry and are not listed belong to root and have mode 0755.
    pub entries: BTreeMap<Bytes, Entry>,
    /// What is mounted over it, in order; the last one that covers a path counts.
    pub mounts: Vec<Mount>,
}

/// A file, directory or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Owner.
    pub owner: u32,
    /// Group.
    pub group: u32,
    /// Permission and set-id bits.
    pub mode: u32,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A symbolic link to this path, absolute or relative to its directory.
    Symlink(Bytes),
    /// A program in a format which the kernel executes itself.
    Program,
    /// A file that begins with `#!` and this interpreter.
    Script(Bytes),
    /// Any other regular file: execve(2) answers ENOEXEC.
    Data,
    /// A FIFO, socket or device: execve(2) answers EACCES.
    Special,
}

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Mount point.
    pub at: Bytes,
    /// The place whose content it shows (bind or overlay); `None` shows what lies at the mount point itself.
    pub shows: Option<Bytes>,
    /// Set-id bits are ignored.
    pub nosuid: bool,
    /// Nothing is executed.
    pub noexec: bool,
    /// It shows files of one group as another: `mount_setattr(2)`, MOUNT_ATTR_IDMAP.
    pub shows_group: Option<(u32, u32)>,
}

/// One step of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Path of the step, every link before it resolved.
    pub path: Bytes,
    /// What is there, as the mount shows it.
    pub entry: Entry,
}

/// The way to a file: every directory, link and the file itself, in the order in which they were met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The steps; the last one is the file.
    pub steps: Vec<Step>,
    /// Where it ends, without links; empty for the root directory.
    here: Bytes,
    nosuid: bool,
    noexec: bool,
}

impl Walk {
    /// The file at the end.
    pub fn target(&self) -> Option<&Step> {
        self.steps.last()
    }
}

/// What execve(2) finds at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file whose bits count.
    pub image: Image,
    /// For a script: its interpreter.
    pub interpreter: Option<Bytes>,
}

impl Files {
    /// Walks to `path` as `process`, following links.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR, ELOOP (more than 40 links), EACCES for a directory that may not be searched.
    pub fn walk(&self, path: &[u8], process: &Process) -> Result<Walk, Errno> {
        let mut walk = Walk { steps: vec![self.step(b"/")?], here: Bytes::new(), nosuid: false, noexec: false };
        let mut left = components(path);
        let mut here = Bytes::new();
        let mut links = 0;
        while let Some(name) = left.pop() {
            let Step { entry: directory, .. } = self.step(if here.is_empty() { b"/" } else { &here })?;
            if directory.kind != EntryKind::Directory {
                return Err(Errno::ENOTDIR);
            }
            if !may_search(process, &directory) {
                return Err(Errno::EACCES);
            }
            if name == b".." {
                let parent = here.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                here.truncate(parent);
                continue;
            }
            let mut next = here.clone();
            next.push(b'/');
            next.extend_from_slice(&name);
            let step = self.step(&next)?;
            if let EntryKind::Symlink(target) = &step.entry.kind {
                links += 1;
                if links > 40 {
                    return Err(Errno::ELOOP);
                }
                if target.first() == Some(&b'/') {
                    here.clear();
                }
                left.extend(components(target));
            } else {
                here = next;
            }
            walk.steps.push(step);
        }
        let mount = self.mount_of(&here);
        walk.nosuid = mount.is_some_and(|mount| mount.nosuid);
        walk.noexec = mount.is_some_and(|mount| mount.noexec);
        walk.here = here;
        Ok(walk)
    }

    /// Looks up what execve(2) of `path` would run.
    ///
    /// # Errors
    /// Those of [`Files::walk`]; EACCES without execute permission, on a noexec mount or for what is no regular file;
    /// ENOEXEC for an unknown format; ELOOP for scripts whose interpreters are scripts, five deep (execve(2)).
    pub fn find_program(&self, path: &[u8], process: &Process, foreign: bool) -> Result<Found, Errno> {
        let mut interpreter = None;
        let mut path = path.to_vec();
        for _ in 0..=5 {
            let walk = self.walk(&path, process)?;
            let entry = &walk.target().ok_or(Errno::ENOENT)?.entry;
            let regular = matches!(entry.kind, EntryKind::Program | EntryKind::Script(_) | EntryKind::Data);
            if !regular || walk.noexec || !may_execute(process, entry) {
                return Err(Errno::EACCES);
            }
            match &entry.kind {
                EntryKind::Script(next) => {
                    interpreter = Some(next.clone());
                    path.clone_from(next);
                }
                EntryKind::Program => {
                    let mount = MountView { nosuid: walk.nosuid, foreign, foreign_owner: false };
                    let (owner, group) = (Some(entry.owner), Some(entry.group));
                    let image = Image { owner, group, mode: entry.mode, capabilities: None, mount };
                    return Ok(Found { image, interpreter });
                }
                _ => return Err(Errno::ENOEXEC),
            }
        }
        Err(Errno::ELOOP)
    }

    /// open(2) of `path` with O_CREAT and O_EXCL: a symbolic link at the end is not followed, wherever it leads.
    ///
    /// # Errors
    /// EEXIST if there is something, a dangling link included; those of [`Files::walk`] on the way there.
    pub fn create_exclusively(&self, path: &[u8], process: &Process) -> Result<(), Errno> {
        let end = path.iter().rposition(|&byte| byte == b'/').ok_or(Errno::ENOENT)?;
        let (directory, name) = path.split_at(end);
        let walk = self.walk(directory, process)?;
        let mut resolved = walk.here;
        resolved.extend_from_slice(name);
        match self.step(&resolved) {
            Ok(_) => Err(Errno::EEXIST),
            Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    fn mount_of(&self, path: &[u8]) -> Option<&Mount> {
        self.mounts.iter().rev().find(|mount| is_below(path, &mount.at))
    }

    /// The entry at a path without links in it, as its mount shows it.
    fn step(&self, path: &[u8]) -> Result<Step, Errno> {
        let mount = self.mount_of(path);
        let mut source = path.to_vec();
        if let Some((mount, shown)) = mount.and_then(|mount| Some((mount, mount.shows.as_ref()?))) {
            source = [shown.as_slice(), path.get(mount.at.len()..).unwrap_or_default()].concat();
        }
        let mut entry = match self.entries.get(&source) {
            Some(entry) => entry.clone(),
            None if source == b"/" || self.entries.keys().any(|known| is_below(known, &source)) => {
                Entry { kind: EntryKind::Directory, owner: 0, group: 0, mode: 0o755 }
            }
            None => return Err(Errno::ENOENT),
        };
        if let Some((from, to)) = mount.and_then(|mount| mount.shows_group)
            && entry.group == from
        {
            entry.group = to;
        }
        Ok(Step { path: path.to_vec(), entry })
    }
}

/// Components of a path, the last one first; empty ones and `.` are left out.
fn components(path: &[u8]) -> Vec<Bytes> {
    path.split(|&byte| byte == b'/')
        .rev()
        .filter(|name| !name.is_empty() && *name != b".")
        .map(<[u8]>::to_vec)
        .collect()
}

fn is_below(path: &[u8], above: &[u8]) -> bool {
    above == b"/" || path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Which three bits of a mode count: those of the first class that fits, path_resolution(7), "Permissions".
fn class(process: &Process, entry: &Entry) -> u32 {
    if process.uid.fs == entry.owner {
        entry.mode >> 6 & 7
    } else if process.in_group(entry.group) {
        entry.mode >> 3 & 7
    } else {
        entry.mode & 7
    }
}

/// Capabilities act only on files whose owner and group the user namespace maps: `capable_wrt_inode_uidgid`.
fn is_mapped(process: &Process, entry: &Entry) -> bool {
    process.namespace.uids.inside(entry.owner).is_some() && process.namespace.gids.inside(entry.group).is_some()
}

fn may_search(process: &Process, directory: &Entry) -> bool {
    let capable = process.has(Capability::DAC_OVERRIDE) || process.has(Capability::DAC_READ_SEARCH);
    class(process, directory) & 1 != 0 || (capable && is_mapped(process, directory))
}

/// CAP_DAC_OVERRIDE helps only if anybody at all may execute the file: capabilities(7), `generic_permission`.
fn may_execute(process: &Process, file: &Entry) -> bool {
    let capable = process.has(Capability::DAC_OVERRIDE) && file.mode & 0o111 != 0;
    class(process, file) & 1 != 0 || (capable && is_mapped(process, file))
}

#[cfg(test)]
mod tests;
