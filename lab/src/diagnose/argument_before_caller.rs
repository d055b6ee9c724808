//! # Arguments were judged before the caller was
//!
//! The wrapper complained about its arguments to a caller whom it should have refused without looking
//! at them.
//!
//! ## What happened
//!
//! The caller must be refused for what it is (its group, the installation, the policy). It got a
//! usage error or "unknown command" instead.
//!
//! ## Why
//!
//! The wrapper parses its arguments first and checks the caller afterwards, as Mailman's own mail
//! wrapper does: a bad command gives 6 to any local user, a good one 2. Everything before the check
//! is code which a stranger can run with the wrapper's group, and where he learns what is allowed.
//! Mailman logs the argument there, so that any local user can write lines into the mail log.
//!
//! ## How to see it
//!
//! As a stranger: `WRAPPER` and `WRAPPER nonsense` must be answered exactly as `WRAPPER post
//! announce` is.
//!
//! ## Looks the same but is not
//!
//! - `command-escape`: an argument which should have been refused was obeyed.
//! - For a trusted caller, exit 5 and 6 are right.
//!
//! ## Fixes and their price
//!
//! - Check the caller first. The price: an administrator who tries the wrapper by hand sees the group
//!   refusal instead of the usage text.
//!
//! ## Do not
//!
//! - Do not leave the order and only shorten the text: the code before the check is the risk.

use super::Finding;
use super::facts::{Facts, wants_refusal};
use super::ways::Ways;
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};

const CODE: &str = "argument-before-caller";
/// Refusals that come before arguments: mismatch, ids, nameless, bit, policy, process.
const BEFORE_ARGUMENTS: [u8; 6] = [2, 3, 8, 9, 10, 11];

pub(super) const FINDING: Finding =
    Finding { code: CODE, file: include_str!("argument_before_caller.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    let first = case.invocation.argv.get(1);
    let is_known = first.is_some_and(|argument| case.subject.policy.commands.contains(argument));
    wants_refusal(wanted) && wanted.exit.is_some_and(|exit| BEFORE_ARGUMENTS.contains(&exit)) && !is_known
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let exit = facts.refusal().filter(|exit| matches!(exit, 5 | 6))?;
    let wanted = facts.wanted_status.filter(|exit| BEFORE_ARGUMENTS.contains(exit))?;
    if !facts.wants_refusal() {
        return None;
    }
    let answered = if exit == 5 { "a usage error" } else { "\"unknown command\"" };
    // A wrapper that wrongly gets past the first question comes to the arguments too.
    let alone = matches!(wanted, 2 | 8) && Ways::in_for(facts).is_none_or(|ways| ways.count() == 0);
    let certainty = if alone { Certainty::Likely } else { Certainty::Possible };
    let cause = format!(
        "The caller was to be refused with {} (exit {wanted}) whatever its arguments are; it got {answered} (exit {exit}).{}",
        facts.case.expected,
        if alone { "" } else { " Another mistake would do the same in this case." }
    );
    Some(
        Diagnosis::new(CODE, certainty, cause)
            .saw("wait status", facts.end_text())
            .saw("launcher, just before exec", facts.invoker_text())
            .remedy(
                "check the caller before the first look at argc or argv",
                &["in the wrapper: process state, credentials, policy, bit, caller; only then arguments"],
                "a try by hand shows the group refusal, not the usage text",
            ),
    )
}
