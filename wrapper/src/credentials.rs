//! Group ids: a number that can be given to the kernel.

use std::fmt;

/// A group id.
///
/// Never 4294967295: to setresgid(2) that number is -1, "leave this id unchanged", so that a wrapper which
/// switched to it would quietly keep what it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gid(u32);

impl Gid {
    /// The gid of that number; `None` for 4294967295.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number == u32::MAX { None } else { Some(Self(number)) }
    }

    /// The number.
    #[must_use]
    pub const fn as_raw(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Gid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
