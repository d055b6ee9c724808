//! One execution: an attempt is delivered to the real installed file in a fresh sandbox, and what was observed is judged.

use super::ground::Ground;
use super::key::Key;
use super::property::{AGAIN, MODEL, PROPERTIES, Question};
use super::shape::shape;
use crate::backend::{Backend, BackendError, LayoutId, Worker};
use crate::capability::Capabilities;
use crate::case::Case;
use crate::diagnose::{self, Ledger};
use crate::finding::Diagnosis;
use crate::judge::{self, Judgement};
use crate::predict::{self, Prediction};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::run::plan::Plan;
use crate::run::verdict::unproven;
use crate::verdict::Difference;
use lab_invocation::{Attempt, Evidence};
use std::sync::Arc;

/// What one execution came to.
#[derive(Debug)]
pub enum Executed {
    /// It cannot be tried here: why.
    Untried(String),
    /// It was tried, and nothing can be said: why.
    Unjudged(String),
    /// It was judged.
    Judged(Box<Judged>),
}

/// A judged execution.
#[derive(Debug)]
pub struct Judged {
    /// What the model predicted.
    pub outcome: &'static str,
    /// Properties that it exercised, those that do not hold among them.
    pub exercised: Vec<&'static str>,
    /// What is wrong, if anything.
    pub key: Option<Key>,
    /// What tells its behaviour from others'.
    pub shape: u64,
    /// The case that it was.
    pub case: Case,
    /// What was observed.
    pub evidence: Evidence,
    /// Where that differs from what must be.
    pub differences: Vec<Difference>,
}

impl Judged {
    /// Who had which ids, and why it went wrong.
    pub fn explained(&self) -> (Ledger, Vec<Diagnosis>) {
        let diagnoses = diagnose::diagnose(&self.case, &self.evidence, &self.differences);
        (diagnose::ledger(&self.case, &self.evidence), diagnoses)
    }
}

/// Executes attempts. A test puts a double in its place.
pub trait Executor: Send {
    /// Executes one.
    ///
    /// # Errors
    /// The backend failed, or the layout proves nothing: no execution can be judged any more.
    fn execute(&mut self, attempt: &Attempt) -> Result<Executed, Problem>;
}

/// A campaign's subject, installed and sealed: what executors share.
pub struct Target {
    /// As the command line named it.
    pub subject: String,
    /// Where it is installed.
    pub ground: Ground,
    /// The rules of a foreign wrapper.
    pub profile: Option<Profile>,
    /// The sealed file with its layout: the plan of the control alone.
    pub plan: Plan,
    /// Where executions take place.
    pub backend: Arc<dyn Backend>,
    /// What it can do.
    pub capabilities: Capabilities,
}

impl Target {
    /// An executor of its own for each thread.
    pub fn executor(&self) -> Installed<'_> {
        Installed { target: self, worker: None, failures: 0, executions: 0 }
    }

    /// Judges the evidence of a case.
    pub fn judge(&self, case: Case, evidence: Evidence) -> Executed {
        let prediction = predict::predict(&case, self.profile.as_ref());
        let differences = match judge::judge(&case, &evidence) {
            Judgement::Compared(differences) => differences,
            Judgement::Unresolved { because } => return Executed::Unjudged(because),
        };
        let question = Question { case: &case, prediction: &prediction, evidence: &evidence };
        let mut exercised = Vec::new();
        let mut broken = None;
        for property in &PROPERTIES {
            if !property.of_any && self.profile.is_some() {
                continue;
            }
            if let Some(holds) = (property.holds)(&question) {
                exercised.push(property.id);
                broken = broken.or_else(|| (!holds).then_some(property.id));
            }
        }
        if prediction.beyond.is_none() {
            exercised.push(MODEL);
        }
        let broken = broken.or_else(|| (!differences.is_empty()).then_some(MODEL));
        let key = broken.map(|property| self.key(property, &case, &prediction, &evidence, &differences));
        let outcome = prediction.outcome();
        let shape = shape(outcome, &evidence);
        Executed::Judged(Box::new(Judged { outcome, exercised, key, shape, case, evidence, differences }))
    }

    fn key(
        &self,
        property: &str,
        case: &Case,
        prediction: &Prediction,
        evidence: &Evidence,
        differences: &[Difference],
    ) -> Key {
        let diagnoses = diagnose::diagnose(case, evidence, differences);
        Key {
            property: property.to_owned(),
            subject: self.subject.clone(),
            diagnosis: diagnoses.first().map_or("undiagnosed", |diagnosis| diagnosis.code.as_str()).to_owned(),
            outcome: prediction.outcome().to_owned(),
            field: differences.first().map_or("property", |difference| difference.field.as_str()).to_owned(),
        }
    }
}

/// Executes on the installed file, each time in a sandbox of its own; the helper process and the prepared layout are kept.
pub struct Installed<'a> {
    target: &'a Target,
    worker: Option<(Box<dyn Worker>, LayoutId)>,
    failures: u32,
    executions: u64,
}

/// After so many failures of the backend in a row nothing more is tried.
const PATIENCE: u32 = 3;

/// One in so many executions is made a second time, for [`AGAIN`].
const SAMPLE: u64 = 64;

impl Installed<'_> {
    fn run(&mut self, case: &Case) -> Result<Result<Evidence, BackendError>, Problem> {
        let (worker, layout) = match &mut self.worker {
            Some(ready) => ready,
            None => {
                let failed = |error: BackendError| error.explains(Problem::unresolved("no execution is possible"));
                let mut worker = self.target.backend.worker().map_err(failed)?;
                let plan = &self.target.plan;
                let setting = plan.settings.first().ok_or_else(|| Problem::internal("the plan has no setting"))?;
                let (layout, probes) =
                    worker.open(&setting.layout, &|digest| plan.subjects.blob(digest)).map_err(failed)?;
                if let Some(because) = unproven(&probes) {
                    return Err(Problem::unresolved("the sandbox proves nothing").found(because));
                }
                self.worker.insert((worker, layout))
            }
        };
        Ok(worker.run(*layout, &case.invocation))
    }

    /// Makes a good execution a second time: it must come out the same.
    fn again(&mut self, first: &mut Judged) -> Result<(), Problem> {
        let Ok(evidence) = self.run(&first.case)? else { return Ok(()) };
        let Executed::Judged(second) = self.target.judge(first.case.clone(), evidence) else { return Ok(()) };
        first.exercised.push(AGAIN);
        if second.key.is_some() {
            *first = *second;
        } else if second.shape != first.shape {
            first.key = Some(Key {
                property: AGAIN.to_owned(),
                subject: self.target.subject.clone(),
                diagnosis: "undiagnosed".to_owned(),
                outcome: first.outcome.to_owned(),
                field: "property".to_owned(),
            });
        }
        Ok(())
    }
}

impl Executor for Installed<'_> {
    fn execute(&mut self, attempt: &Attempt) -> Result<Executed, Problem> {
        let target = self.target;
        if let Some(because) = target.ground.untried(attempt, &target.capabilities) {
            return Ok(Executed::Untried(because));
        }
        let case = match target.ground.case(attempt, target.profile.as_ref()) {
            Ok(case) => case,
            Err(because) => return Ok(Executed::Untried(because)),
        };
        match self.run(&case)? {
            Ok(evidence) => {
                self.failures = 0;
                let mut executed = target.judge(case, evidence);
                self.executions += 1;
                if let Executed::Judged(judged) = &mut executed
                    && judged.key.is_none()
                    // What the model knows only in part may depend on what else runs.
                    && judged.exercised.contains(&MODEL)
                    && self.executions.is_multiple_of(SAMPLE)
                {
                    self.again(judged)?;
                }
                Ok(executed)
            }
            Err(error) => {
                self.worker = None;
                self.failures += 1;
                if self.failures >= PATIENCE {
                    return Err(error.explains(Problem::unresolved("the backend failed several times in a row")));
                }
                Ok(Executed::Unjudged(error.to_string()))
            }
        }
    }
}
