//! Everything which the invoker of a subject can choose. [`Invocation::quiet`] is a quiet room: each field then
//! holds what a careful mail server leaves behind, and a scenario's `given` changes one of them.

use crate::{Arguments, Bytes, Gid, Identity, Uid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One start of a subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Invocation {
    /// The file that is executed.
    pub program: Bytes,
    /// The whole argument vector, `argv[0]` included. An empty one is delivered empty; Linux adds `""` since 5.18.
    pub argv: Arguments,
    /// Raw environment entries in their order; malformed ones and duplicates are delivered as they stand.
    pub env: Vec<Bytes>,
    /// Who starts it.
    pub identity: Identity,
    /// What descriptor 0 reads.
    pub stdin: Stdin,
    /// Descriptors besides the default 0 (stdin), 1 and 2 (captured pipes): closed or opened on something else.
    pub descriptors: Vec<(u32, Descriptor)>,
    /// File mode creation mask.
    pub umask: u32,
    /// Working directory.
    pub cwd: Cwd,
    /// Resource limits that differ from the agent's.
    pub limits: Vec<Limit>,
    /// Signals by number.
    pub signals: Signals,
    /// Seconds until SIGALRM; `None` for no alarm.
    pub alarm_seconds: Option<u32>,
    /// The timers of processor time that run, by number: 1 is ITIMER_VIRTUAL, 2 is ITIMER_PROF. They go off after an hour
    /// of it, which nothing here lasts: what counts is whether they run on. See setitimer(2).
    #[serde(default)]
    pub processor_timers: BTreeSet<u32>,
    /// Timer slack in nanoseconds. See PR_SET_TIMERSLACK(2const).
    pub timer_slack_ns: Option<u64>,
    /// How much of the machine he gets.
    #[serde(default)]
    pub scheduling: Scheduling,
    /// The invoker is the leader of a new process group, as a shell with job control makes him. See setpgid(2).
    #[serde(default)]
    pub own_process_group: bool,
    /// Kernel attributes that decide whether the set-group-ID bit acts.
    pub transition: Transition,
    /// Capabilities by number, for invokers that have some. See capabilities(7).
    pub capabilities: Capabilities,
    /// System calls of the subject (and what it starts) that are made to fail. Needs the capability `syscall-fault`.
    pub faults: Vec<Fault>,
    /// How the script ends, if the subject starts one.
    #[serde(default)]
    pub script_end: ScriptEnd,
    /// After so many milliseconds the subject is killed and the end is [`crate::evidence::End::TimedOut`].
    pub deadline_ms: u32,
}

/// What descriptor 0 is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stdin {
    /// A pipe that holds these bytes and then ends.
    Bytes(Bytes),
    /// Closed.
    Closed,
    /// `/dev/null`, read-only.
    Null,
    /// `/dev/zero`: never ends.
    Endless,
    /// A pipe whose writing end stays open and silent.
    Silent,
    /// A directory.
    Directory,
    /// A pipe's writing end, so that reading fails.
    WriteOnly,
}

/// What another descriptor is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Descriptor {
    /// Closed.
    Closed,
    /// A file of the sandbox, opened by the agent (that is: by root) for reading and writing before it becomes the invoker.
    File(Bytes),
    /// A directory of the sandbox.
    Directory(Bytes),
    /// One end of a socket pair whose other end stays open.
    Socket,
    /// The writing end of a pipe which nobody reads and which is full.
    FullPipe,
    /// The writing end of a pipe whose reading end is closed.
    BrokenPipe,
    /// An epoll instance.
    Epoll,
    /// An anonymous file in memory with recognisable content.
    Memory,
    /// `/dev/full`.
    Full,
    /// The pipe that captures this descriptor, set to non-blocking mode.
    NonBlocking,
    /// A process descriptor of the launcher.
    Process,
    /// The slave side of a fresh pseudo-terminal, which is the controlling terminal.
    Terminal,
}

/// Working directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cwd {
    /// This directory.
    Path(Bytes),
    /// A directory that was removed after it was entered.
    Deleted,
    /// A directory of mode 0 that belongs to root, entered before the ids were changed.
    Unreadable,
}

/// A resource limit. See getrlimit(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limit {
    /// `RLIMIT_*` number.
    pub resource: u32,
    /// Soft limit; `None` is infinity.
    pub soft: Option<u64>,
    /// Hard limit; `None` is infinity.
    pub hard: Option<u64>,
}

/// Signal state that exec hands on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signals {
    /// Ignored.
    pub ignored: BTreeSet<u32>,
    /// Blocked.
    pub blocked: BTreeSet<u32>,
    /// Pending; these are blocked as well, or they would act on the launcher.
    pub pending: BTreeSet<u32>,
}

/// How much of the machine a process gets. See sched(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scheduling {
    /// Nice value, 0 to 19; a lower one needs privilege. See setpriority(2).
    pub nice: u8,
    /// SCHED_IDLE in place of SCHED_OTHER: it runs when nothing else wants to. See sched_setscheduler(2).
    pub idle: bool,
    /// Only the first of the processors on which the agent may run. See sched_setaffinity(2).
    pub one_processor: bool,
}

/// How a script ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptEnd {
    /// exit(3) with this status.
    Exit(u8),
    /// By this signal, which it sends to itself.
    Signal(u32),
}

impl Default for ScriptEnd {
    fn default() -> Self {
        Self::Exit(0)
    }
}

/// What decides, besides the file, whether set-user-ID and set-group-ID act. See execve(2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Transition {
    /// `PR_SET_NO_NEW_PRIVS`.
    pub no_new_privs: bool,
    /// Someone traces the subject across exec.
    pub tracer: Option<Tracer>,
    /// The invoker shares its file-system attributes (clone(2), CLONE_FS) with a living process.
    pub share_fs: bool,
    /// The invoker sits in a user namespace of its own that maps everything but these groups to themselves.
    pub unmapped_gids: BTreeSet<Gid>,
    /// Likewise users. A user namespace is made if either set is not empty.
    pub unmapped_uids: BTreeSet<Uid>,
    /// The subject is executed through a mount of another mount namespace (`/proc/PID/root/...`).
    pub foreign_mount: bool,
    /// The subject is executed by descriptor: execveat(2) with AT_EMPTY_PATH on an O_PATH descriptor.
    pub by_descriptor: bool,
}

/// Who traces the subject. See ptrace(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tracer {
    /// A process with the invoker's real ids.
    Invoker,
    /// Root, with CAP_SYS_PTRACE in the sandbox's user namespace.
    Root,
}

/// Capability sets and securebits of the invoker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Capabilities {
    /// Dropped from the bounding set.
    pub bounding_drop: BTreeSet<u32>,
    /// Kept in permitted and effective across the change of uid.
    pub kept: BTreeSet<u32>,
    /// Inheritable.
    pub inheritable: BTreeSet<u32>,
    /// Ambient (therefore also permitted and inheritable).
    pub ambient: BTreeSet<u32>,
    /// Securebits; `None` leaves them.
    pub securebits: Option<u32>,
}

/// One system call that is made to return a value without being carried out. See seccomp(2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fault {
    /// Name as in syscalls(2).
    pub call: String,
    /// Which call counts, from 1, over the subject's own program image; 0 means each.
    pub nth: u32,
    /// What happens.
    pub result: FaultResult,
}

/// What a faulted call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultResult {
    /// Fails with this errno.
    Errno(i32),
    /// Returns this value and does nothing.
    Value(i64),
    /// The process is killed instead.
    Kill,
}

impl Invocation {
    /// Whether one of the three interval timers runs.
    pub fn has_timer(&self) -> bool {
        self.alarm_seconds.is_some() || !self.processor_timers.is_empty()
    }

    /// An invocation of `program` by `identity` from a quiet room.
    pub fn quiet(program: Bytes, identity: Identity) -> Self {
        Self {
            argv: [program.clone()].into(),
            program,
            env: vec!["PATH=/usr/bin:/bin".into()],
            identity,
            stdin: Stdin::Bytes(Bytes::default()),
            descriptors: Vec::new(),
            umask: 0o022,
            cwd: Cwd::Path("/".into()),
            limits: Vec::new(),
            signals: Signals::default(),
            alarm_seconds: None,
            processor_timers: BTreeSet::new(),
            timer_slack_ns: None,
            scheduling: Scheduling::default(),
            own_process_group: false,
            transition: Transition::default(),
            capabilities: Capabilities::default(),
            faults: Vec::new(),
            script_end: ScriptEnd::default(),
            deadline_ms: 5_000,
        }
    }
}
