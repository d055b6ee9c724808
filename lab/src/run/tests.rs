//! The whole of a run on a backend that does what it is told: controls, probes, capabilities, waivers, exit statuses.

use crate::backend::{Backend, BackendError, Blob, LayoutId, Worker};
use crate::capability::{Capabilities, Capability, Support};
use crate::case::{Case, CaseId};
use crate::run::collect::Settings;
use crate::run::event::{Event, Setting, Summary};
use crate::run::exit::Exit;
use crate::run::plan::{Plan, Planned};
use crate::run::sample::case;
use crate::run::seal::Sealer;
use crate::run::verdict::Seen;
use crate::run::waiver::{Allowed, Waivers};
use crate::run::words::word;
use crate::verdict::Difference;
use lab_invocation::evidence::{Capture, End, InvokerState, Stage};
use lab_invocation::layout::Digest;
use lab_invocation::protocol::Probes;
use lab_invocation::{Bytes, Evidence, Invocation, Layout};
use rstest::rstest;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

/// What the fake does, told by the first argument of the invocation.
#[derive(Clone)]
struct Fake {
    probes: Probes,
    runs: Arc<Mutex<BTreeMap<Bytes, u32>>>,
    workers: Arc<AtomicU8>,
}

impl Fake {
    fn new() -> Self {
        let probes = Probes { positive: true, negative: false, witness: true };
        Self { probes, runs: Arc::default(), workers: Arc::default() }
    }
}

impl Backend for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn capabilities(&self) -> Capabilities {
        Capability::ALL.iter().map(|&capability| (capability, Support::Yes)).collect()
    }

    fn worker(&self) -> Result<Box<dyn Worker>, BackendError> {
        self.workers.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(self.clone()))
    }
}

fn broken() -> BackendError {
    BackendError { step: "talking to the helper".to_owned(), found: "it is gone".to_owned(), cure: None }
}

impl Worker for Fake {
    fn open(&mut self, _: &Layout, _: &dyn Fn(Digest) -> Option<Blob>) -> Result<(LayoutId, Probes), BackendError> {
        Ok((LayoutId(0), self.probes.clone()))
    }

    fn run(&mut self, _: LayoutId, invocation: &Invocation) -> Result<Evidence, BackendError> {
        let mut runs = self.runs.lock().expect("no panic elsewhere");
        let run = runs.entry(invocation.program.clone()).or_default();
        *run += 1;
        let status = match invocation.argv.first().map_or(&[][..], Bytes::as_slice) {
            b"good" => 0,
            b"bad" => 1,
            b"flaky" => u8::from(*run == 1),
            b"unfurnished" => return Ok(evidence(Stage::Setup { step: "mount".to_owned(), errno: 1 }, 0)),
            _ => return Err(broken()),
        };
        Ok(evidence(Stage::Ran, status))
    }
}

fn evidence(stage: Stage, status: u8) -> Evidence {
    Evidence {
        end: (stage == Stage::Ran).then_some(End::Exited(status)),
        stage,
        stdout: Capture::default(),
        stderr: Capture::default(),
        syslog: Vec::new(),
        syslog_total: 0,
        witness: Vec::new(),
        witness_unfinished: 0,
        invoker: InvokerState::default(),
        installed: None,
        changes: Vec::new(),
        strays: 0,
        setup_us: 1,
        run_us: 1,
    }
}

/// A case which behaves like this.
fn like(behaviour: &str, name: &str) -> Case {
    let mut case = case("some/scenario", name);
    case.invocation.argv = [behaviour.into()].into();
    case.invocation.program = name.into();
    case
}

fn control(behaviour: &str) -> Case {
    Case { control: true, ..like(behaviour, "control") }
}

struct Run {
    backend: Fake,
    capabilities: Capabilities,
    settings: Settings,
}

impl Run {
    fn new() -> Self {
        let backend = Fake::new();
        let settings = Settings {
            jobs: 2,
            fail_fast: false,
            strict: false,
            allowed: None,
            waivers: Waivers::default(),
            interrupted: Arc::default(),
        };
        Self { capabilities: backend.capabilities(), backend, settings }
    }

    /// The verdict of each case by its name, and the summary.
    fn of(&self, cases: Vec<Case>) -> (BTreeMap<String, String>, Summary) {
        let cases: Vec<Planned> = cases
            .into_iter()
            .map(|case| Planned { case: Arc::new(case), sealed: None, setting: 0, unsupported: None })
            .collect();
        let setting = Setting { setting: 0, layout: Layout::default().into(), names: cases[0].case.names.clone() };
        let plan = Plan { cases, settings: vec![Arc::new(setting)], subjects: Sealer::empty() };
        let judge = |_: &Case, evidence: &Evidence| {
            let difference =
                Difference { field: "exit".to_owned(), expected: "0".to_owned(), observed: "1".to_owned() };
            Seen::Compared(if evidence.end == Some(End::Exited(0)) { vec![] } else { vec![difference] })
        };
        let mut events = Vec::new();
        let backend = Arc::new(self.backend.clone());
        let mut tell = |event: &Event| events.push(event.clone());
        let summary = super::engine::run(plan, backend, &self.capabilities, Box::new(judge), &self.settings, &mut tell);
        assert_eq!(events.last(), Some(&Event::Summary(summary.clone())), "the summary is the last event");
        let verdicts = events.iter().filter_map(|event| match event {
            Event::CaseFinished(case) => {
                let CaseId(id) = &case.id;
                Some((id.rsplit('/').next().unwrap_or(id).to_owned(), word(&case.verdict).to_owned()))
            }
            _ => None,
        });
        (verdicts.collect(), summary)
    }
}

fn verdicts(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(name, verdict)| ((*name).to_owned(), (*verdict).to_owned())).collect()
}

#[rstest]
#[case::all_good(&["good", "good"], Exit::Passed)]
#[case::one_bad(&["good", "bad"], Exit::Failed)]
#[case::flaky(&["good", "flaky"], Exit::Unresolved)]
#[case::unfurnished(&["good", "unfurnished"], Exit::Unresolved)]
#[case::backend_gone(&["good", "gone"], Exit::Unresolved)]
#[case::failure_beats_doubt(&["bad", "flaky", "gone"], Exit::Failed)]
fn exit_statuses(#[case] behaviours: &[&str], #[case] exit: Exit) {
    let cases = behaviours.iter().enumerate().map(|(at, behaviour)| like(behaviour, &at.to_string())).collect();
    assert_eq!(Run::new().of(cases).1.exit, exit.code());
}

#[rstest]
#[case::holds("good", "pass", "pass", Exit::Passed)]
#[case::fails("bad", "fail", "unresolved", Exit::Unresolved)]
#[case::is_flaky("flaky", "unresolved", "unresolved", Exit::Unresolved)]
#[case::cannot_run("gone", "unresolved", "unresolved", Exit::Unresolved)]
fn others_stand_and_fall_with_the_control(
    #[case] behaviour: &str,
    #[case] itself: &str,
    #[case] other: &str,
    #[case] exit: Exit,
) {
    // The control comes last in the file, and runs first all the same.
    let (seen, summary) = Run::new().of(vec![like("good", "a"), like("good", "b"), control(behaviour)]);
    assert_eq!(seen, verdicts(&[("control", itself), ("a", other), ("b", other)]));
    assert_eq!((summary.exit, summary.controls), (exit.code(), 1));
    assert_eq!(summary.controls_held, usize::from(itself == "pass"));
}

#[rstest]
#[case::with_all_that_rest_on_it(true, "unsupported", Exit::Passed)]
#[case::alone(false, "unresolved", Exit::Unresolved)]
fn a_control_that_cannot_be_tried_does_not_fall(#[case] both: bool, #[case] other: &str, #[case] exit: Exit) {
    let needs = [Capability::Overlay].into();
    let mut needy = Case { needs, ..control("good") };
    let mut rests = like("good", "a");
    if both {
        rests.needs = needy.needs.clone();
    }
    let elsewhere =
        Arc::new(crate::case::ScenarioInfo { id: "another/scenario".to_owned(), ..(*rests.scenario).clone() });
    needy.scenario = Arc::clone(&elsewhere);
    rests.scenario = elsewhere;
    let mut run = Run::new();
    run.capabilities.insert(Capability::Overlay, Support::No { because: "none here".to_owned(), cure: None });
    let (seen, summary) = run.of(vec![needy, rests, like("good", "b")]);
    assert_eq!(seen, verdicts(&[("control", "unsupported"), ("a", other), ("b", "pass")]));
    assert_eq!(summary.exit, exit.code());
}

#[test]
fn a_failure_beside_a_fallen_control_proves_nothing() {
    let (seen, summary) = Run::new().of(vec![control("bad"), like("bad", "a")]);
    assert_eq!(seen, verdicts(&[("control", "fail"), ("a", "unresolved")]));
    assert_eq!(summary.exit, Exit::Unresolved.code());
}

#[rstest]
#[case(false, false, true)]
#[case(true, true, true)]
#[case(true, false, false)]
fn probes_that_do_not_differ_judge_nothing(#[case] positive: bool, #[case] negative: bool, #[case] witness: bool) {
    let mut run = Run::new();
    run.backend.probes = Probes { positive, negative, witness };
    let (seen, summary) = run.of(vec![like("good", "a"), like("bad", "b")]);
    assert_eq!(seen, verdicts(&[("a", "unresolved"), ("b", "unresolved")]));
    assert_eq!(summary.exit, Exit::Unresolved.code());
    assert!(run.backend.runs.lock().expect("no panic").is_empty(), "nothing was started");
}

#[test]
fn a_failing_worker_is_replaced() {
    let mut run = Run::new();
    run.settings.jobs = 1;
    let (seen, _) = run.of(vec![like("gone", "a"), like("good", "b")]);
    assert_eq!(seen, verdicts(&[("a", "unresolved"), ("b", "pass")]));
    assert_eq!(run.backend.workers.load(Ordering::Relaxed), 2);
}

#[rstest]
#[case::lenient(false, None, Exit::Passed)]
#[case::strict(true, None, Exit::Unresolved)]
#[case::allowed(true, Some("overlay"), Exit::Passed)]
#[case::another_allowed(false, Some("large-ids"), Exit::Unresolved)]
fn unsupported(#[case] strict: bool, #[case] allow: Option<&str>, #[case] exit: Exit) {
    let mut run = Run::new();
    run.capabilities.insert(Capability::Overlay, Support::No { because: "tried".to_owned(), cure: None });
    run.settings.strict = strict;
    let dir = tempfile::tempdir().expect("directory");
    if let Some(capability) = allow {
        let path = dir.path().join("allow.toml");
        std::fs::write(&path, format!("[[allow]]\ncapability = '{capability}'\nreason = 'r'\n")).expect("file");
        run.settings.allowed = Some(Allowed::read(&path, "6.1").expect("is well formed"));
    }
    let mut needy = like("good", "needy");
    needy.needs.insert(Capability::Overlay);
    let (seen, summary) = run.of(vec![needy, like("good", "a")]);
    assert_eq!(seen, verdicts(&[("needy", "unsupported"), ("a", "pass")]));
    assert_eq!(summary.exit, exit.code(), "{:?}", summary.complaints);
    assert_eq!(summary.lacking, BTreeMap::from([(Capability::Overlay, 1)]));
}

#[rstest]
#[case::with_a_cure(Some("run it as root"), "\n  found  tried; cure: no\n  cure   run it as root")]
#[case::without_one(None, "\n  found  tried; cure: no")]
fn what_a_sandbox_lacks_is_told_with_its_cure(#[case] cure: Option<&str>, #[case] told: &str) {
    let lacking = Support::No { because: "tried; cure: no".to_owned(), cure: cure.map(str::to_owned) };
    let capabilities = Capabilities::from([(Capability::SetGroupId, lacking)]);
    let problem = crate::run::session::demand_sandbox(&capabilities).expect_err("it is lacking");
    assert_eq!(problem.to_string(), format!("nothing can be judged on this machine{told}"));
}

#[test]
fn a_run_without_a_pass_is_unresolved() {
    let mut run = Run::new();
    run.capabilities.insert(Capability::SetGroupId, Support::No { because: "tried".to_owned(), cure: None });
    let (seen, summary) = run.of(vec![like("good", "a")]);
    assert_eq!(seen, verdicts(&[("a", "unsupported")]));
    assert_eq!(summary.exit, Exit::Unresolved.code());
}

#[rstest]
#[case::fails_as_waived("bad", "known failure", Exit::Passed)]
#[case::passes_though_waived("good", "unexpected pass", Exit::Waiver)]
#[case::doubt_is_not_waived("flaky", "unresolved", Exit::Unresolved)]
fn waivers(#[case] behaviour: &str, #[case] verdict: &str, #[case] exit: Exit) {
    let mut run = Run::new();
    let cases = vec![like(behaviour, "a"), like("good", "b")];
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("known-failures.toml");
    std::fs::write(&path, "[[waiver]]\ncase = 'some/scenario/a'\nreason = 'r'\nuntil = 2099-12-31\n").expect("file");
    run.settings.waivers = Waivers::read(&path, &cases, "2026-01-01").expect("is well formed");
    let (seen, summary) = run.of(cases);
    assert_eq!(seen["a"], verdict);
    assert_eq!(summary.exit, exit.code());
}

#[test]
fn a_stale_waiver_is_told_by_the_exit_status() {
    let mut run = Run::new();
    let cases = vec![like("good", "a")];
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("known-failures.toml");
    std::fs::write(&path, "[[waiver]]\ncase = 'gone/x'\nreason = 'r'\nuntil = 2099-12-31\n").expect("file");
    run.settings.waivers = Waivers::read(&path, &cases, "2026-01-01").expect("is well formed");
    let (_, summary) = run.of(cases);
    assert_eq!((summary.exit, summary.complaints.len()), (Exit::Waiver.code(), 1));
}

#[test]
fn fail_fast_leaves_the_rest_and_says_so() {
    let mut run = Run::new();
    run.settings.fail_fast = true;
    run.settings.jobs = 1;
    let mut cases = vec![like("bad", "first")];
    cases.extend((0..200).map(|at| like("good", &format!("later-{at}"))));
    let (_, summary) = run.of(cases);
    assert_eq!(summary.exit, Exit::Failed.code());
    assert!(summary.not_run > 0, "{summary:?}");
    assert_eq!(summary.not_run + summary.counts.total(), 201);
}

#[test]
fn an_interrupted_run_says_what_did_not_run() {
    let run = Run::new();
    run.settings.interrupted.store(true, Ordering::Relaxed);
    let (_, summary) = run.of((0..200).map(|at| like("good", &at.to_string())).collect());
    assert!(summary.interrupted && summary.not_run > 0);
    assert_eq!(summary.exit, Exit::Unresolved.code());
}
