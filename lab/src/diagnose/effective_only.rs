//! # The effective gid was compared instead of the real one
//!
//! The wrapper decided by its own effective gid, which the set-group-ID bit gave it, and not by its
//! caller's real gid.
//!
//! ## What happened
//!
//! One of two things. The wrapper refused its caller, and named its own group as the group that it
//! found. Or its effective gid happens to be the trusted gid, and it admitted a caller whose real gid
//! is another.
//!
//! ## Why
//!
//! getegid(2) was called where getgid(2) is meant. After a set-group-ID exec the effective gid says
//! which program is running, not who started it. Where the bit did not act, the effective gid is the
//! caller's, and the mistake cannot be seen: tests of an uninstalled wrapper pass.
//!
//! ## How to see it
//!
//! The ledger: compare the columns "real gid" and "effective gid" of the row "wrapper, by execve(2)"
//! with the trusted gid and with the group that the refusal names.
//!
//! ## Looks the same but is not
//!
//! - `group-mismatch`: the real gid is not the trusted one, and the refusal is right.
//! - `set-group-id-ignored`: the effective gid is the caller's because the bit did not act.
//! - `supplementary-only`: the trusted gid is among the caller's supplementary groups.
//!
//! ## Fixes and their price
//!
//! - Compare getgid(2). No price: nobody who should be admitted is refused by it.
//!
//! ## Do not
//!
//! - Do not seal the wrapper to trust its own group to make the refusals stop: it then admits
//!   everybody.

use super::Finding;
use super::bit::Bit;
use super::facts::{Facts, wants_refusal, wants_start};
use super::ways::Ways;
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};

const CODE: &str = "effective-only";

pub(super) const FINDING: Finding = Finding { code: CODE, file: include_str!("effective_only.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    let (trusted, own) = (case.subject.policy.trusts.gid, case.subject.policy.own.gid);
    let real = case.invocation.identity.gid;
    (wants_start(wanted) && real == trusted && own != trusted)
        || (wants_refusal(wanted) && real != trusted && own == trusted)
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let (real, trusted, effective) = (facts.real()?, facts.trusted(), facts.effective_after_exec()?);
    let (real_text, effective_text, wanted) = (facts.group(real), facts.group(effective), facts.group(trusted));
    let names_its_own = facts.refused_for_group()
        && matches!(facts.bit(), Bit::Acted)
        && ![real, trusted].contains(&effective)
        && facts.names_group(effective);
    let (certainty, cause) = if names_its_own && real == trusted && !facts.wants_mismatch() {
        let cause = format!(
            "The caller's real gid is {real_text}, which is the trusted group. The wrapper refused it and named its own \
             effective gid, {effective_text}, as what it found."
        );
        (Certainty::Certain, cause)
    } else if names_its_own && real != trusted && facts.wants_mismatch() && !facts.names_group(real) {
        let cause = format!(
            "The caller's real gid is {real_text}. The wrapper refused it, but named its own effective gid, \
             {effective_text}, as what it found, and not {real_text}."
        );
        (Certainty::Certain, cause)
    } else {
        let ways = Ways::in_for(facts).filter(|ways| ways.effective)?;
        let alone = ways.count() == 1 && !facts.answered_arguments();
        let cause = format!(
            "The caller's real gid is {real_text}, not the trusted {wanted}; the wrapper's own effective gid is \
             {effective_text}, and the caller got past. {}",
            if alone {
                "One case cannot rule out that the subject admits everybody."
            } else {
                "Another mistake would do the same in this case."
            }
        );
        (if alone { Certainty::Likely } else { Certainty::Possible }, cause)
    };
    Some(
        Diagnosis::new(CODE, certainty, cause)
            .saw("launcher, just before exec", facts.invoker_text())
            .saw(
                "stat of the subject's file",
                format!("the file's group, which exec makes effective, is {effective_text}"),
            )
            .saw("wait status", format!("{}; {}", facts.end_text(), facts.script_text()))
            .remedy("compare the real gid", &["in the wrapper: getgid(), not getegid()"], "none"),
    )
}
