//! What the script was given, as its witness reports.

use super::{Comparison, show};
use crate::case::Script;
use crate::scenario::vocabulary::{self, LIMITS};
use lab_invocation::evidence::WitnessReport;
use lab_invocation::{Bytes, Gid};
use std::collections::{BTreeMap, BTreeSet};

/// `RLIMIT_CORE`. See getrlimit(2).
const CORE: u32 = 4;

/// Positions in [`WitnessReport::capabilities`].
const INHERITABLE: usize = 0;
const AMBIENT: usize = 4;

pub(super) fn compare(comparison: &mut Comparison<'_>, expected: &Script) {
    let evidence = comparison.evidence;
    let (reports, unfinished) = (&evidence.witness, evidence.witness_unfinished);
    let started = || match (reports.len(), unfinished) {
        (0, 0) => "no script started".to_owned(),
        (1, 0) => "it started".to_owned(),
        (0, 1) => "it started, and ended before it could report".to_owned(),
        (reported, unfinished) => format!("it started {reported} times, and {unfinished} times more without a report"),
    };
    match (expected.started, reports.len(), unfinished) {
        (Some(true), 1, 0) | (Some(false), 0, 0) | (None, ..) => {}
        (Some(true), ..) => comparison.differ("script.started", "it starts, once", started()),
        (Some(false), ..) => comparison.differ("script.started", "no script starts", started()),
    }
    let Some(report) = reports.first() else { return };
    ids(comparison, expected, report);
    start(comparison, expected, report);
    room(comparison, expected, report);
    traces(comparison, expected, report);
}

fn ids(comparison: &mut Comparison<'_>, expected: &Script, report: &WitnessReport) {
    let names = &comparison.case.names;
    let gid = &report.credentials.gid;
    for (field, expected, observed) in [
        ("script.real-gid", &expected.real_gid, &gid.real),
        ("script.effective-gid", &expected.effective_gid, &gid.effective),
        ("script.saved-gid", &expected.saved_gid, &gid.saved),
    ] {
        if let Some(expected) = expected {
            comparison.equal(field, expected, observed, |gid| names.group(*gid));
        }
    }
    if let Some(expected) = &expected.uid {
        let uid = &report.credentials.uid;
        for (which, observed) in [("real", uid.real), ("effective", uid.effective), ("saved", uid.saved)] {
            if observed != *expected {
                let observed = format!("{which} {}", names.user(observed));
                comparison.differ("script.uid", names.user(*expected), observed);
            }
        }
    }
    if let Some(expected) = &expected.groups {
        let observed: BTreeSet<Gid> = report.credentials.groups.iter().copied().collect();
        comparison
            .equal("script.groups", expected, &observed, |set| show::list(set.iter().map(|&gid| names.group(gid))));
    }
}

fn start(comparison: &mut Comparison<'_>, expected: &Script, report: &WitnessReport) {
    if let Some(expected) = &expected.path {
        comparison.equal("script.path", expected, &report.exec_path, show::bytes);
    }
    if let Some(expected) = &expected.argv {
        comparison.equal("script.argv", expected, &report.argv, |argv| show::list(argv.iter().map(show::bytes)));
    }
    if let Some(expected) = &expected.env {
        let wanted = show::list(expected.iter().map(|(name, value)| format!("{name}={value}")));
        let observed = || show::list(report.env.iter().map(Bytes::to_text));
        match variables(&report.env) {
            Some(found) if found == *expected => {}
            _ => comparison.differ("script.env", wanted, observed()),
        }
    }
}

/// The environment as a map; `None` if an entry is malformed or a name comes twice.
fn variables(env: &[Bytes]) -> Option<BTreeMap<Bytes, Bytes>> {
    let mut map = BTreeMap::new();
    for entry in env {
        let at = entry.0.iter().position(|&byte| byte == b'=')?;
        let (name, value) = (Bytes::from(&entry.0[..at]), Bytes::from(&entry.0[at + 1..]));
        if map.insert(name, value).is_some() {
            return None;
        }
    }
    Some(map)
}

fn room(comparison: &mut Comparison<'_>, expected: &Script, report: &WitnessReport) {
    if let Some(expected) = &expected.open_fds {
        let observed: BTreeSet<u32> = report.descriptors.iter().map(|descriptor| descriptor.number).collect();
        if *expected != observed {
            let found = report.descriptors.iter().map(|open| format!("{} ({})", open.number, open.target));
            comparison.differ("script.open-fds", show::list(expected.iter().map(u32::to_string)), show::list(found));
        }
    }
    if let Some(expected) = expected.standard_fds_usable {
        usable(comparison, expected, report);
    }
    if let Some(expected) = &expected.umask {
        comparison.equal("script.umask", expected, &report.umask, |umask| format!("{umask:03o}"));
    }
    if let Some(expected) = &expected.cwd {
        comparison.equal("script.cwd", expected, &report.cwd, show::bytes);
    }
    for (field, expected, observed) in [
        ("script.ignored-signals", &expected.ignored_signals, &report.ignored),
        ("script.blocked-signals", &expected.blocked_signals, &report.blocked),
        ("script.pending-signals", &expected.pending_signals, &report.pending),
    ] {
        if let Some(expected) = expected {
            comparison.equal(field, expected, observed, |set| show::signals(set));
        }
    }
}

/// Access modes are those of open(2): 0 reads, 1 writes, 2 does both.
fn usable(comparison: &mut Comparison<'_>, expected: bool, report: &WitnessReport) {
    const USES: [(u32, &str, u32); 3] = [(0, "read", 0), (1, "written", 1), (2, "written", 1)];
    let access = |number| report.descriptors.iter().find(|open| open.number == number).map(|open| open.access);
    let unusable: Vec<String> = USES
        .iter()
        .filter(|(number, _, wanted)| access(*number).is_none_or(|access| access != *wanted && access != 2))
        .map(|(number, use_, _)| format!("{number} cannot be {use_}"))
        .collect();
    if unusable.is_empty() != expected {
        let wanted = if expected { "0 can be read, 1 and 2 written" } else { "one of 0, 1 and 2 is of no use" };
        comparison.differ("script.standard-fds-usable", wanted, show::list(unusable));
    }
}

fn traces(comparison: &mut Comparison<'_>, expected: &Script, report: &WitnessReport) {
    if let Some(expected) = expected.core_limit {
        let text = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
        match report.limits.iter().find(|(resource, ..)| *resource == CORE) {
            Some((_, soft, hard)) if (*soft, *hard) == (Some(expected), Some(expected)) => {}
            Some((_, soft, hard)) => {
                let observed = format!("soft {}, hard {}", text(*soft), text(*hard));
                comparison.differ("script.core-limit", format!("soft and hard {expected}"), observed);
            }
            None => comparison.missing("the script's RLIMIT_CORE was not read"),
        }
    }
    for (resource, expected) in expected.soft_limits.iter().flatten() {
        let name = vocabulary::name(LIMITS, *resource).unwrap_or("unknown");
        match report.limits.iter().find(|(other, ..)| other == resource) {
            Some((_, soft, _)) if *soft == Some(*expected) => {}
            Some((_, soft, _)) => {
                let observed = soft.map_or_else(|| "unlimited".to_owned(), |soft| soft.to_string());
                comparison.differ("script.soft-limits", format!("{name} {expected}"), format!("{name} {observed}"));
            }
            None => comparison.missing(format!("the script's limit {name} was not read")),
        }
    }
    if let Some(expected) = &expected.no_new_privs {
        comparison.equal("script.no-new-privs", expected, &report.no_new_privs, bool::to_string);
    }
    if let Some(expected) = expected.timers_off {
        let running: Vec<&str> = ["ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF"]
            .into_iter()
            .zip(report.timers_us)
            .filter_map(|(name, left)| (left > 0).then_some(name))
            .collect();
        if running.is_empty() != expected {
            let wanted = if expected { "no timer runs" } else { "a timer runs" };
            comparison.differ("script.timers-off", wanted, show::list(running.into_iter().map(str::to_owned)));
        }
    }
    if let Some(expected) = &expected.timer_slack_ns {
        comparison.equal("script.timer-slack", expected, &report.timer_slack_ns, |slack| format!("{slack} ns"));
    }
    if let Some(expected) = expected.no_capabilities {
        let left = report.capabilities[INHERITABLE] | report.capabilities[AMBIENT];
        if (left == 0) != expected {
            let [inheritable, .., ambient] = report.capabilities;
            let wanted = if expected { "no inheritable, no ambient capability" } else { "inheritable or ambient ones" };
            comparison.differ(
                "script.no-capabilities",
                wanted,
                format!("inheritable {inheritable:#x}, ambient {ambient:#x}"),
            );
        }
    }
    if let Some(expected) = expected.nothing_regained
        && report.regained.is_empty() != expected
    {
        let back = report.regained.iter().map(|back| format!("{:?} {} by {}", back.kind, back.number, back.call));
        let wanted = if expected { "no identity comes back" } else { "an identity comes back" };
        comparison.differ("script.nothing-regained", wanted, show::list(back).to_lowercase());
    }
    if let Some(expected) = &expected.stdin {
        // What was cut off cannot be compared; the length can.
        let length = expected.0.len() as u64;
        if !expected.0.starts_with(&report.stdin.bytes.0) || report.stdin.total != length {
            comparison.differ("script.stdin", show::bytes(expected), show::capture(&report.stdin));
        }
    }
}
