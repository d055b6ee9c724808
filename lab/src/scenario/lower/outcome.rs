//! `[outcome.NAME]` for one case: placeholders expanded, names as numbers.

use super::draft::Draft;
use super::{Context, placeholder};
use crate::case::{Outcome, Script};
use crate::scenario::raw;
use crate::scenario::raw::form::{At, Named};
use crate::scenario::raw::value::{ByteString, NameOrNumber};
use crate::scenario::vocabulary::{ERRORS, LIMITS};
use lab_invocation::{Bytes, Gid, Uid};
use std::collections::{BTreeMap, BTreeSet};

/// PATH of everything that a wrapper starts.
const PATH: &str = "/usr/bin:/bin";

/// What can be checked of an outcome without a case: that it says how the subject ends, or whether the script starts.
pub(super) fn check(context: &mut Context<'_>, name: &At<String>, raw: &raw::Outcome) {
    let started = raw.script.as_ref().is_some_and(|script| script.value.started.is_some());
    let ends = raw.exit.is_some() || raw.signal.is_some() || raw.exec_error.is_some() || raw.ended_before_main;
    if !started && !ends {
        let title = format!("the outcome \"{}\" does not say what happens", name.value);
        let report = context.error(&name.span, title, "neither an end nor a start of the script");
        report.help.push("add `exit = …`, `script = { started = … }`, or another way to end".to_owned());
    }
}

/// Lowers an outcome for one case.
pub(super) fn lower(context: &mut Context<'_>, raw: &raw::Outcome, draft: &Draft) -> Outcome {
    let exec_error = raw.exec_error.as_ref().and_then(|name| context.word("error", name, ERRORS));
    let exit = raw.exit.as_ref().and_then(|exit| context.number(exit, "an exit status", 0..256));
    let signal = raw.signal.as_ref().and_then(|name| context.signal(name));
    let ends = [raw.exit.as_ref().map(|at| &at.span), raw.signal.as_ref().map(|at| &at.span)];
    let ends: Vec<_> = ends.into_iter().chain([raw.exec_error.as_ref().map(|at| &at.span)]).flatten().collect();
    if let [one, other, ..] = ends.as_slice() {
        let report = context.error(other, "a process ends in one way only", "and this is the other");
        report.context.push(((*one).clone(), "this is one".to_owned()));
    }
    Outcome {
        exit,
        signal,
        exec_error: exec_error.and_then(|errno| i32::try_from(errno).ok()),
        ended_before_main: raw.ended_before_main,
        stderr: texts(context, draft, &raw.stderr),
        stdout: texts(context, draft, &raw.stdout),
        syslog: texts(context, draft, &raw.syslog),
        says_nothing_of: raw.says_nothing_of.iter().filter_map(|bytes| silence(context, bytes)).collect(),
        one_line: raw.one_line,
        syslog_is_empty: raw.syslog_is_empty,
        stderr_is: raw.stderr_is.as_ref().and_then(|bytes| expanded(context, draft, bytes)),
        stdout_is: raw.stdout_is.as_ref().and_then(|bytes| expanded(context, draft, bytes)),
        script: raw.script.as_ref().map(|script| self::script(context, &script.value, draft)),
        changes: raw
            .changes
            .as_ref()
            .map(|paths| paths.iter().filter_map(|path| context.path(&path.value, &path.span)).collect()),
    }
}

fn script(context: &mut Context<'_>, raw: &raw::Script, draft: &Draft) -> Script {
    if let Some(first) = raw.argv.iter().flatten().next().filter(|_| raw.args_as_given) {
        context.error(&first.span, "`argv` and `args-as-given` say the same thing twice", "write one of them");
    }
    let mut fds = BTreeSet::new();
    for fd in raw.open_fds.iter().flatten() {
        fds.extend(context.number::<u32>(fd, "a descriptor", 0..4096));
    }
    let mut env = BTreeMap::new();
    for (name, value) in raw.env.iter().flat_map(|env| &env.0) {
        if let Some(value) = expanded(context, draft, value) {
            env.insert(Bytes::from(name.value.as_str()), value);
        }
    }
    let bytes = |context: &mut Context<'_>, bytes: &Option<At<ByteString>>| {
        bytes.as_ref().and_then(|bytes| expanded(context, draft, bytes))
    };
    Script {
        started: raw.started,
        real_gid: raw.real_gid.as_ref().and_then(|group| gid(context, draft, group)),
        effective_gid: raw.effective_gid.as_ref().and_then(|group| gid(context, draft, group)),
        saved_gid: raw.saved_gid.as_ref().and_then(|group| gid(context, draft, group)),
        uid: raw.uid.as_ref().and_then(|user| uid(context, draft, user)),
        groups: raw.groups.as_ref().map(|list| list.iter().filter_map(|group| gid(context, draft, group)).collect()),
        path: bytes(context, &raw.path),
        argv: match &raw.argv {
            Some(list) => Some(list.iter().filter_map(|arg| expanded(context, draft, arg)).collect()),
            None => raw.args_as_given.then(|| draft.command_line()),
        },
        env: raw.env.is_some().then_some(env).or_else(|| raw.env_as_given.then(|| env_as_given(draft))),
        open_fds: raw.open_fds.is_some().then_some(fds),
        standard_fds_usable: raw.standard_fds_usable,
        umask: raw.umask.map(|umask| umask.0),
        cwd: bytes(context, &raw.cwd),
        ignored_signals: raw.ignored_signals.as_ref().map(|list| context.signals(list, false)),
        blocked_signals: raw.blocked_signals.as_ref().map(|list| context.signals(list, false)),
        pending_signals: raw.pending_signals.as_ref().map(|list| context.signals(list, false)),
        core_limit: raw.core_limit.as_ref().and_then(|limit| context.number(limit, "RLIMIT_CORE", 0..i64::MAX)),
        soft_limits: raw.soft_limits.as_ref().map(|limits| soft_limits(context, limits)),
        no_new_privs: raw.no_new_privs,
        timers_off: raw.timers_off,
        timer_slack_ns: raw.timer_slack.as_ref().and_then(|slack| context.number(slack, "timer slack", 1..i64::MAX)),
        no_capabilities: raw.no_capabilities,
        nothing_regained: raw.nothing_regained,
        stdin: bytes(context, &raw.stdin),
    }
}

fn soft_limits(context: &mut Context<'_>, raw: &Named<At<i64>>) -> BTreeMap<u32, u64> {
    let mut limits = BTreeMap::new();
    for (name, value) in &raw.0 {
        let resource = context.word("limit", name, LIMITS);
        let value = context.number::<u64>(value, "a limit", 0..i64::MAX);
        limits.extend(resource.zip(value));
    }
    limits
}

/// The invoker's variables, with the constant PATH of the wrappers.
fn env_as_given(draft: &Draft) -> BTreeMap<Bytes, Bytes> {
    let mut env = BTreeMap::new();
    for entry in &draft.invocation.env {
        if let Some(at) = entry.0.iter().position(|&byte| byte == b'=') {
            env.entry(Bytes(entry.0[..at].to_vec())).or_insert_with(|| Bytes(entry.0[at + 1..].to_vec()));
        }
    }
    env.insert("PATH".into(), PATH.into());
    env
}

/// What must not be said; the empty text is in every output.
fn silence(context: &mut Context<'_>, bytes: &At<ByteString>) -> Option<Bytes> {
    if bytes.value.0.0.is_empty() {
        context.error(&bytes.span, "every output contains the empty text", "this expectation cannot hold");
        return None;
    }
    Some(bytes.value.0.clone())
}

fn gid(context: &mut Context<'_>, draft: &Draft, group: &At<NameOrNumber>) -> Option<Gid> {
    match &group.value {
        NameOrNumber::Name(name) if name.starts_with('{') => {
            let gid = placeholder::gid(draft, name);
            if gid.is_none() {
                let name = At { value: name.clone(), span: group.span.clone() };
                let known = ["{trusts}", "{own}", "{invoker.group}", "{invoker.effective-group}"];
                context.unknown("group placeholder", &name, known);
            }
            gid
        }
        _ => context.gid(group),
    }
}

fn uid(context: &mut Context<'_>, draft: &Draft, user: &At<NameOrNumber>) -> Option<Uid> {
    match &user.value {
        NameOrNumber::Name(name) if name.starts_with('{') => {
            let uid = placeholder::uid(draft, name);
            if uid.is_none() {
                let name = At { value: name.clone(), span: user.span.clone() };
                context.unknown("user placeholder", &name, ["{invoker.user}", "{owner}"]);
            }
            uid
        }
        _ => context.uid(user),
    }
}

/// Bytes with their placeholders expanded; what is not UTF-8 stands as it is.
fn expanded(context: &mut Context<'_>, draft: &Draft, bytes: &At<ByteString>) -> Option<Bytes> {
    match std::str::from_utf8(&bytes.value.0.0) {
        Ok(text) => placeholder::expand(context, draft, text, &bytes.span),
        Err(_) => Some(bytes.value.0.clone()),
    }
}

fn texts(context: &mut Context<'_>, draft: &Draft, list: &[At<String>]) -> Vec<String> {
    let mut texts = Vec::new();
    for text in list {
        if text.value.is_empty() {
            context.error(&text.span, "every output contains the empty text", "this expectation cannot fail");
            continue;
        }
        let bytes = placeholder::expand(context, draft, &text.value, &text.span);
        texts.extend(bytes.and_then(|bytes| String::from_utf8(bytes.0).ok()));
    }
    texts
}
