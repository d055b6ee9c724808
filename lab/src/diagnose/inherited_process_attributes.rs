//! # The script inherited a process attribute that it must not have
//!
//! umask, working directory, signals, timers or capabilities are not as the wrapper should have set
//! them: usually as the caller left them. Or one of them ended the wrapper.
//!
//! ## What happened
//!
//! exec keeps far more than arguments and environment. The witness read the attribute, and it is not
//! the fixed value that a script must find. The report says whether it is the very value which the
//! caller had arranged, or one that the subject itself set or left behind.
//!
//! ## Why
//!
//! - umask: 000 makes archives writable by everybody, 077 makes them unreadable for the web server.
//! - Ignored signals stay ignored: SIGPIPE ignored turns a harmless end into an endless loop, SIGCHLD
//!   ignored makes wait(2) lose exit statuses, SIGTERM ignored makes the script unstoppable.
//! - A runtime that ignores SIGPIPE in itself (Rust, Python) hands that on, though no caller asked.
//! - Blocked and pending signals stay too; a pending one strikes as soon as it is unblocked.
//! - alarm(2) and interval timers run on, and end the script in the middle of a file.
//! - Timer slack of hours makes poll(2) and sleep(3) return hours late.
//! - The working directory may be the caller's, and Python, core dumps and relative paths look there.
//! - Ambient capabilities survive a set-group-ID exec where the caller is a member of the file's
//!   group (Linux 6.16).
//!
//! ## How to see it
//!
//! `grep -E 'Umask|Sig|Cap' /proc/PID/status`, `ls -l /proc/PID/cwd`, `cat /proc/PID/timerslack_ns`
//! of the script.
//!
//! ## Looks the same but is not
//!
//! - `leaked-descriptor`, `leaked-environment`, `core-exposed`: inherited too, with pages of their
//!   own.
//! - `timed-out`: the script never started, because the wrapper waited under the caller's timer
//!   slack.
//!
//! ## Fixes and their price
//!
//! - Set each attribute to a fixed value at the start, and signal dispositions back to default just
//!   before exec. The price: a server that relied on handing something on cannot.
//!
//! ## Do not
//!
//! - Do not unblock signals before ignoring them all once: pending ones would strike. Ignoring
//!   discards them.

use super::Finding;
use super::facts::{Facts, signal_text, signals};
use crate::case::{Case, Outcome, Script};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::evidence::{End, WitnessReport};
use lab_invocation::invocation::Cwd;
use lab_invocation::{Bytes, Invocation};
use std::collections::BTreeSet;

const CODE: &str = "inherited-process-attributes";
const SIGALRM: u32 = 14;
/// In nanoseconds.
const SECOND: u64 = 1_000_000_000;

pub(super) const FINDING: Finding =
    Finding { code: CODE, file: include_str!("inherited_process_attributes.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    let given = &case.invocation;
    let quiet = Invocation::quiet(Bytes::default(), given.identity.clone());
    wanted.script.as_ref().is_some_and(|script| {
        (script.umask.is_some() && given.umask != quiet.umask)
            || (script.cwd.is_some() && given.cwd != quiet.cwd)
            || (script.ignored_signals.is_some() && !given.signals.ignored.is_empty())
            || (script.blocked_signals.is_some() && !given.signals.blocked.is_empty())
            || (script.pending_signals.is_some() && !given.signals.pending.is_empty())
            || (script.timers_off == Some(true) && given.has_timer())
            || (script.timer_slack_ns.is_some() && given.timer_slack_ns.is_some())
            || (script.no_capabilities == Some(true) && !given.capabilities.ambient.is_empty())
    })
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let given = &facts.case.invocation;
    let mut inherited = ended_by(facts, given);
    if let (Some(script), Some(wanted)) = (facts.script(), &facts.wanted.script) {
        inherited.extend(in_script(script, wanted, given));
    }
    let all = inherited.join("; ");
    if inherited.is_empty() {
        return None;
    }
    let by_inference = facts.evidence.end == Some(End::TimedOut) || facts.answered_arguments();
    let certainty = if by_inference { Certainty::Possible } else { Certainty::Certain };
    let mut diagnosis = Diagnosis::new(
        CODE,
        certainty,
        if facts.started() {
            format!("The script inherited what it must not: {all}.")
        } else {
            format!("What the caller had arranged got through: {all}.")
        },
    );
    for one in inherited {
        let source = if facts.started() { "witness" } else { "wait status" };
        diagnosis = diagnosis.saw(source, one);
    }
    Some(diagnosis.remedy(
        "put the process into a known state before anything else",
        &[
            "in the wrapper: ignore every signal, empty the mask, cancel timers, set umask, timer slack and directory",
            "just before execve(2): every signal back to its default",
        ],
        "none",
    ))
}

/// The subject itself was ended by what its caller had arranged.
fn ended_by(facts: &Facts<'_>, given: &Invocation) -> Vec<String> {
    match facts.evidence.end {
        Some(End::Signaled { signal, .. }) if given.signals.pending.contains(&signal) => {
            vec![format!("{}, left pending by the caller, ended the subject", signal_text(signal))]
        }
        Some(End::Signaled { signal: SIGALRM, .. }) if given.alarm_seconds.is_some() => {
            vec!["the caller's alarm ended the subject".to_owned()]
        }
        Some(End::TimedOut) if !facts.started() && given.timer_slack_ns.is_some_and(|slack| slack >= SECOND) => {
            vec!["a timer slack which the caller had set, and which stretches every wait, was in force".to_owned()]
        }
        _ if facts.wanted_status == Some(11) && facts.came_past_the_caller() => {
            let faults: Vec<String> = given.faults.iter().map(|fault| format!("{}(2) fails", fault.call)).collect();
            let reason = if faults.is_empty() { "a limit is too small".to_owned() } else { faults.join(", ") };
            vec![format!("the process could not be made safe, because {reason}, and the subject went on")]
        }
        _ => Vec::new(),
    }
}

fn in_script(script: &WitnessReport, wanted: &Script, given: &Invocation) -> Vec<String> {
    let mut inherited = Vec::new();
    let mut note = |what: String, from_caller: bool| {
        let from = if from_caller { "as the caller left it" } else { "which the subject itself set or left" };
        inherited.push(format!("{what}, {from}"));
    };
    let mut differing = |what: &str, wanted: Option<&BTreeSet<u32>>, found: &BTreeSet<u32>, given: &BTreeSet<u32>| {
        let Some(wanted) = wanted else { return };
        let (callers, others): (BTreeSet<u32>, BTreeSet<u32>) =
            found.difference(wanted).partition(|signal| given.contains(signal));
        for (set, from_caller) in [(callers, true), (others, false)] {
            if !set.is_empty() {
                note(format!("{} {what}", signals(&set)), from_caller);
            }
        }
    };
    differing("ignored", wanted.ignored_signals.as_ref(), &script.ignored, &given.signals.ignored);
    let blocked: BTreeSet<u32> = given.signals.blocked.union(&given.signals.pending).copied().collect();
    differing("blocked", wanted.blocked_signals.as_ref(), &script.blocked, &blocked);
    differing("pending", wanted.pending_signals.as_ref(), &script.pending, &given.signals.pending);
    if wanted.umask.is_some_and(|mask| mask != script.umask) {
        note(format!("umask {:03o}", script.umask), script.umask == given.umask);
    }
    if wanted.cwd.as_ref().is_some_and(|directory| *directory != script.cwd) {
        note(format!("working directory {}", script.cwd), is_the_callers(&given.cwd, &script.cwd));
    }
    if wanted.timers_off == Some(true) && script.timers_us != [0; 3] {
        let left = script.timers_us.iter().max().copied().unwrap_or(0);
        note(format!("a timer with {left} microseconds left"), given.has_timer());
    }
    if wanted.timer_slack_ns.is_some_and(|slack| slack != script.timer_slack_ns) {
        let slack = script.timer_slack_ns;
        note(format!("timer slack of {slack} nanoseconds"), given.timer_slack_ns == Some(slack));
    }
    let [inheritable, .., ambient] = script.capabilities;
    if wanted.no_capabilities == Some(true) && (inheritable | ambient) != 0 {
        let from_caller = !given.capabilities.ambient.is_empty() || !given.capabilities.inheritable.is_empty();
        note(format!("capabilities, inheritable {inheritable:#x} and ambient {ambient:#x}"), from_caller);
    }
    inherited
}

fn is_the_callers(given: &Cwd, found: &Bytes) -> bool {
    match given {
        Cwd::Path(path) => path == found,
        Cwd::Deleted => found.0.ends_with(b" (deleted)"),
        Cwd::Unreadable => found.0 != b"/",
    }
}
