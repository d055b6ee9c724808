//! One failed case in full: what was expected and observed, who had which ids, why, what can be done, what to type next.

use crate::case::Outcome;
use crate::finding::{Certainty, Diagnosis};
use crate::report::text::{BAD, HEAD, LABEL, columns, labelled, paint, quoted, wrapped};
use crate::run::event::CaseFinished;
use crate::run::words::observed;
use crate::scenario::vocabulary::signal_name;
use crate::verdict::{Difference, Verdict};
use lab_invocation::Evidence;
use std::fmt::Write as _;

/// The text. `lab` is how the program is called; `run` is the name of the run.
pub(crate) fn failure(case: &CaseFinished, lab: &str, run: &str, width: usize) -> String {
    let (head, differences): (&str, &[Difference]) = match &case.verdict {
        Verdict::Fail { differences } => ("FAIL", differences),
        Verdict::KnownFailure { differences, .. } => ("KNOWN FAILURE", differences),
        _ => return String::new(),
    };
    let mut out = format!("{}  {}\n", paint(BAD, head), paint(HEAD, &case.id.0));
    out.push_str(&labelled("expected", &format!("{}: {}", case.expected, outcome(&case.outcome)), width));
    if let Some(evidence) = &case.evidence {
        out.push_str(&labelled("observed", &observed(evidence), width));
    }
    out.push('\n');
    if let Some(ledger) = &case.ledger {
        for line in ledger.to_string().lines() {
            let _ = writeln!(out, "  {line}");
        }
        out.push('\n');
    }
    for difference in differences {
        let Difference { field, expected, observed } = difference;
        out.push_str(&labelled("differs", &format!("{field}: expected {expected}, observed {observed}"), width));
    }
    if let Some(text) = case.evidence.as_ref().and_then(said) {
        out.push_str(&labelled("it said", &text, width));
    }
    let mut letters = 'A'..='Z';
    for diagnosis in &case.diagnoses {
        out.push('\n');
        why(&mut out, diagnosis, width);
        for remedy in &diagnosis.remedies {
            out.push('\n');
            let letter = letters.next().unwrap_or('?');
            fix(&mut out, letter, remedy, width);
        }
    }
    let _ = writeln!(out);
    out.push_str(&labelled("again", &format!("{lab} replay {}", quoted(&format!("{run}/{}", case.id))), usize::MAX));
    if let Some(diagnosis) = case.diagnoses.first() {
        let page = format!("lab explain {}", diagnosis.code);
        for (label, command) in [("next", diagnosis.next.as_str()), ("more", page.as_str())] {
            if label == "more" || command != page {
                out.push_str(&labelled(label, &called(command, lab), usize::MAX));
            }
        }
    }
    out
}

/// A command with this program called as the user calls it.
pub(crate) fn called(command: &str, lab: &str) -> String {
    match command.strip_prefix("lab ") {
        Some(rest) => format!("{lab} {rest}"),
        None => command.to_owned(),
    }
}

fn why(out: &mut String, diagnosis: &Diagnosis, width: usize) {
    let certainty = match diagnosis.certainty {
        Certainty::Certain => "certain",
        Certainty::Likely => "likely",
        Certainty::Possible => "possible",
    };
    out.push_str(&labelled("why", &format!("{} ({certainty})", diagnosis.code), width));
    out.push_str(&labelled("", &diagnosis.cause, width));
    for observation in &diagnosis.seen {
        out.push_str(&labelled("seen", &format!("{} [{}]", observation.shows, observation.source), width));
    }
}

/// A remedy with its price.
pub(crate) fn fix(out: &mut String, letter: char, remedy: &crate::finding::Remedy, width: usize) {
    let label = format!("fix {letter}");
    let room = width.saturating_sub(LABEL);
    // The price stands at the end of the line if both fit, else below.
    if columns(&remedy.what) + 3 + columns(&remedy.price) <= room {
        let gap = room - columns(&remedy.what) - columns(&remedy.price);
        let line = format!("{}{}{}", remedy.what, " ".repeat(gap), remedy.price);
        let _ = writeln!(out, "  {label:<width$}{line}", width = LABEL - 2);
    } else {
        out.push_str(&labelled(&label, &remedy.what, width));
        out.push_str(&labelled("  price", &remedy.price, width));
    }
    for step in &remedy.how {
        for line in wrapped(step, room) {
            let _ = writeln!(out, "{}{line}", " ".repeat(LABEL));
        }
    }
}

/// The parts of an outcome that say how the subject ends.
fn outcome(outcome: &Outcome) -> String {
    let mut parts = Vec::new();
    if let Some(status) = outcome.exit {
        parts.push(format!("exit {status}"));
    }
    if let Some(signal) = outcome.signal {
        parts.push(format!("killed by {}", signal_name(signal)));
    }
    if let Some(errno) = outcome.exec_error {
        parts.push(format!("execve fails with {}", std::io::Error::from_raw_os_error(errno)));
    }
    if outcome.ended_before_main {
        parts.push("ends before main".to_owned());
    }
    match outcome.script.as_ref().and_then(|script| script.started) {
        Some(true) => parts.push("the script starts".to_owned()),
        Some(false) => parts.push("the script does not start".to_owned()),
        None => {}
    }
    if parts.is_empty() { "as the scenario says".to_owned() } else { parts.join(", ") }
}

/// The first lines of what the subject wrote on standard error.
fn said(evidence: &Evidence) -> Option<String> {
    const LINES: usize = 4;
    let bytes = evidence.stderr.bytes.as_slice();
    let lines: Vec<String> = bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .take(LINES)
        .map(|line| lab_invocation::Bytes::from(line).to_text())
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
