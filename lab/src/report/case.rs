//! One recorded case in full: who started what, how, and everything that was observed.

use crate::case::Case;
use crate::diagnose::ledger;
use crate::report::failure::failure;
use crate::report::text::{HEAD, labelled, paint, quoted};
use crate::run::event::{CaseFinished, Setting};
use crate::run::words::{lack, observed, word};
use crate::verdict::Verdict;
use lab_invocation::evidence::{Capture, Change, ChangeKind, WitnessReport};
use lab_invocation::invocation::Stdin;
use lab_invocation::{Bytes, Evidence, Invocation};
use std::fmt::Write as _;

/// The text.
pub fn details(done: &CaseFinished, case: &Case, setting: &Setting, lab: &str, run: &str, width: usize) -> String {
    let mut out = String::new();
    if matches!(done.verdict, Verdict::Fail { .. } | Verdict::KnownFailure { .. }) {
        out.push_str(&failure(done, lab, run, width));
    } else {
        let _ = writeln!(out, "{}  {}", word(&done.verdict).to_uppercase(), paint(HEAD, &done.id.0));
        out.push_str(&labelled("expected", &done.expected, width));
        match &done.verdict {
            Verdict::Unresolved { because } => out.push_str(&labelled("because", because, width)),
            Verdict::Unsupported { needs, because } => {
                out.push_str(&labelled("without", &lack(*needs, because), width));
            }
            Verdict::UnexpectedPass { reason } => out.push_str(&labelled("waived", reason, width)),
            _ => {}
        }
        if let Some(evidence) = &done.evidence {
            out.push_str(&labelled("observed", &observed(evidence), width));
            out.push('\n');
            for line in ledger(case, evidence).to_string().lines() {
                let _ = writeln!(out, "  {line}");
            }
        }
        out.push('\n');
        let again = format!("{lab} replay {}", quoted(&format!("{run}/{}", done.id)));
        out.push_str(&labelled("again", &again, usize::MAX));
    }
    let _ = writeln!(out, "\n{}", paint(HEAD, "invocation"));
    out.push_str(&invocation(&done.invocation, done, setting, width));
    if let Some(evidence) = &done.evidence {
        let _ = writeln!(out, "\n{}", paint(HEAD, "evidence"));
        out.push_str(&observations(evidence, width));
    }
    out
}

fn words<'a>(list: impl Iterator<Item = &'a Bytes>) -> String {
    list.map(|each| quoted(&each.to_text())).collect::<Vec<_>>().join(" ")
}

fn invocation(invocation: &Invocation, done: &CaseFinished, setting: &Setting, width: usize) -> String {
    let (names, subject, identity) = (&setting.names, &done.subject, &invocation.identity);
    let groups: Vec<String> = identity.groups.iter().map(|&gid| names.group(gid)).collect();
    let user = format!("{}, group {}", names.user(identity.uid), names.group(identity.gid));
    let installed = format!(
        "{} {:04o}, owner {}, group {}",
        subject.path,
        subject.mode,
        names.user(subject.owner),
        names.group(subject.group)
    );
    let trusts = &subject.policy.trusts;
    let program = if subject.is_tool() {
        subject.program.clone()
    } else {
        format!("{}, which trusts {} {}", subject.program, trusts.name, trusts.gid)
    };
    let stdin = match &invocation.stdin {
        Stdin::Bytes(bytes) => format!("{} bytes", bytes.0.len()),
        other => format!("{other:?}").to_lowercase(),
    };
    let mut rows = vec![("subject", program), ("installed", installed), ("invoker", user)];
    if identity.effective_gid != identity.gid {
        rows.push(("", format!("effective group {}", names.group(identity.effective_gid))));
    }
    if !groups.is_empty() {
        rows.push(("", format!("supplementary groups {}", groups.join(", "))));
    }
    rows.extend([
        ("program", invocation.program.to_text()),
        ("argv", words(invocation.argv.iter())),
        ("env", words(invocation.env.iter())),
        ("stdin", stdin),
        ("umask", format!("{:03o}", invocation.umask)),
    ]);
    rows.iter().map(|(label, text)| labelled(label, text, width)).collect()
}

fn observations(evidence: &Evidence, width: usize) -> String {
    let mut out = String::new();
    for (label, capture) in [("stdout", &evidence.stdout), ("stderr", &evidence.stderr)] {
        out.push_str(&labelled(label, &captured(capture), width));
    }
    for datagram in &evidence.syslog {
        out.push_str(&labelled("syslog", &datagram.to_text(), width));
    }
    for report in &evidence.witness {
        out.push_str(&script(report, width));
    }
    for change in &evidence.changes {
        out.push_str(&labelled("changed", &changed(change), width));
    }
    if evidence.strays > 0 {
        out.push_str(&labelled("strays", &format!("{} processes were left and killed", evidence.strays), width));
    }
    let times = format!("{} µs to set up, {} µs from exec to end", evidence.setup_us, evidence.run_us);
    out.push_str(&labelled("time", &times, width));
    out
}

fn captured(capture: &Capture) -> String {
    let lines: Vec<String> =
        capture.bytes.as_slice().split(|&byte| byte == b'\n').map(|line| Bytes::from(line).to_text()).collect();
    match (capture.total, capture.truncated()) {
        (0, _) => "nothing".to_owned(),
        (_, false) => lines.join("\n"),
        (total, true) => format!("{}\n… {total} bytes in all", lines.join("\n")),
    }
}

fn script(report: &WitnessReport, width: usize) -> String {
    let numbers = |set: &std::collections::BTreeSet<u32>| set.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let open: Vec<String> = report.descriptors.iter().map(|each| format!("{} {}", each.number, each.target)).collect();
    let mut rows = vec![
        ("script", report.exec_path.to_text()),
        ("  argv", words(report.argv.iter())),
        ("  env", words(report.env.iter())),
        ("  open", open.join("; ")),
        ("  umask", format!("{:03o}", report.umask)),
        ("  cwd", report.cwd.to_text()),
    ];
    for (label, set) in [("  ignored", &report.ignored), ("  blocked", &report.blocked), ("  pending", &report.pending)]
    {
        if !set.is_empty() {
            rows.push((label, format!("signals {}", numbers(set))));
        }
    }
    for regained in &report.regained {
        let kind = format!("{:?}", regained.kind).to_lowercase();
        rows.push(("  regained", format!("{kind} {} by {}", regained.number, regained.call)));
    }
    rows.iter().map(|(label, text)| labelled(label, text, width)).collect()
}

fn changed(change: &Change) -> String {
    match &change.kind {
        ChangeKind::Added { state } => format!("{} is new, mode {:o}, {} bytes", change.path, state.mode, state.size),
        ChangeKind::Removed => format!("{} is gone", change.path),
        ChangeKind::Modified { before, after } => format!(
            "{}: mode {:o}, {} bytes; before, mode {:o}, {} bytes",
            change.path, after.mode, after.size, before.mode, before.size
        ),
    }
}
