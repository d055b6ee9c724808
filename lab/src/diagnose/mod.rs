//! Why a case failed: one file for each finding. The documentation at the head of such a file is also the page which
//! `lab explain CODE` prints, so the two cannot drift apart.
//!
//! A finding looks at one failed case only, and says no more than its observations carry. It calls itself certain
//! only where each other cause was ruled out by an observation; a case which nothing explains gets `undiagnosed` with
//! what was seen, never the nearest guess.
//!
//! To add a finding: write `CODE.rs` with a page (`//! # Title`, a sentence, then the six sections which
//! [`page::SECTIONS`] names) and a `FINDING`, name both below, add a failing case for it and its near misses to
//! `tests.rs`.

mod bit;
mod facts;
#[cfg(test)]
mod fixtures;
pub mod ledger;
pub mod page;
#[cfg(test)]
mod tests;

mod altered_status;
mod argument_before_caller;
mod bad_policy_accepted;
mod caller_text_echoed;
mod command_escape;
mod core_exposed;
mod crashed;
mod effective_only;
mod ended_before_main;
mod false_success;
mod group_mismatch;
mod inherited_process_attributes;
mod leaked_descriptor;
mod leaked_environment;
mod nameless_gid;
mod out_of_reach;
mod privilege_not_dropped;
mod set_group_id_ignored;
mod started_before_decision;
mod supplementary_only;
mod timed_out;
mod unbounded_output;
mod undiagnosed;
mod ways;
mod wrong_comparison;

use crate::case::{Case, Outcome};
use crate::finding::Diagnosis;
use crate::judge;
use crate::verdict::Difference;
use facts::Facts;
use lab_invocation::Evidence;
use page::Page;
use std::sync::Arc;

pub use ledger::{Ledger, ledger};

/// One kind of explanation.
struct Finding {
    /// Stable name, which reports print and `lab explain` takes.
    code: &'static str,
    /// Text of its file; the page is the documentation at its head.
    file: &'static str,
    /// Whether it explains this failure. Nothing is said that was not observed.
    find: fn(&Facts<'_>) -> Option<Diagnosis>,
    /// Whether this case, with this outcome to come, would show it: what the "Checked by" list of the page is made of.
    shown_by: fn(&Case, &Outcome) -> bool,
}

/// Every finding, the most specific first.
const FINDINGS: &[Finding] = &[
    timed_out::FINDING,
    ended_before_main::FINDING,
    crashed::FINDING,
    started_before_decision::FINDING,
    bad_policy_accepted::FINDING,
    set_group_id_ignored::FINDING,
    argument_before_caller::FINDING,
    command_escape::FINDING,
    supplementary_only::FINDING,
    effective_only::FINDING,
    wrong_comparison::FINDING,
    false_success::FINDING,
    altered_status::FINDING,
    privilege_not_dropped::FINDING,
    core_exposed::FINDING,
    out_of_reach::FINDING,
    leaked_descriptor::FINDING,
    leaked_environment::FINDING,
    inherited_process_attributes::FINDING,
    caller_text_echoed::FINDING,
    unbounded_output::FINDING,
    nameless_gid::FINDING,
    group_mismatch::FINDING,
    undiagnosed::FINDING,
];

/// Explains a failed case. What is certain comes first, then what is likely, then what is only possible; among equals the
/// most specific. Never empty for a failed case: what nothing explains is `undiagnosed`. Empty without differences.
pub fn diagnose(case: &Case, evidence: &Evidence, differences: &[Difference]) -> Vec<Diagnosis> {
    if differences.is_empty() {
        return Vec::new();
    }
    let facts = Facts::new(case, evidence, differences);
    // The findings are about wrappers.
    let findings = if case.subject.is_tool() { &[] } else { FINDINGS };
    let mut found: Vec<Diagnosis> = findings.iter().filter_map(|finding| (finding.find)(&facts)).collect();
    found.sort_by_key(|diagnosis| diagnosis.certainty);
    if found.is_empty() {
        found.push(undiagnosed::describe(&facts));
    }
    found
}

/// The page of a code; `None` if there is no such code.
pub fn explain(code: &str) -> Option<Page> {
    FINDINGS.iter().find(|finding| finding.code == code).map(|finding| Page::of(finding.code, finding.file))
}

/// Every code that [`explain`] knows, the most specific first.
pub fn codes() -> impl Iterator<Item = &'static str> {
    FINDINGS.iter().map(|finding| finding.code)
}

/// Those of `cases` in which this finding would show itself, as scenario ids with the number of their cases: the
/// "Checked by" list of a page. Empty for an unknown code.
pub fn checked_by<'a>(code: &str, cases: impl IntoIterator<Item = &'a Arc<Case>>) -> Vec<String> {
    let Some(finding) = FINDINGS.iter().find(|finding| finding.code == code) else { return Vec::new() };
    let mut scenarios: Vec<(&str, usize)> = Vec::new();
    for case in
        cases.into_iter().filter(|case| !case.subject.is_tool() && (finding.shown_by)(case, &judge::wanted(case)))
    {
        match scenarios.iter_mut().find(|(id, _)| *id == case.scenario.id) {
            Some((_, count)) => *count += 1,
            None => scenarios.push((&case.scenario.id, 1)),
        }
    }
    let plural = |count| if count == 1 { "case" } else { "cases" };
    scenarios.into_iter().map(|(id, count)| format!("{id} ({count} {})", plural(count))).collect()
}
