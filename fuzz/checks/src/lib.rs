//! What the fuzz targets check: plain functions over bytes, which `cargo test` replays over everything that was ever found,
//! and which the programs in `fuzz/fuzz_targets` hand to libFuzzer.
//!
//! | module | what it holds |
//! |---|---|
//! | [`targets`] | the targets by name, and how one is run |
//! | [`properties`] | what must hold of every decision: P01, P02, …, each with how often it was exercised |
//! | [`subject`] | what decides: the wrapper's own decision, or one with a planted fault |
//! | [`world`] | an attempt in the words of the wrapper and in those of the model |
//! | [`seal`] | a section from what is sealed, for the decoder to read |
//! | [`tally`] | how often each check was exercised |
//!
//! It links the wrapper and the model, and nothing that runs a sandbox; nothing of the lab links it.

#![forbid(unsafe_code)]

pub mod properties;
pub mod seal;
pub mod subject;
pub mod tally;
pub mod targets;
pub mod world;

use lab_invocation::mutate;
use lab_invocation::tokens::Tokens;
use std::fmt;
use std::sync::LazyLock;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check, as [`tally::Tally`] counts it.
    pub check: &'static str,
    /// What was found and what was wanted.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.what)
    }
}

/// The words that mutations use, from the dictionaries that libFuzzer and AFL++ read as well.
pub static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let arguments = include_str!("../../dict/arguments.dict");
    let variables = include_str!("../../dict/variables.dict");
    let values = include_str!("../../dict/values.dict");
    // They are part of the program, and a test reads them.
    Tokens::new(arguments, variables, values).unwrap_or_default()
});

/// Mutates the first `size` bytes of `data` in place to at most `limit` bytes, as libFuzzer asks for it; gives the new size.
pub fn mutate_in_place(data: &mut [u8], size: usize, limit: usize, seed: u32) -> usize {
    let limit = limit.min(data.len());
    let text = data.get(..size).unwrap_or_default();
    place(data, &mutate::mutate_text(text, limit, seed.into(), &TOKENS))
}

/// Crosses two texts into `out`; gives the size, 0 if there is no child.
pub fn cross_into(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    let child = mutate::cross_texts(one, other, out.len(), seed.into()).unwrap_or_default();
    place(out, &child)
}

fn place(data: &mut [u8], text: &[u8]) -> usize {
    for (to, from) in data.iter_mut().zip(text) {
        *to = *from;
    }
    text.len().min(data.len())
}
