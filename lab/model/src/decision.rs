//! What must come out of a start.

use crate::Bytes;
use crate::process::Process;
use std::collections::BTreeSet;
use std::fmt;

macro_rules! outcomes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A decision by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Outcome { $($(#[doc = $doc])+ $variant,)+ }

        impl Outcome {
            /// Every outcome.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name that profiles and reports use.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The outcome of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|outcome| outcome.name() == name)
            }
        }
    };
}

outcomes! {
    /// The caller is trusted and the script starts.
    Admitted = "admitted",
    /// The caller's real gid is not the trusted one.
    Mismatch = "mismatch",
    /// Likewise, and the gid has no name, or no name could be looked up.
    Nameless = "nameless",
    /// The set-group-ID bit did not act.
    NotPrivileged = "not-privileged",
    /// The caller could take the group back, or the ids could not be set.
    IdsNotSet = "ids-not-set",
    /// The sealed policy is unsound.
    BadPolicy = "bad-policy",
    /// Arguments are missing.
    Usage = "usage",
    /// The command does not exist.
    UnknownCommand = "unknown-command",
    /// The script cannot be started, or what leads to it is not to be trusted.
    ExecFailed = "exec-failed",
    /// The process could not be made safe.
    UnsafeProcess = "unsafe-process",
    /// The kernel refuses to execute the subject at all.
    ExecRefused = "exec-refused",
    /// The tool that seals and installs did what it was asked to.
    Configured = "configured",
    /// It refused, or found that what it installed does not work.
    NotConfigured = "not-configured",
    /// The C runtime gave up before `main`.
    EndedBeforeMain = "ended-before-main",
}

impl Outcome {
    /// Whether it is an answer of the tool that installs wrappers, and not of a wrapper.
    pub const fn is_of_the_tool(self) -> bool {
        matches!(self, Self::Configured | Self::NotConfigured)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the model says about one start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is decided.
    pub outcome: Outcome,
    /// Why, as a sentence with numbers and names.
    pub because: String,
    /// Exit status of a refusal; `None` where the subject does not choose it: the script's status, a failed exec, a crash.
    pub exit: Option<u8>,
    /// For [`Outcome::ExecRefused`]: the error number of execve(2).
    pub exec_error: Option<i32>,
    /// The subject just after exec; `None` if it was not executed.
    pub subject: Option<Subject>,
    /// What the script finds, if one starts.
    pub child: Option<Child>,
}

/// The subject just after exec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its credentials.
    pub process: Process,
    /// AT_SECURE.
    pub secure: bool,
    /// The set-group-ID bit acted.
    pub set_group_id_acted: bool,
}

/// What the script finds. Whole sets: what is not listed must not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// Credentials, capabilities and securebits.
    pub process: Process,
    /// The file that is executed: the interpreter, if there is one.
    pub path: Bytes,
    /// Its argument vector.
    pub argv: Vec<Bytes>,
    /// Its environment; the order does not matter.
    pub env: Vec<Bytes>,
    /// Its open descriptors.
    pub descriptors: BTreeSet<u32>,
    /// File mode creation mask.
    pub umask: u32,
    /// Working directory; `None` if it is one without a path.
    pub cwd: Option<Bytes>,
    /// Ignored signals.
    pub ignored: BTreeSet<u32>,
    /// Blocked signals.
    pub blocked: BTreeSet<u32>,
    /// Pending signals.
    pub pending: BTreeSet<u32>,
    /// Soft and hard RLIMIT_CORE in bytes; `None` is infinity.
    pub core_limit: (Option<u64>, Option<u64>),
    /// No interval timer runs.
    pub timers_off: bool,
    /// Timer slack in nanoseconds; `None` is the kernel's default for the machine.
    pub timer_slack_ns: Option<u64>,
    /// AT_SECURE.
    pub secure: bool,
}
