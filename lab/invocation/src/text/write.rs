//! From an attempt to its one canonical text.

use super::HEADING;
use crate::attempt::{Attempt, GroupFile, Program, Sealed};
use crate::invocation::{
    Capabilities, Cwd, Descriptor, Fault, FaultResult, Invocation, Scheduling, ScriptEnd, Stdin, Tracer, Transition,
};
use crate::{Bytes, Identity};
use std::collections::BTreeSet;
use std::fmt::{Display, Write};

/// The canonical text.
pub fn encode(attempt: &Attempt) -> String {
    let mut text = Text(format!("{HEADING}\n"));
    sealed(&mut text, &attempt.sealed);
    match &attempt.group_file {
        GroupFile::Unreadable => text.word("group-file", "unreadable"),
        GroupFile::Rows(rows) => {
            for row in rows {
                text.numbered("group", row.gid, &row.name);
            }
        }
    }
    invocation(&mut text, &attempt.invocation);
    text.0
}

/// Lines so far.
struct Text(String);

impl Text {
    /// A key with a value that needs no escape.
    fn word(&mut self, key: &str, value: impl Display) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "{key} {value}");
    }

    fn flag(&mut self, key: &str, set: bool) {
        if set {
            self.0.push_str(key);
            self.0.push('\n');
        }
    }

    fn bytes(&mut self, key: &str, value: &Bytes) {
        self.0.push_str(key);
        self.end(value);
    }

    fn numbered(&mut self, key: &str, number: impl Display, value: &Bytes) {
        let _ = write!(self.0, "{key} {number}");
        self.end(value);
    }

    /// A blank and the value; nothing for an empty one, and never a blank at the end of a line, because editors take
    /// those away.
    fn end(&mut self, value: &Bytes) {
        let text = value.to_text();
        if let Some(rest) = text.strip_suffix(' ') {
            self.0.extend([" ", rest, "\\x20"]);
        } else if !text.is_empty() {
            self.0.extend([" ", &text]);
        }
        self.0.push('\n');
    }

    fn set<T: Display>(&mut self, key: &str, set: &BTreeSet<T>) {
        if !set.is_empty() {
            self.0.push_str(key);
            for item in set {
                let _ = write!(self.0, " {item}");
            }
            self.0.push('\n');
        }
    }

    fn optional(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.word(key, value);
        }
    }
}

fn sealed(text: &mut Text, sealed: &Sealed) {
    match &sealed.program {
        Program::Mail(commands) => {
            text.word("sealed", "mail");
            for command in commands {
                text.bytes("command", command);
            }
        }
        Program::Cgi(page) => text.bytes("sealed cgi", page),
    }
    text.numbered("trusted", sealed.trusted.gid, &sealed.trusted.name);
    text.numbered("own", sealed.own.gid, &sealed.own.name);
    text.numbered("owner", sealed.owner.uid, &sealed.owner.name);
    text.bytes("prefix", &sealed.prefix);
    if let Some((path, flags)) = &sealed.interpreter {
        text.bytes("interpreter", path);
        for flag in flags {
            text.bytes("flag", flag);
        }
    }
    for name in &sealed.keep {
        text.bytes("keep", name);
    }
    text.flag("defer", sealed.defer);
}

fn invocation(text: &mut Text, invocation: &Invocation) {
    let quiet = Invocation::quiet(Bytes::default(), invocation.identity.clone());
    identity(text, &invocation.identity);
    text.bytes("program", &invocation.program);
    for argument in invocation.argv.iter() {
        text.bytes("argv", argument);
    }
    for entry in &invocation.env {
        text.bytes("env", entry);
    }
    match &invocation.stdin {
        stdin if *stdin == quiet.stdin => {}
        Stdin::Bytes(bytes) => text.bytes("stdin bytes", bytes),
        Stdin::Closed => text.word("stdin", "closed"),
        Stdin::Null => text.word("stdin", "null"),
        Stdin::Endless => text.word("stdin", "endless"),
        Stdin::Silent => text.word("stdin", "silent"),
        Stdin::Directory => text.word("stdin", "directory"),
        Stdin::WriteOnly => text.word("stdin", "write-only"),
    }
    for (number, what) in &invocation.descriptors {
        descriptor(text, *number, what);
    }
    if invocation.umask != quiet.umask {
        text.word("umask", format_args!("{:04o}", invocation.umask));
    }
    match &invocation.cwd {
        cwd if *cwd == quiet.cwd => {}
        Cwd::Path(path) => text.bytes("cwd path", path),
        Cwd::Deleted => text.word("cwd", "deleted"),
        Cwd::Unreadable => text.word("cwd", "unreadable"),
    }
    let limit = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    for found in &invocation.limits {
        text.word("limit", format_args!("{} {} {}", found.resource, limit(found.soft), limit(found.hard)));
    }
    text.set("ignored", &invocation.signals.ignored);
    text.set("blocked", &invocation.signals.blocked);
    text.set("pending", &invocation.signals.pending);
    text.optional("alarm", invocation.alarm_seconds);
    text.set("processor-timers", &invocation.processor_timers);
    text.optional("timer-slack", invocation.timer_slack_ns);
    let Scheduling { nice, idle, one_processor } = invocation.scheduling;
    text.optional("nice", Some(nice).filter(|&nice| nice != 0));
    text.flag("idle", idle);
    text.flag("one-processor", one_processor);
    text.flag("own-process-group", invocation.own_process_group);
    transition(text, &invocation.transition);
    capabilities(text, &invocation.capabilities);
    for Fault { call, nth, result } in &invocation.faults {
        let (kind, value) = match result {
            FaultResult::Errno(errno) => ("errno ", errno.to_string()),
            FaultResult::Value(value) => ("value ", value.to_string()),
            FaultResult::Kill => ("kill", String::new()),
        };
        text.bytes(&format!("fault {nth} {kind}{value}"), &call.as_str().into());
    }
    match invocation.script_end {
        end if end == quiet.script_end => {}
        ScriptEnd::Exit(status) => text.word("script-ends", format_args!("exit {status}")),
        ScriptEnd::Signal(signal) => text.word("script-ends", format_args!("signal {signal}")),
    }
    if invocation.deadline_ms != quiet.deadline_ms {
        text.word("deadline", invocation.deadline_ms);
    }
}

fn identity(text: &mut Text, identity: &Identity) {
    let mut pair = |key: &str, real: u32, effective: u32| {
        if real == effective {
            text.word(key, real);
        } else {
            text.word(key, format_args!("{real} {effective}"));
        }
    };
    pair("uid", identity.uid.as_raw(), identity.effective_uid.as_raw());
    pair("gid", identity.gid.as_raw(), identity.effective_gid.as_raw());
    text.set("groups", &identity.groups);
}

fn descriptor(text: &mut Text, number: u32, what: &Descriptor) {
    let word = match what {
        Descriptor::File(path) => return text.bytes(&format!("fd {number} file"), path),
        Descriptor::Directory(path) => return text.bytes(&format!("fd {number} directory"), path),
        Descriptor::Closed => "closed",
        Descriptor::Socket => "socket",
        Descriptor::FullPipe => "full-pipe",
        Descriptor::BrokenPipe => "broken-pipe",
        Descriptor::Epoll => "epoll",
        Descriptor::Memory => "memory",
        Descriptor::Full => "full",
        Descriptor::NonBlocking => "non-blocking",
        Descriptor::Process => "process",
        Descriptor::Terminal => "terminal",
    };
    text.word("fd", format_args!("{number} {word}"));
}

fn transition(text: &mut Text, transition: &Transition) {
    text.flag("no-new-privs", transition.no_new_privs);
    match transition.tracer {
        None => {}
        Some(Tracer::Invoker) => text.word("tracer", "invoker"),
        Some(Tracer::Root) => text.word("tracer", "root"),
    }
    text.flag("share-fs", transition.share_fs);
    text.set("unmapped-gids", &transition.unmapped_gids);
    text.set("unmapped-uids", &transition.unmapped_uids);
    text.flag("foreign-mount", transition.foreign_mount);
    text.flag("by-descriptor", transition.by_descriptor);
}

fn capabilities(text: &mut Text, capabilities: &Capabilities) {
    text.set("bounding-drop", &capabilities.bounding_drop);
    text.set("kept", &capabilities.kept);
    text.set("inheritable", &capabilities.inheritable);
    text.set("ambient", &capabilities.ambient);
    text.optional("securebits", capabilities.securebits);
}
