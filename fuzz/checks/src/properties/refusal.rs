//! What is said to those who are refused.

use super::{Outcome, Question};
use crate::subject::Verdict;
use lab_model::Outcome as Reason;
use std::ffi::CString;

/// Longest refusal in bytes, its line feed left out: the manual pages, DIAGNOSTICS.
const LONGEST: usize = 899;

/// P05. A refusal is one line of printable ASCII, of bounded length, and contains nothing that the caller wrote: with other
/// arguments and variables that are refused for the same reason it is the same.
pub(super) fn the_line_is_printable_and_the_wrappers_own(question: &Question<'_>) -> Outcome {
    let Verdict::Refused { reason, line, .. } = &question.answer.verdict else { return Outcome::NotExercised };
    if let Some(fault) = line_fault(line) {
        return Outcome::Broken(fault);
    }
    let mut other = question.case.clone();
    other.env = vec![c"P05=\x1b[2J".into()];
    other.argv = match reason {
        // The group is switched after the arguments have been looked at.
        Reason::IdsNotSet => other.argv.into_iter().take(2).collect(),
        Reason::Usage => vec![c"%n%n".into(); other.argv.len()],
        // No sealed command contains a blank.
        _ => [c"%n%n", c"no such \x1b[2J command", c"\n"].map(CString::from).into(),
    };
    let again = question.again(&other);
    Outcome::held_if(again == question.answer.verdict, || {
        format!("says \"{}\", and to other arguments {again:?}", line.escape_ascii())
    })
}

/// What is wrong with a line, if anything.
pub(crate) fn line_fault(line: &[u8]) -> Option<String> {
    let printable = line.iter().all(|byte| matches!(byte, b' '..=b'~'));
    (!printable || line.is_empty() || line.len() > LONGEST).then(|| {
        format!("{} bytes, which are to be 1 to {LONGEST} of printable ASCII: {}", line.len(), line.escape_ascii())
    })
}

/// P06. The exit status is the one that the manual pages give to the reason, in the sealed style, and never 0.
pub(super) fn the_status_is_the_documented_one(question: &Question<'_>) -> Outcome {
    let Verdict::Refused { reason, status, .. } = question.answer.verdict else { return Outcome::NotExercised };
    let (usual, mended) = match reason {
        Reason::Mismatch => (2, true),
        Reason::IdsNotSet => (3, true),
        Reason::ExecFailed => (4, true),
        Reason::Usage => (5, false),
        Reason::UnknownCommand => (6, false),
        Reason::Nameless => (8, true),
        Reason::NotPrivileged => (9, true),
        Reason::BadPolicy => (10, false),
        other => return Outcome::Broken(format!("{other} is no reason of a decision")),
    };
    let wanted = if mended && question.attempt.sealed.defer { 75 } else { usual };
    Outcome::held_if(status == wanted, || format!("exit status {status} for {reason}, documented is {wanted}"))
}
