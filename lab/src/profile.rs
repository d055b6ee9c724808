//! Wrappers which we did not write, described as data.

use crate::case::Case;
use lab_model::rules::Foreign;

/// A wrapper which we did not write.
#[derive(Clone, Debug)]
pub struct Profile {
    foreign: Foreign,
}

impl Profile {
    /// Its rules for one case.
    pub fn rules(&self, _case: &Case) -> Foreign {
        self.foreign.clone()
    }
}
