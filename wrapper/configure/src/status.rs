//! Exit statuses, the same for every command.

/// How `wrapper-configure` ends. clap uses 2 for wrong usage as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    /// Done; `check`: nothing found.
    Done = 0,
    /// Refused or failed; `install`: a wrapper does not work; `check`: something found.
    FailedOrFound = 1,
    /// Wrong usage; `check`: something could not be looked at.
    UsageOrNotLookedAt = 2,
}

impl Status {
    /// Every status.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::Done, Self::FailedOrFound, Self::UsageOrNotLookedAt];
}
