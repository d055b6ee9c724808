//! `given`: what is different in a case. One `given` is one cause, so that a failure has one suspect.

use super::form::{Allow, Form, Never, read};
use super::value::{ByteString, CallResult, Limit, NameOrNumber, Octal, OneOrMany, Stdin};
use super::{At, Named, Seal};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, IntoDeserializer};
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
    pub policy: Option<Sealing>,
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
    /// Timer slack in nanoseconds.
    pub timer_slack: Option<At<i64>>,
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
    /// Milliseconds after which the subject is killed, where the default is too short or too long.
    pub deadline: Option<At<i64>>,

    // What it starts, and the tree around it.
    /// The script.
    pub script: Option<Target>,
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

/// Flags of a mount. See mount(8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MountFlag {
    /// Set-id bits are ignored.
    Nosuid,
    /// Nothing can be executed.
    Noexec,
    /// Devices are inert.
    Nodev,
    /// Nothing can be written.
    ReadOnly,
}

/// An overlay mount.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Overlay {
    /// Flags of the mount below.
    #[serde(default)]
    pub lower: Vec<MountFlag>,
    /// Flags of the overlay itself.
    #[serde(default)]
    pub flags: Vec<MountFlag>,
}

/// An id-mapped mount. See mount_setattr(2).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IdMapped {
    /// Group as the file has it.
    pub from: At<NameOrNumber>,
    /// Group as the mount shows it.
    pub to: At<NameOrNumber>,
}

/// Order of chown and chmod. See chown(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InstallOrder {
    /// Right.
    ChownThenChmod,
    /// Loses the set-id bits.
    ChmodThenChown,
}

/// Another name of the subject's file: one of the two.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StartedThrough {
    /// A symbolic link at this path.
    pub symlink: Option<At<String>>,
    /// A hard link at this path.
    pub hard_link: Option<At<String>>,
}

/// Who traces. See ptrace(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tracer {
    /// A process with the invoker's ids.
    Invoker,
    /// Root.
    Root,
}

/// An account database.
#[derive(Clone, Debug)]
pub enum Database {
    /// absent, unreadable, empty, directory or fifo.
    Condition(DatabaseCondition),
    /// With other content.
    Content(DatabaseContent),
}

/// What is wrong with an account database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DatabaseCondition {
    /// There is no such file.
    Absent,
    /// Mode 0, root's.
    Unreadable,
    /// No line in it.
    Empty,
    /// A directory in its place.
    Directory,
    /// A FIFO in its place: opening it for reading blocks.
    Fifo,
}

/// Content of an account database: either the whole, or lines before and after the usual ones.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DatabaseContent {
    /// The whole text.
    pub text: Option<ByteString>,
    /// Lines before the usual ones.
    #[serde(default)]
    pub prepend: Vec<ByteString>,
    /// Lines after the usual ones.
    #[serde(default)]
    pub append: Vec<ByteString>,
    /// Names whose lines are left out.
    #[serde(default)]
    pub without: Vec<At<String>>,
}

/// Condition of the sealed section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sealing {
    /// As it should be.
    Sound,
    /// As it comes from the compiler.
    Unsealed,
    /// One byte changed.
    Damaged,
    /// Second half zero.
    Truncated,
    /// Sealed for the other kind of wrapper.
    WrongKind,
    /// Unknown version.
    WrongVersion,
    /// Claims to be longer than the section.
    OverLong,
}

/// An open descriptor.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OpenFd {
    /// Its number.
    pub fd: At<i64>,
    /// What it is opened on.
    pub on: DescriptorKind,
    /// Path, for `file` and `directory`.
    pub path: Option<At<String>>,
}

/// What a descriptor is opened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DescriptorKind {
    /// A file, opened by root for reading and writing.
    File,
    /// A directory.
    Directory,
    /// A socket.
    Socket,
    /// A pipe which nobody reads, full.
    FullPipe,
    /// A pipe whose reader is gone.
    BrokenPipe,
    /// An epoll instance.
    Epoll,
    /// An anonymous file in memory.
    Memory,
    /// /dev/full.
    Full,
    /// The capturing pipe in non-blocking mode (descriptors 1 and 2).
    NonBlocking,
    /// A process descriptor of the launcher.
    Process,
    /// A terminal.
    Terminal,
}

/// One failing system call, or several.
#[derive(Clone, Debug)]
pub struct Syscalls(pub Vec<Syscall>);

/// A system call that fails.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Syscall {
    /// Name as in syscalls(2).
    pub call: At<String>,
    /// Which call, from 1; 0 or absent is each.
    pub nth: Option<At<i64>>,
    /// What it returns.
    pub result: At<CallResult>,
}

/// What is wrong with the script or the interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// It is not there.
    Missing,
    /// No execute bit.
    NotExecutable,
    /// Owned by a user who is neither root nor the sealed owner.
    WrongOwner,
    /// Of another group than the wrapper's own, and writable by it.
    GroupWritable,
    /// Writable by everybody.
    WorldWritable,
    /// A symbolic link to a sound file beside it.
    Symlink,
    /// A symbolic link that leads nowhere.
    DanglingSymlink,
    /// A directory in its place.
    Directory,
    /// The directory that holds it is writable by everybody.
    DirectoryWorldWritable,
    /// The directory that holds it is owned by a stranger.
    DirectoryWrongOwner,
    /// A file with a `#!` line whose interpreter does not exist.
    BadInterpreter,
    /// An executable file in a format that no kernel knows.
    NotAProgram,
}

/// A file that is added, changed or taken away. Only what is said changes in an existing one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileSpec {
    /// What it is; needed for a new one.
    pub kind: Option<FileKind>,
    /// Content of a file, target of a link.
    pub content: Option<ByteString>,
    /// Owner; root for a new one.
    pub owner: Option<At<NameOrNumber>>,
    /// Group; root for a new one.
    pub group: Option<At<NameOrNumber>>,
    /// Mode; 644 for a new file, 755 for a new directory.
    pub mode: Option<Octal>,
    /// The directory is watched, and fresh for each case.
    #[serde(default)]
    pub fresh: bool,
}

/// Kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A FIFO.
    Fifo,
    /// An executable file which reports that it was started: it must not be.
    Witness,
    /// It is taken away.
    Absent,
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

impl<'de> Deserialize<'de> for Database {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allow = Allow { text: true, table: true, ..Allow::default() };
        let wanted = "absent, unreadable, empty, directory or fifo, or { text }, { prepend, append, without }";
        match read::<_, DatabaseContent, Never>(deserializer, wanted, allow)? {
            Form::Text(word) => DatabaseCondition::deserialize(word.into_deserializer()).map(Self::Condition),
            Form::Table(content) => Ok(Self::Content(content)),
            Form::Number(_) | Form::List(_) => Err(D::Error::custom(wanted)),
        }
    }
}

impl JsonSchema for Database {
    fn schema_name() -> Cow<'static, str> {
        "Database".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<DatabaseCondition>();
        let table = generator.subschema_for::<DatabaseContent>();
        json_schema!({ "anyOf": [word, table] })
    }
}

impl<'de> Deserialize<'de> for Syscalls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allow = Allow { table: true, list: true, ..Allow::default() };
        let wanted = "{ call = …, nth = …, result = … }, or a list of them";
        match read::<_, Syscall, Vec<Syscall>>(deserializer, wanted, allow)? {
            Form::Table(call) => Ok(Self(vec![call])),
            Form::List(calls) => Ok(Self(calls)),
            Form::Text(_) | Form::Number(_) => Err(D::Error::custom(wanted)),
        }
    }
}

impl JsonSchema for Syscalls {
    fn schema_name() -> Cow<'static, str> {
        "Syscalls".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<Syscall>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}
