//! How the subject ended.

use super::{Comparison, show};
use crate::case::Outcome;
use crate::scenario::vocabulary::{error_name, signal_name};
use lab_invocation::evidence::{End, Stage};

pub(super) fn compare(comparison: &mut Comparison<'_>, outcome: &Outcome) {
    let observed = match (&comparison.evidence.stage, comparison.evidence.end) {
        (Stage::Exec { errno }, _) => Ended::NotStarted(*errno),
        (_, Some(end)) => Ended::As(end),
        (_, None) => return,
    };
    if let Some(expected) = outcome.exec_error {
        let same = matches!(observed, Ended::NotStarted(errno) if errno == expected);
        if !same {
            comparison.differ("exec-error", format!("execve fails with {}", error_name(expected)), observed.text());
        }
    }
    if let Some(expected) = outcome.exit
        && !matches!(observed, Ended::As(End::Exited(status)) if status == expected)
    {
        comparison.differ("exit", format!("exit {expected}"), observed.text());
    }
    if let Some(expected) = outcome.signal
        && !matches!(observed, Ended::As(End::Signaled { signal, .. }) if signal == expected)
    {
        comparison.differ("signal", format!("killed by {}", signal_name(expected)), observed.text());
    }
    if outcome.ended_before_main && !matches!(observed, Ended::As(End::Exited(1..) | End::Signaled { .. })) {
        comparison.differ("ended-before-main", "an end without success, before main", observed.text());
    }
}

enum Ended {
    NotStarted(i32),
    As(End),
}

impl Ended {
    fn text(&self) -> String {
        match self {
            Self::NotStarted(errno) => format!("execve failed with {}", error_name(*errno)),
            Self::As(end) => show::end(*end),
        }
    }
}
