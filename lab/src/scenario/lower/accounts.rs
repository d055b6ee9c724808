//! `given`, as far as it changes /etc/group and /etc/passwd.

use super::Context;
use super::draft::Draft;
use super::tree::lines;
use crate::scenario::raw::condition::{Database, DatabaseCondition, DatabaseContent};
use crate::scenario::raw::form::At;
use crate::scenario::raw::given::Given;
use lab_invocation::layout::{Content, NodeKind};
use lab_invocation::{Bytes, Gid, Uid};

/// Applies `group-database` and `user-database`.
pub(super) fn apply(draft: &mut Draft, context: &mut Context<'_>, given: &Given) {
    if let Some(database) = &given.group_database {
        change(draft, context, "/etc/group", database, &context.accounts.group_lines());
    }
    if let Some(database) = &given.user_database {
        change(draft, context, "/etc/passwd", database, &context.accounts.passwd_lines());
    }
}

fn change(draft: &mut Draft, context: &mut Context<'_>, path: &str, database: &At<Database>, usual: &[String]) {
    let path = Bytes::from(path);
    let (mode, kind) = match &database.value {
        Database::Condition(DatabaseCondition::Absent) => {
            draft.tree.remove(&path);
            return;
        }
        Database::Condition(DatabaseCondition::Unreadable) => {
            (0o000, NodeKind::File(Content::Inline(Bytes(lines(usual)))))
        }
        Database::Condition(DatabaseCondition::Empty) => (0o644, NodeKind::File(Content::Inline(Bytes::default()))),
        Database::Condition(DatabaseCondition::Directory) => (0o755, NodeKind::Directory),
        Database::Condition(DatabaseCondition::Fifo) => (0o644, NodeKind::Fifo),
        Database::Content(content) => {
            let Some(text) = text(context, database, content, usual) else { return };
            (0o644, NodeKind::File(Content::Inline(text)))
        }
    };
    draft.tree.put(&path, Uid::ROOT, Gid::ROOT, mode, kind);
}

fn text(context: &mut Context<'_>, at: &At<Database>, content: &DatabaseContent, usual: &[String]) -> Option<Bytes> {
    let DatabaseContent { text, prepend, append, without } = content;
    let changes = !prepend.is_empty() || !append.is_empty() || !without.is_empty();
    match text {
        Some(_) if changes => {
            context.error(&at.span, "`text` is the whole file", "it leaves no room for prepend, append or without");
            return None;
        }
        Some(text) => return Some(text.0.clone()),
        None if !changes => {
            context.error(&at.span, "nothing is changed", "write text, prepend, append or without");
            return None;
        }
        None => {}
    }
    let name_of = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    for name in without {
        if !usual.iter().any(|line| name_of(line) == name.value) {
            context.unknown("line", name, usual.iter().map(|line| line.split(':').next().unwrap_or_default()));
        }
    }
    let kept = usual.iter().filter(|line| !without.iter().any(|name| name.value == name_of(line)));
    let kept = kept.map(|line| line.as_bytes().to_vec());
    let added = |list: &[crate::scenario::raw::value::ByteString]| -> Vec<Vec<u8>> {
        list.iter().map(|line| line.0.0.clone()).collect()
    };
    let all = added(prepend).into_iter().chain(kept).chain(added(append));
    Some(Bytes(all.flat_map(|line| line.into_iter().chain([b'\n'])).collect()))
}
