//! The files of cargo-mutants, as far as they are needed here. See <https://mutants.rs/mutants-out.html>.

use crate::at;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A mutant as cargo-mutants lists it.
#[derive(Debug, Clone, Deserialize)]
struct Listed {
    /// File, position and change: unique.
    name: String,
    file: String,
    span: Span,
}

#[derive(Debug, Clone, Deserialize)]
struct Span {
    start: Position,
}

#[derive(Debug, Clone, Deserialize)]
struct Position {
    line: usize,
    column: usize,
}

/// What an explanation names: change and text of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// File and change, without the position.
    pub(crate) mutant: String,
    /// The first line that it changes, without indentation.
    pub(crate) line: String,
}

/// Every mutant of the tree, by name.
#[derive(Debug, Default)]
pub(crate) struct Catalogue(pub(crate) BTreeMap<String, Change>);

impl Catalogue {
    /// Reads what `cargo mutants --list --json` wrote, and the lines which it names, below `root`.
    ///
    /// # Errors
    /// A file cannot be read or is not of the form; the list is of other files.
    pub(crate) fn read(list: &Path, root: &Path) -> Result<Self, String> {
        let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
        let mut all = BTreeMap::new();
        for Listed { name, file, span: Span { start } } in json::<Vec<Listed>>(list)? {
            let path = root.join(&file);
            if !files.contains_key(&path) {
                let text = std::fs::read_to_string(&path).map_err(at(&path))?;
                files.insert(path.clone(), text);
            }
            let line = files.get(&path).and_then(|text| text.lines().nth(start.line.checked_sub(1)?));
            let position = format!("{file}:{}:{}: ", start.line, start.column);
            let (Some(line), Some(change)) = (line, name.strip_prefix(&position)) else {
                return Err(at(list)(format!("`{name}` is not a mutant of the files below {}", root.display())));
            };
            let change = Change { mutant: format!("{file}: {change}"), line: line.trim().to_owned() };
            all.insert(name, change);
        }
        Ok(Self(all))
    }
}

/// What became of a mutant. The later, the stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// No test noticed.
    Survived,
    /// A test noticed by not ending, or made another one do so.
    TimedOut,
    /// A test failed.
    Caught,
    /// It is not a program: the compiler refuses it.
    Unviable,
}

/// What is known of the mutants that were tried or are still to be tried.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// The strongest result of each mutant that has been judged.
    pub(crate) fates: BTreeMap<String, Fate>,
    /// Mutants that a run had before it and did not come to.
    pub(crate) left: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Outcomes {
    outcomes: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    scenario: Scenario,
    summary: Summary,
    phase_results: Vec<Phase>,
}

/// A call of cargo.
#[derive(Deserialize)]
struct Phase {
    argv: Vec<String>,
}

impl Outcome {
    /// Whether only unit tests were asked: what survives them has to face the other judges yet.
    fn is_preliminary(&self) -> bool {
        self.phase_results.iter().any(|phase| phase.argv.iter().any(|argument| argument == "--lib"))
    }
}

#[derive(Deserialize)]
enum Scenario {
    Baseline,
    Mutant(Listed),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Summary {
    Success,
    CaughtMutant,
    MissedMutant,
    Unviable,
    Failure,
    Timeout,
}

/// Reads directories of results.
///
/// # Errors
/// A file is missing or not of the form; the tests fail on the unchanged tree, so that no result means anything.
pub(crate) fn read(directories: &[PathBuf]) -> Result<Results, String> {
    let mut results = Results::default();
    let mut expected = BTreeSet::new();
    for directory in directories {
        expected.extend(json::<Vec<Listed>>(&directory.join("mutants.json"))?.into_iter().map(|mutant| mutant.name));
        let path = directory.join("outcomes.json");
        if !path.exists() {
            // Ended before the tests of the unchanged tree did, or there was nothing to try.
            continue;
        }
        for outcome in json::<Outcomes>(&path)?.outcomes {
            let preliminary = outcome.is_preliminary();
            let (name, fate) = match (outcome.scenario, outcome.summary) {
                (Scenario::Baseline, Summary::Success) => continue,
                (Scenario::Baseline, found) => {
                    return Err(at(&path)(format!("the tests of the unchanged tree ended with {found:?}")));
                }
                (Scenario::Mutant(mutant), Summary::CaughtMutant) => (mutant.name, Fate::Caught),
                (Scenario::Mutant(_), Summary::MissedMutant) if preliminary => continue,
                (Scenario::Mutant(mutant), Summary::MissedMutant) => (mutant.name, Fate::Survived),
                (Scenario::Mutant(mutant), Summary::Unviable) => (mutant.name, Fate::Unviable),
                (Scenario::Mutant(mutant), Summary::Timeout) => (mutant.name, Fate::TimedOut),
                (Scenario::Mutant(mutant), found) => {
                    return Err(at(&path)(format!("`{}` ended with {found:?}", mutant.name)));
                }
            };
            let known = results.fates.entry(name).or_insert(fate);
            *known = fate.max(*known);
        }
    }
    results.left = expected.into_iter().filter(|name| !results.fates.contains_key(name)).collect();
    Ok(results)
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let bytes = std::fs::read(path).map_err(at(path))?;
    serde_json::from_slice(&bytes).map_err(at(path))
}

#[cfg(test)]
mod tests;
