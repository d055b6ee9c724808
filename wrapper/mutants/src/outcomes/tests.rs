use super::{Catalogue, Fate, read};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A mutant on line 2 of `a.rs`, in the column of that number.
fn mutant(column: usize) -> Value {
    json!({
        "name": format!("a.rs:2:{column}: replace == with != in f"), "package": "p", "file": "a.rs", "genre": "BinaryOperator",
        "span": { "start": { "line": 2, "column": column }, "end": { "line": 2, "column": column + 2 } },
    })
}

fn name(column: usize) -> String {
    format!("a.rs:2:{column}: replace == with != in f")
}

fn write(path: &Path, value: &Value) {
    std::fs::write(path, value.to_string()).expect("written");
}

/// A directory of results: these mutants were to be tried, and these ended so.
fn results(parent: &Path, number: usize, expected: &[usize], ended: &[(Value, &str)]) -> PathBuf {
    results_of(&["cargo", "test"], parent, number, expected, ended)
}

fn results_of(argv: &[&str], parent: &Path, number: usize, expected: &[usize], ended: &[(Value, &str)]) -> PathBuf {
    let directory = parent.join(number.to_string());
    std::fs::create_dir(&directory).expect("created");
    write(&directory.join("mutants.json"), &expected.iter().copied().map(mutant).collect());
    let phases = json!([{ "phase": "Build", "argv": argv }]);
    let outcomes: Vec<Value> = ended
        .iter()
        .map(|(scenario, summary)| json!({ "scenario": scenario, "summary": summary, "phase_results": phases }))
        .collect();
    write(&directory.join("outcomes.json"), &json!({ "outcomes": outcomes, "total_mutants": expected.len() }));
    directory
}

fn of(column: usize) -> Value {
    json!({ "Mutant": mutant(column) })
}

#[test]
fn of_two_results_the_stronger_counts_and_what_has_none_is_left() {
    let dir = tempfile::tempdir().expect("a directory");
    let baseline = || (json!("Baseline"), "Success");
    let first = [baseline(), (of(1), "MissedMutant"), (of(2), "CaughtMutant"), (of(3), "MissedMutant")];
    let second = [baseline(), (of(1), "Timeout"), (of(3), "Unviable")];
    let first = results(dir.path(), 1, &[1, 2, 3, 4, 5], &first);
    let second = results(dir.path(), 2, &[1, 3, 5], &second);
    for directories in [[first.clone(), second.clone()], [second, first]] {
        let found = read(&directories).expect("well-formed");
        let fates: Vec<(String, Fate)> = found.fates.into_iter().collect();
        assert_eq!(fates, [(name(1), Fate::TimedOut), (name(2), Fate::Caught), (name(3), Fate::Unviable)]);
        assert_eq!(found.left.into_iter().collect::<Vec<_>>(), [name(4), name(5)]);
    }
}

#[test]
fn what_survives_unit_tests_alone_has_not_been_judged() {
    let dir = tempfile::tempdir().expect("a directory");
    let ended = [(of(1), "MissedMutant"), (of(2), "CaughtMutant")];
    let units = results_of(&["cargo", "test", "--lib"], dir.path(), 1, &[1, 2], &ended);
    let found = read(std::slice::from_ref(&units)).expect("well-formed");
    assert_eq!(found.left.into_iter().collect::<Vec<_>>(), [name(1)]);
    let all = results(dir.path(), 2, &[1], &[(of(1), "MissedMutant")]);
    let found = read(&[units, all]).expect("well-formed");
    assert_eq!((found.fates[&name(1)], found.left.len()), (Fate::Survived, 0));
}

#[test]
fn tests_that_fail_without_a_mutation_prove_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let directory = results(dir.path(), 1, &[1], &[(json!("Baseline"), "Failure")]);
    assert!(read(&[directory]).expect_err("refused").contains("the tests of the unchanged tree ended with Failure"));
    let directory = results(dir.path(), 2, &[1], &[(of(1), "Success")]);
    assert!(read(&[directory]).expect_err("refused").contains("ended with Success"));
    assert!(read(&[dir.path().join("3")]).expect_err("refused").contains("mutants.json"));
}

#[test]
fn a_run_that_ended_before_the_first_mutant_leaves_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let directory = results(dir.path(), 1, &[1, 2], &[]);
    std::fs::remove_file(directory.join("outcomes.json")).expect("removed");
    assert_eq!(read(&[directory]).expect("well-formed").left.len(), 2);
}

#[test]
fn a_change_is_known_by_the_text_of_its_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let list = dir.path().join("list.json");
    write(&list, &json!([mutant(3)]));
    std::fs::write(dir.path().join("a.rs"), "fn f() {\n    a == b\n}\n").expect("written");
    let Catalogue(all) = Catalogue::read(&list, dir.path()).expect("well-formed");
    let change = &all[&name(3)];
    assert_eq!((change.mutant.as_str(), change.line.as_str()), ("a.rs: replace == with != in f", "a == b"));
    std::fs::write(dir.path().join("a.rs"), "fn f() {}\n").expect("written");
    assert!(Catalogue::read(&list, dir.path()).expect_err("refused").contains("is not a mutant of the files"));
    std::fs::remove_file(dir.path().join("a.rs")).expect("removed");
    assert!(Catalogue::read(&list, dir.path()).expect_err("refused").contains("a.rs"));
}
