//! The four ids of one kind that a process has. See credentials(7).

use std::fmt;

/// What a set*id call takes to mean "leave unchanged"; never an id. See setresuid(2).
pub const KEEP: u32 = u32::MAX;

/// Real, effective, saved and file-system id, user or group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ids {
    /// Who started the process; exec keeps it.
    pub real: u32,
    /// Whose rights it has.
    pub effective: u32,
    /// What it may become again; exec copies the effective id over it.
    pub saved: u32,
    /// Whose rights it has for files; follows the effective id, save by setfsuid(2) and setfsgid(2).
    pub fs: u32,
}

impl Ids {
    /// The same id four times.
    pub const fn all(id: u32) -> Self {
        Self { real: id, effective: id, saved: id, fs: id }
    }

    /// A file-system id that follows the effective one.
    pub const fn new(real: u32, effective: u32, saved: u32) -> Self {
        Self { real, effective, saved, fs: effective }
    }

    /// Whether `id` is the real, effective or saved one.
    pub const fn among_three(self, id: u32) -> bool {
        id == self.real || id == self.effective || id == self.saved
    }
}

impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.real, self.effective, self.saved)?;
        if self.fs == self.effective { Ok(()) } else { write!(f, " fs {}", self.fs) }
    }
}
