//! Deploy scenarios as they are written: `scenarios/deploy/*.toml`, one server each. Whatever a witness reports must be
//! stated, so that nothing is left unseen by leaving it out.

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
    /// The image: a folder of `docker/`.
    pub server: String,
    /// The log file of the server, in its container.
    pub log: String,
    /// What stands in the log when the server is ready.
    pub ready: String,
    /// The cases.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    /// What is special.
    pub name: String,
    /// If it does not pass, no other case of the file means anything.
    #[serde(default)]
    pub control: bool,
    /// The local part to which the message goes.
    pub to: String,
    /// What becomes of it, as the log says.
    pub fate: Fate,
    /// What else its log lines say; of one that is refused, what the client is told.
    pub says: Vec<String>,
    /// What the program that the server starts is given; `"nothing"` if none is started.
    pub starts: Starts,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Delivered.
    Sent,
    /// Not taken from the client.
    Refused,
    /// Sent back.
    Bounced,
    /// Kept, to be tried again.
    Deferred,
}

/// Whether the server starts the program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Starts {
    /// It does not.
    Nothing,
    /// It does, thus.
    Program(Box<Program>),
}

/// What a program is given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Program {
    /// Real user.
    pub user: String,
    /// Real group.
    pub group: String,
    /// Effective group: what the set-group-ID bit gives.
    pub effective_group: String,
    /// Supplementary groups.
    pub groups: Vec<String>,
    /// The whole argument vector.
    pub args: Vec<String>,
    /// Names of the environment.
    pub environment: Vec<String>,
    /// Working directory.
    pub directory: String,
    /// File mode creation mask, octal.
    pub umask: String,
    /// Ignored signals.
    pub ignored: Vec<String>,
    /// Open descriptors with what they lead to.
    pub descriptors: BTreeMap<String, String>,
}

/// Reads one.
///
/// # Errors
/// It cannot be read, or is not as it must be.
pub fn read(path: &Path) -> Result<File, Problem> {
    let wrong = |found: String| Problem::usage(format!("{}: cannot be used", path.display())).found(found);
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let file: File = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if !file.cases.iter().any(|case| case.control) {
        return Err(wrong("it has no control: a case with `control = true`".to_owned()));
    }
    for (place, case) in file.cases.iter().enumerate() {
        if file.cases.iter().take(place).any(|other| other.to == case.to) {
            return Err(wrong(format!("two cases go to `{}`, and their log lines cannot be told apart", case.to)));
        }
    }
    Ok(file)
}
