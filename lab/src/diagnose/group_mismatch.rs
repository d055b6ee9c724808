//! # The caller's group is not the one that the wrapper trusts
//!
//! The wrapper works. It was started by a process whose real gid is not the number that it was sealed
//! to trust, and it refused: Mailman's exit status 2, "Group mismatch error".
//!
//! ## What happened
//!
//! A set-group-ID wrapper admits a caller by one thing: the caller's real gid. The kernel keeps that
//! number across the set-group-ID exec, so the wrapper can read with getgid(2) which group its
//! invoker ran as. It compared the number with the trusted gid in its sealed policy, and they differ.
//!
//! ## Why
//!
//! The server does not run the wrapper as the group that you think. Usual reasons:
//!
//! - Postfix local(8): a command in an alias file runs with the rights of the owner of the alias
//!   database (the `.db` file): that user's primary group. If root owns it, `default_privs`
//!   (`nobody`) is used. The group of the file does not count.
//! - Exim: `user =` and `group =` of the pipe transport; with neither, Exim's own user and group.
//! - Sendmail: `DefaultUser`; for an `:include:` file, the group of that file.
//! - Apache: `Group`, or `SuexecUserGroup`. fcgiwrap: whoever started it. None of them is the group
//!   of a login shell.
//! - Docker: `--user 1000` without a group runs as gid 0.
//!
//! ## How to see it
//!
//! The refusal prints both groups with names and numbers, on standard error and to syslog (facility
//! mail). `wrapper-configure show WRAPPER` prints the trusted group. The ledger of the lab shows the
//! real gid that arrived.
//!
//! ## Looks the same but is not
//!
//! - `set-group-id-ignored`: exit 9, "not running set-group-ID". There the caller may well be the
//!   right one.
//! - `nameless-gid`: exit 8. The gid is not trusted either, but it has no name, which points to a
//!   missing group row.
//! - `supplementary-only`: membership of the trusted group in `id` output does not help; only the
//!   real gid counts.
//! - Exit status 2 alone proves nothing: any program may end so. Look for the text.
//!
//! ## Fixes and their price
//!
//! - Let the server run the wrapper as the trusted group. Trust stays as it is. Postfix: give the
//!   alias database to a user whose primary group is the trusted one, and run postalias as root,
//!   which keeps the owner. Exim: `group =` in the transport. Sendmail: `DefaultUser`. Apache:
//!   `Group`.
//! - Seal the wrapper to trust the group that the server uses. This widens trust: every process with
//!   that real gid may then start it. Where the group is `nogroup`, `nobody` or `daemon`, that is
//!   every program which was thought to have no rights at all.
//!
//! ## Do not
//!
//! - Do not add the server's user to the trusted group: supplementary groups are not looked at.
//! - Do not make the wrapper set-user-ID root, nor change its mode or owner: the bit acted, or it
//!   could not have asked.
//! - Do not add a second group row with the trusted name: numbers decide here, and where names decide
//!   (Mailman's own wrapper) it lets strangers in.

use super::Finding;
use super::facts::{Facts, wants_start};
use crate::case::Kind;
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::Gid;

const CODE: &str = "group-mismatch";

pub(super) const FINDING: Finding =
    Finding { code: CODE, file: include_str!("group_mismatch.rs"), find, shown_by: |_, wanted| wants_start(wanted) };

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let (real, trusted) = (facts.real()?, facts.trusted());
    if !facts.wants_start() || facts.refusal() != Some(2) {
        return None;
    }
    let subject = &facts.case.subject;
    let expected_by_subject = mailman_text(facts);
    let elsewhere = expected_by_subject.as_deref().filter(|&name| name != subject.policy.trusts.name);
    if real == trusted && elsewhere.is_none() {
        return None;
    }
    let (found, wanted) = (facts.group(real), facts.group(trusted));
    let option = match subject.policy.kind {
        Kind::Mail => "--with-mail-gid",
        Kind::Cgi => "--with-cgi-gid",
    };
    let diagnosis = if let Some(name) = elsewhere {
        let cause = format!(
            "The subject refused its caller, group {found}, because it was built to expect group {name:?}; this case \
             takes it to trust {wanted}."
        );
        Diagnosis::new(CODE, Certainty::Certain, cause).saw("text of the refusal", format!("expected group {name:?}"))
    } else {
        let acted = matches!(facts.bit(), super::bit::Bit::Acted);
        let certainty = if acted { Certainty::Certain } else { Certainty::Likely };
        let cause = format!(
            "The wrapper was started with real gid {found} and trusts {wanted}.{}",
            if acted { " Set-group-ID acted, so mount, mode and no_new_privs are not the cause." } else { "" }
        );
        Diagnosis::new(CODE, certainty, cause)
    };
    Some(
        diagnosis
            .saw("wait status", facts.end_text())
            .saw("launcher, just before exec", facts.invoker_text())
            .remedy(
                format!("let the server start the wrapper as {wanted}"),
                &[
                    "Postfix: give the alias database to a user whose primary group is that one, then run postalias",
                    "Exim: group = in the pipe transport; Sendmail: DefaultUser; Apache: Group",
                ],
                "trust stays as it is",
            )
            .remedy(
                format!("let the wrapper trust {found}"),
                &[&format!("seal it with {option}={}", name_or_number(facts, real))],
                format!("widens trust: every process with real gid {found} may then start it"),
            )
            .then(facts.in_shell("id")),
    )
}

fn name_or_number(facts: &Facts<'_>, gid: Gid) -> String {
    facts.case.names.groups.get(&gid).cloned().unwrap_or_else(|| gid.to_string())
}

/// The group that the text of Mailman's own wrapper says it expected.
fn mailman_text(facts: &Facts<'_>) -> Option<String> {
    facts.outputs().find_map(|(_, bytes)| {
        let text = String::from_utf8_lossy(bytes.as_slice()).split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, after) = text.split_once("script to be executed as group \"")?;
        Some(after.split_once('"')?.0.to_owned())
    })
}
