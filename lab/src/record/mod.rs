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
pub mod read;
pub mod replay;
pub mod write;

use crate::problem::Problem;
use crate::run::tree::Tree;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

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

/// Makes the directory of a new record, and with it the name of the run: short enough to type, and not yet taken.
///
/// # Errors
/// The directory cannot be made.
pub fn claim(home: &Path) -> Result<(String, PathBuf), Problem> {
    let cannot = |error: std::io::Error| Problem::internal(format!("{}: cannot be made", home.display())).found(error);
    fs::create_dir_all(home).map_err(cannot)?;
    for attempt in 0.. {
        // Short names first; the more are taken, the longer they become, so that this ends soon.
        let name = name(seed(), attempt, 3 + attempt / 8);
        match fs::create_dir(home.join(&name)) {
            Ok(()) => return Ok((name.clone(), home.join(name))),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && attempt < 64 => {}
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
    // splitmix64: neighbouring seeds give unlike names.
    let mut state = seed.wrapping_add(u64::try_from(attempt).unwrap_or_default()).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut next = |set: &[u8]| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let at = usize::try_from((mixed ^ (mixed >> 31)) % set.len() as u64).unwrap_or_default();
        char::from(set[at])
    };
    (0..length).map(|at| next(if at == 0 { LETTERS } else { BOTH })).collect()
}

/// Removes the oldest automatic records, and leaves the newest: at most `keep` of them, of at most `budget` bytes.
pub fn prune(home: &Path, keep: usize, budget: u64) {
    let Ok(entries) = fs::read_dir(home) else { return };
    let mut records: Vec<(SystemTime, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .filter(|(_, path)| path.is_dir())
        .collect();
    records.sort();
    let mut total = 0;
    for (age, (_, path)) in records.into_iter().rev().enumerate() {
        total += size(&path);
        if age >= keep || (age > 0 && total > budget) {
            // Another lab may be removing the same one.
            drop(fs::remove_dir_all(path));
        }
    }
}

/// Bytes of all files below a directory.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{claim, name, prune};
    use std::collections::BTreeSet;

    #[test]
    fn names_are_short_differ_and_are_claimed_once() {
        let names: BTreeSet<String> = (0..200).map(|seed| name(seed, 0, 3)).collect();
        assert!(names.len() > 190, "neighbouring seeds give unlike names: {}", names.len());
        assert!(names.iter().all(|name| name.len() == 3 && name.starts_with(|c: char| c.is_ascii_lowercase())));
        let home = tempfile::tempdir().expect("directory");
        let claimed: BTreeSet<String> = (0..50).map(|_| claim(home.path()).expect("a name").0).collect();
        assert_eq!(claimed.len(), 50);
    }

    #[test]
    fn only_the_newest_are_kept() {
        let home = tempfile::tempdir().expect("directory");
        let made: Vec<_> = (0..5u64)
            .map(|age| {
                let path = home.path().join(age.to_string());
                std::fs::create_dir(&path).expect("directory");
                let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000 + age);
                std::fs::File::open(&path).expect("opens").set_modified(time).expect("time");
                path
            })
            .collect();
        let left = || made.iter().map(|path| path.exists()).collect::<Vec<_>>();
        prune(home.path(), 4, u64::MAX);
        assert_eq!(left(), [false, true, true, true, true]);
        for path in &made[1..] {
            let time = std::fs::metadata(path).and_then(|metadata| metadata.modified()).expect("time");
            std::fs::write(path.join("events.jsonl"), [0; 100]).expect("file");
            std::fs::File::open(path).expect("opens").set_modified(time).expect("time");
        }
        prune(home.path(), 4, 250);
        assert_eq!(left(), [false, false, false, true, true]);
        prune(home.path(), 4, 1);
        assert_eq!(left(), [false, false, false, false, true], "the newest stays");
    }
}
