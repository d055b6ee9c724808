//! Events: the one product of a run. The terminal, JUnit, `--json` and the record are all made from them, so none can
//! show what another does not know. One JSON object a line. Fields are named in snake_case, words with hyphens; both are
//! stable within one [`VERSION`], and a test holds them. A word with something belonging to it is an object with that one
//! key: `"closed"`, `{"file":"/etc/group"}`. Byte strings are text with `\\` and `\xNN` where they are not.

use crate::capability::Capabilities;
use crate::case::{Case, CaseId, Names, Outcome, ScenarioInfo, Subject};
use crate::copy_on_write::CopyOnWrite;
use crate::diagnose::Ledger;
use crate::finding::Diagnosis;
use crate::verdict::Verdict;
use lab_invocation::layout::Digest;
use lab_invocation::protocol::Probes;
use lab_invocation::{Evidence, Invocation, Layout};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Changes whenever a field changes its meaning or goes away; new fields do not change it.
pub const VERSION: u32 = 1;

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// First.
    Started(Box<Started>),
    /// A layout with its names, before the first case that uses it.
    Setting(Arc<Setting>),
    /// A case has its verdict.
    CaseFinished(Box<CaseFinished>),
    /// All cases of a scenario have their verdicts.
    ScenarioFinished(ScenarioFinished),
    /// Last. A stream without it was cut off.
    Summary(Summary),
}

/// What the run is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// [`VERSION`].
    pub version: u32,
    /// Version of the lab.
    pub lab: String,
    /// Name of the run.
    pub run: String,
    /// When, in RFC 3339, UTC.
    pub at: String,
    /// The machine.
    pub machine: Machine,
    /// The programs under test.
    pub subjects: Vec<SubjectFile>,
    /// Name of the profile of a foreign wrapper.
    pub profile: Option<String>,
    /// The scenarios which have selected cases, in the order of the report.
    pub scenarios: Vec<Arc<ScenarioInfo>>,
    /// How many cases were selected.
    pub selected: usize,
    /// How many of these are controls which were added because a selected case rests on them.
    pub added_controls: usize,
    /// How many cases there are.
    pub cases: usize,
}

/// What a run proves depends on these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Backend.
    pub backend: String,
    /// Kernel: `Linux 6.18.44`.
    pub kernel: String,
    /// Architecture: `x86_64`.
    pub architecture: String,
    /// What the backend can do here.
    pub capabilities: Capabilities,
    /// Facts of the machine that change what a run proves: settings of the kernel and the like.
    pub facts: BTreeMap<String, String>,
}

/// A program under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectFile {
    /// Name in scenario files.
    pub name: String,
    /// SHA-256 of the file before it is sealed, hexadecimal.
    pub sha256: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a program comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Built from the checkout.
    Built,
    /// Part of a distributed tree.
    Shipped,
    /// Named on the command line.
    Given,
    /// Part of a record that is replayed.
    Recorded,
}

/// Where cases take place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Number within the run.
    pub setting: u32,
    /// The sandbox, with the subject's own file.
    pub layout: CopyOnWrite<Layout>,
    /// Names of the numbers.
    pub names: Names,
}

/// A case with everything that is needed to run it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseFinished {
    /// Its name.
    pub id: CaseId,
    /// Its name as the file writes it.
    pub name: String,
    /// Rules which it proves, besides those of its file.
    pub sources: Vec<String>,
    /// Its scenario.
    pub scenario: String,
    /// Row and column of a matrix.
    pub cell: Option<(String, String)>,
    /// Others rest on it.
    pub control: bool,
    /// What the backend must be able to do.
    pub needs: BTreeSet<crate::capability::Capability>,
    /// The program, how it was sealed and installed.
    pub subject: Subject,
    /// SHA-256 of the sealed file.
    pub sealed: Option<Digest>,
    /// Number of its setting.
    pub setting: u32,
    /// How the program was started.
    pub invocation: CopyOnWrite<Invocation>,
    /// Name of the expected outcome.
    pub expected: String,
    /// Name of the profile by which it was predicted.
    pub profile: Option<String>,
    /// Its definition.
    pub outcome: CopyOnWrite<Outcome>,
    /// The lab's judgement.
    pub verdict: Verdict,
    /// What was observed; `None` if nothing could be tried.
    pub evidence: Option<Evidence>,
    /// What the probes of the layout showed.
    pub probes: Option<Probes>,
    /// Who had which group numbers, for a failure.
    pub ledger: Option<Ledger>,
    /// Explanations of a failure.
    pub diagnoses: Vec<Diagnosis>,
    /// How often it was run. A case that differs is run a second time, to see whether it always does.
    pub runs: u32,
    /// Milliseconds that it took, set-up included.
    pub ms: f64,
}

impl CaseFinished {
    /// The case again.
    pub fn case(&self, scenario: Arc<ScenarioInfo>, setting: &Setting) -> Case {
        Case {
            id: self.id.clone(),
            name: self.name.clone(),
            sources: self.sources.clone(),
            scenario,
            cell: self.cell.clone(),
            control: self.control,
            needs: self.needs.clone(),
            subject: self.subject.clone(),
            layout: setting.layout.clone(),
            invocation: self.invocation.clone(),
            expected: self.expected.clone(),
            outcome: self.outcome.clone(),
            names: setting.names.clone(),
            profile: self.profile.clone(),
        }
    }
}

/// A scenario is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioFinished {
    /// Which.
    pub scenario: String,
    /// Its verdicts.
    pub counts: Counts,
    /// Sum of the milliseconds of its cases.
    pub ms: f64,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// All verdicts.
    pub counts: Counts,
    /// Cases that were selected and did not run: after `--fail-fast` or an interruption.
    pub not_run: usize,
    /// How many controls held.
    pub controls_held: usize,
    /// How many controls there were.
    pub controls: usize,
    /// Complaints that are not about a case: stale waivers and the like.
    pub complaints: Vec<String>,
    /// Whether the user ended it early.
    pub interrupted: bool,
    /// Capabilities that were lacking, with the number of cases that needed each.
    pub lacking: BTreeMap<crate::capability::Capability, usize>,
    /// Milliseconds on the clock.
    pub ms: f64,
    /// Exit status.
    pub exit: u8,
}

/// How many cases have each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Passed.
    pub pass: usize,
    /// Failed.
    pub fail: usize,
    /// Could not be judged.
    pub unresolved: usize,
    /// Could not be run here.
    pub unsupported: usize,
    /// Failed as a waiver says.
    pub known_failure: usize,
    /// Passed though a waiver says that it fails.
    pub unexpected_pass: usize,
}

impl Counts {
    /// Adds a verdict.
    pub fn add(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail { .. } => &mut self.fail,
            Verdict::Unresolved { .. } => &mut self.unresolved,
            Verdict::Unsupported { .. } => &mut self.unsupported,
            Verdict::KnownFailure { .. } => &mut self.known_failure,
            Verdict::UnexpectedPass { .. } => &mut self.unexpected_pass,
        } += 1;
    }

    /// All cases.
    pub fn total(&self) -> usize {
        self.pass + self.fail + self.unresolved + self.unsupported + self.known_failure + self.unexpected_pass
    }

    /// Each verdict with its word, in the order of reports.
    pub fn words(&self) -> [(&'static str, usize); 6] {
        [
            ("pass", self.pass),
            ("fail", self.fail),
            ("unresolved", self.unresolved),
            ("unsupported", self.unsupported),
            ("known failure", self.known_failure),
            ("unexpected pass", self.unexpected_pass),
        ]
    }
}

#[cfg(test)]
mod tests;
