//! System calls that are made to fail, seen by a subject which makes them.

use crate::fixtures::*;
use lab_invocation::evidence::{End, Stage};
use lab_invocation::invocation::{Fault, FaultResult};
use lab_invocation::{Evidence, Invocation};

const EIO: i32 = 5;

fn with(faults: Vec<Fault>) -> Option<Evidence> {
    let mut worker = worker()?;
    Some(run(worker.as_mut(), &layout(), &Invocation { faults, ..invocation() }))
}

fn fault(call: &str, nth: u32, result: FaultResult) -> Fault {
    Fault { call: call.to_owned(), nth, result }
}

#[test]
fn a_faulted_call_returns_what_it_is_told_and_the_bit_still_acts() {
    // The witness asks for each of its limits; it leaves out the one for which it gets no answer.
    let Some(control) = with(Vec::new()) else { return };
    let Some(evidence) = with(vec![fault("prlimit64", 4, FaultResult::Errno(EIO))]) else { return };
    let (all, less) = (report(&control).limits.len(), report(&evidence).limits.len());
    assert_eq!(less, all - 1, "exactly one call failed");
    assert_eq!(report(&evidence).credentials.gid.effective.as_raw(), OWN_GID);
    assert!(!report(&evidence).no_new_privs);
}

#[test]
fn a_lie_about_success() {
    let Some(evidence) = with(vec![fault("setresgid", 0, FaultResult::Value(0))]) else { return };
    let numbers: Vec<u32> = report(&evidence).regained.iter().map(|regained| regained.number).collect();
    assert_eq!(numbers, [0, GID], "the witness believes that it became root's group, which it did not");
    assert_eq!(
        evidence.invoker.credentials.expect("read back").gid.real.as_raw(),
        GID,
        "the launcher's own call was carried out"
    );
}

#[test]
fn killed_at_a_call() {
    let Some(evidence) = with(vec![fault("prlimit64", 4, FaultResult::Kill)]) else { return };
    assert_eq!(evidence.end, Some(End::Signaled { signal: 9, core: false }));
    assert_eq!(evidence.witness.len(), 0);
}

#[test]
fn a_call_of_another_program_that_the_subject_starts_is_not_counted() {
    let Some(mut worker) = worker() else { return };
    // The kernel executes the interpreter, which is another file than the script.
    let mut layout = layout();
    layout.nodes.push(witness("/usr/local/bin/interpreter", 0, 0o755));
    let script = lab_invocation::layout::Content::Inline("#!/usr/local/bin/interpreter\n".into());
    layout.nodes.push(node("/usr/local/bin/script", 0, 0o755, lab_invocation::layout::NodeKind::File(script)));
    let faults = vec![fault("prlimit64", 0, FaultResult::Errno(EIO))];
    let evidence =
        run(worker.as_mut(), &layout, &Invocation { program: "/usr/local/bin/script".into(), faults, ..invocation() });
    assert_ne!(report(&evidence).limits, []);
}

#[test]
fn an_unknown_call_is_a_failed_set_up_that_names_it() {
    let Some(evidence) = with(vec![fault("frobnicate", 1, FaultResult::Errno(EIO))]) else { return };
    let Stage::Setup { step, .. } = &evidence.stage else { panic!("{evidence:#?}") };
    assert!(step.contains("frobnicate"), "{step}");
}

#[test]
fn calls_which_the_launcher_makes_after_installing_the_filter_can_be_watched() {
    for call in ["prctl", "sendto", "write", "close"] {
        let Some(evidence) = with(vec![fault(call, 1000, FaultResult::Errno(EIO))]) else { return };
        assert_eq!(evidence.stage, Stage::Ran, "{call}");
    }
}
