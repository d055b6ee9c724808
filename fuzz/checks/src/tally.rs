//! How often each check was exercised. A check that was never exercised has found nothing, whatever the number of executions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Counts by name.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    /// Nothing counted.
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// One more.
    pub fn count(&self, check: &'static str) -> u64 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(check).or_default();
        *count += 1;
        *count
    }

    /// So many.
    pub fn of(&self, check: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(check).copied().unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, (check, count)) in counts.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{check} {count}")?;
        }
        Ok(())
    }
}
