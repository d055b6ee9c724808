//! Layouts: each one is a mount namespace of its own, prepared once (or, where no namespaces can be made, a tree in place). A case runs in a copy of it, so that nothing which a
//! case mounts is seen by another, and copying is cheap because nothing of the host's mounts is left in it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`container`] | trees in a container that somebody else made |
//! | [`home`] | the host's mounts kept aside, and the lean namespace that every layout starts from |
//! | [`tree`] | files, directories and links from their descriptions |
//! | [`mounts`] | mounts from their descriptions |
//! | [`fresh`] | directories that each case gets anew |
//! | [`changes`] | what a case changed in them |

pub(crate) mod changes;
pub(crate) mod container;
pub(crate) mod fresh;
pub(crate) mod home;
mod idmap;
pub(crate) mod mounts;
pub(crate) mod path;
pub(crate) mod tree;

use crate::failure::{During, Failure};
use container::{Container, Tree};
use fresh::{Fresh, Instance};
use home::Home;
use lab_invocation::Layout;
use lab_invocation::layout::Mount;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use tree::Sources;

/// Directory of the agent's own things in every layout's tree.
pub(crate) const OWN: &str = "/.lab";
/// A directory of mode 0, for [`lab_invocation::invocation::Cwd::Unreadable`].
pub(crate) const UNREADABLE: &std::ffi::CStr = c"/.lab/unreadable";
/// An empty directory.
pub(crate) const EMPTY: &str = "/.lab/empty";
/// Whom the witness must try to become; see [`crate::challenge`].
pub(crate) const CHALLENGE: &std::ffi::CStr = c"/.lab/challenge";
/// The set-group-ID probe: the witness, root:[`PROBE_GID`] 2755.
pub(crate) const PROBE: &str = "/.lab/probe";
/// Group of the probe.
pub(crate) const PROBE_GID: u32 = 2_000;

/// What layouts are made in.
pub(crate) enum Ground {
    /// Mount namespaces of the agent's own.
    Namespaces(Home),
    /// A container.
    Container(Container),
}

impl Ground {
    /// Whether a server is there, which starts the witness itself and waits for what that has to say.
    pub(crate) fn is_beside_server(&self) -> bool {
        match self {
            Self::Namespaces(_) => false,
            Self::Container(container) => container.is_beside_server(),
        }
    }

    /// /proc of the sandbox.
    pub(crate) fn proc(&self) -> BorrowedFd<'_> {
        match self {
            Self::Namespaces(home) => home.proc.as_fd(),
            Self::Container(container) => container.proc.as_fd(),
        }
    }

    /// Where mounts are made, if any can be.
    pub(crate) fn home(&self) -> Option<&Home> {
        match self {
            Self::Namespaces(home) => Some(home),
            Self::Container(_) => None,
        }
    }
}

/// Where a layout is.
enum Place {
    /// In a mount namespace of its own.
    Namespace(OwnedFd),
    /// In the container's root directory, when it is its turn.
    Container(Tree),
}

/// A prepared layout.
pub(crate) struct Prepared {
    place: Place,
    /// Datagram socket bound to `/dev/log`.
    pub(crate) log: OwnedFd,
    /// What each case gets anew, `/tmp` first.
    pub(crate) fresh: Vec<Fresh>,
    /// Mounts that lie on or in fresh directories and are therefore made by each case.
    pub(crate) per_case: Vec<Mount>,
    /// [`CHALLENGE`], which stage 1 alone can write.
    pub(crate) challenge: OwnedFd,
    /// Fresh directories for the next case, made while the last one ran.
    spare: RefCell<Option<Vec<Instance>>>,
}

impl Prepared {
    /// Makes it. The caller is in it afterwards, or, after a failure, in an unfinished one, which [`Home::enter`] or
    /// [`Prepared::enter`] leaves.
    pub(crate) fn new(ground: &Ground, spec: &Layout, sources: &Sources<'_>) -> Result<Self, Failure> {
        let mut prepared = match ground {
            Ground::Namespaces(home) => Self::in_namespace(home, spec, sources),
            Ground::Container(container) => Self::in_container(container, spec, sources),
        }?;
        for fresh in &mut prepared.fresh {
            fresh.keep(sources);
        }
        let instances = prepared.instances(sources.agent)?;
        for (fresh, instance) in prepared.fresh.iter_mut().zip(&instances) {
            fresh.learn(instance)?;
        }
        Ok(prepared)
    }

    /// Makes the tree, and looks for the mounts.
    fn in_container(container: &Container, spec: &Layout, sources: &Sources<'_>) -> Result<Self, Failure> {
        let (fresh, standing) = container.divide(spec)?;
        let tree = Tree::new(container, standing, &fresh, &spec.mounts, sources)?;
        tree.make(sources.agent)?;
        Ok(Self {
            place: Place::Container(tree),
            log: container.log()?,
            fresh,
            per_case: Vec::new(),
            challenge: container.challenge()?,
            spare: RefCell::new(None),
        })
    }

    /// Makes the namespace, the tree, the static mounts.
    fn in_namespace(home: &Home, spec: &Layout, sources: &Sources<'_>) -> Result<Self, Failure> {
        home.enter()?;
        crate::sys::mounts::unshare(libc::CLONE_NEWNS).during(|| "make a mount namespace for the layout")?;
        let (fresh, standing) = fresh::divide(spec)?;
        let root = mounts::new_tmpfs(&[("mode", "755")])?;
        tree::make_all(root.as_fd(), &tree::always(), sources)?;
        home.make_devices(root.as_fd())?;
        tree::make_all(root.as_fd(), &standing, sources)?;
        home.pivot_into(root)?;
        let log = log_socket()?;
        let (per_case, once): (Vec<_>, Vec<_>) =
            spec.mounts.iter().cloned().partition(|mount| fresh::covers(&fresh, &mount.at));
        for mount in &once {
            mounts::make(home, mount)?;
        }
        let challenge = open_challenge().during(|| "open the file of the challenge")?;
        crate::sys::mounts::set_attributes(CWD, c"/", mounts::READ_ONLY, 0)
            .during(|| "make the layout's root read-only")?;
        let namespace = home::namespace_of_self()?;
        let place = Place::Namespace(namespace);
        Ok(Self { place, log, fresh, per_case, challenge, spare: RefCell::new(None) })
    }

    /// Fresh directories for one case. `agent` is the agent's program file.
    pub(crate) fn instances(&self, agent: &[u8]) -> Result<Vec<Instance>, Failure> {
        if let Place::Container(tree) = &self.place {
            tree.mend(agent)?;
            return self.fresh.iter().map(|fresh| fresh.renew(tree.root(), agent)).collect();
        }
        match self.spare.take() {
            Some(instances) => Ok(instances),
            None => self.fresh.iter().map(|fresh| fresh.instance(agent)).collect(),
        }
    }

    /// Whether each case gets mounts of its own.
    pub(crate) fn has_namespace(&self) -> bool {
        matches!(self.place, Place::Namespace(_))
    }

    /// Refuses what a case has changed outside of its fresh directories where only its ids kept it from that.
    pub(crate) fn demand_unchanged(&self) -> Result<(), Failure> {
        match &self.place {
            Place::Namespace(_) => Ok(()),
            Place::Container(tree) => tree.demand_unchanged(),
        }
    }

    /// Makes the fresh directories for the next case ahead of time.
    pub(crate) fn make_spare(&self, agent: &[u8]) {
        if self.has_namespace() && self.spare.borrow().is_none() {
            // A failure comes again, and is reported, when the next case asks.
            *self.spare.borrow_mut() =
                self.fresh.iter().map(|fresh| fresh.instance(agent)).collect::<Result<_, _>>().ok();
        }
    }

    /// Makes the caller a member of the layout's namespace, in its root directory; or takes the tree that is there away
    /// and makes this one.
    pub(crate) fn enter(&self, agent: &[u8]) -> Result<(), Failure> {
        match &self.place {
            Place::Namespace(namespace) => move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Mount))
                .during(|| "enter the layout's namespace"),
            Place::Container(tree) => tree.make(agent),
        }
    }
}

/// A datagram socket that nobody can send to.
fn deaf_socket() -> Result<OwnedFd, Failure> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None).during(|| "make a socket")
}

/// The socket behind `/dev/log`, which syslog(3) sends datagrams to.
fn log_socket() -> Result<OwnedFd, Failure> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)
        .during(|| "make a socket for /dev/log")?;
    let address = SocketAddrUnix::new(c"/dev/log").during(|| "name /dev/log")?;
    rustix::net::bind(&socket, &address).during(|| "bind /dev/log")?;
    rustix::fs::chmod(c"/dev/log", Mode::from_raw_mode(0o666)).during(|| "open /dev/log to everybody")?;
    Ok(socket)
}

/// Opens the challenge for writing through a mount that stays writable when the layout's own root no longer is.
fn open_challenge() -> Result<OwnedFd, rustix::io::Errno> {
    let writable = clone_mount(c"/", false)?;
    let path = c".lab/challenge";
    rustix::fs::openat(writable, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
}

/// Opens a file for writing.
fn open_writable(path: &std::ffi::CStr) -> Result<OwnedFd, rustix::io::Errno> {
    rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
}

/// A copy of the mount at `path` that is attached nowhere yet. See open_tree(2).
pub(crate) fn clone_mount(path: &std::ffi::CStr, recursive: bool) -> Result<OwnedFd, rustix::io::Errno> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, path, flags)
}

/// Attaches a mount that is attached nowhere at `path`.
pub(crate) fn attach(mount: impl AsFd, path: &std::ffi::CStr) -> Result<(), rustix::io::Errno> {
    move_mount(mount, c"", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

/// A descriptor that only names a file.
pub(crate) fn name(path: &std::ffi::CStr) -> Result<OwnedFd, rustix::io::Errno> {
    rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}
