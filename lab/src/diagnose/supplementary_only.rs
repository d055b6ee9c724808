//! # A supplementary member of the trusted group was admitted
//!
//! The wrapper started its script for a caller who only belongs to the trusted group; the caller's
//! real gid is another.
//!
//! ## What happened
//!
//! The caller's real gid is not the trusted gid. The trusted gid stands among the caller's
//! supplementary groups, and the script started.
//!
//! ## Why
//!
//! The wrapper looks through getgroups(2), or uses a helper such as group_member(3), instead of
//! comparing getgid(2) alone. Every process of every user who was ever added to the trusted group can
//! then start it, from any shell, and which servers pass depends on whether they call initgroups(3):
//! Exim hands on no supplementary groups, Postfix one, Sendmail and suexec all of the user's.
//!
//! ## How to see it
//!
//! The ledger: the real gid is not the trusted one, the supplementary column contains it, and there
//! is a row for the script. By hand, as root: `setpriv --regid=users --groups=mail --reuid=alice
//! WRAPPER post announce`.
//!
//! ## Looks the same but is not
//!
//! - `effective-only`: the wrapper's effective gid is the trusted one.
//! - `wrong-comparison`: strangers are admitted who are not even members; then the groups were not
//!   looked at.
//! - sg(1) and newgrp(1) change the real gid. A member who uses them is admitted rightly.
//!
//! ## Fixes and their price
//!
//! - Compare the real gid alone. The price: callers who passed by membership need a server setting
//!   that gives them the trusted gid as their primary group.
//!
//! ## Do not
//!
//! - Do not empty the trusted group in /etc/group to hide it: the next member opens it again.

use super::Finding;
use super::facts::{Facts, wants_refusal};
use super::ways::Ways;
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};

const CODE: &str = "supplementary-only";

pub(super) const FINDING: Finding = Finding { code: CODE, file: include_str!("supplementary_only.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    let trusted = case.subject.policy.trusts.gid;
    let invoker = &case.invocation.identity;
    wants_refusal(wanted) && invoker.gid != trusted && invoker.groups.contains(&trusted)
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let (ways, invoker) = (Ways::in_for(facts).filter(|ways| ways.member)?, facts.invoker()?);
    let (real, wanted) = (facts.group(invoker.gid.real), facts.group(facts.trusted()));
    let alone = ways.count() == 1 && !facts.answered_arguments();
    let cause = format!(
        "The caller's real gid is {real}, not the trusted {wanted}; {wanted} is only among its supplementary groups, \
         and the subject let it past. {}",
        if alone {
            "One case cannot rule out that the subject admits everybody: see whether callers who are not members are refused."
        } else {
            "Another mistake would do the same in this case."
        }
    );
    let certainty = if alone { Certainty::Likely } else { Certainty::Possible };
    Some(
        Diagnosis::new(CODE, certainty, cause)
            .saw("launcher, just before exec", facts.invoker_text())
            .saw("wait status", facts.end_text())
            .saw("witness", facts.script_text())
            .remedy(
                "compare the real gid alone",
                &["in the wrapper: getgid() == trusted gid; do not call getgroups()"],
                "callers who passed by membership need the trusted group as their real gid",
            ),
    )
}
