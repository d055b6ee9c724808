//! `lab fuzz`, as a user runs it: what is planted is found, and in the wrappers there is nothing.
//!
//! Needs a sandbox: root, or an ordinary user with subordinate ids. Without, the test is skipped, and says so;
//! `LAB_REQUIRE` turns that into a failure.

#[path = "support/required.rs"]
mod required;

use std::process::{Command, Output};

/// What the lab ends with where the machine does not let it judge.
const UNRESOLVED: i32 = 11;

/// Specimens of every kind, each of which the seed 1 finds within [`CAP`]; all of them on every machine with a sandbox.
const FOUND: [&str; 10] = [
    "checks-effective-gid",
    "asks-user-database",
    "admits-own-group",
    "trusts-root",
    "switches-with-setgid",
    "leaves-umask",
    "keeps-second-duplicate",
    "accepts-any-case",
    "checks-arguments-first",
    "crashes-on-empty-argv",
];

/// Executions for each; the slowest of them takes some hundred.
const CAP: &str = "1000";

/// Runs the lab optimised, and demands its exit status.
fn lab(arguments: &[&str], status: i32) -> String {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "lab {}\n{said}\n{errors}", arguments.join(" "));
    said
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--profile", "lab", "--package", "lab", "--bin", "lab", "--"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started")
}

fn no_sandbox() -> bool {
    let preflight = run(&["preflight"]);
    let none = preflight.status.code() == Some(UNRESOLVED);
    if none {
        required::skip("namespace", format!("no sandbox can be made:\n{}", String::from_utf8_lossy(&preflight.stdout)));
    }
    none
}

#[test]
fn planted_flaws_are_found_and_in_the_wrappers_nothing() {
    if no_sandbox() {
        return;
    }
    let at_least = FOUND.len().to_string();
    let mut arguments = vec!["fuzz", "prove", "--seeds", "1", "--cap", CAP, "--at-least", &at_least];
    arguments.extend(["mail-wrapper", "cgi-wrapper"]);
    arguments.extend(FOUND);
    let table = lab(&arguments, 0);
    for sound in ["mail-wrapper", "cgi-wrapper"] {
        let row = table.lines().find(|line| line.starts_with(sound)).expect("it is in the table");
        assert!(row.contains(&format!("none in {CAP}")), "{row}");
    }
    // The same demand, of which the sound one alone falls short.
    lab(&["fuzz", "prove", "--seeds", "1", "--cap", "50", "sound", "leaves-core-limit", "--at-least", "2"], 10);
}
