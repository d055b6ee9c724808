//! One case: a subject in an installation, an invoker, a condition, an expected outcome. Plain data, made by
//! `scenario` from the files and consumed by `run`.

use crate::capability::Capability;
use crate::copy_on_write::CopyOnWrite;
use lab_invocation::layout::Order;
use lab_invocation::{Arguments, Bytes, Gid, Invocation, Layout, Uid};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Path of the scenario file without extension, then the name of the case or `row×column`:
/// `group-mismatch/mta-identities/exim-pipe×mail`. Stable under reordering.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseId(pub String);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the cases of one file have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioInfo {
    /// Path below the scenarios directory, without extension: `group-mismatch/mta-identities`.
    pub id: String,
    /// One line: the question.
    pub title: String,
    /// Why anybody should care.
    pub why: String,
    /// Rules which the file proves, as `source = [...]` names them: "mailman.md A3", "FAQ 4.47", "execve(2)".
    pub sources: Vec<String>,
    /// Rows and columns of a matrix in the order of the file; `None` for a list of cases.
    pub matrix: Option<Matrix>,
}

/// Shape of a truth table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// Name of the column dimension: `trusts`, `given`, …
    pub columns_are: String,
    /// Columns.
    pub columns: Vec<String>,
    /// Name of the row dimension: `invoker`, `given` or `trusts`.
    pub rows_are: String,
    /// Rows.
    pub rows: Vec<String>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its name on the command line and in records.
    pub id: CaseId,
    /// Its name as the file writes it; `row×column` for cases of a matrix.
    pub name: String,
    /// Its file.
    pub scenario: Arc<ScenarioInfo>,
    /// Row and column, for cases of a matrix.
    pub cell: Option<(String, String)>,
    /// If this one fails, its siblings prove nothing.
    pub control: bool,
    /// Rules which this case proves, besides those of its file.
    pub sources: Vec<String>,
    /// What the backend must be able to do.
    pub needs: BTreeSet<Capability>,
    /// The program, how it is sealed and how it is installed.
    pub subject: Subject,
    /// Everything in the sandbox but the subject's own file, which `run` adds once it is sealed.
    pub layout: CopyOnWrite<Layout>,
    /// How it is started.
    pub invocation: CopyOnWrite<Invocation>,
    /// Name of the expected outcome.
    pub expected: String,
    /// Definition of the expected outcome.
    pub outcome: CopyOnWrite<Outcome>,
    /// Names of the numbers of this case, for every message.
    pub names: Names,
    /// Name of the profile by whose rules the outcome was predicted, where the subject is a wrapper which we did not
    /// write.
    pub profile: Option<String>,
}

/// The program under test in one case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// Its name in scenario files: `mail-wrapper`, `cgi-wrapper`; `--subject NAME=PATH` puts another file there.
    pub program: String,
    /// What it is sealed with.
    pub policy: Policy,
    /// Where it is installed, in the sandbox.
    pub path: Bytes,
    /// Owner of its file.
    pub owner: Uid,
    /// Group of its file.
    pub group: Gid,
    /// Mode of its file.
    pub mode: u32,
    /// Order of chown and chmod.
    pub order: Order,
    /// Further names of the same file: symbolic or hard links by which it may be started.
    pub links: Vec<(Bytes, Link)>,
}

/// The one subject that is no wrapper: the tool which seals and installs wrappers.
pub const TOOL: &str = "wrapper-configure";
/// The wrappers that the tool finds beside itself, as they were built.
pub const WRAPPERS: [&str; 2] = ["mail-wrapper", "cgi-wrapper"];

impl Subject {
    /// Whether it is the tool: then it has no policy of its own and starts no script.
    pub fn is_tool(&self) -> bool {
        self.program == TOOL
    }
}

/// How another name leads to the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// A symbolic link.
    Symbolic,
    /// A hard link.
    Hard,
}

/// A group as a policy names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Group {
    /// Number.
    pub gid: Gid,
    /// Name.
    pub name: String,
}

/// What a subject is sealed with: the arguments of `wrapper-configure seal`, and what the model predicts from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Policy {
    /// mail or cgi.
    pub kind: Kind,
    /// The trusted group.
    pub trusts: Group,
    /// The wrapper's own group.
    pub own: Group,
    /// Sealed owner: the user who, besides root, may own the scripts.
    pub owner: (Uid, String),
    /// `--prefix`.
    pub prefix: Bytes,
    /// Interpreter with its flags; `None` starts the script itself.
    pub interpreter: Option<(Bytes, Vec<Bytes>)>,
    /// Allowed commands (mail).
    pub commands: Vec<Bytes>,
    /// The one script (CGI).
    pub script: Option<Bytes>,
    /// Kept environment names; `None` means the program's default.
    pub keep: Option<Vec<Bytes>>,
    /// Refusal style.
    pub refusal: Style,
    /// Whether the sealed section is as it should be.
    pub condition: Sealing,
}

/// Kind of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// For a mail server.
    Mail,
    /// For a web server.
    Cgi,
}

/// Exit codes of a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// Mailman's own codes.
    #[default]
    Mailman,
    /// 75 (EX_TEMPFAIL) where an administrator can repair the cause.
    Defer,
}

/// State of the sealed section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sealing {
    /// Sealed, sound.
    #[default]
    Sound,
    /// As it comes from the compiler.
    Unsealed,
    /// One byte of the body was changed.
    Damaged,
    /// The second half of the section is zero.
    Truncated,
    /// Sealed for the other kind of wrapper.
    WrongKind,
    /// A version that this program does not know.
    WrongVersion,
    /// The body claims to be longer than the section.
    OverLong,
}

/// A named expected behaviour. What it mentions is exact; what it does not mention is recorded but not judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Exit status.
    pub exit: Option<u8>,
    /// Ends by this signal.
    #[serde(default)]
    pub signal: Option<u32>,
    /// execve(2) itself must fail with this errno.
    pub exec_error: Option<i32>,
    /// The subject may end in any way before its `main` (the C runtime gives up): nothing else is judged but that no
    /// script started.
    pub ended_before_main: bool,
    /// Standard error says each of these, as whole words (already expanded: no `{…}` is left).
    pub stderr: Vec<String>,
    /// Standard output says each of these, as whole words.
    pub stdout: Vec<String>,
    /// One syslog datagram says each of these, as whole words.
    pub syslog: Vec<String>,
    /// Neither standard error, nor standard output, nor any syslog datagram contains one of these.
    pub says_nothing_of: Vec<Bytes>,
    /// Standard error, if there is any, and each syslog datagram is one line of printable ASCII, at most 900 bytes.
    pub one_line: bool,
    /// No syslog datagram arrives.
    pub syslog_is_empty: bool,
    /// The whole standard error.
    pub stderr_is: Option<Bytes>,
    /// The whole standard output.
    pub stdout_is: Option<Bytes>,
    /// The script.
    pub script: Option<Script>,
    /// Paths that change in the fresh directories; every other change is a difference. `None`: not judged.
    pub changes: Option<Vec<Bytes>>,
}

/// What is expected of the script. Each field is judged only if it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// Whether it starts (exactly once) or not at all.
    pub started: Option<bool>,
    /// Real gid.
    pub real_gid: Option<Gid>,
    /// Effective gid.
    pub effective_gid: Option<Gid>,
    /// Saved gid.
    pub saved_gid: Option<Gid>,
    /// Real, effective and saved uid are all this.
    pub uid: Option<Uid>,
    /// Supplementary groups, whole set.
    pub groups: Option<BTreeSet<Gid>>,
    /// Path by which it was executed.
    pub path: Option<Bytes>,
    /// Whole argument vector.
    pub argv: Option<Arguments>,
    /// Whole environment, order not judged; each name once.
    pub env: Option<BTreeMap<Bytes, Bytes>>,
    /// Numbers of all open descriptors.
    pub open_fds: Option<BTreeSet<u32>>,
    /// Descriptor 0 can be read, 1 and 2 can be written.
    pub standard_fds_usable: Option<bool>,
    /// File mode creation mask.
    pub umask: Option<u32>,
    /// Working directory.
    pub cwd: Option<Bytes>,
    /// Ignored signals.
    pub ignored_signals: Option<BTreeSet<u32>>,
    /// Blocked signals.
    pub blocked_signals: Option<BTreeSet<u32>>,
    /// Pending signals.
    pub pending_signals: Option<BTreeSet<u32>>,
    /// Soft and hard RLIMIT_CORE are both this.
    pub core_limit: Option<u64>,
    /// Soft limits, by `RLIMIT_*` number.
    #[serde(default, with = "optional_by_number")]
    pub soft_limits: Option<BTreeMap<u32, u64>>,
    /// `NoNewPrivs`.
    pub no_new_privs: Option<bool>,
    /// All three interval timers are off.
    pub timers_off: Option<bool>,
    /// Timer slack in nanoseconds.
    pub timer_slack_ns: Option<u64>,
    /// No ambient and no inheritable capability.
    pub no_capabilities: Option<bool>,
    /// No identity comes back.
    pub nothing_regained: Option<bool>,
    /// Whole standard input as the script read it.
    pub stdin: Option<Bytes>,
}

/// Names of numbers inside one case, as its user and group databases have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Names {
    /// Users.
    #[serde(with = "by_number")]
    pub users: BTreeMap<Uid, String>,
    /// Groups.
    #[serde(with = "by_number")]
    pub groups: BTreeMap<Gid, String>,
}

/// Maps with numbers as keys. In JSON a key is text, which serde's buffer for tagged enums does not turn back into a
/// number by itself.
mod by_number {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<K: Copy + Into<u32>, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(map.iter().map(|(&key, value)| (key.into().to_string(), value)))
    }

    pub(super) fn deserialize<'de, K: Ord + TryFrom<u32>, V: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        let texts = BTreeMap::<String, V>::deserialize(deserializer)?;
        let number = |text: &str| text.parse().ok().and_then(|number: u32| K::try_from(number).ok());
        texts
            .into_iter()
            .map(|(key, value)| {
                let key = number(&key).ok_or_else(|| D::Error::custom(format!("{key:?} is no number of this kind")))?;
                Ok((key, value))
            })
            .collect()
    }
}

/// [`by_number`] for a map that may be absent.
mod optional_by_number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    #[derive(Deserialize)]
    struct Present(#[serde(with = "super::by_number")] BTreeMap<u32, u64>);

    #[derive(Serialize)]
    struct Borrowed<'a>(#[serde(serialize_with = "super::by_number::serialize")] &'a BTreeMap<u32, u64>);

    pub(super) fn serialize<S: Serializer>(map: &Option<BTreeMap<u32, u64>>, serializer: S) -> Result<S::Ok, S::Error> {
        map.as_ref().map(Borrowed).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<BTreeMap<u32, u64>>, D::Error> {
        Option::<Present>::deserialize(deserializer).map(|present| present.map(|Present(map)| map))
    }
}

impl Names {
    /// `list 38`, or `4242 (no name)`.
    pub fn group(&self, gid: Gid) -> String {
        self.groups.get(&gid).map_or_else(|| format!("{gid} (no name)"), |name| format!("{name} {gid}"))
    }

    /// `nobody 65534`, or `4242 (no name)`.
    pub fn user(&self, uid: Uid) -> String {
        self.users.get(&uid).map_or_else(|| format!("{uid} (no name)"), |name| format!("{name} {uid}"))
    }
}
