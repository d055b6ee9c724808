//! The explained survivors. A position would change with every line above it; text of a line and of a change does not.

use crate::at;
use serde::Deserialize;
use std::path::Path;

/// An explained survivor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explained {
    /// File and change, as `cargo mutants --list --line-col false` prints them.
    pub(crate) mutant: String,
    /// The first line that it changes, without indentation.
    pub(crate) line: String,
    /// Why nothing can notice it.
    pub(crate) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    survivor: Vec<Explained>,
}

/// Reads the file.
///
/// # Errors
/// It cannot be read, is not of the form, explains nothing, or one mutant twice.
pub(crate) fn read(path: &Path) -> Result<Vec<Explained>, String> {
    let text = std::fs::read_to_string(path).map_err(at(path))?;
    let File { survivor } = toml::from_str(&text).map_err(at(path))?;
    for (index, entry) in survivor.iter().enumerate() {
        if entry.reason.trim().is_empty() {
            return Err(at(path)(format!("`{}` has no reason", entry.mutant)));
        }
        if survivor.iter().take(index).any(|other| (&other.mutant, &other.line) == (&entry.mutant, &entry.line)) {
            return Err(at(path)(format!("`{}` is explained twice", entry.mutant)));
        }
    }
    Ok(survivor)
}

#[cfg(test)]
mod tests {
    use super::read;
    use rstest::rstest;

    #[rstest]
    #[case::none("", Ok(0))]
    #[case::one("[[survivor]]\nmutant='m'\nline='l'\nreason='r'", Ok(1))]
    #[case::same_change_of_two_lines(
        "[[survivor]]\nmutant='m'\nline='l'\nreason='r'\n[[survivor]]\nmutant='m'\nline='k'\nreason='r'",
        Ok(2)
    )]
    #[case::twice(
        "[[survivor]]\nmutant='m'\nline='l'\nreason='r'\n[[survivor]]\nmutant='m'\nline='l'\nreason='s'",
        Err("twice")
    )]
    #[case::no_reason("[[survivor]]\nmutant='m'\nline='l'\nreason=' '", Err("no reason"))]
    #[case::unknown_key("[[survivor]]\nmutant='m'\nline='l'\nreason='r'\ncolumn=1", Err("unknown field"))]
    fn every_entry_explains_one_change_of_one_line(#[case] text: &str, #[case] expected: Result<usize, &str>) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("survivors.toml");
        std::fs::write(&path, text).expect("written");
        match (read(&path), expected) {
            (Ok(found), Ok(count)) => assert_eq!(found.len(), count),
            (Err(found), Err(says)) => assert!(found.contains(says) && found.contains("survivors.toml"), "{found}"),
            (found, _) => panic!("{found:?}"),
        }
    }
}
