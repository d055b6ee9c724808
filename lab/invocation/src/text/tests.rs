//! One text for each attempt, one attempt for each text, and a place for each mistake.

use super::{BadText, HEADING, KEYS, Problem, decode, encode};
use crate::invocation::{Cwd, Descriptor, Fault, FaultResult, Limit, Scheduling, ScriptEnd, Stdin, Tracer};
use crate::{Attempt, Bytes, Gid, Uid};

const STRANGER: &str = "\
invocation 1
sealed mail
command admin
command post
command request
trusted 8 mail
own 38 list
owner 38 list
prefix /usr/local/mailman
keep HOST
keep LANG
group 0 root
group 8 mail
group 38 list
group 100 users
uid 1000
gid 100
groups 100
program /usr/local/mailman/mail/mailman
argv mailman
argv leave
env PATH=/usr/bin:/bin
";

/// An attempt that has every key but those of a page.
fn everything() -> Attempt {
    let mut attempt = Attempt::by_a_stranger();
    attempt.sealed.interpreter = Some(("/usr/bin/python3".into(), vec!["-S".into()]));
    attempt.sealed.defer = true;
    let invocation = &mut attempt.invocation;
    invocation.identity.effective_uid = Uid::ROOT;
    invocation.identity.effective_gid = Gid::OVERFLOW;
    invocation.argv =
        [&b""[..], b" ", b"a ", b"  a\\", b"\xff\n\0\x1b", "é\u{9b}".as_bytes(), b"#"].map(Bytes::from).into();
    invocation.stdin = Stdin::Bytes("From: a\n\nb ".into());
    let descriptors = [
        Descriptor::Closed,
        Descriptor::File("/a b".into()),
        Descriptor::Directory("/".into()),
        Descriptor::Socket,
        Descriptor::FullPipe,
        Descriptor::BrokenPipe,
        Descriptor::Epoll,
        Descriptor::Memory,
        Descriptor::Full,
        Descriptor::NonBlocking,
        Descriptor::Process,
        Descriptor::Terminal,
    ];
    invocation.descriptors = (0..).zip(descriptors).collect();
    invocation.umask = 0o777;
    invocation.cwd = Cwd::Deleted;
    invocation.limits = vec![Limit { resource: 1, soft: Some(0), hard: None }];
    invocation.signals.ignored = [13].into();
    invocation.signals.blocked = [15, 1].into();
    invocation.signals.pending = [1].into();
    invocation.alarm_seconds = Some(1);
    invocation.processor_timers = [1, 2].into();
    invocation.timer_slack_ns = Some(1);
    let transition = &mut invocation.transition;
    (transition.no_new_privs, transition.share_fs) = (true, true);
    (transition.foreign_mount, transition.by_descriptor) = (true, true);
    transition.tracer = Some(Tracer::Root);
    transition.unmapped_gids = [Gid::OVERFLOW].into();
    transition.unmapped_uids = [Uid::OVERFLOW].into();
    let sets = &mut invocation.capabilities;
    (sets.bounding_drop, sets.kept) = ([1].into(), [6].into());
    (sets.inheritable, sets.ambient, sets.securebits) = ([7].into(), [6].into(), Some(16));
    let fault = |nth, result| Fault { call: "setresgid".into(), nth, result };
    invocation.faults =
        vec![fault(0, FaultResult::Errno(-1)), fault(2, FaultResult::Value(-7)), fault(1, FaultResult::Kill)];
    invocation.scheduling = Scheduling { nice: 19, idle: true, one_processor: true };
    invocation.own_process_group = true;
    invocation.script_end = ScriptEnd::Signal(15);
    invocation.deadline_ms = 1;
    attempt
}

#[test]
fn a_text_is_read_as_it_was_written() {
    assert_eq!(encode(&Attempt::by_a_stranger()), STRANGER);
    assert_eq!(decode(STRANGER.as_bytes()), Ok(Attempt::by_a_stranger()));
    let everything = everything();
    let text = encode(&everything);
    assert_eq!(decode(text.as_bytes()), Ok(everything), "{text}");
    assert!(text.lines().all(|line| !line.ends_with(' ') && !line.chars().any(char::is_control)), "{text}");
}

#[test]
fn every_key_is_written_in_the_order_of_the_list() {
    let mut unreadable = everything();
    unreadable.group_file = crate::attempt::GroupFile::Unreadable;
    for (attempt, absent) in [(everything(), "group-file"), (unreadable, "group")] {
        let text = encode(&attempt);
        let mut found: Vec<&str> = text.lines().skip(1).map(|line| line.split(' ').next().unwrap_or(line)).collect();
        found.dedup();
        let known: Vec<&str> = KEYS.into_iter().filter(|key| *key != absent).collect();
        assert_eq!(found, known);
    }
}

#[test]
fn lines_may_come_in_any_order_with_comments_and_numbers_as_people_write_them() {
    let mut lines: Vec<&str> = STRANGER.lines().skip(1).collect();
    lines.rotate_left(8);
    let text = format!("{HEADING}\n# why\n\n{}\numask 22\n", lines.join("\n"));
    let text = text.replace("uid 1000", "uid 01000 1000").replace("groups 100", "groups 100 100 ");
    let attempt = decode(text.as_bytes()).expect("the same in other words");
    assert_eq!(encode(&attempt), STRANGER);
}

#[track_caller]
fn refused(text: &str, line: usize, problem: Problem) {
    assert_eq!(decode(text.as_bytes()), Err(BadText { line, problem }), "{text}");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    refused("", 1, Problem::Heading);
    refused("invocation 2\n", 1, Problem::Heading);
    refused(HEADING, 2, Problem::Missing("uid"));
    refused(
        &STRANGER.replace("sealed mail\ncommand admin\ncommand post\ncommand request\n", ""),
        19,
        Problem::Missing("sealed"),
    );
    refused(&STRANGER.replace("argv mailman", "arg mailman"), 20, Problem::UnknownKey("arg".into()));
    refused(&STRANGER.replace("gid 100", "gid"), 17, pair("gid"));
    refused(&STRANGER.replace("gid 100", "gid 4294967295"), 17, pair("gid"));
    refused(&STRANGER.replace("uid 1000", "uid 1000 -1"), 16, pair("uid"));
    refused(&format!("{STRANGER}gid 8\n"), 23, Problem::Twice("gid"));
    let escape =
        Problem::Value { key: "argv", wanted: "text in which each backslash is followed by another or by xNN" };
    refused(&format!("{STRANGER}argv \\n\n"), 23, escape);
    let not_text = [STRANGER.as_bytes(), b"argv \xff\n"].concat();
    assert_eq!(decode(&not_text), Err(BadText { line: 23, problem: Problem::NotText }));
}

fn pair(key: &'static str) -> Problem {
    let wanted = "one or two numbers below 4294967295, which setresgid(2) takes for \"leave unchanged\"";
    Problem::Value { key, wanted }
}

#[test]
fn a_value_with_something_after_it_is_none() {
    for line in [
        "stdin closed x",
        "fd 0 closed x",
        "cwd deleted x",
        "defer yes",
        "tracer root x",
        "idle yes",
        "script-ends exit 256",
        "script-ends stop",
        "limit 1 2",
        "limit 1 2 3 4",
        "umask 8",
        "umask 1777",
        "group-file no",
        "fault 1 kill",
        "flag -S",
        "alarm",
        "processor-timers 0",
        "processor-timers 3",
        "ignored x",
    ] {
        let text = format!("{STRANGER}{line}\n");
        assert!(matches!(decode(text.as_bytes()), Err(BadText { problem: Problem::Value { .. }, .. })), "{line}");
    }
}

#[test]
fn messages_say_what_to_do() {
    let say = |problem| BadText { line: 3, problem }.to_string();
    assert_eq!(say(Problem::Heading), "line 3: the first line must be \"invocation 1\"");
    assert!(
        say(Problem::UnknownKey("x\u{1b}".into())).starts_with("line 3: unknown key \"x\\u{1b}\"; known are sealed, ")
    );
    assert_eq!(
        say(pair("gid")),
        "line 3: the value of \"gid\" must be one or two numbers below 4294967295, which setresgid(2) takes for \"leave unchanged\""
    );
}
