//! Two runs of one case, of which the second observed something else.

use super::{Divergences, OF_THE_SURROUNDINGS, Side, compare, left_out};
use crate::capability::{Capability, Support};
use crate::run::event::{CaseFinished, Machine};
use crate::run::sample::{evidence, finished};
use crate::verdict::Verdict;
use lab_invocation::Evidence;
use lab_invocation::evidence::{End, FileState, WitnessReport};
use lab_invocation::layout::MountFlags;
use lab_invocation::{Gid, Uid};
use rstest::rstest;
use std::collections::BTreeMap;

fn machine(backend: &str, bounding: &str) -> Machine {
    let no = Support::No { because: "tried".to_owned(), cure: None };
    let overlay = if backend == "namespace" { Support::Yes } else { no };
    Machine {
        backend: backend.to_owned(),
        kernel: "Linux 6.1".to_owned(),
        architecture: "x86_64".to_owned(),
        capabilities: [(Capability::Overlay, overlay)].into_iter().collect(),
        facts: BTreeMap::from([("capability bounding set".to_owned(), bounding.to_owned())]),
    }
}

fn case(name: &str, evidence: Option<Evidence>, verdict: Verdict) -> CaseFinished {
    CaseFinished { evidence, ..finished("a/b", name, verdict) }
}

fn admitted() -> Evidence {
    let mount = MountFlags { nosuid: false, noexec: false, nodev: false, read_only: true };
    let file = FileState { owner: Uid::ROOT, group: Gid::ROOT, mode: 0o2755, links: 1, size: 7, mount };
    let mut evidence = Evidence { installed: Some(file), ..evidence(End::Exited(0)) };
    evidence.witness[0].capabilities = [0, 0, 0, 0b111, 0];
    evidence
}

fn compared(one: &[CaseFinished], other: &[CaseFinished]) -> Divergences {
    let (first, second) = (machine("namespace", "ff"), machine("docker", "f3"));
    let one = Side { machine: &first, cases: one.iter().collect() };
    let other = Side { machine: &second, cases: other.iter().collect() };
    compare(&one, &other).expect("evidence is data")
}

fn fields(change: impl FnOnce(&mut Evidence)) -> Vec<String> {
    let mut other = admitted();
    change(&mut other);
    let found = compared(&[case("c", Some(admitted()), Verdict::Pass)], &[case("c", Some(other), Verdict::Pass)]);
    assert_eq!(found.same, usize::from(found.cases.is_empty()));
    found.cases.into_iter().flat_map(|case| case.fields).map(|(field, ..)| field).collect()
}

fn of_witness(change: impl FnOnce(&mut WitnessReport)) -> Vec<String> {
    fields(|evidence| change(&mut evidence.witness[0]))
}

#[test]
fn what_belongs_to_the_surroundings_is_left_out() {
    assert_eq!(fields(|_| {}), [""; 0]);
    assert_eq!(fields(|evidence| (evidence.setup_us, evidence.run_us) = (1, 2)), [""; 0]);
    assert_eq!(of_witness(|witness| witness.pid = 77), [""; 0]);
    let engines = |evidence: &mut Evidence| {
        let mount = &mut evidence.installed.as_mut().expect("a file").mount;
        (mount.nodev, mount.read_only) = (true, false);
    };
    assert_eq!(fields(engines), [""; 0]);
    // Bit 2 is not in the bounding set of the other machine, and no process there has it.
    assert_eq!(of_witness(|witness| witness.capabilities[3] = 0b011), [""; 0]);
    // All of it in one session and group, which has another number there.
    let elsewhere = |evidence: &mut Evidence| {
        let place = evidence.invoker.place.as_mut().expect("a place");
        (place.session, place.process_group) = (8, 8);
        evidence.witness[0].place = *place;
    };
    assert_eq!(fields(elsewhere), [""; 0]);
}

#[test]
fn whatever_else_differs_is_named() {
    assert_eq!(fields(|evidence| evidence.end = Some(End::Exited(1))), ["end.exited"]);
    assert_eq!(fields(|evidence| evidence.strays = 1), ["strays"]);
    assert_eq!(fields(|evidence| evidence.stderr.bytes = "x".into()), ["stderr.bytes"]);
    assert_eq!(fields(|evidence| evidence.witness.clear()), ["witness"]);
    assert_eq!(fields(|evidence| evidence.installed = None), ["installed"]);
    let nosuid = |evidence: &mut Evidence| evidence.installed.as_mut().expect("a file").mount.nosuid = true;
    assert_eq!(fields(nosuid), ["installed.mount.nosuid"]);
    assert_eq!(of_witness(|witness| witness.umask = 0), ["witness[0].umask"]);
    assert_eq!(of_witness(|witness| witness.argv.push("x".into())), ["witness[0].argv"]);
    let group = Gid::new(8).expect("a group");
    assert_eq!(of_witness(|witness| witness.credentials.gid.saved = group), ["witness[0].credentials.gid.saved"]);
    assert_eq!(of_witness(|witness| witness.capabilities[3] = 0b110), ["witness[0].capabilities[3]"]);
    assert_eq!(of_witness(|witness| witness.capabilities[2] = 1), ["witness[0].capabilities[2]"]);
    assert_eq!(of_witness(|witness| witness.place.session = 9), ["witness[0].place.session"]);
    assert_eq!(of_witness(|witness| witness.place.process_group = 9), ["witness[0].place.process_group"]);
    let leads = |evidence: &mut Evidence| evidence.invoker.place.as_mut().expect("a place").process_group = 9;
    assert_eq!(fields(leads), ["invoker.place.process_group", "witness[0].place.process_group"]);
}

#[test]
fn a_case_that_one_cannot_run_differs_unless_that_is_declared() {
    let ran = case("c", Some(admitted()), Verdict::Pass);
    let because = "an engine cannot make it; cure: none".to_owned();
    let not = |needs| case("c", None, Verdict::Unsupported { needs, because: because.clone() });
    let declared = |other: CaseFinished| compared(std::slice::from_ref(&ran), &[other]);
    let overlay = declared(not(Some(Capability::Overlay)));
    assert_eq!(overlay.declared, BTreeMap::from([("overlay".to_owned(), 1)]));
    assert_eq!(declared(not(None)).declared, BTreeMap::from([("an engine cannot make it".to_owned(), 1)]));
    assert_eq!((overlay.cases.len(), overlay.same), (0, 0));
    // Neither machine is said to have it, and yet one ran the case.
    let contradicts = declared(not(Some(Capability::LargeIds)));
    assert_eq!(contradicts.cases[0].fields[0], ("verdict".to_owned(), "pass".to_owned(), "unsupported".to_owned()));
    assert_eq!(compared(&[not(None)], &[not(None)]).neither, 1);
    assert_eq!(compared(std::slice::from_ref(&ran), &[]).cases[0].fields[0].2, "not in this run");
    assert_eq!(compared(&[], &[ran]).cases[0].fields[0].1, "not in this run");
}

#[rstest]
#[case::time("setup_us", true)]
#[case::of_any("witness[3].pid", true)]
#[case::longer("witness[3].pids", false)]
#[case::no_number("witness[x].pid", false)]
#[case::within("witness[3].place.pid", false)]
#[case::in_no_list("witness.pid", false)]
fn a_field_is_left_out_by_its_whole_name(#[case] field: &str, #[case] out: bool) {
    assert_eq!(left_out(field), out);
    assert!(OF_THE_SURROUNDINGS.iter().all(|(_, because)| !because.is_empty()));
}
