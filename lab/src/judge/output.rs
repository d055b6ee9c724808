//! What the subject said, and what it left behind.

use super::{Comparison, show};
use crate::case::Outcome;
use crate::saying::says;
use lab_invocation::Bytes;
use lab_invocation::evidence::Capture;

pub(super) fn compare(comparison: &mut Comparison<'_>, outcome: &Outcome) {
    let evidence = comparison.evidence;
    contains(comparison, "stderr", &outcome.stderr, &evidence.stderr);
    contains(comparison, "stdout", &outcome.stdout, &evidence.stdout);
    is(comparison, "stderr-is", outcome.stderr_is.as_ref(), &evidence.stderr);
    is(comparison, "stdout-is", outcome.stdout_is.as_ref(), &evidence.stdout);
    let in_one = |datagram: &Bytes| outcome.syslog.iter().all(|text| says(&datagram.0, text.as_bytes()));
    if !outcome.syslog.is_empty() && !evidence.syslog.iter().any(in_one) {
        let expected = quoted(&outcome.syslog);
        let observed = show::list(evidence.syslog.iter().map(show::bytes));
        comparison.differ("syslog", format!("one datagram with {expected}"), observed);
    }
    if outcome.syslog_is_empty && !evidence.syslog.is_empty() {
        comparison.differ("syslog-is-empty", "nothing", show::list(evidence.syslog.iter().map(show::bytes)));
    }
    silence(comparison, outcome);
    if outcome.one_line {
        one_line(comparison);
    }
    if let Some(paths) = &outcome.changes {
        let observed: Vec<&Bytes> = evidence.changes.iter().map(|change| &change.path).collect();
        let mut expected: Vec<&Bytes> = paths.iter().collect();
        expected.sort();
        let mut sorted = observed.clone();
        sorted.sort();
        sorted.dedup();
        if expected != sorted {
            let text = |paths: &[&Bytes]| show::list(paths.iter().map(|path| path.to_text()));
            comparison.differ("changes", text(&expected), text(&sorted));
        }
    }
}

/// A truncated output differs anyway: no subject has reason to say so much (see `invariant`).
fn contains(comparison: &mut Comparison<'_>, field: &str, texts: &[String], capture: &Capture) {
    let missing: Vec<String> = texts.iter().filter(|text| !says(&capture.bytes.0, text.as_bytes())).cloned().collect();
    if !missing.is_empty() {
        comparison.differ(field, format!("contains {}", quoted(&missing)), show::capture(capture));
    }
}

fn is(comparison: &mut Comparison<'_>, field: &str, expected: Option<&Bytes>, capture: &Capture) {
    if let Some(expected) = expected
        && (expected != &capture.bytes || capture.truncated())
    {
        comparison.differ(field, show::bytes(expected), show::capture(capture));
    }
}

fn silence(comparison: &mut Comparison<'_>, outcome: &Outcome) {
    let evidence = comparison.evidence;
    let outputs = [("standard error", &evidence.stderr.bytes), ("standard output", &evidence.stdout.bytes)];
    let outputs = outputs.into_iter().chain(evidence.syslog.iter().map(|datagram| ("syslog", datagram)));
    let mut said = Vec::new();
    for (place, bytes) in outputs {
        let found = outcome.says_nothing_of.iter().filter(|text| has(&bytes.0, &text.0));
        said.extend(found.map(|text| format!("{} on {place}", show::bytes(text))));
    }
    if !said.is_empty() {
        let texts = show::list(outcome.says_nothing_of.iter().map(show::bytes));
        comparison.differ("says-nothing-of", format!("nothing of {texts}"), show::list(said));
    }
}

/// Longest line that a refusal may be, without its end.
const LONGEST_LINE: usize = 900;

/// A line feed ends what is written to standard error, and is no part of a datagram.
fn one_line(comparison: &mut Comparison<'_>) {
    let evidence = comparison.evidence;
    let mut wrong = Vec::new();
    let said = &evidence.stderr.bytes.0;
    if !said.is_empty() && !said.strip_suffix(b"\n").is_some_and(is_line) {
        wrong.push(format!("{} on standard error", show::capture(&evidence.stderr)));
    }
    for datagram in evidence.syslog.iter().filter(|datagram| !is_line(&datagram.0)) {
        wrong.push(format!("{} on syslog", show::bytes(datagram)));
    }
    if !wrong.is_empty() {
        let expected = format!("one line of printable ASCII, at most {LONGEST_LINE} bytes");
        comparison.differ("one-line", expected, show::list(wrong));
    }
}

fn is_line(bytes: &[u8]) -> bool {
    bytes.len() <= LONGEST_LINE && bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn quoted(texts: &[String]) -> String {
    show::list(texts.iter().map(|text| format!("\"{text}\"")))
}

/// Whether `part` is somewhere in `whole`, also inside a word: for what must not be there. An empty part is nowhere.
pub(super) fn has(whole: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && whole.windows(part.len()).any(|window| window == part)
}
