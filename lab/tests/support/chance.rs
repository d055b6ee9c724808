//! Chance for tests which do something at random moments: of a seed that is printed, so that a failure can be had again.

use lab_invocation::random::Random;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Chance of a new seed, or of the one that `LAB_TEST_SEED` gives.
#[expect(clippy::print_stderr, reason = "shown with a failure, which the seed brings back")]
pub(crate) fn seeded() -> Random {
    let given = std::env::var_os("LAB_TEST_SEED").and_then(|text| text.to_str()?.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    eprintln!("LAB_TEST_SEED={seed}");
    Random::new(seed)
}
