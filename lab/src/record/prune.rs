//! Which automatic records are kept, and which go.
//!
//! Of finished records the newest are kept, and among older ones those that did not end well before those that did.
//! A record that was cut off can be read as far as it goes, so the newest of them is kept as well. What another lab is
//! writing at this moment, or has just claimed, is nobody else's to remove; neither is a directory that is no record.

use super::EVENTS;
use crate::run::event::Event;
use crate::run::exit::Exit;
use crate::run::tree::SUMS;
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long after it was claimed a record may have no event yet: far longer than any lab takes from the one to the other.
const CLAIMED: Duration = Duration::from_secs(3600);

/// How much of the end of an event file is read to find the last event, in bytes.
const TAIL: u64 = 1 << 20;

/// What a directory among the automatic records is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A run that came to its end.
    Finished {
        /// Whether it ended as anything but passed.
        failed: bool,
    },
    /// A run that did not, and whose lab is gone.
    CutOff,
    /// A claim whose lab is gone: without a single event.
    Abandoned,
    /// Another lab's, or no record at all.
    Foreign,
}

/// Removes automatic records, so that at most `keep` finished ones of at most `budget` bytes together are left, and of
/// those that were cut off at most one.
pub fn prune(home: &Path, keep: usize, budget: u64) {
    let Ok(entries) = fs::read_dir(home) else { return };
    let (removed, others): (Vec<_>, Vec<_>) =
        entries.flatten().partition(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(REMOVED)));
    for entry in removed {
        drop(fs::remove_dir_all(entry.path()));
    }
    let mut records: Vec<(SystemTime, PathBuf, State)> = others
        .into_iter()
        .filter_map(|entry| Some((entry.metadata().ok()?, entry.path())))
        .filter(|(metadata, _)| metadata.is_dir())
        .filter_map(|(metadata, path)| {
            let modified = metadata.modified().ok()?;
            let state = state(&path, modified);
            Some((modified, path, state))
        })
        .collect();
    records.sort_by(|(a, a_path, _), (b, b_path, _)| (b, b_path).cmp(&(a, a_path)));
    let cut_off = records.iter().filter(|(.., state)| *state == State::CutOff).skip(1);
    let abandoned = records.iter().filter(|(.., state)| *state == State::Abandoned);
    for (_, path, _) in cut_off.chain(abandoned) {
        remove(path);
    }
    let finished: Vec<(&Path, bool)> = records
        .iter()
        .filter_map(|(_, path, state)| match state {
            State::Finished { failed } => Some((path.as_path(), *failed)),
            _ => None,
        })
        .collect();
    let mut total = 0;
    for (rank, path) in ranked(&finished, keep).into_iter().enumerate() {
        total += size(path);
        if rank >= keep || (rank > 0 && total > budget) {
            remove(path);
        }
    }
}

/// Records in the order in which they deserve to be kept. Given and counted from the newest: half of the places are for
/// the newest ones whatever they are, the rest for failures first, since a run that passed can be had again.
fn ranked<'a>(finished: &[(&'a Path, bool)], keep: usize) -> Vec<&'a Path> {
    let (newest, older) = finished.split_at(finished.len().min(keep.div_ceil(2)));
    let (failed, passed): (Vec<_>, Vec<_>) = older.iter().partition(|(_, failed)| *failed);
    newest.iter().chain(failed).chain(passed).map(|(path, _)| *path).collect()
}

fn state(dir: &Path, modified: SystemTime) -> State {
    let stale = || modified.elapsed().is_ok_and(|age| age > CLAIMED);
    let Ok(mut events) = File::open(dir.join(EVENTS)) else {
        let empty = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
        return if empty && stale() { State::Abandoned } else { State::Foreign };
    };
    if dir.join(SUMS).is_file() {
        let passed = last(&mut events).is_some_and(|exit| exit == Exit::Passed.code());
        return State::Finished { failed: !passed };
    }
    let something = events.metadata().is_ok_and(|metadata| metadata.len() > 0);
    // What comes beside the events is written under the lock.
    let more = || fs::read_dir(dir).is_ok_and(|entries| entries.count() > 1);
    match events.try_lock() {
        Ok(()) if something => State::CutOff,
        Ok(()) if more() || stale() => State::Abandoned,
        // Opened a moment ago, and not locked yet.
        Ok(()) => State::Foreign,
        Err(TryLockError::WouldBlock) => State::Foreign,
        // A file system without locks: only age tells.
        Err(TryLockError::Error(_)) if stale() => State::CutOff,
        Err(TryLockError::Error(_)) => State::Foreign,
    }
}

/// Exit status in the last event.
fn last(events: &mut File) -> Option<u8> {
    let length = events.metadata().ok()?.len();
    events.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    events.take(TAIL).read_to_end(&mut tail).ok()?;
    let line = tail.strip_suffix(b"\n")?.rsplit(|&byte| byte == b'\n').next()?;
    match serde_json::from_slice(line).ok()? {
        Event::Summary(summary) => Some(summary.exit),
        _ => None,
    }
}

/// What a directory is called while it is removed: half a record is none, and a lab that is killed leaves half.
const REMOVED: &str = ".removed-";

fn remove(dir: &Path) {
    let Some(name) = dir.file_name().and_then(OsStr::to_str) else { return };
    let aside = dir.with_file_name(format!("{REMOVED}{name}"));
    // Another lab may be removing the same one.
    if fs::rename(dir, &aside).is_ok() {
        drop(fs::remove_dir_all(aside));
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
    use super::prune;
    use crate::record::EVENTS;
    use crate::record::write::Writer;
    use crate::run::event::{Counts, Event, Summary};
    use std::fs::{self, File};
    use std::path::{Path, PathBuf};
    use std::time::{Duration, SystemTime};

    fn at(home: &Path, name: &str, age: u64) -> PathBuf {
        let dir = home.join(name);
        let time = SystemTime::now() - Duration::from_secs(age);
        File::open(&dir).expect("opens").set_modified(time).expect("time");
        dir
    }

    fn summary(exit: u8) -> Event {
        Event::Summary(Summary {
            counts: Counts::default(),
            not_run: 0,
            controls_held: 0,
            controls: 0,
            complaints: Vec::new(),
            interrupted: false,
            lacking: Default::default(),
            ms: 1.0,
            exit,
        })
    }

    /// A record of that age in seconds. Without an exit status it was cut off.
    fn record(home: &Path, name: &str, age: u64, exit: Option<u8>) {
        let mut writer = Writer::new(&home.join(name), Vec::new()).expect("a new directory");
        writer.event(&summary(exit.unwrap_or(0))).expect("writes");
        writer.file("padding", &[0; 1000]).expect("writes");
        if exit.is_some() {
            writer.finish().expect("writes");
        }
        at(home, name, age);
    }

    fn left(home: &Path) -> Vec<String> {
        let names = fs::read_dir(home).expect("directory").map(|entry| entry.expect("entry").file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().expect("text")).collect();
        names.sort();
        names
    }

    #[test]
    fn the_newest_are_kept_and_the_very_newest_always() {
        let home = tempfile::tempdir().expect("directory");
        for (name, age) in [("a", 50), ("b", 40), ("c", 30), ("d", 20), ("e", 10)] {
            record(home.path(), name, age, Some(0));
        }
        prune(home.path(), 4, u64::MAX);
        assert_eq!(left(home.path()), ["b", "c", "d", "e"]);
        let one = super::size(&home.path().join("e"));
        prune(home.path(), 4, 2 * one);
        assert_eq!(left(home.path()), ["d", "e"]);
        prune(home.path(), 4, 1);
        assert_eq!(left(home.path()), ["e"]);
    }

    #[test]
    fn a_failure_outlives_what_passed_after_it() {
        let home = tempfile::tempdir().expect("directory");
        for (name, age, exit) in [("a", 50, 10), ("b", 40, 0), ("c", 30, 0), ("d", 20, 0), ("e", 10, 0)] {
            record(home.path(), name, age, Some(exit));
        }
        prune(home.path(), 3, u64::MAX);
        assert_eq!(left(home.path()), ["a", "d", "e"]);
    }

    #[test]
    fn what_was_cut_off_takes_no_place_of_a_finished_record() {
        let home = tempfile::tempdir().expect("directory");
        record(home.path(), "passed", 50, Some(0));
        for (name, age) in [("cut-1", 40), ("cut-2", 30), ("cut-3", 20)] {
            record(home.path(), name, age, None);
        }
        for (name, age) in [("claimed", 10), ("abandoned", 10_000)] {
            fs::create_dir(home.path().join(name)).expect("directory");
            at(home.path(), name, age);
        }
        let mut eventless = Writer::new(&home.path().join("eventless"), Vec::new()).expect("a new directory");
        eventless.file("scenarios/a.toml", b"title").expect("writes");
        drop(eventless);
        drop(Writer::new(&home.path().join("opened"), Vec::new()).expect("a new directory"));
        assert_eq!(crate::record::read::names(home.path())[0], "cut-3", "what has no event cannot be shown");
        prune(home.path(), 1, u64::MAX);
        assert_eq!(left(home.path()), ["claimed", "cut-3", "opened", "passed"]);
    }

    #[test]
    fn what_a_killed_lab_was_removing_goes_and_is_no_record() {
        let home = tempfile::tempdir().expect("directory");
        record(home.path(), ".removed-old", 10, Some(0));
        assert_eq!(crate::record::read::names(home.path()), [""; 0]);
        prune(home.path(), 4, u64::MAX);
        assert_eq!(left(home.path()), [""; 0]);
    }

    #[test]
    fn what_another_lab_is_writing_and_what_is_no_record_stay() {
        let home = tempfile::tempdir().expect("directory");
        let mut writing = Writer::new(&home.path().join("writing"), Vec::new()).expect("a new directory");
        writing.event(&summary(0)).expect("writes");
        at(home.path(), "writing", 10_000);
        fs::create_dir(home.path().join("notes")).expect("directory");
        fs::write(home.path().join("notes/mine"), "text").expect("a file");
        at(home.path(), "notes", 10_000);
        record(home.path(), "newest", 0, None);
        prune(home.path(), 0, 0);
        assert_eq!(left(home.path()), ["newest", "notes", "writing"]);
        drop(writing);
        prune(home.path(), 0, 0);
        assert_eq!(left(home.path()), ["newest", "notes"], "its lab is gone");
        assert!(home.path().join("newest").join(EVENTS).is_file());
    }
}
