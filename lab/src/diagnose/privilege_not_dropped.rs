//! # The switch to the wrapper's group is not complete
//!
//! The script started with a number that it should not have, or can take one back.
//!
//! ## What happened
//!
//! After the check, the wrapper becomes its own group for good: real, effective and saved gid are all
//! its own. Here the script saw another number in one of the three places, or set one back and
//! succeeded, or was started by a caller who cannot be held (root).
//!
//! ## Why
//!
//! - setgid(2) and setegid(2) change the effective gid only, unless the process has CAP_SETGID. The
//!   caller's gid stays in the real or saved place, and any process may go back to a number in those
//!   places.
//! - setregid(2) changes two of the three; setresgid(2) is the one call that says what it does.
//! - The result of the call was not looked at: it can fail (a security module, seccomp, a user
//!   namespace).
//! - The call said 0 and did nothing; only reading the three numbers back shows that.
//! - The caller has CAP_SETGID (root): it can take any group, so nothing can be given up. Such a
//!   caller must be refused.
//!
//! ## How to see it
//!
//! The ledger's row "script", and "regained" among the observations. By hand: `grep Gid:
//! /proc/PID/status` of the script; the four columns are real, effective, saved, file system. All
//! four must be the same.
//!
//! ## Looks the same but is not
//!
//! - `set-group-id-ignored`: the effective gid never was the wrapper's own.
//! - Supplementary groups reach the script in any case: an unprivileged process cannot give them up.
//! - Mailman's own wrapper calls setregid(egid, -1), which on Linux gives all three: that is
//!   complete.
//!
//! ## Fixes and their price
//!
//! - `setresgid(own, own, own)`, look at the result, read back with getresgid(2), try to return where
//!   the numbers differ, and stop if that works. No price.
//! - Refuse callers with CAP_SETGID. The price: root cannot start the wrapper; it has su(1) or
//!   setpriv(1) for that.
//!
//! ## Do not
//!
//! - Do not keep the old gid "to go back later": the script inherits the way back.

use super::Finding;
use super::bit::Bit;
use super::facts::Facts;
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::evidence::IdKind;

const CODE: &str = "privilege-not-dropped";

pub(super) const FINDING: Finding =
    Finding { code: CODE, file: include_str!("privilege_not_dropped.rs"), find, shown_by };

fn shown_by(_: &Case, wanted: &Outcome) -> bool {
    let ids_are_judged = wanted.script.as_ref().is_some_and(|script| {
        script.real_gid.is_some() || script.saved_gid.is_some() || script.nothing_regained == Some(true)
    });
    ids_are_judged || wanted.exit == Some(3)
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    if !matches!(facts.bit(), Bit::Acted) {
        return None;
    }
    let Some(script) = facts.script() else { return went_on(facts) };
    let ids = &script.credentials.gid;
    let wanted = facts.wanted.script.as_ref();
    let mut wrong = Vec::new();
    for (place, found, expected) in [
        ("real", ids.real, wanted.and_then(|script| script.real_gid)),
        ("effective", ids.effective, wanted.and_then(|script| script.effective_gid)),
        ("saved", ids.saved, wanted.and_then(|script| script.saved_gid)),
    ] {
        if let Some(expected) = expected.filter(|&expected| expected != found) {
            wrong.push(format!("its {place} gid is {}, not {}", facts.group(found), facts.group(expected)));
        }
    }
    let regained: Vec<String> = script
        .regained
        .iter()
        .map(|id| match id.kind {
            IdKind::Uid => format!("uid {} came back by {}", id.number, id.call),
            IdKind::Gid => format!("gid {} came back by {}", id.number, id.call),
        })
        .collect();
    if wanted.and_then(|script| script.nothing_regained) == Some(true) {
        wrong.extend(regained.iter().cloned());
    }
    if facts.wanted_status == Some(3) {
        let complete = [ids.real, ids.effective, ids.saved].iter().all(|&gid| gid == facts.own());
        wrong.push(if complete && regained.is_empty() {
            if facts.case.invocation.faults.is_empty() {
                "it had to refuse, because this caller cannot give the group up".to_owned()
            } else {
                "it had to refuse, because the switch could not be proven".to_owned()
            }
        } else {
            format!("it had to refuse, and {}", facts.script_text())
        });
    }
    if wrong.is_empty() {
        return None;
    }
    let cause = format!(
        "The script started, but the switch to {} is not complete: {}.",
        facts.group(facts.own()),
        wrong.join("; ")
    );
    // A script that ran and a refusal after all: what came first explains more than what the script was given.
    let certainty = if facts.refused_after_start() { Certainty::Possible } else { Certainty::Certain };
    let mut diagnosis = Diagnosis::new(CODE, certainty, cause)
        .saw("witness", facts.script_text())
        .saw("launcher, just before exec", facts.invoker_text());
    for way in regained {
        diagnosis = diagnosis.saw("witness, which tried", way);
    }
    for fault in &facts.case.invocation.faults {
        let result = match fault.result {
            lab_invocation::invocation::FaultResult::Errno(errno) => format!("failed with errno {errno}"),
            lab_invocation::invocation::FaultResult::Value(value) => format!("returned {value} and did nothing"),
            lab_invocation::invocation::FaultResult::Kill => "killed the process".to_owned(),
        };
        diagnosis = diagnosis.saw("the invocation, as the lab arranged it", format!("{}(2) {result}", fault.call));
    }
    Some(diagnosis.remedy(
        "switch all three, and prove it",
        &["in the wrapper: setresgid(own, own, own), look at its result, getresgid(), try to set the old gid"],
        "none for a caller without CAP_SETGID; one with it has to be refused",
    ))
}

/// A caller who cannot give the group up was asked the later questions all the same.
fn went_on(facts: &Facts<'_>) -> Option<Diagnosis> {
    let later = facts.refusal().filter(|later| (4..=6).contains(later))?;
    if facts.wanted_status != Some(3) {
        return None;
    }
    let certainty = if facts.answered_arguments() { Certainty::Possible } else { Certainty::Certain };
    let cause = format!(
        "The subject had to refuse, because this caller cannot give the group up. It went on, and ended for a later \
         reason: exit {later}."
    );
    Some(
        Diagnosis::new(CODE, certainty, cause)
            .saw("wait status", facts.end_text())
            .saw("launcher, just before exec", facts.invoker_text())
            .remedy(
                "refuse callers with CAP_SETGID before anything of theirs is looked at",
                &["in the wrapper: real or effective uid 0, or CAP_SETGID permitted: exit 3"],
                "root cannot start the wrapper; it has setpriv(1) for that",
            ),
    )
}
