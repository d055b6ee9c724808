//! Corpus and findings of one subject on disk: one file each, in the text that the fuzz targets in process read as well. A file
//! appears whole under its name or not at all, so that a campaign which is killed leaves a corpus that the next one takes
//! up.

use super::ground::Ground;
use super::key::Key;
use crate::problem::Problem;
use crate::run::tree::{Tree, hex};
use lab_invocation::Attempt;
use lab_invocation::text::{HEADING, decode, encode};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Extension of the files.
pub const EXTENSION: &str = "inv";
/// Comment before the key of a finding.
const KEY: &str = "# key ";
/// Largest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;
/// How the name of a file begins that is being written.
const UNFINISHED: &str = ".writing-";

/// Where the corpora and findings of all subjects are: beside the records.
pub fn home(tree: &Tree) -> PathBuf {
    crate::record::home(tree).with_file_name("fuzz")
}

/// A finding on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its file.
    pub path: PathBuf,
    /// What makes it one with others.
    pub key: Key,
    /// The attempt.
    pub attempt: Attempt,
}

/// The directory of one subject, held by one campaign at a time.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    _lock: File,
}

impl Store {
    /// Makes or takes up the directory of a subject.
    ///
    /// # Errors
    /// Another campaign holds it, or it cannot be written.
    pub fn open(home: &Path, subject: &str) -> Result<Self, Problem> {
        let dir = home.join(subject);
        let cannot = |error: io::Error| Problem::internal(format!("{}: cannot be used", dir.display())).found(error);
        for part in ["corpus", "findings"] {
            fs::create_dir_all(dir.join(part)).map_err(cannot)?;
        }
        let lock = File::create(dir.join("lock")).map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Problem::usage(format!("{}: another campaign is at work", dir.display()))
                    .cure("wait until it ends, or name another directory with --directory"));
            }
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        for part in ["corpus", "findings"] {
            for entry in fs::read_dir(dir.join(part)).map_err(cannot)?.flatten() {
                if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                    fs::remove_file(entry.path()).map_err(cannot)?;
                }
            }
        }
        Ok(Self { dir, _lock: lock })
    }

    /// The attempts of corpus and findings that belong to this ground, and how many files do not: another ground's, or
    /// damaged.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn load(&self, ground: &Ground) -> Result<(Vec<Attempt>, usize), Problem> {
        let (mut attempts, mut strange) = (Vec::new(), 0);
        for part in ["findings", "corpus"] {
            for path in files(&self.dir.join(part))? {
                match read(&path).map(|text| decode(&text)) {
                    Ok(Ok(attempt)) if ground.owns(&attempt) => attempts.push(attempt),
                    _ => strange += 1,
                }
            }
        }
        Ok((attempts, strange))
    }

    /// Keeps an attempt whose behaviour is new.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, attempt: &Attempt) -> Result<(), Problem> {
        let text = encode(attempt);
        let name = format!("{}.{EXTENSION}", &hex(&Sha256::digest(&text))[..16]);
        write(&self.dir.join("corpus"), &name, &text)
    }

    /// Keeps a finding, in place of a larger one of the same key. Gives its file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn found(&self, key: &Key, attempt: &Attempt) -> Result<PathBuf, Problem> {
        let dir = self.dir.join("findings");
        let text = encode(attempt);
        let of_key = |found: &Found| found.key == *key;
        if let Some(known) = findings_in(&dir)?.into_iter().find(of_key) {
            if encode(&known.attempt).len() <= text.len() {
                return Ok(known.path);
            }
            fs::remove_file(&known.path).map_err(|error| not_written(&known.path, error))?;
        }
        let name = key.file_name(attempt);
        let body = text.strip_prefix(HEADING).unwrap_or(&text);
        write(&dir, &name, &format!("{HEADING}\n{KEY}{key}{body}"))?;
        Ok(dir.join(name))
    }
}

/// The findings of every subject, by name of the file.
///
/// # Errors
/// A directory cannot be read.
pub fn findings(home: &Path) -> Result<Vec<Found>, Problem> {
    let mut all = Vec::new();
    let subjects = match fs::read_dir(home) {
        Ok(subjects) => subjects,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
        Err(error) => return Err(Problem::internal(format!("{}: cannot be read", home.display())).found(error)),
    };
    for subject in subjects.flatten() {
        all.extend(findings_in(&subject.path().join("findings"))?);
    }
    all.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(all)
}

/// Reads the file of a finding.
///
/// # Errors
/// It cannot be read, is no attempt, or says no key.
pub fn finding(path: &Path) -> Result<Found, Problem> {
    let wrong = |found: String| {
        Problem::usage(format!("{}: is no finding", path.display()))
            .found(found)
            .cure("`lab fuzz list` shows the findings")
    };
    let text = read(path).map_err(|error| wrong(error.to_string()))?;
    let attempt = decode(&text).map_err(|error| wrong(error.to_string()))?;
    let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(KEY.as_bytes()));
    let line = line.ok_or_else(|| wrong(format!("it has no line `{KEY}…`")))?;
    let key = String::from_utf8_lossy(line).parse().map_err(|error: &str| wrong(error.to_owned()))?;
    Ok(Found { path: path.to_owned(), key, attempt })
}

fn findings_in(dir: &Path) -> Result<Vec<Found>, Problem> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    files(dir)?.iter().map(|path| finding(path)).collect()
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, Problem> {
    let cannot = |error: io::Error| Problem::internal(format!("{}: cannot be read", dir.display())).found(error);
    let entries = fs::read_dir(dir).map_err(cannot)?.collect::<Result<Vec<_>, _>>().map_err(cannot)?;
    let paths = entries.into_iter().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == EXTENSION)).collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let length = fs::metadata(path)?.len();
    if length > LONGEST {
        return Err(io::Error::other(format!("{length} bytes, more than the {LONGEST} that are read")));
    }
    fs::read(path)
}

fn write(dir: &Path, name: &str, text: &str) -> Result<(), Problem> {
    let path = dir.join(name);
    let mut file =
        tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(dir).map_err(|error| not_written(&path, error))?;
    file.write_all(text.as_bytes()).map_err(|error| not_written(&path, error))?;
    file.persist(&path).map_err(|error| not_written(&path, error.error))?;
    Ok(())
}

fn not_written(path: &Path, error: io::Error) -> Problem {
    Problem::internal(format!("{}: cannot be written", path.display())).found(error)
}
