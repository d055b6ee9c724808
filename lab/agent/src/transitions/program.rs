//! One start of a program in a throw-away process, and what the program reports.

use super::ground::{self, Ground, Hold};
use super::helper::Helper;
use super::namespaces::{Map, Namespaces};
use super::state::{self, At, Stop};
use super::{calls, enter_user_namespace};
use crate::Start;
use crate::sys::clone::{Stack, clone};
use crate::sys::exec::{self, Vector};
use crate::sys::{ids, mounts, set_ids};
use lab_invocation::trial::{
    Call, CallAnswer, CapabilitySets, DEATH_SIGNAL, ExecAnswer, ExecTrial, MOST_CALLS, Report, Step, TrialMount,
    TrialStart, TrialTracer,
};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitId, WaitIdOptions, dumpable_behavior, parent_process_death_signal,
    set_parent_process_death_signal, waitid,
};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Descriptor on which the program reports.
const REPORT: i32 = 3;
/// Descriptor from which it reads what to do then.
const PLAN: i32 = 4;
/// Last argument of the program.
pub(super) const WORD: &[u8] = b"report";

/// First byte of a message: what follows.
const SETUP: u8 = 1;
const REFUSED: u8 = 2;
const RAN: u8 = 3;

/// What only asks. See personality(2).
const ASK: libc::c_ulong = 0xffff_ffff;

/// Starts a program and lets it make the calls of `then`.
pub(super) fn answer(
    trial: &ExecTrial,
    then: &[Call],
    ground: &Ground,
    namespaces: &mut Namespaces,
    own: &CapabilitySets,
    stack: &mut Stack,
) -> (ExecAnswer, Vec<CallAnswer>) {
    attempt(trial, then, ground, namespaces, own, stack)
        .unwrap_or_else(|stop| (ExecAnswer::Setup { step: stop.step, errno: stop.errno.raw_os_error() }, Vec::new()))
}

/// Everything that the throw-away process needs, made before it is.
struct Plan<'a> {
    trial: &'a ExecTrial,
    own: &'a CapabilitySets,
    user_namespace: Option<&'a OwnedFd>,
    mount_namespace: Option<&'a OwnedFd>,
    program: OwnedFd,
    path: &'static std::ffi::CStr,
    argv: Vector,
    env: Vector,
    report: OwnedFd,
    plan: OwnedFd,
}

fn attempt(
    trial: &ExecTrial,
    then: &[Call],
    ground: &Ground,
    namespaces: &mut Namespaces,
    own: &CapabilitySets,
    stack: &mut Stack,
) -> Result<(ExecAnswer, Vec<CallAnswer>), Stop> {
    ground.furnish(&trial.file)?;
    let place = ground.place(trial.mount, &trial.file, namespaces, stack)?;
    let user_namespace = match trial.namespace {
        Some(wanted) => {
            let map = Map::Trial(wanted, trial.state.uid[0], trial.state.gid[0]);
            Some(namespaces.get(map, ground.proc.as_fd(), stack)?)
        }
        None => None,
    };
    // The kernel asks whether the uid was over its limit before this process had it too: somebody else must have it.
    let [uid, ..] = trial.state.uid;
    let company = || Helper::start(stack, || state::take_uid(uid)).at(Step::UserIds);
    let _company = trial.no_processes.then(company).transpose()?;
    let mount_namespace = match &place.hold {
        Hold::Namespace { mounts, .. } => Some(mounts),
        Hold::Nothing | Hold::Mount(_) => None,
    };
    let path = ground::named(&place, trial.how);
    let (from_program, report) = pipe_with(PipeFlags::CLOEXEC).at(Step::Process)?;
    let (plan, to_program) = pipe_with(PipeFlags::CLOEXEC).at(Step::Process)?;
    let (report, plan) = (move_up(report)?, move_up(plan)?);
    let calls = postcard::to_allocvec(then.get(..MOST_CALLS).unwrap_or(then)).unwrap_or_default();
    rustix::io::write(&to_program, &calls).at(Step::Process)?;
    drop(to_program);
    let plan = Plan {
        trial,
        own,
        user_namespace,
        mount_namespace,
        program: open(place.program(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).at(Step::File)?,
        path,
        argv: Vector::new([c"lab-agent", c"transitions", c"report"].map(|word| (word.into(), 1)).into()),
        env: Vector::new(Vec::new()),
        report,
        plan,
    };
    let flags = if trial.shares_fs { libc::CLONE_FS } else { 0 };
    // Its own stack, because the unprivileged tracer makes another process from inside this one.
    let mut second = Stack::new(256 * 1024);
    let child = clone(flags, stack, || plan.run(&mut second)).at(Step::Process)?;
    drop(plan);
    follow(child.pid, child.pidfd.as_fd()).at(Step::Trace)?;
    read_message(&from_program)
}

/// A descriptor above the numbers that the program is given, so that placing those does not close it.
fn move_up(descriptor: OwnedFd) -> Result<OwnedFd, Stop> {
    fcntl_dupfd_cloexec(&descriptor, 10).at(Step::Process)
}

/// Waits for the end of a child; if it stops because it is traced, lets it go on.
fn follow(pid: Pid, pidfd: BorrowedFd<'_>) -> Result<(), Errno> {
    loop {
        let status = waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED | WaitIdOptions::STOPPED)?;
        let Some(status) = status else { continue };
        let Some(signal) = status.stopping_signal().or(status.trapping_signal()) else { return Ok(()) };
        // The stop after exec is SIGTRAP; it is no signal to deliver.
        set_ids::resume(pid, if signal == libc::SIGTRAP { 0 } else { signal })?;
    }
}

impl Plan<'_> {
    /// The throw-away process. Nothing is allocated here.
    fn run(&self, second: &mut Stack) -> i32 {
        if let Err(Stop { step, errno }) = self.prepare() {
            return self.say(SETUP, step, errno);
        }
        if self.trial.tracer == Some(TrialTracer::Unprivileged) {
            // This process is the tracer; the one that it makes executes the program.
            return match clone(0, second, || self.start()) {
                Ok(child) => follow(child.pid, child.pidfd.as_fd())
                    .map_or_else(|errno| self.say(SETUP, Step::Trace, errno), |()| 0),
                Err(errno) => self.say(SETUP, Step::Process, errno),
            };
        }
        self.start()
    }

    fn prepare(&self) -> Result<(), Stop> {
        if let Some(namespace) = self.mount_namespace {
            use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Mount)).at(Step::Mount)?;
        }
        if self.trial.mount == TrialMount::Foreign {
            mounts::unshare(libc::CLONE_NEWNS).at(Step::Mount)?;
        }
        if self.trial.tracer == Some(TrialTracer::Privileged) {
            // What counts later is what this process may do now: since Linux 5.2 the tracee's own credentials stand for those
            // of a tracer that it asked for itself (kernel/ptrace.c, ptrace_link).
            set_ids::trace_me().at(Step::Trace)?;
        }
        // Unlimited, if the hard limit lets it.
        let (_, hard) = ids::limit(super::RLIMIT_STACK).at(Step::Attributes)?;
        ids::set_limit(super::RLIMIT_STACK, hard, hard).at(Step::Attributes)?;
        set_ids::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong).at(Step::Attributes)?;
        if self.trial.no_processes {
            ids::set_limit(super::RLIMIT_NPROC, 0, 0).at(Step::Attributes)?;
        }
        state::reach_ids(&self.trial.state)?;
        let from = match self.user_namespace {
            // Whoever enters a user namespace has every capability in it.
            Some(namespace) => {
                enter_user_namespace(namespace).at(Step::UserNamespace)?;
                if matches!(self.trial.how, TrialStart::Format { .. }) {
                    ground::register_formats().at(Step::Mount)?;
                }
                state::read(true).at(Step::Read)?.capabilities
            }
            None => *self.own,
        };
        state::reach_capabilities(&self.trial.state, &from)
    }

    /// The last steps, which a change of credentials or a new process would undo; then exec.
    fn start(&self) -> i32 {
        match self.attributes() {
            Ok(()) => {}
            Err(Stop { step, errno }) => return self.say(SETUP, step, errno),
        }
        let errno = if self.trial.how == TrialStart::Descriptor || self.trial.mount == TrialMount::Foreign {
            exec::execveat(self.program.as_fd(), &self.argv, &self.env)
        } else {
            exec::execve(self.path, &self.argv, &self.env)
        };
        self.say(REFUSED, Step::Process, errno)
    }

    fn attributes(&self) -> Result<(), Stop> {
        // SIGWINCH is one of the named signals.
        let signal = Signal::from_named_raw(DEATH_SIGNAL as i32);
        set_parent_process_death_signal(signal).at(Step::Attributes)?;
        if self.trial.no_new_privs {
            rustix::thread::set_no_new_privs(true).at(Step::Attributes)?;
        }
        if self.trial.tracer == Some(TrialTracer::Unprivileged) {
            set_ids::trace_me().at(Step::Trace)?;
        }
        // Copies, so that the originals stay close-on-exec: neither number is taken by anything that is still needed.
        exec::place(self.report.as_fd(), REPORT).at(Step::Process)?;
        exec::place(self.plan.as_fd(), PLAN).at(Step::Process)
    }

    /// Sends a message of fixed size.
    fn say(&self, kind: u8, step: Step, errno: Errno) -> i32 {
        let [a, b, c, d] = errno.raw_os_error().to_le_bytes();
        // If nobody reads it, the process ended without an answer, and that is what the lab is told.
        let _ = rustix::io::write(&self.report, &[kind, step as u8, a, b, c, d]);
        1
    }
}

/// Decodes what the throw-away process or the program wrote.
fn read_message(from: &OwnedFd) -> Result<(ExecAnswer, Vec<CallAnswer>), Stop> {
    let mut message = Vec::new();
    let mut buffer = [0; 4096];
    // Every writer has ended, so this ends too.
    loop {
        match rustix::io::read(from, &mut buffer).at(Step::Process)? {
            0 => break,
            count => message.extend_from_slice(buffer.get(..count).unwrap_or_default()),
        }
    }
    let nothing = || Stop { step: Step::Process, errno: Errno::PIPE };
    match message.split_first() {
        Some((&RAN, rest)) => {
            let (report, calls) = postcard::from_bytes(rest).map_err(|_| nothing())?;
            Ok((ExecAnswer::Ran(report), calls))
        }
        Some((&kind, &[step, a, b, c, d])) => {
            let errno = i32::from_le_bytes([a, b, c, d]);
            let step = Step::ALL.get(usize::from(step)).copied().unwrap_or(Step::Process);
            let answer =
                if kind == REFUSED { ExecAnswer::Refused { errno } } else { ExecAnswer::Setup { step, errno } };
            Ok((answer, Vec::new()))
        }
        _ => Err(nothing()),
    }
}

/// The program's part: reports what it was given, after it has made the calls that it was told to make.
pub(super) fn report(start: &Start) -> i32 {
    let (Some(report), Some(plan)) = (exec::inherited(REPORT), exec::inherited(PLAN)) else { return 2 };
    match testify(start, &plan) {
        Ok(message) => match rustix::io::write(&report, &message) {
            Ok(_) => 0,
            Err(_) => 1,
        },
        Err(Stop { step, errno }) => {
            let [a, b, c, d] = errno.raw_os_error().to_le_bytes();
            let _ = rustix::io::write(&report, &[SETUP, step as u8, a, b, c, d]);
            1
        }
    }
}

fn testify(start: &Start, plan: &OwnedFd) -> Result<Vec<u8>, Stop> {
    let state = state::read(true).at(Step::Read)?;
    let (soft, _) = ids::limit(super::RLIMIT_STACK).at(Step::Read)?;
    let report = Report {
        state,
        secure: start.secure,
        dumpable: match dumpable_behavior().at(Step::Read)? {
            DumpableBehavior::NotDumpable => 0,
            DumpableBehavior::Dumpable => 1,
            DumpableBehavior::DumpableReadableOnlyByRoot => 2,
        },
        parent_death_signal: parent_process_death_signal()
            .at(Step::Read)?
            .and_then(|signal| u32::try_from(signal.as_raw()).ok())
            .unwrap_or(0),
        no_new_privs: rustix::thread::no_new_privs().at(Step::Read)?,
        no_randomize: set_ids::personality(ASK).at(Step::Read)? & libc::ADDR_NO_RANDOMIZE != 0,
        stack_unlimited: soft == u64::MAX,
    };
    let mut wanted = [0; 1024];
    let count = rustix::io::read(plan, &mut wanted).at(Step::Read)?;
    let wanted: Vec<Call> = postcard::from_bytes(wanted.get(..count).unwrap_or_default()).unwrap_or_default();
    let calls: Vec<CallAnswer> = wanted.iter().map(|call| calls::here(call).unwrap_or_else(calls::failed)).collect();
    postcard::to_extend(&(report, calls), vec![RAN]).map_err(|_| Stop { step: Step::Read, errno: Errno::OVERFLOW })
}
