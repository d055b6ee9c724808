//! Questions to the running kernel, for `lab model check`: "a process in this state makes this call; what comes out?"
//! Each is answered by a throw-away process of the agent. The numbers are those of the kernel; nothing here knows what
//! should come out.
//!
//! States and calls have a fixed size, so that the process which tries them allocates nothing.

use crate::Bytes;
use serde::{Deserialize, Serialize};

/// The five capability sets as bit masks. See capabilities(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CapabilitySets {
    /// Permitted.
    pub permitted: u64,
    /// Effective.
    pub effective: u64,
    /// Inheritable.
    pub inheritable: u64,
    /// Ambient.
    pub ambient: u64,
    /// Bounding.
    pub bounding: u64,
}

/// Up to four groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Groups {
    /// How many count.
    pub count: u8,
    /// The groups; the rest is zero.
    pub gids: [u32; 4],
}

impl Groups {
    /// The first four of `list`.
    pub fn new(list: &[u32]) -> Self {
        let mut groups = Self::default();
        for (place, &gid) in groups.gids.iter_mut().zip(list) {
            *place = gid;
            groups.count += 1;
        }
        groups
    }

    /// Those that count.
    pub fn as_slice(&self) -> &[u32] {
        self.gids.get(..usize::from(self.count)).unwrap_or(&self.gids)
    }
}

/// Credentials of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// Real, effective, saved and file-system uid.
    pub uid: [u32; 4],
    /// Likewise gid.
    pub gid: [u32; 4],
    /// Supplementary groups.
    pub groups: Groups,
    /// Capabilities. The bounding set is not read back by [`Question::Calls`], which cannot change it.
    pub capabilities: CapabilitySets,
    /// Securebits.
    pub securebits: u32,
}

/// A call that changes ids; 4294967295 is -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Call {
    /// setuid(2).
    SetUid(u32),
    /// setreuid(2).
    SetReUid(u32, u32),
    /// setresuid(2).
    SetResUid(u32, u32, u32),
    /// setfsuid(2).
    SetFsUid(u32),
    /// setgid(2).
    SetGid(u32),
    /// setregid(2).
    SetReGid(u32, u32),
    /// setresgid(2).
    SetResGid(u32, u32, u32),
    /// setfsgid(2).
    SetFsGid(u32),
    /// setgroups(2).
    SetGroups(Groups),
}

/// What came of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallAnswer {
    /// The state could not be reached.
    Setup {
        /// Which step failed.
        step: Step,
        /// Error number.
        errno: i32,
    },
    /// It was made.
    Made {
        /// State read just before.
        before: State,
        /// Value, or the negative error number.
        value: i64,
        /// State read just after.
        after: State,
    },
}

/// A step on the way to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    /// clone(2) of the throw-away process, or it ended without an answer.
    Process,
    /// prctl(2), PR_SET_SECUREBITS.
    Securebits,
    /// prctl(2), PR_CAPBSET_DROP.
    Bounding,
    /// setgroups(2), setresgid(2), setfsgid(2).
    GroupIds,
    /// setresuid(2), setfsuid(2).
    UserIds,
    /// capset(2).
    Capabilities,
    /// prctl(2), PR_CAP_AMBIENT_RAISE.
    Ambient,
    /// Reading the state.
    Read,
    /// prctl(2), PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, personality(2), setrlimit(2).
    Attributes,
    /// unshare(2) or clone(2) of a user namespace, or writing its maps.
    UserNamespace,
    /// unshare(2) or setns(2) of a mount namespace, or a mount.
    Mount,
    /// ptrace(2).
    Trace,
    /// Owner, mode, capabilities or content of the file.
    File,
}

impl Step {
    /// Every step, each at the place of its number.
    pub const ALL: [Self; 13] = [
        Self::Process,
        Self::Securebits,
        Self::Bounding,
        Self::GroupIds,
        Self::UserIds,
        Self::Capabilities,
        Self::Ambient,
        Self::Read,
        Self::Attributes,
        Self::UserNamespace,
        Self::Mount,
        Self::Trace,
        Self::File,
    ];
}

/// A start of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExecTrial {
    /// State just before.
    pub state: State,
    /// PR_SET_NO_NEW_PRIVS.
    pub no_new_privs: bool,
    /// The file.
    pub file: TrialFile,
    /// What it lies on.
    pub mount: TrialMount,
    /// How it is started.
    pub how: TrialStart,
    /// Who traces it.
    pub tracer: Option<TrialTracer>,
    /// It shares its file-system attributes with a living process: clone(2), CLONE_FS.
    pub shares_fs: bool,
    /// RLIMIT_NPROC is 0 when it takes on its ids, and its real uid has another process already.
    pub no_processes: bool,
    /// User namespace of its own.
    pub namespace: Option<TrialNamespace>,
}

/// How a file is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrialStart {
    /// By its path.
    Path,
    /// By execveat(2) with AT_EMPTY_PATH.
    Descriptor,
    /// As the interpreter of a `#!` script of mode 2755 that belongs to the same owner and group.
    Script,
    /// It is in a format for which binfmt_misc names an interpreter, root:root of mode 755. Only together with
    /// [`TrialNamespace::Without`].
    Format {
        /// The flag C: what counts is the file, not its interpreter.
        credentials: bool,
    },
}

/// A file of the trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrialFile {
    /// Owner.
    pub owner: u32,
    /// Group.
    pub group: u32,
    /// Mode.
    pub mode: u32,
    /// File capabilities: permitted, inheritable, and whether they become effective at once.
    pub capabilities: Option<(u64, u64, bool)>,
}

/// What the file lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TrialMount {
    /// An ordinary mount.
    Plain,
    /// A nosuid mount.
    Nosuid,
    /// A noexec mount.
    Noexec,
    /// A mount of another mount namespace, reached by a descriptor.
    Foreign,
    /// A file system which was mounted inside a user namespace that the process is not in, though in its mount namespace.
    OtherUserNamespace,
    /// A mount that shows these groups: `from` in the file appears as `to`, all other groups have no mapping.
    IdMapped {
        /// In the file.
        from: u32,
        /// On the mount.
        to: u32,
    },
    /// An overlay whose lower layer is a nosuid mount.
    OverlayOfNosuid,
    /// A nosuid overlay whose lower layer is an ordinary mount.
    NosuidOverlay,
}

/// Who traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrialTracer {
    /// A process with all capabilities.
    Privileged,
    /// A process with the ids of the traced one and no capability.
    Unprivileged,
}

/// A user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrialNamespace {
    /// Maps every number to itself, save these.
    Without {
        /// Unmapped user.
        uid: Option<u32>,
        /// Unmapped group.
        gid: Option<u32>,
    },
    /// Maps 0 inside to the caller's own ids, as the caller himself can, and denies setgroups.
    OwnIdsOnly,
}

/// What came of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecAnswer {
    /// The situation could not be made.
    Setup {
        /// Which step failed.
        step: Step,
        /// Error number.
        errno: i32,
    },
    /// execve(2) failed.
    Refused {
        /// Error number.
        errno: i32,
    },
    /// The program ran and reported this.
    Ran(Report),
}

/// What the started program found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its state, as it reads it: unmapped ids appear as 65534.
    pub state: State,
    /// AT_SECURE.
    pub secure: bool,
    /// PR_GET_DUMPABLE.
    pub dumpable: u32,
    /// PR_GET_PDEATHSIG; it was [`DEATH_SIGNAL`] before.
    pub parent_death_signal: u32,
    /// NoNewPrivs.
    pub no_new_privs: bool,
    /// ADDR_NO_RANDOMIZE of personality(2) is still set, as it was before.
    pub no_randomize: bool,
    /// Soft RLIMIT_STACK is still unlimited, as it was before if [`Facts::stack_unlimited`].
    pub stack_unlimited: bool,
}

/// The parent-death signal of every trial: SIGWINCH, which does nothing.
pub const DEATH_SIGNAL: u32 = 28;

/// How many calls a started program makes at most.
pub const MOST_CALLS: usize = 16;

/// To the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Make each call, each from this state and in a process of its own.
    Calls {
        /// The state.
        state: State,
        /// The calls.
        calls: Vec<Call>,
    },
    /// Likewise inside a user namespace that maps 0 and 1 only.
    CallsInNamespace {
        /// Whether its `/proc/self/setgroups` says `allow`.
        setgroups: bool,
        /// The state.
        state: State,
        /// The calls.
        calls: Vec<Call>,
    },
    /// Start a program, which then makes these calls one after the other; at most [`MOST_CALLS`].
    Exec {
        /// How it is started.
        trial: ExecTrial,
        /// What it does then.
        then: Vec<Call>,
    },
    /// open(2) with O_CREAT and O_EXCL through a symbolic link that leads nowhere: sendmail's t_exclopen.
    ExclusiveOpen,
    /// End.
    Quit,
}

/// From the agent: after the greeting [`Answer::Facts`], then one answer for each question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// What the agent found about itself.
    Facts(Facts),
    /// To calls, in their order.
    Calls(Vec<CallAnswer>),
    /// To an exec, and to the calls after it.
    Exec {
        /// What came of the start.
        answer: ExecAnswer,
        /// What came of the calls; empty if the program did not run.
        then: Vec<CallAnswer>,
    },
    /// To [`Question::ExclusiveOpen`]: error number of the open, 0 if it succeeded.
    Errno(i32),
}

/// Facts about the machine that decide what should come out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Kernel release as uname(2) gives it.
    pub release: Bytes,
    /// The agent's own capability sets: what a trial can have at most.
    pub capabilities: CapabilitySets,
    /// The hard RLIMIT_STACK is unlimited, so that the soft one can be too.
    pub stack_unlimited: bool,
    /// sysctl fs.suid_dumpable; `None` if it cannot be read.
    pub suid_dumpable: Option<u32>,
}
