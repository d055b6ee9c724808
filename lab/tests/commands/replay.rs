//! `lab replay` with subjects that do what is recorded, do it no more, do something else, or cannot be run; and on a
//! machine which has nothing but a distributed tree.

use crate::help::{Done, at, lab, run, sandboxes};
use crate::trees::{outside, sum_up, tree};
use lab::run::programs::{PACKAGES, Programs};
use lab::run::tree::Tree;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A few cases, some of which each wrapper with a defect fails.
const SCENARIO: &str = "install/set-group-id-ignored";

/// A specimen's program, as the value of `--subject`.
fn specimen(name: &str) -> String {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| {
        let tree = Tree::find().expect("tests run in the checkout");
        let packages: Vec<&str> = PACKAGES.iter().copied().chain(["specimens"]).collect();
        Programs::provide(&tree, &packages, &mut |_| {}).expect("the programs build")
    });
    format!("mail-wrapper={}", programs.path(name).expect("a specimen").display())
}

/// A run of the scenario against a specimen, recorded.
fn recorded(name: &str, more: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let (record, subject) = (at(dir.path(), "record"), specimen(name));
    let mut arguments = vec!["run", SCENARIO, "--subject", &subject, "--record", &record];
    arguments.extend(more);
    run(&arguments).exits(10);
    dir
}

#[test]
fn each_ending_is_told_with_what_changed() {
    if !sandboxes() {
        return;
    }
    let dir = recorded("ignores-lost-bit", &[]);
    let record = at(dir.path(), "record");
    let case = format!("{record}/{SCENARIO}/file-system-mounted-nosuid");

    let same = run(&["replay", &record, "--subject", &specimen("ignores-lost-bit")]).exits(0);
    let same = same.says("5 reproduced   0 gone   0 different   0 unresolved");
    assert!(!same.stdout.contains("changed"), "{}", same.stdout);

    // Today's sound wrapper.
    let gone = run(&["replay", &case]).exits(10).says(&format!("GONE  {SCENARIO}/file-system-mounted-nosuid"));
    let gone =
        gone.says("was        exit 4, the script did not start").says("now        exit 9, the script did not start");
    gone.says("changed    subject mail-wrapper: sha256 ").says("0 reproduced   1 gone   0 different   0 unresolved");
    run(&["replay", &record]).exits(10).says("1 reproduced   4 gone   0 different   0 unresolved");

    let other = run(&["replay", &case, "--subject", &specimen("exits-zero-on-refusal")]).exits(10);
    let other = other.says("DIFFERENT  ").says("now        exit 0, the script did not start").says("differs    ");
    other.says("changed    subject mail-wrapper: sha256 ").says("0 gone   1 different");
}

#[test]
fn a_case_which_a_machine_cannot_make_is_unresolved() {
    if !sandboxes() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let (record, subject) = (at(dir.path(), "record"), specimen("exits-zero-on-refusal"));
    run(&["run", "install/tracer-and-shared-fs", "--subject", &subject, "--record", &record]).exits(10);
    let case = |name: &str| format!("{record}/install/tracer-and-shared-fs/{name}");
    let replayed = |through: &[&str], what: &str| {
        let arguments = [through, &[env!("CARGO_BIN_EXE_lab"), "replay", what, "--subject", &subject]].concat();
        let mut command = Command::new(arguments[0]);
        command.args(&arguments[1..]).env("NO_COLOR", "1").stdin(Stdio::null());
        Done::of(command.output().expect("it starts"))
    };
    // Where nothing can be run at all one case gets its ending, and for many the reason is told once.
    let nothing = ["setpriv", "--no-new-privs"];
    let lost = replayed(&nothing, &case("a-stranger-who-traces")).exits(11);
    lost.says("UNRESOLVED  ").says("now        no set-group-id: ").says("0 different   1 unresolved");
    replayed(&nothing, &record).exits(11).complains("nothing can be judged on this machine");
    // Only root can take a capability out of the set which bounds what the agent has.
    let bounded = ["setpriv", "--bounding-set=-sys_ptrace"];
    let tried = Command::new(bounded[0]).args([bounded[1], "true"]).output().expect("setpriv(1)");
    if !tried.status.success() {
        writeln!(std::io::stderr(), "skipped a part: {}", String::from_utf8_lossy(&tried.stderr)).expect("written");
        return;
    }
    let lost = replayed(&bounded, &case("a-stranger-traced-by-root")).exits(11);
    let lost = lost.says("UNRESOLVED  install/tracer-and-shared-fs/a-stranger-traced-by-root");
    let lost = lost.says("was        exit 0, the script did not start").says("now        no root-tracer: ");
    lost.says("changed    capability root-tracer: was here, now missing").says("0 different   1 unresolved");
    replayed(&bounded, &case("a-stranger-who-traces")).exits(0).says("1 reproduced");
}

#[test]
fn the_whole_suite_is_recorded_read_back_and_reproduced() {
    if !sandboxes() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let record = at(dir.path(), "record");
    let ran = run(&["run", "--record", &record, "--record-subject"]).exits(0);
    let shown = run(&["show", &record]).exits(0);
    let last = |text: &str| text.lines().rev().nth(1).expect("totals").to_owned();
    assert_eq!(last(&ran.stdout), last(&shown.stdout));
    run(&["replay", &record]).exits(0).says("0 gone   0 different   0 unresolved");
}

#[test]
fn another_kernel_is_told() {
    if !sandboxes() {
        return;
    }
    let dir = recorded("ignores-lost-bit", &[]);
    let events = dir.path().join("record/events.jsonl");
    let text = fs::read_to_string(&events).expect("events");
    let at_kernel = text.find("\"kernel\":\"Linux ").expect("the kernel") + "\"kernel\":\"Linux ".len();
    let end = at_kernel + text[at_kernel..].find('"').expect("its end");
    fs::write(&events, format!("{}4.19.0{}", &text[..at_kernel], &text[end..])).expect("written");
    fs::remove_file(dir.path().join("record/SHA256SUMS")).expect("removed");
    let done = run(&["replay", &at(dir.path(), "record"), "--subject", &specimen("ignores-lost-bit")]).exits(0);
    done.says("5 reproduced").says(&format!("changed    kernel: Linux 4.19.0, now Linux {}", &text[at_kernel..end]));
}

/// Copies a directory with everything in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), &target).map(drop).expect("a copy");
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory").flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_record_with_its_subject_is_reproduced_on_another_machine() {
    if !sandboxes() {
        return;
    }
    let dir = recorded("ignores-lost-bit", &["--record-subject"]);
    // Nothing of the checkout is there: another tree, whose own wrapper is sound, another directory, no environment.
    let there = tempfile::tempdir().expect("a directory");
    tree(&there.path().join("dist"));
    sum_up(&there.path().join("dist"));
    copy(&dir.path().join("record"), &there.path().join("record"));
    drop(dir);
    let lab = there.path().join("dist/lab");
    let done = Done::of(outside(&lab, there.path(), &["replay", "record"])).exits(0);
    let done = done.says("5 reproduced   0 gone   0 different   0 unresolved");
    assert!(!done.stdout.contains("changed"), "the subject is the recorded one: {}", done.stdout);
    // With another subject it is another answer.
    let sound = ["replay", "record", "--subject", "mail-wrapper=dist/bin/mail-wrapper"];
    Done::of(outside(&lab, there.path(), &sound)).exits(10).says("4 gone");
}

#[test]
fn a_foreign_wrapper_is_replayed_from_its_record_alone() {
    if !sandboxes() || !cfg!(target_env = "gnu") {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "foreign-wrappers", "--bin", "upstream-mail", "--target-dir"])
        .arg(dir.path().join("target"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo can be started");
    assert!(built.success());
    let subject = format!("mail-wrapper={}", dir.path().join("target/debug/upstream-mail").display());
    let (with, without) = (at(dir.path(), "with"), at(dir.path(), "without"));
    let run_profile = |record: &str, more: &[&str]| {
        let profile =
            ["run", "arguments/commands", "--profile", "mailman-2.1", "--subject", &subject, "--record", record];
        run(&[&profile[..], more].concat()).exits(0);
    };
    run_profile(&with, &["--record-subject"]);
    run_profile(&without, &[]);
    fs::remove_dir_all(dir.path().join("target")).expect("removed");
    run(&["replay", &with]).exits(0).says("10 reproduced");
    run(&["replay", &without]).exits(2).complains("is a foreign wrapper").complains("or record with --record-subject");
}

#[test]
fn one_changed_byte_anywhere_is_refused_by_the_name_of_its_file() {
    if !sandboxes() {
        return;
    }
    let dir = recorded("ignores-lost-bit", &["--record-subject"]);
    let record = dir.path().join("record");
    let all = files(&record);
    assert!(all.len() >= 10, "{all:?}");
    for path in all {
        let sound = fs::read(&path).expect("a file");
        let name = path.strip_prefix(&record).expect("it lies there").display().to_string();
        let last =
            sound.len().checked_sub(1).unwrap_or_else(|| panic!("{name} is empty: nothing of it can be changed"));
        for place in [0, last / 2, last] {
            let mut bytes = sound.clone();
            bytes[place] ^= 1;
            fs::write(&path, &bytes).expect("written");
            let done = Done::of(lab().arg("replay").arg(&record).output().expect("the lab starts")).exits(2);
            assert!(done.stderr.contains(&name), "{name}, byte {place}: it is not named: {}", done.stderr);
            assert!(!done.stdout.contains("reproduced"), "{name}, byte {place}: {}", done.stdout);
        }
        fs::write(&path, &sound).expect("written");
    }
    run(&["show", &at(dir.path(), "record")]).exits(0);
}
