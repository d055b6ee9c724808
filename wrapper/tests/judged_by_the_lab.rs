//! The lab as a judge of the wrappers of this tree: every scenario, on static programs built without link-time
//! optimisation.
//!
//! Whoever wants to know that runs `cargo lab`, which says more; and who only tests this package need not build the lab.
//! So this is left out unless it is asked for. It exists for cargo-mutants (`.cargo/mutants.toml`), which knows judges
//! only as tests: after the unit tests, and the programs that are installed and run, the lab is asked about each change
//! which nothing has noticed yet.
//!
//! A test can only pass or fail, and whatever fails counts as noticed. So what the lab could not judge is written to the
//! file that `UNJUDGED` names, and `.ci/mutants` then throws the results away.

#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "tests start the programs, and those of a system")]

use rstest::rstest;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Names the file that says what could not be judged; with something in it nothing more is tried.
const UNJUDGED: &str = "LAB_UNJUDGED";

/// What the lab found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    /// Every scenario holds.
    Holds,
    /// A case failed, or a known failure passes: a change has been noticed.
    Noticed,
    /// Nothing: the lab, its build or the machine is at fault, or runs of a case disagree.
    Nothing,
}

impl Judgement {
    /// By exit status and report of `lab run`.
    fn of(status: Option<i32>, told: &str) -> Self {
        match status {
            Some(0) => Self::Holds,
            Some(10 | 12) => Self::Noticed,
            // A control fell if one failed. Without a failure the lab saw nothing, and that acquits and condemns nobody.
            Some(11) if told.lines().any(|line| line.starts_with("FAIL  ")) => Self::Noticed,
            _ => Self::Nothing,
        }
    }
}

#[test]
#[ignore = "`cargo lab` says the same and more; `just mutants` includes it"]
fn every_scenario_holds() {
    let unjudged = std::env::var_os(UNJUDGED);
    let before = unjudged.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    assert!(
        before.is_empty(),
        "the lab could not judge an earlier change, and what it says is worth nothing:\n{before}"
    );
    // The newest run only, and where `cargo clean` finds it.
    let record = Path::new(env!("CARGO_TARGET_TMPDIR")).join("judged-by-the-lab");
    if record.exists() {
        std::fs::remove_dir_all(&record).expect("the record of an earlier run can be removed");
    }
    let lab = ["run", "--quiet", "--profile", "lab", "--package", "lab", "--bin", "lab", "--"];
    let judged = Command::new(env!("CARGO"))
        .args(lab)
        .args(["run", "--fail-fast", "--record"])
        .arg(record)
        .env("NO_COLOR", "1")
        .env_remove("GITHUB_ACTIONS")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started");
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (told, errors) = (said(&judged.stdout), said(&judged.stderr));
    let judgement = Judgement::of(judged.status.code(), &told);
    let report = format!("the lab's {}:\n{told}\n{errors}", judged.status);
    if let (Judgement::Nothing, Some(path)) = (judgement, &unjudged) {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(report.as_bytes()))
            .expect("what could not be judged can be written down");
    }
    assert_eq!(judgement, Judgement::Holds, "{report}");
}

#[rstest]
#[case::all_pass(Some(0), "5 pass   0 fail", Judgement::Holds)]
#[case::a_case_failed(Some(10), "FAIL  some/case", Judgement::Noticed)]
#[case::a_known_failure_passes(Some(12), "UNEXPECTED PASS", Judgement::Noticed)]
#[case::a_control_failed(Some(11), "\nFAIL  some/control\n  expected  admitted", Judgement::Noticed)]
#[case::runs_disagree(Some(11), "UNRESOLVED\n  two runs disagree", Judgement::Nothing)]
#[case::no_sandbox(Some(11), "", Judgement::Nothing)]
#[case::a_text_about_failing(Some(11), "0 fail\n  it said  FAIL  x", Judgement::Nothing)]
#[case::internal_error(Some(1), "", Judgement::Nothing)]
#[case::scenario_file(Some(2), "", Judgement::Nothing)]
#[case::nothing_selected(Some(13), "", Judgement::Nothing)]
#[case::the_lab_does_not_build(Some(101), "", Judgement::Nothing)]
#[case::killed(None, "FAIL  some/case", Judgement::Nothing)]
fn only_a_failure_is_noticed(#[case] status: Option<i32>, #[case] told: &str, #[case] judgement: Judgement) {
    assert_eq!(Judgement::of(status, told), judgement);
}
