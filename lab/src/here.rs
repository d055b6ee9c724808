//! What this machine shows of an incident, read without privilege: owner, mode and mount of the files that matter, rows of the
//! group database, settings of units that take privilege away. What cannot be read is said.
//!
//! Nothing is concluded here and nothing is run: a file that looks right now need not have been so when the text was written.

mod accounts;
mod mounts;
mod units;

#[cfg(test)]
mod tests;

use crate::finding::Observation;
use crate::incident::{Answer, Reading};
use accounts::Accounts;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Adds to each reading what the machine shows. `units` are looked at besides those of the server.
pub fn look(answer: &mut Answer, units: &[String]) {
    look_below(Path::new("/"), answer, units);
}

fn look_below(root: &Path, answer: &mut Answer, units: &[String]) {
    let machine = Machine { root: root.to_owned(), accounts: Accounts::read(root) };
    for reading in &mut answer.readings {
        let here = machine.of(reading, units);
        reading.here.extend(here);
    }
    if answer.readings.is_empty() {
        answer.notes.push("nothing was recognised, so nothing was looked at on this machine".to_owned());
    }
}

/// A file system with a machine's files in it.
struct Machine {
    root: PathBuf,
    accounts: Accounts,
}

impl Machine {
    fn of(&self, reading: &Reading, units: &[String]) -> Vec<Observation> {
        let mut seen = Vec::new();
        let asked_for = [&reading.expected, &reading.found];
        let groups: Vec<&str> = asked_for.into_iter().flatten().flat_map(|names| names.split(", ")).collect();
        seen.extend(groups.iter().map(|group| self.accounts.group(group)));
        let mut missing = Vec::new();
        for file in &reading.files {
            match self.file(Path::new(file)) {
                Some(observations) => seen.extend(observations),
                None => missing.push(file.as_str()),
            }
        }
        if !missing.is_empty() {
            seen.push(saw("stat(2)", format!("not here: {}", missing.join(", "))));
        }
        let (own, asked): (Vec<&String>, Vec<&String>) = (reading.units.iter().collect(), units.iter().collect());
        seen.extend(own.into_iter().filter_map(|unit| units::settings(&self.root, unit)));
        seen.extend(asked.into_iter().map(|unit| {
            let nothing = || saw("unit files", format!("{unit}: no such unit file could be read"));
            units::settings(&self.root, unit).unwrap_or_else(nothing)
        }));
        if units.is_empty() && reading.causes.iter().any(|candidate| candidate.cause == "no-new-privs") {
            let text = "which unit started it is not known: name it with --unit to have its NoNewPrivileges= looked at";
            seen.push(saw("not looked at", text.to_owned()));
        }
        seen
    }

    /// `None`: there is no such file.
    fn file(&self, path: &Path) -> Option<Vec<Observation>> {
        let at = below(&self.root, path);
        let found = match fs::metadata(&at) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return Some(vec![saw("stat(2)", format!("{}: {error}", path.display()))]),
        };
        let (user, group) = (self.accounts.user_name(found.uid()), self.accounts.group_name(found.gid()));
        let text = format!("{} {user} {group} {}", mode(&found), path.display());
        let mut seen = vec![saw("stat(2)", text)];
        let resolved = at.canonicalize().unwrap_or(at);
        let within = Path::new("/").join(resolved.strip_prefix(&self.root).unwrap_or(&resolved));
        seen.push(match mounts::options(&self.root, &within) {
            Ok(options) => saw("/proc/self/mountinfo", format!("{}: {options}", path.display())),
            Err(error) => saw("/proc/self/mountinfo", format!("the mount of {}: {error}", path.display())),
        });
        Some(seen)
    }
}

fn saw(source: &str, shows: String) -> Observation {
    Observation { source: source.to_owned(), shows }
}

/// A path of the machine, where its root is.
fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Type and mode as ls(1) writes them.
fn mode(found: &fs::Metadata) -> String {
    let bits = found.mode();
    let kind = if found.is_dir() { 'd' } else { '-' };
    let mut out = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let part = bits >> shift;
        out.push(if part & 4 != 0 { 'r' } else { '-' });
        out.push(if part & 2 != 0 { 'w' } else { '-' });
        out.push(match (bits & special != 0, part & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    out
}
