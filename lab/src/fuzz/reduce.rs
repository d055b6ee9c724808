//! A finding made small: what it does not need is put back to what a quiet room has, as long as it stays the same finding.

use super::execute::{Executed, Executor};
use super::ground::Ground;
use super::key::Key;
use crate::problem::Problem;
use lab_invocation::invocation::{Capabilities, Invocation, Signals, Transition};
use lab_invocation::text::encode;
use lab_invocation::{Attempt, Bytes};
use std::collections::BTreeSet;

/// Most executions that one reduction takes.
pub const MOST: u32 = 300;

/// One simplification; false if there is nothing to simplify.
type Step<'a> = Box<dyn Fn(&mut Invocation) -> bool + 'a>;

/// The smallest attempt found that has this key.
///
/// # Errors
/// The backend failed.
pub fn reduce(attempt: &Attempt, key: &Key, ground: &Ground, executor: &mut dyn Executor) -> Result<Attempt, Problem> {
    let mut smallest = attempt.clone();
    let mut left = MOST;
    let quiet = &ground.stranger().invocation;
    loop {
        let before = encode(&smallest);
        for step in steps(quiet, &smallest.invocation) {
            let mut candidate = smallest.clone();
            if !step(&mut candidate.invocation) || candidate == smallest {
                continue;
            }
            if left == 0 {
                return Ok(smallest);
            }
            left -= 1;
            if matches!(executor.execute(&candidate)?, Executed::Judged(judged) if judged.key.as_ref() == Some(key)) {
                smallest = candidate;
            }
        }
        if encode(&smallest) == before {
            return Ok(smallest);
        }
    }
}

/// What can be tried on an invocation, the largest simplifications first. Places count from the end, so that one that was
/// taken away moves none that is tried later.
fn steps<'a>(quiet: &'a Invocation, now: &Invocation) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = vec![
        Box::new(|it| changed(&mut it.descriptors, Vec::new())),
        Box::new(|it| changed(&mut it.limits, Vec::new())),
        Box::new(|it| changed(&mut it.signals, Signals::default())),
        Box::new(|it| changed(&mut it.transition, Transition::default())),
        Box::new(|it| changed(&mut it.capabilities, Capabilities::default())),
        Box::new(|it| changed(&mut it.stdin, quiet.stdin.clone())),
        Box::new(|it| changed(&mut it.cwd, quiet.cwd.clone())),
        Box::new(|it| changed(&mut it.umask, quiet.umask)),
        Box::new(|it| changed(&mut it.alarm_seconds, None)),
        Box::new(|it| changed(&mut it.processor_timers, BTreeSet::new())),
        Box::new(|it| changed(&mut it.timer_slack_ns, None)),
        Box::new(|it| changed(&mut it.env, Vec::new())),
        Box::new(|it| changed(&mut it.argv, quiet.argv.clone())),
        Box::new(|it| changed(&mut it.identity, quiet.identity.clone())),
        Box::new(|it| {
            let (uid, effective) = (quiet.identity.uid, quiet.identity.effective_uid);
            let identity = &mut it.identity;
            let both = changed(&mut identity.uid, uid);
            changed(&mut identity.effective_uid, effective) || both
        }),
        Box::new(|it| {
            let gid = it.identity.gid;
            changed(&mut it.identity.effective_gid, gid)
        }),
        Box::new(|it| changed(&mut it.identity.groups, [].into())),
        Box::new(|it| changed(&mut it.transition.tracer, None)),
        Box::new(|it| changed(&mut it.transition.unmapped_gids, [].into())),
    ];
    // One of a list at a time, from the end.
    for at in (0..now.env.len()).rev() {
        steps.push(Box::new(move |it| removed(&mut it.env, at)));
    }
    for at in (0..now.argv.len()).rev() {
        steps.push(Box::new(move |it| it.argv.edit(|argv| removed(argv, at))));
    }
    for at in (0..now.descriptors.len()).rev() {
        steps.push(Box::new(move |it| removed(&mut it.descriptors, at)));
    }
    for at in (0..now.limits.len()).rev() {
        steps.push(Box::new(move |it| removed(&mut it.limits, at)));
    }
    for at in 0..now.env.len() {
        steps.push(Box::new(move |it| it.env.get_mut(at).is_some_and(halve)));
        steps.push(Box::new(move |it| it.env.get_mut(at).is_some_and(|entry| entry.0.pop().is_some())));
    }
    for at in 0..now.argv.len() {
        steps.push(Box::new(move |it| it.argv.edit(|argv| argv.get_mut(at).is_some_and(halve))));
        steps.push(Box::new(move |it| it.argv.edit(|argv| argv.get_mut(at).is_some_and(plain))));
    }
    steps
}

fn changed<T: PartialEq>(place: &mut T, to: T) -> bool {
    let differs = *place != to;
    *place = to;
    differs
}

fn removed<T>(list: &mut Vec<T>, at: usize) -> bool {
    let there = at < list.len();
    if there {
        list.remove(at);
    }
    there
}

fn halve(text: &mut Bytes) -> bool {
    let long = text.0.len() > 1;
    text.0.truncate(text.0.len().div_ceil(2));
    long
}

/// Each byte an `a`.
fn plain(text: &mut Bytes) -> bool {
    let differs = text.0.iter().any(|&byte| byte != b'a');
    text.0.fill(b'a');
    differs
}
