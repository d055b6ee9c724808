//! Records of runs: a directory which holds everything that is needed to read a run and to run it again.
//!
//! | entry | what it holds |
//! |---|---|
//! | `events.jsonl` | the events, one a line, appended as they happened; a last line that was cut off is ignored |
//! | `scenarios/` | the scenario files as they were |
//! | `output/` | standard output and error of every case that did not pass |
//! | `subjects/` | the programs under test, if that was asked for, and the sections that were sealed into them |
//! | `SHA256SUMS` | checksums of all this, written last |
//!
//! Nothing in it names a user or a directory of the machine.

pub mod diff;
pub mod divergence;
mod prune;
pub mod read;
pub mod replay;
#[cfg(test)]
mod tests;
pub mod write;

pub use prune::prune;

use crate::problem::Problem;
use crate::run::tree::Tree;
use lab_invocation::random::Random;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

/// Name of the event file.
pub const EVENTS: &str = "events.jsonl";

/// How many automatic records are kept.
pub const KEPT: usize = 20;

/// How many bytes the automatic records may take together; the newest one is kept whatever it takes.
pub const BUDGET: u64 = 100 << 20;

/// Where automatic records are: in the checkout, or in the working directory of someone who runs a distributed tree.
pub fn home(tree: &Tree) -> PathBuf {
    let root = match tree {
        Tree::Checkout { root } => root.clone(),
        Tree::Shipped { .. } => PathBuf::from("."),
    };
    root.join(".lab").join("runs")
}

/// Refuses a directory that holds something. One that is not there yet is as good as an empty one.
///
/// # Errors
/// It holds something, is no directory, or cannot be read.
pub fn demand_empty(dir: &Path) -> Result<(), Problem> {
    let refused =
        |found: String| Problem::usage(format!("{}: no record can be written here", dir.display())).found(found);
    let cure = "name an empty directory, or one that is not there yet";
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(refused("the directory is not empty".to_owned()).cure(cure)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(refused(error.to_string()).cure(cure)),
    }
}

/// Makes the directory of a new record, and with it the name of the run: short enough to type, and not yet taken.
///
/// # Errors
/// The directory cannot be made.
pub fn claim(home: &Path) -> Result<(String, PathBuf), Problem> {
    let cannot = |error: io::Error| Problem::internal(format!("{}: cannot be made", home.display())).found(error);
    fs::create_dir_all(home).map_err(cannot)?;
    for attempt in 0.. {
        // Short names first; the more are taken, the longer they become, so that this ends soon.
        let name = name(seed(), attempt, 3 + attempt / 8);
        match fs::create_dir(home.join(&name)) {
            Ok(()) => return Ok((name.clone(), home.join(name))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 64 => {}
            Err(error) => return Err(cannot(error)),
        }
    }
    Err(Problem::internal(format!("{}: no free name for a record", home.display())))
}

/// The name of a run that is not recorded among others.
pub fn name_of_now() -> String {
    name(seed(), 0, 3)
}

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos() % u128::from(u64::MAX)).unwrap_or_default() ^ (u64::from(std::process::id()) << 40)
}

/// A name of letters and digits which are not mistaken for each other, a letter first.
fn name(seed: u64, attempt: usize, length: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstvwxyz";
    const BOTH: &[u8] = b"abcdefghjkmnpqrstvwxyz23456789";
    // Neighbouring seeds give unlike names.
    let mut chance = Random::new(seed.wrapping_add(u64::try_from(attempt).unwrap_or_default()));
    let mut next = |set: &[u8]| char::from(set[chance.below(set.len())]);
    (0..length).map(|at| next(if at == 0 { LETTERS } else { BOTH })).collect()
}
