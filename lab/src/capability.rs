//! What a backend can do on this machine. Scenarios name capabilities, never backends.

use lab_invocation::Invocation;
use lab_invocation::invocation::Tracer;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
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
    /// The invoker can be given capabilities that the subject's file does not have, and securebits, and a smaller bounding
    /// set.
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

/// What a backend must be able to do to start a subject in this way, whatever the subject.
pub fn needed_to_start(invocation: &Invocation) -> BTreeSet<Capability> {
    let identity = &invocation.identity;
    let transition = &invocation.transition;
    let capabilities = &invocation.capabilities;
    let users = [identity.uid, identity.effective_uid].map(|uid| uid.as_raw());
    let groups = [identity.gid, identity.effective_gid].map(|gid| gid.as_raw());
    let mut numbers = users.into_iter().chain(groups).chain(identity.groups.iter().map(|gid| gid.as_raw()));
    // Who has lowered his effective uid is not one whom a tracer with his real one may have, unless that is a root with
    // CAP_SYS_PTRACE: ptrace(2).
    let lowered = identity.uid.as_raw() == 0 && identity.effective_uid != identity.uid;
    let needs = [
        (Capability::SetGroupId, true),
        (Capability::SupplementaryGroups, !identity.groups.is_empty()),
        (Capability::UserNamespace, !transition.unmapped_gids.is_empty() || !transition.unmapped_uids.is_empty()),
        (Capability::RootTracer, transition.tracer.is_some_and(|tracer| tracer == Tracer::Root || lowered)),
        (Capability::InvokerCapabilities, *capabilities != Default::default()),
        (Capability::SyscallFault, !invocation.faults.is_empty()),
        (Capability::LargeIds, numbers.any(|number| number > 65_535)),
    ];
    needs.into_iter().filter(|(_, needed)| *needed).map(|(capability, _)| capability).collect()
}

#[cfg(test)]
mod tests {
    use super::{Capability, needed_to_start};
    use lab_invocation::invocation::Tracer;
    use lab_invocation::{Gid, Identity, Invocation, Uid};
    use rstest::rstest;
    use std::collections::BTreeSet;

    #[rstest]
    #[case::nobody(0, 1000, None, false)]
    #[case::root(1000, 1000, Some(Tracer::Root), true)]
    #[case::oneself(1000, 1000, Some(Tracer::Invoker), false)]
    #[case::root_himself(0, 0, Some(Tracer::Invoker), false)]
    #[case::lowered_root(0, 1000, Some(Tracer::Invoker), true)]
    fn a_tracer_whom_only_root_can_be_is_needed(
        #[case] real: u32,
        #[case] effective: u32,
        #[case] tracer: Option<Tracer>,
        #[case] needed: bool,
    ) {
        let uid = |number| Uid::new(number).expect("a user");
        let gid = Gid::new(100).expect("a group");
        let identity = Identity {
            uid: uid(real),
            effective_uid: uid(effective),
            gid,
            effective_gid: gid,
            groups: BTreeSet::new(),
        };
        let mut invocation = Invocation::quiet("/bin/wrapper".into(), identity);
        invocation.transition.tracer = tracer;
        assert_eq!(needed_to_start(&invocation).contains(&Capability::RootTracer), needed);
    }
}
