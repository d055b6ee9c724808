//! # Success was reported, but nothing was done
//!
//! The wrapper ended with exit 0, and no script was started.
//!
//! ## What happened
//!
//! Exit 0 tells every mail server that the message was taken over. It is then deleted from the queue.
//! Here nobody took it: the wrapper refused, or failed, and still said 0.
//!
//! ## Why
//!
//! - The refusal path ends in `return` instead of an exit status.
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
//! - End every refusal with a non-zero status. The price: mail that vanished before now bounces, or
//!   waits (75).
//!
//! ## Do not
//!
//! - Do not use 0 to keep strangers from learning that they were refused: the lost mail is your own.

use super::Finding;
use super::facts::{Facts, wants_refusal};
use crate::finding::{Certainty, Diagnosis};

const CODE: &str = "false-success";

pub(super) const FINDING: Finding =
    Finding { code: CODE, file: include_str!("false_success.rs"), find, shown_by: |_, wanted| wants_refusal(wanted) };

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    if facts.started() || facts.exit() != Some(0) {
        return None;
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
