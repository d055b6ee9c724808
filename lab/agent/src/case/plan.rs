//! Everything that one start needs, made ready by stage 1 so that the launcher only has to make system calls: it may run
//! in stage 1's own memory (vfork), where an allocation would never be freed.

use super::descriptors::{Ends, Placement, Source};
use crate::failure::{During, Failure};
use crate::layout::fresh::Instance;
use crate::layout::home::Home;
use crate::layout::path::Absolute;
use crate::layout::{Ground, Prepared};
use crate::sys::exec::Vector;
use crate::sys::ids;
use lab_invocation::Invocation;
use lab_invocation::invocation::Cwd;
use lab_invocation::layout::Mount;
use rustix::io::Errno;
use rustix::termios::Winsize;
use rustix::thread::CapabilitySet;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// A launcher's orders.
pub(crate) struct Plan<'a> {
    pub(crate) invocation: &'a Invocation,
    pub(crate) program: CString,
    pub(crate) argv: Vector,
    pub(crate) env: Vector,
    /// Fresh directories with their places.
    pub(crate) attach: Vec<(BorrowedFd<'a>, &'a CStr)>,
    /// Mounts on or in fresh directories.
    pub(crate) mounts: &'a [Mount],
    /// For the two probes of a layout: the program's own mount with the set-id bits honoured or ignored.
    pub(crate) probe: Option<Probe>,
    pub(crate) cwd: Option<CString>,
    pub(crate) placements: Vec<Placement>,
    /// Lowest number above every descriptor that the subject is to have.
    pub(crate) above: RawFd,
    pub(crate) groups: Vec<rustix::fs::Gid>,
    /// Limits with NOFILE last, which the placing of descriptors would run into.
    pub(crate) limits: Vec<(u32, u64, u64)>,
    pub(crate) blocked: u64,
    /// Numbers of the system calls that are made to fail.
    pub(crate) watched: Vec<libc::c_long>,
    /// The subject as a descriptor that belongs to a mount of another namespace.
    pub(crate) foreign: Option<OwnedFd>,
    /// For mounts which the launcher makes.
    pub(crate) home: Option<&'a Home>,
    /// The witness's challenge, to which the launcher adds the subject's file.
    pub(crate) challenge: BorrowedFd<'a>,
}

/// What is started.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    /// A case.
    Case,
    /// A probe of the layout.
    Probe(Probe),
    /// A shell on a terminal of this size, connected with the user's.
    Shell(Winsize),
}

/// Which probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Must gain its group.
    Positive,
    /// On a nosuid mount: must not gain it.
    Negative,
}

impl<'a> Plan<'a> {
    /// Makes it, together with the ends of pipes and the like that stage 1 keeps.
    pub(crate) fn new(
        invocation: &'a Invocation,
        ground: &'a Ground,
        prepared: &'a Prepared,
        fresh: &'a [Instance],
        files: (u64, u64),
        mode: Mode,
    ) -> Result<(Self, Ends), Failure> {
        let (placements, above, ends) = match mode {
            Mode::Shell(size) => super::descriptors::prepare_shell(size)?,
            Mode::Case | Mode::Probe(_) => super::descriptors::prepare(invocation)?,
        };
        let string = |what: &str, bytes: &[u8]| {
            CString::new(bytes)
                .map_err(|_| Failure::refused(format!("{what} contains a zero byte, which no system call can pass")))
        };
        let arguments = invocation.argv.runs().iter().map(|(word, count)| Ok((string("an argument", word)?, *count)));
        let env = invocation.env.iter().map(|entry| Ok((string("an environment entry", entry.as_slice())?, 1)));
        let attach = fresh.iter().zip(&prepared.fresh).filter(|_| prepared.has_namespace());
        let attach = attach.map(|(instance, fresh)| (instance.mount.as_fd(), fresh.at.as_c_str()));
        let cwd = match &invocation.cwd {
            Cwd::Path(path) => Some(Absolute::new(path)?.as_c_str().to_owned()),
            Cwd::Deleted | Cwd::Unreadable => None,
        };
        let program = string("the program's path", invocation.program.as_slice())?;
        if invocation.transition.foreign_mount && !prepared.has_namespace() {
            return Err(Failure::refused("open the subject in another mount namespace: a container has one"));
        }
        let foreign = invocation.transition.foreign_mount.then(|| foreign(&program, above)).transpose();
        let plan = Self {
            invocation,
            foreign: foreign.during(|| "open the subject in another mount namespace")?,
            watched: super::faults::watched(&invocation.faults)?,
            home: ground.home(),
            challenge: prepared.challenge.as_fd(),
            program,
            argv: Vector::new(arguments.collect::<Result<_, Failure>>()?),
            env: Vector::new(env.collect::<Result<_, Failure>>()?),
            attach: attach.collect(),
            mounts: &prepared.per_case,
            probe: if let Mode::Probe(probe) = mode { Some(probe).filter(|_| prepared.has_namespace()) } else { None },
            cwd,
            placements,
            above,
            groups: invocation.identity.groups.iter().map(|gid| rustix::fs::Gid::from_raw(gid.as_raw())).collect(),
            limits: limits(invocation, files),
            blocked: blocked(invocation)?,
        };
        Ok((plan, ends))
    }

    /// Whether the launcher must have memory of its own: it waits for stage 1 on the way, or allocates.
    pub(crate) fn needs_own_memory(&self) -> bool {
        let t = &self.invocation.transition;
        t.tracer.is_some()
            || t.share_fs
            || self.unmaps_ids()
            || !self.invocation.faults.is_empty()
            || !self.mounts.is_empty()
            || self.placements.iter().any(|placement| matches!(placement.source, Source::File(..)))
    }

    /// Whether the invoker gets a user namespace of its own.
    pub(crate) fn unmaps_ids(&self) -> bool {
        let t = &self.invocation.transition;
        !t.unmapped_gids.is_empty() || !t.unmapped_uids.is_empty()
    }
}

/// The subject's file as stage 1's own mount namespace, not the case's, shows it.
fn foreign(program: &CStr, above: RawFd) -> Result<OwnedFd, Errno> {
    let opened = crate::layout::name(program)?;
    rustix::io::fcntl_dupfd_cloexec(&opened, above)
}

/// The limits to set. The agent's own soft limit of open files is raised, so the subject's is put back (`files`).
fn limits(invocation: &Invocation, files: (u64, u64)) -> Vec<(u32, u64, u64)> {
    let number = |value: Option<u64>| value.unwrap_or(libc::RLIM64_INFINITY);
    let mut limits: Vec<_> =
        invocation.limits.iter().map(|limit| (limit.resource, number(limit.soft), number(limit.hard))).collect();
    if !limits.iter().any(|&(resource, ..)| resource == ids::NOFILE) {
        limits.push((ids::NOFILE, files.0, files.1));
    }
    limits.sort_by_key(|&(resource, ..)| resource == ids::NOFILE);
    limits
}

/// The mask of blocked signals, pending ones included.
fn blocked(invocation: &Invocation) -> Result<u64, Failure> {
    let signals = &invocation.signals;
    let mut mask = 0;
    for &signal in signals.blocked.iter().chain(&signals.pending).chain(&signals.ignored) {
        if !(1..=crate::sys::signals::LAST).contains(&signal) {
            return Err(Failure::refused(format!(
                "signal {signal}: there are signals 1 to {}",
                crate::sys::signals::LAST
            )));
        }
    }
    for &signal in signals.blocked.iter().chain(&signals.pending) {
        mask |= 1 << (signal - 1);
    }
    Ok(mask)
}

/// A set of capabilities from their numbers.
pub(super) fn capability_set<'n>(numbers: impl IntoIterator<Item = &'n u32>) -> CapabilitySet {
    numbers.into_iter().fold(CapabilitySet::empty(), |set, &number| {
        set | CapabilitySet::from_bits_retain(1_u64.checked_shl(number).unwrap_or(0))
    })
}
