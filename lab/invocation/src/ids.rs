//! User and group numbers. See credentials(7).

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

macro_rules! id {
    ($name:ident, $what:literal) => {
        #[doc = concat!("A ", $what, " number. 4294967295 is no number: to setresuid(2) and setresgid(2) it means \"leave unchanged\".")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u32", into = "u32")]
        pub struct $name(u32);

        impl $name {
            #[doc = concat!("The ", $what, " number 0.")]
            pub const ROOT: Self = Self(0);
            #[doc = concat!("The overflow ", $what, ": what a process reads for a number that its user namespace does not map.")]
            pub const OVERFLOW: Self = Self(65534);

            /// The number; `None` for 4294967295.
            pub const fn new(number: u32) -> Option<Self> {
                if number == u32::MAX { None } else { Some(Self(number)) }
            }

            /// The number as the kernel takes it.
            pub const fn as_raw(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<u32> for $name {
            type Error = NotAnId;
            fn try_from(number: u32) -> Result<Self, NotAnId> {
                Self::new(number).ok_or(NotAnId)
            }
        }

        impl From<$name> for u32 {
            fn from(id: $name) -> u32 {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// 4294967295 was given where a user or group number is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("4294967295 (-1) is not a user or group number: system calls take it as \"leave unchanged\"")
    }
}

impl std::error::Error for NotAnId {}

id!(Uid, "user");
id!(Gid, "group");

/// Who starts the subject. Saved ids are not part of it: exec copies the effective ids over them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// Real user.
    pub uid: Uid,
    /// Effective user; differs from the real one only where another set-user-ID program is the invoker.
    pub effective_uid: Uid,
    /// Real group: the one that a wrapper asks about.
    pub gid: Gid,
    /// Effective group; differs from the real one where another set-group-ID program is the invoker.
    pub effective_gid: Gid,
    /// Supplementary groups.
    pub groups: BTreeSet<Gid>,
}

/// Real, effective, saved and file-system number of one kind. See credentials(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ids<T> {
    /// Real.
    pub real: T,
    /// Effective.
    pub effective: T,
    /// Saved.
    pub saved: T,
    /// For file access; follows the effective one.
    pub fs: T,
}

/// The credentials of a running process, as read from the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Credentials {
    /// User numbers.
    pub uid: Ids<Uid>,
    /// Group numbers.
    pub gid: Ids<Gid>,
    /// Supplementary groups, in the kernel's order (sorted); duplicates are kept.
    pub groups: Vec<Gid>,
}
