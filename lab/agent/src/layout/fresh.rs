//! Directories that each case gets anew: a small file system in memory, filled, attached in the case's own mount
//! namespace, and read by its descriptor after that namespace is gone.

use super::changes::{Snapshot, snapshot};
use super::path::Absolute;
use super::tree::{self, Blob, Placed, Sources};
use super::{container, mounts};
use crate::failure::{During, Failure};
use lab_invocation::layout::{Content, Digest, Node, NodeKind, Order};
use lab_invocation::{Bytes, Gid, Layout, Uid};
use rustix::fs::{Mode, OFlags};
use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bound on what a case can write besides what its layout puts there, in bytes.
const SIZE: u64 = 16 << 20;
/// The largest page of any machine, in bytes: what a file takes is rounded up to pages.
const PAGE: u64 = 64 << 10;
/// Bound on how many files a case can make.
const INODES: &str = "4096";

/// A directory that each case gets anew.
pub(crate) struct Fresh {
    /// Where.
    pub(crate) at: Absolute,
    root: Node,
    nodes: Vec<Placed>,
    /// Files that the nodes name.
    blobs: HashMap<Digest, Blob>,
    before: Option<Snapshot>,
}

/// One case's copy of a fresh directory.
pub(crate) struct Instance {
    /// The mount, attached nowhere at first.
    pub(crate) mount: OwnedFd,
}

impl Fresh {
    fn new(at: Absolute, root: &Node) -> Self {
        Self { at, root: root.clone(), nodes: Vec::new(), blobs: HashMap::new(), before: None }
    }

    /// Makes one, filled as the layout says. `agent` is the agent's program file.
    pub(crate) fn instance(&self, agent: &[u8]) -> Result<Instance, Failure> {
        let size = (SIZE + self.own_files(agent)).to_string();
        let (mode, owner, group) =
            (format!("{:o}", self.root.mode), self.root.owner.to_string(), self.root.group.to_string());
        let mut options = vec![("size", size.as_str()), ("nr_inodes", INODES), ("mode", mode.as_str())];
        if owner != "0" {
            options.push(("uid", owner.as_str()));
        }
        if group != "0" {
            options.push(("gid", group.as_str()));
        }
        let mount = mounts::new_tmpfs(&options)?;
        tree::make_all(mount.as_fd(), &self.nodes, &Sources { blobs: &self.blobs, agent })?;
        Ok(Instance { mount })
    }

    /// Makes one in place, below `root`, where nothing can be mounted: what the last case left there goes first.
    pub(crate) fn renew(&self, root: BorrowedFd<'_>, agent: &[u8]) -> Result<Instance, Failure> {
        let path = self.at.below(&Absolute::root()).unwrap_or_default();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mount =
            rustix::fs::openat(root, &path, flags, Mode::empty()).during(|| format!("open {} to renew it", self.at))?;
        container::empty(mount.as_fd(), &[]).during(|| format!("empty {}", self.at))?;
        let itself = Placed { at: c".".to_owned(), node: self.root.clone() };
        let sources = Sources { blobs: &self.blobs, agent };
        tree::make_all(mount.as_fd(), &[itself], &sources)?;
        tree::make_all(mount.as_fd(), &self.nodes, &sources)?;
        Ok(Instance { mount })
    }

    /// How much room the layout's own files take at most, in bytes.
    fn own_files(&self, agent: &[u8]) -> u64 {
        let length = |content: &Content| match content {
            Content::Inline(bytes) => bytes.0.len(),
            Content::Blob(digest) => self.blobs.get(digest).map_or(0, |blob| blob.program.0.len()),
            Content::Witness => agent.len(),
        };
        let contents = self.nodes.iter().filter_map(|placed| match &placed.node.kind {
            NodeKind::File(content) => Some(length(content)),
            _ => None,
        });
        contents.map(|length| (length as u64).next_multiple_of(PAGE)).sum()
    }

    /// Keeps the contents that its nodes name.
    pub(crate) fn keep(&mut self, sources: &Sources<'_>) {
        for placed in &self.nodes {
            if let NodeKind::File(Content::Blob(digest)) = &placed.node.kind
                && let Some(blob) = sources.blobs.get(digest)
            {
                self.blobs.insert(*digest, blob.clone());
            }
        }
    }

    /// Takes the state of a new instance as what later ones are compared with.
    pub(crate) fn learn(&mut self, instance: &Instance) -> Result<(), Failure> {
        self.before = Some(snapshot(instance.mount.as_fd(), &self.at)?);
        Ok(())
    }

    /// The state of a new instance.
    pub(crate) fn before(&self) -> Option<&Snapshot> {
        self.before.as_ref()
    }
}

/// Whether a path is one of the fresh directories, or in one.
pub(super) fn covers(fresh: &[Fresh], path: &Bytes) -> bool {
    Absolute::new(path).is_ok_and(|path| fresh.iter().any(|fresh| path.below(&fresh.at).is_some()))
}

/// Divides a layout's nodes into those of the fresh directories and those of the standing tree. `/tmp` is always fresh.
pub(super) fn divide(spec: &Layout) -> Result<(Vec<Fresh>, Vec<Placed>), Failure> {
    let mut fresh = Vec::new();
    let temporary: Bytes = "/tmp".into();
    let always = std::iter::once(&temporary).filter(|tmp| !spec.fresh.contains(tmp));
    for path in always.chain(&spec.fresh) {
        let at = Absolute::new(path)?;
        if at == Absolute::root() {
            return Err(Failure::refused("make / fresh: list the directories that must be writable instead"));
        }
        match spec.nodes.iter().find(|node| node.path == *path) {
            Some(node) if node.kind == NodeKind::Directory => fresh.push(Fresh::new(at, node)),
            Some(_) => return Err(Failure::refused(format!("fresh path {path} is not a directory of the layout"))),
            None if *path == temporary => fresh.push(Fresh::new(at, &sticky(path))),
            None => {
                return Err(Failure::refused(format!("fresh directory {path} is not among the nodes of the layout")));
            }
        }
    }
    let mut standing = Vec::new();
    for node in &spec.nodes {
        let path = Absolute::new(&node.path)?;
        let inside = |fresh: &&mut Fresh| path != fresh.at && path.below(&fresh.at).is_some();
        let innermost = fresh.iter_mut().filter(inside).max_by_key(|fresh| fresh.at.as_bytes().len());
        let base = innermost.as_ref().map_or_else(Absolute::root, |fresh| fresh.at.clone());
        let Some(at) = path.below(&base) else { continue };
        let placed = Placed { at, node: node.clone() };
        match innermost {
            Some(fresh) => fresh.nodes.push(placed),
            None => standing.push(placed),
        }
    }
    Ok((fresh, standing))
}

fn sticky(path: &Bytes) -> Node {
    Node {
        path: path.clone(),
        owner: Uid::ROOT,
        group: Gid::ROOT,
        mode: 0o1777,
        kind: NodeKind::Directory,
        order: Order::default(),
    }
}
