//! The reports as people see them, from the events of a small run.

use crate::capability::{Capability, Support};
use crate::case::{Matrix, ScenarioInfo};
use crate::diagnose::ledger;
use crate::finding::{Certainty, Diagnosis, Observation, Remedy};
use crate::report::coverage::{Coverage, Form};
use crate::report::junit::Junit;
use crate::report::terminal::Terminal;
use crate::run::event::{
    CaseFinished, Counts, Event, Machine, Origin, ScenarioFinished, Setting, Started, SubjectFile, Summary, VERSION,
};
use crate::run::sample::{case, evidence, finished};
use crate::verdict::{Difference, Verdict};
use lab_invocation::Layout;
use lab_invocation::evidence::End;
use std::collections::BTreeMap;
use std::sync::Arc;

fn started() -> Started {
    let scenario = |id: &str, title: &str, matrix| {
        Arc::new(ScenarioInfo { title: title.to_owned(), matrix, ..(*case(id, "x").scenario).clone() })
    };
    let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
    let matrix = Matrix {
        columns_are: "trusts".to_owned(),
        columns: names(&["mail", "www-data"]),
        rows_are: "invoker".to_owned(),
        rows: names(&["exim-pipe", "apache-cgi"]),
    };
    Started {
        version: VERSION,
        lab: "0.1.0".to_owned(),
        run: "k3f".to_owned(),
        at: "2026-01-31T12:00:00Z".to_owned(),
        machine: Machine {
            backend: "namespace".to_owned(),
            kernel: "Linux 6.18.44".to_owned(),
            architecture: "x86_64".to_owned(),
            capabilities: BTreeMap::from([
                (Capability::SetGroupId, Support::Yes),
                (Capability::MountFlags, Support::Yes),
                (
                    Capability::UserNamespace,
                    Support::No { because: "user.max_user_namespaces = 0".to_owned(), cure: None },
                ),
            ]),
            facts: BTreeMap::new(),
        },
        subjects: vec![SubjectFile { name: "mail-wrapper".to_owned(), sha256: "ab".repeat(32), origin: Origin::Built }],
        profile: None,
        scenarios: vec![
            scenario("group-mismatch/mta", "Only the trusted group may start the mail wrapper", Some(matrix)),
            scenario("install/ignored", "A wrapper whose set-group-ID bit was ignored must say so and stop", None),
            scenario("regressions/old", "What once went wrong does not come back", None),
        ],
        selected: 8,
        added_controls: 1,
        cases: 40,
    }
}

fn cell(row: &str, column: &str, verdict: Verdict) -> CaseFinished {
    let expected = if (row == "exim-pipe") == (column == "mail") { "admitted" } else { "mismatch" };
    CaseFinished {
        cell: Some((row.to_owned(), column.to_owned())),
        expected: expected.to_owned(),
        evidence: Some(evidence(End::Exited(if expected == "admitted" { 0 } else { 2 }))),
        ..finished("group-mismatch/mta", &format!("{row}×{column}"), verdict)
    }
}

/// A stranger was admitted.
fn failed() -> CaseFinished {
    let differences = vec![
        Difference { field: "exit".to_owned(), expected: "2".to_owned(), observed: "0".to_owned() },
        Difference { field: "script.started".to_owned(), expected: "no".to_owned(), observed: "yes".to_owned() },
    ];
    let mut done = cell("exim-pipe", "www-data", Verdict::Fail { differences });
    let mut wrong = evidence(End::Exited(0));
    wrong.stderr.bytes = "post: \x1b[31mhello\n".into();
    wrong.stderr.total = wrong.stderr.bytes.0.len() as u64;
    done.ledger = Some(ledger(&case("group-mismatch/mta", "x"), &wrong));
    done.evidence = Some(wrong);
    done.outcome.exit = Some(2);
    done.outcome.script = None;
    done.diagnoses = vec![Diagnosis {
        code: "wrong-comparison".to_owned(),
        certainty: Certainty::Certain,
        cause:
            "The wrapper compared something else than the caller's real gid with the trusted gid, and let a stranger \
                in: the caller's real gid is mail 8, the trusted one is www-data 33."
                .to_owned(),
        seen: vec![Observation { source: "witness".to_owned(), shows: "the script started".to_owned() }],
        remedies: vec![
            Remedy {
                what: "compare the real gid, as a number".to_owned(),
                how: vec!["getgid(2), not a look-up by name".to_owned()],
                price: "trust stays as it is".to_owned(),
            },
            Remedy {
                what: "take the wrapper out of service until that is done, so that no stranger is let in".to_owned(),
                how: vec!["chmod g-s /usr/local/mailman/mail/mailman".to_owned()],
                price: "no mail reaches any list until then".to_owned(),
            },
        ],
        next: "wrapper-configure show /usr/local/mailman/mail/mailman".to_owned(),
    }];
    done
}

fn events() -> Vec<Event> {
    let setting = Setting { setting: 0, layout: Layout::default().into(), names: case("a", "b").names };
    let unresolved = |because: &str| Verdict::Unresolved { because: because.to_owned() };
    let missing = Verdict::Unsupported {
        needs: Some(Capability::UserNamespace),
        because: "user.max_user_namespaces = 0".to_owned(),
    };
    let known = Verdict::KnownFailure { reason: "kernel before 6.16".to_owned(), differences: Vec::new() };
    let surprise = Verdict::UnexpectedPass { reason: "waits for a release".to_owned() };
    let control = CaseFinished { control: true, ..finished("install/ignored", "control-none", Verdict::Pass) };
    let counts = |list: [usize; 6]| {
        let [pass, fail, unresolved, unsupported, known_failure, unexpected_pass] = list;
        Counts { pass, fail, unresolved, unsupported, known_failure, unexpected_pass }
    };
    let scenario = |id: &str, list| {
        Event::ScenarioFinished(ScenarioFinished { scenario: id.to_owned(), counts: counts(list), ms: 12.5 })
    };
    let cases = [
        cell("exim-pipe", "mail", Verdict::Pass),
        failed(),
        cell("apache-cgi", "mail", Verdict::Pass),
        control,
        finished("install/ignored", "unmapped", missing),
        finished("install/ignored", "flaky", unresolved("two runs disagree: the first was different in exit")),
        finished("regressions/old", "one", known),
        finished("regressions/old", "two", surprise),
    ];
    let mut events = vec![Event::Started(Box::new(started())), Event::Setting(Arc::new(setting))];
    events.extend(cases.map(|case| Event::CaseFinished(Box::new(case))));
    events.extend([
        // Not in the order of the report.
        scenario("regressions/old", [0, 0, 0, 0, 1, 1]),
        scenario("group-mismatch/mta", [2, 1, 0, 0, 0, 0]),
        scenario("install/ignored", [1, 0, 1, 1, 0, 0]),
        Event::Summary(Summary {
            counts: counts([3, 1, 1, 1, 1, 1]),
            not_run: 0,
            controls_held: 1,
            controls: 1,
            complaints: vec!["known-failures.toml: a/b: there is no such case; remove the waiver".to_owned()],
            interrupted: false,
            lacking: BTreeMap::from([(Capability::UserNamespace, 1)]),
            ms: 1234.0,
            exit: 10,
        }),
    ]);
    events
}

fn text(mut terminal: Terminal, events: &[Event]) -> String {
    let text: String = events.iter().map(|event| terminal.take(event)).collect();
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn a_run_on_the_terminal() {
    let text = text(Terminal::new("lab", 100, false), &events());
    insta::assert_snapshot!("terminal", text);
    for line in text.lines().filter(|line| !line.contains("replay")) {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(!text.contains('\x1b'), "what a subject wrote cannot reach the terminal as it is");
}

#[test]
fn an_interrupted_run_says_so() {
    let mut events = events();
    if let Some(Event::Summary(summary)) = events.last_mut() {
        (summary.not_run, summary.interrupted) = (30, true);
    }
    let text = text(Terminal::new("lab", 100, false), &events);
    assert!(text.ends_with("interrupted: 30 cases did not run\n"), "{text}");
}

#[test]
fn many_failures_are_shown_in_short_but_by_show_in_full() {
    let mut events = vec![Event::Started(Box::new(started()))];
    events.extend((0..30).map(|_| Event::CaseFinished(Box::new(failed()))));
    events.extend(self::events().pop());
    let full = |all| text(Terminal::new("lab", 100, all), &events).matches("fix A").count();
    assert_eq!((full(false), full(true)), (20, 30));
}

#[test]
fn a_run_as_junit() {
    let mut junit = Junit::new("lab");
    events().iter().for_each(|event| junit.take(event));
    insta::assert_snapshot!("junit", junit.text().expect("is made"));
}

#[test]
fn what_was_tried() {
    let mut coverage = Coverage::default();
    let mut events = events();
    let mut elsewhere = finished("install/ignored", "set-uid", Verdict::Pass);
    elsewhere.subject.mode = 0o6755;
    elsewhere.invocation.identity.gid = lab_invocation::Gid::new(38).expect("is a group");
    events.push(Event::CaseFinished(Box::new(elsewhere)));
    events.iter().for_each(|event| coverage.take(event));
    insta::assert_snapshot!("matrix_md", coverage.text(Form::Markdown));
    insta::assert_snapshot!("matrix_csv", coverage.text(Form::Csv));
}
