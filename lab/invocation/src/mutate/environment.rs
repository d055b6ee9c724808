//! The environment.

use super::{Edit, strings};
use crate::random::Random;
use crate::tokens::Tokens;
use crate::{Attempt, Bytes};

pub(super) const EDITS: [Edit; 8] = [kept, insert, duplicate, near_a_kept_one, malformed, remove, swap, within];

fn entry(name: &Bytes, random: &mut Random, tokens: &Tokens) -> Bytes {
    let value = random.choose(&tokens.values).cloned().unwrap_or_default();
    Bytes([name.as_slice(), b"=", value.as_slice()].concat())
}

fn put(attempt: &mut Attempt, random: &mut Random, entry: Bytes) {
    let env = &mut attempt.invocation.env;
    env.insert(random.below(env.len() + 1), entry);
}

/// A variable that reaches the script.
fn kept(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    if let Some(name) = random.choose(&attempt.sealed.keep).cloned() {
        let entry = entry(&name, random, tokens);
        put(attempt, random, entry);
    }
}

/// A variable of the dictionary: of the loader, of shells, of interpreters.
fn insert(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    if let Some(name) = random.choose(&tokens.variables) {
        let entry = entry(name, random, tokens);
        put(attempt, random, entry);
    }
}

/// A second variable of a name that is there, with another value.
fn duplicate(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    if let Some(found) = random.choose(&attempt.invocation.env) {
        let end = found.0.iter().position(|&byte| byte == b'=').unwrap_or(found.0.len());
        let name = Bytes::from(found.0.get(..end).unwrap_or_default());
        let entry = entry(&name, random, tokens);
        put(attempt, random, entry);
    }
}

/// A name that begins with a kept one, or is the beginning of one.
fn near_a_kept_one(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    if let Some(name) = random.choose(&attempt.sealed.keep) {
        let name = strings::near(name, random);
        let entry = entry(&name, random, tokens);
        put(attempt, random, entry);
    }
}

/// An entry without `=`, without a name, or without anything.
fn malformed(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    let name = random.choose(&attempt.sealed.keep).cloned().unwrap_or_default();
    let entry = match random.below(3) {
        0 => name,
        1 => entry(&Bytes::default(), random, tokens),
        _ => Bytes::default(),
    };
    put(attempt, random, entry);
}

fn remove(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let env = &mut attempt.invocation.env;
    if !env.is_empty() {
        env.remove(random.below(env.len()));
    }
}

fn swap(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let env = &mut attempt.invocation.env;
    if !env.is_empty() {
        let (one, other) = (random.below(env.len()), random.below(env.len()));
        env.swap(one, other);
    }
}

fn within(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    let env = &mut attempt.invocation.env;
    let at = random.below(env.len());
    if let Some(entry) = env.get_mut(at) {
        strings::edit(entry, random, tokens);
    }
}
