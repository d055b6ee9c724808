//! The conditions which a `given` can name: mounts, account databases, descriptors, system calls, files.

use super::At;
use super::form::{Allow, Form, Never, read};
use super::value::{ByteString, CallResult, NameOrNumber, Octal};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, IntoDeserializer};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

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

/// A scheduler. See sched(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheduler {
    /// SCHED_IDLE: runs when nothing else wants to.
    Idle,
}

/// How the script ends: one of both.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScriptEnds {
    /// With this status, 0 to 123: the others mean that the lab's witness failed.
    pub exit: Option<At<i64>>,
    /// By this signal.
    pub signal: Option<At<String>>,
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
