//! # The subject did not end
//!
//! The subject was still running at the deadline, and the lab ended it.
//!
//! ## What happened
//!
//! The lab waited on a process descriptor for as long as the case allows (5 seconds unless it says
//! otherwise; the subject needs less than a millisecond), then killed everything in the sandbox.
//!
//! ## Why
//!
//! Something that waits without a limit of its own:
//!
//! - reading standard input before the decision, while the caller keeps the pipe open and silent;
//! - writing the refusal to a full pipe, a stopped terminal, or a syslog socket that nobody reads;
//! - a name service: nscd or LDAP that never answers;
//! - poll(2) or sleep(3) under a timer slack of hours, which the caller may set;
//! - a loop over a result that never changes, such as a write of 0 bytes.
//!
//! A mail server waits as long, then counts it as "try again"; the number of such processes is chosen
//! by the stranger.
//!
//! ## How to see it
//!
//! `lab shell CASE`, start the subject there, and look at `/proc/PID/wchan` and `/proc/PID/stack`, or
//! `strace -p` as root.
//!
//! ## Looks the same but is not
//!
//! - A slow machine: the deadline is thousands of times the usual time; `lab replay` shows whether it
//!   happens again.
//! - The *script* waits: then the witness has reported, and the wrapper has done its part.
//!
//! ## Fixes and their price
//!
//! - Give every wait a limit: poll(2) with a time before one write, no reading before exec, names
//!   from a local file only. The price: a refusal text that cannot be written within a second is
//!   lost; the exit status says it all the same.
//!
//! ## Do not
//!
//! - Do not set O_NONBLOCK on standard error instead: the caller shares that setting.

use super::Finding;
use super::facts::{Facts, unusual};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::evidence::End;

const CODE: &str = "timed-out";

// Any case would show a subject that does not end.
pub(super) const FINDING: Finding =
    Finding { code: CODE, file: include_str!("timed_out.rs"), find, shown_by: |_, _| true };

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    if facts.evidence.end != Some(End::TimedOut) {
        return None;
    }
    let unusual = unusual(&facts.case.invocation);
    let around = if unusual.is_empty() { "an ordinary invocation".to_owned() } else { unusual.join(", ") };
    let cause = format!(
        "The subject was {}, and {}. What it waited for was not observed.",
        facts.end_text(),
        facts.script_text()
    );
    Some(
        Diagnosis::new(CODE, Certainty::Certain, cause)
            .saw("process descriptor", facts.end_text())
            .saw("the invocation, as the lab arranged it", around)
            .remedy(
                "give every wait a limit",
                &["in the wrapper: poll(2) with a time before each write, no reading before exec"],
                "a refusal text that cannot be written in time is lost; the exit status is not",
            )
            .then(facts.in_shell("")),
    )
}
