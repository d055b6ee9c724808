//! How libFuzzer calls the targets: the same few lines for each of them.

#![forbid(unsafe_code)]

use fuzz_checks::targets::{self, Target};
use libfuzzer_sys::{Corpus, fuzzer_mutate};

/// Runs a target; what says nothing about the subject is not kept.
pub fn run(target: &Target, data: &[u8]) -> Corpus {
    if targets::fuzz(target, data) { Corpus::Keep } else { Corpus::Reject }
}

/// Mutates an attempt. The codec also gets what bytes alone yield, because a parser is to be tried with what is no attempt.
pub fn mutate(target: &Target, data: &mut [u8], size: usize, limit: usize, seed: u32) -> usize {
    let bytes = target.name == targets::INVOCATION_CODEC.name && seed.is_multiple_of(2);
    if bytes { fuzzer_mutate(data, size, limit) } else { fuzz_checks::mutate_in_place(data, size, limit, seed) }
}
