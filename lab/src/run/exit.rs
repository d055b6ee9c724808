//! Exit statuses of the lab. One type, so that documentation, events and the process agree.

use crate::problem::{Kind, Problem};
use std::process::ExitCode;

/// How the lab ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Every selected case passed, is a known failure, or (without `--strict`) is unsupported; at least one passed.
    Passed = 0,
    /// The lab itself failed: a defect, or a machine that does not let it work.
    Internal = 1,
    /// The command line or a file that the user wrote is wrong.
    Usage = 2,
    /// A case failed. Also: `diff` found changes, `replay` did not reproduce.
    Failed = 10,
    /// Something could not be judged: a case is unresolved, a control fell, nothing passed, a required capability is
    /// missing; with `--strict`, a case is unsupported.
    Unresolved = 11,
    /// A known failure passed, or a waiver or an `--allow-unsupported` entry is stale or matches nothing.
    Waiver = 12,
    /// No case was selected.
    NothingSelected = 13,
}

impl Exit {
    /// Every exit status, with its meaning in a few words.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Passed, "all pass"),
        (Self::Internal, "internal error"),
        (Self::Usage, "usage or scenario file error"),
        (Self::Failed, "a case failed"),
        (Self::Unresolved, "something is unresolved, a control fell, or nothing passed"),
        (Self::Waiver, "a known failure passed, or a waiver is stale"),
        (Self::NothingSelected, "nothing was selected"),
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<&Problem> for Exit {
    fn from(problem: &Problem) -> Self {
        match problem.kind {
            Kind::Usage => Self::Usage,
            Kind::NothingSelected => Self::NothingSelected,
            Kind::Internal => Self::Internal,
            Kind::Unresolved => Self::Unresolved,
        }
    }
}
