//! # The caller's environment reached the script
//!
//! The script was started with an environment entry which the wrapper should have left out, or with
//! the wrong one of two.
//!
//! ## What happened
//!
//! The witness printed its raw environment. It must be the list that the policy allows, each name
//! once, PATH constant; it is not.
//!
//! ## Why
//!
//! - The wrapper removes what it knows to be dangerous and passes the rest. There is always one name
//!   more: PYTHONSTARTUP, PERL5LIB, BASH_ENV, exported shell functions, HTTP_PROXY made from a
//!   request header.
//! - It relies on the C library, which cleans only where AT_SECURE is 1. That is 0 where the caller's
//!   real gid is the wrapper's own group, and always in the script, once the switch is complete; musl
//!   cleans nothing at all.
//! - Two entries have one name. The check looked at the first, the script's getenv(3) finds another.
//! - Entries without `=`, or with an empty name, passed because no rule speaks of them.
//!
//! ## How to see it
//!
//! The observations list each entry that should not be there. By hand: start the wrapper by `env -i
//! PATH=/tmp HOME=/tmp BASH_ENV=/tmp/x WRAPPER post announce` with a script that runs `cat
//! /proc/self/environ`.
//!
//! ## Looks the same but is not
//!
//! - A variable that the interpreter or the script itself sets: the witness, which replaces the
//!   script, sets none.
//! - A kept CGI name such as QUERY_STRING: its value is the web client's, but it is allowed and the
//!   script expects it.
//!
//! ## Fixes and their price
//!
//! - Build the environment from nothing: only names on the list, the first of duplicates, PATH from
//!   the program. The price: a script that used another variable needs it added to the policy, by
//!   name (`--keep-environment=NAME`).
//!
//! ## Do not
//!
//! - Do not extend a list of forbidden names.
//! - Do not keep PATH, IFS, or anything that an interpreter, a loader or a C library reads.

use super::Finding;
use super::facts::Facts;
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::Bytes;

const CODE: &str = "leaked-environment";
/// A report lists so many entries, and says how many more there are.
const LISTED: usize = 8;

pub(super) const FINDING: Finding = Finding { code: CODE, file: include_str!("leaked_environment.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    let quiet = lab_invocation::Invocation::quiet(Bytes::default(), case.invocation.identity.clone());
    wanted.script.as_ref().is_some_and(|script| script.env.is_some()) && case.invocation.env != quiet.env
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let script = facts.script()?;
    let allowed = facts.wanted.script.as_ref()?.env.as_ref()?;
    let mut leaks = Vec::new();
    let mut seen_names: Vec<&[u8]> = Vec::new();
    for entry in &script.env {
        let Some((name, value)) = split(entry) else {
            leaks.push(format!("\"{entry}\" has no name"));
            continue;
        };
        let came =
            if facts.case.invocation.env.contains(entry) { "as its caller set it" } else { "not from its caller" };
        if seen_names.contains(&name) {
            leaks.push(format!("\"{entry}\", a second entry of that name"));
        } else {
            match allowed.get(&Bytes::from(name)) {
                None => leaks.push(format!("\"{entry}\", {came}, is not on the list")),
                Some(expected) if expected.as_slice() != value => {
                    leaks.push(format!("\"{entry}\", {came}; the value must be \"{expected}\""));
                }
                Some(_) => {}
            }
        }
        seen_names.push(name);
    }
    if leaks.is_empty() {
        return None;
    }
    let count = leaks.len();
    let entries = if count == 1 { "an entry" } else { "entries" };
    let cause = format!("The script's environment holds {entries} that should not be there: {}.", leaks.first()?);
    let mut diagnosis = Diagnosis::new(CODE, Certainty::Certain, cause);
    for leak in leaks.iter().take(LISTED) {
        diagnosis = diagnosis.saw("witness", leak.as_str());
    }
    if count > LISTED {
        diagnosis = diagnosis.saw("witness", format!("and {} more", count - LISTED));
    }
    Some(diagnosis.remedy(
        "build the environment from a list of allowed names",
        &["in the wrapper: copy listed names only, the first of each, and set PATH; pass that to execve(2)"],
        "a script that needs another variable must have it in the policy: --keep-environment=NAME",
    ))
}

fn split(entry: &Bytes) -> Option<(&[u8], &[u8])> {
    let at = entry.0.iter().position(|&byte| byte == b'=').filter(|&at| at > 0)?;
    Some((&entry.0[..at], &entry.0[at + 1..]))
}
