//! One start of a subject: where it is installed, who starts it, and how.

use crate::Bytes;
use crate::exec::{Circumstances, Kernel};
use crate::files::Files;
use crate::group_database::GroupDatabase;
use crate::policy::Policy;
use crate::process::Process;
use crate::rules::Rules;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Where the subject and its script are.
    pub installation: &'a Installation,
    /// Who starts it.
    pub invoker: &'a Invoker<'a>,
    /// What it is sealed with; of no importance to foreign rules.
    pub policy: &'a Policy,
    /// By whose rules it decides.
    pub rules: &'a Rules,
    /// Under which kernel.
    pub kernel: Kernel,
}

/// Where the subject and its script are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The path by which the subject is executed.
    pub path: Bytes,
    /// The tree.
    pub files: Files,
    /// The group database.
    pub groups: GroupDatabase,
    /// There is a `/dev/null` for the C library to open in place of a closed standard descriptor.
    pub device_null: bool,
}

/// An argument vector. There may be hundreds of thousands of entries, mostly the same one: neighbours that are equal may
/// be given once, each entry with how often it stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argv<'a>(pub Cow<'a, [(Bytes, usize)]>);

impl Argv<'_> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each entry, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Bytes> + Clone {
        self.0.iter().flat_map(|(word, count)| std::iter::repeat_n(word, *count))
    }

    /// The entry at a place, from 0.
    pub fn get(&self, at: usize) -> Option<&Bytes> {
        self.iter().nth(at)
    }
}

impl From<Vec<Bytes>> for Argv<'_> {
    fn from(list: Vec<Bytes>) -> Self {
        Self(list.into_iter().map(|word| (word, 1)).collect())
    }
}

/// Who starts the subject, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoker<'a> {
    /// Credentials just before exec.
    pub process: Process,
    /// What else decides whether set-id bits act.
    pub circumstances: Circumstances,
    /// The subject is executed through a mount of another mount namespace.
    pub foreign_mount: bool,
    /// Whole argument vector, `argv[0]` included.
    pub argv: Argv<'a>,
    /// Raw environment.
    pub env: Cow<'a, [Bytes]>,
    /// The rest of what a process hands on by exec.
    pub room: Room,
}

/// What a process hands on by exec, besides credentials, arguments and environment. See execve(2), "Effect on process
/// attributes".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Open descriptors.
    pub descriptors: BTreeSet<u32>,
    /// File mode creation mask.
    pub umask: u32,
    /// Working directory; `None` if it is one without a path.
    pub cwd: Option<Bytes>,
    /// Resource limits that differ from the usual ones: `RLIMIT_*` number to soft and hard; `None` is infinity.
    pub limits: BTreeMap<u32, (Option<u64>, Option<u64>)>,
    /// Ignored signals.
    pub ignored: BTreeSet<u32>,
    /// Blocked signals.
    pub blocked: BTreeSet<u32>,
    /// Pending signals.
    pub pending: BTreeSet<u32>,
    /// An interval timer runs.
    pub timer: bool,
    /// Timer slack in nanoseconds; `None` is the default.
    pub timer_slack_ns: Option<u64>,
}

impl Room {
    /// A quiet room: three descriptors, umask 022, the root directory, nothing else.
    pub fn quiet() -> Self {
        Self {
            descriptors: BTreeSet::from([0, 1, 2]),
            umask: 0o022,
            cwd: Some(b"/".to_vec()),
            limits: BTreeMap::new(),
            ignored: BTreeSet::new(),
            blocked: BTreeSet::new(),
            pending: BTreeSet::new(),
            timer: false,
            timer_slack_ns: None,
        }
    }
}
