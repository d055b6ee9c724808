//! # A policy that must be refused was used
//!
//! The wrapper decided about its caller although its sealed policy is missing, damaged, not its own,
//! or cannot be enforced here.
//!
//! ## What happened
//!
//! The lab damaged the sealed section in one way, or made a place where the trusted number means
//! nothing. The wrapper must refuse everybody with exit 10. It went on.
//!
//! ## Why
//!
//! - An unsealed binary holds zeros; gid 0 then looks like a trusted number.
//! - The checksum, the version or the kind is not looked at: a policy for the CGI wrapper in the mail
//!   wrapper trusts the web server.
//! - A length in the section is believed beyond its end.
//! - The section is read by an ordinary load, which the compiler replaces by the unsealed value that
//!   it knows.
//! - The trusted gid is 65534 in a user namespace that does not map every number: there each unmapped
//!   group reads as 65534, so strangers look trusted.
//!
//! ## How to see it
//!
//! `wrapper-configure show WRAPPER` says whether the section is sound. `cat /proc/self/gid_map` where
//! the wrapper runs.
//!
//! ## Looks the same but is not
//!
//! - A sound policy with the wrong group: that is `group-mismatch`, or an administrator's decision.
//!
//! ## Fixes and their price
//!
//! - Check magic, version, kind, length, checksum, fields and contradictions, in this order, before
//!   anything is used, and refuse everybody at the first fault. The price: a wrapper that was copied
//!   without being sealed does not work.
//!
//! ## Do not
//!
//! - Do not fall back to a built-in default: nobody decided it for this machine.

use super::Finding;
use super::facts::Facts;
use crate::case::{Case, Outcome, Sealing};
use crate::finding::{Certainty, Diagnosis};

const CODE: &str = "bad-policy-accepted";

pub(super) const FINDING: Finding =
    Finding { code: CODE, file: include_str!("bad_policy_accepted.rs"), find, shown_by };

fn shown_by(_: &Case, wanted: &Outcome) -> bool {
    wanted.exit == Some(10)
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    if facts.wanted.exit != Some(10) {
        return None;
    }
    // Any of these can only be said by a subject that has got past its policy.
    let went_on = match facts.refusal() {
        _ if facts.admitted() => facts.script_text(),
        Some(status @ (2..=6 | 8 | 9)) => format!("it judged its caller by it: exit {status}"),
        _ => return None,
    };
    let fault = match facts.case.subject.policy.condition {
        Sealing::Sound => {
            format!("which trusts {} where that number cannot be told from others", facts.group(facts.trusted()))
        }
        Sealing::Unsealed => "which nobody has sealed".to_owned(),
        Sealing::Damaged => "in which one byte of the body was changed".to_owned(),
        Sealing::Truncated => "whose second half is zero".to_owned(),
        Sealing::WrongKind => "which is for the other kind of wrapper".to_owned(),
        Sealing::WrongVersion => "of a version that it cannot know".to_owned(),
        Sealing::OverLong => "which claims to be longer than its section".to_owned(),
    };
    let cause = format!("The subject accepted a policy {fault}: {went_on}.");
    Some(
        Diagnosis::new(CODE, if facts.answered_arguments() { Certainty::Possible } else { Certainty::Certain }, cause)
            .saw("wait status", facts.end_text())
            .saw("witness", facts.script_text())
            .saw("the launcher's /proc/self/gid_map", lines(&facts.evidence.invoker.gid_map))
            .remedy(
                "refuse everybody unless the whole policy is sound",
                &["in the wrapper: decode the whole section before the first use, exit 10 at the first fault"],
                "a wrapper which was copied without being sealed does not work",
            )
            .then(facts.in_shell("")),
    )
}

fn lines(map: &str) -> String {
    let lines: Vec<String> = map.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    if lines.is_empty() { "not observed".to_owned() } else { lines.join("; ") }
}
