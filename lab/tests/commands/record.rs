//! `lab show`, `lab replay`, `lab diff`: what was recorded is shown, runs again, compares.

use crate::help::{at, run, sandboxes, scenarios, two_cases};
use std::fs;

/// A recorded run; the directory holds the scenarios and, in `record`, the record.
fn recorded(outcome: &str, status: i32, more: &[&str]) -> tempfile::TempDir {
    let dir = scenarios(&two_cases(outcome));
    let (place, record) = (at(dir.path(), "scenarios"), at(dir.path(), "record"));
    let mut arguments = vec!["run", "--scenarios", &place, "--record", &record];
    arguments.extend(more);
    let done = run(&arguments).exits(status);
    fs::write(dir.path().join("shown"), done.stdout).expect("a file");
    dir
}

#[test]
fn a_record_shows_what_the_run_showed() {
    if !sandboxes() {
        return;
    }
    let dir = recorded("mismatch", 10, &[]);
    let record = at(dir.path(), "record");
    let ran = fs::read_to_string(dir.path().join("shown")).expect("text");
    let shown = run(&["show", &record]).exits(0).stdout;
    let without_last = |text: &str| text.lines().rev().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without_last(&ran), without_last(&shown));
    let case = run(&["show", &format!("{record}/some/file/second")]).exits(0);
    case.says("FAIL  some/file/second").says("argv").says("scripts/post").says("umask      077");
    run(&["show", &format!("{record}/some/file/fourth")]).exits(2).complains("has no case");
}

#[test]
fn a_record_names_no_place_and_no_user_of_this_machine() {
    if !sandboxes() {
        return;
    }
    let dir = recorded("mismatch", 10, &["--record-subject"]);
    lab::run::tree::check_sums(&dir.path().join("record")).expect("the checksums hold");
    let events = fs::read_to_string(dir.path().join("record/events.jsonl")).expect("events");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tree");
    for private in [root.to_str().expect("UTF-8"), dir.path().to_str().expect("UTF-8")] {
        assert!(!events.contains(private), "{private} is in the record");
    }
}

#[test]
fn a_record_is_reproduced() {
    if !sandboxes() {
        return;
    }
    let dir = recorded("mismatch", 10, &[]);
    let record = at(dir.path(), "record");
    run(&["replay", &record]).exits(0).says("2 reproduced   0 gone   0 different   0 unresolved");
    let one = run(&["replay", &format!("{record}/some/file/second")]).exits(0);
    one.says("REPRODUCED  some/file/second").says("was        exit 0, the script started");
}

#[test]
fn a_record_with_its_subject_needs_no_other() {
    if !sandboxes() {
        return;
    }
    let dir = recorded("admitted", 0, &["--record-subject"]);
    let record = at(dir.path(), "record");
    run(&["replay", &record]).exits(0).says("2 reproduced");
    // A subject which is not the one that was run is noticed.
    let subject = dir.path().join("record/subjects/mail-wrapper");
    let mut bytes = fs::read(&subject).expect("the subject");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&subject, bytes).expect("written");
    run(&["replay", &record]).exits(2).complains("subjects/mail-wrapper: different content");
    fs::remove_file(dir.path().join("record/SHA256SUMS")).expect("removed");
    run(&["replay", &record]).exits(2).complains("not the subject that was run");
}

#[test]
fn a_record_that_was_cut_off_is_still_read() {
    if !sandboxes() {
        return;
    }
    let dir = recorded("admitted", 0, &[]);
    let record = at(dir.path(), "record");
    let events = dir.path().join("record/events.jsonl");
    let text = fs::read(&events).expect("events");
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    let first_case = lines.iter().position(|line| line.starts_with(b"{\"event\":\"case-finished\"")).expect("a case");
    let mut kept = lines[..=first_case].concat();
    kept.extend_from_slice(&lines[first_case + 1][..10]);
    fs::write(&events, kept).expect("cut");
    run(&["show", &record]).exits(2).complains("not as its SHA256SUMS says");
    fs::remove_file(dir.path().join("record/SHA256SUMS")).expect("removed");
    run(&["show", &record]).exits(0).complains("1 of 2 cases have verdicts");
    run(&["replay", &record]).exits(0).says("1 reproduced");
}

#[test]
fn a_difference_between_two_runs_is_found() {
    if !sandboxes() {
        return;
    }
    let (old, new) = (recorded("admitted", 0, &[]), recorded("mismatch", 10, &[]));
    let (old, new) = (at(old.path(), "record"), at(new.path(), "record"));
    run(&["diff", &old, &old]).exits(0).says("0 changed   2 the same");
    let done = run(&["diff", &old, &new]).exits(10).says("1 changed   1 the same");
    done.says("old  pass: exit 0, the script started").says("new  fail: exit 0, the script started");
}
