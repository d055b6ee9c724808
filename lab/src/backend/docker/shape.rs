//! What the engine must mount for a layout. Inside a container nothing can be mounted, so that each directory which a
//! case gets anew (bounded in size) and each mount with flags is a tmpfs(5) that the engine makes when it starts the
//! container. Layouts of one shape share a container.

use crate::backend::{BackendError, Lack};
use crate::capability::Capability;
use lab_invocation::layout::{MountFlags, MountKind, NodeKind};
use lab_invocation::{Bytes, Invocation, Layout};
use std::collections::{BTreeMap, HashMap};

/// Bound on what a case can write in one fresh directory, with what its layout puts there.
const ROOM: &str = "size=64m,nr_inodes=4096";
/// Where the agent has its negative probe.
const NOSUID: &str = "/.lab/nosuid";

/// Mount points with their flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape(BTreeMap<String, MountFlags>);

impl Shape {
    /// That of a layout.
    ///
    /// # Errors
    /// An engine cannot make it.
    pub(super) fn of(layout: &Layout) -> Result<Self, BackendError> {
        if let Some(Lack { because, .. }) = lack_of_layout(layout) {
            let step = "mount what a layout needs".to_owned();
            return Err(BackendError { step, found: because, cure: None });
        }
        let path = |path: &Bytes| String::from_utf8_lossy(path.as_slice()).into_owned();
        let mut points = BTreeMap::from([("/tmp".to_owned(), MountFlags::default())]);
        points.extend(layout.fresh.iter().map(|at| (path(at), MountFlags::default())));
        points.extend(layout.mounts.iter().map(|mount| (path(&mount.at), mount.flags)));
        Ok(Self(points))
    }

    /// As the engine takes it: mount points with options. Its defaults are nosuid, nodev and noexec.
    pub(super) fn tmpfs(&self) -> HashMap<String, String> {
        let options = |flags: &MountFlags| {
            let MountFlags { nosuid, noexec, nodev, read_only: _ } = *flags;
            let word = |off: bool, name: &str| if off { format!("no{name}") } else { name.to_owned() };
            format!("rw,{},{},{},{ROOM}", word(nosuid, "suid"), word(noexec, "exec"), word(nodev, "dev"))
        };
        self.0.iter().map(|(at, flags)| (at.clone(), options(flags))).chain([own()]).collect()
    }
}

/// What the agent needs in every container.
pub(super) fn own() -> (String, String) {
    nosuid(NOSUID)
}

/// A directory in which no set-id bit acts, and programs run.
pub(super) fn nosuid(at: &str) -> (String, String) {
    (at.to_owned(), "rw,nosuid,nodev,exec,mode=755,size=64m".to_owned())
}

/// What of a layout no engine can make, without a cure.
pub(super) fn lack_of_layout(layout: &Layout) -> Option<Lack> {
    let lack = |needs, because| Lack { needs, because };
    for mount in &layout.mounts {
        let at = &mount.at;
        match mount.kind {
            MountKind::Itself => {}
            MountKind::Overlay(_) => return Some(lack(Some(Capability::Overlay), format!("an overlay at {at}"))),
            MountKind::IdMapped { .. } => {
                return Some(lack(Some(Capability::IdMappedMounts), format!("an id-mapped mount at {at}")));
            }
            MountKind::Bind(_) | MountKind::Host(_) => return Some(lack(None, format!("a bind mount at {at}"))),
        }
        let is_directory = layout.nodes.iter().any(|node| node.path == *at && node.kind == NodeKind::Directory);
        if mount.flags.read_only || !is_directory {
            let what = format!("a read-only mount, or one of a single file or of /, at {at}");
            return Some(lack(Some(Capability::MountFlags), what));
        }
    }
    let all: Vec<&Bytes> = layout.fresh.iter().chain(layout.mounts.iter().map(|mount| &mount.at)).collect();
    let inside = |inner: &Bytes, outer: &Bytes| {
        inner.as_slice().strip_prefix(outer.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
    };
    let temporary = Bytes::from("/tmp");
    let fresh = || layout.fresh.iter().chain([&temporary]);
    let nested = fresh().flat_map(|outer| all.iter().map(move |inner| (*inner, outer)));
    let (inner, outer) = nested.into_iter().find(|(inner, outer)| inside(inner, outer))?;
    Some(lack(None, format!("a mount at {inner} within {outer}, which each case gets anew")))
}

/// What of an invocation cannot be had in one mount namespace, without a cure.
pub(super) fn lack_of_invocation(invocation: &Invocation) -> Option<Lack> {
    let foreign = invocation.transition.foreign_mount;
    foreign.then(|| Lack { needs: None, because: "a mount of another mount namespace".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{Shape, lack_of_layout};
    use lab_invocation::layout::{Mount, MountFlags, MountKind, Node, NodeKind, Order};
    use lab_invocation::{Gid, Layout, Uid};

    fn layout(mounts: &[(&str, MountKind, MountFlags)], fresh: &[&str]) -> Layout {
        let directory = |path: &str| Node {
            path: path.into(),
            owner: Uid::ROOT,
            group: Gid::ROOT,
            mode: 0o755,
            kind: NodeKind::Directory,
            order: Order::default(),
        };
        Layout {
            nodes: ["/a", "/a/b", "/c"].map(directory).into(),
            mounts: mounts
                .iter()
                .map(|(at, kind, flags)| Mount { at: (*at).into(), kind: kind.clone(), flags: *flags })
                .collect(),
            fresh: fresh.iter().map(|&at| at.into()).collect(),
        }
    }

    const NOSUID: MountFlags = MountFlags { nosuid: true, noexec: false, nodev: false, read_only: false };
    const READ_ONLY: MountFlags = MountFlags { nosuid: false, noexec: false, nodev: false, read_only: true };

    #[test]
    fn flags_become_options_which_undo_the_engines_defaults() {
        let shape = Shape::of(&layout(&[("/a", MountKind::Itself, NOSUID)], &["/c"])).expect("a shape");
        let tmpfs = shape.tmpfs();
        assert_eq!(tmpfs["/a"], "rw,nosuid,exec,dev,size=64m,nr_inodes=4096");
        assert_eq!(tmpfs["/c"], "rw,suid,exec,dev,size=64m,nr_inodes=4096");
        assert_eq!(tmpfs["/tmp"], tmpfs["/c"]);
        assert!(tmpfs["/.lab/nosuid"].contains("nosuid") && tmpfs["/.lab/nosuid"].contains(",exec"));
    }

    #[test]
    fn what_an_engine_cannot_make_is_named() {
        let none = MountFlags::default();
        for (mounts, fresh, word) in [
            (&[("/a", MountKind::Itself, READ_ONLY)][..], &[][..], "read-only"),
            (&[("/x", MountKind::Itself, NOSUID)], &[], "single file"),
            (&[("/a", MountKind::Overlay("/a".into()), none)], &[], "overlay"),
            (&[("/a", MountKind::Host("/lib".into()), none)], &[], "bind mount"),
            (&[("/a/b", MountKind::Itself, NOSUID)], &["/a"], "/a/b within /a"),
            (&[], &["/a", "/a/b"], "/a/b within /a"),
        ] {
            let layout = layout(mounts, fresh);
            let lack = lack_of_layout(&layout).expect(word);
            assert!(lack.because.contains(word), "{}", lack.because);
            assert!(Shape::of(&layout).is_err());
        }
        assert_eq!(lack_of_layout(&layout(&[("/a/b", MountKind::Itself, NOSUID)], &["/c"])), None);
        // A namesake is not within.
        assert_eq!(lack_of_layout(&layout(&[], &["/a", "/ab"])), None);
    }
}
