//! What was observed, against what must be: the outcome that the scenario states, what the model predicts, and what
//! holds of any set-group-ID program. A difference needs an observation; where one is missing nothing is said.

mod ending;
mod expected;
mod invariant;
mod output;
mod script;
mod show;
mod written;

pub(crate) use invariant::moved;

use crate::case::{Case, Outcome};
use crate::predict;
use crate::verdict::Difference;
use lab_invocation::Evidence;
use lab_invocation::evidence::Stage;
use std::collections::BTreeSet;

/// Number of the policy in `include/uapi/linux/sched.h`.
const SCHED_IDLE: u32 = 5;

/// The result of comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Everything could be compared; no difference means that the case holds.
    Compared(Vec<Difference>),
    /// Nothing can be said.
    Unresolved {
        /// Why.
        because: String,
    },
}

/// What is being compared, and what came out so far.
struct Comparison<'a> {
    case: &'a Case,
    evidence: &'a Evidence,
    differences: Vec<Difference>,
    missing: Option<String>,
}

impl Comparison<'_> {
    /// Notes a difference, unless one of this field is known: the scenario's own words come first.
    fn differ(&mut self, field: &str, expected: impl Into<String>, observed: impl Into<String>) {
        if self.differences.iter().any(|difference| difference.field == field) {
            return;
        }
        let (expected, observed) = (expected.into(), observed.into());
        self.differences.push(Difference { field: field.to_owned(), expected, observed });
    }

    /// Notes a difference unless both are equal.
    fn equal<T: PartialEq>(&mut self, field: &str, expected: &T, observed: &T, show: impl Fn(&T) -> String) {
        if expected != observed {
            self.differ(field, show(expected), show(observed));
        }
    }

    /// Notes that an observation is missing.
    fn missing(&mut self, what: impl Into<String>) {
        self.missing.get_or_insert(what.into());
    }

    fn outcome(&mut self, outcome: &Outcome) {
        ending::compare(self, outcome);
        output::compare(self, outcome);
        if let Some(script) = &outcome.script {
            script::compare(self, script);
        }
    }
}

/// Judges the evidence of a case.
pub fn judge(case: &Case, evidence: &Evidence) -> Judgement {
    if let Stage::Setup { step, errno } = &evidence.stage {
        let error = std::io::Error::from_raw_os_error(*errno);
        return Judgement::Unresolved { because: format!("the sandbox could not be furnished: {step}: {error}") };
    }
    if evidence.stage == Stage::Ran && evidence.end.is_none() {
        return Judgement::Unresolved { because: "the subject ran, but nobody saw how it ended".to_owned() };
    }
    if let Some(because) = another_start(case, evidence) {
        return Judgement::Unresolved { because };
    }
    let mut comparison = Comparison { case, evidence, differences: Vec::new(), missing: None };
    comparison.outcome(&case.outcome);
    // A foreign wrapper's outcome was itself made by the model, from its profile.
    if case.profile.is_none() {
        let prediction = predict::predict(case, None);
        if let Some(predicted) = expected::outcome(case, &prediction) {
            comparison.outcome(&predicted);
            if let Some(tool) = &prediction.tool {
                written::compare(&mut comparison, tool);
            }
        }
    }
    invariant::compare(&mut comparison);
    match comparison.missing {
        Some(because) if comparison.differences.is_empty() => Judgement::Unresolved { because },
        _ => Judgement::Compared(comparison.differences),
    }
}

/// What must come out of a case: what its file states and, where that is silent, what the model predicts. Of a foreign
/// wrapper's case the stated outcome is the whole.
pub fn wanted(case: &Case) -> Outcome {
    let stated = Outcome::clone(&case.outcome);
    if case.profile.is_some() {
        return stated;
    }
    match expected::outcome(case, &predict::predict(case, None)) {
        Some(predicted) => expected::filled(stated, predicted),
        None => stated,
    }
}

/// Whether invoker and installation just before exec are others than the case asks for: then the evidence is of another
/// case.
fn another_start(case: &Case, evidence: &Evidence) -> Option<String> {
    let Some(credentials) = &evidence.invoker.credentials else {
        return Some("the invoker's credentials were not read back before exec".to_owned());
    };
    let asked = &case.invocation.identity;
    let transition = &case.invocation.transition;
    let gid = |gid| if transition.unmapped_gids.contains(&gid) { lab_invocation::Gid::OVERFLOW } else { gid };
    let uid = |uid| if transition.unmapped_uids.contains(&uid) { lab_invocation::Uid::OVERFLOW } else { uid };
    let wish = case.invocation.scheduling;
    if let Some(place) = evidence.invoker.place
        && ((wish.nice != 0 && place.nice != i32::from(wish.nice))
            || (wish.idle && place.policy != SCHED_IDLE)
            || (wish.one_processor && place.processors != 1))
    {
        let lab_invocation::evidence::Place { nice, policy, processors, .. } = place;
        return Some(format!(
            "the invoker ran with nice value {nice}, scheduler {policy} and {processors} processors, which is not what the case asks for"
        ));
    }
    let is_asked = credentials.gid.real == gid(asked.gid)
        && credentials.gid.effective == gid(asked.effective_gid)
        && credentials.uid.real == uid(asked.uid)
        && credentials.uid.effective == uid(asked.effective_uid);
    if !is_asked {
        let names = &case.names;
        return Some(format!(
            "the invoker was to be {} / {}, and was {} / {} just before exec",
            names.user(asked.uid),
            names.group(asked.gid),
            names.user(credentials.uid.real),
            names.group(credentials.gid.real),
        ));
    }
    let state = &evidence.invoker;
    let unmapped = !transition.unmapped_gids.is_empty();
    let found: BTreeSet<_> = credentials.groups.iter().copied().collect();
    if found != asked.groups && !unmapped {
        return Some("the invoker had other supplementary groups than it was to have".to_owned());
    }
    if state.no_new_privs != transition.no_new_privs || state.traced != transition.tracer.is_some() {
        return Some("no_new_privs or the tracer of the invoker was not as the case asks".to_owned());
    }
    let wanted = case.subject.order.leaves(case.subject.mode);
    let found = evidence.installed.as_ref().map(|file| file.mode).filter(|&mode| mode != wanted)?;
    Some(format!("the subject's file was to have mode {wanted:04o}, and had {found:04o} just before exec"))
}

#[cfg(test)]
pub(crate) mod tests;
