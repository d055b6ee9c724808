//! A process as far as its credentials go.

use crate::capability::{CapSet, Capabilities, Capability, Securebits};
use crate::ids::Ids;
use crate::namespace::UserNamespace;
use std::fmt;

/// Credentials and the attributes that a change of credentials touches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// User ids.
    pub uid: Ids,
    /// Group ids.
    pub gid: Ids,
    /// Supplementary groups, sorted as the kernel keeps them.
    pub groups: Vec<u32>,
    /// Capability sets.
    pub capabilities: Capabilities,
    /// Securebits.
    pub securebits: Securebits,
    /// `PR_SET_NO_NEW_PRIVS`. See `Documentation/userspace-api/no_new_privs.rst`.
    pub no_new_privs: bool,
    /// `PR_GET_DUMPABLE` is 1; otherwise it is what `fs.suid_dumpable` says.
    pub dumpable: bool,
    /// Signal of `PR_SET_PDEATHSIG`; 0 for none.
    pub parent_death_signal: u32,
    /// User namespace.
    pub namespace: UserNamespace,
}

impl Process {
    /// Root of the initial user namespace.
    pub fn root() -> Self {
        Self {
            uid: Ids::all(0),
            gid: Ids::all(0),
            groups: Vec::new(),
            capabilities: Capabilities::ROOT,
            securebits: Securebits::default(),
            no_new_privs: false,
            dumpable: true,
            parent_death_signal: 0,
            namespace: UserNamespace::initial(),
        }
    }

    /// A process with these ids, which root made by setgroups(2), setresgid(2) and setresuid(2): it has root's
    /// capabilities if it is still root, and none otherwise.
    pub fn with_ids(uid: Ids, gid: Ids, groups: impl IntoIterator<Item = u32>) -> Self {
        let mut groups: Vec<u32> = groups.into_iter().collect();
        groups.sort_unstable();
        let root = uid.among_three(0);
        let permitted = if root { CapSet::ALL } else { CapSet::EMPTY };
        let effective = if uid.effective == 0 { CapSet::ALL } else { CapSet::EMPTY };
        Self {
            uid,
            gid,
            groups,
            capabilities: Capabilities { permitted, effective, ..Capabilities::NONE },
            ..Self::root()
        }
    }

    /// Whether the kernel would grant it `capability` in its own user namespace.
    pub fn has(&self, capability: Capability) -> bool {
        self.capabilities.effective.contains(capability)
    }

    /// Whether it belongs to `group` for file access: `in_group_p` of `kernel/groups.c`, the file-system gid or a
    /// supplementary group.
    pub fn in_group(&self, group: u32) -> bool {
        self.gid.fs == group || self.groups.contains(&group)
    }
}

macro_rules! errnos {
    ($($name:ident = $number:literal),+ $(,)?) => {
        /// An error number of errno(3), as far as the rules here produce it; the numbers are those of Linux on x86-64
        /// and aarch64.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "errno(3) has the meanings")]
        pub enum Errno { $($name),+ }

        impl Errno {
            /// The number.
            pub const fn number(self) -> i32 {
                match self { $(Self::$name => $number),+ }
            }

            /// The name as errno(3) writes it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

errnos! {
    EPERM = 1, ENOENT = 2, E2BIG = 7, ENOEXEC = 8, EAGAIN = 11, EACCES = 13, EEXIST = 17, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ELOOP = 40,
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
