//! The report that people read: one line for each scenario, a grid for a matrix, failures in full once at the end.

use crate::capability::{Capability, Support};
use crate::case::ScenarioInfo;
use crate::report::failure::failure;
use crate::report::grid::{Cell, Cells, grid};
use crate::report::text::{
    BAD, DOUBT, FAINT, GOOD, HEAD, columns, counted, labelled, padded, paint, quoted, seconds, wrapped,
};
use crate::run::event::{CaseFinished, Counts, Event, Machine, ScenarioFinished, Started, Summary};
use crate::run::words::lack;
use crate::verdict::Verdict;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How many failures are shown in full; the others have a line each, and `lab show` shows them all.
const IN_FULL: usize = 20;

/// Makes text of the events of a run.
pub struct Terminal {
    /// How the program is called: `lab`, or `cargo lab` under cargo.
    lab: String,
    width: usize,
    in_full: usize,
    run: String,
    reference: Option<String>,
    id_width: usize,
    /// Scenarios which are not yet printed, in order.
    order: VecDeque<Arc<ScenarioInfo>>,
    cells: BTreeMap<String, Cells>,
    finished: BTreeMap<String, ScenarioFinished>,
    /// Everything that is not a pass, for the end.
    others: Vec<CaseFinished>,
}

impl Terminal {
    /// The record goes by this name on the command line, and not by that of its run.
    #[must_use]
    pub fn named(mut self, reference: Option<String>) -> Self {
        self.reference = reference;
        self
    }

    /// For lines of at most `width` columns. With `all`, every failure is shown in full.
    pub fn new(lab: impl Into<String>, width: usize, all: bool) -> Self {
        Self {
            lab: lab.into(),
            width,
            in_full: if all { usize::MAX } else { IN_FULL },
            run: String::new(),
            reference: None,
            id_width: 0,
            order: VecDeque::new(),
            cells: BTreeMap::new(),
            finished: BTreeMap::new(),
            others: Vec::new(),
        }
    }

    /// The text which an event adds. Scenarios come in the order of the suite, whatever the order of the events.
    pub fn take(&mut self, event: &Event) -> String {
        match event {
            Event::Started(started) => self.started(started),
            Event::Setting(_) => String::new(),
            Event::CaseFinished(case) => {
                if let Some(at) = &case.cell {
                    self.cells.entry(case.scenario.clone()).or_default().insert(at.clone(), Cell::of(case));
                }
                if case.verdict != Verdict::Pass {
                    self.others.push(case.as_ref().clone());
                }
                String::new()
            }
            Event::ScenarioFinished(finished) => {
                self.finished.insert(finished.scenario.clone(), finished.clone());
                let mut out = String::new();
                while let Some(finished) = self.order.front().and_then(|next| self.finished.remove(&next.id)) {
                    if let Some(scenario) = self.order.pop_front() {
                        out.push_str(&self.scenario(&scenario, &finished));
                    }
                }
                out
            }
            Event::Summary(summary) => self.summary(summary),
        }
    }

    /// What a run that was cut off leaves untold: what did not pass.
    pub fn rest(&mut self) -> String {
        let mut out = String::from("\n");
        self.endings(&mut out);
        out
    }

    fn reference(&self) -> &str {
        self.reference.as_deref().unwrap_or(&self.run)
    }

    fn started(&mut self, started: &Started) -> String {
        const WIDEST: usize = 40;
        self.run.clone_from(&started.run);
        self.order = started.scenarios.iter().cloned().collect();
        self.id_width = started.scenarios.iter().map(|each| columns(&each.id)).max().unwrap_or(0).min(WIDEST);
        let machine = &started.machine;
        let mut out = paint(HEAD, &format!("lab {}", started.lab));
        for part in [format!("backend {}", machine.backend), machine.kernel.clone(), format!("run {}", started.run)] {
            out.push_str(" · ");
            out.push_str(&part);
        }
        out.push('\n');
        out.push_str(&preflight(machine, self.width));
        if let Some(profile) = &started.profile {
            out.push_str(&labelled("profile", profile, self.width));
        }
        if started.added_controls > 0 {
            let controls = counted(started.added_controls, "control");
            out.push_str(&labelled(
                "selected",
                &format!("{} of {} cases, with {controls} which they rest on", started.selected, started.cases),
                self.width,
            ));
        }
        out.push('\n');
        out
    }

    /// A title that is too long for what the counts leave of the line goes on below itself.
    fn scenario(&mut self, scenario: &ScenarioInfo, finished: &ScenarioFinished) -> String {
        const NARROWEST: usize = 24;
        let time = seconds(finished.ms);
        let counts: Vec<(&str, usize)> = finished.counts.words().into_iter().filter(|(_, count)| *count > 0).collect();
        let plain: Vec<String> = counts.iter().map(|(word, count)| format!("{count:>3} {word}")).collect();
        let right = columns(&plain.join("  ")) + 2 + columns(&time).max(6);
        let id = padded(&scenario.id, self.id_width);
        let room = self.width.saturating_sub(columns(&id) + 2 + right + 2).max(NARROWEST);
        let mut title = wrapped(&scenario.title, room).into_iter().map(|line| padded(&line, room));
        let coloured: Vec<String> =
            counts.iter().map(|(word, count)| tally(word, &format!("{count:>3} {word}"))).collect();
        let first = title.next().unwrap_or_default();
        let mut out = format!("{}  {first}  {}  {time:>6}\n", paint(HEAD, &id), coloured.join("  "));
        for line in title {
            out.push_str(format!("{}  {line}", padded("", columns(&id))).trim_end());
            out.push('\n');
        }
        if let Some(matrix) = &scenario.matrix {
            let cells = self.cells.remove(&scenario.id).unwrap_or_default();
            out.push_str(&grid(matrix, &cells, self.width));
        }
        out
    }

    fn summary(&mut self, summary: &Summary) -> String {
        let mut out = String::from("\n");
        self.endings(&mut out);
        for complaint in &summary.complaints {
            out.push_str(&format!("{}  {complaint}\n\n", paint(BAD, "COMPLAINT")));
        }
        out.push_str(&totals(summary, self.width));
        out
    }

    fn endings(&self, out: &mut String) {
        self.failures(out);
        for (head, wanted) in [
            ("KNOWN FAILURE", "known failure"),
            ("UNEXPECTED PASS", "unexpected pass"),
            ("UNRESOLVED", "unresolved"),
            ("UNSUPPORTED", "unsupported"),
        ] {
            self.grouped(out, head, wanted);
        }
    }

    fn failures(&self, out: &mut String) {
        let mut failed: Vec<&CaseFinished> =
            self.others.iter().filter(|case| matches!(case.verdict, Verdict::Fail { .. })).collect();
        // Workers finish in any order; the report should not change with it.
        failed.sort_by(|a, b| a.id.cmp(&b.id));
        for case in failed.iter().take(self.in_full) {
            out.push_str(&failure(case, &self.lab, self.reference(), self.width));
            out.push('\n');
        }
        let rest = failed.len().saturating_sub(self.in_full);
        if rest > 0 {
            for case in &failed[self.in_full..] {
                let why: Vec<&str> = case.diagnoses.iter().map(|each| each.code.as_str()).collect();
                out.push_str(&format!("{}  {}  {}\n", paint(BAD, "FAIL"), case.id, why.join(", ")));
            }
            out.push_str(&format!(
                "{rest} failures in short; in full: {} show {}\n\n",
                self.lab,
                quoted(self.reference())
            ));
        }
    }

    /// Cases with the same reason share one paragraph.
    fn grouped(&self, out: &mut String, head: &str, wanted: &str) {
        let mut groups: BTreeMap<String, Vec<&CaseFinished>> = BTreeMap::new();
        for case in self.others.iter().filter(|case| crate::run::words::word(&case.verdict) == wanted) {
            let because = match &case.verdict {
                Verdict::Unresolved { because } => because.clone(),
                Verdict::Unsupported { needs, because } => lack(*needs, because),
                Verdict::KnownFailure { reason, .. } => format!("waived: {reason}"),
                Verdict::UnexpectedPass { reason } => format!("waived, but it passed: {reason}; remove the waiver"),
                Verdict::Pass | Verdict::Fail { .. } => continue,
            };
            groups.entry(because).or_default().push(case);
        }
        for (because, mut cases) in groups {
            cases.sort_by(|a, b| a.id.cmp(&b.id));
            const NAMED: usize = 3;
            let style = if wanted == "unexpected pass" { BAD } else { DOUBT };
            out.push_str(&format!("{}  {}\n", paint(style, head), counted(cases.len(), "case")));
            out.push_str(&labelled("because", &because, self.width));
            for case in cases.iter().take(NAMED) {
                out.push_str(&labelled("", &case.id.0, usize::MAX));
            }
            if cases.len() > NAMED {
                out.push_str(&labelled("", &format!("and {} more", cases.len() - NAMED), self.width));
            }
            out.push('\n');
        }
    }
}

/// What the backend can do here, and what it cannot with the reason.
pub fn preflight(machine: &Machine, width: usize) -> String {
    let has = |capability: &&Capability| machine.capabilities.get(*capability) == Some(&Support::Yes);
    let yes: Vec<String> = Capability::ALL.iter().filter(has).map(|each| format!("{each}\u{a0}✓")).collect();
    let mut out = if yes.is_empty() {
        String::new()
    } else {
        labelled("preflight", &yes.join(", "), width).replace('\u{a0}', " ")
    };
    let mut lacking: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (capability, support) in &machine.capabilities {
        if let Some(why) = support.why_not() {
            lacking.entry(why).or_default().push(capability.name());
        }
    }
    // One reason is told once, however much is lacking for it.
    for (because, names) in lacking {
        let what = if names.len() == Capability::ALL.len() { "everything".to_owned() } else { names.join(", ") };
        out.push_str(&labelled("without", &format!("{what}\u{a0}✗ {because}"), width).replace('\u{a0}', " "));
    }
    out
}

fn tally(word: &str, text: &str) -> String {
    let style = match word {
        "pass" => GOOD,
        "fail" | "unexpected pass" => BAD,
        "unresolved" => DOUBT,
        _ => FAINT,
    };
    paint(style, text)
}

/// The last lines but the name of the record.
fn totals(summary: &Summary, width: usize) -> String {
    let Counts { pass, fail, unresolved, unsupported, known_failure, unexpected_pass } = summary.counts;
    let mut parts = vec![
        tally("pass", &format!("{pass} pass")),
        tally(if fail > 0 { "fail" } else { "" }, &format!("{fail} fail")),
        tally(if unresolved > 0 { "unresolved" } else { "" }, &format!("{unresolved} unresolved")),
        tally("", &format!("{unsupported} unsupported")),
    ];
    if known_failure > 0 {
        parts.push(tally("", &counted(known_failure, "known failure")));
    }
    if unexpected_pass > 0 {
        parts.push(tally("unexpected pass", &format!("{unexpected_pass} unexpected pass")));
    }
    let total = summary.counts.total() + summary.not_run;
    let verdicts = parts.join("   ");
    let rest = format!(
        "of {}, {} of {} held     {}",
        counted(total, "case"),
        summary.controls_held,
        counted(summary.controls, "control"),
        seconds(summary.ms)
    );
    let plain = anstream::adapter::strip_str(&verdicts).to_string();
    let gap = if columns(&plain) + 5 + columns(&rest) <= width { "     " } else { "\n" };
    let mut out = format!("{verdicts}{gap}{rest}\n");
    if summary.not_run > 0 {
        let why = if summary.interrupted { "interrupted" } else { "stopped at the first failure" };
        out.push_str(&format!("{}: {} did not run\n", why, counted(summary.not_run, "case")));
    }
    out
}
