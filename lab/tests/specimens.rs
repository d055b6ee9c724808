//! Every specimen is failed by the lab for its own defect, and the sound one passes.
//!
//! Needs a sandbox: root, or an ordinary user with subordinate ids. Without, the test is skipped, and says so;
//! LAB_REQUIRE=namespace turns that into a failure.

use lab::backend::Backend;
use lab::backend::namespace::Namespace;
use lab::capability::Support;
use lab::run::exit::Exit;
use lab::run::programs::{PACKAGES, Programs};
use lab::run::session::Session;
use lab::specimens::{self, Bench, Caught};
use std::sync::Arc;

#[test]
fn each_is_caught_for_its_own_defect() {
    let session = Session::open(None).expect("the shipped scenarios are sound");
    let packages: Vec<&str> = PACKAGES.iter().copied().chain([specimens::PACKAGE]).collect();
    let programs = Programs::provide(&session.tree, &packages, &mut |_| {}).expect("the programs build");
    let backend = Namespace::new(programs.path("lab-agent").expect("the agent was built"));
    let capabilities = backend.capabilities();
    let missing: Vec<_> = capabilities.iter().filter(|(_, support)| **support != Support::Yes).collect();
    if let Err(error) = backend.tier() {
        let required =
            std::env::var_os("LAB_REQUIRE").is_some_and(|names| names.to_string_lossy().contains("namespace"));
        assert!(!required, "LAB_REQUIRE=namespace, but {error}");
        println!("SKIPPED: no sandbox can be made here: {error}");
        return;
    }
    println!("missing here: {missing:?}");
    let bench = Bench {
        session: &session,
        programs: &programs,
        backend: Arc::new(backend),
        capabilities: &capabilities,
        jobs: 2,
    };
    let specimens = specimens::all().expect("the table is sound");
    let rows: Vec<_> = specimens.iter().map(|specimen| bench.judge(specimen).expect("it can be run")).collect();
    for row in &rows {
        println!("{row}");
    }
    let escaped: Vec<&str> = rows
        .iter()
        .filter(|row| matches!(row.caught(), Caught::No { .. }))
        .map(|row| row.specimen.name.as_str())
        .collect();
    assert!(escaped.is_empty(), "not caught for their own defect: {}", escaped.join(", "));
    assert_ne!(specimens::exit(&rows), Exit::Failed);
}
