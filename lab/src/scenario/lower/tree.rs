//! The file tree of a sandbox while a case is being put together, and what it holds unless a case says otherwise.

use crate::case::{Kind, Policy};
use crate::scenario::accounts::Accounts;
use lab_invocation::layout::{Content, Node, NodeKind, Order};
use lab_invocation::{Bytes, Gid, Uid};
use std::collections::BTreeMap;

/// The program that runs every CGI script.
pub(super) const DRIVER: &str = "driver";

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

    /// Owner and group of every node.
    pub(super) fn owners(&self) -> impl Iterator<Item = (Uid, Gid)> {
        self.0.values().map(|node| (node.owner, node.group))
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

/// Path of a script.
pub(super) fn script_path(policy: &Policy, name: &Bytes) -> Bytes {
    below(&below(&policy.prefix, b"scripts"), &name.0)
}

/// A path below a directory.
pub(super) fn below(directory: &Bytes, name: &[u8]) -> Bytes {
    Bytes([&directory.0, b"/".as_slice(), name].concat())
}

/// What every sandbox of a wrapper holds: accounts, the prefix as Mailman's installation makes it, and the witness
/// in place of what the wrapper starts.
pub(super) fn base(accounts: &Accounts, policy: &Policy) -> Tree {
    let mut tree = Tree::default();
    tree.directory(&"/etc".into(), Uid::ROOT, Gid::ROOT, 0o755);
    tree.text("/etc/group", lines(&accounts.group_lines()));
    tree.text("/etc/passwd", lines(&accounts.passwd_lines()));
    tree.directory(&policy.prefix, Uid::ROOT, policy.own.gid, 0o2775);
    for directory in ["mail", "cgi-bin", "scripts"] {
        tree.directory(&below(&policy.prefix, directory.as_bytes()), Uid::ROOT, policy.own.gid, 0o2775);
    }
    let driver = [Bytes::from(DRIVER)];
    let names: &[Bytes] = if policy.kind == Kind::Mail { &policy.commands } else { &driver };
    for name in names.iter().filter(|name| is_file_name(name)) {
        let (mode, content) = match &policy.interpreter {
            None => (0o755, Content::Witness),
            Some(_) => (0o644, Content::Inline("# read by the interpreter\n".into())),
        };
        tree.put(&script_path(policy, name), policy.owner.0, policy.own.gid, mode, NodeKind::File(content));
    }
    if let Some((path, _)) = &policy.interpreter {
        tree.put(path, Uid::ROOT, Gid::ROOT, 0o755, NodeKind::File(Content::Witness));
    }
    tree
}

/// Whether a name can be that of a file.
pub(super) fn is_file_name(name: &Bytes) -> bool {
    !name.0.is_empty() && name.0.len() < 256 && !name.0.contains(&b'/') && name.0 != b"." && name.0 != b".."
}

/// Lines as a text.
pub(super) fn lines(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.bytes().chain([b'\n'])).collect()
}
