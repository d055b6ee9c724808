//! Outside a checkout: a distributed tree, and no tree at all.

use crate::help::{Done, program, sandboxes, scenarios, two_cases};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The lab of a tree, which sees nothing of cargo and of the checkout.
pub(crate) fn outside(lab: &Path, cwd: &Path, arguments: &[&str]) -> Output {
    Command::new(lab)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(cwd)
        .output()
        .expect("the lab starts")
}

/// Makes a tree as `.ci/dist` does: the lab, its programs, and two cases for scenarios.
pub(crate) fn tree(root: &Path) {
    let made = scenarios(&two_cases("admitted"));
    fs::create_dir_all(root.join("bin")).expect("a directory");
    fs::create_dir_all(root.join("scenarios/some")).expect("a directory");
    for name in ["scenarios/identities.toml", "scenarios/some/file.toml"] {
        fs::copy(made.path().join(name), root.join(name)).expect("a scenario");
    }
    fs::copy(env!("CARGO_BIN_EXE_lab"), root.join("lab")).expect("the lab");
    for name in ["lab-agent", "wrapper-configure", "mail-wrapper", "cgi-wrapper"] {
        fs::copy(program(name), root.join("bin").join(name)).expect("a program");
    }
}

/// Writes the checksums of its programs.
pub(crate) fn sum_up(root: &Path) {
    let sums = Command::new("sha256sum")
        .args(["bin/lab-agent", "bin/wrapper-configure", "bin/mail-wrapper", "bin/cgi-wrapper"])
        .current_dir(root)
        .output()
        .expect("sha256sum(1)");
    fs::write(root.join("SHA256SUMS"), sums.stdout).expect("a list");
}

#[test]
fn a_distributed_tree_runs_by_itself() {
    if !sandboxes() {
        return;
    }
    let (place, elsewhere) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let root = place.path();
    tree(root);
    let lab = |arguments: &[&str]| Done::of(outside(&root.join("lab"), elsewhere.path(), arguments));
    lab(&["run"]).exits(0).says("2 pass").complains("no SHA256SUMS");
    sum_up(root);
    assert_eq!(lab(&["run"]).exits(0).says("2 pass").stderr, "", "nothing is built, nothing is wrong");
    // It records where the user is, and finds it there.
    assert!(elsewhere.path().join(".lab/runs").is_dir());
    lab(&["show"]).exits(0).says("2 pass");
    assert!(!root.join(".lab").exists(), "the tree stays as it is");
    fs::write(root.join("bin/mail-wrapper"), "another").expect("written");
    lab(&["run"]).exits(2).complains("bin/mail-wrapper: different content");
}

/// Without new privileges no set-group-ID bit acts, and newuidmap(1) cannot help an ordinary user.
#[test]
fn where_nothing_can_be_judged_one_reason_is_told_once() {
    program("lab-agent");
    for arguments in [&["run"][..], &["--strict"]] {
        let output = Command::new("setpriv")
            .args(["--no-new-privs", env!("CARGO_BIN_EXE_lab")])
            .args(arguments)
            .env("NO_COLOR", "1")
            .output()
            .expect("setpriv(1)");
        let done = Done::of(output).exits(11).complains("nothing can be judged on this machine").complains("cure");
        assert!(done.stdout.is_empty(), "{}", done.stdout);
        assert!(done.stderr.lines().count() < 10, "{}", done.stderr);
    }
    let output = Command::new("setpriv").args(["--no-new-privs", env!("CARGO_BIN_EXE_lab"), "preflight"]).output();
    let done = Done::of(output.expect("setpriv(1)")).exits(11).says("without");
    assert!(done.stdout.matches("set-group-ID probe").count() <= 1, "{}", done.stdout);
}

#[test]
fn without_a_tree_the_lab_says_where_it_looked() {
    let dir = tempfile::tempdir().expect("a directory");
    let lab = dir.path().join("lab");
    fs::copy(env!("CARGO_BIN_EXE_lab"), &lab).expect("the lab");
    let done = Done::of(outside(&lab, dir.path(), &["list"])).exits(2);
    done.complains("neither a checkout nor a distributed tree was found");
}
