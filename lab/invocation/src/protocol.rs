//! The messages between the lab and its agent: length-prefixed frames (u32, little-endian) on a stream socket, one reply
//! for each request, in order.

use crate::evidence::WitnessReport;
use crate::layout::Digest;
use crate::{Bytes, Evidence, Invocation, Layout};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Abstract unix socket of the sandbox's network namespace on which the witness reports: it connects and sends a frame
/// that holds its [`crate::evidence::WitnessReport`].
pub const WITNESS_SOCKET: &[u8] = b"lab-witness";

/// Changes whenever a message changes; the first frame is the agent's [`Greeting`].
pub const VERSION: u32 = 4;

/// Longest frame which either side accepts, in bytes.
pub const MAX_FRAME: usize = 64 * 1024 * 1024;

/// First frame of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Greeting {
    /// The sandbox stands.
    Ready(Hello),
    /// No sandbox can be made here.
    Unable {
        /// What was being done, in words.
        step: String,
        /// Error number; 0 where no system call failed.
        errno: i32,
        /// What an administrator can do about it.
        cure: String,
    },
}

/// What the agent says of a sandbox that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`] of the agent.
    pub version: u32,
    /// What this machine allows here, found by doing.
    pub tier: Tier,
    /// Facts of the host that change what a run proves: sysctl names and the like with their values.
    pub facts: BTreeMap<String, String>,
}

/// How much of the kernel's identity machinery is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tier {
    /// Root of the machine, all numbers.
    Root,
    /// Root in a user namespace that maps all numbers.
    FullMap,
    /// A user namespace with subordinate ids: numbers 0 to 65535 (newuidmap(1)).
    SubordinateIds,
}

/// From the lab, which lends what it sends: a case may have hundreds of thousands of arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// Keep the bytes of a program until [`Request::Forget`]: many blobs are the same program with another policy.
    Program {
        /// SHA-256 of the bytes.
        digest: Digest,
        /// The bytes.
        bytes: Cow<'a, Bytes>,
    },
    /// Give up a program.
    Forget {
        /// Its digest.
        program: Digest,
    },
    /// Keep a blob until the next [`Request::Open`], whose layout may name it by digest.
    Blob {
        /// SHA-256 of the whole file.
        digest: Digest,
        /// A program that was sent before.
        program: Digest,
        /// Where the file differs from the program.
        patch: Option<Patch>,
    },
    /// Prepare a layout under this number, and prove it: a set-group-ID probe that must gain its group, and the same
    /// on a nosuid mount that must not.
    Open {
        /// The lab's number for it.
        layout: u32,
        /// The layout.
        spec: Cow<'a, Layout>,
    },
    /// Give up a layout.
    Close {
        /// Its number.
        layout: u32,
    },
    /// Start a subject.
    Run {
        /// In this layout.
        layout: u32,
        /// Thus.
        invocation: Cow<'a, Invocation>,
    },
    /// The same, but descriptors 0, 1 and 2 are one terminal of the sandbox, its controlling one, which the agent connects
    /// with the terminal that is its own standard error.
    Shell {
        /// In this layout.
        layout: u32,
        /// Thus.
        invocation: Cow<'a, Invocation>,
        /// Height of the terminal, in lines.
        rows: u16,
        /// Width of the terminal, in characters.
        columns: u16,
    },
    /// Wait for a witness that somebody else starts, such as a mail server which was given a message.
    Listen {
        /// At most so long, in milliseconds.
        patience_ms: u32,
    },
    /// End.
    Quit,
}

/// Bytes that stand in a file in place of a program's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// Offset of the first one.
    pub at: u64,
    /// The bytes.
    pub bytes: Bytes,
}

/// From the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Program or blob kept, program forgotten, layout closed.
    Done,
    /// Layout ready, with what its probes showed.
    Opened {
        /// The probes.
        probes: Probes,
    },
    /// The subject was started, or it was tried.
    Ran(Box<Evidence>),
    /// What witnesses have said; nothing if the time was up first.
    Heard {
        /// Their reports.
        reports: Vec<WitnessReport>,
        /// How many began one and did not end it.
        unfinished: u32,
    },
    /// The request could not be carried out.
    Failed {
        /// What was being done, in words.
        step: String,
        /// Error number; 0 where no system call failed.
        errno: i32,
    },
}

/// What the probes of a layout showed. The layout judges only if they differ as they must.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probes {
    /// The set-group-ID probe on an ordinary mount gained its group.
    pub positive: bool,
    /// The same file on a nosuid mount gained it: must be false.
    pub negative: bool,
    /// The witness's channel delivered a report.
    pub witness: bool,
}
