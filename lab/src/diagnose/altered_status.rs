//! # The script's end is not what the server was told
//!
//! The script ran and ended, and the wrapper, which waited for it, ended in another way.
//!
//! ## What happened
//!
//! The lab told the script how to end: with a status, or by a signal. It ran as a child of the
//! wrapper, and the wrapper itself ended with another status. A mail server decides by that status
//! what becomes of the message, so it decides by something that the script did not say.
//!
//! ## Why
//!
//! - A wrapper that waits for a child and knows only success and failure: of 75 ("try again later")
//!   it makes 1, and the message bounces.
//! - A shell in between, which makes 128 and the number of a script's death by a signal, or a
//!   language that gives the status as the kernel has it, shifted by eight bits: cut to a byte,
//!   that is 0.
//! - A wrapper that fails after its script is done, as in a log that it writes in the end: the
//!   message was delivered, and is tried again or returned.
//!
//! ## How to see it
//!
//! Let the script end with 75 and start the wrapper by hand:
//! `WRAPPER post announce </dev/null; echo $?` must say 75.
//!
//! ## Looks the same but is not
//!
//! - `false-success`: the status that came was 0, and the message is gone.
//! - `started-before-decision`: the caller had to be refused, and was, too late.
//! - A script with a failure of its own: the wrapper became it, and the status is the script's.
//!
//! ## Fixes and their price
//!
//! - Become the script by exec, so that its end is the wrapper's. No price.
//! - Where there must be a child: end with its status, and for a signal send that to oneself. The
//!   price: every way to end must be thought of, and a signal to the wrapper must reach the child.
//!
//! ## Do not
//!
//! - Do not turn every failure into 75 to be safe: what can never be delivered is then tried for
//!   days before anybody hears of it.

use super::Finding;
use super::facts::{Facts, wants_start};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::evidence::End;
use lab_invocation::invocation::ScriptEnd;

const CODE: &str = "altered-status";

pub(super) const FINDING: Finding = Finding {
    code: CODE,
    file: include_str!("altered_status.rs"),
    find,
    shown_by: |case, wanted| wants_start(wanted) && case.invocation.script_end != ScriptEnd::Exit(0),
};

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    // One that became the script has no say in its end.
    if !facts.wants_start() || facts.script()?.same_process {
        return None;
    }
    let told = facts.case.invocation.script_end;
    match (told, facts.evidence.end?) {
        (_, End::Exited(0) | End::TimedOut) => return None,
        (ScriptEnd::Exit(status), End::Exited(found)) if status == found => return None,
        (ScriptEnd::Signal(signal), End::Signaled { signal: found, .. }) if signal == found => return None,
        _ => {}
    }
    let ended = facts.script_end_text();
    let cause =
        format!("The script ended with {ended}, and the subject, which had waited for it, with {}.", facts.end_text());
    Some(
        Diagnosis::new(CODE, Certainty::Certain, cause)
            .saw("wait status", facts.end_text())
            .saw("witness", "another process was the script")
            .remedy(
                "let the script's end be the wrapper's",
                &["in the wrapper: execve(2) in its own process, with no child and no wait"],
                "none",
            ),
    )
}
