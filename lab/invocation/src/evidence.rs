//! What was observed of one start. Every field is an observation with one source; nothing here was inferred.

use crate::layout::MountFlags;
use crate::{Arguments, Bytes, Credentials, Gid, Uid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// All observations of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// How far the start came.
    pub stage: Stage,
    /// How the subject ended (waitid(2)); `None` unless the stage is [`Stage::Ran`].
    pub end: Option<End>,
    /// What came out of descriptor 1.
    pub stdout: Capture,
    /// What came out of descriptor 2.
    pub stderr: Capture,
    /// Datagrams that arrived on the sandbox's `/dev/log`, at most [`Evidence::SYSLOG_LIMIT`].
    pub syslog: Vec<Bytes>,
    /// How many datagrams arrived in all.
    pub syslog_total: u64,
    /// One report for each start of the script, in order of arrival. Empty means that no script started, provided
    /// that the control of the same layout proved the channel alive.
    pub witness: Vec<WitnessReport>,
    /// Witnesses that started (they connected) but ended before they had reported: scripts that were started and killed.
    pub witness_unfinished: u32,
    /// The launcher's state, read back after everything was set and just before exec.
    pub invoker: InvokerState,
    /// The subject's file as the invoker's mount namespace shows it just before exec.
    pub installed: Option<FileState>,
    /// What changed in the fresh directories, sorted by path.
    pub changes: Vec<Change>,
    /// How many processes were still there after the subject ended, and were killed.
    pub strays: u32,
    /// Microseconds from the request to the launcher's exec: mounts, files, identity.
    pub setup_us: u64,
    /// Microseconds from exec to the end of the subject.
    pub run_us: u64,
}

impl Evidence {
    /// How many syslog datagrams are kept.
    pub const SYSLOG_LIMIT: usize = 256;
}

/// How far the start came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The sandbox could not be furnished as asked: a fault of the lab or a limit of the machine, never a result.
    Setup {
        /// What was being done, in words.
        step: String,
        /// Error number.
        errno: i32,
    },
    /// execve(2) refused: a result.
    Exec {
        /// Error number.
        errno: i32,
    },
    /// The subject ran.
    Ran,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// exit(3) with this status, 0 to 255.
    Exited(u8),
    /// Killed by this signal.
    Signaled {
        /// Number.
        signal: u32,
        /// The kernel says that a core was dumped.
        core: bool,
    },
    /// Still running at the deadline; it was then killed.
    TimedOut,
}

/// The beginning of an output, bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The first bytes, at most [`Capture::LIMIT`].
    pub bytes: Bytes,
    /// How many bytes came in all.
    pub total: u64,
}

impl Capture {
    /// How many bytes of an output are kept.
    pub const LIMIT: usize = 64 * 1024;

    /// Whether bytes were left out.
    pub fn truncated(&self) -> bool {
        self.total > self.bytes.0.len() as u64
    }
}

/// The launcher just before exec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvokerState {
    /// Credentials; `None` if the launcher did not come that far.
    pub credentials: Option<Credentials>,
    /// `NoNewPrivs` of /proc/self/status.
    pub no_new_privs: bool,
    /// Text of /proc/self/gid_map.
    pub gid_map: String,
    /// Text of /proc/self/uid_map.
    pub uid_map: String,
    /// Who traces it, as `TracerPid` of /proc/self/status is not zero.
    pub traced: bool,
    /// Where it stood among the machine's processes; `None` if the launcher did not come that far.
    #[serde(default)]
    pub place: Option<Place>,
}

/// Where a process stands among others: who can reach it by a signal to a group, and how much of the machine it gets.
/// execve(2) hands all of it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Session, as its pid namespace numbers it: 0 is one from outside. See getsid(2).
    pub session: u32,
    /// Process group, likewise. See getpgid(2).
    pub process_group: u32,
    /// Nice value. See getpriority(2).
    pub nice: i32,
    /// `SCHED_*` number. See sched_getscheduler(2).
    pub policy: u32,
    /// How many processors it may use. See sched_getaffinity(2).
    pub processors: u32,
}

/// A file's state. See inode(7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Owner.
    pub owner: Uid,
    /// Group.
    pub group: Gid,
    /// Permission bits with set-id bits.
    pub mode: u32,
    /// Number of names.
    pub links: u64,
    /// Size in bytes.
    pub size: u64,
    /// Flags of the mount it lies on (statvfs(3)).
    pub mount: MountFlags,
}

/// One difference of a watched tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where.
    pub path: Bytes,
    /// What.
    pub kind: ChangeKind,
}

/// What happened to an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is new.
    Added {
        /// As stat(2) reports it.
        state: EntryState,
    },
    /// It is gone.
    Removed,
    /// It was changed.
    Modified {
        /// Before.
        before: EntryState,
        /// After.
        after: EntryState,
    },
}

/// An entry of a watched tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryState {
    /// Owner.
    pub owner: Uid,
    /// Group.
    pub group: Gid,
    /// Whole `st_mode`: type and permission bits.
    pub mode: u32,
    /// Size in bytes.
    pub size: u64,
    /// The first 4 KiB of a regular file, or the target of a symbolic link.
    pub head: Bytes,
}

/// What the witness, standing in for the script, found when it was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessReport {
    /// Process number inside the sandbox.
    pub pid: u32,
    /// Whether the subject's own process became the witness by exec (true) or another process did.
    pub same_process: bool,
    /// Path by which it was executed (AT_EXECFN of getauxval(3)).
    pub exec_path: Bytes,
    /// Argument vector.
    pub argv: Arguments,
    /// Raw environment, in order.
    pub env: Vec<Bytes>,
    /// Credentials.
    pub credentials: Credentials,
    /// Numbers which it could become again though it was not running as them: what it tried and got.
    pub regained: Vec<Regained>,
    /// Open descriptors, the witness's own socket left out.
    pub descriptors: Vec<OpenDescriptor>,
    /// File mode creation mask.
    pub umask: u32,
    /// Target of /proc/self/cwd.
    pub cwd: Bytes,
    /// Ignored signals.
    pub ignored: BTreeSet<u32>,
    /// Blocked signals.
    pub blocked: BTreeSet<u32>,
    /// Pending signals, of thread and process.
    pub pending: BTreeSet<u32>,
    /// Resource limits that the witness read: number, soft, hard; `None` is infinity.
    pub limits: Vec<(u32, Option<u64>, Option<u64>)>,
    /// Where it stands among other processes.
    #[serde(default)]
    pub place: Place,
    /// Microseconds left on ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF; 0 is off.
    pub timers_us: [u64; 3],
    /// Timer slack in nanoseconds.
    pub timer_slack_ns: u64,
    /// Capability sets as bit masks: inheritable, permitted, effective, bounding, ambient.
    pub capabilities: [u64; 5],
    /// Securebits.
    pub securebits: u32,
    /// `NoNewPrivs`.
    pub no_new_privs: bool,
    /// AT_SECURE of getauxval(3).
    pub secure: bool,
    /// PR_GET_DUMPABLE.
    pub dumpable: u32,
    /// What could be read from descriptor 0, up to 64 KiB, with the total.
    pub stdin: Capture,
}

/// An identity that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regained {
    /// `uid` or `gid`.
    pub kind: IdKind,
    /// The number.
    pub number: u32,
    /// The call that brought it back.
    pub call: String,
}

/// User or group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdKind {
    /// User.
    Uid,
    /// Group.
    Gid,
}

/// An open descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenDescriptor {
    /// Number.
    pub number: u32,
    /// Target of /proc/self/fd/N, with inode numbers of pipes and sockets left out so that records compare.
    pub target: Bytes,
    /// Access mode: `O_RDONLY`, `O_WRONLY`, `O_RDWR` as 0, 1, 2 (fcntl F_GETFL).
    pub access: u32,
}
