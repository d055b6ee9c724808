//! The lab as a judge of the wrappers of this tree: every scenario, on static programs built without link-time
//! optimisation.
//!
//! Whoever wants to know that runs `cargo lab`, which says more; and who only tests this package need not build the lab.
//! So this is left out unless it is asked for. It exists for cargo-mutants (`.cargo/mutants.toml`), which knows judges
//! only as tests: after the unit tests, and the programs that are installed and run, the lab is asked about each change
//! which nothing has noticed yet.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "`cargo lab` says the same and more; `just mutants` includes it"]
fn every_scenario_holds() {
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
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started");
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    // No exception for a machine without sandboxes, where the lab exits with 11: a judge who sees nothing acquits nobody.
    assert!(
        judged.status.success(),
        "the lab's {}:\n{}\n{}",
        judged.status,
        said(&judged.stdout),
        said(&judged.stderr)
    );
}
