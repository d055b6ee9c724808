//! # The subject says more than anybody reads
//!
//! More than 64 KiB came out of one descriptor, or more datagrams than the lab keeps went to the
//! system log.
//!
//! ## What happened
//!
//! An honest wrapper says nothing when it starts the script, and one line when it refuses. The lab
//! takes in everything, keeps the beginning and counts the rest; the count is what was seen.
//!
//! ## Why
//!
//! - a loop that tries again, and reports each time;
//! - a text whose length the caller decides: a thousand arguments, each in a line of its own;
//! - a message for each descriptor, variable or group that is found wrong.
//!
//! Whoever may start the wrapper, and that is every local user, can then fill the disk that holds
//! the log, bury the line that matters, or have a mail server carry it all in a bounce.
//!
//! ## How to see it
//!
//! `lab shell CASE -- WRAPPER 2>&1 | wc -c`; on a host, the growth of the mail log.
//!
//! ## Looks the same but is not
//!
//! - `timed-out`: a subject that writes for ever is also still running at the deadline.
//! - What the *script* prints: the lab's witness prints nothing.
//! - `caller-text-echoed`: there the bytes are the caller's, however few they are.
//!
//! ## Fixes and their price
//!
//! - One line for each refusal, cut at a fixed length, written once. The price: of several things
//!   that are wrong only the first is named.
//!
//! ## Do not
//!
//! - Do not suppress repeated lines by remembering them in a file: the wrapper would have to write
//!   where its callers can reach.

use super::Finding;
use super::facts::{Facts, wants_refusal};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::evidence::Capture;

const CODE: &str = "unbounded-output";

pub(super) const FINDING: Finding = Finding {
    code: CODE,
    file: include_str!("unbounded_output.rs"),
    find,
    // What refuses has something to say.
    shown_by: |_, wanted| wants_refusal(wanted),
};

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let evidence = facts.evidence;
    let kept = evidence.syslog.len() as u64;
    let said = [("standard error", &evidence.stderr), ("standard output", &evidence.stdout)];
    let mut seen: Vec<(&'static str, String)> = said
        .into_iter()
        .filter(|(_, capture)| capture.truncated())
        .map(|(source, capture)| (source, format!("{} bytes, of which {} are kept", capture.total, Capture::LIMIT)))
        .collect();
    if evidence.syslog_total > kept {
        seen.push(("syslog", format!("{} datagrams, of which {kept} are kept", evidence.syslog_total)));
    }
    let (source, first) = seen.first()?;
    let cause = format!("The subject does not bound what it says: {source}, {first}.");
    let diagnosis = Diagnosis::new(CODE, Certainty::Certain, cause).saw("wait status", facts.end_text());
    let diagnosis = seen.into_iter().fold(diagnosis, |diagnosis, (source, shows)| diagnosis.saw(source, shows));
    Some(diagnosis.remedy(
        "say one line of bounded length, once",
        &["in the wrapper: one write for each refusal, of a text cut at a fixed length"],
        "of several things that are wrong only the first is named",
    ))
}
