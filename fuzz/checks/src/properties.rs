//! What must hold of every decision, whatever the attempt. A crash would be found anyhow; these find a decision that is
//! wrong in silence.
//!
//! The names are stable: findings are called by them. [`PROPERTIES`] has those that can be asked of a decision in process,
//! [`ELSEWHERE`] the others, and a test holds the list together.

mod refusal;
mod relation;
mod start;

use crate::Finding;
use crate::subject::{Answer, Case, Decider, Verdict};
use crate::tally::Tally;
use lab_invocation::Attempt;

pub(crate) use refusal::line_fault;
pub(crate) use start::environment;

/// What a property is asked about.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The attempt.
    pub attempt: &'a Attempt,
    /// The same as the subject finds it.
    pub case: &'a Case<'a>,
    /// Its answer.
    pub answer: &'a Answer,
    /// What answered, to be asked again.
    pub decider: &'a dyn Decider,
}

impl Question<'_> {
    fn again(&self, case: &Case<'_>) -> Verdict {
        self.decider.decide(case).verdict
    }
}

/// What a property says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This attempt does not exercise it.
    NotExercised,
    /// It holds.
    Held,
    /// It does not: what was found and what was wanted.
    Broken(String),
}

impl Outcome {
    fn held_if(holds: bool, otherwise: impl FnOnce() -> String) -> Self {
        if holds { Self::Held } else { Self::Broken(otherwise()) }
    }
}

/// One property.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its stable name.
    pub id: &'static str,
    /// Asks.
    pub holds: fn(&Question<'_>) -> Outcome,
}

/// Those that can be asked of a decision in process.
pub const PROPERTIES: [Property; 10] = [
    Property { id: "P01", holds: start::the_real_gid_is_the_trusted_one },
    Property { id: "P02", holds: start::the_command_is_on_the_list },
    Property { id: "P03", holds: start::the_environment_is_on_the_list },
    Property { id: "P04", holds: start::the_arguments_are_those_that_were_given },
    Property { id: "P05", holds: refusal::the_line_is_printable_and_the_wrappers_own },
    Property { id: "P06", holds: refusal::the_status_is_the_documented_one },
    Property { id: "P10", holds: relation::the_caller_is_asked_for_little },
    Property { id: "P13", holds: relation::the_rest_of_the_environment_is_of_no_importance },
    Property { id: "P15", holds: relation::less_trust_admits_nobody },
    Property { id: "P17", holds: relation::the_same_again_is_the_same },
];

/// Those that cannot, and why.
pub const ELSEWHERE: [(&str, &str); 7] = [
    ("P07", "a refusal has no operations: `Verdict::Refused` holds nothing that could be carried out"),
    ("P08", "of queue files, which no program here writes"),
    ("P09", "of queue files, which no program here writes"),
    ("P11", "the target decision_model: verdict and reason are those of the model"),
    ("P12", "of installed files: out of process"),
    ("P14", "of options, which neither wrapper has"),
    ("P16", "of descriptors, which are put in order before the decision: out of process"),
];

/// Asks every property about an attempt, and counts those that it exercises.
///
/// # Errors
/// The first that does not hold.
pub fn check(attempt: &Attempt, case: &Case<'_>, decider: &dyn Decider, tally: &Tally) -> Result<Answer, Finding> {
    let answer = decider.decide(case);
    let question = Question { attempt, case, answer: &answer, decider };
    for Property { id, holds } in PROPERTIES {
        match holds(&question) {
            Outcome::NotExercised => {}
            Outcome::Held => drop(tally.count(id)),
            Outcome::Broken(what) => return Err(Finding { check: id, what }),
        }
    }
    Ok(answer)
}
