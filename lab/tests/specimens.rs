//! Every specimen is failed by the lab for its own defect, and the sound one passes: `lab specimens`, as a user runs it.
//!
//! Needs a sandbox: root, or an ordinary user with subordinate ids. Without, the test is skipped, and says so;
//! LAB_REQUIRE=namespace turns that into a failure.

use lab::capability::Capability;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Output};

/// What the lab ends with where the machine does not let it judge.
const UNRESOLVED: i32 = 11;

/// Runs the lab optimised: it starts some forty thousand programs.
fn lab(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--profile", "lab", "--package", "lab", "--bin", "lab", "--"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started")
}

/// The capabilities that `lab preflight` does not tick.
fn lacking(preflight: &str) -> BTreeSet<Capability> {
    let all = Capability::ALL.iter().copied();
    all.filter(|capability| !preflight.contains(&format!(" {capability} ✓"))).collect()
}

#[test]
fn each_is_caught_for_its_own_defect() {
    let preflight = lab(&["preflight"]);
    let found = String::from_utf8_lossy(&preflight.stdout);
    if preflight.status.code() == Some(UNRESOLVED) {
        let required =
            std::env::var_os("LAB_REQUIRE").is_some_and(|names| names.to_string_lossy().contains("namespace"));
        assert!(!required, "LAB_REQUIRE=namespace, but no sandbox can be made here:\n{found}");
        // Past the capture of output: a skip that nobody sees is taken for a success.
        writeln!(std::io::stderr(), "skipped: no sandbox can be made here").expect("standard error can be written");
        return;
    }
    let specimens = lab(&["specimens"]);
    let table = String::from_utf8_lossy(&specimens.stdout);
    let errors = String::from_utf8_lossy(&specimens.stderr);
    // An ordinary user cannot make system calls fail: what only that would show is left open, and nothing else is.
    let lacking = lacking(&found);
    let all = lab::specimens::all().expect("the table is sound");
    let excused = all.iter().filter(|specimen| !specimen.needs.is_disjoint(&lacking));
    let excused: BTreeSet<&str> = excused.map(|specimen| specimen.name.as_str()).collect();
    let left_open = table.lines().filter(|line| !line.starts_with(' ') && line.contains("  not here"));
    let left_open: BTreeSet<&str> = left_open.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(left_open, excused, "without {lacking:?}\n{table}\n{errors}");
    let wanted = if excused.is_empty() { 0 } else { UNRESOLVED };
    assert_eq!(specimens.status.code(), Some(wanted), "{table}\n{errors}");
    assert!(table.contains("sound ") && table.contains("caught"), "the table is empty:\n{table}\n{errors}");
    let help = lab(&["specimens", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout);
    let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1).take_while(|line| !line.is_empty());
    let mut typed = 0;
    for example in examples {
        let words = example.split('#').next().unwrap_or_default().split_whitespace().skip(1);
        let output = lab(&words.collect::<Vec<_>>());
        assert!(output.status.success(), "{example}\n{}", String::from_utf8_lossy(&output.stdout));
        typed += 1;
    }
    assert!(typed > 0, "lab specimens --help has no examples:\n{help}");
}
