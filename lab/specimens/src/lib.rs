//! Deliberately broken wrappers, which the lab must fail, each for its own defect. None is ever installed.
//!
//! A specimen is an honest wrapper that departs from the order and the care of `mail-wrapper` in one place. The honest
//! parts come from crate `wrapper`; a [`Flaw`] says where this specimen goes wrong, and `src/bin` has one program for
//! each. [`Flaw::None`] is the specimen `sound`: it must pass every case, or the others are failed for the wrong reason.
//!
//! | module | what it does, and what can be wrong with it |
//! |---|---|
//! | `process_state` | puts the process into a known state |
//! | `caller` | whom it admits |
//! | `start` | the order of everything; arguments, environment, what is executed |
//! | `switch` | takes on the group for good |
//! | `refuse` | what it says, and its exit status |

#![deny(unsafe_code)]

mod caller;
mod process_state;
mod refuse;
mod start;
mod switch;
mod sys;

pub use start::run;

/// The one thing that is wrong with a specimen. What each does is said at the head of its program in `src/bin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described by its program, and a second description would drift from it")]
pub enum Flaw {
    None,
    // The process.
    LeavesSigpipeIgnored,
    LeavesSignalsBlocked,
    LeavesAlarmRunning,
    LeavesTimerSlack,
    LeavesUmask,
    LeavesProcessGroup,
    LeavesDirectory,
    LeavesCapabilities,
    LeavesCoreLimit,
    LeaksDescriptor7,
    // The policy.
    AcceptsUnsealedPolicy,
    AcceptsWrongKind,
    IgnoresChecksum,
    // The caller.
    ChecksEffectiveGid,
    ChecksSupplementaryGroups,
    AsksUserDatabase,
    ComparesNames,
    ComparesNamePrefix,
    CutsGidTo16Bits,
    AdmitsOwnGroup,
    IgnoresLostBit,
    TrustsOverflowGid,
    TrustsRoot,
    // Arguments and environment.
    ChecksArgumentsFirst,
    CrashesOnEmptyArgv,
    CrashesOnNonUtf8,
    AcceptsDotDot,
    AcceptsAnyCase,
    TakesPageFromQuery,
    KeepsUnlistedVariable,
    KeepsSecondDuplicate,
    // The switch.
    SwitchesWithSetgid,
    KeepsSavedGid,
    IgnoresSetresgid,
    ReadsNothingBack,
    // The start.
    LooksUpScriptInPath,
    SkipsPathChecks,
    StartsThenRefuses,
    HidesScriptStatus,
    FlattensScriptStatus,
    // The refusal.
    EchoesEscapeByte,
    RepeatsItsRefusal,
    ExitsZeroOnRefusal,
    BlocksOnFullPipe,
    WaitsForAName,
}

/// The program of a specimen: `specimen!(Mail, Flaw)` or `specimen!(Cgi, Flaw)`. The policy section has to be in the
/// program itself, which is why this is not a function.
#[macro_export]
macro_rules! specimen {
    ($kind:ident, $flaw:ident) => {
        wrapper::program!(wrapper::policy::Kind::$kind, |kind, section, argv| {
            $crate::run(kind, section, $crate::Flaw::$flaw, argv)
        });
    };
}
