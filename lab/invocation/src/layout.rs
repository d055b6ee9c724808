//! What a subject is installed in: accounts, files, mounts. Two cases with equal layouts share one prepared sandbox,
//! so a layout holds nothing that differs between invocations.

use crate::{Bytes, Gid, Uid};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The file tree and mounts of a sandbox. Paths are absolute and contain no `.` or `..`. The agent adds what every
/// sandbox has (see [`Layout::ALWAYS`]); parents must come before children.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Layout {
    /// Files, directories and links, made in this order: content, then owner, then mode.
    pub nodes: Vec<Node>,
    /// Mounts over the finished tree, in this order.
    pub mounts: Vec<Mount>,
    /// Directories that each case gets fresh (with the nodes below them made anew), writable as their modes allow,
    /// and compared before and after. Everything else is read-only for the case.
    pub fresh: Vec<Bytes>,
}

impl Layout {
    /// Present in every sandbox without being listed: `/dev` with null, zero, full, random, urandom, tty and a
    /// datagram socket `log`; `/proc` of the sandbox's own process namespace; `/tmp` (1777, fresh).
    pub const ALWAYS: [&'static str; 3] = ["/dev", "/proc", "/tmp"];
}

/// One entry of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Node {
    /// Where.
    pub path: Bytes,
    /// Owner, as the sandbox's user namespace numbers it.
    pub owner: Uid,
    /// Group, likewise.
    pub group: Gid,
    /// Permission bits with set-user-ID, set-group-ID and sticky: 0 to 0o7777. Ignored for symbolic links.
    pub mode: u32,
    /// What.
    pub kind: NodeKind,
    /// In which order owner and mode are set; the wrong order loses the set-group-ID bit, as chown(2) says.
    pub order: Order,
}

/// Order of the last two steps in making a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// chown, then chmod: right.
    #[default]
    ChownThenChmod,
    /// chmod, then chown: on an executable file the kernel clears set-user-ID and set-group-ID.
    ChmodThenChown,
}

impl Order {
    /// The mode that is left of `mode`. chown(2): on an executable file it clears set-user-ID, and set-group-ID if the
    /// group-execute bit is set.
    pub const fn leaves(self, mode: u32) -> u32 {
        match self {
            Self::ChownThenChmod => mode,
            Self::ChmodThenChown if mode & 0o010 != 0 => mode & !0o6000,
            Self::ChmodThenChown => mode & !0o4000,
        }
    }
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A directory.
    Directory,
    /// A regular file.
    File(Content),
    /// A symbolic link to this target.
    Symlink(Bytes),
    /// A second name of an earlier node.
    HardLink(Bytes),
    /// A FIFO.
    Fifo,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// These bytes.
    Inline(Bytes),
    /// Bytes which were sent to the agent before, by their digest.
    Blob(Digest),
    /// The agent itself, which acts as witness wherever it is started under another path than its own.
    Witness,
}

/// SHA-256 of a blob. Its text form is hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        let digits = |at: usize| text.get(2 * at..2 * at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = digits(at).ok_or_else(|| serde::de::Error::custom("64 hexadecimal digits are wanted"))?;
        }
        if text.len() == 64 {
            Ok(Self(bytes))
        } else {
            Err(serde::de::Error::custom("64 hexadecimal digits are wanted"))
        }
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mount {
    /// Mount point: a directory or file of the tree.
    pub at: Bytes,
    /// What is mounted.
    pub kind: MountKind,
    /// Flags. See mount(8).
    pub flags: MountFlags,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountKind {
    /// The tree's own content at the mount point, bound onto itself to give it flags.
    Itself,
    /// Another place of the tree.
    Bind(Bytes),
    /// A file or directory of the host, always read-only: loader and libraries of a dynamic subject.
    Host(Bytes),
    /// An overlay whose lower layer is this place of the tree; flags of the lower mount do not pass through.
    Overlay(Bytes),
    /// An id-mapped bind of the mount point onto itself: group `from` in the file appears as `to`.
    IdMapped {
        /// Group as the file has it.
        from: Gid,
        /// Group as the mount shows it.
        to: Gid,
    },
}

/// Mount flags, all off unless said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MountFlags {
    /// Set-user-ID and set-group-ID bits are ignored.
    pub nosuid: bool,
    /// Nothing can be executed.
    pub noexec: bool,
    /// Devices are inert.
    pub nodev: bool,
    /// Nothing can be written.
    pub read_only: bool,
}
