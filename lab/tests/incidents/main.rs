//! Published incidents: every group mismatch is found with both groups, nothing else is called one, and of the rest the kind
//! of cause is named, or said to be open with the right one among those that are named.

mod hostile;
mod shown;

use lab::finding::Certainty;
use lab::incident::{Answer, Class, Mismatch, explain};
use serde::Deserialize;
use std::fmt::Write as _;
use std::io::Write as _;

/// A published text, and what was wrong. The README beside this file says what the fields are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Incident {
    pub(crate) id: String,
    set: String,
    source: String,
    server: Option<String>,
    pub(crate) excerpt: String,
    expected_group: Option<String>,
    actual_group: Option<String>,
    real_mismatch: Option<bool>,
    cause: String,
    classes: Vec<String>,
    #[serde(default)]
    also: Vec<String>,
}

/// How an answer compares with what was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Score {
    /// The kind of cause is named, and no other as the one.
    Right,
    /// It is among those that are named, and it is said that the text does not tell.
    Open,
    /// Nothing was recognised although something was to be.
    Nothing,
    /// Another kind of cause is named as the one, be it beside the right one, or the right one is not among those named.
    Wrong,
}

pub(crate) fn incidents() -> Vec<Incident> {
    let lines = include_str!("incidents.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn answer(incident: &Incident) -> Answer {
    explain(incident.excerpt.as_bytes()).expect("the library can be read")
}

fn called(class: Class) -> String {
    let value = serde_json::to_value(class).expect("a class is a word");
    value.as_str().expect("a class is a word").to_owned()
}

/// Compares the kinds of causes.
fn score(incident: &Incident, answer: &Answer) -> Score {
    let wanted = |class: &Class| incident.classes.contains(&called(*class));
    let true_of_it = |class: &Class| wanted(class) || incident.also.contains(&called(*class));
    if answer.readings.is_empty() {
        return if incident.classes.is_empty() { Score::Right } else { Score::Nothing };
    }
    let kinds: Vec<Vec<Class>> =
        answer.readings.iter().map(|reading| reading.classes().into_iter().collect()).collect();
    let told = || kinds.iter().filter_map(|kinds| <&[Class; 1]>::try_from(kinds.as_slice()).ok());
    if !told().all(|[class]| true_of_it(class)) {
        Score::Wrong
    } else if told().any(|[class]| wanted(class)) {
        Score::Right
    } else if kinds.iter().flatten().any(wanted) {
        Score::Open
    } else {
        Score::Wrong
    }
}

/// Both groups of a mismatch, as the answer has them.
fn groups(answer: &Answer) -> Option<(Option<&str>, Option<&str>)> {
    let reading = answer.readings.iter().find(|reading| reading.mismatch == Mismatch::Yes)?;
    Some((reading.expected.as_deref(), reading.found.as_deref()))
}

/// What `lab explain` says of each, for people.
fn table(incidents: &[Incident]) -> String {
    let mut out = String::new();
    for incident in incidents {
        let answer = answer(incident);
        let real = match incident.real_mismatch {
            Some(true) => "mismatch",
            Some(false) => "none",
            None => "open",
        };
        let said: Vec<String> =
            answer.readings.iter().map(|reading| format!("{} ({:?})", reading.pattern, reading.because)).collect();
        let score = format!("{:?}", score(incident, &answer));
        let said = if said.is_empty() { "nothing recognised".to_owned() } else { said.join(", ") };
        let _ = writeln!(out, "{:<10} {real:<9} {score:<8} {said}", incident.id);
    }
    out
}

#[test]
fn mismatches_are_found_and_nothing_else_is_called_one() {
    let incidents = incidents();
    assert!(incidents.len() > 50, "{}", incidents.len());
    writeln!(std::io::stderr(), "{}", table(&incidents)).expect("standard error can be written");
    let mut faults = Vec::new();
    for incident in &incidents {
        let Incident { id, set, source, .. } = incident;
        let answer = answer(incident);
        let found = groups(&answer);
        let wanted = (incident.real_mismatch == Some(true))
            .then_some((incident.expected_group.as_deref(), incident.actual_group.as_deref()));
        if found != wanted {
            faults.push(format!("{id} ({set}, {source}): {found:?} instead of {wanted:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn of_the_rest_the_cause_is_named_or_open() {
    let incidents = incidents();
    let rest: Vec<&Incident> = incidents.iter().filter(|incident| incident.real_mismatch != Some(true)).collect();
    let scores: Vec<(Score, &Incident)> =
        rest.iter().map(|&incident| (score(incident, &answer(incident)), incident)).collect();
    let count = |wanted: Score| scores.iter().filter(|(score, _)| *score == wanted).count();
    let good = count(Score::Right) + count(Score::Open);
    let worst: Vec<String> = scores
        .iter()
        .filter(|(score, _)| matches!(score, Score::Nothing | Score::Wrong))
        .map(|(score, incident)| format!("{}: {score:?}; it was {}", incident.id, incident.cause))
        .collect();
    let sums = format!(
        "{} right, {} open, {} unrecognised, {} wrong, of {}",
        count(Score::Right),
        count(Score::Open),
        count(Score::Nothing),
        count(Score::Wrong),
        rest.len()
    );
    writeln!(std::io::stderr(), "{sums}").expect("standard error can be written");
    assert_eq!(count(Score::Wrong), 0, "{}", worst.join("\n"));
    assert!(good * 10 >= rest.len() * 9, "{sums}\n{}", worst.join("\n"));
}

#[test]
fn a_server_is_named_only_where_it_is_that_one() {
    let mut named = 0;
    for incident in incidents() {
        for reading in answer(&incident).readings {
            let certain = reading.server.certainty == Certainty::Certain;
            let Some(name) = reading.server.name else { continue };
            let known = incident.server.as_deref().unwrap_or("not known");
            assert!(
                known.starts_with(&name) || (incident.server.is_none() && !certain),
                "{}: {name} ({}), but it was {known}",
                incident.id,
                reading.server.because
            );
            named += usize::from(certain);
        }
    }
    assert!(named > 30, "{named}");
}

/// The score must be able to fall: an answer to another text is not right.
#[test]
fn the_score_sees_a_wrong_answer() {
    let incidents = incidents();
    let by_id = |id: &str| incidents.iter().find(|incident| incident.id == id).expect("it is there");
    let other = answer(by_id("pd-21"));
    assert_eq!(score(by_id("decoy-08"), &other), Score::Wrong);
    let beside = [by_id("decoy-08"), by_id("pd-21")].map(|incident| incident.excerpt.as_str()).join("\n");
    assert_eq!(score(by_id("decoy-08"), &explain(beside.as_bytes()).expect("an answer")), Score::Wrong);
    assert_eq!(score(by_id("pd-09"), &explain(b"nothing of the kind").expect("an answer")), Score::Nothing);
    assert_eq!(score(by_id("pd-09"), &answer(by_id("pd-09"))), Score::Open);
}
