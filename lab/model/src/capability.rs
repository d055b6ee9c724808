//! Capability sets and securebits. See capabilities(7).

use std::fmt;

/// One capability by its number in `include/uapi/linux/capability.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(pub u8);

impl Capability {
    /// Change file owners.
    pub const CHOWN: Self = Self(0);
    /// Bypass permission checks.
    pub const DAC_OVERRIDE: Self = Self(1);
    /// Bypass permission checks for reading and searching.
    pub const DAC_READ_SEARCH: Self = Self(2);
    /// Act as owner of any file.
    pub const FOWNER: Self = Self(3);
    /// Keep set-id bits on writing.
    pub const FSETID: Self = Self(4);
    /// Any change of gids and supplementary groups.
    pub const SETGID: Self = Self(6);
    /// Any change of uids.
    pub const SETUID: Self = Self(7);
    /// Change securebits and the bounding set.
    pub const SETPCAP: Self = Self(8);
    /// Change the immutable and append-only flags.
    pub const LINUX_IMMUTABLE: Self = Self(9);
    /// Override resource limits.
    pub const SYS_RESOURCE: Self = Self(24);
    /// Make device files.
    pub const MKNOD: Self = Self(27);
    /// Override mandatory access control.
    pub const MAC_OVERRIDE: Self = Self(32);
    /// The last one of Linux 5.9 and later, CAP_CHECKPOINT_RESTORE.
    pub const LAST: Self = Self(40);
}

/// A set of capabilities, as a bit mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CapSet(pub u64);

impl CapSet {
    /// None.
    pub const EMPTY: Self = Self(0);
    /// Every capability up to [`Capability::LAST`].
    pub const ALL: Self = Self((1 << (Capability::LAST.0 + 1)) - 1);
    /// Those which follow the file-system uid: `CAP_FS_SET` in `include/linux/capability.h`; capabilities(7), "Effect of
    /// user ID changes on capabilities", point 4.
    pub const FILE_SYSTEM: Self = Self::of(&[
        Capability::CHOWN,
        Capability::DAC_OVERRIDE,
        Capability::DAC_READ_SEARCH,
        Capability::FOWNER,
        Capability::FSETID,
        Capability::LINUX_IMMUTABLE,
        Capability::MKNOD,
        Capability::MAC_OVERRIDE,
    ]);

    /// These.
    pub const fn of(capabilities: &[Capability]) -> Self {
        let mut mask = 0;
        let mut at = 0;
        while at < capabilities.len() {
            mask |= 1 << capabilities[at].0;
            at += 1;
        }
        Self(mask)
    }

    /// Whether `capability` is in it.
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & (1 << capability.0) != 0
    }

    /// In either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// In both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// In this one only.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every member is in `other` too.
    pub const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for CapSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// The five sets of a process (strictly: of a thread).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// What may be made effective.
    pub permitted: CapSet,
    /// What the kernel asks about.
    pub effective: CapSet,
    /// What a file with inheritable capabilities passes on.
    pub inheritable: CapSet,
    /// What an ordinary exec passes on.
    pub ambient: CapSet,
    /// What exec may give at most.
    pub bounding: CapSet,
}

impl Capabilities {
    /// None, with nothing dropped from the bounding set.
    pub const NONE: Self = Self {
        permitted: CapSet::EMPTY,
        effective: CapSet::EMPTY,
        inheritable: CapSet::EMPTY,
        ambient: CapSet::EMPTY,
        bounding: CapSet::ALL,
    };
    /// Those of root.
    pub const ROOT: Self = Self { permitted: CapSet::ALL, effective: CapSet::ALL, ..Self::NONE };
}

/// Securebits. See capabilities(7), "The securebits flags".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Securebits(pub u32);

impl Securebits {
    /// uid 0 gets no capabilities by exec.
    pub const NOROOT: Self = Self(1 << 0);
    /// A change of uid changes no capability.
    pub const NO_SETUID_FIXUP: Self = Self(1 << 2);
    /// The permitted set survives giving up uid 0; exec clears this bit.
    pub const KEEP_CAPS: Self = Self(1 << 4);
    /// The ambient set cannot grow.
    pub const NO_CAP_AMBIENT_RAISE: Self = Self(1 << 6);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the bits of `other` as well.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Without the bits of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}
