//! The text of attempts: it has one form, and so has what the mutator makes of it.

use crate::tally::Tally;
use crate::{Finding, TOKENS};
use lab_invocation::mutate::mutate_text;
use lab_invocation::text::{decode, encode};

/// Every text of this size or less has a mutation that fits.
const ROOM: usize = 1 << 16;

pub(super) fn check(data: &[u8], tally: &Tally) -> Result<bool, Finding> {
    let Ok(attempt) = decode(data) else {
        tally.count("refused");
        return Ok(true);
    };
    let finding = |check, what: String| Err(Finding { check, what });
    let text = encode(&attempt);
    match decode(text.as_bytes()) {
        Ok(again) if again == attempt && encode(&again) == text => {}
        other => return finding("canonical", format!("the text\n{text}\nis read as {other:?}, and was {attempt:?}")),
    }
    tally.count("canonical");
    let seed = data.iter().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let changed = mutate_text(data, ROOM, seed, &TOKENS);
    if changed.len() > ROOM {
        return finding("mutated", format!("{} bytes for a limit of {ROOM}", changed.len()));
    }
    if data.len() < ROOM / 2 && decode(&changed).map(|attempt| encode(&attempt).into_bytes()) != Ok(changed.clone()) {
        return finding("mutated", format!("seed {seed} makes {}", String::from_utf8_lossy(&changed)));
    }
    tally.count("mutated");
    Ok(true)
}
