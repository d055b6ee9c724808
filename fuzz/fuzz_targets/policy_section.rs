//! The decoder of the sealed section.
#![no_main]

use fuzz_checks::targets::POLICY_SECTION;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus { fuzz::run(&POLICY_SECTION, data) });
