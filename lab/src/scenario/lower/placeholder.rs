//! `{trusts}`, `{invoker.group}` and the like in expectations, so that one outcome serves every cell of a table.

use super::Context;
use super::draft::Draft;
use crate::scenario::report::suggestion;
use lab_invocation::{Bytes, Gid, Uid};
use std::ops::Range;

/// Every placeholder with its meaning.
pub(super) const KNOWN: [(&str, &str); 13] = [
    ("trusts", "the trusted group, by name"),
    ("trusts.gid", "its number"),
    ("own", "the wrapper's own group, by name"),
    ("own.gid", "its number"),
    ("owner", "the sealed owner, by name"),
    ("invoker.group", "the invoker's real group, by name if it has one"),
    ("invoker.gid", "its number"),
    ("invoker.effective-group", "the invoker's effective group, by name if it has one"),
    ("invoker.user", "the invoker's real user, by name if it has one"),
    ("invoker.uid", "its number"),
    ("prefix", "--prefix"),
    ("subject", "path of the wrapper"),
    ("script", "path of the script"),
];

/// Expands the placeholders of a text; `{{` and `}}` are single braces.
pub(super) fn expand(context: &mut Context<'_>, draft: &Draft, text: &str, span: &Range<usize>) -> Option<Bytes> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let tail = &rest[at..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            out.push(tail.as_bytes()[0]);
            rest = &tail[2..];
            continue;
        }
        let close = tail.find('}').filter(|_| tail.starts_with('{'));
        let Some(close) = close else {
            context.error(span, "a brace without its partner", "write {{ or }} for a brace that means itself");
            return None;
        };
        let name = &tail[1..close];
        let Some(value) = value(draft, name) else {
            let help = suggestion(name, KNOWN.iter().map(|(name, _)| *name));
            let report = context.error(span, format!("unknown placeholder {{{name}}}"), "in this text");
            report.help.extend(help);
            return None;
        };
        out.extend_from_slice(&value.0);
        rest = &tail[close + 1..];
    }
    out.extend_from_slice(rest.as_bytes());
    Some(Bytes(out))
}

/// A group written as a placeholder: `{own}`.
pub(super) fn gid(draft: &Draft, text: &str) -> Option<Gid> {
    let policy = &draft.subject.policy;
    let identity = &draft.invocation.identity;
    match text {
        "{trusts}" => Some(policy.trusts.gid),
        "{own}" => Some(policy.own.gid),
        "{invoker.group}" => Some(identity.gid),
        "{invoker.effective-group}" => Some(identity.effective_gid),
        _ => None,
    }
}

/// A user written as a placeholder: `{invoker.user}`.
pub(super) fn uid(draft: &Draft, text: &str) -> Option<Uid> {
    match text {
        "{owner}" => Some(draft.subject.policy.owner.0),
        "{invoker.user}" => Some(draft.invocation.identity.uid),
        _ => None,
    }
}

fn value(draft: &Draft, name: &str) -> Option<Bytes> {
    let policy = &draft.subject.policy;
    let identity = &draft.invocation.identity;
    let group = |gid: Gid| draft.names.groups.get(&gid).cloned().unwrap_or_else(|| gid.to_string());
    let user = |uid: Uid| draft.names.users.get(&uid).cloned().unwrap_or_else(|| uid.to_string());
    let text = match name {
        "trusts" => policy.trusts.name.clone(),
        "trusts.gid" => policy.trusts.gid.to_string(),
        "own" => policy.own.name.clone(),
        "own.gid" => policy.own.gid.to_string(),
        "owner" => policy.owner.1.clone(),
        "invoker.group" => group(identity.gid),
        "invoker.gid" => identity.gid.to_string(),
        "invoker.effective-group" => group(identity.effective_gid),
        "invoker.user" => user(identity.uid),
        "invoker.uid" => identity.uid.to_string(),
        "prefix" => return Some(policy.prefix.clone()),
        "subject" => return Some(draft.subject.path.clone()),
        "script" => return Some(draft.script()),
        _ => return None,
    };
    Some(text.into())
}
