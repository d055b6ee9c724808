//! What else a process hands on by exec.

use super::{Edit, identity, strings};
use crate::invocation::{Cwd, Descriptor, Limit, Stdin, Tracer};
use crate::random::Random;
use crate::tokens::Tokens;
use crate::{Attempt, Bytes};

pub(super) const EDITS: [Edit; 10] =
    [descriptor, umask, limit, stdin, transition, unmapped, capability, signal, timer, directory];

/// `CAP_SETGID`. See capabilities(7).
const SETGID: u32 = 6;

/// A standard descriptor that is closed or takes nothing, or one that should not be open.
fn descriptor(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let descriptors = &mut attempt.invocation.descriptors;
    let number = random.choose(&[0, 1, 2, 3, 7]).copied().unwrap_or(0);
    descriptors.retain(|(found, _)| *found != number);
    let choices = [
        Descriptor::Closed,
        Descriptor::Closed,
        Descriptor::FullPipe,
        Descriptor::Full,
        Descriptor::BrokenPipe,
        Descriptor::Memory,
    ];
    if let Some(choice) = random.choose(&choices).filter(|_| !random.one_in(4)) {
        descriptors.push((number, choice.clone()));
    }
}

fn umask(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    attempt.invocation.umask = random.choose(&[0, 0o022, 0o077, 0o777]).copied().unwrap_or(0);
}

/// RLIMIT_FSIZE, RLIMIT_CORE, RLIMIT_NPROC or RLIMIT_NOFILE, low.
fn limit(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let resource = random.choose(&[1, 4, 6, 7]).copied().unwrap_or(1);
    let soft = random.choose(&[0, 1, 3, 64]).copied();
    let hard = if random.one_in(2) { soft } else { None };
    let limits = &mut attempt.invocation.limits;
    limits.retain(|limit| limit.resource != resource);
    if !random.one_in(3) {
        limits.push(Limit { resource, soft, hard });
    }
}

fn stdin(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    let stdin = &mut attempt.invocation.stdin;
    match (random.below(3), &mut *stdin) {
        (0, _) => *stdin = Stdin::Closed,
        (_, Stdin::Bytes(bytes)) => strings::edit(bytes, random, tokens),
        _ => *stdin = Stdin::Bytes(Bytes::default()),
    }
}

/// What keeps the set-group-ID bit from acting.
fn transition(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let transition = &mut attempt.invocation.transition;
    match random.below(5) {
        0 => transition.no_new_privs ^= true,
        1 => transition.share_fs ^= true,
        2 => transition.foreign_mount ^= true,
        3 => transition.tracer = None,
        _ => transition.tracer = random.choose(&[Tracer::Invoker, Tracer::Root]).copied(),
    }
}

fn unmapped(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let gid = identity::gid(attempt, random);
    let unmapped = &mut attempt.invocation.transition.unmapped_gids;
    if !unmapped.remove(&gid) {
        unmapped.insert(gid);
    }
}

fn capability(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let sets = &mut attempt.invocation.capabilities;
    let set = if random.one_in(2) { &mut sets.ambient } else { &mut sets.kept };
    if !set.remove(&SETGID) {
        set.insert(SETGID);
    }
}

/// SIGHUP, SIGPIPE, SIGALRM, SIGTERM or SIGCHLD: ignored, blocked, or pending, which blocked ones alone can be.
fn signal(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let signal = random.choose(&[1, 13, 14, 15, 17]).copied().unwrap_or(13);
    let signals = &mut attempt.invocation.signals;
    match random.below(3) {
        0 if signals.ignored.insert(signal) => {}
        0 => drop(signals.ignored.remove(&signal)),
        1 if signals.blocked.insert(signal) => {}
        1 => {
            signals.blocked.remove(&signal);
            signals.pending.remove(&signal);
        }
        _ => {
            signals.blocked.insert(signal);
            signals.pending.insert(signal);
        }
    }
}

/// A timer that is far off, or another timer slack.
fn timer(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let invocation = &mut attempt.invocation;
    if random.one_in(4) {
        let timer = if random.one_in(2) { 1 } else { 2 };
        if !invocation.processor_timers.remove(&timer) {
            invocation.processor_timers.insert(timer);
        }
    } else if random.one_in(2) {
        invocation.alarm_seconds = if invocation.alarm_seconds.is_none() { Some(3600) } else { None };
    } else {
        invocation.timer_slack_ns = if invocation.timer_slack_ns.is_none() { Some(1_000_000) } else { None };
    }
}

fn directory(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let choices = [Cwd::Path("/".into()), Cwd::Path("/tmp".into()), Cwd::Deleted, Cwd::Unreadable];
    if let Some(cwd) = random.choose(&choices) {
        attempt.invocation.cwd = cwd.clone();
    }
}
