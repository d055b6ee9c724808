//! What the tool made: kind, mode, owner and group of each file, by the model. A file of the right name that anybody may
//! write, or that has another group, is no installation.

use super::{Comparison, show};
use crate::case::Names;
use lab_invocation::evidence::{ChangeKind, EntryState};
use lab_invocation::{Bytes, Gid, Uid};
use lab_model::configure::Answer;
use lab_model::files::{Entry, EntryKind};

/// File types of `st_mode`: inode(7).
const TYPE: u32 = 0o170_000;
const TYPES: [(u32, &str); 7] = [
    (0o100_000, "file"),
    (0o040_000, "directory"),
    (0o120_000, "symbolic link"),
    (0o010_000, "FIFO"),
    (0o140_000, "socket"),
    (0o060_000, "block device"),
    (0o020_000, "character device"),
];

/// Which paths are written is another question, so that only those which both have are compared.
pub(super) fn compare(comparison: &mut Comparison<'_>, answer: &Answer) {
    let (evidence, names) = (comparison.evidence, &comparison.case.names);
    let (mut expected, mut observed) = (Vec::new(), Vec::new());
    for change in &evidence.changes {
        let Some(entry) = answer.writes.get(&change.path.0) else { continue };
        let wanted = predicted(entry, names);
        let found = match &change.kind {
            ChangeKind::Added { state } | ChangeKind::Modified { after: state, .. } => seen(state, names),
            ChangeKind::Removed => "nothing".to_owned(),
        };
        if wanted != found {
            expected.push(at(&change.path, &wanted));
            observed.push(at(&change.path, &found));
        }
    }
    if !expected.is_empty() {
        comparison.differ("written", show::list(expected), show::list(observed));
    }
}

fn at(path: &Bytes, text: &str) -> String {
    format!("{path}: {text}")
}

fn predicted(entry: &Entry, names: &Names) -> String {
    let kind = match entry.kind {
        EntryKind::Program | EntryKind::Script(_) | EntryKind::Data => "file",
        EntryKind::Directory => "directory",
        EntryKind::Symlink(_) => "symbolic link",
        EntryKind::Special => "special file",
    };
    let (owner, group) = (Uid::new(entry.owner), Gid::new(entry.group));
    text(kind, entry.mode, owner.unwrap_or(Uid::OVERFLOW), group.unwrap_or(Gid::OVERFLOW), names)
}

fn seen(state: &EntryState, names: &Names) -> String {
    let kind = TYPES.iter().find(|(bits, _)| state.mode & TYPE == *bits).map_or("unknown", |(_, kind)| kind);
    text(kind, state.mode & !TYPE, state.owner, state.group, names)
}

fn text(kind: &str, mode: u32, owner: Uid, group: Gid, names: &Names) -> String {
    format!("{kind} {mode:04o}, owner {}, group {}", names.user(owner), names.group(group))
}
