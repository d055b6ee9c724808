//! The form of events, which other programs read.

use super::{Event, Setting};
use crate::capability::{Capability, Support};
use crate::case::{Link, Script};
use crate::run::sample::{evidence, finished};
use crate::verdict::{Difference, Verdict};
use lab_invocation::evidence::{ChangeKind, End, EntryState, IdKind, Stage};
use lab_invocation::invocation::{Cwd, Descriptor, Fault, FaultResult, Stdin, Tracer};
use lab_invocation::layout::{Content, Digest, Mount, MountFlags, MountKind, Node, NodeKind, Order};
use lab_invocation::{Bytes, Gid, Layout, Uid};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

fn rich() -> [Event; 2] {
    let failed = Verdict::Fail {
        differences: vec![Difference {
            field: "exit".to_owned(),
            expected: "exit 2".to_owned(),
            observed: "exit 0".to_owned(),
        }],
    };
    let mut case = finished("a/b", "c", failed);
    case.evidence = Some(evidence(End::Exited(0)));
    case.invocation.argv = [Bytes::from(b"\xff\0\\".as_slice())].into();
    case.invocation.descriptors = vec![(7, Descriptor::File("/etc/group".into()))];
    case.invocation.faults = vec![Fault { call: "setresgid".to_owned(), nth: 1, result: FaultResult::Errno(1) }];
    case.sealed = Some(Digest([0xa5; 32]));
    case.subject.links = vec![("/bin/other".into(), Link::Hard)];
    case.outcome.script =
        Some(Script { soft_limits: Some(BTreeMap::from([(1, 1 << 20), (7, 64)])), ..Script::default() });
    let names = crate::run::sample::case("a/b", "c").names;
    let node = |path: &str, kind| Node {
        path: path.into(),
        owner: Uid::ROOT,
        group: Gid::new(38).expect("a group"),
        mode: 0o2755,
        kind,
        order: Order::ChownThenChmod,
    };
    let layout = Layout {
        nodes: vec![
            node("/d", NodeKind::Directory),
            node("/d/f", NodeKind::File(Content::Inline("text".into()))),
            node("/d/w", NodeKind::File(Content::Blob(Digest([1; 32])))),
        ],
        mounts: vec![Mount { at: "/d".into(), kind: MountKind::Itself, flags: MountFlags::default() }],
        fresh: vec!["/d".into()],
    };
    [
        Event::CaseFinished(Box::new(case)),
        Event::Setting(Arc::new(Setting { setting: 3, layout: layout.into(), names })),
    ]
}

#[test]
fn what_is_written_is_what_is_read() {
    let mut signaled = finished("a/b", "c", Verdict::Pass);
    signaled.evidence = Some(evidence(End::Signaled { signal: 11, core: true }));
    for event in rich().into_iter().chain([Event::CaseFinished(Box::new(signaled))]) {
        let text = serde_json::to_string(&event).expect("is written");
        assert_eq!(serde_json::from_str::<Event>(&text).expect("is read"), event, "{text}");
    }
}

/// A change of this snapshot is a change of what other programs read: with it goes the version.
#[test]
fn the_form_of_events() {
    let text = rich().map(|event| serde_json::to_string_pretty(&event).expect("is written")).join("\n");
    insta::assert_snapshot!("form_of_events", text);
}

fn words<T: Serialize>(all: &[T]) -> String {
    let texts: Vec<String> = all.iter().map(|word| serde_json::to_string(word).expect("is written")).collect();
    format!("{}  {}\n", std::any::type_name::<T>().rsplit("::").next().unwrap_or_default(), texts.join("  "))
}

/// Likewise.
#[test]
fn the_words_of_events() {
    let state = EntryState { owner: Uid::ROOT, group: Gid::ROOT, mode: 0o100_644, size: 3, head: "abc".into() };
    let gid = Gid::new(38).expect("a group");
    let text = [
        words(Capability::ALL),
        words(&[Support::Yes, Support::No { because: "x".to_owned(), cure: None }]),
        words(&[Order::ChownThenChmod, Order::ChmodThenChown]),
        words(&[Link::Symbolic, Link::Hard]),
        words(&[
            NodeKind::Directory,
            NodeKind::File(Content::Witness),
            NodeKind::Symlink("x".into()),
            NodeKind::HardLink("x".into()),
            NodeKind::Fifo,
        ]),
        words(&[
            MountKind::Itself,
            MountKind::Bind("x".into()),
            MountKind::Host("x".into()),
            MountKind::Overlay("x".into()),
            MountKind::IdMapped { from: gid, to: gid },
        ]),
        words(&[
            Stdin::Bytes("x".into()),
            Stdin::Closed,
            Stdin::Null,
            Stdin::Endless,
            Stdin::Silent,
            Stdin::Directory,
            Stdin::WriteOnly,
        ]),
        words(&[
            Descriptor::Closed,
            Descriptor::File("x".into()),
            Descriptor::Directory("x".into()),
            Descriptor::Socket,
            Descriptor::FullPipe,
            Descriptor::BrokenPipe,
            Descriptor::Epoll,
            Descriptor::Memory,
            Descriptor::Full,
            Descriptor::NonBlocking,
            Descriptor::Process,
            Descriptor::Terminal,
        ]),
        words(&[Cwd::Path("x".into()), Cwd::Deleted, Cwd::Unreadable]),
        words(&[Tracer::Invoker, Tracer::Root]),
        words(&[FaultResult::Errno(1), FaultResult::Value(0), FaultResult::Kill]),
        words(&[Stage::Setup { step: "x".to_owned(), errno: 1 }, Stage::Exec { errno: 1 }, Stage::Ran]),
        words(&[End::Exited(2), End::Signaled { signal: 11, core: false }, End::TimedOut]),
        words(&[
            ChangeKind::Added { state: state.clone() },
            ChangeKind::Removed,
            ChangeKind::Modified { before: state.clone(), after: state },
        ]),
        words(&[IdKind::Uid, IdKind::Gid]),
    ];
    insta::assert_snapshot!("words_of_events", text.concat());
}
