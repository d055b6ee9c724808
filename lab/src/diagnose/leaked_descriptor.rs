//! # A descriptor of the caller reached the script
//!
//! The script found more open descriptors than 0, 1 and 2, or one of those three missing.
//!
//! ## What happened
//!
//! The witness listed its /proc/self/fd. Whatever the caller had open without close-on-exec was
//! handed through the wrapper.
//!
//! ## Why
//!
//! exec keeps descriptors. The caller may have opened a file, a directory, a socket or
//! /proc/self/mem, and left it for a process with other rights to use; and a web server that forgets
//! its listening socket (fcgiwrap does) gives it to every script. Where 0, 1 or 2 is closed, the next
//! file which the script opens gets that number, and the next error message is written into it.
//!
//! ## How to see it
//!
//! The observations name each descriptor with its target. By hand: `WRAPPER post announce
//! 7</etc/passwd` with a script that runs `ls -l /proc/self/fd`.
//!
//! ## Looks the same but is not
//!
//! - A descriptor that the script's own interpreter opened: the witness, which replaces the script,
//!   shows none of those.
//! - Descriptors 1 and 2 on one pipe: Postfix, Exim and Sendmail all do that.
//!
//! ## Fixes and their price
//!
//! - Close everything from 3 upwards before exec with close_range(2), and open /dev/null on whichever
//!   of 0, 1, 2 is closed. No price: no server hands its wrapper more than these three on purpose.
//!
//! ## Do not
//!
//! - Do not close up to RLIMIT_NOFILE in a loop: the caller chooses the limit, and may have opened
//!   higher ones before.
//! - Do not rely on the C library: it opens 0 to 2 only where AT_SECURE is 1.

use super::Finding;
use super::facts::Facts;
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};
use std::collections::BTreeSet;

const CODE: &str = "leaked-descriptor";

pub(super) const FINDING: Finding = Finding { code: CODE, file: include_str!("leaked_descriptor.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    let judged = wanted.script.as_ref().is_some_and(|script| script.open_fds.is_some());
    judged && !case.invocation.descriptors.is_empty()
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let script = facts.script()?;
    let wanted = facts.wanted.script.as_ref()?.open_fds.as_ref()?;
    let open: BTreeSet<u32> = script.descriptors.iter().map(|descriptor| descriptor.number).collect();
    let missing: Vec<String> = wanted.difference(&open).map(u32::to_string).collect();
    let extra: Vec<String> = open.difference(wanted).map(u32::to_string).collect();
    if missing.is_empty() && extra.is_empty() {
        return None;
    }
    let mut says = Vec::new();
    if !extra.is_empty() {
        says.push(format!("with {} of its caller open", numbers(&extra)));
    }
    if !missing.is_empty() {
        says.push(format!("with {} closed", numbers(&missing)));
    }
    let mut diagnosis =
        Diagnosis::new(CODE, Certainty::Certain, format!("The script was started {}.", says.join(" and ")));
    for descriptor in script.descriptors.iter().filter(|descriptor| !wanted.contains(&descriptor.number)) {
        let access = ["for reading", "for writing", "for reading and writing"];
        let how = access.get(descriptor.access as usize).copied().unwrap_or("without access");
        diagnosis =
            diagnosis.saw("witness", format!("descriptor {} is {}, open {how}", descriptor.number, descriptor.target));
    }
    if !missing.is_empty() {
        diagnosis = diagnosis.saw("witness", format!("{} is not open", numbers(&missing)));
    }
    Some(diagnosis.remedy(
        "start the script with 0, 1 and 2 only",
        &["in the wrapper: open /dev/null on closed ones of 0 to 2, then close_range(3, ~0U, 0)"],
        "none",
    ))
}

fn numbers(list: &[String]) -> String {
    format!("descriptor{} {}", if list.len() == 1 { "" } else { "s" }, list.join(", "))
}
