//! Scenarios of what only a container engine does: `scenarios/docker/*.toml`. Each case is a container, and the wrapper is
//! what it starts; who that is, and whether the wrapper's bit acts, comes of the engine's options alone.

use super::asked::{text, unusable};
use crate::problem::Problem;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct File {
    /// The rule that the cases show.
    pub title: String,
    /// Why that is so.
    pub why: String,
    /// Where it is said in public.
    pub source: String,
    /// The cases.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    /// What is special.
    pub name: String,
    /// If it does not pass, no other case of the file means anything.
    #[serde(default)]
    pub control: bool,
    /// The group that the wrapper trusts.
    pub trusts: String,
    /// What its image is made by, above that of the accounts, with `mailman` and `post` beside it; absent: wrapper and script
    /// are installed as they should be.
    pub dockerfile: Option<String>,
    /// How the container is started.
    #[serde(default)]
    pub options: Options,
    /// For a shell: what the container starts; absent: the wrapper itself.
    pub command: Option<String>,
    /// For a shell: what the script does; absent: it says as whom it runs, as id(1) does.
    pub script: Option<String>,
    /// The exit status of the container.
    pub exit: i64,
    /// What is written in it.
    pub says: Vec<String>,
    /// What is not.
    #[serde(default)]
    pub never: Vec<String>,
}

/// Options of `docker run`, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// `--user`.
    pub user: Option<String>,
    /// `--group-add`.
    #[serde(default)]
    pub group_add: Vec<String>,
    /// `--init`.
    #[serde(default)]
    pub init: bool,
    /// `--read-only`.
    #[serde(default)]
    pub read_only: bool,
    /// `--cap-drop`.
    #[serde(default)]
    pub cap_drop: Vec<String>,
    /// `--security-opt`.
    #[serde(default)]
    pub security_opt: Vec<String>,
    /// `--tmpfs`: where, and with which options.
    #[serde(default)]
    pub tmpfs: BTreeMap<String, String>,
}

/// Reads one.
///
/// # Errors
/// It cannot be read, or is not as it must be.
pub fn read(path: &Path) -> Result<File, Problem> {
    parse(&path.display().to_string(), &text(path)?)
}

/// Reads the text of one, which has this name.
///
/// # Errors
/// It is not as it must be.
pub fn parse(name: &str, text: &str) -> Result<File, Problem> {
    let wrong = |found: String| unusable(name, found);
    let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if !file.cases.iter().any(|case| case.control) {
        return Err(wrong("it has no control: a case with `control = true`".to_owned()));
    }
    for (place, case) in file.cases.iter().enumerate() {
        let of = |found: &str| Err(wrong(format!("`{}`: {found}", case.name)));
        if file.cases.iter().take(place).any(|other| other.name == case.name) {
            return of("two cases are called so");
        }
        // What nothing is said of could have come about in any way: a status of 1 or 127 is a shell's as well.
        if case.says.is_empty() || case.says.iter().chain(&case.never).any(String::is_empty) {
            return of("`says` names what is written, and neither it nor `never` holds an empty text");
        }
        if !(0..=255).contains(&case.exit) {
            return of("`exit` is a status, 0 to 255");
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
