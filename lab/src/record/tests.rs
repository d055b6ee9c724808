//! Claiming a record, and reading back what was written.

use super::claim;
use super::name;
use super::read::Record;
use super::write::Writer;
use crate::case::Case;
use crate::run::event::{CaseFinished, Event, Machine, Setting, Started, VERSION};
use crate::run::sample::finished;
use crate::verdict::Verdict;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

#[test]
fn names_are_short_differ_and_are_claimed_once() {
    let names: BTreeSet<String> = (0..200).map(|seed| name(seed, 0, 3)).collect();
    assert!(names.len() > 190, "neighbouring seeds give unlike names: {}", names.len());
    assert!(names.iter().all(|name| name.len() == 3 && name.starts_with(|c: char| c.is_ascii_lowercase())));
    let home = tempfile::tempdir().expect("directory");
    let claimed: BTreeSet<String> = (0..50).map(|_| claim(home.path()).expect("a name").0).collect();
    assert_eq!(claimed.len(), 50);
}

/// Every case of the project as an event, with everything that a scenario can say.
fn of(case: &Case, setting: u32) -> CaseFinished {
    let case = case.clone();
    CaseFinished {
        id: case.id,
        scenario: case.scenario.id.clone(),
        cell: case.cell,
        control: case.control,
        sources: case.sources,
        needs: case.needs,
        subject: case.subject,
        setting,
        invocation: case.invocation,
        expected: case.expected,
        profile: case.profile,
        outcome: case.outcome,
        ..finished("a/b", &case.name, Verdict::Pass)
    }
}

#[test]
fn a_record_of_every_scenario_reads_back() {
    let suite = crate::scenario::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"))).expect("loads");
    let dir = tempfile::tempdir().expect("directory");
    let mut writer = Writer::new(dir.path(), Vec::new()).expect("an empty directory");
    let machine = Machine {
        backend: "namespace".to_owned(),
        kernel: "Linux 6.1".to_owned(),
        architecture: "x86_64".to_owned(),
        capabilities: Default::default(),
        facts: Default::default(),
    };
    let started = Started {
        version: VERSION,
        lab: "0.1.0".to_owned(),
        run: "k3f".to_owned(),
        at: "2026-01-31T00:00:00Z".to_owned(),
        machine,
        subjects: Vec::new(),
        profile: None,
        scenarios: suite.scenarios.clone(),
        selected: suite.cases.len(),
        added_controls: 0,
        cases: suite.cases.len(),
    };
    writer.event(&Event::Started(Box::new(started))).expect("writes");
    for (number, case) in (0..).zip(&suite.cases) {
        let setting = Setting { setting: number, layout: case.layout.clone(), names: case.names.clone() };
        writer.event(&Event::Setting(Arc::new(setting))).expect("writes");
        writer.event(&Event::CaseFinished(Box::new(of(case, number)))).expect("writes");
    }
    writer.finish().expect("writes");
    let record = Record::read(dir.path()).expect("what was written can be read");
    let read: Vec<Case> = record.cases().map(|finished| record.case(finished).expect("is whole").0).collect();
    assert_eq!(read.len(), suite.cases.len());
    for (read, written) in read.iter().zip(&suite.cases) {
        assert!(*read == **written, "{} is not what was written", written.id);
    }
    let limits = |case: &Case| case.outcome.script.as_ref().is_some_and(|script| script.soft_limits.is_some());
    assert!(read.iter().any(limits), "a map with numbers as keys is among what was tried");
}
