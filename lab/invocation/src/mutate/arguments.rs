//! The argument vector.

use super::{Edit, strings};
use crate::attempt::Program;
use crate::random::Random;
use crate::tokens::Tokens;
use crate::{Attempt, Bytes};

pub(super) const EDITS: [Edit; 12] =
    [command, command, insert, remove, swap, duplicate, split, join, option_value, across_the_end, fewer, within];

/// A word worth trying: an argument of the dictionary, a command, something close to one, nothing.
fn word(attempt: &Attempt, random: &mut Random, tokens: &Tokens) -> Bytes {
    let commands = match &attempt.sealed.program {
        Program::Mail(commands) => commands.as_slice(),
        Program::Cgi(page) => std::slice::from_ref(page),
    };
    let known = random.choose(commands).cloned().unwrap_or_default();
    match random.below(8) {
        0..=2 => known,
        3 | 4 => strings::near(&known, random),
        5 => Bytes::default(),
        _ => random.choose(&tokens.arguments).cloned().unwrap_or_default(),
    }
}

/// Another first argument; a name of the program before it if there is none.
pub(super) fn command(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    let word = word(attempt, random, tokens);
    attempt.invocation.argv.edit(|argv| {
        if argv.is_empty() {
            argv.push("mailman".into());
        }
        match argv.get_mut(1) {
            Some(place) => *place = word,
            None => argv.push(word),
        }
    });
}

fn insert(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    let word = word(attempt, random, tokens);
    attempt.invocation.argv.edit(|argv| argv.insert(random.below(argv.len() + 1), word));
}

fn remove(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    attempt.invocation.argv.edit(|argv| {
        if !argv.is_empty() {
            argv.remove(random.below(argv.len()));
        }
    });
}

fn swap(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    attempt.invocation.argv.edit(|argv| {
        if !argv.is_empty() {
            let (one, other) = (random.below(argv.len()), random.below(argv.len()));
            argv.swap(one, other);
        }
    });
}

fn duplicate(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    attempt.invocation.argv.edit(|argv| {
        if let Some(argument) = random.choose(argv).cloned() {
            argv.insert(random.below(argv.len() + 1), argument);
        }
    });
}

fn split(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    attempt.invocation.argv.edit(|argv| {
        let at = random.below(argv.len());
        if let Some(argument) = argv.get_mut(at) {
            let rest = argument.0.split_off(random.below(argument.0.len() + 1));
            argv.insert(at + 1, Bytes(rest));
        }
    });
}

fn join(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    attempt.invocation.argv.edit(|argv| {
        if argv.len() >= 2 {
            let at = random.below(argv.len() - 1);
            let second = argv.remove(at + 1);
            if let Some(first) = argv.get_mut(at) {
                first.0.extend(second.0);
            }
        }
    });
}

/// `-fx` becomes `-f x`, and `-f x` becomes `-fx`.
fn option_value(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    let options = attempt.invocation.argv.iter().enumerate().filter(|(_, word)| word.0.starts_with(b"-"));
    let options: Vec<usize> = options.map(|(at, _)| at).collect();
    let Some(&at) = random.choose(&options) else { return insert(attempt, random, tokens) };
    attempt.invocation.argv.edit(|argv| {
        let attached = argv.get(at).is_some_and(|option| option.0.len() > 2);
        if attached && let Some(option) = argv.get_mut(at) {
            let value = option.0.split_off(2);
            argv.insert(at + 1, Bytes(value));
        } else if at + 1 < argv.len() {
            let value = argv.remove(at + 1);
            if let Some(option) = argv.get_mut(at) {
                option.0.extend(value.0);
            }
        }
    });
}

/// Moves an argument to the other side of `--`, which is put there if it is missing.
fn across_the_end(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    attempt.invocation.argv.edit(|argv| match argv.iter().position(|word| word.0 == b"--") {
        Some(at) if at + 1 < argv.len() => {
            let word = argv.remove(at + 1);
            argv.insert(at, word);
        }
        Some(at) => argv.swap(at, at.saturating_sub(1)),
        None => argv.insert(random.below(argv.len() + 1), "--".into()),
    });
}

/// One or two are left, seldom none: where vectors end early programs read what is not theirs.
fn fewer(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let left = if random.one_in(4) { 0 } else { 1 + random.below(2) };
    attempt.invocation.argv.edit(|argv| argv.truncate(left));
}

fn within(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    attempt.invocation.argv.edit(|argv| {
        let at = random.below(argv.len());
        if let Some(argument) = argv.get_mut(at) {
            strings::edit(argument, random, tokens);
        }
    });
}
