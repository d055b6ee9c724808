//! One start of a subject, from the request to the evidence.
//!
//! | module | what it holds |
//! |---|---|
//! | [`plan`] | what the launcher needs, made ready by stage 1 |
//! | [`descriptors`], [`terminal`] | what the subject's descriptors are |
//! | [`launch`] | the launcher: becomes the invoker, then executes the subject |
//! | [`progress`] | what the launcher tells stage 1 |
//! | [`listen`] | witnesses that somebody else has started |
//! | [`link`] | what the launcher asks stage 1 for: id maps, a tracer, a supervisor of system calls |
//! | [`tracer`] | a process that traces the launcher |
//! | [`faults`], [`calls`] | system calls that are made to fail |
//! | [`strays`] | what a case leaves running |
//! | [`watch`] | stage 1 while the subject runs: outputs, witnesses, syslog, deadline |

mod calls;
pub(crate) mod descriptors;
pub(crate) mod faults;
mod launch;
mod link;
pub(crate) mod listen;
pub(crate) mod plan;
pub(crate) mod progress;
mod strays;
mod terminal;
mod tracer;
mod watch;

use crate::failure::{During, Failure};
use crate::layout::changes::{compare, snapshot};
use crate::layout::fresh::Instance;
use crate::layout::{Ground, Prepared};
use crate::sweep::Sweeper;
use crate::sys::clone::{Child, Stack, clone};
use lab_invocation::Invocation;
use lab_invocation::evidence::{Capture, Change, Evidence, InvokerState, Stage};
use link::Link;
use plan::{Mode, Plan};
use progress::{Progress, Step};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, WaitOptions, waitid};
use std::os::fd::{AsFd, OwnedFd};
use watch::Watch;

/// What every case of a sandbox uses.
pub(crate) struct Bench {
    /// Memory shared with launchers.
    pub(crate) progress: &'static Progress,
    /// Stack of launchers.
    pub(crate) stack: Stack,
    /// Listens for witnesses.
    pub(crate) witnesses: OwnedFd,
    /// Soft and hard limit of open files that the agent was started with.
    pub(crate) files: (u64, u64),
    /// Takes down mounts and namespaces of past cases.
    pub(crate) sweeper: Sweeper,
    /// For reading.
    pub(crate) buffer: Vec<u8>,
    /// Text of the sandbox's /proc/self/uid_map.
    pub(crate) uid_map: String,
    /// Text of the sandbox's /proc/self/gid_map.
    pub(crate) gid_map: String,
}

/// Runs one case in the layout whose namespace the caller is in. A failure of preparation is evidence too, of stage
/// [`Stage::Setup`]; it never counts as a result.
pub(crate) fn run(
    bench: &mut Bench,
    ground: &Ground,
    prepared: &Prepared,
    agent: &[u8],
    invocation: &Invocation,
    mode: Mode,
) -> Evidence {
    let begun = now_ns();
    bench.progress.reset();
    match attempt(bench, ground, prepared, agent, invocation, mode, begun) {
        Ok(evidence) => evidence,
        Err(Failure { step, errno }) => {
            strays::clear_away();
            blank(bench, Stage::Setup { step, errno })
        }
    }
}

fn attempt(
    bench: &mut Bench,
    ground: &Ground,
    prepared: &Prepared,
    agent: &[u8],
    invocation: &Invocation,
    mode: Mode,
    begun: u64,
) -> Result<Evidence, Failure> {
    let fresh = prepared.instances(agent)?;
    set_challenge(ground, prepared, invocation)?;
    let (plan, ends) = Plan::new(invocation, ground, prepared, &fresh, bench.files, mode)?;
    let progress = bench.progress;
    let namespaces = if prepared.has_namespace() { libc::CLONE_NEWNS } else { 0 };
    let (child, link) = if plan.needs_own_memory() {
        let (ours, theirs) = link::pair().during(|| "make a socket pair for the launcher")?;
        let theirs = rustix::io::fcntl_dupfd_cloexec(&theirs, plan.above).during(|| "move the launcher's socket")?;
        let body = || launch::launch(&plan, progress, Some(theirs.as_fd()));
        let child = clone(namespaces, &mut bench.stack, body).during(|| "clone(2) the launcher")?;
        let maps = (bench.uid_map.as_str(), bench.gid_map.as_str());
        (child, Some(Link::new(ours, invocation, ground.proc(), maps)))
    } else {
        let flags = namespaces | libc::CLONE_VM | libc::CLONE_VFORK;
        let body = || launch::launch(&plan, progress, None);
        let child = clone(flags, &mut bench.stack, body).during(|| "clone(2) the launcher")?;
        // The launcher's change of ids took this from the memory that both share, and with it, for later children in a
        // user namespace, the right to have their maps written.
        let dumpable = rustix::process::DumpableBehavior::Dumpable;
        rustix::process::set_dumpable_behavior(dumpable).during(|| "put back PR_SET_DUMPABLE")?;
        (child, None)
    };
    let cloned = now_ns();
    // The subject's ends of pipes must not stay open here, or their other ends would never see an end.
    drop(plan);
    let namespace = crate::sys::clone::mount_namespace_of(&child);
    let buffer = std::mem::take(&mut bench.buffer);
    let mut watch = Watch::new(ends, &bench.witnesses, &prepared.log, progress, link, buffer);
    let sweeper = &mut bench.sweeper;
    watch.until_end(&child, invocation.deadline_ms, || {
        sweeper.hand_over();
        prepared.make_spare(agent);
    });
    let end = watch.end_of(&child).during(|| "wait for the subject")?;
    let ended = now_ns();
    watch.end_tracer();
    end_sharer(progress);
    watch.grace(&child);
    let mut invoker = invoker(bench);
    watch.let_go(&mut invoker);
    let strays = strays::clear_away();
    watch.drain();
    watch.hear_out(&child);
    let changes = differences(prepared, &fresh)?;
    prepared.demand_unchanged()?;
    bench.sweeper.leave(fresh.into_iter().map(|instance| instance.mount).chain(namespace));

    let (step, words, errno) = progress.reached();
    let stage = match (step, errno) {
        (Step::Exec, 0) => Stage::Ran,
        (Step::Exec, errno) => Stage::Exec { errno },
        (_, errno) => Stage::Setup { step: words.to_owned(), errno },
    };
    let exec_ns = progress.exec_ns();
    let mut evidence = blank(bench, stage);
    evidence.invoker = invoker;
    if evidence.stage == Stage::Ran {
        evidence.end = Some(end);
        evidence.run_us = ended.saturating_sub(exec_ns) / 1000;
    }
    evidence.setup_us = if exec_ns == 0 { cloned } else { exec_ns }.saturating_sub(begun) / 1000;
    evidence.strays = strays;
    evidence.changes = changes;
    let buffer = watch.deliver(child.pid, &mut evidence);
    bench.buffer = buffer;
    Ok(evidence)
}

/// Evidence of nothing but what the launcher has told.
fn blank(bench: &Bench, stage: Stage) -> Evidence {
    let progress = bench.progress;
    Evidence {
        stage,
        end: None,
        stdout: Capture::default(),
        stderr: Capture::default(),
        syslog: Vec::new(),
        syslog_total: 0,
        witness: Vec::new(),
        witness_unfinished: 0,
        invoker: invoker(bench),
        installed: progress.file(),
        changes: Vec::new(),
        strays: 0,
        setup_us: 0,
        run_us: 0,
    }
}

/// What the launcher has read back. A launcher without a user namespace of its own has the sandbox's maps.
fn invoker(bench: &Bench) -> InvokerState {
    InvokerState {
        credentials: bench.progress.credentials(),
        no_new_privs: bench.progress.no_new_privs(),
        gid_map: bench.gid_map.clone(),
        uid_map: bench.uid_map.clone(),
        traced: false,
        place: bench.progress.place(),
    }
}

/// Ends the process that shared the launcher's file-system attributes, so that it is not taken for the subject's.
fn end_sharer(progress: &Progress) {
    if let Some(pid) = Pid::from_raw(progress.sharer()) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
        let _ = rustix::process::waitpid(Some(pid), WaitOptions::empty());
    }
}

/// Writes the witness's challenge.
fn set_challenge(ground: &Ground, prepared: &Prepared, invocation: &Invocation) -> Result<(), Failure> {
    let challenge =
        crate::challenge::of_invoker(&invocation.identity, invocation.script_end, ground.is_beside_server());
    // What a longer one left behind its end is not read.
    match rustix::io::pwrite(&prepared.challenge, &challenge, 0).during(|| "write the challenge")? {
        count if count == challenge.len() => Ok(()),
        _ => Err(Failure::refused("write the challenge: no room")),
    }
}

fn differences(prepared: &Prepared, fresh: &[Instance]) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    for (instance, fresh) in fresh.iter().zip(&prepared.fresh) {
        if let Some(before) = fresh.before() {
            changes.extend(compare(before, snapshot(instance.mount.as_fd(), &fresh.at)?));
        }
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}

/// Waits for the end of a child.
pub(crate) fn wait_for(child: &OwnedFd) -> Result<WaitIdStatus, Errno> {
    loop {
        match waitid(WaitId::PidFd(child.as_fd()), WaitIdOptions::EXITED) {
            Ok(Some(status)) => return Ok(status),
            Ok(None) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// CLOCK_MONOTONIC in nanoseconds.
pub(crate) fn now_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}
