//! Verdicts of deploy scenarios: one for what the server gives the witness, and one for what becomes of a wrapper. A failed
//! control leaves nothing of its file passed, and what could not be tried is unresolved: silence is no success.

use super::Outcome;
use super::remedy::Proofs;
use crate::problem::Problem;
use crate::run::exit::Exit;
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;
use std::fmt;

/// Width of what stands before a line that explains.
const INDENT: &str = "             ";

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Pass,
    Fail,
    Unresolved,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Unresolved => "UNRESOLVED",
        })
    }
}

/// Changes whenever a field of the JSON lines changes its meaning or goes away; new fields do not change it.
const VERSION: u32 = 1;

/// A line for programs.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    /// First.
    Started { version: u32, run: &'a str },
    /// One verdict: of what, and what is said of it.
    Verdict { scenario: &'a str, name: &'a str, verdict: Verdict, says: &'a [&'a str] },
    /// Last. A stream without it was cut off.
    Summary { pass: usize, fail: usize, unresolved: usize, remedies: usize, proven: usize, exit: u8 },
}

impl Line<'_> {
    /// Its text; these are words and numbers, which JSON can all hold.
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// What all files came to so far.
#[derive(Debug)]
pub struct Judged {
    report: Report,
    lines: String,
    counts: [usize; 3],
    proven: usize,
    tried: usize,
}

impl Judged {
    /// Nothing yet, of a run.
    pub fn new(run: &str) -> Self {
        let report = Report::new(format!("lab deploy {run}"));
        Self { report, lines: Line::Started { version: VERSION, run }.text(), counts: [0; 3], proven: 0, tried: 0 }
    }

    /// Takes what one file came to, with what kept the rest of it from being asked, and says it.
    pub fn take(&mut self, id: &str, title: &str, outcomes: &[Outcome], problem: Option<&Problem>) -> String {
        let mut text = format!("{id}  {title}\n");
        let mut suite = TestSuite::new(id.to_owned());
        let fallen = outcomes.iter().any(|outcome| outcome.control && !outcome.differences.is_empty());
        outcomes.iter().for_each(|outcome| text.push_str(&self.outcome(&mut suite, outcome, fallen)));
        if let Some(problem) = problem {
            let because = problem.to_string();
            text.push_str(&self.one(&mut suite, "the server", Verdict::Unresolved, None, because.lines()));
        }
        self.report.add_test_suite(suite);
        text
    }

    fn outcome(&mut self, suite: &mut TestSuite, outcome: &Outcome, fallen: bool) -> String {
        let verdict = match (outcome.differences.is_empty(), fallen && !outcome.control) {
            (false, _) => Verdict::Fail,
            (true, true) => Verdict::Unresolved,
            (true, false) => Verdict::Pass,
        };
        let identity = identity(outcome);
        let doubt = (verdict == Verdict::Unresolved).then_some("as stated, but a control of this file is not");
        let lines = outcome.differences.iter().flat_map(|difference| difference.lines()).chain(doubt);
        let mut text = self.one(suite, &outcome.name, verdict, Some(&identity), lines);
        if outcome.untried {
            let because = ["not tried: a case of this file is not as stated, or could not be asked"];
            text.push_str(&self.one(suite, "…and a wrapper", Verdict::Unresolved, None, because.into_iter()));
        }
        if let Some(differences) = &outcome.without_bit {
            let verdict = if differences.is_empty() { Verdict::Pass } else { Verdict::Fail };
            let what = "…and a wrapper that trusts that group: refused, its bit does not act";
            let lines = differences.iter().flat_map(|difference| difference.lines());
            text.push_str(&self.one(suite, what, verdict, None, lines));
        }
        if let Some(proofs) = &outcome.mismatch {
            let verdict = if proofs.hold() { Verdict::Pass } else { Verdict::Fail };
            self.tried += proofs.tried().count();
            self.proven += proofs.tried().filter(|proof| proof.missing.is_empty()).count();
            let what = format!("…and a wrapper that trusts {}: refused", proofs.trusts);
            // What is wrong stands first, and is the message of a report.
            let (wrong, all) = mended(proofs);
            let lines = wrong.iter().chain(&all).map(String::as_str);
            text.push_str(&self.one(suite, &what, verdict, None, lines));
        }
        text
    }

    /// One verdict: its text, and the same for JUnit.
    fn one<'a>(
        &mut self,
        suite: &mut TestSuite,
        name: &str,
        verdict: Verdict,
        identity: Option<&'a str>,
        lines: impl Iterator<Item = &'a str>,
    ) -> String {
        self.counts[verdict as usize] += 1;
        let mut lines = lines.peekable();
        let first = lines.peek().copied().unwrap_or_default();
        let lines: Vec<&str> = identity.into_iter().chain(lines).collect();
        let all = lines.join("\n");
        let mut status = match verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
            // A service that only counts failures and errors must not take doubt for success.
            Verdict::Unresolved => TestCaseStatus::non_success(NonSuccessKind::Error),
        };
        if verdict != Verdict::Pass {
            status.set_message(first).set_description(all.clone());
        }
        let mut case = TestCase::new(name, status);
        case.set_classname(suite.name.as_str()).set_system_out(all);
        suite.add_test_case(case);
        let scenario = suite.name.as_str();
        self.lines.push_str(&Line::Verdict { scenario, name, verdict, says: &lines }.text());
        let lines: String = lines.iter().map(|line| format!("{INDENT}{line}\n")).collect();
        format!("  {verdict:<10} {name}\n{lines}")
    }

    /// The last line.
    pub fn summary(&self) -> String {
        let [passed, failed, unresolved] = self.counts;
        let (proven, tried) = (self.proven, self.tried);
        format!("{passed} pass   {failed} fail   {unresolved} unresolved     {proven} of {tried} remedies proven")
    }

    /// The exit status: a failure before a doubt, and nothing passed is no success.
    pub fn exit(&self) -> Exit {
        match self.counts.into() {
            (_, 1.., _) => Exit::Failed,
            (_, 0, 1..) | (0, 0, 0) => Exit::Unresolved,
            (1.., 0, 0) => Exit::Passed,
        }
    }

    /// All of it as JSON lines.
    pub fn json(&self) -> String {
        let [pass, fail, unresolved] = self.counts;
        let exit = self.exit().code();
        let (remedies, proven) = (self.tried, self.proven);
        self.lines.clone() + &Line::Summary { pass, fail, unresolved, remedies, proven, exit }.text()
    }

    /// JUnit's XML.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn junit(&self) -> Result<String, SerializeError> {
        self.report.to_string()
    }
}

/// What became of a wrapper that trusts another group: what is not as stated, and what each remedy came to.
fn mended(proofs: &Proofs) -> (Vec<String>, Vec<String>) {
    let lines = |differences: &[String], before: &str| -> Vec<String> {
        differences.iter().flat_map(|difference| difference.lines()).map(|line| format!("{before}{line}")).collect()
    };
    let mut wrong = lines(&proofs.differences, "");
    let mut all = Vec::new();
    for (fix, proof) in [("fix A", &proofs.server), ("fix B", &proofs.wrapper), ("defer", &proofs.waits)] {
        let proven = match (proof.possible, proof.missing.is_empty()) {
            (false, _) => "",
            (true, true) => ": proven",
            (true, false) => ": NOT PROVEN",
        };
        wrong.extend(lines(&proof.missing, &format!("{fix}  ")));
        all.push(format!("{fix}  {}{proven}", proof.what));
    }
    (wrong, all)
}

/// As whom the program was started, or how it ended.
fn identity(outcome: &Outcome) -> String {
    if !outcome.ways.is_empty() {
        return outcome.ways.join(" ");
    }
    let Some(report) = &outcome.seen else { return "started nothing".to_owned() };
    let who = &report.credentials;
    let groups: Vec<String> = who.groups.iter().map(ToString::to_string).collect();
    format!("uid {} gid {} egid {} groups [{}]", who.uid.real, who.gid.real, who.gid.effective, groups.join(" "))
}

#[cfg(test)]
mod tests;
