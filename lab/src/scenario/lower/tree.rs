//! The file tree of a sandbox while a case is being put together.

use lab_invocation::layout::{Content, Node, NodeKind, Order};
use lab_invocation::{Bytes, Gid, Uid};
use std::collections::BTreeMap;

/// Nodes by path. A directory sorts before what is in it, so the order of paths is the order of making.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree(BTreeMap<Bytes, Node>);

impl Tree {
    /// Adds or replaces a node, and adds the directories above it that are missing: root's, mode 755.
    pub(super) fn put(&mut self, path: &Bytes, owner: Uid, group: Gid, mode: u32, kind: NodeKind) {
        if let Some(above) = parent(path)
            && !self.0.contains_key(&above)
            && !lab_invocation::Layout::ALWAYS.iter().any(|always| always.as_bytes() == above.as_slice())
        {
            self.directory(&above, Uid::ROOT, Gid::ROOT, 0o755);
        }
        let node = Node { path: path.clone(), owner, group, mode, kind, order: Order::default() };
        self.0.insert(path.clone(), node);
    }

    /// A directory.
    pub(super) fn directory(&mut self, path: &Bytes, owner: Uid, group: Gid, mode: u32) {
        self.put(path, owner, group, mode, NodeKind::Directory);
    }

    /// A file of root's with this content, mode 644.
    pub(super) fn text(&mut self, path: &str, content: Vec<u8>) {
        self.put(&path.into(), Uid::ROOT, Gid::ROOT, 0o644, NodeKind::File(Content::Inline(Bytes(content))));
    }

    /// The node at a path.
    pub(super) fn get_mut(&mut self, path: &Bytes) -> Option<&mut Node> {
        self.0.get_mut(path)
    }

    /// The node at a path.
    pub(super) fn get(&self, path: &Bytes) -> Option<&Node> {
        self.0.get(path)
    }

    /// Takes away a node and everything below it.
    pub(super) fn remove(&mut self, path: &Bytes) {
        let mut below = path.0.clone();
        below.push(b'/');
        self.0.retain(|other, _| other != path && !other.0.starts_with(&below));
    }

    /// All paths that are text.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().filter_map(|path| std::str::from_utf8(&path.0).ok())
    }

    /// All nodes, parents before children.
    pub(super) fn into_nodes(self) -> Vec<Node> {
        self.0.into_values().collect()
    }
}

/// The directory that holds a path; `None` for entries of the root directory.
pub(super) fn parent(path: &Bytes) -> Option<Bytes> {
    let slash = path.0.iter().rposition(|&byte| byte == b'/')?;
    (slash > 0).then(|| Bytes(path.0[..slash].to_vec()))
}
