//! Changes within one string.

use crate::Bytes;
use crate::random::Random;
use crate::tokens::Tokens;

/// Changes a few bytes. Never makes a NUL, which no argument can hold.
pub(super) fn edit(string: &mut Bytes, random: &mut Random, tokens: &Tokens) {
    let bytes = &mut string.0;
    let at = random.below(bytes.len() + 1);
    match random.below(6) {
        0 => bytes.insert(at, byte(random)),
        1 => {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte(random);
            }
        }
        2 => bytes.truncate(at),
        3 => {
            let end = at + random.below(bytes.len() - at + 1);
            bytes.drain(at..end);
        }
        4 => {
            let word = random.choose(&tokens.values).cloned().unwrap_or_default();
            bytes.splice(at..at, word.0);
        }
        _ => {
            if let Some(place) = bytes.get_mut(at).filter(|place| place.is_ascii_alphabetic()) {
                *place ^= 0x20;
            }
        }
    }
}

/// Something close to `word` that is not it: shorter, longer, in another case.
pub(super) fn near(word: &Bytes, random: &mut Random) -> Bytes {
    let mut near = word.clone();
    match random.below(5) {
        0 => {
            near.0.pop();
        }
        1 => near.0.push(byte(random)),
        2 => near.0.insert(0, byte(random)),
        3 => near.0.extend_from_slice(&word.0),
        _ => near.0.make_ascii_uppercase(),
    }
    near
}

/// Mostly bytes that mean something to somebody: shells, terminals, logs, formats, paths.
fn byte(random: &mut Random) -> u8 {
    const TELLING: &[u8] = b"\n\r\x1b\x7f\x9b\xff =/.-_%\\'\"$;|&<>:,0aA";
    if random.one_in(4) {
        u8::try_from(random.below(255)).map_or(u8::MAX, |byte| byte + 1)
    } else {
        random.choose(TELLING).copied().unwrap_or(b'a')
    }
}
