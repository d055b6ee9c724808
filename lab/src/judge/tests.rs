//! Every field and every invariant is seen to catch something.

mod configured;
mod no_difference;

use super::{Judgement, judge};
use crate::case::Case;
use crate::scenario::{self, Suite};
use lab_invocation::evidence::{
    Capture, Change, ChangeKind, End, FileState, IdKind, InvokerState, OpenDescriptor, Place, Regained, Stage,
    WitnessReport,
};
use lab_invocation::ids::Ids;
use lab_invocation::layout::MountFlags;
use lab_invocation::{Bytes, Credentials, Evidence, Gid, Identity, Uid};
use rstest::rstest;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

static SUITE: LazyLock<Suite> = LazyLock::new(|| {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
    scenario::load(directory).expect("the scenarios of the project load")
});

const ADMITTED: &str = "group-mismatch/mta-identities/exim-pipe×mail";
const REFUSED: &str = "group-mismatch/mta-identities/exim-pipe×nogroup";
const UNTOUCHED: &str = "environment/hostile-invoker/control-a-quiet-room";

fn case(id: &str) -> Case {
    SUITE.cases.iter().find(|case| case.id.0 == id).expect("the scenarios of the project have it").as_ref().clone()
}

fn gid(number: u32) -> Gid {
    Gid::new(number).expect("a group")
}

/// Where invoker and script stand.
const PLACE: Place = Place { session: 0, process_group: 0, nice: 0, policy: 0, processors: 2 };

/// The evidence of a wrapper which does what it must.
pub(crate) fn sound(case: &Case) -> Evidence {
    let identity = &case.invocation.identity;
    let started = case.outcome.script.as_ref().is_some_and(|script| script.started == Some(true));
    let texts = case.outcome.stderr.join(" ");
    Evidence {
        stage: Stage::Ran,
        end: Some(End::Exited(case.outcome.exit.unwrap_or(0))),
        stdout: Capture::default(),
        stderr: capture(texts.as_bytes()),
        syslog: Vec::new(),
        syslog_total: 0,
        witness_unfinished: 0,
        witness: if started { vec![report(case)] } else { Vec::new() },
        invoker: InvokerState {
            credentials: Some(credentials(identity)),
            place: Some(PLACE),
            ..InvokerState::default()
        },
        installed: Some(FileState {
            owner: case.subject.owner,
            group: case.subject.group,
            mode: case.subject.mode,
            links: 1,
            size: 100_000,
            mount: MountFlags::default(),
        }),
        changes: Vec::new(),
        strays: 0,
        setup_us: 100,
        run_us: 100,
    }
}

pub(crate) fn capture(bytes: &[u8]) -> Capture {
    Capture { bytes: bytes.into(), total: bytes.len() as u64 }
}

fn credentials(identity: &Identity) -> Credentials {
    let Identity { uid, effective_uid, gid, effective_gid, groups } = identity.clone();
    Credentials {
        uid: Ids { real: uid, effective: effective_uid, saved: effective_uid, fs: effective_uid },
        gid: Ids { real: gid, effective: effective_gid, saved: effective_gid, fs: effective_gid },
        groups: groups.into_iter().collect(),
    }
}

fn report(case: &Case) -> WitnessReport {
    let own = case.subject.policy.own.gid;
    let path = Bytes::from("/usr/local/mailman/scripts/post");
    let stdin = match &case.invocation.stdin {
        lab_invocation::invocation::Stdin::Bytes(bytes) => capture(&bytes.0),
        _ => Capture::default(),
    };
    let mut credentials = credentials(&case.invocation.identity);
    credentials.gid = Ids { real: own, effective: own, saved: own, fs: own };
    let open = |number, access| OpenDescriptor { number, target: "pipe".into(), access };
    WitnessReport {
        pid: 2,
        same_process: true,
        exec_path: path.clone(),
        argv: [path, "announce".into()].into(),
        env: vec!["PATH=/usr/bin:/bin".into()],
        credentials,
        regained: Vec::new(),
        descriptors: vec![open(0, 0), open(1, 1), open(2, 1)],
        umask: 0o022,
        cwd: "/".into(),
        ignored: BTreeSet::new(),
        blocked: BTreeSet::new(),
        pending: BTreeSet::new(),
        place: PLACE,
        limits: vec![(4, Some(0), Some(0))],
        timers_us: [0; 3],
        timer_slack_ns: 50_000,
        capabilities: [0, 0, 0, u64::MAX, 0],
        securebits: 0,
        no_new_privs: false,
        secure: false,
        dumpable: 1,
        stdin,
    }
}

fn differences(case: &Case, evidence: &Evidence) -> Vec<String> {
    match judge(case, evidence) {
        Judgement::Compared(differences) => differences.into_iter().map(|difference| difference.field).collect(),
        Judgement::Unresolved { because } => panic!("unresolved: {because}"),
    }
}

fn because(case: &Case, evidence: &Evidence) -> String {
    match judge(case, evidence) {
        Judgement::Unresolved { because } => because,
        Judgement::Compared(differences) => panic!("compared: {differences:?}"),
    }
}

#[rstest]
#[case(ADMITTED)]
#[case(REFUSED)]
#[case(UNTOUCHED)]
fn a_sound_wrapper_differs_in_nothing(#[case] id: &str) {
    let case = case(id);
    assert_eq!(judge(&case, &sound(&case)), Judgement::Compared(Vec::new()));
}

fn script(evidence: &mut Evidence) -> &mut WitnessReport {
    evidence.witness.first_mut().expect("the script of this case starts")
}

#[rstest]
#[case::exit(ADMITTED, |e: &mut Evidence| e.end = Some(End::Exited(2)), &["exit", "started-before-decision"])]
#[case::signal(ADMITTED, |e: &mut Evidence| e.end = Some(End::Signaled { signal: 11, core: false }), &["exit", "ends-by-exit"])]
#[case::another_session(ADMITTED, |e: &mut Evidence| script(e).place.session = 2, &["keeps-its-place"])]
#[case::another_process_group(ADMITTED, |e: &mut Evidence| script(e).place.process_group = 2, &["keeps-its-place"])]
#[case::another_nice_value(ADMITTED, |e: &mut Evidence| script(e).place.nice = -20, &["keeps-its-place"])]
#[case::another_scheduler(ADMITTED, |e: &mut Evidence| script(e).place.policy = 5, &["keeps-its-place"])]
#[case::fewer_processors(ADMITTED, |e: &mut Evidence| script(e).place.processors = 1, &["keeps-its-place"])]
#[case::a_place_that_nobody_read(ADMITTED, |e: &mut Evidence| e.invoker.place = None, &["keeps-its-place"])]
#[case::deadline(REFUSED, |e: &mut Evidence| e.end = Some(End::TimedOut), &["exit", "ends-in-time"])]
#[case::exec(ADMITTED, |e: &mut Evidence| { e.stage = Stage::Exec { errno: 13 }; e.end = None; e.witness.clear(); },
    &["exit", "script.started"])]
#[case::no_script(ADMITTED, |e: &mut Evidence| e.witness.clear(), &["script.started", "false-success"])]
#[case::two_scripts(ADMITTED, |e: &mut Evidence| e.witness = vec![e.witness[0].clone(), e.witness[0].clone()],
    &["script.started", "starts-once"])]
#[case::killed_script(ADMITTED, |e: &mut Evidence| { e.witness.clear(); e.witness_unfinished = 1; }, &["script.started"])]
#[case::killed_script_of_a_refusal(REFUSED, |e: &mut Evidence| e.witness_unfinished = 1,
    &["script.started", "started-before-decision"])]
#[case::log_flood(REFUSED, |e: &mut Evidence| e.syslog_total = 1 << 20, &["bounded-output"])]
#[case::file_of_a_refusal(REFUSED, |e: &mut Evidence| e.changes.push(Change {
    path: "/tmp/x".into(), kind: ChangeKind::Removed }), &["changes-nothing"])]
#[case::process_left(ADMITTED, |e: &mut Evidence| e.strays = 1, &["leaves-no-process"])]
#[case::real_gid(ADMITTED, |e: &mut Evidence| script(e).credentials.gid.real = gid(8), &["script.real-gid"])]
#[case::effective_gid(ADMITTED, |e: &mut Evidence| script(e).credentials.gid.effective = gid(8), &["script.effective-gid"])]
#[case::saved_gid(ADMITTED, |e: &mut Evidence| script(e).credentials.gid.saved = gid(8), &["script.saved-gid"])]
#[case::strange_gid(ADMITTED, |e: &mut Evidence| script(e).credentials.gid.fs = gid(0), &["no-foreign-identity"])]
#[case::uid(ADMITTED, |e: &mut Evidence| script(e).credentials.uid.saved = Uid::ROOT, &["script.uid", "no-foreign-identity"])]
#[case::groups(ADMITTED, |e: &mut Evidence| script(e).credentials.groups.push(gid(38)), &["script.groups", "no-foreign-identity"])]
#[case::capability(ADMITTED, |e: &mut Evidence| script(e).capabilities[1] = 1, &["no-gained-capability"])]
#[case::ambient(ADMITTED, |e: &mut Evidence| script(e).capabilities[4] = 1, &["script.no-capabilities"])]
#[case::argv(ADMITTED, |e: &mut Evidence| script(e).argv.push("more".into()), &["script.argv"])]
#[case::path(ADMITTED, |e: &mut Evidence| script(e).exec_path = "/tmp/post".into(), &["script.path"])]
#[case::env(UNTOUCHED, |e: &mut Evidence| script(e).env.push("HOME=/".into()), &["script.env"])]
#[case::env_where_the_file_is_silent(ADMITTED, |e: &mut Evidence| script(e).env.push("HOME=/".into()), &["script.env"])]
#[case::env_twice(UNTOUCHED, |e: &mut Evidence| script(e).env.push("PATH=/usr/bin:/bin".into()), &["script.env"])]
#[case::env_malformed(UNTOUCHED, |e: &mut Evidence| script(e).env.push("PATH".into()), &["script.env"])]
#[case::descriptor(UNTOUCHED, |e: &mut Evidence| script(e).descriptors.push(OpenDescriptor {
    number: 7, target: "/etc/passwd".into(), access: 0 }), &["script.open-fds"])]
#[case::descriptor_closed(ADMITTED, |e: &mut Evidence| drop(script(e).descriptors.pop()), &["script.open-fds"])]
#[case::umask(UNTOUCHED, |e: &mut Evidence| script(e).umask = 0, &["script.umask"])]
#[case::cwd(ADMITTED, |e: &mut Evidence| script(e).cwd = "/tmp".into(), &["script.cwd"])]
#[case::ignored(UNTOUCHED, |e: &mut Evidence| _ = script(e).ignored.insert(13), &["script.ignored-signals"])]
#[case::blocked(ADMITTED, |e: &mut Evidence| _ = script(e).blocked.insert(15), &["script.blocked-signals"])]
#[case::pending(ADMITTED, |e: &mut Evidence| _ = script(e).pending.insert(15), &["script.pending-signals"])]
#[case::core(ADMITTED, |e: &mut Evidence| script(e).limits = vec![(4, Some(0), None)], &["script.core-limit"])]
#[case::timer(ADMITTED, |e: &mut Evidence| script(e).timers_us[0] = 5, &["script.timers-off"])]
#[case::slack(ADMITTED, |e: &mut Evidence| script(e).timer_slack_ns = 1, &["script.timer-slack"])]
#[case::stdin(ADMITTED, |e: &mut Evidence| script(e).stdin = capture(b"From"), &["script.stdin"])]
#[case::stderr(REFUSED, |e: &mut Evidence| e.stderr = capture(b"no"), &["stderr"])]
#[case::flood(REFUSED, |e: &mut Evidence| e.stderr.total = 1 << 30, &["bounded-output"])]
#[case::success_for_nothing(REFUSED, |e: &mut Evidence| e.end = Some(End::Exited(0)), &["exit", "false-success"])]
fn each_difference_is_seen(#[case] id: &str, #[case] spoil: fn(&mut Evidence), #[case] fields: &[&str]) {
    let case = case(id);
    let mut evidence = sound(&case);
    spoil(&mut evidence);
    assert_eq!(differences(&case, &evidence), fields);
}

#[test]
fn a_script_before_the_refusal_is_seen() {
    let case = case(REFUSED);
    let mut evidence = sound(&case);
    evidence.witness.push(report(&case));
    assert_eq!(differences(&case, &evidence), ["script.started", "started-before-decision"]);
}

#[test]
fn what_comes_back_is_seen() {
    let mut case = case(ADMITTED);
    case.outcome.script.get_or_insert_default().nothing_regained = Some(true);
    let mut evidence = sound(&case);
    script(&mut evidence).regained.push(Regained { kind: IdKind::Gid, number: 8, call: "setegid(2)".into() });
    assert_eq!(differences(&case, &evidence), ["script.nothing-regained"]);
}

#[test]
fn a_control_sequence_of_the_callers_is_seen_wherever_it_comes_out() {
    let mut case = case(REFUSED);
    case.invocation.argv.push("\u{1b}[31mred".into());
    for place in 0..3 {
        let mut evidence = sound(&case);
        let echo = Bytes::from("\nunknown command \u{1b}[31mred");
        match place {
            0 => evidence.stderr.bytes.0.extend(&echo.0),
            1 => evidence.stdout = capture(&echo.0),
            _ => evidence.syslog.push(echo),
        }
        evidence.stderr.total = evidence.stderr.bytes.0.len() as u64;
        assert_eq!(differences(&case, &evidence), ["no-raw-control-bytes"]);
    }
}

#[test]
fn what_must_not_be_said_and_what_must_not_change_is_seen() {
    let mut case = case(REFUSED);
    case.outcome.says_nothing_of.push("announce".into());
    case.outcome.syslog_is_empty = true;
    case.outcome.changes = Some(Vec::new());
    let mut evidence = sound(&case);
    assert_eq!(differences(&case, &evidence), [""; 0]);
    evidence.syslog.push("<19>announce".into());
    evidence.changes.push(Change { path: "/tmp/x".into(), kind: ChangeKind::Removed });
    assert_eq!(differences(&case, &evidence), ["syslog-is-empty", "says-nothing-of", "changes"]);
}

#[rstest]
#[case::sound(|_: &mut WitnessReport| (), &[])]
#[case::reading_end_closed(|r: &mut WitnessReport| drop(r.descriptors.remove(0)), &["script.standard-fds-usable"])]
#[case::standard_error_read_only(|r: &mut WitnessReport| r.descriptors[2].access = 0, &["script.standard-fds-usable"])]
#[case::both_ways(|r: &mut WitnessReport| r.descriptors[1].access = 2, &[])]
#[case::limit_not_raised(|r: &mut WitnessReport| r.limits[1].1 = Some(3), &["script.soft-limits"])]
#[case::limit_unlimited(|r: &mut WitnessReport| r.limits[1].1 = None, &["script.soft-limits"])]
#[case::no_new_privs(|r: &mut WitnessReport| r.no_new_privs = true, &["script.no-new-privs"])]
fn what_the_script_can_do_is_seen(#[case] spoil: fn(&mut WitnessReport), #[case] fields: &[&str]) {
    let mut case = case(ADMITTED);
    // Whose descriptors are open is another question, which the model answers.
    case.profile = Some("none".into());
    let wanted = case.outcome.script.get_or_insert_default();
    wanted.standard_fds_usable = Some(true);
    wanted.no_new_privs = Some(false);
    wanted.soft_limits = Some([(7, 20)].into());
    let mut evidence = sound(&case);
    script(&mut evidence).limits.push((7, Some(20), Some(4096)));
    spoil(script(&mut evidence));
    assert_eq!(differences(&case, &evidence), fields);
}

#[rstest]
#[case::one_line("refused\n", "<19>refused", true)]
#[case::nothing("", "<19>refused", true)]
#[case::as_long_as_may_be(&format!("{}\n", "a".repeat(900)), "a", true)]
#[case::too_long(&format!("{}\n", "a".repeat(901)), "a", false)]
#[case::no_end("refused", "<19>refused", false)]
#[case::two_lines("refused\nand so on\n", "<19>refused", false)]
#[case::no_ascii("refused \u{e9}\n", "<19>refused", false)]
#[case::a_datagram_of_two_lines("refused\n", "<19>refused\nand so on", false)]
#[case::a_datagram_too_long("refused\n", &"a".repeat(901), false)]
fn a_refusal_is_one_line(#[case] stderr: &str, #[case] datagram: &str, #[case] holds: bool) {
    let mut case = case(REFUSED);
    case.outcome.one_line = true;
    case.outcome.stderr.clear();
    let evidence = Evidence { stderr: capture(stderr.as_bytes()), syslog: vec![datagram.into()], ..sound(&case) };
    assert_eq!(differences(&case, &evidence), if holds { vec![] } else { vec!["one-line"] });
}

#[test]
fn an_end_before_main_is_any_end_but_success() {
    let mut case = case(REFUSED);
    case.profile = Some("none".into());
    *case.outcome = crate::case::Outcome { ended_before_main: true, ..crate::case::Outcome::default() };
    for (end, holds) in [
        (End::Exited(127), true),
        (End::Signaled { signal: 11, core: false }, true),
        (End::Exited(0), false),
        (End::TimedOut, false),
    ] {
        let evidence = Evidence { end: Some(end), ..sound(&case) };
        assert_eq!(differences(&case, &evidence).is_empty(), holds, "{end:?}");
    }
}

#[test]
fn without_an_observation_nothing_is_said() {
    let case = case(ADMITTED);
    let setup = Evidence { stage: Stage::Setup { step: "mount".into(), errno: 1 }, end: None, ..sound(&case) };
    assert!(because(&case, &setup).contains("mount"));
    let unseen = Evidence { end: None, ..sound(&case) };
    assert!(because(&case, &unseen).contains("nobody saw"));
    let unread = Evidence { invoker: InvokerState::default(), ..sound(&case) };
    assert!(because(&case, &unread).contains("read back"));
    let mut other = sound(&case);
    other.invoker.credentials.as_mut().expect("it is there").gid.real = gid(100);
    assert!(because(&case, &other).contains("users 100"));
    let mut groups = sound(&case);
    groups.invoker.credentials.as_mut().expect("it is there").groups.push(gid(9));
    assert!(because(&case, &groups).contains("supplementary"));
    let mut traced = sound(&case);
    traced.invoker.traced = true;
    assert!(because(&case, &traced).contains("tracer"));
    let mut mode = sound(&case);
    mode.installed.as_mut().expect("it is there").mode = 0o755;
    assert!(because(&case, &mode).contains("0755"));
    let mut limits = sound(&case);
    script(&mut limits).limits.clear();
    assert!(because(&case, &limits).contains("RLIMIT_CORE"));
}
