//! `given`, as far as it changes the installation: the subject's file, the mount it lies on, the files it starts.

use super::Context;
use super::draft::Draft;
use super::tree::parent;
use crate::capability::Capability;
use crate::case::Link;
use crate::scenario::raw::condition::{FileKind, FileSpec, InstallOrder, MountFlag, StartedThrough, Target};
use crate::scenario::raw::form::At;
use crate::scenario::raw::given::Given;
use crate::scenario::report::suggestion;
use lab_invocation::layout::{Content, Mount, MountFlags, MountKind, NodeKind, Order};
use lab_invocation::{Bytes, Gid, Uid};
use std::ops::Range;

/// A user and group who have no right to anything in a wrapper's installation.
const STRANGER: (&str, &str) = ("bob", "bob");

/// Applies what concerns the subject's file.
pub(super) fn apply(draft: &mut Draft, context: &mut Context<'_>, given: &Given) {
    if let Some(mode) = given.mode {
        draft.subject.mode = mode.0;
    }
    if let Some(owner) = given.owner.as_ref().and_then(|owner| context.uid(owner)) {
        draft.subject.owner = owner;
    }
    if let Some(group) = given.group.as_ref().and_then(|group| context.gid(group)) {
        draft.subject.group = group;
    }
    match given.install_order {
        Some(InstallOrder::ChmodThenChown) => draft.subject.order = Order::ChmodThenChown,
        Some(InstallOrder::ChownThenChmod) => draft.subject.order = Order::ChownThenChmod,
        None => {}
    }
    if let Some(through) = &given.started_through {
        link(draft, context, through);
    }
    let at = draft.directory();
    if let Some(list) = &given.mount {
        draft.mounts.push(Mount { at: at.clone(), kind: MountKind::Itself, flags: flags(list) });
    }
    if let Some(overlay) = &given.overlay {
        if !overlay.lower.is_empty() {
            draft.mounts.push(Mount { at: at.clone(), kind: MountKind::Itself, flags: flags(&overlay.lower) });
        }
        let kind = MountKind::Overlay(at.clone());
        draft.mounts.push(Mount { at: at.clone(), kind, flags: flags(&overlay.flags) });
        draft.needs.insert(Capability::Overlay);
    }
    if let Some(mapped) = &given.id_mapped
        && let (Some(from), Some(to)) = (context.gid(&mapped.from), context.gid(&mapped.to))
    {
        draft.mounts.push(Mount { at, kind: MountKind::IdMapped { from, to }, flags: MountFlags::default() });
        draft.needs.insert(Capability::IdMappedMounts);
    }
}

fn flags(list: &[MountFlag]) -> MountFlags {
    MountFlags {
        nosuid: list.contains(&MountFlag::Nosuid),
        noexec: list.contains(&MountFlag::Noexec),
        nodev: list.contains(&MountFlag::Nodev),
        read_only: list.contains(&MountFlag::ReadOnly),
    }
}

fn link(draft: &mut Draft, context: &mut Context<'_>, through: &StartedThrough) {
    let (path, kind) = match (&through.symlink, &through.hard_link) {
        (Some(path), None) => (path, Link::Symbolic),
        (None, Some(path)) => (path, Link::Hard),
        (Some(one), Some(_)) => {
            context.error(&one.span, "two ways to start the subject", "write either `symlink` or `hard-link`");
            return;
        }
        (None, None) => return,
    };
    let Some(path) = context.path(&path.value, &path.span) else { return };
    if let Some(above) = parent(&path)
        && draft.tree.get(&above).is_none()
    {
        draft.tree.directory(&above, Uid::ROOT, Gid::ROOT, 0o755);
    }
    draft.invocation.program = path.clone();
    draft.subject.links.push((path, kind));
}

/// Applies what concerns the script, the interpreter and other files.
pub(super) fn targets(draft: &mut Draft, context: &mut Context<'_>, given: &Given) {
    if let Some(target) = given.script {
        let path = draft.script();
        spoil(draft, context, &path, target);
    }
    if let Some(target) = &given.interpreter {
        match draft.subject.policy.interpreter.clone() {
            Some((path, _)) => spoil(draft, context, &path, target.value),
            None => {
                let report =
                    context.error(&target.span, "the subject has no interpreter", "`interpreter` would change nothing");
                report.help.push("add `seal = { interpreter = \"/usr/bin/python3\" }` to [subject]".to_owned());
            }
        }
    }
    for (path, spec) in given.files.iter().flat_map(|files| &files.0) {
        file(draft, context, path, spec);
    }
}

fn spoil(draft: &mut Draft, context: &mut Context<'_>, path: &Bytes, target: Target) {
    let accounts = context.accounts;
    let (Some(stranger), Some(strangers)) = (accounts.uid(STRANGER.0), accounts.gid(STRANGER.1)) else {
        context.error(&(0..0), "identities.toml has no user and group \"bob\"", "they stand for strangers");
        return;
    };
    let above = parent(path).unwrap_or_else(|| "/".into());
    let beside = Bytes([path.0.as_slice(), b".elsewhere"].concat());
    let inline = |text: &str| NodeKind::File(Content::Inline(text.into()));
    let Some(node) = draft.tree.get_mut(path) else { return };
    match target {
        Target::NotExecutable => node.mode &= !0o111,
        Target::WrongOwner => node.owner = stranger,
        Target::GroupWritable => {
            node.group = strangers;
            node.mode |= 0o020;
        }
        Target::WorldWritable => node.mode |= 0o002,
        Target::DanglingSymlink => node.kind = NodeKind::Symlink("nowhere".into()),
        Target::Directory => {
            node.kind = NodeKind::Directory;
            node.mode = 0o755;
        }
        Target::BadInterpreter => node.kind = inline("#!/nonexistent/interpreter\n"),
        Target::NotAProgram => node.kind = inline("\x7fnot a program\n"),
        Target::Symlink => {
            let mut sound = node.clone();
            node.kind = NodeKind::Symlink(beside.clone());
            sound.path = beside;
            draft.tree.put(&sound.path.clone(), sound.owner, sound.group, sound.mode, sound.kind);
        }
        Target::Missing => draft.tree.remove(path),
        Target::DirectoryWorldWritable => {
            if let Some(directory) = draft.tree.get_mut(&above) {
                directory.mode |= 0o002;
            }
        }
        Target::DirectoryWrongOwner => {
            if let Some(directory) = draft.tree.get_mut(&above) {
                directory.owner = stranger;
            }
        }
    }
}

fn file(draft: &mut Draft, context: &mut Context<'_>, name: &At<String>, spec: &At<FileSpec>) {
    let Some(path) = context.path(&name.value, &name.span) else { return };
    let spec = &spec.value;
    if spec.kind == Some(FileKind::Absent) {
        if draft.tree.get(&path).is_none() {
            let help = suggestion(&name.value, draft.tree.paths());
            context.error(&name.span, "there is no such file to take away", "this path").help.extend(help);
        }
        draft.tree.remove(&path);
        return;
    }
    let owner = spec.owner.as_ref().map(|owner| context.uid(owner));
    let group = spec.group.as_ref().map(|group| context.gid(group));
    let existing = draft.tree.get(&path).cloned();
    let kind = match (spec.kind, &spec.content, &existing) {
        (None, None, Some(node)) => node.kind.clone(),
        (None, Some(content), Some(_)) => NodeKind::File(Content::Inline(content.0.clone())),
        (None, _, None) => {
            context.error(&name.span, "a new file needs a `kind`", "file, directory, symlink, fifo or witness");
            return;
        }
        (Some(kind), content, _) => match new_kind(context, &name.span, kind, content.as_ref().map(|c| &c.0)) {
            Some(kind) => kind,
            None => return,
        },
    };
    let usual = match kind {
        NodeKind::Directory | NodeKind::File(Content::Witness) => 0o755,
        _ => 0o644,
    };
    let (old_owner, old_group, old_mode) = match &existing {
        Some(node) if spec.kind.is_none() => (node.owner, node.group, node.mode),
        _ => (Uid::ROOT, Gid::ROOT, usual),
    };
    let mode = spec.mode.map_or(old_mode, |mode| mode.0);
    let owner = owner.flatten().unwrap_or(old_owner);
    let group = group.flatten().unwrap_or(old_group);
    if spec.fresh {
        if matches!(kind, NodeKind::Directory) {
            draft.fresh.insert(path.clone());
        } else {
            context.error(&name.span, "only a directory can be fresh", "this file");
        }
    }
    if !matches!(kind, NodeKind::Directory) {
        // What was in a directory of that name has no place any more.
        draft.tree.remove(&path);
    }
    draft.tree.put(&path, owner, group, mode, kind);
}

fn new_kind(
    context: &mut Context<'_>,
    span: &Range<usize>,
    kind: FileKind,
    content: Option<&Bytes>,
) -> Option<NodeKind> {
    match (kind, content) {
        (FileKind::File, content) => Some(NodeKind::File(Content::Inline(content.cloned().unwrap_or_default()))),
        (FileKind::Symlink, Some(target)) if !target.0.is_empty() => Some(NodeKind::Symlink(target.clone())),
        (FileKind::Symlink, _) => {
            context.error(span, "a symbolic link needs `content`: its target", "this link");
            None
        }
        (_, Some(_)) => {
            context.error(span, "`content` without use", "only `file` and `symlink` have one");
            None
        }
        (FileKind::Directory, None) => Some(NodeKind::Directory),
        (FileKind::Fifo, None) => Some(NodeKind::Fifo),
        (FileKind::Witness, None) => Some(NodeKind::File(Content::Witness)),
        (FileKind::Absent, None) => None,
    }
}
