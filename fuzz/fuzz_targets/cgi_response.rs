//! The page of a refusal.
#![no_main]

use fuzz_checks::targets::CGI_RESPONSE;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus { fuzz::run(&CGI_RESPONSE, data) });
