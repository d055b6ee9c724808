//! From a text to an attempt.

use super::{BadText, HEADING, KEYS, Problem};
use crate::attempt::{Attempt, Group, GroupFile, Owner, Program, Sealed};
use crate::invocation::{Cwd, Descriptor, Fault, FaultResult, Invocation, Limit, ScriptEnd, Stdin, Tracer};
use crate::{Bytes, Gid, Identity, Uid};
use std::collections::BTreeSet;
use std::str::FromStr;

/// Reads an attempt.
///
/// # Errors
/// The first line that is wrong, or what is missing.
pub fn decode(text: &[u8]) -> Result<Attempt, BadText> {
    let mut lines = (1..).zip(text.split(|&byte| byte == b'\n'));
    if lines.next().is_none_or(|(_, first)| first != HEADING.as_bytes()) {
        return Err(BadText { line: 1, problem: Problem::Heading });
    }
    let mut draft = Draft::new();
    let mut last = 1;
    for (line, bytes) in lines {
        if bytes.is_empty() || bytes.starts_with(b"#") {
            continue;
        }
        draft.line(bytes).map_err(|problem| BadText { line, problem })?;
        last = line;
    }
    draft.finish().map_err(|problem| BadText { line: last + 1, problem })
}

/// What has been read so far.
struct Draft {
    seen: BTreeSet<&'static str>,
    invocation: Invocation,
    program: Option<Program>,
    commands: Vec<Bytes>,
    trusted: Option<Group>,
    own: Option<Group>,
    owner: Option<Owner>,
    prefix: Option<Bytes>,
    interpreter: Option<Bytes>,
    flags: Vec<Bytes>,
    keep: Vec<Bytes>,
    defer: bool,
    unreadable: bool,
    rows: Vec<Group>,
}

/// Keys whose lines make a list.
const LISTS: [&str; 9] = ["command", "flag", "keep", "group", "argv", "env", "fd", "limit", "fault"];

impl Draft {
    fn new() -> Self {
        let (uid, gid) = (Uid::ROOT, Gid::ROOT);
        let nobody = Identity { uid, effective_uid: uid, gid, effective_gid: gid, groups: BTreeSet::new() };
        let mut invocation = Invocation::quiet(Bytes::default(), nobody);
        invocation.argv.clear();
        invocation.env.clear();
        Self {
            seen: BTreeSet::new(),
            invocation,
            program: None,
            commands: Vec::new(),
            trusted: None,
            own: None,
            owner: None,
            prefix: None,
            interpreter: None,
            flags: Vec::new(),
            keep: Vec::new(),
            defer: false,
            unreadable: false,
            rows: Vec::new(),
        }
    }

    fn line(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let text = std::str::from_utf8(bytes).map_err(|_| Problem::NotText)?;
        let (key, value) = text.split_once(' ').unwrap_or((text, ""));
        let known = KEYS.into_iter().find(|known| *known == key);
        let key = known.ok_or_else(|| Problem::UnknownKey(key.to_owned()))?;
        if !self.seen.insert(key) && !LISTS.contains(&key) {
            return Err(Problem::Twice(key));
        }
        let value = Value { key, text: value };
        match key {
            "sealed" | "command" | "trusted" | "own" | "owner" | "prefix" | "interpreter" | "flag" | "keep"
            | "defer" | "group-file" | "group" => self.installation(value),
            "uid" | "gid" | "groups" | "program" | "argv" | "env" | "stdin" | "fd" | "cwd" | "limit" | "fault" => {
                self.start(value)
            }
            _ => self.room(value),
        }
    }

    fn installation(&mut self, value: Value<'_>) -> Result<(), Problem> {
        match value.key {
            "sealed" => self.program = Some(value.program()?),
            "command" => self.commands.push(value.bytes()?),
            "trusted" => self.trusted = Some(value.group()?),
            "own" => self.own = Some(value.group()?),
            "owner" => {
                let (uid, name) = value.numbered("a user number, a blank and a name")?;
                self.owner = Some(Owner { uid, name });
            }
            "prefix" => self.prefix = Some(value.bytes()?),
            "interpreter" => self.interpreter = Some(value.bytes()?),
            "flag" => self.flags.push(value.bytes()?),
            "keep" => self.keep.push(value.bytes()?),
            "defer" => self.defer = value.set()?,
            "group-file" if value.text == "unreadable" => self.unreadable = true,
            "group-file" => return Err(value.wanted("unreadable")),
            _ => self.rows.push(value.group()?),
        }
        Ok(())
    }

    fn start(&mut self, value: Value<'_>) -> Result<(), Problem> {
        let invocation = &mut self.invocation;
        let identity = &mut invocation.identity;
        match value.key {
            "uid" => (identity.uid, identity.effective_uid) = value.pair()?,
            "gid" => (identity.gid, identity.effective_gid) = value.pair()?,
            "groups" => identity.groups = value.numbers()?,
            "program" => invocation.program = value.bytes()?,
            "argv" => invocation.argv.push(value.bytes()?),
            "env" => invocation.env.push(value.bytes()?),
            "stdin" => invocation.stdin = value.stdin()?,
            "fd" => invocation.descriptors.push(value.descriptor()?),
            "cwd" => invocation.cwd = value.cwd()?,
            "limit" => invocation.limits.push(value.limit()?),
            _ => invocation.faults.push(value.fault()?),
        }
        Ok(())
    }

    fn room(&mut self, value: Value<'_>) -> Result<(), Problem> {
        let Invocation { signals, transition, capabilities, .. } = &mut self.invocation;
        match value.key {
            "umask" => self.invocation.umask = value.umask()?,
            "ignored" => signals.ignored = value.numbers()?,
            "blocked" => signals.blocked = value.numbers()?,
            "pending" => signals.pending = value.numbers()?,
            "alarm" => self.invocation.alarm_seconds = Some(value.number()?),
            "processor-timers" => self.invocation.processor_timers = value.timers()?,
            "timer-slack" => self.invocation.timer_slack_ns = Some(value.number()?),
            "nice" => self.invocation.scheduling.nice = value.number()?,
            "idle" => self.invocation.scheduling.idle = value.set()?,
            "one-processor" => self.invocation.scheduling.one_processor = value.set()?,
            "own-process-group" => self.invocation.own_process_group = value.set()?,
            "script-ends" => {
                self.invocation.script_end = match value.word() {
                    ("exit", status) => ScriptEnd::Exit(status.number()?),
                    ("signal", signal) => ScriptEnd::Signal(signal.number()?),
                    _ => return Err(value.wanted("exit or signal, and a number")),
                };
            }
            "no-new-privs" => transition.no_new_privs = value.set()?,
            "tracer" => {
                transition.tracer = Some(match value.text {
                    "invoker" => Tracer::Invoker,
                    "root" => Tracer::Root,
                    _ => return Err(value.wanted("invoker or root")),
                });
            }
            "share-fs" => transition.share_fs = value.set()?,
            "unmapped-gids" => transition.unmapped_gids = value.numbers()?,
            "unmapped-uids" => transition.unmapped_uids = value.numbers()?,
            "foreign-mount" => transition.foreign_mount = value.set()?,
            "by-descriptor" => transition.by_descriptor = value.set()?,
            "bounding-drop" => capabilities.bounding_drop = value.numbers()?,
            "kept" => capabilities.kept = value.numbers()?,
            "inheritable" => capabilities.inheritable = value.numbers()?,
            "ambient" => capabilities.ambient = value.numbers()?,
            "securebits" => capabilities.securebits = Some(value.number()?),
            _ => self.invocation.deadline_ms = value.number()?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Attempt, Problem> {
        let missing = |key| Problem::Missing(key);
        for key in ["uid", "gid", "program"] {
            if !self.seen.contains(key) {
                return Err(missing(key));
            }
        }
        let out_of_place = |key, wanted| Err(Problem::Value { key, wanted });
        let program = match self.program.ok_or(missing("sealed"))? {
            Program::Mail(_) => Program::Mail(self.commands),
            Program::Cgi(_) if !self.commands.is_empty() => {
                return out_of_place("command", "absent where a page is sealed");
            }
            cgi @ Program::Cgi(_) => cgi,
        };
        if self.interpreter.is_none() && !self.flags.is_empty() {
            return out_of_place("flag", "absent without an interpreter");
        }
        if self.unreadable && !self.rows.is_empty() {
            return out_of_place("group", "absent where the group file cannot be read");
        }
        let sealed = Sealed {
            program,
            trusted: self.trusted.ok_or(missing("trusted"))?,
            own: self.own.ok_or(missing("own"))?,
            owner: self.owner.ok_or(missing("owner"))?,
            prefix: self.prefix.ok_or(missing("prefix"))?,
            interpreter: self.interpreter.map(|path| (path, self.flags)),
            keep: self.keep,
            defer: self.defer,
        };
        let group_file = if self.unreadable { GroupFile::Unreadable } else { GroupFile::Rows(self.rows) };
        Ok(Attempt { sealed, group_file, invocation: self.invocation })
    }
}

/// What stands after a key.
#[derive(Clone, Copy)]
struct Value<'t> {
    key: &'static str,
    text: &'t str,
}

impl<'t> Value<'t> {
    fn wanted(self, wanted: &'static str) -> Problem {
        Problem::Value { key: self.key, wanted }
    }

    /// The first word, and what follows the blank after it.
    fn word(self) -> (&'t str, Self) {
        let (word, rest) = self.text.split_once(' ').unwrap_or((self.text, ""));
        (word, Self { text: rest, ..self })
    }

    fn bytes(self) -> Result<Bytes, Problem> {
        Bytes::from_text(self.text)
            .map_err(|_| self.wanted("text in which each backslash is followed by another or by xNN"))
    }

    fn set(self) -> Result<bool, Problem> {
        if self.text.is_empty() { Ok(true) } else { Err(self.wanted("absent: the key alone says it")) }
    }

    fn number<T: FromStr>(self) -> Result<T, Problem> {
        self.text.parse().map_err(|_| self.wanted("one number"))
    }

    fn id<T: TryFrom<u32>>(self, word: &str) -> Option<T> {
        word.parse::<u32>().ok().and_then(|number| T::try_from(number).ok())
    }

    fn numbered<T: TryFrom<u32>>(self, wanted: &'static str) -> Result<(T, Bytes), Problem> {
        let (number, name) = self.word();
        Ok((self.id(number).ok_or(self.wanted(wanted))?, name.bytes()?))
    }

    fn group(self) -> Result<Group, Problem> {
        let (gid, name) = self.numbered("a group number below 4294967295, a blank and a name")?;
        Ok(Group { gid, name })
    }

    /// Real and effective; one number is both.
    fn pair<T: TryFrom<u32> + Copy>(self) -> Result<(T, T), Problem> {
        let (real, rest) = self.word();
        let effective = if rest.text.is_empty() { real } else { rest.text };
        let ids = self.id(real).zip(self.id(effective));
        ids.ok_or(self.wanted("one or two numbers below 4294967295, which setresgid(2) takes for \"leave unchanged\""))
    }

    fn numbers<T: TryFrom<u32> + Ord>(self) -> Result<BTreeSet<T>, Problem> {
        let words = self.text.split(' ').filter(|word| !word.is_empty());
        words.map(|word| self.id(word)).collect::<Option<_>>().ok_or(self.wanted("numbers with blanks between them"))
    }

    fn timers(self) -> Result<BTreeSet<u32>, Problem> {
        let numbers: BTreeSet<u32> = self.numbers()?;
        if numbers.iter().all(|number| matches!(number, 1 | 2)) {
            Ok(numbers)
        } else {
            Err(self.wanted("1, 2 or both"))
        }
    }

    fn program(self) -> Result<Program, Problem> {
        match self.word() {
            ("mail", rest) if rest.text.is_empty() => Ok(Program::Mail(Vec::new())),
            ("cgi", page) => Ok(Program::Cgi(page.bytes()?)),
            _ => Err(self.wanted("mail, or cgi and a page")),
        }
    }

    fn stdin(self) -> Result<Stdin, Problem> {
        Ok(match (self.text, self.word()) {
            ("closed", _) => Stdin::Closed,
            ("null", _) => Stdin::Null,
            ("endless", _) => Stdin::Endless,
            ("silent", _) => Stdin::Silent,
            ("directory", _) => Stdin::Directory,
            ("write-only", _) => Stdin::WriteOnly,
            (_, ("bytes", bytes)) => Stdin::Bytes(bytes.bytes()?),
            _ => return Err(self.wanted("bytes and text, closed, null, endless, silent, directory or write-only")),
        })
    }

    fn descriptor(self) -> Result<(u32, Descriptor), Problem> {
        let (number, what) = self.word();
        let wanted = "a number, and one of closed, file PATH, directory PATH, socket, full-pipe, broken-pipe, epoll, memory, \
                      full, non-blocking, process, terminal";
        let number = number.parse().map_err(|_| self.wanted(wanted))?;
        let what = match (what.text, what.word()) {
            ("closed", _) => Descriptor::Closed,
            ("socket", _) => Descriptor::Socket,
            ("full-pipe", _) => Descriptor::FullPipe,
            ("broken-pipe", _) => Descriptor::BrokenPipe,
            ("epoll", _) => Descriptor::Epoll,
            ("memory", _) => Descriptor::Memory,
            ("full", _) => Descriptor::Full,
            ("non-blocking", _) => Descriptor::NonBlocking,
            ("process", _) => Descriptor::Process,
            ("terminal", _) => Descriptor::Terminal,
            (_, ("file", path)) => Descriptor::File(path.bytes()?),
            (_, ("directory", path)) => Descriptor::Directory(path.bytes()?),
            _ => return Err(self.wanted(wanted)),
        };
        Ok((number, what))
    }

    fn cwd(self) -> Result<Cwd, Problem> {
        Ok(match (self.text, self.word()) {
            ("deleted", _) => Cwd::Deleted,
            ("unreadable", _) => Cwd::Unreadable,
            (_, ("path", path)) => Cwd::Path(path.bytes()?),
            _ => return Err(self.wanted("path and a directory, deleted or unreadable")),
        })
    }

    fn umask(self) -> Result<u32, Problem> {
        let mask = u32::from_str_radix(self.text, 8).ok().filter(|mask| *mask <= 0o777);
        mask.ok_or(self.wanted("an octal number up to 0777"))
    }

    fn limit(self) -> Result<Limit, Problem> {
        let wanted = "a resource and two limits, each a number or unlimited";
        let (resource, rest) = self.word();
        let (soft, hard) = rest.word();
        let limit = |word: &str| match word {
            "unlimited" => Ok(None),
            number => number.parse().map(Some).map_err(|_| self.wanted(wanted)),
        };
        let resource = resource.parse().map_err(|_| self.wanted(wanted))?;
        Ok(Limit { resource, soft: limit(soft)?, hard: limit(hard.text)? })
    }

    fn fault(self) -> Result<Fault, Problem> {
        let wanted = "a count, then errno NUMBER, value NUMBER or kill, then the name of a system call";
        let bad = || self.wanted(wanted);
        let (nth, rest) = self.word();
        let (result, name) = match rest.word() {
            ("kill", name) => (FaultResult::Kill, name),
            ("errno", rest) => {
                let (number, name) = rest.word();
                (FaultResult::Errno(number.parse().map_err(|_| bad())?), name)
            }
            ("value", rest) => {
                let (number, name) = rest.word();
                (FaultResult::Value(number.parse().map_err(|_| bad())?), name)
            }
            _ => return Err(bad()),
        };
        let call = String::from_utf8(name.bytes()?.0).ok().filter(|call| !call.is_empty()).ok_or_else(bad)?;
        Ok(Fault { call, nth: nth.parse().map_err(|_| bad())?, result })
    }
}
