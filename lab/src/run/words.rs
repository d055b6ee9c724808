//! Verdicts and observations in words, for every report and record.

use crate::capability::Capability;
use crate::verdict::Verdict;
use lab_invocation::Evidence;
use lab_invocation::evidence::{End, Stage};

/// The word for a verdict.
pub const fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail { .. } => "fail",
        Verdict::Unresolved { .. } => "unresolved",
        Verdict::Unsupported { .. } => "unsupported",
        Verdict::KnownFailure { .. } => "known failure",
        Verdict::UnexpectedPass { .. } => "unexpected pass",
    }
}

/// How the subject ended and whether a script started.
pub fn observed(evidence: &Evidence) -> String {
    let end = match (&evidence.stage, evidence.end) {
        (Stage::Setup { step, errno }, _) => {
            return format!("nothing: {step}: {}", error(*errno));
        }
        (Stage::Exec { errno }, _) => {
            return format!("execve failed: {}", error(*errno));
        }
        (Stage::Ran, Some(End::Exited(status))) => format!("exit {status}"),
        (Stage::Ran, Some(End::Signaled { signal, core })) => {
            format!("killed by signal {signal}{}", if core { ", core dumped" } else { "" })
        }
        (Stage::Ran, Some(End::TimedOut)) => "still running at the deadline".to_owned(),
        (Stage::Ran, None) => "no end was seen".to_owned(),
    };
    let script = match evidence.witness.len() {
        0 => "the script did not start".to_owned(),
        1 => "the script started".to_owned(),
        count => format!("the script started {count} times"),
    };
    format!("{end}, {script}")
}

/// What is missing for an unsupported case, and why.
pub fn lack(needs: Option<Capability>, because: &str) -> String {
    match needs {
        Some(needs) => format!("no {needs}: {because}"),
        None => because.to_owned(),
    }
}

/// An error number of the system in words; 0 where no system call failed.
pub fn error(errno: i32) -> String {
    match errno {
        0 => "no system call failed".to_owned(),
        errno => std::io::Error::from_raw_os_error(errno).to_string(),
    }
}
