//! What a campaign says: one line while it runs, each finding in full, and counts at the end.

use crate::fuzz::campaign::{Finding, Mode, Tally};
use crate::fuzz::execute::Judged;
use crate::fuzz::prove::Row;
use crate::report::output::WIDTH;
use crate::report::text::{BAD, HEAD, counted, labelled, paint, quoted};
use crate::run::words::observed;
use lab_invocation::Attempt;
use lab_invocation::text::encode;
use std::fmt::Write as _;

/// How far it is.
pub(crate) fn status(tally: &Tally) -> String {
    format!(
        "{:>5.0}s  {} executions  {:.0}/s  corpus {}  properties {}  findings {}",
        tally.elapsed.as_secs_f64(),
        tally.executions,
        tally.rate(),
        tally.corpus,
        tally.exercised.len(),
        tally.findings.len()
    )
}

/// A finding: how the subject was started, what was seen, who had which ids, why. `judged` is one more execution of it.
pub(crate) fn finding(finding: &Finding, judged: Option<&Judged>, lab: &str) -> String {
    let word = if finding.confirmed { "FINDING" } else { "FLAKY" };
    let mut out = format!("\n{}  {}\n", paint(BAD, word), paint(HEAD, &finding.key.to_string()));
    let when = format!("execution {}, after {:.1}s", finding.execution, finding.after.as_secs_f64());
    out.push_str(&labelled("first in", &when, WIDTH));
    out.push_str(&attempt(&finding.attempt));
    if let Some(judged) = judged {
        out.push_str(&execution(judged));
    }
    if let Some(name) = finding.file.as_deref().and_then(|file| file.file_name()) {
        let name = name.to_string_lossy();
        out.push_str(&labelled("again", &format!("{lab} fuzz replay {}", quoted(&name)), usize::MAX));
    }
    out
}

/// An attempt, literally: its text without what the installation is sealed with and what groups are called.
pub(crate) fn attempt(attempt: &Attempt) -> String {
    let text = encode(attempt);
    let start = text.find("\nuid ").map_or(0, |at| at + 1);
    let mut out = String::new();
    for line in text[start..].lines() {
        let _ = writeln!(out, "    {line}");
    }
    out
}

/// What one execution showed, with the credential ledger and the diagnoses.
pub(crate) fn execution(judged: &Judged) -> String {
    let mut out = labelled("expected", &format!("{} (the model)", judged.outcome), WIDTH);
    out.push_str(&labelled("observed", &observed(&judged.evidence), WIDTH));
    for difference in &judged.differences {
        let text = format!("{}: expected {}, observed {}", difference.field, difference.expected, difference.observed);
        out.push_str(&labelled("differs", &text, WIDTH));
    }
    let (ledger, diagnoses) = judged.explained();
    for line in ledger.to_string().lines() {
        let _ = writeln!(out, "  {line}");
    }
    for diagnosis in diagnoses {
        let text = format!("{} ({}): {}", diagnosis.code, diagnosis.certainty, diagnosis.cause);
        out.push_str(&labelled("why", &text, WIDTH));
    }
    out
}

/// The counts at the end.
pub(crate) fn summary(tally: &Tally) -> String {
    let untried: u64 = tally.untried.values().sum();
    let unjudged: u64 = tally.unjudged.values().sum();
    let list = |counts: &mut dyn Iterator<Item = (&str, u64)>| {
        let words: Vec<String> = counts.map(|(name, count)| format!("{name} {count}")).collect();
        if words.is_empty() { "none".to_owned() } else { words.join("  ") }
    };
    let mut out = String::from("\n");
    let executions = format!(
        "{} in {:.1}s, {:.0} a second; {} judged, {unjudged} not to be judged, {untried} not tried here",
        tally.executions,
        tally.elapsed.as_secs_f64(),
        tally.rate(),
        tally.judged()
    );
    out.push_str(&labelled("executed", &executions, WIDTH));
    out.push_str(&labelled("outcomes", &list(&mut tally.outcomes.iter().map(|(name, count)| (*name, *count))), WIDTH));
    let exercised = list(&mut tally.exercised.iter().map(|(name, count)| (*name, *count)));
    out.push_str(&labelled("exercised", &exercised, WIDTH));
    for (what, reasons) in [("untried", &tally.untried), ("unjudged", &tally.unjudged)] {
        let mut most: Vec<(&String, &u64)> = reasons.iter().collect();
        most.sort_by(|one, other| other.1.cmp(one.1));
        for (reason, count) in most.into_iter().take(3) {
            out.push_str(&labelled(what, &format!("{count}: {reason}"), WIDTH));
        }
    }
    let flaky = tally.findings.iter().filter(|finding| !finding.confirmed).count();
    let confirmed = tally.findings.len() - flaky;
    let kept = format!("{} kept", counted(tally.corpus, "attempt"));
    out.push_str(&labelled("corpus", &kept, WIDTH));
    let doubt = if flaky > 0 { format!(", and {flaky} that shows only now and then") } else { String::new() };
    out.push_str(&labelled("findings", &format!("{confirmed}{doubt}"), WIDTH));
    out
}

/// The head of the table of detections.
pub(crate) fn prove_head(cap: u64, seeds: u64) -> String {
    format!(
        "Executions until the first confirmed finding, and seconds: the median of {}, each of at most {cap}.\n\n\
         {:<34}{:>20}{:>20}\n",
        counted(usize::try_from(seeds).unwrap_or(usize::MAX), "run"),
        "subject",
        "novelty",
        "blind"
    )
}

/// One row of it.
pub(crate) fn prove_row(row: &Row, cap: u64) -> String {
    let cell = |mode| match row.median(mode, cap) {
        None => "-".to_owned(),
        Some((_, None)) if row.sound => format!("none in {cap}"),
        Some((_, None)) => format!("> {cap}"),
        Some((executions, Some(after))) => format!("{executions} ({:.1}s)", after.as_secs_f64()),
    };
    let wrong = if row.false_finding().is_some() { "  WRONG: it is sound" } else { "" };
    format!("{:<34}{:>20}{:>20}{wrong}\n", row.subject, cell(Mode::Novelty), cell(Mode::Blind))
}

/// Its last lines.
pub(crate) fn prove_end(rows: &[Row], found: usize) -> String {
    let flawed = rows.iter().filter(|row| !row.sound).count();
    let blind = rows.iter().filter(|row| !row.sound && row.found(Mode::Blind)).count();
    let mut out = format!("\n{found} of {flawed} found in every run with novelty, {blind} blind\n");
    for row in rows {
        if let Some(key) = row.false_finding() {
            let _ = writeln!(out, "{} is sound, and there was: {key}", row.subject);
        }
    }
    out
}
