//! How an answer relates to others, and to what it took to come to it.

use super::{Outcome, Question};
use crate::subject::Verdict;
use lab_model::Outcome as Reason;
use std::ffi::{CStr, CString};
use wrapper::credentials::Gid;
use wrapper::policy::{Group, Policy};

/// P10. Nothing of a stranger's is looked at, and of an admitted caller's no argument more than twice and no variable more
/// than once, however many there are.
pub(super) fn the_caller_is_asked_for_little(question: &Question<'_>) -> Outcome {
    let (argc, envc) = (question.case.argv.len(), question.case.env.len());
    let credentials = question.case.credentials;
    let sealed = &question.attempt.sealed;
    let stranger = [credentials.real.as_raw(), credentials.effective.as_raw()]
        != [sealed.trusted.gid, sealed.own.gid].map(u32::from);
    let (arguments, variables) = match &question.answer.verdict {
        _ if stranger => (0, 0),
        // The last step, after everything has been looked at.
        Verdict::Refused { reason: Reason::IdsNotSet, .. } if credentials.regains.is_none() => (2 * argc, envc),
        Verdict::Started { .. } => (2 * argc, envc),
        Verdict::Refused { reason: Reason::Usage | Reason::UnknownCommand, .. } => (2, 0),
        Verdict::Refused { .. } => (0, 0),
    };
    let answer = question.answer;
    Outcome::held_if(answer.arguments <= arguments && answer.variables <= variables, || {
        format!(
            "looked {} times at {argc} arguments and {} times at {envc} variables, allowed are {arguments} and {variables}",
            answer.arguments, answer.variables
        )
    })
}

/// P13. A variable that is not sealed changes nothing, and neither does the order of variables with different names.
pub(super) fn the_rest_of_the_environment_is_of_no_importance(question: &Question<'_>) -> Outcome {
    let mut other = question.case.clone();
    // Equal names keep their order.
    other.env.sort_by(|one, two| name(one).cmp(name(two)));
    // No sealed name contains a hyphen.
    let at = other.env.len() / 2;
    other.env.insert(at, c"P13-NOT-SEALED=/tmp/x".into());
    other.env.insert(0, c"".into());
    let again = question.again(&other);
    Outcome::held_if(again == question.answer.verdict, || {
        format!(
            "{:?}, and with other variables that are not sealed, in another order, {again:?}",
            question.answer.verdict
        )
    })
}

fn name(entry: &CString) -> &[u8] {
    let bytes = CStr::to_bytes(entry);
    let end = bytes.iter().position(|byte| *byte == b'=').unwrap_or(bytes.len());
    bytes.split_at(end).0
}

/// P15. A policy that no longer trusts this gid admits nobody whom it did not admit before, and not this caller either.
pub(super) fn less_trust_admits_nobody(question: &Question<'_>) -> Outcome {
    let case = question.case;
    let real = case.credentials.real;
    // The subject's own group, a member's, and one next to the caller's: what a mistaken comparison would take for equal.
    let near = [real.as_raw().wrapping_add(1), real.as_raw().wrapping_add(1 << 16)].into_iter().filter_map(Gid::new);
    let others = near.chain([case.policy.own.gid, case.credentials.effective]);
    for gid in others.filter(|gid| *gid != real) {
        let trusted = Group { gid, ..case.policy.trusted };
        let mut other = case.clone();
        other.policy = Policy { trusted, ..case.policy.clone() };
        if let Verdict::Started { .. } = question.again(&other) {
            return Outcome::Broken(format!("real gid {real} is admitted where {gid} is trusted instead"));
        }
    }
    Outcome::Held
}

/// P17. The same attempt has the same answer.
pub(super) fn the_same_again_is_the_same(question: &Question<'_>) -> Outcome {
    let again = question.again(question.case);
    Outcome::held_if(again == question.answer.verdict, || {
        format!("{:?}, and a second time {again:?}", question.answer.verdict)
    })
}
