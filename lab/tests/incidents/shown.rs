//! Answers as people see them, and the wrapper's own words.

use super::incidents;
use lab::incident::{Because, explain};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

fn lab(arguments: &[&str], text: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .env_remove("CARGO")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the lab starts");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8(output.stdout).expect("the lab writes UTF-8"))
}

#[test]
fn answers_as_people_see_them() {
    let all = incidents();
    let shown = [
        "mail-02", "mail-03", "mail-05", "mail-06", "msp-01", "msp-05", "pd-09", "pd-13", "smrsh-01", "sudo-07",
        "decoy-01", "decoy-05", "cgi-01",
    ];
    for id in shown {
        let incident = all.iter().find(|incident| incident.id == id).expect("it is there");
        let (status, text) = lab(&["explain", "-"], &incident.excerpt);
        assert_eq!(status, Some(if id == "cgi-01" { 11 } else { 0 }), "{id}\n{text}");
        insta::assert_snapshot!(format!("answer_{}", id.replace('-', "_")), text);
    }
}

#[test]
fn the_answer_is_data_too() {
    let (status, text) = lab(&["explain", "-", "--json"], "bad group (has: root, expected mailman)");
    assert_eq!(status, Some(0));
    insta::assert_snapshot!("answer_as_data", text);
}

#[test]
fn a_finding_a_file_and_neither() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = dir.path().join("group-mismatch");
    std::fs::write(&at, "mail-wrapper: no sound policy is sealed into it: x; seal it with").expect("a file");
    let path = at.to_str().expect("temporary paths are UTF-8");
    let (_, page) = lab(&["explain", "group-mismatch"], "");
    assert!(page.contains("## What happened"), "{page}");
    let (_, answer) = lab(&["explain", path], "");
    assert!(answer.contains("wrapper-policy"), "{answer}");
    assert_eq!(lab(&["explain", "no-such-thing"], "").0, Some(2));
    assert_eq!(lab(&["explain", "group-mismatch", "--json"], "").0, Some(2));
}

/// Every scenario that an answer offers is one that `lab run` knows.
#[test]
fn what_reproduces_it_exists() {
    let (status, list) = lab(&["list"], "");
    assert_eq!(status, Some(0));
    let mut offered = 0;
    for data in ["causes", "servers"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/incident/patterns/{data}.toml"));
        let text = std::fs::read_to_string(file).expect("the library is in the tree");
        for line in text.lines().filter_map(|line| line.strip_prefix("lab ")) {
            let id = line.trim_start_matches([' ', '=']).trim_matches('"');
            assert!(list.lines().any(|case| case.starts_with(&format!("{id}/"))), "{id} selects nothing");
            offered += 1;
        }
    }
    assert!(offered > 15, "{offered}");
}

/// The wrapper's own words, from the snapshots that its own tests hold: each is recognised, and told.
#[test]
fn every_refusal_of_our_wrappers_is_recognised() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wrapper/src/refusal/snapshots");
    let mut seen = 0;
    for entry in std::fs::read_dir(dir).expect("the snapshots of the refusals") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a snapshot");
        let said = text.splitn(3, "---").nth(2).expect("a snapshot has a head");
        let answer = explain(said.as_bytes()).expect("the library can be read");
        let [reading] = answer.readings.as_slice() else { panic!("{}: {answer:?}", path.display()) };
        let exit: u8 =
            said.split_whitespace().nth(1).and_then(|number| number.trim_end_matches(',').parse().ok()).expect("exit");
        assert!(names_exit(&reading.source, exit), "{}: {}", path.display(), reading.source);
        assert!(exit == 9 || exit == 3 || reading.because == Because::Told, "{}: {reading:?}", path.display());
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn every_refusal_of_the_queue_writer_is_recognised() {
    let table = include_str!(
        "../../../wrapper/src/queue/refusal/snapshots/wrapper__queue__refusal__tests__every_refusal_of_the_queue_writer.snap"
    );
    let said = table.splitn(3, "---").nth(2).expect("a snapshot has a head");
    let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines.len() > 70, "{}", lines.len());
    for line in lines {
        let (exit, text) = line.split_once(' ').expect("a status before the text");
        let answer = explain(text.as_bytes()).expect("the library can be read");
        let [reading] = answer.readings.as_slice() else { panic!("{line}: {answer:#?}") };
        assert!(names_exit(&reading.source, exit.parse().expect("a status")), "{line}: {}", reading.source);
    }
}

/// Whether a source such as `mail-wrapper(8): exit 5 and 6; queue-writer(8): exit 78` names the status.
fn names_exit(source: &str, exit: u8) -> bool {
    let statuses = source.split("exit ").skip(1).filter_map(|rest| rest.split(';').next());
    statuses.flat_map(|list| list.split([',', ' '])).any(|word| word.parse() == Ok(exit))
}
