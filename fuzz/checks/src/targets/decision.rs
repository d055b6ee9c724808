//! The whole decision: by the properties, and by the model.

use crate::Finding;
use crate::properties;
use crate::seal;
use crate::subject::{Case, Decider, Verdict, Wrapper};
use crate::tally::Tally;
use crate::world;
use lab_invocation::deliverable::deliverable;
use lab_invocation::{Attempt, text};
use lab_model::{Decision, Outcome};

pub(super) fn properties(data: &[u8], tally: &Tally) -> Result<bool, Finding> {
    decoded(data, |attempt| against_properties(attempt, &Wrapper, tally))
}

pub(super) fn model(data: &[u8], tally: &Tally) -> Result<bool, Finding> {
    decoded(data, |attempt| against_model(attempt, &Wrapper, tally))
}

fn decoded(data: &[u8], check: impl FnOnce(&Attempt) -> Result<bool, Finding>) -> Result<bool, Finding> {
    text::decode(data).map_or(Ok(false), |attempt| check(&attempt))
}

/// Asks every property of what `decider` says about an attempt; false if the attempt is no question to it.
///
/// # Errors
/// The first property that does not hold.
pub fn against_properties(attempt: &Attempt, decider: &dyn Decider, tally: &Tally) -> Result<bool, Finding> {
    let Some(section) = seal::section_of(&attempt.sealed) else { return Ok(false) };
    let Some(case) = Case::new(attempt, &section) else { return Ok(false) };
    properties::check(attempt, &case, decider, tally).map(|_| true)
}

/// P11. Compares what `decider` says about an attempt with what the model says: verdict and reason, exit status, and all of
/// what is started. False if the attempt is no question to it, or the kernel would not start the subject.
///
/// # Errors
/// If they differ.
pub fn against_model(attempt: &Attempt, decider: &dyn Decider, tally: &Tally) -> Result<bool, Finding> {
    let Some(section) = seal::section_of(&attempt.sealed) else { return Ok(false) };
    let Some(case) = Case::new(attempt, &section) else { return Ok(false) };
    let predicted = world::predict(attempt);
    if predicted.outcome == Outcome::ExecRefused {
        return Ok(false);
    }
    if deliverable(&attempt.invocation).is_err() {
        tally.count("in process only");
    }
    let verdict = decider.decide(&case).verdict;
    if agrees(&verdict, &predicted) {
        tally.count("P11");
        tally.count(predicted.outcome.name());
        return Ok(true);
    }
    let what = format!("{verdict:?}, and the model says {}: {}", predicted.outcome, predicted.because);
    Err(Finding { check: "P11", what })
}

fn agrees(verdict: &Verdict, predicted: &Decision) -> bool {
    match verdict {
        Verdict::Refused { reason, status, .. } => *reason == predicted.outcome && Some(*status) == predicted.exit,
        // The way to the script, and the exec, come after the switch.
        Verdict::Started { .. } if predicted.outcome == Outcome::ExecFailed => true,
        Verdict::Started { program, argv, env } => predicted.child.as_ref().is_some_and(|child| {
            let sorted = |env: &[Vec<u8>]| {
                let mut env = env.to_vec();
                env.sort();
                env
            };
            *program == child.path && *argv == child.argv && sorted(env) == sorted(&child.env)
        }),
    }
}
