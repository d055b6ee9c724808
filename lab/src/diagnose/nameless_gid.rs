//! # The caller's gid has no name
//!
//! The wrapper refused with exit 8: the caller's real gid is not the trusted one, and no row of the
//! group database says what it is called.
//!
//! ## What happened
//!
//! The wrapper compared numbers, found them different, and then wanted to print both groups with
//! their names. For the caller's number there is no name.
//!
//! ## Why
//!
//! - The server was given a number that no row of /etc/group has: `--user 1000:4242` of a container,
//!   a group that was removed while the server ran, a user whose primary group was never made.
//! - /etc/group is not there or cannot be read where the wrapper runs: a chroot, an image without
//!   accounts. Exit 8 then says that no name could be looked up.
//! - The row lives in another name service (LDAP, nss-systemd). The wrapper reads /etc/group only,
//!   because a name service would load foreign code into a privileged program.
//!
//! ## How to see it
//!
//! `getent group NUMBER` prints nothing, or `grep :NUMBER: /etc/group` does not where getent does.
//!
//! ## Looks the same but is not
//!
//! - `group-mismatch`: exit 2; the caller's gid has a name, and is as little trusted.
//! - `wrong-comparison`: exit 8 for a caller whose real gid *is* the trusted number. A wrapper that
//!   compares numbers needs no name for that.
//!
//! ## Fixes and their price
//!
//! - Let the server start the wrapper as the trusted group. Trust stays as it is.
//! - Add a row for the number, under a name of its own, so that the next refusal can name it. No
//!   price; it admits nobody.
//!
//! ## Do not
//!
//! - Do not give the number the trusted name, although the old text of this refusal suggests it:
//!   where names are compared, that lets the stranger in and switches the check off.

use super::Finding;
use super::facts::Facts;
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};

const CODE: &str = "nameless-gid";

pub(super) const FINDING: Finding = Finding { code: CODE, file: include_str!("nameless_gid.rs"), find, shown_by };

fn shown_by(case: &Case, _: &Outcome) -> bool {
    let real = case.invocation.identity.gid;
    real != case.subject.policy.trusts.gid && !case.names.groups.contains_key(&real)
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let (real, trusted) = (facts.real()?, facts.trusted());
    let has_a_name = facts.case.names.groups.contains_key(&real);
    // Where the policy, the bit or the process had to stop it, the name of its caller's group explains nothing.
    if matches!(facts.wanted_status, Some(9..=11)) {
        return None;
    }
    if facts.refusal() != Some(8) || facts.wanted_status == Some(8) || real == trusted || has_a_name {
        return None;
    }
    let wanted = facts.group(trusted);
    let cause = format!(
        "The caller's real gid is {real}, which has no row in the group database, and is not the trusted {wanted}."
    );
    Some(
        Diagnosis::new(CODE, Certainty::Certain, cause)
            .saw("wait status", facts.end_text())
            .saw("launcher, just before exec", facts.invoker_text())
            .remedy(
                format!("let the server start the wrapper as {wanted}"),
                &["its user and group settings: see lab explain group-mismatch"],
                "trust stays as it is",
            )
            .remedy(
                format!("give gid {real} a name of its own, so that refusals can say it"),
                &[&format!("groupadd --gid {real} SOME-NEW-NAME")],
                "none; it admits nobody",
            )
            .then(facts.in_shell(&format!("getent group {real}"))),
    )
}
