//! The text of attempts, and the mutator.
#![no_main]

use fuzz_checks::targets::INVOCATION_CODEC;
use libfuzzer_sys::{Corpus, fuzz_crossover, fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus { fuzz::run(&INVOCATION_CODEC, data) });
fuzz_mutator!(|data: &mut [u8], size: usize, limit: usize, seed: u32| {
    fuzz::mutate(&INVOCATION_CODEC, data, size, limit, seed)
});
fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
    fuzz_checks::cross_into(one, other, out, seed)
});
