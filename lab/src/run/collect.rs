//! Settles verdicts: holds a case back until the controls of its scenario are known, applies the waivers, counts, and
//! decides the exit status.

use crate::capability::Capability;
use crate::diagnose::Ledger;
use crate::finding::Diagnosis;
use crate::run::event::{CaseFinished, Counts, Event, ScenarioFinished, Summary};
use crate::run::exit::Exit;
use crate::run::plan::{Plan, Planned};
use crate::run::verdict::settled;
use crate::run::waiver::{Allowed, Waivers};
use crate::verdict::Verdict;
use lab_invocation::Evidence;
use lab_invocation::protocol::Probes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How to run.
pub struct Settings {
    /// How many workers.
    pub jobs: usize,
    /// Stop at the first failure.
    pub fail_fast: bool,
    /// Count what is unsupported for want of a capability as unresolved.
    pub strict: bool,
    /// What may be unsupported.
    pub allowed: Option<Allowed>,
    /// What is known to fail.
    pub waivers: Waivers,
    /// Set when the user wants to stop.
    pub interrupted: Arc<AtomicBool>,
}

/// A case came back from a worker.
pub(crate) struct Done {
    pub(crate) place: usize,
    pub(crate) verdict: Verdict,
    pub(crate) evidence: Option<Evidence>,
    pub(crate) probes: Option<Probes>,
    pub(crate) ledger: Option<Ledger>,
    pub(crate) diagnoses: Vec<Diagnosis>,
    pub(crate) runs: u32,
    pub(crate) ms: f64,
}

impl Done {
    pub(crate) fn untried(place: usize, verdict: Verdict) -> Self {
        Self { place, verdict, evidence: None, probes: None, ledger: None, diagnoses: Vec::new(), runs: 0, ms: 0.0 }
    }
}

/// What is known of one scenario.
#[derive(Default)]
struct Progress {
    remaining: usize,
    controls_remaining: usize,
    fallen: Option<String>,
    waiting: Vec<Done>,
    counts: Counts,
    ms: f64,
}

pub(crate) struct Collector<'a> {
    plan: &'a Plan,
    settings: &'a Settings,
    tell: &'a mut dyn FnMut(&Event),
    scenarios: BTreeMap<&'a str, Progress>,
    settings_told: BTreeSet<u32>,
    counts: Counts,
    controls: usize,
    controls_held: usize,
    /// Controls which this machine cannot try: nothing fell with them, and no case that rests on them counts.
    controls_untried: usize,
    others_failed: usize,
    lacking: BTreeMap<Capability, usize>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(plan: &'a Plan, settings: &'a Settings, tell: &'a mut dyn FnMut(&Event)) -> Self {
        let mut scenarios: BTreeMap<&str, Progress> = BTreeMap::new();
        for planned in &plan.cases {
            let progress = scenarios.entry(&planned.case.scenario.id).or_default();
            progress.remaining += 1;
            progress.controls_remaining += usize::from(planned.case.control);
        }
        Self {
            plan,
            settings,
            tell,
            scenarios,
            settings_told: BTreeSet::new(),
            counts: Counts::default(),
            controls: plan.cases.iter().filter(|planned| planned.case.control).count(),
            controls_held: 0,
            controls_untried: 0,
            others_failed: 0,
            lacking: BTreeMap::new(),
        }
    }

    /// Takes a case; settles it at once or keeps it until the controls are known. True if a case failed.
    pub(crate) fn take(&mut self, done: Done) -> bool {
        let case = &self.plan.cases[done.place].case;
        let Some(progress) = self.scenarios.get_mut(case.scenario.id.as_str()) else { return false };
        if !case.control {
            progress.waiting.push(done);
        } else {
            progress.controls_remaining -= 1;
            let verdict = settled(done.verdict.clone(), None, self.settings.waivers.reason(&case.id));
            if verdict == Verdict::Pass || matches!(verdict, Verdict::UnexpectedPass { .. }) {
                self.controls_held += 1;
            } else {
                self.controls_untried += usize::from(matches!(verdict, Verdict::Unsupported { .. }));
                progress.fallen.get_or_insert_with(|| case.id.0.clone());
            }
            self.settle(Done { verdict, ..done });
        }
        let Some(progress) = self.scenarios.get_mut(case.scenario.id.as_str()) else { return false };
        if progress.controls_remaining > 0 {
            return false;
        }
        let fallen = progress.fallen.clone();
        for done in std::mem::take(&mut progress.waiting) {
            let id = &self.plan.cases[done.place].case.id;
            let verdict = settled(done.verdict.clone(), fallen.as_deref(), self.settings.waivers.reason(id));
            self.settle(Done { verdict, ..done });
        }
        self.counts.fail > 0
    }

    fn settle(&mut self, done: Done) {
        let planned = &self.plan.cases[done.place];
        let setting = self.plan.setting(planned);
        if self.settings_told.insert(planned.setting) {
            (self.tell)(&Event::Setting(Arc::clone(setting)));
        }
        self.counts.add(&done.verdict);
        match &done.verdict {
            Verdict::Fail { .. } if !planned.case.control => self.others_failed += 1,
            Verdict::Unsupported { needs: Some(needs), .. } => *self.lacking.entry(*needs).or_default() += 1,
            _ => {}
        }
        let scenario = planned.case.scenario.id.as_str();
        let finished = self.scenarios.get_mut(scenario).and_then(|progress| {
            progress.counts.add(&done.verdict);
            progress.ms += done.ms;
            progress.remaining -= 1;
            (progress.remaining == 0).then(|| ScenarioFinished {
                scenario: scenario.to_owned(),
                counts: progress.counts,
                ms: progress.ms,
            })
        });
        (self.tell)(&Event::CaseFinished(Box::new(finished_case(planned, done))));
        if let Some(finished) = finished {
            (self.tell)(&Event::ScenarioFinished(finished));
        }
    }

    pub(crate) fn finish(self, elapsed: Duration) -> Summary {
        let interrupted = self.settings.interrupted.load(Ordering::Relaxed);
        let not_run = self.plan.cases.len() - self.counts.total();
        let mut complaints = self.settings.waivers.complaints().to_vec();
        let stale = !complaints.is_empty();
        let (missing, unused) =
            self.settings.allowed.as_ref().map(|allowed| allowed.complaints(&self.lacking)).unwrap_or_default();
        let judged = Judged {
            failed: self.others_failed > 0,
            passed: self.counts.pass > 0,
            unresolved: self.counts.unresolved > 0
                || self.controls_held + self.controls_untried < self.controls
                || not_run > 0
                || !missing.is_empty()
                || (self.settings.strict && self.settings.allowed.is_none() && !self.lacking.is_empty()),
            waiver: stale || !unused.is_empty() || self.counts.unexpected_pass > 0,
        };
        complaints.extend(missing);
        complaints.extend(unused);
        let summary = Summary {
            counts: self.counts,
            not_run,
            controls_held: self.controls_held,
            controls: self.controls,
            complaints,
            interrupted,
            lacking: self.lacking,
            ms: elapsed.as_secs_f64() * 1000.0,
            exit: judged.exit().code(),
        };
        (self.tell)(&Event::Summary(summary.clone()));
        summary
    }
}

/// What decides the exit status.
struct Judged {
    failed: bool,
    passed: bool,
    unresolved: bool,
    waiver: bool,
}

impl Judged {
    fn exit(&self) -> Exit {
        match self {
            Self { failed: true, .. } => Exit::Failed,
            Self { unresolved: true, .. } | Self { passed: false, .. } => Exit::Unresolved,
            Self { waiver: true, .. } => Exit::Waiver,
            _ => Exit::Passed,
        }
    }
}

fn finished_case(planned: &Planned, done: Done) -> CaseFinished {
    let case = &planned.case;
    CaseFinished {
        id: case.id.clone(),
        name: case.name.clone(),
        sources: case.sources.clone(),
        scenario: case.scenario.id.clone(),
        cell: case.cell.clone(),
        control: case.control,
        needs: case.needs.clone(),
        subject: case.subject.clone(),
        sealed: planned.sealed,
        setting: planned.setting,
        invocation: case.invocation.clone(),
        expected: case.expected.clone(),
        profile: case.profile.clone(),
        outcome: case.outcome.clone(),
        verdict: done.verdict,
        evidence: done.evidence,
        probes: done.probes,
        ledger: done.ledger,
        diagnoses: done.diagnoses,
        runs: done.runs,
        ms: done.ms,
    }
}
