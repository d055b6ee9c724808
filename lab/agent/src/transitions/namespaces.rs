//! User namespaces to try things in: made once by a helper process that ends at once, and kept by a descriptor.

use super::state::{At, Stop};
use crate::idmaps::{self, Kind};
use crate::sys::clone::{Stack, clone};
use lab_invocation::trial::{Step, TrialNamespace};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What a namespace maps; ids outside are those of the agent's own namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Map {
    /// 0 and 1.
    FirstTwo {
        /// Whether setgroups(2) is allowed.
        setgroups: bool,
    },
    /// As a trial asks, for a process with these own ids.
    Trial(TrialNamespace, u32, u32),
    /// Users as they are; of groups only this one, and it appears as the other.
    OneGroup(u32, u32),
}

/// The namespaces made so far.
pub(super) struct Namespaces {
    made: Vec<(Map, OwnedFd)>,
    users: String,
    groups: String,
}

impl Namespaces {
    /// None yet.
    pub(super) fn new() -> Result<Self, Errno> {
        let map =
            |path| std::fs::read_to_string(path).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO));
        Ok(Self { made: Vec::new(), users: map("/proc/self/uid_map")?, groups: map("/proc/self/gid_map")? })
    }

    /// Text of the agent's own gid map.
    pub(super) fn gid_map(&self) -> &str {
        &self.groups
    }

    /// A descriptor of the namespace with this map.
    pub(super) fn get(&mut self, map: Map, proc: BorrowedFd<'_>, stack: &mut Stack) -> Result<&OwnedFd, Stop> {
        let known = self.made.iter().position(|(made, _)| *made == map);
        let at = match known {
            Some(at) => at,
            None => {
                let fd = make(&self.texts(map), proc, stack).at(Step::UserNamespace)?;
                self.made.push((map, fd));
                self.made.len() - 1
            }
        };
        self.made.get(at).map(|(_, fd)| fd).ok_or(Errno::NOENT).at(Step::UserNamespace)
    }

    fn texts(&self, map: Map) -> Texts {
        let without = |outer: &str, hole: Option<u32>| idmaps::all_but(outer, &hole.into_iter().collect());
        match map {
            Map::FirstTwo { setgroups } => Texts { users: BOTH.into(), groups: BOTH.into(), deny: !setgroups },
            Map::Trial(TrialNamespace::Without { uid, gid }, ..) => {
                Texts { users: without(&self.users, uid), groups: without(&self.groups, gid), deny: false }
            }
            Map::Trial(TrialNamespace::OwnIdsOnly, uid, gid) => {
                Texts { users: format!("0 {uid} 1\n"), groups: format!("0 {gid} 1\n"), deny: true }
            }
            Map::OneGroup(from, to) => {
                Texts { users: without(&self.users, None), groups: format!("{from} {to} 1\n"), deny: false }
            }
        }
    }
}

/// 0 and 1, each on its own line: a line may not reach over two of the outer map.
const BOTH: &str = "0 0 1\n1 1 1\n";

/// Contents of the files in `/proc/PID`.
struct Texts {
    users: String,
    groups: String,
    deny: bool,
}

fn make(texts: &Texts, proc: BorrowedFd<'_>, stack: &mut Stack) -> Result<OwnedFd, Errno> {
    let (wait, go) = pipe_with(PipeFlags::CLOEXEC)?;
    // The helper's copy of `go` would keep its own pipe open for ever.
    let mut ends = Some((wait, go));
    let child = clone(libc::CLONE_NEWUSER, stack, || {
        let Some((wait, go)) = ends.take() else { return 1 };
        drop(go);
        let _ = rustix::io::read(&wait, &mut [0_u8; 1]);
        0
    })?;
    let result = map(texts, proc, child.pid);
    drop(ends);
    waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED)?;
    result
}

fn map(texts: &Texts, proc: BorrowedFd<'_>, pid: Pid) -> Result<OwnedFd, Errno> {
    let name = |file: &str| format!("{}/{file}", pid.as_raw_nonzero());
    if texts.deny {
        let file = openat(proc, name("setgroups"), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::io::write(&file, b"deny")?;
    }
    idmaps::write(proc, pid, Kind::Users, &texts.users)?;
    idmaps::write(proc, pid, Kind::Groups, &texts.groups)?;
    openat(proc, name("ns/user"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}
