//! What holds of any set-group-ID program, in every case, whether the scenario speaks of it or not.

use super::output::has;
use super::{Comparison, show};
use crate::case::Case;
use lab_invocation::Evidence;
use lab_invocation::evidence::{Capture, End, Place};
use lab_invocation::invocation::{Descriptor, FaultResult, ScriptEnd};
use lab_invocation::{Bytes, Gid, Uid};
use std::collections::BTreeSet;
use std::ops::Range;

/// One invariant.
struct Invariant {
    /// Name, which a difference shows as its field.
    name: &'static str,
    /// What must hold, in words.
    holds: &'static str,
    /// What was seen instead, if it does not hold.
    broken: fn(&Case, &Evidence) -> Option<String>,
}

/// Sources: waitpid(2) and exec(3) for the ends; execve(2), credentials(7) and capabilities(7) for ids and capabilities;
/// execve(2) and setpgid(2) for the place among other processes, by which servers end what takes too long (Postfix,
/// `command_time_limit`); CVE-2024-28085, CVE-2023-29383 and CVE-2012-0809 for terminal control sequences which a privileged program repeats.
const INVARIANTS: [Invariant; 12] = [
    Invariant { name: "ends-in-time", holds: "an end before the deadline", broken: ends_in_time },
    Invariant { name: "ends-by-exit", holds: "an end by exit, not by a signal", broken: ends_by_exit },
    Invariant { name: "starts-once", holds: "the script starts at most once", broken: starts_once },
    Invariant {
        name: "started-before-decision",
        holds: "a refused run starts no script",
        broken: started_before_decision,
    },
    Invariant { name: "false-success", holds: "exit 0 only if the script ran", broken: false_success },
    Invariant {
        name: "bounded-output",
        holds: "at most 64 KiB on each output, a few datagrams in the system log",
        broken: bounded_output,
    },
    Invariant { name: "changes-nothing", holds: "a refused run changes no file", broken: changes_nothing },
    Invariant {
        name: "keeps-its-place",
        holds: "session, process group, scheduler and processors of the script are those of the invoker",
        broken: keeps_its_place,
    },
    Invariant {
        name: "leaves-no-process",
        holds: "no process is left when the subject has ended",
        broken: leaves_no_process,
    },
    Invariant {
        name: "no-raw-control-bytes",
        holds: "no control sequence of the caller is repeated",
        broken: raw_control_bytes,
    },
    Invariant {
        name: "no-foreign-identity",
        holds: "only ids of the invoker and of the subject's file",
        broken: foreign_identity,
    },
    Invariant {
        name: "no-gained-capability",
        holds: "no capability which the invoker lacks",
        broken: gained_capability,
    },
];

/// Checks every invariant.
pub(super) fn compare(comparison: &mut Comparison<'_>) {
    for invariant in &INVARIANTS {
        if let Some(observed) = (invariant.broken)(comparison.case, comparison.evidence) {
            comparison.differ(invariant.name, invariant.holds, observed);
        }
    }
}

fn ends_in_time(_: &Case, evidence: &Evidence) -> Option<String> {
    (evidence.end == Some(End::TimedOut)).then(|| show::end(End::TimedOut))
}

/// A signal is the lab's own doing where a case kills at a system call, and the C library's before `main`.
fn ends_by_exit(case: &Case, evidence: &Evidence) -> Option<String> {
    let killed = case.invocation.faults.iter().any(|fault| fault.result == FaultResult::Kill);
    let excused = case.outcome.ended_before_main || killed;
    match evidence.end {
        Some(End::Signaled { signal, .. })
            if starts(evidence) > 0 && case.invocation.script_end == ScriptEnd::Signal(signal) =>
        {
            None
        }
        Some(end @ End::Signaled { .. }) if !excused => Some(show::end(end)),
        _ => None,
    }
}

/// How many scripts were started, whether they could report or not.
fn starts(evidence: &Evidence) -> usize {
    evidence.witness.len() + usize::try_from(evidence.witness_unfinished).unwrap_or(usize::MAX / 2)
}

fn starts_once(_: &Case, evidence: &Evidence) -> Option<String> {
    let starts = starts(evidence);
    (starts > 1).then(|| format!("it started {starts} times"))
}

/// The witness ends as it is told: another status is the subject's own, and then it was not the subject that became the script.
fn started_before_decision(case: &Case, evidence: &Evidence) -> Option<String> {
    match evidence.end {
        Some(end @ End::Exited(status @ 1..))
            if starts(evidence) > 0 && case.invocation.script_end != ScriptEnd::Exit(status) =>
        {
            Some(format!("{}, and a script started", show::end(end)))
        }
        _ => None,
    }
}

/// Session, process group, scheduler, nice value and processors.
fn keeps_its_place(_: &Case, evidence: &Evidence) -> Option<String> {
    let given = evidence.invoker.place;
    let other = evidence.witness.iter().map(|script| script.place).find(|place| given != Some(*place))?;
    let Some(given) = given else { return Some("the invoker's were not read".to_owned()) };
    Some(show::list(moved(given, other)))
}

/// What differs between two places, in words.
pub(crate) fn moved(from: Place, to: Place) -> Vec<String> {
    let mut says = Vec::new();
    // Numbers of processes differ from run to run; which it is says nothing.
    if from.session != to.session {
        says.push("another session".to_owned());
    }
    if from.process_group != to.process_group {
        says.push("another process group".to_owned());
    }
    if from.nice != to.nice {
        says.push(format!("nice value {}, not {}", to.nice, from.nice));
    }
    if from.policy != to.policy {
        says.push(format!("scheduler {}, not {}", to.policy, from.policy));
    }
    if from.processors != to.processors {
        says.push(format!("{} processors, not {}", to.processors, from.processors));
    }
    says
}

/// The tool has no script to start.
fn false_success(case: &Case, evidence: &Evidence) -> Option<String> {
    let silent = !case.subject.is_tool() && evidence.end == Some(End::Exited(0)) && starts(evidence) == 0;
    silent.then(|| "exit 0, and no script started".to_owned())
}

fn bounded_output(_: &Case, evidence: &Evidence) -> Option<String> {
    let long =
        |name: &str, capture: &Capture| capture.truncated().then(|| format!("{} bytes on {name}", capture.total));
    let log = || {
        let more = evidence.syslog_total > evidence.syslog.len() as u64;
        more.then(|| format!("{} datagrams in the system log", evidence.syslog_total))
    };
    long("standard error", &evidence.stderr).or_else(|| long("standard output", &evidence.stdout)).or_else(log)
}

/// Only where neither the scenario nor, of the tool, the prediction speaks of changes itself. What it opens for the subject may be written.
fn changes_nothing(case: &Case, evidence: &Evidence) -> Option<String> {
    if case.outcome.changes.is_some() || case.subject.is_tool() || starts(evidence) > 0 {
        return None;
    }
    let opened = |path: &Bytes| {
        let descriptors = &case.invocation.descriptors;
        descriptors.iter().any(|(_, descriptor)| matches!(descriptor, Descriptor::File(file) if file == path))
    };
    let changed: Vec<String> =
        evidence.changes.iter().filter(|change| !opened(&change.path)).map(|change| change.path.to_text()).collect();
    (!changed.is_empty()).then(|| show::list(changed))
}

fn leaves_no_process(_: &Case, evidence: &Evidence) -> Option<String> {
    (evidence.strays > 0).then(|| format!("{} left, and killed by the lab", evidence.strays))
}

/// Looks for control characters together with the byte before and after them: a line end of the subject's own is no echo,
/// nor is the last one, behind a word which the caller wrote as well.
fn raw_control_bytes(case: &Case, evidence: &Evidence) -> Option<String> {
    let outputs = [&evidence.stderr.bytes, &evidence.stdout.bytes].into_iter().chain(&evidence.syslog);
    let outputs: Vec<&[u8]> = outputs.map(|output| output.0.strip_suffix(b"\n").unwrap_or(&output.0)).collect();
    let written = case.invocation.argv.iter().chain(&case.invocation.env);
    for text in written {
        for control in controls(&text.0) {
            // A line end is everybody's, and so is one letter before it: only with more text around it is it the caller's.
            let line_end = |byte: &u8| b"\r\n".contains(byte);
            let reach = if text.0[control.clone()].iter().all(line_end) { 4 } else { 1 };
            let around = &text.0[control.start.saturating_sub(reach)..(control.end + reach).min(text.0.len())];
            if around.iter().filter(|byte| !line_end(byte)).count() >= reach.min(3)
                && outputs.iter().any(|output| has(output, around))
            {
                return Some(format!("{} of the caller's", show::bytes(&around.into())));
            }
        }
    }
    None
}

/// Where control characters stand: those of C0 and C1, direction overrides, and bytes that an 8-bit terminal takes for C1.
fn controls(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                found.push(at..at + c.len_utf8());
            }
            at += c.len_utf8();
        }
        for byte in chunk.invalid() {
            if (0x80..0xa0).contains(byte) {
                found.push(at..at + 1);
            }
            at += 1;
        }
    }
    found
}

fn foreign_identity(case: &Case, evidence: &Evidence) -> Option<String> {
    let invoker = evidence.invoker.credentials.as_ref()?;
    let file = evidence.installed.as_ref();
    let mut gids: BTreeSet<Gid> = [invoker.gid.real, invoker.gid.effective].into();
    gids.extend(file.map(|file| file.group));
    let mut uids: BTreeSet<Uid> = [invoker.uid.real, invoker.uid.effective].into();
    uids.extend(file.filter(|file| file.mode & 0o4000 != 0).map(|file| file.owner));
    for report in &evidence.witness {
        let (uid, gid) = (&report.credentials.uid, &report.credentials.gid);
        for (which, found) in [("real", gid.real), ("effective", gid.effective), ("saved", gid.saved), ("fs", gid.fs)] {
            if !gids.contains(&found) {
                return Some(format!("{which} gid {}", case.names.group(found)));
            }
        }
        for (which, found) in [("real", uid.real), ("effective", uid.effective), ("saved", uid.saved), ("fs", uid.fs)] {
            if !uids.contains(&found) {
                return Some(format!("{which} uid {}", case.names.user(found)));
            }
        }
        if let Some(found) = report.credentials.groups.iter().find(|gid| !invoker.groups.contains(gid)) {
            return Some(format!("supplementary group {}", case.names.group(*found)));
        }
    }
    None
}

/// Only where the invoker has none at all: what root may keep is capabilities(7)'s business, and the model's.
fn gained_capability(case: &Case, evidence: &Evidence) -> Option<String> {
    let invoker = evidence.invoker.credentials.as_ref()?;
    let asked = &case.invocation.capabilities;
    let has_some = !asked.kept.is_empty() || !asked.ambient.is_empty() || !asked.inheritable.is_empty();
    let root = [invoker.uid.real, invoker.uid.effective, invoker.uid.saved].contains(&Uid::ROOT);
    let set_user_id = evidence.installed.as_ref().is_some_and(|file| file.mode & 0o4000 != 0);
    if has_some || root || set_user_id {
        return None;
    }
    let report = evidence.witness.iter().find(|report| report.capabilities[1] | report.capabilities[2] != 0)?;
    let [_, permitted, effective, ..] = report.capabilities;
    Some(format!("permitted {permitted:#x}, effective {effective:#x}"))
}

#[cfg(test)]
mod tests {
    use super::controls;
    use rstest::rstest;

    #[rstest]
    #[case::escape(b"a\x1b[m", Some(1..2))]
    #[case::c1_as_a_byte(b"\x9b31m", Some(0..1))]
    #[case::c1_in_utf_8("\u{9b}31m".as_bytes(), Some(0..2))]
    #[case::right_to_left("x\u{202e}y".as_bytes(), Some(1..4))]
    #[case::letters_of_other_alphabets("р\u{443}сский \u{5d0} é".as_bytes(), None)]
    #[case::latin_1(b"caf\xe9", None)]
    fn what_moves_a_terminal_is_found(#[case] text: &[u8], #[case] place: Option<std::ops::Range<usize>>) {
        assert_eq!(controls(text), place.into_iter().collect::<Vec<_>>());
    }
}
