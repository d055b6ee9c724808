//! The targets by name. Each takes bytes, and says whether they were worth keeping, or what is wrong.

mod cgi_response;
mod decision;
mod environment;
mod invocation_codec;
mod policy_section;

pub use decision::{against_model, against_properties};

use crate::Finding;
use crate::tally::Tally;
use std::io::{self, Write};

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of the program in `fuzz_targets`, of the directory below `seeds`, `corpus` and `regressions`.
    pub name: &'static str,
    /// Its inputs are attempts, which the mutator of [`lab_invocation::mutate`] can change.
    pub attempts: bool,
    /// What it counts. Each must be exercised by what is committed.
    pub counts: &'static [&'static str],
    /// Tries one input; false for one that says nothing about the subject, as it is not in the form which the target reads.
    pub check: fn(&[u8], &Tally) -> Result<bool, Finding>,
}

/// The wrapper's decision against the properties.
pub const DECISION_PROPERTIES: Target = Target {
    name: "decision_properties",
    attempts: true,
    counts: &["P01", "P02", "P03", "P04", "P05", "P06", "P10", "P13", "P15", "P17"],
    check: decision::properties,
};

/// The wrapper's decision against the model.
pub const DECISION_MODEL: Target = Target {
    name: "decision_model",
    attempts: true,
    counts: &[
        "P11",
        "in process only",
        "admitted",
        "mismatch",
        "nameless",
        "not-privileged",
        "ids-not-set",
        "bad-policy",
        "usage",
        "unknown-command",
    ],
    check: decision::model,
};

/// The cleaning of the environment.
pub const ENVIRONMENT: Target =
    Target { name: "environment", attempts: true, counts: &["P03", "P11"], check: environment::check };

/// The decoder of the sealed section.
pub const POLICY_SECTION: Target = Target {
    name: "policy_section",
    attempts: false,
    counts: &["sound", "unsound", "canonical"],
    check: policy_section::check,
};

/// The text of attempts, and the mutator.
pub const INVOCATION_CODEC: Target = Target {
    name: "invocation_codec",
    attempts: true,
    counts: &["canonical", "refused", "mutated"],
    check: invocation_codec::check,
};

/// The page of a refusal.
pub const CGI_RESPONSE: Target =
    Target { name: "cgi_response", attempts: false, counts: &["page", "cut"], check: cgi_response::check };

/// Every target.
pub const TARGETS: [Target; 6] =
    [DECISION_PROPERTIES, DECISION_MODEL, ENVIRONMENT, POLICY_SECTION, INVOCATION_CODEC, CGI_RESPONSE];

static TALLY: Tally = Tally::new();

/// Executions after which the counts are printed, and then after each doubling.
const FIRST_REPORT: u64 = 1 << 10;

/// Runs a target for a fuzzer, which takes a panic for a finding. Prints now and then how often each check was exercised.
///
/// # Panics
/// If there is a finding.
pub fn fuzz(target: &Target, data: &[u8]) -> bool {
    let executions = TALLY.count("executions");
    if executions >= FIRST_REPORT && executions.is_power_of_two() {
        // A fuzzer whose standard error is closed goes on.
        let _ = writeln!(io::stderr(), "{}: {TALLY}", target.name);
    }
    match (target.check)(data, &TALLY) {
        Ok(kept) => kept,
        Err(finding) => panic!("{}: {finding}\n{}", target.name, String::from_utf8_lossy(data).escape_debug()),
    }
}
