//! What GitHub Actions shows of a run: annotations, which are lines of standard output in the form of a workflow command,
//! and the summary of the step, which is Markdown appended to a file that the environment names.
//!
//! Both are bounded: GitHub shows ten annotations of a kind for each step, and takes a summary of at most 1 MiB.

use crate::report::failure::failure;
use crate::run::event::{CaseFinished, Event, Started, Summary};
use crate::run::words::lack;
use crate::verdict::Verdict;
use std::fmt::Write as _;

/// How many annotations of a kind GitHub shows for each step.
const SHOWN: usize = 10;
/// How many failures the summary holds in full.
const IN_FULL: usize = 20;
/// How many cases each of its lists names.
const NAMED: usize = 200;
/// Width of failures in the summary, in columns.
const WIDTH: usize = 100;

/// Collects a run.
#[derive(Debug)]
pub struct Github {
    lab: String,
    /// Where the scenarios are, below the root of the repository; `None` if they lie elsewhere.
    scenarios: Option<String>,
    started: Option<Started>,
    summary: Option<Summary>,
    failed: Vec<CaseFinished>,
    doubtful: Vec<CaseFinished>,
}

impl Github {
    /// For a program that is called `lab`, and scenarios in this directory of the repository.
    pub fn new(lab: impl Into<String>, scenarios: Option<String>) -> Self {
        Self { lab: lab.into(), scenarios, started: None, summary: None, failed: Vec::new(), doubtful: Vec::new() }
    }

    /// Takes an event.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Started(started) => self.started = Some(started.as_ref().clone()),
            Event::CaseFinished(case) => match case.verdict {
                Verdict::Fail { .. } | Verdict::UnexpectedPass { .. } => self.failed.push(case.as_ref().clone()),
                Verdict::Unresolved { .. } => self.doubtful.push(case.as_ref().clone()),
                Verdict::Pass | Verdict::Unsupported { .. } | Verdict::KnownFailure { .. } => {}
            },
            Event::Summary(summary) => {
                // Workers finish in any order.
                self.failed.sort_by(|a, b| a.id.cmp(&b.id));
                self.doubtful.sort_by(|a, b| a.id.cmp(&b.id));
                self.summary = Some(summary.clone());
            }
            Event::Setting(_) | Event::ScenarioFinished(_) => {}
        }
    }

    /// The annotations: an error for each failure, a warning for each case that could not be judged.
    pub fn annotations(&self) -> String {
        let complaints = self.summary.iter().flat_map(|summary| &summary.complaints);
        let complaints = complaints.map(|complaint| annotation("error", "complaint", None, complaint));
        let errors = self.failed.iter().map(|case| self.of("error", case)).chain(complaints).collect();
        let warnings = self.doubtful.iter().map(|case| self.of("warning", case)).collect();
        bounded("error", errors) + &bounded("warning", warnings)
    }

    fn of(&self, kind: &str, case: &CaseFinished) -> String {
        let file = self.scenarios.as_ref().map(|dir| format!("{dir}/{}.toml", case.scenario));
        annotation(kind, &case.id.0, file.as_deref(), &reason(case))
    }

    /// The summary of the step.
    pub fn markdown(&self) -> String {
        let (Some(started), Some(summary)) = (&self.started, &self.summary) else { return String::new() };
        let machine = &started.machine;
        let counts: Vec<String> = summary
            .counts
            .words()
            .into_iter()
            .filter(|&(word, count)| count > 0 || ["pass", "fail"].contains(&word))
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        let mut out = format!("## lab: {}\n\n", counts.join(", "));
        let _ = writeln!(
            out,
            "{} of {} controls held · {:.1} s · exit {} · backend {} · {} · lab {} · run {}\n",
            summary.controls_held,
            summary.controls,
            summary.ms / 1000.0,
            summary.exit,
            machine.backend,
            machine.kernel,
            started.lab,
            started.run
        );
        if let Some(profile) = &started.profile {
            let _ = writeln!(out, "Profile: {}\n", code(profile));
        }
        for (subject, count) in &summary.lacking {
            let _ = writeln!(out, "- not to be had here: {subject}, which {count} cases need");
        }
        for complaint in &summary.complaints {
            let _ = writeln!(out, "- complaint: {}", code(complaint));
        }
        list(&mut out, "Failed", &self.failed);
        for case in self.failed.iter().take(IN_FULL) {
            let text = anstream::adapter::strip_str(&failure(case, &self.lab, &started.run, WIDTH)).to_string();
            if !text.is_empty() {
                let _ = writeln!(out, "\n{}", fenced(&text));
            }
        }
        list(&mut out, "Unresolved", &self.doubtful);
        out + "\n"
    }
}

/// Why a case did not pass, in one line.
fn reason(case: &CaseFinished) -> String {
    match &case.verdict {
        Verdict::Fail { differences } => {
            let differs: Vec<String> = differences
                .iter()
                .map(|each| format!("{}: expected {}, observed {}", each.field, each.expected, each.observed))
                .collect();
            let code = case.diagnoses.first().map_or("undiagnosed", |first| first.code.as_str());
            format!("{code}; {}", differs.join("; "))
        }
        Verdict::UnexpectedPass { reason } => format!("passed, but a waiver says that it fails: {reason}"),
        Verdict::Unresolved { because } => because.clone(),
        Verdict::Unsupported { needs, because } => lack(*needs, because),
        Verdict::KnownFailure { reason, .. } => format!("waived: {reason}"),
        Verdict::Pass => String::new(),
    }
}

/// One workflow command. GitHub's runner reads it from a line of output, and undoes this escaping.
fn annotation(kind: &str, title: &str, file: Option<&str>, message: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let file = file.map(|file| format!("file={},", property(file))).unwrap_or_default();
    format!("::{kind} {file}title={}::{}\n", property(title), data(message))
}

/// As many as are shown, the last of which says how many are not.
fn bounded(kind: &str, mut all: Vec<String>) -> String {
    if all.len() > SHOWN {
        let more = all.len() - (SHOWN - 1);
        all.truncate(SHOWN - 1);
        all.push(annotation(kind, "and more", None, &format!("{more} more of this kind: see the summary of the step")));
    }
    all.concat()
}

fn list(out: &mut String, head: &str, cases: &[CaseFinished]) {
    if cases.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### {head}\n");
    for case in cases.iter().take(NAMED) {
        let _ = writeln!(out, "- {}: {}", code(&case.id.0), code(&reason(case)));
    }
    if cases.len() > NAMED {
        let _ = writeln!(out, "- and {} more", cases.len() - NAMED);
    }
}

/// A text of one line that Markdown leaves alone: a code span, whose fence is longer than any run of backticks in it.
fn code(text: &str) -> String {
    const LONGEST: usize = 500;
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect();
    if line.is_empty() {
        line.push('-');
    }
    let fence = "`".repeat(longest(&line, '`') + 1);
    format!("{fence} {line} {fence}")
}

/// A block of text that Markdown leaves alone.
fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest(text, '`').max(2) + 1);
    format!("{fence}text\n{}\n{fence}", text.trim_end())
}

/// Length of the longest run of a character.
fn longest(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(|run| run.chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Github, annotation, bounded, code};
    use crate::run::event::{CaseFinished, Counts, Event, Machine, Started, Summary, VERSION};
    use crate::run::sample::finished;
    use crate::verdict::{Difference, Verdict};

    fn started() -> Event {
        Event::Started(Box::new(Started {
            version: VERSION,
            lab: "0.1.0".to_owned(),
            run: "k3f".to_owned(),
            at: "2026-01-31T00:00:00Z".to_owned(),
            machine: Machine {
                backend: "namespace".to_owned(),
                kernel: "Linux 6.1".to_owned(),
                architecture: "x86_64".to_owned(),
                capabilities: Default::default(),
                facts: Default::default(),
            },
            subjects: Vec::new(),
            profile: None,
            scenarios: Vec::new(),
            selected: 4,
            added_controls: 0,
            cases: 4,
        }))
    }

    fn failed(name: &str) -> CaseFinished {
        let difference = Difference {
            field: "exit".to_owned(),
            expected: "exit 2".to_owned(),
            observed: "exit 0: 100%,\nand `more`".to_owned(),
        };
        finished("a/b", name, Verdict::Fail { differences: vec![difference] })
    }

    fn run(cases: Vec<CaseFinished>) -> Github {
        let mut github = Github::new("cargo lab", Some("scenarios".to_owned()));
        let mut counts = Counts::default();
        github.take(&started());
        for case in cases {
            counts.add(&case.verdict);
            github.take(&Event::CaseFinished(Box::new(case)));
        }
        github.take(&Event::Summary(Summary {
            counts,
            not_run: 0,
            controls_held: 1,
            controls: 1,
            complaints: vec!["a waiver is stale".to_owned()],
            interrupted: false,
            lacking: Default::default(),
            ms: 1234.0,
            exit: 10,
        }));
        github
    }

    #[test]
    fn what_github_shows() {
        let doubtful = finished("a/b", "doubt", Verdict::Unresolved { because: "two runs disagree".to_owned() });
        let github = run(vec![failed("z: last"), failed("first"), doubtful, finished("a/b", "fine", Verdict::Pass)]);
        let text = format!("{}\n{}", github.annotations(), github.markdown());
        insta::assert_snapshot!("github", text);
    }

    #[test]
    fn no_text_of_a_case_becomes_a_command() {
        let line = annotation("error", "a:b,c", Some("x,y"), "one\n::error::two\r%");
        assert_eq!(line, "::error file=x%2Cy,title=a%3Ab%2Cc::one%0A::error::two%0D%25\n");
        assert_eq!(code("a `b`` c\nd"), "``` a `b`` c d ```");
    }

    #[test]
    fn there_are_never_more_than_github_shows() {
        let all: Vec<String> = (0..25).map(|number| format!("::error::{number}\n")).collect();
        assert_eq!(bounded("error", all[..10].to_vec()).lines().count(), 10);
        let text = bounded("error", all);
        assert_eq!(text.lines().count(), 10);
        assert!(text.ends_with("16 more of this kind: see the summary of the step\n"), "{text}");
        let many = (0..5000).map(|number| failed(&number.to_string())).collect();
        assert!(run(many).markdown().len() < 1 << 20);
    }
}
