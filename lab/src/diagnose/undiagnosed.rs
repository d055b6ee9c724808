//! # No known cause explains this failure
//!
//! The case failed, and none of the findings fits what was observed. The report lists what was
//! expected and what was seen, and claims nothing more.
//!
//! ## What happened
//!
//! Each finding of the lab looks at the observations of a failed case and speaks only where they
//! carry it. Here none did.
//!
//! ## Why
//!
//! Usually one of these: the subject does something that no finding knows yet; the scenario asks for
//! a wording which the subject has changed; the profile of a foreign wrapper does not describe it; or
//! the case itself is wrong.
//!
//! ## How to see it
//!
//! `lab show RUN` prints all observations of the case. `lab replay RUN/CASE` starts it again, byte
//! for byte, and says whether it is the same. `lab shell CASE` opens a shell as the invoker in the
//! case's sandbox.
//!
//! ## Looks the same but is not
//!
//! - *unresolved* is a verdict, not a diagnosis: there the evidence itself is missing.
//! - *unsupported*: this machine cannot make the case's conditions.
//!
//! ## Fixes and their price
//!
//! - If the subject is right, mend the scenario; `lab check` compares it with the model's prediction.
//!   No price.
//! - If the subject is wrong, and others could go wrong the same way, add a finding: one file in
//!   `lab/src/diagnose`, one line in its table, one specimen that has the defect.
//!
//! ## Do not
//!
//! - Do not take the nearest other finding for the cause: it was looked at, and something seen speaks
//!   against it.

use super::Finding;
use super::facts::Facts;
use crate::finding::{Certainty, Diagnosis};

const CODE: &str = "undiagnosed";

// It is never found; `diagnose` adds it where nothing else was.
pub(super) const FINDING: Finding =
    Finding { code: CODE, file: include_str!("undiagnosed.rs"), find: |_| None, shown_by: |_, _| false };

/// What was observed, without a cause.
pub(super) fn describe(facts: &Facts<'_>) -> Diagnosis {
    let fields: Vec<&str> = facts.differences.iter().map(|difference| difference.field.as_str()).collect();
    let cause = format!(
        "What was observed differs from what must be in: {}. No finding explains it, so no cause is named.",
        fields.join(", ")
    );
    let mut diagnosis = Diagnosis::new(CODE, Certainty::Possible, cause)
        .saw("wait status", facts.end_text())
        .saw("witness", facts.script_text())
        .saw("launcher, just before exec", facts.invoker_text());
    for (source, bytes) in facts.outputs().filter(|(_, bytes)| !bytes.0.is_empty()) {
        let text = bytes.to_text();
        let first: String = text.chars().take(300).collect();
        let cut = if first.len() < text.len() { " …" } else { "" };
        diagnosis = diagnosis.saw(source, format!("{first}{cut}"));
    }
    diagnosis.then(facts.in_shell(""))
}
