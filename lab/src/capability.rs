//! What a backend can do on this machine. Scenarios name capabilities, never backends.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

macro_rules! capabilities {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// One thing that a case may need.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Capability {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Capability {
            /// Every capability.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name used in scenario files, on the command line and in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

capabilities! {
    /// The kernel honours a set-group-ID bit in the sandbox: without it nothing can be judged.
    SetGroupId = "set-group-id",
    /// Any supplementary groups can be given.
    SupplementaryGroups = "supplementary-groups",
    /// Mounts can be made nosuid, noexec, nodev, read-only.
    MountFlags = "mount-flags",
    /// A further user namespace can be made inside the sandbox.
    UserNamespace = "user-namespace",
    /// The subject's gid map covers 0 to 4294967294, so that 65534 is a group like any other.
    FullGidMap = "full-gid-map",
    /// User and group numbers above 65535 can be used.
    LargeIds = "large-ids",
    /// Id-mapped mounts work on the sandbox's file systems.
    IdMappedMounts = "id-mapped-mounts",
    /// Overlay mounts work.
    Overlay = "overlay",
    /// System calls of the subject can be made to fail (seccomp user notification installed by root).
    SyscallFault = "syscall-fault",
    /// The invoker can be given capabilities that the subject's file does not have.
    InvokerCapabilities = "invoker-capabilities",
    /// Gaining a group which the invoker belongs to already is no change of identity (Linux since 6.16): a tracer does
    /// not take the group away from a member, and ambient capabilities of a member stay.
    MemberRule = "member-rule",
    /// The subject can be traced by root.
    RootTracer = "root-tracer",
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a capability is at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    /// It was tried and works.
    Yes,
    /// It does not work here.
    No {
        /// What was tried, and what the system answered.
        because: String,
        /// What would cure it, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cure: Option<String>,
    },
}

impl Support {
    /// Why something is lacking and what would cure it, in one text; `None` where it is not lacking.
    pub fn why_not(&self) -> Option<String> {
        match self {
            Self::Yes => None,
            Self::No { because, cure: None } => Some(because.clone()),
            Self::No { because, cure: Some(cure) } => Some(format!("{because}; cure: {cure}")),
        }
    }
}

/// What a backend found by trying each thing.
pub type Capabilities = BTreeMap<Capability, Support>;
