//! Layouts in a container that somebody else made. Its root directory is the layout's: the tree is made in place, and
//! taken away again for the next one. What cannot be mounted from inside must have been mounted by the engine, and is
//! looked at, never taken for granted. What cannot be made read-only is compared after each case.

use super::fresh::Fresh;
use super::path::Absolute;
use super::tree::{self, Blob, Placed, Sources};
use super::{OWN, mounts};
use crate::failure::{During, Failure};
use lab_invocation::Layout;
use lab_invocation::layout::{Content, Digest, Mount, MountKind, Node, NodeKind};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat, StatVfsMountFlags};
use rustix::io::Errno;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What the engine puts into every container, and the agent's own directory.
const KEPT: [&[u8]; 5] = [b".dockerenv", b".lab", b"dev", b"proc", b"sys"];
/// Where the engine has mounted a small nosuid file system.
const NOSUID: &CStr = c"/.lab/nosuid";
/// The probe on it, which must not gain its group.
pub(crate) const NOSUID_PROBE: &str = "/.lab/nosuid/probe";

/// Whose the files of a container are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A layout's, from the root directory on.
    Layouts,
    /// A server's, which stay; what a layout names is put among them.
    Server,
}

/// The container.
pub(crate) struct Container {
    whose: Whose,
    root: OwnedFd,
    /// Its /proc.
    pub(crate) proc: OwnedFd,
    log: OwnedFd,
    challenge: OwnedFd,
}

impl Container {
    /// Furnishes it with what every layout has. `agent` is the agent's program file.
    pub(crate) fn furnish(agent: &[u8], whose: Whose) -> Result<Self, Failure> {
        let directory = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(c"/", directory, Mode::empty()).during(|| "open /")?;
        let own = |placed: &Placed| placed.node.path.as_slice().starts_with(&OWN.as_bytes()[1..]);
        let always: Vec<Placed> = tree::always().into_iter().filter(own).collect();
        let sources = Sources { blobs: &HashMap::new(), agent };
        tree::make_all(root.as_fd(), &always, &sources)?;
        let flags = rustix::fs::statvfs(NOSUID).during(|| "look at /.lab/nosuid")?.f_flag;
        if !flags.contains(StatVfsMountFlags::NOSUID) || flags.contains(StatVfsMountFlags::NOEXEC) {
            return Err(Failure::refused(
                "prove layouts: /.lab/nosuid must be a nosuid mount from which one may execute",
            ));
        }
        tree::make_all(root.as_fd(), &[tree::probe(NOSUID_PROBE)], &sources)?;
        Ok(Self {
            whose,
            proc: rustix::fs::open(c"/proc", directory, Mode::empty()).during(|| "open /proc")?,
            log: match whose {
                Whose::Layouts => super::log_socket()?,
                // A server has a log of its own, or needs none.
                Whose::Server => super::deaf_socket()?,
            },
            challenge: super::open_writable(super::CHALLENGE).during(|| "open the file of the challenge")?,
            root,
        })
    }

    /// Whether the container's files are a server's.
    pub(super) fn is_beside_server(&self) -> bool {
        self.whose == Whose::Server
    }

    /// A layout's fresh directories, and what stands. A server's own directories are nobody's to empty.
    pub(super) fn divide(&self, spec: &Layout) -> Result<(Vec<Fresh>, Vec<Placed>), Failure> {
        match self.whose {
            Whose::Layouts => super::fresh::divide(spec),
            Whose::Server if spec.fresh.is_empty() => {
                let placed = |node: &Node| {
                    let at = Absolute::new(&node.path)?.below(&Absolute::root()).unwrap_or_default();
                    Ok(Placed { at, node: node.clone() })
                };
                Ok((Vec::new(), spec.nodes.iter().map(placed).collect::<Result<_, Failure>>()?))
            }
            Whose::Server => Err(Failure::refused("renew directories of a server's container for each case")),
        }
    }

    /// Another name of the socket behind `/dev/log`.
    pub(super) fn log(&self) -> Result<OwnedFd, Failure> {
        copy(&self.log).during(|| "copy the descriptor of /dev/log")
    }

    /// Another name of the open file of the challenge.
    pub(super) fn challenge(&self) -> Result<OwnedFd, Failure> {
        copy(&self.challenge).during(|| "copy the descriptor of the challenge")
    }
}

fn copy(fd: &OwnedFd) -> Result<OwnedFd, Errno> {
    rustix::io::fcntl_dupfd_cloexec(fd, 3)
}

/// The standing tree of one layout.
pub(crate) struct Tree {
    whose: Whose,
    root: OwnedFd,
    standing: Vec<Placed>,
    /// Files that it names.
    blobs: HashMap<Digest, Blob>,
    /// What the engine must have mounted.
    mounts: Vec<Mount>,
    /// Directories that each case gets anew.
    fresh: Vec<Absolute>,
    /// What it looked like when it was made.
    marks: Cell<Vec<(CString, Mark)>>,
    changed: Cell<bool>,
}

/// What changes when somebody changes a file, whatever he changes.
type Mark = [i128; 8];

impl Tree {
    /// Keeps what is needed to make it again and again.
    pub(super) fn new(
        container: &Container,
        standing: Vec<Placed>,
        fresh: &[Fresh],
        mounts: &[Mount],
        sources: &Sources<'_>,
    ) -> Result<Self, Failure> {
        let named = standing.iter().filter_map(|placed| match placed.node.kind {
            NodeKind::File(Content::Blob(digest)) => Some((digest, sources.blobs.get(&digest)?.clone())),
            _ => None,
        });
        Ok(Self {
            whose: container.whose,
            root: copy(&container.root).during(|| "copy the descriptor of /")?,
            blobs: named.collect(),
            standing,
            mounts: mounts.to_vec(),
            fresh: fresh.iter().map(|fresh| fresh.at.clone()).collect(),
            marks: Cell::default(),
            changed: Cell::new(false),
        })
    }

    /// The container's root directory.
    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Makes it in place of whatever is there.
    pub(super) fn make(&self, agent: &[u8]) -> Result<(), Failure> {
        match self.whose {
            Whose::Layouts => empty(self.root(), &KEPT).during(|| "take the former layout away")?,
            Whose::Server => self.make_room()?,
        }
        tree::make_all(self.root(), &self.standing, &Sources { blobs: &self.blobs, agent })?;
        self.mounts.iter().try_for_each(|mount| self.demand(mount))?;
        self.marks.set(self.look()?);
        self.changed.set(false);
        Ok(())
    }

    /// Takes away what is to be replaced, other than directories.
    fn make_room(&self) -> Result<(), Failure> {
        for placed in self.standing.iter().filter(|placed| placed.node.kind != NodeKind::Directory) {
            match rustix::fs::unlinkat(&self.root, &placed.at, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno).during(|| format!("replace {}", placed.node.path)),
            }
        }
        Ok(())
    }

    /// Makes it again if a case has changed it.
    pub(super) fn mend(&self, agent: &[u8]) -> Result<(), Failure> {
        if self.changed.get() { self.make(agent) } else { Ok(()) }
    }

    /// Refuses what a case has done to files which it should not have been able to change: here nothing but their modes
    /// keeps it from that, so that what follows says nothing.
    pub(super) fn demand_unchanged(&self) -> Result<(), Failure> {
        // A server works in its directories as it pleases.
        if self.whose == Whose::Server {
            return Ok(());
        }
        let now = self.look()?;
        let then = self.marks.take();
        let differs = then.iter().zip(&now).find(|(then, now)| then != now);
        self.changed.set(differs.is_some() || then.len() != now.len());
        let path = differs.map(|((path, _), _)| path.to_string_lossy().into_owned());
        self.marks.set(then);
        match path {
            None => Ok(()),
            Some(path) => Err(Failure::refused(format!(
                "keep /{path} as it was: the subject has changed it, which a container without read-only mounts allows"
            ))),
        }
    }

    fn look(&self) -> Result<Vec<(CString, Mark)>, Failure> {
        let anew = |placed: &&Placed| self.fresh.iter().all(|at| at.as_bytes() != placed.node.path.as_slice());
        let root = std::iter::once(c".".to_owned());
        let paths = root.chain(self.standing.iter().filter(anew).map(|placed| placed.at.clone()));
        paths
            .map(|path| {
                let stat = rustix::fs::statat(&self.root, &path, AtFlags::SYMLINK_NOFOLLOW)
                    .during(|| format!("look at /{} again", path.to_string_lossy()))?;
                Ok((path, mark(&stat)))
            })
            .collect()
    }

    /// Refuses a mount that the engine has not made as the layout wants it.
    fn demand(&self, mount: &Mount) -> Result<(), Failure> {
        let at = Absolute::new(&mount.at)?;
        let path = at.below(&Absolute::root()).unwrap_or_default();
        let here = rustix::fs::statat(&self.root, &path, AtFlags::empty()).during(|| format!("look at {at}"))?;
        let above = CString::new([path.as_bytes(), b"/.."].concat()).unwrap_or_default();
        let above = rustix::fs::statat(&self.root, &above, AtFlags::empty()).during(|| format!("look above {at}"))?;
        let flags = rustix::fs::statvfs(at.as_c_str()).during(|| format!("look at the mount of {at}"))?.f_flag;
        let found = mounts::of_statvfs(flags);
        if mount.kind != MountKind::Itself || here.st_dev == above.st_dev || found != mount.flags {
            let (wanted, kind) = (mount.flags, &mount.kind);
            return Err(Failure::refused(format!(
                "find a mount {kind:?} at {at} with {wanted:?}: there is {found:?}, and nothing can be mounted from inside"
            )));
        }
        Ok(())
    }
}

fn mark(stat: &Stat) -> Mark {
    let wide = |value: u64| i128::from(value);
    [
        wide(stat.st_ino),
        wide(stat.st_mode.into()),
        wide((u64::from(stat.st_uid) << 32) | u64::from(stat.st_gid)),
        i128::from(stat.st_nlink),
        i128::from(stat.st_size),
        i128::from(stat.st_mtime) << 32 | i128::from(stat.st_mtime_nsec),
        i128::from(stat.st_ctime) << 32 | i128::from(stat.st_ctime_nsec),
        i128::from(stat.st_rdev),
    ]
}

/// Empties a directory. What is a mount point stays, with what leads to it.
pub(super) fn empty(directory: BorrowedFd<'_>, kept: &[&[u8]]) -> Result<(), Errno> {
    for name in names(directory)? {
        if kept.contains(&name.as_bytes()) {
            continue;
        }
        let stat = rustix::fs::statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if is_directory {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            empty(rustix::fs::openat(directory, &name, flags, Mode::empty())?.as_fd(), &[])?;
        }
        let flags = if is_directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        match rustix::fs::unlinkat(directory, &name, flags) {
            Ok(()) | Err(Errno::BUSY) => {}
            Err(Errno::NOTEMPTY) if is_directory => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn names(directory: BorrowedFd<'_>) -> Result<Vec<CString>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let listing = rustix::fs::openat(directory, c".", flags, Mode::empty())?;
    let mut buffer = Vec::with_capacity(4096);
    let mut entries = RawDir::new(listing.as_fd(), buffer.spare_capacity_mut());
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}
