//! Every field of an outcome is seen to contradict the model.

use crate::case::{Case, Outcome, Script};
use crate::predict::{contradictions, predict};
use crate::scenario::{self, Suite};
use lab_invocation::invocation::{Fault, FaultResult};
use lab_invocation::{Gid, Uid};
use rstest::rstest;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

static SUITE: LazyLock<Suite> = LazyLock::new(|| {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
    scenario::load(directory).expect("the scenarios of the project load")
});

fn case(id: &str) -> Case {
    SUITE.cases.iter().find(|case| case.id.0 == id).expect("the scenarios of the project have it").as_ref().clone()
}

/// What a case contradicts the model in, by field.
fn fields(case: &Case) -> Vec<String> {
    contradictions(case, &predict(case, None)).into_iter().map(|found| found.field).collect()
}

const ADMITTED: &str = "group-mismatch/mta-identities/exim-pipe×mail";
const REFUSED: &str = "group-mismatch/mta-identities/exim-pipe×nogroup";

#[rstest]
#[case::exit(|o: &mut Outcome| o.exit = Some(1), "exit")]
#[case::exec_error(|o: &mut Outcome| o.exec_error = Some(13), "exec-error")]
#[case::ended_before_main(|o: &mut Outcome| o.ended_before_main = true, "ended-before-main")]
fn a_stated_end_is_compared(#[case] state: fn(&mut Outcome), #[case] field: &str) {
    for id in [ADMITTED, REFUSED] {
        let mut case = case(id);
        assert_eq!(fields(&case), [""; 0], "{id} is sound");
        state(&mut case.outcome);
        assert_eq!(fields(&case), [field], "{id}");
    }
}

#[rstest]
#[case::started(|s: &mut Script| s.started = Some(false), "script.started")]
#[case::real_gid(|s: &mut Script| s.real_gid = Gid::new(8), "script.real-gid")]
#[case::effective_gid(|s: &mut Script| s.effective_gid = Gid::new(8), "script.effective-gid")]
#[case::saved_gid(|s: &mut Script| s.saved_gid = Gid::new(8), "script.saved-gid")]
#[case::uid(|s: &mut Script| s.uid = Some(Uid::ROOT), "script.uid")]
#[case::groups(|s: &mut Script| s.groups = Some([Gid::ROOT].into()), "script.groups")]
#[case::path(|s: &mut Script| s.path = Some("/bin/sh".into()), "script.path")]
#[case::argv(|s: &mut Script| s.argv = Some(["post".into()].into()), "script.argv")]
#[case::env(|s: &mut Script| s.env = Some(BTreeMap::new()), "script.env")]
#[case::open_fds(|s: &mut Script| s.open_fds = Some([0, 1, 2, 3].into()), "script.open-fds")]
#[case::umask(|s: &mut Script| s.umask = Some(0), "script.umask")]
#[case::cwd(|s: &mut Script| s.cwd = Some("/tmp".into()), "script.cwd")]
#[case::ignored(|s: &mut Script| s.ignored_signals = Some([13].into()), "script.ignored-signals")]
#[case::blocked(|s: &mut Script| s.blocked_signals = Some([13].into()), "script.blocked-signals")]
#[case::pending(|s: &mut Script| s.pending_signals = Some([13].into()), "script.pending-signals")]
#[case::core_limit(|s: &mut Script| s.core_limit = Some(1), "script.core-limit")]
#[case::timers_off(|s: &mut Script| s.timers_off = Some(false), "script.timers-off")]
#[case::timer_slack(|s: &mut Script| s.timer_slack_ns = Some(1), "script.timer-slack")]
#[case::no_capabilities(|s: &mut Script| s.no_capabilities = Some(false), "script.no-capabilities")]
#[case::stdin(|s: &mut Script| s.stdin = Some("other".into()), "script.stdin")]
fn a_stated_field_of_the_script_is_compared(#[case] state: fn(&mut Script), #[case] field: &str) {
    let mut case = case(ADMITTED);
    state(case.outcome.script.get_or_insert_default());
    assert_eq!(fields(&case), [field]);
}

#[test]
fn a_field_of_a_script_that_does_not_start_is_a_contradiction() {
    let mut case = case(REFUSED);
    case.outcome.script = Some(Script { umask: Some(0o022), ..Script::default() });
    assert_eq!(fields(&case), ["script.started"]);
}

#[test]
fn a_name_that_the_model_knows_must_be_its_name() {
    let mut case = case(REFUSED);
    case.expected = "nameless".into();
    assert_eq!(fields(&case), ["the outcome's name"]);
}

/// A fault can turn an admission into a refusal, but never a refusal into an admission, and never into success.
#[rstest]
#[case::refused_instead(ADMITTED, 3, false, &[])]
#[case::admitted_all_the_same(ADMITTED, 0, true, &[])]
#[case::success_without_a_script(ADMITTED, 0, false, &["exit"])]
#[case::another_refusal(REFUSED, 11, false, &[])]
#[case::admitted_instead(REFUSED, 0, true, &["exit", "script.started"])]
fn with_a_fault_only_refusals_may_differ(
    #[case] id: &str,
    #[case] exit: u8,
    #[case] started: bool,
    #[case] contradicted: &[&str],
) {
    let mut case = case(id);
    case.invocation.faults.push(Fault { call: "setresgid".into(), nth: 0, result: FaultResult::Errno(1) });
    case.expected = "stated".into();
    *case.outcome = Outcome {
        exit: Some(exit),
        script: Some(Script { started: Some(started), ..Script::default() }),
        ..Outcome::default()
    };
    assert_eq!(fields(&case), contradicted);
}

/// The suite as a whole exercises the model: every decision that a sealed wrapper can come to is expected somewhere.
#[test]
fn every_decision_of_a_sealed_wrapper_is_expected_somewhere() {
    let expected: BTreeSet<&str> = SUITE.cases.iter().map(|case| predict(case, None).outcome()).collect();
    let all: BTreeSet<&str> = lab_model::Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
    assert_eq!(expected, all);
}

/// A file cannot state of the tool what its rules do not yield.
#[rstest]
#[case::sound(|_: &mut Outcome| (), &[])]
#[case::another_group(|o: &mut Outcome| o.stdout = vec!["trusts news 9".into()], &["stdout"])]
#[case::a_longer_number(|o: &mut Outcome| o.stdout = vec!["trusts mail 80".into()], &["stdout"])]
#[case::a_refusal(|o: &mut Outcome| o.exit = Some(1), &["exit"])]
#[case::nothing_written(|o: &mut Outcome| o.changes = Some(Vec::new()), &["changes"])]
#[case::said_as_an_error(|o: &mut Outcome| o.stderr = std::mem::take(&mut o.stdout), &["stderr"])]
#[case::a_script(|o: &mut Outcome| {
    o.script = Some(Script { started: Some(true), ..Script::default() });
}, &["script.started"])]
fn what_is_stated_of_the_tool_is_compared(#[case] state: fn(&mut Outcome), #[case] wanted: &[&str]) {
    let mut case = case("configure/group-lists/the-first-of-several");
    state(&mut case.outcome);
    assert_eq!(fields(&case), wanted);
}
