//! Everything that an invoker can arrange arrives as he arranged it, and nothing else does.

use crate::fixtures::*;
use lab_invocation::evidence::{End, OpenDescriptor, WitnessReport};
use lab_invocation::invocation::{Cwd, Descriptor, Limit, Stdin};
use lab_invocation::{Arguments, Bytes, Gid, Invocation};
use rstest::rstest;
use std::collections::BTreeSet;

/// Numbers of signal(7).
const SIGHUP: u32 = 1;
const SIGPIPE: u32 = 13;
const SIGTERM: u32 = 15;
const SIGCHLD: u32 = 17;
/// Numbers of getrlimit(2).
const RLIMIT_FSIZE: u32 = 1;
const RLIMIT_CORE: u32 = 4;
const RLIMIT_NOFILE: u32 = 7;
/// Numbers of capabilities(7).
const CAP_CHOWN: u32 = 0;
const CAP_SETGID: u32 = 6;
const CAP_NET_BIND_SERVICE: u32 = 10;

fn seen(change: impl FnOnce(&mut Invocation)) -> Option<WitnessReport> {
    let mut worker = worker()?;
    let mut invocation = invocation();
    change(&mut invocation);
    let evidence = run(worker.as_mut(), &layout(), &invocation);
    assert_eq!(evidence.end, Some(End::Exited(0)), "{evidence:#?}");
    Some(report(&evidence).clone())
}

fn numbers(report: &WitnessReport) -> Vec<u32> {
    report.descriptors.iter().map(|descriptor| descriptor.number).collect()
}

fn text(bytes: &Bytes) -> String {
    bytes.to_text()
}

#[test]
fn a_quiet_room_is_quiet() {
    let Some(seen) = seen(|_| {}) else { return };
    assert_eq!(seen.exec_path, PROGRAM.into());
    assert_eq!(seen.argv, [PROGRAM.into()]);
    assert_eq!(seen.env, ["PATH=/usr/bin:/bin".into()]);
    let pipe = |number, access| OpenDescriptor { number, target: "pipe".into(), access };
    assert_eq!(seen.descriptors, [pipe(0, 0), pipe(1, 1), pipe(2, 1)]);
    assert_eq!((seen.umask, text(&seen.cwd)), (0o022, "/".to_owned()));
    assert_eq!((seen.ignored.len(), seen.blocked.len(), seen.pending.len()), (0, 0, 0), "{seen:?}");
    assert_eq!(seen.timers_us, [0, 0, 0]);
    assert_eq!(seen.timer_slack_ns, 50_000);
    let [inheritable, permitted, effective, _, ambient] = seen.capabilities;
    assert_eq!([inheritable, permitted, effective, ambient], [0; 4]);
    assert_eq!((seen.securebits, seen.no_new_privs, seen.dumpable), (0, false, 0));
    assert_eq!(seen.credentials.groups, []);
    assert_eq!(seen.credentials.uid.real.as_raw(), UID);
}

#[test]
fn bytes_arrive_as_bytes() {
    let argv = Arguments::from([b"-\xff\x1b".as_slice().into(), "".into(), Bytes(vec![b'A'; 131_071])]);
    let env: Vec<Bytes> = ["A=1", "A=2", "no-equals-sign", "=empty", ""].map(Bytes::from).into();
    let Some(seen) = seen(|invocation| {
        invocation.argv.clone_from(&argv);
        invocation.env.clone_from(&env);
    }) else {
        return;
    };
    assert_eq!(seen.argv, argv);
    assert_eq!(seen.env, env);
}

#[test]
fn an_empty_argument_vector_gets_one_empty_string() {
    let Some(seen) = seen(|invocation| invocation.argv.clear()) else { return };
    assert_eq!(seen.argv, [Bytes::default()], "by the kernel, since 5.18");
}

#[test]
fn ids_groups_and_a_borrowed_effective_gid() {
    let groups: BTreeSet<Gid> = [gid(1), gid(7), gid(65_535)].into();
    let mut layout = layout();
    layout.nodes.last_mut().expect("the program").mode = 0o755;
    let Some(mut worker) = worker() else { return };
    let mut invocation = invocation();
    invocation.identity.groups.clone_from(&groups);
    invocation.identity.effective_gid = gid(77);
    let evidence = run(worker.as_mut(), &layout, &invocation);
    let credentials = &report(&evidence).credentials;
    assert_eq!((credentials.gid.real, credentials.gid.effective, credentials.gid.saved), (gid(GID), gid(77), gid(77)));
    assert_eq!(credentials.groups, groups.into_iter().collect::<Vec<_>>());
    assert_eq!(evidence.invoker.credentials.as_ref(), Some(credentials), "the launcher read the same back");
}

#[test]
fn umask_signals_alarm_and_slack() {
    let Some(seen) = seen(|invocation| {
        invocation.umask = 0o777;
        invocation.signals.ignored = [SIGHUP, SIGPIPE, SIGCHLD].into();
        invocation.signals.blocked = [SIGHUP].into();
        invocation.signals.pending = [SIGTERM].into();
        invocation.alarm_seconds = Some(100);
        invocation.processor_timers = [2].into();
        invocation.timer_slack_ns = Some(2_000_000_000);
    }) else {
        return;
    };
    assert_eq!(seen.umask, 0o777);
    assert_eq!(seen.ignored, [SIGHUP, SIGPIPE, SIGCHLD].into());
    assert_eq!(seen.blocked, [SIGHUP, SIGTERM].into());
    assert_eq!(seen.pending, [SIGTERM].into());
    assert!((90_000_000..=100_000_000).contains(&seen.timers_us[0]), "{:?}", seen.timers_us);
    assert!(seen.timers_us[1] == 0 && seen.timers_us[2] > 3_500_000_000, "{:?}", seen.timers_us);
    assert_eq!(seen.timer_slack_ns, 2_000_000_000);
}

#[test]
fn limits() {
    let limit = |resource, number| Limit { resource, soft: Some(number), hard: Some(number) };
    let Some(seen) = seen(|invocation| {
        invocation.limits = vec![limit(RLIMIT_NOFILE, 3), limit(RLIMIT_CORE, 4096), limit(RLIMIT_FSIZE, 0)];
    }) else {
        return;
    };
    for (resource, number) in [(RLIMIT_NOFILE, 3), (RLIMIT_CORE, 4096), (RLIMIT_FSIZE, 0)] {
        let found = seen.limits.iter().find(|(found, ..)| *found == resource);
        assert_eq!(found, Some(&(resource, Some(number), Some(number))));
    }
    assert_eq!(numbers(&seen), [0, 1, 2], "seen although no further descriptor could be opened");
}

#[rstest]
#[case::a_path(Cwd::Path("/usr/local".into()), "/usr/local")]
#[case::removed(Cwd::Deleted, "/tmp/deleted (deleted)")]
#[case::unreadable(Cwd::Unreadable, "/.lab/unreadable")]
fn working_directory(#[case] cwd: Cwd, #[case] expected: &str) {
    let Some(seen) = seen(|invocation| invocation.cwd = cwd) else { return };
    assert_eq!(text(&seen.cwd), expected);
}

#[rstest]
#[case::bytes(Stdin::Bytes("From: a\n\n".into()), "From: a\n\n", 9)]
#[case::silent(Stdin::Silent, "", 0)]
#[case::null(Stdin::Null, "", 0)]
#[case::a_directory(Stdin::Directory, "", 0)]
#[case::write_only(Stdin::WriteOnly, "", 0)]
fn standard_input(#[case] stdin: Stdin, #[case] head: &str, #[case] total: u64) {
    let Some(seen) = seen(|invocation| invocation.stdin = stdin) else { return };
    assert_eq!((text(&seen.stdin.bytes).as_str(), seen.stdin.total), (Bytes::from(head).to_text().as_str(), total));
}

#[test]
fn a_long_standard_input_is_fed_while_the_subject_runs() {
    let long = Bytes((0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect());
    let Some(seen) = seen(|invocation| invocation.stdin = Stdin::Bytes(long.clone())) else { return };
    assert_eq!(seen.stdin.total, 1_000_000);
    assert_eq!(seen.stdin.bytes.as_slice(), &long.as_slice()[..64 * 1024]);
}

#[test]
fn an_endless_standard_input_is_given_up() {
    let Some(seen) = seen(|invocation| invocation.stdin = Stdin::Endless) else { return };
    assert!(seen.stdin.truncated());
    assert_eq!(text(&seen.descriptors[0].target), "/dev/zero");
}

#[rstest]
#[case::a_file(Descriptor::File("/tmp/open".into()), "/tmp/open", 2)]
#[case::a_directory(Descriptor::Directory("/usr".into()), "/usr", 0)]
#[case::a_socket(Descriptor::Socket, "socket", 2)]
#[case::a_full_pipe(Descriptor::FullPipe, "pipe", 1)]
#[case::a_broken_pipe(Descriptor::BrokenPipe, "pipe", 1)]
#[case::epoll(Descriptor::Epoll, "anon_inode:[eventpoll]", 2)]
#[case::memory(Descriptor::Memory, "/memfd:lab-canary (deleted)", 2)]
#[case::full(Descriptor::Full, "/dev/full", 2)]
#[case::process(Descriptor::Process, "anon_inode:[pidfd]", 2)]
#[case::terminal(Descriptor::Terminal, "/0", 2)]
fn a_descriptor_above_2(#[case] what: Descriptor, #[case] target: &str, #[case] access: u32) {
    let Some(mut worker) = worker() else { return };
    let mut layout = layout();
    layout.nodes.push(directory("/tmp", 0o1777));
    layout.nodes.push(node(
        "/tmp/open",
        0,
        0o600,
        lab_invocation::layout::NodeKind::File(lab_invocation::layout::Content::Inline("x".into())),
    ));
    // Numbers that are in use in the agent, too, and one far above.
    for number in [3, 7, 1_000] {
        let invocation = Invocation { descriptors: vec![(number, what.clone())], ..invocation() };
        let evidence = run(worker.as_mut(), &layout, &invocation);
        let seen = report(&evidence);
        assert_eq!(numbers(seen), [0, 1, 2, number]);
        let last = seen.descriptors.last().expect("the descriptor");
        // The kernel calls the file of a process descriptor differently since 6.9, when it got a file system of its own.
        let named = text(&last.target).replace("pidfd:[", "anon_inode:[pidfd]");
        assert!(named.starts_with(target), "{named}");
        assert_eq!(last.access, access);
    }
}

#[rstest]
#[case::closed(Descriptor::Closed)]
#[case::broken(Descriptor::BrokenPipe)]
#[case::full(Descriptor::Full)]
#[case::full_pipe(Descriptor::FullPipe)]
#[case::non_blocking(Descriptor::NonBlocking)]
fn standard_error_can_be_anything(#[case] what: Descriptor) {
    let Some(seen) = seen(|invocation| invocation.descriptors = vec![(2, what.clone())]) else { return };
    let found = seen.descriptors.iter().find(|descriptor| descriptor.number == 2);
    assert_eq!(found.is_some(), what != Descriptor::Closed, "{:?}", seen.descriptors);
}

#[test]
fn without_any_descriptor() {
    let Some(seen) = seen(|invocation| {
        invocation.stdin = Stdin::Closed;
        invocation.descriptors = vec![(1, Descriptor::Closed), (2, Descriptor::Closed)];
    }) else {
        return;
    };
    assert_eq!(seen.descriptors, []);
}

#[test]
fn capabilities_that_an_invoker_brings() {
    let mut layout = layout();
    layout.nodes.last_mut().expect("the program").mode = 0o755;
    let Some(mut worker) = worker() else { return };
    let mut invocation = invocation();
    invocation.capabilities.bounding_drop = [CAP_CHOWN].into();
    invocation.capabilities.inheritable = [CAP_SETGID].into();
    invocation.capabilities.ambient = [CAP_NET_BIND_SERVICE].into();
    let evidence = run(worker.as_mut(), &layout, &invocation);
    let [inheritable, permitted, effective, bounding, ambient] = report(&evidence).capabilities;
    let bit = |number: u32| 1_u64 << number;
    assert_eq!(inheritable, bit(CAP_SETGID) | bit(CAP_NET_BIND_SERVICE));
    assert_eq!([permitted, effective, ambient], [bit(CAP_NET_BIND_SERVICE); 3], "an ambient one survives a plain exec");
    assert_eq!(bounding & bit(CAP_CHOWN), 0);
    assert_ne!(bounding & bit(CAP_SETGID), 0);
}

#[test]
fn securebits_survive_exec() {
    const SECBIT_NOROOT_AND_LOCK: u32 = 0b11;
    let Some(seen) = seen(|invocation| invocation.capabilities.securebits = Some(SECBIT_NOROOT_AND_LOCK)) else {
        return;
    };
    assert_eq!(seen.securebits, SECBIT_NOROOT_AND_LOCK);
}
