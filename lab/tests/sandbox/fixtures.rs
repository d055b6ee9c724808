//! What the tests share: a backend, layouts, identities.

pub(crate) use crate::required::skip;
use lab::backend::namespace::Namespace;
use lab::backend::{Backend, Worker};
use lab_invocation::evidence::{Stage, WitnessReport};
use lab_invocation::layout::{Content, Layout, Mount, MountFlags, MountKind, Node, NodeKind, Order};
use lab_invocation::protocol::Probes;
use lab_invocation::{Evidence, Gid, Identity, Invocation, Uid};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Where the set-group-ID witness is installed, as a wrapper would be.
pub(crate) const PROGRAM: &str = "/usr/local/bin/program";
/// Its group.
pub(crate) const OWN_GID: u32 = 38;
/// The invoker.
pub(crate) const UID: u32 = 101;
/// His group.
pub(crate) const GID: u32 = 8;

/// The agent's program file: the one that LAB_AGENT names, or built once for the musl target.
pub(crate) fn agent() -> PathBuf {
    static AGENT: OnceLock<PathBuf> = OnceLock::new();
    AGENT.get_or_init(|| std::env::var_os("LAB_AGENT").map_or_else(build_agent, PathBuf::from)).clone()
}

fn build_agent() -> PathBuf {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "lab-agent", "--profile", "lab", "--target", &target])
        .args(["--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "building the agent failed:\n{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout);
    let built = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let executable = built.filter_map(|message| Some(message["executable"].as_str()?.to_owned())).next_back();
    executable.expect("cargo names the program it has built").into()
}

/// The backend; `None`, with a printed reason, where this machine allows no sandbox and none is required.
pub(crate) fn backend() -> Option<&'static Namespace> {
    static BACKEND: OnceLock<Namespace> = OnceLock::new();
    let backend = BACKEND.get_or_init(|| Namespace::new(&agent()));
    match backend.tier() {
        Ok(_) => Some(backend),
        Err(error) => {
            skip("namespace", format!("{error} ({:?})", error.cure));
            None
        }
    }
}

/// A worker of its own.
pub(crate) fn worker() -> Option<Box<dyn Worker>> {
    Some(backend()?.worker().expect("a worker where the backend stands"))
}

/// The installed witness, root:38 2755.
pub(crate) fn layout() -> Layout {
    let mut nodes: Vec<Node> = ["/usr", "/usr/local", "/usr/local/bin"].map(|path| directory(path, 0o755)).into();
    nodes.push(witness(PROGRAM, OWN_GID, 0o2755));
    Layout { nodes, mounts: Vec::new(), fresh: Vec::new() }
}

/// The same with a mount over the directory of the witness.
pub(crate) fn layout_with(kind: MountKind, flags: MountFlags) -> Layout {
    Layout { mounts: vec![mount("/usr/local/bin", kind, flags)], ..layout() }
}

/// One mount.
pub(crate) fn mount(at: &str, kind: MountKind, flags: MountFlags) -> Mount {
    Mount { at: at.into(), kind, flags }
}

/// The host's shell and a few programs, with their libraries.
pub(crate) fn shell_layout(more: impl FnOnce(&mut Layout)) -> Layout {
    let mut layout = layout();
    for name in ["sh", "cat", "ln", "mkdir", "rm", "setsid", "sleep", "tee"] {
        let places = ["/usr/bin", "/bin"].map(|directory| PathBuf::from(directory).join(name));
        let place = places.into_iter().find(|place| place.exists()).expect("a program of every Linux");
        lab::backend::libraries::bind(&mut layout, &place);
        lab::backend::libraries::provide(&mut layout, &place).expect("its libraries are found");
    }
    more(&mut layout);
    layout
}

/// The shell with a script.
pub(crate) fn shell(script: &str) -> Invocation {
    let argv = ["sh", "-c", script].map(lab_invocation::Bytes::from).into();
    let program = if PathBuf::from("/usr/bin/sh").exists() { "/usr/bin/sh" } else { "/bin/sh" };
    Invocation { argv, program: program.into(), ..invocation() }
}

/// The same node, owned by the invoker.
pub(crate) fn owned(node: Node) -> Node {
    Node { owner: uid(UID), ..node }
}

/// A directory of root's.
pub(crate) fn directory(path: &str, mode: u32) -> Node {
    node(path, 0, mode, NodeKind::Directory)
}

/// A file that is the witness.
pub(crate) fn witness(path: &str, group: u32, mode: u32) -> Node {
    node(path, group, mode, NodeKind::File(Content::Witness))
}

/// A node of root's.
pub(crate) fn node(path: &str, group: u32, mode: u32, kind: NodeKind) -> Node {
    Node { path: path.into(), owner: Uid::ROOT, group: gid(group), mode, kind, order: Order::default() }
}

pub(crate) fn uid(number: u32) -> Uid {
    Uid::new(number).expect("a uid")
}

pub(crate) fn gid(number: u32) -> Gid {
    Gid::new(number).expect("a gid")
}

/// The usual invoker.
pub(crate) fn identity() -> Identity {
    Identity { uid: uid(UID), effective_uid: uid(UID), gid: gid(GID), effective_gid: gid(GID), groups: BTreeSet::new() }
}

/// A quiet room around the installed witness.
pub(crate) fn invocation() -> Invocation {
    Invocation::quiet(PROGRAM.into(), identity())
}

/// Opens a layout whose probes are sound and runs one case.
pub(crate) fn run(worker: &mut dyn Worker, layout: &Layout, invocation: &Invocation) -> Evidence {
    let (id, probes) = worker.open(layout, &|_| None).expect("the layout opens");
    assert_eq!(probes, Probes { positive: true, negative: false, witness: true }, "the layout proves itself");
    worker.run(id, invocation).expect("the case is run")
}

/// The one report of a case in which the witness was the subject.
pub(crate) fn report(evidence: &Evidence) -> &WitnessReport {
    assert_eq!(evidence.stage, Stage::Ran, "{evidence:#?}");
    let [report] = evidence.witness.as_slice() else { panic!("one report is wanted: {evidence:#?}") };
    assert!(report.same_process, "the subject itself is the witness");
    report
}
