//! # Success was reported, but the work was not done
//!
//! The wrapper ended with exit 0, and no script was started, or the one that was failed.
//!
//! ## What happened
//!
//! Exit 0 tells every mail server that the message was taken over. It is then deleted from the queue.
//! Here nobody took it: the wrapper refused, or failed, and still said 0; or its script said that it
//! could not take the message now (75), and the wrapper kept that to itself.
//!
//! ## Why
//!
//! - The refusal path ends in `return` instead of an exit status.
//! - The wrapper starts the script as a child and does not pass on how it ended.
//! - A program between server and wrapper ignores the wrapper's status: Mailman's contributed
//!   mm-handler closes the pipe unchecked and ends 0, so a group mismatch loses mail silently.
//! - A shell line ends in another command (`wrapper ...; true`).
//!
//! ## How to see it
//!
//! `WRAPPER post announce </dev/null; echo $?` as a stranger: 0 is wrong.
//!
//! ## Looks the same but is not
//!
//! - A script that starts and does nothing: the witness reports each start, so the lab sees the
//!   difference.
//! - CGI: a web server ignores the exit status once a header was printed. There the status line
//!   counts.
//!
//! ## Fixes and their price
//!
//! - Become the script by exec, so that its end is the wrapper's. No price.
//! - End every refusal with a non-zero status. The price: mail that vanished before now bounces, or
//!   waits (75).
//!
//! ## Do not
//!
//! - Do not use 0 to keep strangers from learning that they were refused: the lost mail is your own.

use super::Finding;
use super::facts::{Facts, wants_refusal};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::invocation::ScriptEnd;

const CODE: &str = "false-success";

pub(super) const FINDING: Finding = Finding {
    code: CODE,
    file: include_str!("false_success.rs"),
    find,
    shown_by: |case, wanted| wants_refusal(wanted) || case.invocation.script_end != ScriptEnd::Exit(0),
};

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    if facts.exit() != Some(0) {
        return None;
    }
    if facts.started() {
        return script_failed(facts);
    }
    // A script which should have started and is not seen may have failed to report; a refusal cannot.
    let (certainty, should) = if facts.wants_start() {
        (Certainty::Likely, "start the script")
    } else if facts.wanted.exit.is_some_and(|exit| exit != 0) {
        (Certainty::Certain, "refuse")
    } else {
        return None;
    };
    let cause = format!("The subject had to {should}. It did not start the script, and reported success: exit 0.");
    Some(
        Diagnosis::new(CODE, certainty, cause)
            .saw("wait status", facts.end_text())
            .saw("witness", facts.script_text())
            .remedy(
                "end every refusal and every failure with its own status",
                &["in the wrapper: exit 2 for a mismatch, or 75 so that the server tries again"],
                "mail that vanished before now bounces or waits",
            ),
    )
}

/// The witness, in the script's place, ends as it is told; a subject that became it ends the same.
fn script_failed(facts: &Facts<'_>) -> Option<Diagnosis> {
    if facts.case.invocation.script_end == ScriptEnd::Exit(0) {
        return None;
    }
    let ended = facts.script_end_text();
    let cause = format!("The script ended with {ended}, and the subject reported success: exit 0.");
    let same = if facts.script()?.same_process { "the subject became" } else { "another process was" };
    Some(
        Diagnosis::new(CODE, Certainty::Certain, cause)
            .saw("wait status", facts.end_text())
            .saw("witness", format!("{same} the script"))
            .remedy(
                "let the script's end be the wrapper's",
                &["in the wrapper: execve(2) in its own process, with no child and no wait"],
                "a delivery that failed is seen by the server, which bounces or tries again",
            ),
    )
}
