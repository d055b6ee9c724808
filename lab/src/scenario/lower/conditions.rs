//! `given`, as far as it says how the subject is called and in what state the invoker is.

use super::draft::{Draft, set_variable};
use super::{Context, accounts, installation};
use crate::case::Sealing;
use crate::scenario::raw::condition;
use crate::scenario::raw::form::At;
use crate::scenario::raw::given::Given;
use crate::scenario::raw::value::CallResult;
use crate::scenario::vocabulary::{CAPABILITIES, ERRORS, LIMITS, PROCESSOR_TIMERS, SECUREBITS};
use lab_invocation::invocation::{Cwd, Descriptor, Fault, FaultResult, Limit, ScriptEnd, Stdin, Tracer};
use lab_invocation::{Bytes, Gid};

/// Most arguments that a scenario may ask for at a stroke.
const MOST_ARGS: i64 = 700_000;

/// Most supplementary groups of a process, less some for those which `[invoker]` says: `NGROUPS_MAX` of limits.h.
const MOST_GROUPS: i64 = 65_000;

/// How long they may be together, in bytes: more than any exec takes.
const LONGEST_ARGS: usize = 8 << 20;

/// Highest descriptor number that a scenario may ask for.
const HIGHEST_FD: i64 = 4095;

impl Draft {
    /// Applies one `given`.
    pub(super) fn apply(&mut self, context: &mut Context<'_>, given: &Given) {
        installation::apply(self, context, given);
        accounts::apply(self, context, given);
        self.call(context, given);
        self.descriptors(context, given);
        self.process(context, given);
        self.place(context, given);
        self.signals(context, given);
        self.privileges(context, given);
        for syscall in given.syscall.iter().flat_map(|list| &list.0) {
            self.fault(context, syscall);
        }
        installation::targets(self, context, given);
    }

    fn call(&mut self, context: &mut Context<'_>, given: &Given) {
        if let Some(policy) = &given.policy {
            self.subject.policy.condition = match policy.value {
                condition::Sealing::Sound => Sealing::Sound,
                condition::Sealing::Unsealed => Sealing::Unsealed,
                condition::Sealing::Damaged => Sealing::Damaged,
                condition::Sealing::Truncated => Sealing::Truncated,
                condition::Sealing::WrongKind => Sealing::WrongKind,
                condition::Sealing::WrongVersion => Sealing::WrongVersion,
                condition::Sealing::OverLong => Sealing::OverLong,
            };
        }
        let bytes = |list: &Vec<crate::scenario::raw::value::ByteString>| -> Vec<Bytes> {
            list.iter().map(|bytes| bytes.0.clone()).collect()
        };
        if let Some(args) = &given.args {
            self.args = bytes(args).into();
        }
        if let Some(argv0) = &given.argv0 {
            self.argv0 = Some(argv0.0.clone());
        }
        if let Some(argv) = &given.argv {
            self.args = argv.iter().skip(1).map(|bytes| bytes.0.clone()).collect();
            self.argv = Some(bytes(argv).into());
        }
        if let Some(more) = &given.more_args
            && let Some(count) = context.number::<usize>(&more.count, "the count of arguments", 1..MOST_ARGS + 1)
        {
            if count.saturating_mul(more.each.0.0.len()) > LONGEST_ARGS {
                let wanted = format!("all together may have at most {LONGEST_ARGS} bytes");
                context.error(&more.count.span, "the arguments are too long", wanted);
            } else {
                self.args.repeat(more.each.0.clone(), count);
            }
        }
        if let Some(raw) = &given.env_raw {
            self.invocation.env = bytes(raw);
        }
        for (name, value) in given.env.iter().flat_map(|env| &env.0) {
            set_variable(&mut self.invocation.env, &name.value.as_str().into(), &value.0);
        }
        if let Some(stdin) = &given.stdin {
            self.stdin(stdin);
        }
    }

    fn descriptors(&mut self, context: &mut Context<'_>, given: &Given) {
        for fd in given.closed_fds.iter().flatten() {
            match context.number(fd, "a descriptor", 0..HIGHEST_FD + 1) {
                Some(0) => self.invocation.stdin = Stdin::Closed,
                Some(number) => self.descriptor(number, Descriptor::Closed),
                None => {}
            }
        }
        for open in given.open_fds.iter().flatten() {
            let Some(number) = context.number(&open.value.fd, "a descriptor", 0..HIGHEST_FD + 1) else { continue };
            if let Some(descriptor) = opened_on(context, open) {
                self.descriptor(number, descriptor);
            }
        }
    }

    fn process(&mut self, context: &mut Context<'_>, given: &Given) {
        if let Some(umask) = given.umask {
            self.invocation.umask = umask.0;
        }
        if let Some(cwd) = &given.cwd {
            match cwd.value.as_str() {
                "deleted" => self.invocation.cwd = Cwd::Deleted,
                "unreadable" => self.invocation.cwd = Cwd::Unreadable,
                "/" => self.invocation.cwd = Cwd::Path("/".into()),
                path if path.starts_with('/') => {
                    if let Some(path) = context.path(path, &cwd.span) {
                        self.invocation.cwd = Cwd::Path(path);
                    }
                }
                _ => context.unknown("working directory", cwd, ["deleted", "unreadable", "an absolute path"]),
            }
        }
        for (name, limit) in given.limits.iter().flat_map(|limits| &limits.0) {
            let Some(resource) = context.word("limit", name, LIMITS) else { continue };
            if limit.soft.unwrap_or(u64::MAX) > limit.hard.unwrap_or(u64::MAX) {
                let title = format!("the soft limit of {} is above the hard limit", name.value);
                context.error(&name.span, title, "setrlimit(2) would refuse it");
            }
            self.invocation.limits.retain(|other| other.resource != resource);
            self.invocation.limits.push(Limit { resource, soft: limit.soft, hard: limit.hard });
        }
        if let Some(alarm) = &given.alarm {
            self.invocation.alarm_seconds = context.number(alarm, "seconds until the alarm", 1..3601);
        }
        for timer in given.processor_timers.iter().flatten() {
            self.invocation.processor_timers.extend(context.word("timer", timer, PROCESSOR_TIMERS));
        }
        if let Some(slack) = &given.timer_slack {
            self.invocation.timer_slack_ns = context.number(slack, "timer slack in nanoseconds", 1..i64::MAX);
        }
    }

    fn place(&mut self, context: &mut Context<'_>, given: &Given) {
        if let Some(nice) = &given.nice
            && let Some(nice) = context.number(nice, "a nice value", 0..20)
        {
            self.invocation.scheduling.nice = nice;
        }
        self.invocation.scheduling.idle |= given.scheduler == Some(condition::Scheduler::Idle);
        self.invocation.scheduling.one_processor |= given.one_processor;
        self.invocation.own_process_group |= given.own_process_group;
        let Some(ends) = &given.script_ends else { return };
        let end = match (&ends.value.exit, &ends.value.signal) {
            (Some(status), None) => context.number(status, "the script's exit status", 0..124).map(ScriptEnd::Exit),
            (None, Some(signal)) => context.signal(signal).map(ScriptEnd::Signal),
            _ => {
                context.error(&ends.span, "a script ends in one way", "write either `exit` or `signal`");
                None
            }
        };
        self.invocation.script_end = end.unwrap_or(self.invocation.script_end);
    }

    fn signals(&mut self, context: &mut Context<'_>, given: &Given) {
        let signals = &mut self.invocation.signals;
        if let Some(list) = &given.ignored_signals {
            signals.ignored = context.signals(list, true);
        }
        if let Some(list) = &given.blocked_signals {
            signals.blocked = context.signals(list, true);
        }
        if let Some(list) = &given.pending_signals {
            signals.pending = context.signals(list, true);
        }
    }

    fn privileges(&mut self, context: &mut Context<'_>, given: &Given) {
        let transition = &mut self.invocation.transition;
        transition.no_new_privs |= given.no_new_privs;
        transition.share_fs |= given.share_fs;
        transition.foreign_mount |= given.foreign_mount;
        transition.by_descriptor |= given.by_descriptor;
        match given.tracer {
            Some(condition::Tracer::Invoker) => transition.tracer = Some(Tracer::Invoker),
            Some(condition::Tracer::Root) => transition.tracer = Some(Tracer::Root),
            None => {}
        }
        if let Some(list) = &given.unmapped_gid {
            transition.unmapped_gids.extend(context.gids(&list.items()));
        }
        for user in given.unmapped_uid.iter().flat_map(At::items) {
            transition.unmapped_uids.extend(context.uid(&user));
        }
        if let Some(more) = &given.more_groups {
            let first = context.gid_number(more.from.value, &more.from.span);
            let count = context.number::<u32>(&more.count, "the count of groups", 1..MOST_GROUPS + 1);
            if let (Some(first), Some(count)) = (first, count) {
                let last = first.as_raw().saturating_add(count);
                self.invocation.identity.groups.extend((first.as_raw()..last).filter_map(Gid::new));
            }
        }
        let capabilities = &mut self.invocation.capabilities;
        for (list, set) in [
            (&given.bounding_drop, &mut capabilities.bounding_drop),
            (&given.kept_capabilities, &mut capabilities.kept),
            (&given.inheritable_capabilities, &mut capabilities.inheritable),
            (&given.ambient_capabilities, &mut capabilities.ambient),
        ] {
            if let Some(list) = list {
                *set = context.words("capability", list, CAPABILITIES);
            }
        }
        if let Some(list) = &given.securebits {
            capabilities.securebits =
                Some(context.words("securebit", list, SECUREBITS).into_iter().fold(0, |a, b| a | b));
        }
    }

    fn fault(&mut self, context: &mut Context<'_>, syscall: &condition::Syscall) {
        let name = &syscall.call.value;
        if name.is_empty()
            || name.len() > 40
            || !name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
        {
            context.error(
                &syscall.call.span,
                format!("\"{name}\" is not the name of a system call"),
                "see syscalls(2)",
            );
            return;
        }
        let nth = match &syscall.nth {
            Some(nth) => context.number(nth, "the count of the call", 0..1_000_001),
            None => Some(0),
        };
        let result = match &syscall.result.value {
            CallResult::Value(value) => Some(FaultResult::Value(*value)),
            CallResult::Name(word) if word == "kill" => Some(FaultResult::Kill),
            CallResult::Name(word) => {
                let name = At { value: word.clone(), span: syscall.result.span.clone() };
                context.word("error", &name, ERRORS).and_then(|errno| i32::try_from(errno).ok()).map(FaultResult::Errno)
            }
        };
        if let (Some(nth), Some(result)) = (nth, result) {
            self.invocation.faults.push(Fault { call: name.clone(), nth, result });
        }
    }
}

fn opened_on(context: &mut Context<'_>, open: &At<condition::OpenFd>) -> Option<Descriptor> {
    use condition::DescriptorKind as Kind;
    let needs_path = matches!(open.value.on, Kind::File | Kind::Directory);
    let path = match (&open.value.path, needs_path) {
        (Some(path), true) => Some(context.path(&path.value, &path.span)?),
        (None, false) => None,
        (None, true) => {
            context.error(&open.span, "the path is missing", "a file or directory needs `path`");
            return None;
        }
        (Some(path), false) => {
            context.error(&path.span, "a path without use", "only `file` and `directory` take one");
            return None;
        }
    };
    Some(match (open.value.on, path) {
        (Kind::File, Some(path)) => Descriptor::File(path),
        (Kind::Directory, Some(path)) => Descriptor::Directory(path),
        (Kind::File | Kind::Directory, None) => return None,
        (Kind::Socket, _) => Descriptor::Socket,
        (Kind::FullPipe, _) => Descriptor::FullPipe,
        (Kind::BrokenPipe, _) => Descriptor::BrokenPipe,
        (Kind::Epoll, _) => Descriptor::Epoll,
        (Kind::Memory, _) => Descriptor::Memory,
        (Kind::Full, _) => Descriptor::Full,
        (Kind::NonBlocking, _) => Descriptor::NonBlocking,
        (Kind::Process, _) => Descriptor::Process,
        (Kind::Terminal, _) => Descriptor::Terminal,
    })
}
