//! `given`: what is different in a case. One `given` is one cause, so that a failure has one suspect.

use super::condition::{
    Database, FileSpec, IdMapped, InstallOrder, MountFlag, OpenFd, Overlay, Scheduler, ScriptEnds, Sealing,
    StartedThrough, Syscalls, Target, Tracer,
};
use super::form::{Allow, Form, read};
use super::value::{ByteString, Limit, NameOrNumber, Octal, OneOrMany, Stdin};
use super::{At, Named, Seal};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// What is different.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Given {
    // The subject's file and the mount it lies on.
    /// Flags of the mount on the directory of the subject's file.
    pub mount: Option<Vec<MountFlag>>,
    /// The directory of the subject's file is an overlay, whose lower layer has these mount flags.
    pub overlay: Option<Overlay>,
    /// The directory of the subject's file is an id-mapped mount: a group of the file appears as another.
    pub id_mapped: Option<IdMapped>,
    /// Mode of the subject's file.
    pub mode: Option<Octal>,
    /// Owner of the subject's file.
    pub owner: Option<At<NameOrNumber>>,
    /// Group of the subject's file; what it is sealed with stays.
    pub group: Option<At<NameOrNumber>>,
    /// In which order the installer set owner and mode.
    pub install_order: Option<InstallOrder>,
    /// The subject is started by this other name.
    pub started_through: Option<StartedThrough>,
    /// It is executed through a mount of another mount namespace.
    #[serde(default)]
    pub foreign_mount: bool,
    /// It is executed by descriptor, execveat(2) with AT_EMPTY_PATH.
    #[serde(default)]
    pub by_descriptor: bool,

    // The invoker's kernel attributes.
    /// PR_SET_NO_NEW_PRIVS.
    #[serde(default)]
    pub no_new_privs: bool,
    /// Someone traces the subject across exec.
    pub tracer: Option<Tracer>,
    /// The invoker shares its file-system attributes (CLONE_FS) with a living process.
    #[serde(default)]
    pub share_fs: bool,
    /// Groups which the invoker's user namespace does not map.
    pub unmapped_gid: Option<At<OneOrMany>>,
    /// Users which the invoker's user namespace does not map.
    pub unmapped_uid: Option<At<OneOrMany>>,

    /// Supplementary groups which the invoker has besides those that `[invoker]` says: consecutive numbers.
    pub more_groups: Option<MoreGroups>,

    // Accounts.
    /// /etc/group.
    pub group_database: Option<At<Database>>,
    /// /etc/passwd.
    pub user_database: Option<At<Database>>,

    // The sealed policy.
    /// Condition of the sealed section.
    pub policy: Option<At<Sealing>>,
    /// Sealed otherwise than the file's `[subject]` says.
    pub seal: Option<Seal>,
    /// Sealed to trust another group.
    pub trusts: Option<At<NameOrNumber>>,

    // How it is called.
    /// The whole argument vector, argv[0] included; `[]` is an empty one.
    pub argv: Option<Vec<ByteString>>,
    /// argv[0] alone.
    pub argv0: Option<ByteString>,
    /// The arguments after argv[0].
    pub args: Option<Vec<ByteString>>,
    /// Arguments that are added at the end: the same one, many times.
    pub more_args: Option<MoreArgs>,
    /// Variables that are added to the environment, or take the place of those of the same name.
    pub env: Option<Named<ByteString>>,
    /// The whole raw environment, in this order.
    pub env_raw: Option<Vec<ByteString>>,
    /// Standard input.
    pub stdin: Option<Stdin>,
    /// Closed descriptors.
    pub closed_fds: Option<Vec<At<i64>>>,
    /// Open descriptors, and what each is opened on.
    pub open_fds: Option<Vec<At<OpenFd>>>,
    /// File mode creation mask.
    pub umask: Option<Octal>,
    /// Working directory: a path, "deleted" or "unreadable".
    pub cwd: Option<At<String>>,
    /// Resource limits by name: `nofile = 3`, `fsize = { soft = 0, hard = 4096 }`, `core = "unlimited"`.
    pub limits: Option<Named<Limit>>,
    /// Ignored signals; "all" is every signal that can be ignored.
    pub ignored_signals: Option<Vec<At<String>>>,
    /// Blocked signals.
    pub blocked_signals: Option<Vec<At<String>>>,
    /// Pending (and blocked) signals.
    pub pending_signals: Option<Vec<At<String>>>,
    /// Seconds until SIGALRM.
    pub alarm: Option<At<i64>>,
    /// Timers of processor time that run: "virtual", "profiling".
    pub processor_timers: Option<Vec<At<String>>>,
    /// Timer slack in nanoseconds.
    pub timer_slack: Option<At<i64>>,
    /// Nice value, 0 to 19.
    pub nice: Option<At<i64>>,
    /// Scheduler, if it is another than the usual one.
    pub scheduler: Option<Scheduler>,
    /// Only one processor.
    #[serde(default)]
    pub one_processor: bool,
    /// The invoker leads a process group of its own.
    #[serde(default)]
    pub own_process_group: bool,
    /// Capabilities dropped from the bounding set; "all" is every one.
    pub bounding_drop: Option<Vec<At<String>>>,
    /// Capabilities that the invoker keeps, permitted and effective.
    pub kept_capabilities: Option<Vec<At<String>>>,
    /// Inheritable capabilities.
    pub inheritable_capabilities: Option<Vec<At<String>>>,
    /// Ambient capabilities.
    pub ambient_capabilities: Option<Vec<At<String>>>,
    /// Securebits by name: noroot, no-setuid-fixup, keep-caps, no-cap-ambient-raise, each also with `-locked`.
    pub securebits: Option<Vec<At<String>>>,
    /// System calls that fail.
    pub syscall: Option<Syscalls>,

    // What it starts, and the tree around it.
    /// The script.
    pub script: Option<Target>,
    /// How the script ends, if one starts: `{ exit = 75 }` or `{ signal = "SIGTERM" }`.
    pub script_ends: Option<At<ScriptEnds>>,
    /// The interpreter.
    pub interpreter: Option<At<Target>>,
    /// Files and directories that are added, changed or taken away, by absolute path.
    pub files: Option<Named<At<FileSpec>>>,
}

/// The same argument, many times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MoreArgs {
    /// The argument.
    pub each: ByteString,
    /// How many times.
    pub count: At<i64>,
}

/// Consecutive groups.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MoreGroups {
    /// The first one.
    pub from: At<i64>,
    /// How many.
    pub count: At<i64>,
}

/// A `given`: in full, or a list of names of `[given.NAME]` tables.
#[derive(Clone, Debug)]
pub enum GivenRef {
    /// In full.
    Table(Box<Given>),
    /// By names.
    Names(Vec<At<String>>),
}

impl<'de> Deserialize<'de> for GivenRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allow = Allow { table: true, list: true, ..Allow::default() };
        let wanted = "a table, or a list of names of [given.NAME] tables";
        match read::<_, Given, Vec<At<String>>>(deserializer, wanted, allow)? {
            Form::Table(given) => Ok(Self::Table(Box::new(given))),
            Form::List(names) => Ok(Self::Names(names)),
            Form::Text(_) | Form::Number(_) => Err(D::Error::custom(wanted)),
        }
    }
}

impl JsonSchema for GivenRef {
    fn schema_name() -> Cow<'static, str> {
        "GivenRef".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Given>();
        json_schema!({ "anyOf": [{ "type": "array", "items": { "type": "string" } }, table] })
    }
}
