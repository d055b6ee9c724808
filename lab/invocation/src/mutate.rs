//! Seeded changes of an attempt: the structure-aware half of a fuzzer. Pure: the same seed, attempt and tokens make the
//! same change.
//!
//! An edit knows what matters to a set-group-ID program: whose ids, which side of `--`, which of two equal names, how
//! few arguments. Bytes alone seldom get there, because most changes of a text's bytes make it no attempt at all.

mod arguments;
mod environment;
mod identity;
mod room;
mod sealed;
mod strings;

use crate::Attempt;
use crate::random::Random;
use crate::text::{decode, encode};
use crate::tokens::Tokens;

/// One small change.
type Edit = fn(&mut Attempt, &mut Random, &Tokens);

/// Kinds of edits; a kind is chosen first, so that it is of no importance how many edits it has. Those that decide most
/// stand there more often.
const KINDS: [&[Edit]; 9] = [
    &identity::EDITS,
    &identity::EDITS,
    &arguments::EDITS,
    &arguments::EDITS,
    &arguments::EDITS,
    &environment::EDITS,
    &environment::EDITS,
    &room::EDITS,
    &sealed::EDITS,
];

/// Makes one to three edits.
pub fn mutate(attempt: &mut Attempt, random: &mut Random, tokens: &Tokens) {
    // Fuzzers prefer what is small, so that half of all attempts would have no argument, and stop there.
    if attempt.invocation.argv.is_empty() && !random.one_in(4) {
        arguments::command(attempt, random, tokens);
    }
    for _ in 0..=random.below(3) {
        let edits = random.choose(&KINDS).copied().unwrap_or_default();
        if let Some(edit) = random.choose(edits) {
            edit(attempt, random, tokens);
        }
    }
}

/// The same from text to text, of at most `limit` bytes, as a fuzzer asks for it. A text that is no attempt is replaced by
/// [`Attempt::by_a_stranger`]; where even that is too long, the text comes back cut.
pub fn mutate_text(text: &[u8], limit: usize, seed: u64, tokens: &Tokens) -> Vec<u8> {
    let mut random = Random::new(seed);
    let known = decode(text);
    let (attempt, fresh) = known.map_or_else(|_| (Attempt::by_a_stranger(), true), |attempt| (attempt, false));
    if fresh {
        let text = encode(&attempt);
        if text.len() <= limit {
            return text.into_bytes();
        }
    }
    // Most changes fit at once. Whoever makes the limit smaller than the text wants something smaller.
    let mut changed = attempt.clone();
    mutate(&mut changed, &mut random, tokens);
    loop {
        let text = encode(&changed);
        if text.len() <= limit {
            return text.into_bytes();
        }
        if !shrink(&mut changed, &mut random) {
            break;
        }
    }
    text.get(..text.len().min(limit)).unwrap_or_default().to_vec()
}

/// Takes something away that an attempt can do without; false if nothing is left to take.
fn shrink(attempt: &mut Attempt, random: &mut Random) -> bool {
    fn drop_one<T>(list: &mut Vec<T>, random: &mut Random) -> bool {
        let any = !list.is_empty();
        if any {
            list.remove(random.below(list.len()));
        }
        any
    }
    let invocation = &mut attempt.invocation;
    if invocation.stdin != crate::invocation::Stdin::Null {
        invocation.stdin = crate::invocation::Stdin::Null;
        return true;
    }
    drop_one(&mut invocation.env, random)
        || invocation.argv.edit(|argv| drop_one(argv, random))
        || drop_one(&mut invocation.descriptors, random)
        || drop_one(&mut invocation.limits, random)
        || drop_one(&mut attempt.sealed.keep, random)
}

/// A child of two attempts: who starts it from one, arguments from the other, the environment from either.
pub fn cross(one: &Attempt, other: &Attempt, random: &mut Random) -> Attempt {
    let mut child = one.clone();
    child.invocation.argv.clone_from(&other.invocation.argv);
    if random.one_in(2) {
        child.invocation.env.clone_from(&other.invocation.env);
    }
    child
}

/// The same from texts to a text; `None` where a text is no attempt or the child is longer than `limit` bytes.
pub fn cross_texts(one: &[u8], other: &[u8], limit: usize, seed: u64) -> Option<Vec<u8>> {
    let child = cross(&decode(one).ok()?, &decode(other).ok()?, &mut Random::new(seed));
    Some(encode(&child).into_bytes()).filter(|text| text.len() <= limit)
}

#[cfg(test)]
mod tests;
