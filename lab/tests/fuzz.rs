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
    // As the README has it, of one.
    let quick = lab(&["fuzz", "prove", "--quick", "leaves-umask", "--at-least", "1"], 0);
    assert!(quick.lines().any(|line| line.starts_with("leaves-umask")), "{quick}");
    // The same demand, of which the sound one alone falls short.
    lab(&["fuzz", "prove", "--seeds", "1", "--cap", "50", "sound", "leaves-core-limit", "--at-least", "2"], 10);
}

/// The examples of `--help`, as a shell reads them, in the order in which a user would type them. Those of `prove` take
/// minutes, and the other test types one like them.
#[test]
fn the_examples_of_its_help_work() {
    if no_sandbox() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let (findings, scenarios) = (at("findings"), at("scenarios"));
    std::fs::create_dir(&scenarios).expect("a directory");
    let identities = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/identities.toml");
    std::fs::copy(identities, at("scenarios/identities.toml")).expect("identities");
    let mut typed = 0;
    for (command, status, says) in [
        ("run", 10, "FINDING  P11 / checks-effective-gid / effective-only"),
        ("list", 0, "P11-checks-effective-gid-effective-only-exit-"),
        ("show", 0, "    program /usr/local/mailman/mail/mailman"),
        ("replay", 0, "effective-only"),
        ("adopt", 0, "regressions/gid"),
    ] {
        let help = lab(&["fuzz", command, "--help"], 0);
        let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1).take_while(|line| !line.is_empty());
        for example in examples.map(str::trim) {
            typed += 1;
            let line = example.split('#').next().expect("a line");
            let mut words: Vec<&str> = line.split_whitespace().skip(1).collect();
            words.extend(["--directory", &findings]);
            match command {
                // A wrapper that is installed nowhere here, and one in which a minute would find as little.
                "run" if line.contains("--profile") => {
                    let output = run(&words);
                    let errors = String::from_utf8_lossy(&output.stderr);
                    assert!(
                        output.status.code() == Some(2) && errors.contains("cannot be read"),
                        "{example}\n{errors}"
                    );
                    continue;
                }
                "run" if !line.contains("--time") => {
                    words.extend(["--executions", "200"]);
                    lab(&words, 0);
                    continue;
                }
                "adopt" => words.extend(["--scenarios", &scenarios]),
                "show" | "replay" => {
                    // The example names one finding of many.
                    let name = words.iter().find(|word| word.ends_with(".inv")).expect("a finding");
                    let place = dir.path().join("findings/checks-effective-gid/findings");
                    let entries = std::fs::read_dir(&place).expect("findings").flatten();
                    let found = entries.map(|entry| entry.path()).min().expect("one at least");
                    std::fs::rename(found, place.join(name)).expect("the same directory");
                }
                _ => {}
            }
            let said = lab(&words, status);
            assert!(said.contains(says), "{example}\n{said}");
        }
    }
    assert!(typed >= 7, "{typed}");
    lab(&["check", "--scenarios", &scenarios], 0);
    lab(&["list", "regressions/gid", "--scenarios", &scenarios], 0);
}
