//! A case in the words of the model.

use crate::case::{Case, Kind, Link, Policy, Sealing, Style};
use crate::scenario::accounts;
use lab_invocation::invocation::{Cwd, Descriptor, Stdin, Tracer};
use lab_invocation::layout::{Content, MountKind, Node, NodeKind};
use lab_invocation::{Bytes, Gid, Identity, Uid};
use lab_model::capability::{CapSet, Capability, Securebits};
use lab_model::environment::MAILMAN_NAMES;
use lab_model::exec::{self, Circumstances};
use lab_model::files::{Entry, EntryKind, Files, Mount};
use lab_model::group_database::GroupDatabase;
use lab_model::ids::Ids;
use lab_model::namespace::{IdMap, UserNamespace};
use lab_model::policy;
use lab_model::process::Process;
use lab_model::start::{Argv, Installation, Invoker, Room};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// `RLIMIT_NPROC`. See getrlimit(2). It counts the processes of a user on the whole machine, when the invoker becomes that
/// user: whether execve then fails with EAGAIN depends on what else runs.
const NPROC: u32 = 6;

/// `RLIMIT_DATA`, `RLIMIT_STACK` and `RLIMIT_AS` with the soft limits in bytes below which it depends on kernel and C
/// library whether `main` is reached.
const START: [(u32, &str, u64); 3] = [(2, "data", 64 << 10), (3, "stack", 32 << 10), (9, "as", 1 << 20)];

/// Why the model cannot know all about a case.
pub(super) fn beyond(case: &Case) -> Option<String> {
    let invocation = &case.invocation;
    if let Some(fault) = invocation.faults.first() {
        return Some(format!("{} is made to fail", fault.call));
    }
    let limits = &invocation.limits;
    if limits.iter().any(|limit| limit.resource == NPROC && limit.soft.is_some()) {
        return Some("with a limit nproc it depends on the user's other processes whether a program starts".to_owned());
    }
    START.iter().find_map(|(resource, name, least)| {
        let soft = limits.iter().find(|limit| limit.resource == *resource)?.soft?;
        (soft < *least).then(|| format!("with a limit {name} of {soft} bytes a program may not come to its main"))
    })
}

pub(super) fn policy(sealed: &Policy) -> policy::Policy {
    let group = |group: &crate::case::Group| policy::Group { gid: group.gid.as_raw(), name: group.name.clone() };
    let program = match sealed.kind {
        Kind::Mail => policy::Program::Mail { commands: sealed.commands.iter().map(raw).collect() },
        Kind::Cgi => policy::Program::Cgi { script: sealed.script.as_ref().map(raw).unwrap_or_default() },
    };
    let keep = match (&sealed.keep, sealed.kind) {
        (Some(names), _) => names.iter().map(raw).collect(),
        (None, Kind::Mail) => Vec::new(),
        (None, Kind::Cgi) => MAILMAN_NAMES.iter().map(|name| name.as_bytes().to_vec()).collect(),
    };
    let unsound = match sealed.condition {
        Sealing::Sound => None,
        Sealing::Unsealed => Some("it was never sealed"),
        Sealing::Damaged => Some("its checksum is wrong"),
        Sealing::Truncated => Some("its second half is zero"),
        Sealing::WrongKind => Some("it is that of another kind of wrapper"),
        Sealing::WrongVersion => Some("its version is unknown"),
        Sealing::OverLong => Some("it claims to be longer than its section"),
    };
    policy::Policy {
        program,
        trusted: group(&sealed.trusts),
        own: group(&sealed.own),
        owner: sealed.owner.0.as_raw(),
        prefix: raw(&sealed.prefix),
        interpreter: sealed
            .interpreter
            .iter()
            .flat_map(|(path, flags)| std::iter::once(path).chain(flags))
            .map(raw)
            .collect(),
        keep,
        style: match sealed.refusal {
            Style::Mailman => policy::Style::Mailman,
            Style::Defer => policy::Style::Defer,
        },
        unsound: unsound.map(str::to_owned),
    }
}

fn raw(bytes: &Bytes) -> Vec<u8> {
    bytes.0.clone()
}

pub(super) fn installation(case: &Case) -> Installation {
    let mut files = Files::default();
    let sticky = Entry { kind: EntryKind::Directory, owner: 0, group: 0, mode: 0o1777 };
    files.entries.insert(b"/tmp".to_vec(), sticky);
    for node in &case.layout.nodes {
        let entry = match &node.kind {
            NodeKind::HardLink(target) => files.entries.get(&target.0).cloned(),
            _ => Some(entry(node)),
        };
        if let Some(entry) = entry {
            files.entries.insert(raw(&node.path), entry);
        }
    }
    let subject = &case.subject;
    let program = Entry {
        kind: EntryKind::Program,
        owner: subject.owner.as_raw(),
        group: subject.group.as_raw(),
        mode: subject.order.leaves(subject.mode),
    };
    for (path, link) in &subject.links {
        let entry = match link {
            Link::Hard => program.clone(),
            Link::Symbolic => Entry { kind: EntryKind::Symlink(raw(&subject.path)), owner: 0, group: 0, mode: 0o777 },
        };
        files.entries.insert(raw(path), entry);
    }
    files.entries.insert(raw(&subject.path), program);
    for mount in &case.layout.mounts {
        let (shows, shows_group) = match &mount.kind {
            MountKind::Itself | MountKind::Host(_) => (None, None),
            MountKind::Bind(place) | MountKind::Overlay(place) => (Some(raw(place)), None),
            MountKind::IdMapped { from, to } => (None, Some((from.as_raw(), to.as_raw()))),
        };
        files.mounts.push(Mount {
            at: raw(&mount.at),
            shows,
            nosuid: mount.flags.nosuid,
            noexec: mount.flags.noexec,
            shows_group,
        });
    }
    Installation { path: raw(&case.invocation.program), files, groups: groups(case), device_null: true }
}

fn entry(node: &Node) -> Entry {
    let kind = match &node.kind {
        NodeKind::Directory => EntryKind::Directory,
        NodeKind::File(Content::Witness | Content::Blob(_)) => EntryKind::Program,
        NodeKind::File(Content::Inline(text)) => match interpreter(&text.0) {
            Some(interpreter) => EntryKind::Script(interpreter),
            None => EntryKind::Data,
        },
        NodeKind::Symlink(target) => EntryKind::Symlink(raw(target)),
        NodeKind::HardLink(_) | NodeKind::Fifo => EntryKind::Special,
    };
    let mode = node.order.leaves(node.mode);
    Entry { kind, owner: node.owner.as_raw(), group: node.group.as_raw(), mode }
}

/// execve(2), "Interpreter scripts": `#!`, blanks, the path up to a blank or the end of the line.
fn interpreter(text: &[u8]) -> Option<Vec<u8>> {
    let line = text.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let path = line.split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty())?;
    Some(path.to_vec())
}

/// /etc/group as the subject can read it, links followed one deep: that is as far as scenarios go.
fn groups(case: &Case) -> GroupDatabase {
    let at = |path: &[u8]| case.layout.nodes.iter().find(|node| node.path.0 == path);
    let node = match at(b"/etc/group") {
        Some(Node { kind: NodeKind::Symlink(target), .. }) => at(&target.0),
        other => other,
    };
    let identity = &case.invocation.identity;
    let privileged = identity.effective_uid == Uid::ROOT;
    match node {
        None => GroupDatabase::Absent,
        Some(node) if node.mode & 0o004 == 0 && !privileged && node.owner != identity.effective_uid => {
            GroupDatabase::Unreadable
        }
        Some(Node { kind: NodeKind::File(Content::Inline(text)), .. }) => GroupDatabase::Rows(accounts::rows(&text.0)),
        Some(_) => GroupDatabase::Unreadable,
    }
}

pub(super) fn invoker(case: &Case) -> Invoker<'_> {
    let invocation = &case.invocation;
    let transition = &invocation.transition;
    // The agent's tracer takes the real ids three times, because ptrace(2) compares them with every id of the tracee.
    let root = invocation.identity.uid == Uid::ROOT;
    let tracer = transition.tracer.map(|tracer| match tracer {
        Tracer::Invoker if !root => exec::Tracer::Unprivileged,
        Tracer::Invoker | Tracer::Root => exec::Tracer::Privileged,
    });
    Invoker {
        process: process(case),
        circumstances: Circumstances { tracer, shares_fs: transition.share_fs, over_process_limit: false },
        foreign_mount: transition.foreign_mount,
        argv: Argv(Cow::Borrowed(invocation.argv.runs())),
        env: Cow::Borrowed(Bytes::vectors(&invocation.env)),
        room: room(case),
    }
}

fn process(case: &Case) -> Process {
    let Identity { uid, effective_uid, gid, effective_gid, groups } = &case.invocation.identity;
    let ids = |real: u32, effective: u32| Ids { real, effective, saved: effective, fs: effective };
    let mut process = Process::with_ids(
        ids(uid.as_raw(), effective_uid.as_raw()),
        ids(gid.as_raw(), effective_gid.as_raw()),
        groups.iter().map(|gid| gid.as_raw()),
    );
    let transition = &case.invocation.transition;
    process.no_new_privs = transition.no_new_privs;
    process.namespace = UserNamespace {
        uids: IdMap::full_without(transition.unmapped_uids.iter().map(|uid| uid.as_raw())),
        gids: IdMap::full_without(transition.unmapped_gids.iter().map(|gid| gid.as_raw())),
        setgroups: true,
    };
    let asked = &case.invocation.capabilities;
    let (kept, ambient) = (set(&asked.kept), set(&asked.ambient));
    let sets = &mut process.capabilities;
    sets.bounding = sets.bounding.without(set(&asked.bounding_drop));
    // Root has every capability, unless it is said which he keeps: then those alone.
    if !kept.is_empty() || (*uid != Uid::ROOT && *effective_uid != Uid::ROOT) {
        (sets.permitted, sets.effective) = (kept.union(ambient), kept.union(ambient));
    }
    sets.inheritable = sets.inheritable.union(set(&asked.inheritable)).union(ambient);
    sets.ambient = sets.ambient.union(ambient);
    if let Some(bits) = asked.securebits {
        process.securebits = Securebits(bits);
    }
    process
}

fn set(numbers: &BTreeSet<u32>) -> CapSet {
    let capabilities: Vec<Capability> =
        numbers.iter().filter_map(|&number| u8::try_from(number).ok()).map(Capability).collect();
    CapSet::of(&capabilities)
}

fn room(case: &Case) -> Room {
    let invocation = &case.invocation;
    let mut descriptors = BTreeSet::from([0, 1, 2]);
    if invocation.stdin == Stdin::Closed {
        descriptors.remove(&0);
    }
    for (number, descriptor) in &invocation.descriptors {
        if *descriptor == Descriptor::Closed {
            descriptors.remove(number);
        } else {
            descriptors.insert(*number);
        }
    }
    let signals = &invocation.signals;
    Room {
        descriptors,
        umask: invocation.umask,
        cwd: match &invocation.cwd {
            Cwd::Path(path) => Some(raw(path)),
            Cwd::Deleted | Cwd::Unreadable => None,
        },
        limits: invocation.limits.iter().map(|limit| (limit.resource, (limit.soft, limit.hard))).collect(),
        ignored: signals.ignored.clone(),
        blocked: signals.blocked.union(&signals.pending).copied().collect(),
        pending: signals.pending.clone(),
        timer: invocation.has_timer(),
        timer_slack_ns: invocation.timer_slack_ns,
    }
}

/// What the tool must answer.
pub(super) fn tool(case: &Case) -> super::Prediction {
    let text = |path: &[u8]| {
        let node = case.layout.nodes.iter().find(|node| node.path.0 == path)?;
        let root = case.invocation.identity.effective_uid == Uid::ROOT;
        match &node.kind {
            NodeKind::File(Content::Inline(text)) if root || node.mode & 0o004 != 0 => Some(text.0.as_slice()),
            _ => None,
        }
    };
    let argv = case.invocation.argv.to_vec();
    let answer = lab_model::configure::decide(&lab_model::configure::Run {
        argv: Bytes::vectors(&argv),
        process: &process(case),
        files: &installation(case).files,
        group: text(b"/etc/group"),
        passwd: text(b"/etc/passwd"),
    });
    let outcome = match answer.exit {
        0 => lab_model::Outcome::Configured,
        _ => lab_model::Outcome::NotConfigured,
    };
    let decision = lab_model::Decision {
        outcome,
        because: answer.because.clone(),
        exit: Some(answer.exit),
        exec_error: None,
        subject: None,
        child: None,
    };
    super::Prediction { decision, tool: Some(answer), beyond: beyond(case), script_end: case.invocation.script_end }
}

/// What the witness reads for a group number: it stands in the invoker's user namespace.
pub(super) fn seen_gid(process: &Process, gid: u32) -> Option<Gid> {
    Gid::new(process.namespace.gids.seen(gid))
}

/// Likewise a user number.
pub(super) fn seen_uid(process: &Process, uid: u32) -> Option<Uid> {
    Uid::new(process.namespace.uids.seen(uid))
}
