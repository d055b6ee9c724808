//! The wrapper's decision against the model.
#![no_main]

use fuzz_checks::targets::DECISION_MODEL;
use libfuzzer_sys::{Corpus, fuzz_crossover, fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus { fuzz::run(&DECISION_MODEL, data) });
fuzz_mutator!(|data: &mut [u8], size: usize, limit: usize, seed: u32| {
    fuzz::mutate(&DECISION_MODEL, data, size, limit, seed)
});
fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
    fuzz_checks::cross_into(one, other, out, seed)
});
