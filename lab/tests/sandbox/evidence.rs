//! What is observed besides the witness: the tree, outputs, syslog, failed set-ups.

use crate::fixtures::*;
use lab_invocation::evidence::{Capture, Change, ChangeKind, End, Evidence, Stage};
use lab_invocation::invocation::{Cwd, Descriptor};
use lab_invocation::layout::{Content, Layout, NodeKind};
use lab_invocation::{Bytes, Invocation};

#[test]
fn changes_of_fresh_directories_are_found_and_the_next_case_sees_none() {
    let Some(mut worker) = worker() else { return };
    let layout = shell_layout(|layout| {
        layout.nodes.push(directory("/data", 0o1777));
        for name in ["same", "written", "removed"] {
            let content = Content::Inline("before\n".into());
            layout.nodes.push(owned(node(&format!("/data/{name}"), GID, 0o644, NodeKind::File(content))));
        }
        layout.fresh.push("/data".into());
    });
    let script =
        "echo after > /data/written; rm /data/removed; mkdir /data/new; ln -s /x /data/new/link; echo t > /tmp/t";
    let evidence = run(worker.as_mut(), &layout, &shell(script));
    assert_eq!(evidence.end, Some(End::Exited(0)), "{evidence:#?}");
    let found: Vec<(String, &str, String)> = evidence.changes.iter().map(described).collect();
    let expected = [
        ("/data/new", "added", ""),
        ("/data/new/link", "added", "/x"),
        ("/data/removed", "removed", ""),
        ("/data/written", "modified", "after\\x0a"),
        ("/tmp/t", "added", "t\\x0a"),
    ];
    let expected: Vec<_> =
        expected.into_iter().map(|(path, kind, head)| (path.to_owned(), kind, head.to_owned())).collect();
    assert_eq!(found, expected);
    let again = run(worker.as_mut(), &layout, &shell("cat /data/written"));
    assert_eq!((again.changes, again.stdout.bytes), (Vec::new(), "before\n".into()));
}

fn described(change: &Change) -> (String, &'static str, String) {
    let (kind, head) = match &change.kind {
        ChangeKind::Added { state } => ("added", state.head.to_text()),
        ChangeKind::Removed => ("removed", String::new()),
        ChangeKind::Modified { after, .. } => ("modified", after.head.to_text()),
    };
    (change.path.to_text(), kind, head)
}

#[test]
fn everything_else_is_read_only_even_for_root() {
    let Some(mut worker) = worker() else { return };
    let mut invocation = shell("echo x > /file; echo x > /usr/local/file; echo 1 > /proc/sys/kernel/core_uses_pid");
    (invocation.identity.uid, invocation.identity.effective_uid) = (uid(0), uid(0));
    let evidence = run(worker.as_mut(), &shell_layout(|_| {}), &invocation);
    let refusals = evidence.stderr.bytes.to_text().matches("Read-only file system").count();
    assert_eq!(refusals, 3, "{}", evidence.stderr.bytes);
}

#[test]
fn outputs_are_told_apart_and_the_status_is_kept() {
    let Some(mut worker) = worker() else { return };
    let evidence = run(worker.as_mut(), &shell_layout(|_| {}), &shell("echo out; echo err >&2; exit 75"));
    assert_eq!((&evidence.stdout.bytes, &evidence.stderr.bytes), (&"out\n".into(), &"err\n".into()));
    assert_eq!(evidence.end, Some(End::Exited(75)));
    assert!(evidence.run_us > 0 && evidence.setup_us > 0);
}

#[test]
fn death_by_a_signal_is_that_signal() {
    let Some(mut worker) = worker() else { return };
    // Not as process 1, for which abort would end otherwise.
    let evidence = run(worker.as_mut(), &shell_layout(|_| {}), &shell("kill -ABRT $$"));
    assert!(matches!(evidence.end, Some(End::Signaled { signal: 6, .. })), "{:?}", evidence.end);
}

#[test]
fn syslog_datagrams_are_collected() {
    let Some(agent) = logger() else { return };
    let Some(mut worker) = worker() else { return };
    let mut layout = Layout::default();
    lab::backend::libraries::bind(&mut layout, &agent);
    lab::backend::libraries::provide(&mut layout, &agent).expect("its libraries are found");
    let argv = ["logger", "--socket-errors=on", "--tag", "wrapper", "a line"].map(Bytes::from).into();
    let program: Bytes = agent.to_string_lossy().into_owned().into();
    let evidence = run(worker.as_mut(), &layout, &Invocation { argv, program, ..invocation() });
    assert_eq!(evidence.syslog_total, 1, "{evidence:#?}");
    assert!(evidence.syslog[0].to_text().ends_with("a line"), "{:?}", evidence.syslog);
    let next = run(
        worker.as_mut(),
        &layout,
        &Invocation { argv: ["logger", "--version"].map(Bytes::from).into(), ..invocation() },
    );
    assert_eq!(next.syslog_total, 0, "nothing is left over for the next case");
}

/// The program logger(1), where this machine has it.
fn logger() -> Option<std::path::PathBuf> {
    let found = ["/usr/bin/logger", "/bin/logger"].map(std::path::PathBuf::from).into_iter().find(|path| path.exists());
    if found.is_none() {
        skip("tools", "there is no logger(1) here");
    }
    found
}

fn step_of(evidence: &Evidence) -> &str {
    let Stage::Setup { step, .. } = &evidence.stage else { panic!("a failed set-up is wanted: {evidence:#?}") };
    assert_eq!((evidence.end, &evidence.stdout), (None, &Capture::default()));
    step
}

#[test]
fn what_cannot_be_furnished_is_a_failed_set_up_which_names_the_step() {
    let Some(mut worker) = worker() else { return };
    let mut case = |change: &dyn Fn(&mut Invocation)| {
        let mut invocation = invocation();
        change(&mut invocation);
        step_of(&run(worker.as_mut(), &layout(), &invocation)).to_owned()
    };
    assert_eq!(case(&|invocation| invocation.cwd = Cwd::Path("/absent".into())), "enter the working directory");
    assert_eq!(
        case(&|invocation| invocation.descriptors = vec![(3, Descriptor::File("/absent".into()))]),
        "place a descriptor"
    );
    assert!(case(&|invocation| invocation.argv = [b"a\0b".as_slice().into()].into()).contains("zero byte"));
    assert!(case(&|invocation| invocation.signals.blocked = [99].into()).contains("signal 99"));
    assert!(case(&|invocation| invocation.descriptors = vec![(u32::MAX, Descriptor::Full)]).contains("4294967295"));
}

#[test]
fn a_layout_that_makes_no_sense_is_refused_with_its_place() {
    let Some(mut worker) = worker() else { return };
    let mut refusal = |layout: Layout| worker.open(&layout, &|_| None).expect_err("it must be refused").to_string();
    let only = |node| Layout { nodes: vec![node], ..Layout::default() };
    assert!(refusal(only(directory("/a/b", 0o755))).contains("/a/b"));
    assert!(refusal(only(directory("relative", 0o755))).contains("not absolute"));
    assert!(refusal(Layout { fresh: vec!["/nowhere".into()], ..Layout::default() }).contains("/nowhere"));
    let digest = lab_invocation::layout::Digest([7; 32]);
    assert!(refusal(only(node("/x", 0, 0o644, NodeKind::File(Content::Blob(digest))))).contains("0707"));
    let evidence = run(worker.as_mut(), &layout(), &invocation());
    assert_eq!(evidence.stage, Stage::Ran, "the worker goes on after a refusal");
}
