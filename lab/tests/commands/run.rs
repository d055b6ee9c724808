//! `lab run`: verdicts, exit statuses, reports, interruption.

use crate::help::{Done, at, lab, run, sandboxes, scenarios, two_cases};
use lab::record::read::Record;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a scenarios directory, and records into it.
fn run_dir(dir: &tempfile::TempDir, more: &[&str]) -> Done {
    let (place, record) = (at(dir.path(), "scenarios"), at(dir.path(), "record"));
    let mut arguments = vec!["run", "--scenarios", &place, "--record", &record];
    arguments.extend(more);
    run(&arguments)
}

#[test]
fn a_run_that_passes_says_so_everywhere() {
    if !sandboxes() {
        return;
    }
    let dir = scenarios(&two_cases("admitted"));
    let file = |name| at(dir.path(), name);
    let (junit, json, matrix) = (file("junit.xml"), file("events.json"), file("matrix.md"));
    let done = run_dir(&dir, &["--junit", &junit, "--json", &json, "--matrix", &matrix]);
    done.exits(0)
        .says("2 pass   0 fail   0 unresolved   0 unsupported     of 2 cases, 1 of 1 control held")
        .says("exit 0");
    let junit = fs::read_to_string(junit).expect("JUnit");
    assert!(junit.contains("tests=\"2\" failures=\"0\" errors=\"0\""), "{junit}");
    let events = fs::read_to_string(json).expect("events");
    let kinds: Vec<String> = events
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["event"].to_string())
        .collect();
    assert_eq!(kinds.first().map(String::as_str), Some("\"started\""));
    assert_eq!(kinds.last().map(String::as_str), Some("\"summary\""));
    assert_eq!(kinds.iter().filter(|kind| *kind == "\"case-finished\"").count(), 2);
    let matrix = fs::read_to_string(matrix).expect("matrix");
    assert!(matrix.contains("Debian-exim") && matrix.contains("admitted"), "{matrix}");
}

#[test]
fn a_wrong_expectation_fails_with_what_was_seen() {
    if !sandboxes() {
        return;
    }
    let dir = scenarios(&two_cases("mismatch"));
    let done = run_dir(&dir, &[]).exits(10);
    let done =
        done.says("1 pass   1 fail").says("FAIL  some/file/second").says("observed   exit 0, the script started");
    done.says("checked").says("replay");
    // Only the failed case, and the control on which it rests, is tried again.
    let (place, record, again) = (at(dir.path(), "scenarios"), at(dir.path(), "record"), at(dir.path(), "again"));
    let done = run(&["run", "--scenarios", &place, "--failed", &record, "--record", &again]).exits(10);
    done.says("2 of 2 cases, with 1 control which they rest on");
}

#[test]
fn exceptions_rot_loudly() {
    if !sandboxes() {
        return;
    }
    let waiver = |case: &str| format!("[[waiver]]\ncase = '{case}'\nreason = 'r'\nuntil = 2099-12-31\n");
    for (outcome, case, status, says) in [
        ("mismatch", "some/file/second", 0, "1 known failure"),
        ("admitted", "some/file/second", 12, "UNEXPECTED PASS"),
        ("admitted", "some/file/third", 12, "there is no such case"),
    ] {
        let dir = scenarios(&two_cases(outcome));
        fs::write(dir.path().join("scenarios/known-failures.toml"), waiver(case)).expect("a waiver");
        run_dir(&dir, &[]).exits(status).says(says);
    }
    let dir = scenarios(&two_cases("admitted"));
    let allow = at(dir.path(), "allow.txt");
    fs::write(&allow, "[[allow]]\ncapability = 'overlay'\nreason = 'none'\n").expect("a file");
    run_dir(&dir, &["--allow-unsupported", &allow]).exits(12).says("no case lacked it");
}

#[test]
fn arguments_are_checked_before_anything_is_built() {
    for (arguments, says) in [
        (&["run", "--backend", "docker"][..], "--backend namespace"),
        (&["run", "--partition", "slice:3/2"], "slice:M/N"),
        (&["run", "--require", "flying"], "the capabilities are"),
        (&["run", "--subject", "mail-wrapper"], "NAME=PATH"),
        (&["run", "--matrix", "table.html", "install/nosuid-mount"], "in which form"),
        (&["run", "--failed", "no-such-run"], "there is no run or record"),
    ] {
        run(arguments).exits(2).complains(says);
    }
    run(&["run", "no/such/case"]).exits(13);
}

#[test]
fn a_partition_is_whole() {
    if !sandboxes() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let of = |slice: &str| -> BTreeSet<String> {
        let record = dir.path().join(slice.replace(['/', ':'], "-"));
        let place = at(dir.path(), record.file_name().and_then(|name| name.to_str()).expect("a name"));
        run(&["run", "install", "--partition", slice, "--record", &place]).exits(0);
        let record = Record::read(&record).expect("a record");
        record.cases().filter(|case| !case.control).map(|case| case.id.0.clone()).collect()
    };
    let (one, two, all) = (of("slice:1/2"), of("slice:2/2"), of("slice:1/1"));
    assert!(one.is_disjoint(&two), "a case is in both slices");
    assert_eq!(one.union(&two).cloned().collect::<BTreeSet<_>>(), all);
    assert!(one.len().abs_diff(two.len()) <= all.len() / 4, "{} and {} of {}", one.len(), two.len(), all.len());
}

#[test]
fn the_default_run_reads_back() {
    if !sandboxes() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let record = at(dir.path(), "record");
    let ran = run(&["--record", &record]).exits(0);
    let read = Record::read(Path::new(&record)).expect("the record of every scenario can be read");
    assert_eq!(read.cases().count(), read.started.selected);
    let last = ran.stdout.lines().rev().nth(1).expect("a line of totals").to_owned();
    run(&["show", &record]).exits(0).says(&last);
    run(&["diff", &record, &record]).exits(0).says("0 changed");
    run(&["run", "--failed", &record, "--record", &at(dir.path(), "again")]).exits(13);
}

#[test]
fn a_subject_that_no_case_starts_is_refused() {
    let wrapper = "/usr/bin/true";
    for (names, says) in [
        (&["mail-wraper"][..], "did you mean \"mail-wrapper\"?"),
        (&["cgi-wrapper"], "no selected case starts a program of that name"),
        (&["mail-wrapper", "mail-wrapper"], "is given twice"),
    ] {
        let dir = scenarios(&two_cases("admitted"));
        let given: Vec<String> = names.iter().map(|name| format!("--subject={name}={wrapper}")).collect();
        run_dir(&dir, &given.iter().map(String::as_str).collect::<Vec<_>>()).exits(2).complains(says);
        assert!(!dir.path().join("record").exists(), "nothing was run");
    }
}

#[test]
fn a_subject_that_cannot_be_sealed_is_told_why() {
    // As plain `cargo build` makes it: with a loader.
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "wrapper", "--bin", "mail-wrapper", "--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started");
    let messages = String::from_utf8(built.stdout).expect("text");
    let file = messages
        .lines()
        .filter_map(|line| {
            serde_json::from_str::<serde_json::Value>(line).ok()?["executable"].as_str().map(str::to_owned)
        })
        .next_back()
        .expect("cargo names what it built");
    let dir = scenarios(&two_cases("admitted"));
    for (file, says) in [(file.as_str(), "build it for a static target"), ("/usr/bin/true", "--profile FILE")] {
        let done =
            run_dir(&dir, &["--subject", &format!("mail-wrapper={file}")]).exits(2).complains("cannot be sealed");
        assert!(!done.complains(says).stderr.contains("scenario file"), "the scenario is not what is wrong");
    }
}

#[test]
fn a_directory_with_something_in_it_is_no_place_for_a_record() {
    let dir = scenarios(&two_cases("admitted"));
    fs::create_dir(dir.path().join("record")).expect("a directory");
    fs::write(dir.path().join("record/SHA256SUMS"), "precious").expect("a file");
    run_dir(&dir, &[]).exits(2).complains("the directory is not empty");
    assert_eq!(fs::read_dir(dir.path().join("record")).expect("a directory").count(), 1);
}

#[test]
fn a_report_that_cannot_be_written_leaves_no_record() {
    if !sandboxes() {
        return;
    }
    for (option, file) in [("--junit", "no/such/lab.xml"), ("--json", "no/such/e.json"), ("--matrix", "no/such/m.md")] {
        let dir = scenarios(&two_cases("admitted"));
        let file = at(dir.path(), file);
        run_dir(&dir, &[option, &file]).exits(2).complains(&file);
        assert!(!dir.path().join("record").exists(), "{option} came too late");
    }
}

#[test]
fn github_gets_annotations_and_a_summary() {
    if !sandboxes() {
        return;
    }
    let dir = scenarios(&two_cases("mismatch"));
    let (place, record, summary) =
        (at(dir.path(), "scenarios"), at(dir.path(), "record"), at(dir.path(), "summary.md"));
    fs::write(&summary, "of an earlier command\n").expect("a file");
    let github = |actions: &str| {
        let mut command = lab();
        command.args(["run", "--scenarios", &place, "--record", &format!("{record}-{actions}")]);
        command.env("GITHUB_ACTIONS", actions).env("GITHUB_STEP_SUMMARY", &summary);
        Done::of(command.output().expect("the lab starts")).exits(10)
    };
    let done = github("true").says("\n::error title=some/file/second::");
    assert!(!done.stdout.contains("::warning"), "{}", done.stdout);
    let text = fs::read_to_string(&summary).expect("text");
    assert!(text.starts_with("of an earlier command\n## lab: 1 pass, 1 fail\n"), "{text}");
    assert!(text.contains("- ` some/file/second `: ") && text.contains("FAIL  some/file/second"), "{text}");
    assert!(!github("false").stdout.contains("::error"));
    assert_eq!(fs::read_to_string(&summary).expect("text"), text, "nothing elsewhere");
}

#[test]
fn json_on_standard_output_is_only_json() {
    if !sandboxes() {
        return;
    }
    let dir = scenarios(&two_cases("admitted"));
    let done = run_dir(&dir, &["--json", "-"]).exits(0).complains("2 pass");
    for line in done.stdout.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("each line is an event");
    }
}

#[test]
fn an_interruption_ends_with_a_report() {
    if !sandboxes() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let record = at(dir.path(), "record");
    let mut child = lab()
        .args(["run", "--jobs", "1", "--record", &record])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the lab starts");
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut text = String::new();
    // The header means that cases are about to run.
    reader.read_line(&mut text).expect("a line");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill(1)");
    assert!(killed.success());
    for line in reader.lines() {
        text.push_str(&line.expect("text"));
        text.push('\n');
    }
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(11), "{text}");
    assert!(text.contains("interrupted: ") && text.contains("did not run"), "{text}");
    run(&["show", &record]).exits(0).says("interrupted: ");
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    if !sandboxes() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let children: Vec<_> = ["one", "two"]
        .iter()
        .map(|name| {
            let mut command = lab();
            command.args(["run", "install", "--record", &at(dir.path(), name)]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the lab starts")
        })
        .collect();
    for child in children {
        Done::of(child.wait_with_output().expect("it ends")).exits(0).says("0 fail   0 unresolved");
    }
}
