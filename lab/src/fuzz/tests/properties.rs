//! Each property holds of a sound execution that exercises it, and is the one that names its own fault.

use super::ground;
use crate::case::Case;
use crate::fuzz::property::{PROPERTIES, Question};
use crate::judge::tests::{capture, sound};
use crate::predict;
use lab_invocation::evidence::{Change, ChangeKind, End, OpenDescriptor};
use lab_invocation::{Evidence, Gid};
use rstest::rstest;

/// The properties that an execution exercises, and the first that does not hold.
fn asked(case: &Case, evidence: &Evidence) -> (Vec<&'static str>, Option<&'static str>) {
    let prediction = predict::predict(case, None);
    let question = Question { case, prediction: &prediction, evidence };
    let answers: Vec<_> =
        PROPERTIES.iter().filter_map(|property| Some((property.id, (property.holds)(&question)?))).collect();
    let broken = answers.iter().find(|(_, holds)| !holds).map(|(id, _)| *id);
    (answers.into_iter().map(|(id, _)| id).collect(), broken)
}

fn admitted() -> (Case, Evidence) {
    let ground = ground("mail-wrapper");
    let attempt = ground.attempt((*ground.control.invocation).clone());
    let case = ground.case(&attempt, None).expect("it can be asked");
    let evidence = sound(&case);
    (case, evidence)
}

fn refused() -> (Case, Evidence) {
    let ground = ground("mail-wrapper");
    let case = ground.case(&ground.stranger(), None).expect("it can be asked");
    let mut evidence = sound(&case);
    evidence.stderr = capture(b"group mismatch\n");
    (case, evidence)
}

#[test]
fn a_sound_execution_breaks_none_and_both_together_exercise_all() {
    let ((case, evidence), (other, refusal)) = (admitted(), refused());
    let (started, broken) = asked(&case, &evidence);
    assert_eq!((started, broken), (vec!["P01", "P02", "P03", "P04", "P10", "P16"], None));
    assert_eq!(asked(&other, &refusal), (vec!["P05", "P06", "P07", "P10"], None));
}

#[rstest]
#[case::another_real_gid("P01", |case: &mut Case, _: &mut Evidence| case.invocation.identity.gid = Gid::new(100).expect("a gid"))]
#[case::another_command("P02", |case: &mut Case, _: &mut Evidence| case.invocation.argv.edit(|argv| argv[1] = "Post".into()))]
#[case::no_command("P02", |case: &mut Case, _: &mut Evidence| case.invocation.argv.edit(|argv| argv.truncate(1)))]
#[case::a_variable_that_is_not_kept("P03", |_: &mut Case, evidence: &mut Evidence| evidence.witness[0].env.push("IFS=/".into()))]
#[case::a_variable_that_nobody_gave("P03", |_: &mut Case, evidence: &mut Evidence| evidence.witness[0].env.push("LANG=C".into()))]
#[case::the_second_of_two("P03", |case: &mut Case, evidence: &mut Evidence| {
    case.invocation.env = vec!["LANG=a".into(), "LANG=b".into()];
    evidence.witness[0].env.push("LANG=b".into());
})]
#[case::one_name_twice("P03", |case: &mut Case, evidence: &mut Evidence| {
    case.invocation.env = vec!["LANG=a".into()];
    evidence.witness[0].env.extend(["LANG=a".into(), "LANG=a".into()]);
})]
#[case::another_path("P03", |_: &mut Case, evidence: &mut Evidence| evidence.witness[0].env = vec!["PATH=/tmp".into()])]
#[case::no_path("P03", |_: &mut Case, evidence: &mut Evidence| evidence.witness[0].env.clear())]
#[case::another_argument("P04", |_: &mut Case, evidence: &mut Evidence| evidence.witness[0].argv.edit(|argv| argv[1] = "other".into()))]
#[case::another_script("P04", |_: &mut Case, evidence: &mut Evidence| evidence.witness[0].argv.edit(|argv| argv[0] = "/tmp/post".into()))]
#[case::killed("P06", |_: &mut Case, evidence: &mut Evidence| evidence.end = Some(End::Signaled { signal: 11, core: false }))]
#[case::hangs("P10", |_: &mut Case, evidence: &mut Evidence| evidence.end = Some(End::TimedOut))]
#[case::starts_two("P10", |_: &mut Case, evidence: &mut Evidence| evidence.witness_unfinished = 1)]
#[case::leaves_a_process("P10", |_: &mut Case, evidence: &mut Evidence| evidence.strays = 1)]
#[case::leaks("P16", |_: &mut Case, evidence: &mut Evidence| {
    evidence.witness[0].descriptors.push(OpenDescriptor { number: 7, target: "x".into(), access: 0 });
})]
#[case::closed("P16", |_: &mut Case, evidence: &mut Evidence| drop(evidence.witness[0].descriptors.pop()))]
fn what_an_admitted_start_does_wrong_is_named(#[case] id: &str, #[case] change: fn(&mut Case, &mut Evidence)) {
    let (mut case, mut evidence) = admitted();
    change(&mut case, &mut evidence);
    assert_eq!(asked(&case, &evidence).1, Some(id));
}

#[rstest]
#[case::an_escape("P05", |evidence: &mut Evidence| evidence.stderr = capture(b"no \x1b[2J\n"))]
#[case::two_lines("P05", |evidence: &mut Evidence| evidence.stderr = capture(b"no\nno\n"))]
#[case::too_long("P05", |evidence: &mut Evidence| evidence.stderr = capture(&[b'a'; 901]))]
#[case::in_the_log("P05", |evidence: &mut Evidence| evidence.syslog.push(b"\xff".as_slice().into()))]
#[case::an_undocumented_status("P06", |evidence: &mut Evidence| evidence.end = Some(End::Exited(1)))]
#[case::a_file("P07", |evidence: &mut Evidence| {
    evidence.changes.push(Change { path: "/tmp/x".into(), kind: ChangeKind::Removed });
})]
#[case::endless_output("P10", |evidence: &mut Evidence| evidence.stdout.total = 1 << 20)]
fn what_a_refusal_does_wrong_is_named(#[case] id: &str, #[case] change: fn(&mut Evidence)) {
    let (case, mut evidence) = refused();
    change(&mut evidence);
    assert_eq!(asked(&case, &evidence).1, Some(id));
}
