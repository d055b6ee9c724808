//! Files, directories and links from their descriptions.

use super::path::Absolute;
use super::{EMPTY, OWN, PROBE, PROBE_GID};
use crate::failure::{During, Failure};
use lab_invocation::layout::{Content, Digest, Node, NodeKind, Order};
use lab_invocation::protocol::Patch;
use lab_invocation::{Bytes, Gid, Uid};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::rc::Rc;

/// Where contents come from.
pub(crate) struct Sources<'a> {
    /// Files that the lab sent.
    pub(crate) blobs: &'a HashMap<Digest, Blob>,
    /// The agent's own program file.
    pub(crate) agent: &'a [u8],
}

/// A file that the lab sent: a program, and where it differs from it.
#[derive(Clone)]
pub(crate) struct Blob {
    /// The program.
    pub(crate) program: Rc<Bytes>,
    /// What stands in it instead of its own bytes.
    pub(crate) patch: Option<Patch>,
}

/// A node with its path relative to the directory in which it is made.
pub(crate) struct Placed {
    /// Relative to the directory; `.` for the directory itself.
    pub(crate) at: std::ffi::CString,
    /// The description.
    pub(crate) node: Node,
}

/// A set-group-ID probe at an absolute path.
pub(super) fn probe(path: &str) -> Placed {
    let group = Gid::new(PROBE_GID).unwrap_or(Gid::ROOT);
    placed(&own(path), 0o2755, group, NodeKind::File(Content::Witness))
}

/// An absolute path, relative to the root.
fn own(path: &str) -> std::ffi::CString {
    std::ffi::CString::new(path.trim_start_matches('/')).unwrap_or_default()
}

/// What every layout has without listing it.
pub(super) fn always() -> Vec<Placed> {
    let directory = |path: &CStr, mode| placed(path, mode, Gid::ROOT, NodeKind::Directory);
    vec![
        directory(c"dev", 0o755),
        directory(c"proc", 0o555),
        directory(c"tmp", 0o1777),
        directory(&own(OWN), 0o755),
        directory(&own(EMPTY), 0o755),
        directory(c".lab/unreadable", 0),
        placed(c".lab/challenge", 0o444, Gid::ROOT, NodeKind::File(Content::Inline(Bytes::default()))),
        probe(PROBE),
    ]
}

fn placed(at: &CStr, mode: u32, group: Gid, kind: NodeKind) -> Placed {
    let node = Node { path: at.to_bytes().into(), owner: Uid::ROOT, group, mode, kind, order: Order::default() };
    Placed { at: at.to_owned(), node }
}

/// Makes nodes below `root`, in order.
pub(crate) fn make_all(root: BorrowedFd<'_>, nodes: &[Placed], sources: &Sources<'_>) -> Result<(), Failure> {
    nodes.iter().try_for_each(|placed| make(root, placed, sources))
}

fn make(root: BorrowedFd<'_>, placed: &Placed, sources: &Sources<'_>) -> Result<(), Failure> {
    let Placed { at, node } = placed;
    let what = |verb: &str| format!("{verb} {} of the layout", node.path);
    match &node.kind {
        NodeKind::Directory => match rustix::fs::mkdirat(root, at, Mode::from_raw_mode(0o700)) {
            // `/`, `/dev` and the like exist already; the layout may give them another owner and mode.
            Err(Errno::EXIST) => {}
            result => result.during(|| what("make directory"))?,
        },
        NodeKind::File(content) => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = rustix::fs::openat(root, at, flags, Mode::from_raw_mode(0o600)).during(|| what("make file"))?;
            fill(&file, content, sources, node)?;
        }
        NodeKind::Symlink(target) => {
            rustix::fs::symlinkat(target.as_slice(), root, at).during(|| what("make symbolic link"))?;
        }
        NodeKind::HardLink(target) => {
            let target = Absolute::new(target)?;
            let target = target.below(&Absolute::root()).unwrap_or_default();
            // Its owner and mode are those of the file it names.
            return rustix::fs::linkat(root, &target, root, at, AtFlags::empty()).during(|| what("make hard link"));
        }
        NodeKind::Fifo => {
            rustix::fs::mknodat(root, at, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
                .during(|| what("make FIFO"))?;
        }
    }
    let owner = rustix::fs::Uid::from_raw(node.owner.as_raw());
    let group = rustix::fs::Gid::from_raw(node.group.as_raw());
    let chown =
        || rustix::fs::chownat(root, at, Some(owner), Some(group), AtFlags::SYMLINK_NOFOLLOW).during(|| what("chown"));
    let chmod = || match node.kind {
        NodeKind::Symlink(_) => Ok(()),
        _ => rustix::fs::chmodat(root, at, Mode::from_raw_mode(node.mode), AtFlags::empty()).during(|| what("chmod")),
    };
    match node.order {
        Order::ChownThenChmod => chown().and_then(|()| chmod()),
        Order::ChmodThenChown => chmod().and_then(|()| chown()),
    }
}

fn fill(file: &OwnedFd, content: &Content, sources: &Sources<'_>, node: &Node) -> Result<(), Failure> {
    let what = || format!("write {} of the layout", node.path);
    match content {
        Content::Inline(bytes) => crate::write_all(file, bytes.as_slice()).during(what),
        Content::Blob(digest) => {
            let Blob { program, patch } = sources
                .blobs
                .get(digest)
                .ok_or_else(|| Failure::refused(format!("{}: blob {digest} was not sent", what())))?;
            crate::write_all(file, program.as_slice()).during(what)?;
            match patch {
                Some(Patch { at, bytes }) => write_at(file, bytes.as_slice(), *at).during(what),
                None => Ok(()),
            }
        }
        // From memory in one call, so that the file system can take large pages for it.
        Content::Witness => crate::write_all(file, sources.agent).during(what),
    }
}

fn write_at(file: &OwnedFd, mut bytes: &[u8], mut at: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let count = rustix::io::pwrite(file, bytes, at)?;
        at += u64::try_from(count).unwrap_or(0);
        bytes = bytes.get(count..).unwrap_or_default();
    }
    Ok(())
}
