//! # The subject crashed
//!
//! The subject did not end by a decision: a signal ended it, or its runtime gave up.
//!
//! ## What happened
//!
//! The kernel reports that the process was killed by a signal which nobody sent it (SIGSEGV, SIGABRT,
//! SIGBUS …), or the text of a Rust panic is on standard error.
//!
//! ## Why
//!
//! Something in the invocation was not expected; the observations list what is unusual about it:
//!
//! - an empty argument vector: argv[1] is read although argc is 0 or 1 (CVE-2021-4034 in pkexec);
//! - arguments or environment that are not UTF-8: `std::env::args` and `vars` panic;
//! - strings of 128 KiB, thousands of arguments, limits, descriptors that are something else than
//!   expected;
//! - standard error that cannot be written: `eprintln!` panics.
//!
//! To a mail server a signal is not a refusal: Postfix tries again for days, Exim and Sendmail
//! bounce.
//!
//! ## How to see it
//!
//! `lab replay RUN/CASE` starts it again byte for byte; `lab shell CASE` lets you do it under a
//! debugger, as root. From a shell: `env -i WRAPPER; echo $?`, where 128 + N stands for signal N.
//!
//! ## Looks the same but is not
//!
//! - `ended-before-main`: loader or C runtime gave up before the subject's own code ran.
//! - `inherited-process-attributes`: an alarm or a pending signal of the caller ended it.
//! - `timed-out`: the lab ended it.
//! - Exit 134 or 139 from a shell between: some servers start wrappers through `sh -c`.
//!
//! ## Fixes and their price
//!
//! - Handle the unusual thing as a refusal. No price: no server sends it on purpose.
//!
//! ## Do not
//!
//! - Do not catch the signal: the state behind it is not known.

use super::Finding;
use super::facts::{Facts, unusual};
use super::{ended_before_main, inherited_process_attributes};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::evidence::End;
use lab_invocation::invocation::FaultResult;

const CODE: &str = "crashed";
/// SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS: what a process does to itself.
const OWN_FAULT: [u32; 7] = [4, 5, 6, 7, 8, 11, 31];

pub(super) const FINDING: Finding = Finding {
    code: CODE,
    file: include_str!("crashed.rs"),
    find,
    shown_by: |case, _| !unusual(&case.invocation).is_empty(),
};

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let arranged = facts.case.invocation.faults.iter().any(|fault| fault.result == FaultResult::Kill);
    let better =
        (ended_before_main::FINDING.find)(facts).or_else(|| (inherited_process_attributes::FINDING.find)(facts));
    if arranged || better.is_some() {
        return None;
    }
    let (certainty, how) = match facts.evidence.end? {
        End::Signaled { signal, .. } if OWN_FAULT.contains(&signal) => (Certainty::Certain, facts.end_text()),
        End::Signaled { .. } => (Certainty::Likely, facts.end_text()),
        End::Exited(101) if facts.says("panicked at") => (Certainty::Certain, "a Rust panic, exit 101".to_owned()),
        _ => return None,
    };
    let unusual = unusual(&facts.case.invocation);
    let because = if unusual.is_empty() {
        "nothing about the invocation is unusual".to_owned()
    } else {
        format!("what is unusual about the invocation: {}", unusual.join(", "))
    };
    Some(
        Diagnosis::new(CODE, certainty, format!("The subject crashed ({how}); {because}."))
            .saw("wait status", facts.end_text())
            .saw("the invocation, as the lab arranged it", because.as_str())
            .saw("witness", facts.script_text())
            .remedy("handle it as a refusal", &["in the wrapper: bytes, not strings; look before reading argv"], "none")
            .then(facts.in_shell("")),
    )
}
