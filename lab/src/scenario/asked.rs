//! What the files have in common that ask what is not the lab's: a server, an engine.

use crate::problem::Problem;
use std::fmt::Display;
use std::path::Path;

/// The text of one.
pub(super) fn text(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| {
        Problem::usage(format!("{}: cannot be read", path.display())).found(error).cure("it is a file of text in UTF-8")
    })
}

/// That one of this name is not as it must be.
pub(super) fn unusable(name: &str, found: impl Display) -> Problem {
    let cure = "scenarios/README.md says what such a file holds";
    Problem::usage(format!("{name}: cannot be used")).found(found).cure(cure)
}
