//! # The decision does not follow from the real gid
//!
//! The wrapper admitted a caller whose real gid is not the trusted number, or refused one whose real
//! gid is.
//!
//! ## What happened
//!
//! The launcher read its real gid back just before exec, the policy is known, and the decision
//! contradicts the two numbers. Neither the caller's supplementary groups nor the wrapper's effective
//! gid explain it.
//!
//! ## Why
//!
//! The diagnosis says which of these fits what was seen:
//!
//! - Names are compared instead of numbers, as Mailman's own wrapper does. A second row of /etc/group
//!   with the trusted name then lets another gid in; an unreadable /etc/group, or a second name for
//!   the trusted gid, keeps everybody out.
//! - Only the beginning of a name is compared (`strncmp` with one of the two lengths): `mail` and
//!   `mailman` are one.
//! - The number is cut to 16 bits: 65544 passes as 8.
//! - The wrapper's own group, or root, is let in beside the trusted group.
//! - The caller is looked up by user, and the group of its row in /etc/passwd is compared. Whoever
//!   has the right row is then let in with any group, and a server that changes its group is not.
//! - Nothing is compared at all.
//!
//! ## How to see it
//!
//! `getent group NAME` and `getent group NUMBER` for the trusted group and for the caller's: each
//! must give one row. Then start the wrapper with numbers only: `setpriv --regid=NUMBER
//! --clear-groups --reuid=nobody WRAPPER post x`.
//!
//! ## Looks the same but is not
//!
//! - `group-mismatch`: the refusal is right, the numbers do differ.
//! - `supplementary-only` and `effective-only`: the trusted gid is among the caller's other groups.
//! - A subject that was sealed or built for another group than the case believes: `wrapper-configure
//!   show WRAPPER`.
//!
//! ## Fixes and their price
//!
//! - Compare the numbers, and look names up only to word the refusal. The price: renumbering the
//!   group means sealing the wrapper again.
//! - Until then, keep names and numbers of /etc/group unique (`grpck`). The price: everything which
//!   can add a row to any name service stays able to admit itself.
//!
//! ## Do not
//!
//! - Do not give a stranger's gid the trusted name, although the old text of exit 8 suggests it.

use super::bit::Bit;
use super::facts::{Facts, wants_refusal, wants_start};
use super::ways::Ways;
use super::{Finding, effective_only, group_mismatch};
use crate::case::{Case, Outcome, Sealing};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::Gid;

const CODE: &str = "wrong-comparison";

pub(super) const FINDING: Finding = Finding { code: CODE, file: include_str!("wrong_comparison.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    let trusted = case.subject.policy.trusts.gid;
    let invoker = &case.invocation.identity;
    (wants_start(wanted) && invoker.gid == trusted)
        || (wants_refusal(wanted) && invoker.gid != trusted && !invoker.groups.contains(&trusted))
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    if facts.case.subject.policy.condition != Sealing::Sound {
        return None;
    }
    let real = facts.real()?;
    if real == facts.trusted() {
        refused_wrongly(facts, real)
    } else {
        admitted_wrongly(facts, real).or_else(|| took_for_another(facts, real))
    }
}

fn admitted_wrongly(facts: &Facts<'_>, real: Gid) -> Option<Diagnosis> {
    let ways = Ways::in_for(facts)?;
    let elsewhere = ways.member || ways.effective || facts.answered_arguments();
    if !matches!(facts.bit(), Bit::Acted) || (elsewhere && ways.other.is_none()) {
        return None;
    }
    let (found, wanted) = (facts.group(real), facts.group(facts.trusted()));
    let fits = ways.other.unwrap_or_else(|| {
        "none of the known mistakes fits these numbers and names: perhaps nothing is compared".to_owned()
    });
    let cause =
        format!("The caller's real gid is {found}, not the trusted {wanted}, and it got past. What fits: {fits}.");
    let certainty = if elsewhere { Certainty::Possible } else { Certainty::Certain };
    Some(with_remedies(facts, seen(facts, Diagnosis::new(CODE, certainty, cause))))
}

/// A caller who had to be refused was, but as somebody else.
fn took_for_another(facts: &Facts<'_>, real: Gid) -> Option<Diagnosis> {
    if !facts.wants_mismatch() || !facts.refused_for_group() || facts.names_group(real) {
        return None;
    }
    // Each refusal names the trusted group too.
    let as_another = |gid: &Gid| ![real, facts.trusted()].contains(gid) && facts.names_group(*gid);
    let cut = Gid::new(real.as_raw() & 0xffff).filter(as_another);
    let of_the_user = facts.group_by_user().filter(as_another);
    let (other, how) = cut
        .map(|gid| (gid, "the number was cut to 16 bits"))
        .or_else(|| Some((of_the_user?, "that is its user's group by the user database")))?;
    let cause =
        format!("The caller's real gid is {}; the wrapper refused it, but for gid {other}: {how}.", facts.group(real));
    Some(with_remedies(facts, seen(facts, Diagnosis::new(CODE, Certainty::Certain, cause))))
}

fn refused_wrongly(facts: &Facts<'_>, real: Gid) -> Option<Diagnosis> {
    let better = (effective_only::FINDING.find)(facts).or_else(|| (group_mismatch::FINDING.find)(facts));
    if facts.wants_mismatch() || better.is_some() || !facts.refused_for_group() || !matches!(facts.bit(), Bit::Acted) {
        return None;
    }
    let sealed_name = &facts.case.subject.policy.trusts.name;
    let by_user = facts.group_by_user().filter(|&group| group != real && facts.names_group(group));
    let fits = match facts.case.names.groups.get(&real) {
        _ if let Some(group) = by_user => {
            format!("the refusal names {}, which is the caller's group by the user database alone", facts.group(group))
        }
        None => format!("the group database has no row for gid {real}, so a wrapper that compares names finds none"),
        Some(name) if name != sealed_name => {
            format!(
                "the first row for gid {real} is named {name:?}, and a wrapper that compares names wants {sealed_name:?}"
            )
        }
        Some(_) if facts.refusal() == Some(8) => {
            "it looks a name up before it decides, and could not read the group database".to_owned()
        }
        Some(_) => "none of the known mistakes fits these numbers and names".to_owned(),
    };
    // A subject which names the group that it wants has been sealed as the case says; another one may not have been.
    let certainty = if facts.names_group(real) { Certainty::Certain } else { Certainty::Likely };
    let cause = format!(
        "The caller's real gid is {}, which is the trusted gid, and the wrapper refused it. What fits: {fits}.",
        facts.group(real)
    );
    Some(with_remedies(facts, seen(facts, Diagnosis::new(CODE, certainty, cause))))
}

fn seen(facts: &Facts<'_>, diagnosis: Diagnosis) -> Diagnosis {
    diagnosis
        .saw("launcher, just before exec", facts.invoker_text())
        .saw("wait status", facts.end_text())
        .saw("witness", facts.script_text())
}

fn with_remedies(facts: &Facts<'_>, diagnosis: Diagnosis) -> Diagnosis {
    let trusted = facts.trusted();
    diagnosis
        .remedy(
            "compare numbers, and look names up only to word the refusal",
            &[&format!("in the wrapper: getgid() == {trusted}")],
            "renumbering the group means sealing the wrapper again",
        )
        .remedy(
            "until then, keep group names and numbers unique",
            &[
                "grpck",
                &format!("getent group {}", facts.case.subject.policy.trusts.name),
                &format!("getent group {trusted}"),
            ],
            "whoever can add a row to a name service can still admit himself",
        )
}
