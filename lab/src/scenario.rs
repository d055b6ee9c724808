//! Scenario files: from TOML text to cases, or to complaints which name the place, what was found, what is wanted
//! and what to do. Nothing here judges or predicts.
//!
//! `raw` is the form of the files; `lower` gives it meaning; `accounts` holds the users, groups and identities which
//! all files share; `report` shows errors.

pub mod accounts;
mod asked;
pub(crate) mod context;
pub mod deploy;
pub mod engine;
pub mod listing;
mod lower;
pub mod raw;
pub mod report;
pub mod scaffold;
pub mod vocabulary;

use crate::case::{Case, CaseId, ScenarioInfo};
use crate::copy_on_write::CopyOnWrite;
use accounts::Accounts;
use context::{Context, read_toml};
use lab_invocation::Layout;
pub use report::{Report, Source};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file of users, groups and identities, in the scenarios directory.
pub const IDENTITIES: &str = "identities.toml";

/// Folder of profiles in the scenarios directory: not scenarios.
pub const PROFILES: &str = "profiles";

/// Directory of deploy scenarios, which have a form of their own.
pub const DEPLOY: &str = "deploy";

/// Directory of scenarios of an engine, likewise.
pub const DOCKER: &str = "docker";

/// Longest scenario file, in bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// How deep folders may lie in the scenarios directory.
const DEEPEST: usize = 8;

/// Everything that a scenarios directory holds.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// The files, in the order of their names.
    pub scenarios: Vec<Arc<ScenarioInfo>>,
    /// The cases, by file, in the order of each file.
    pub cases: Vec<Arc<Case>>,
    /// Users, groups and named identities.
    pub accounts: Accounts,
    places: BTreeMap<CaseId, Place>,
    /// Each layout once: many cases have the same.
    layouts: HashSet<CopyOnWrite<Layout>>,
}

/// Where a case stands.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file.
    pub source: Arc<Source>,
    /// The name of its expected outcome, in bytes of the text.
    pub span: Range<usize>,
}

impl Suite {
    /// An empty one.
    pub fn new(accounts: Accounts) -> Self {
        Self { accounts, ..Self::default() }
    }

    /// Where the expected outcome of a case is named.
    pub fn place(&self, id: &CaseId) -> Option<&Place> {
        self.places.get(id)
    }

    /// Adds one file.
    ///
    /// # Errors
    /// Every error in it.
    pub fn add(&mut self, id: &str, source: &Arc<Source>) -> Result<(), Vec<Report>> {
        let raw: raw::Scenario = read_toml(source).map_err(|report| vec![*report])?;
        let mut context = Context::new(source, &self.accounts);
        let lowered = lower::lower(&mut context, id, &raw);
        let mut reports = context.reports;
        if !reports.is_empty() {
            reports.dedup();
            return Err(reports);
        }
        self.scenarios.push(lowered.info);
        for (case, span) in lowered.cases {
            self.places.insert(case.id.clone(), Place { source: Arc::clone(source), span });
            let known = self.layouts.get(&case.layout).cloned();
            let layout = known.unwrap_or_else(|| {
                self.layouts.insert(case.layout.clone());
                case.layout.clone()
            });
            self.cases.push(Arc::new(Case { layout, ..case }));
        }
        Ok(())
    }
}

/// Reads a scenarios directory.
///
/// # Errors
/// Every error in every file.
pub fn load(directory: &Path) -> Result<Suite, Vec<Report>> {
    let mut suite = Suite::default();
    let identities = source(&directory.join(IDENTITIES)).map_err(|report| vec![*report])?;
    suite.accounts = Accounts::read(&identities)?;
    let mut files = Vec::new();
    let mut reports = Vec::new();
    collect(directory, 0, &mut files, &mut reports);
    for path in files {
        let inside = path.strip_prefix(directory).unwrap_or(&path).with_extension("");
        let added = source(&path).map_err(|report| vec![*report]).and_then(|source| match inside.to_str() {
            Some(id) => suite.add(id, &source),
            None => Err(vec![Report::of_file(source.path.clone(), "the name of the file is not UTF-8")]),
        });
        if let Err(mut found) = added {
            reports.append(&mut found);
        }
    }
    if reports.is_empty() { Ok(suite) } else { Err(reports) }
}

fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>, reports: &mut Vec<Report>) {
    let mut entries = match std::fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(entries) => entries,
        Err(error) => {
            let title = format!("cannot read the directory: {error}");
            reports.push(Report::of_file(directory.display().to_string(), title));
            return;
        }
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            if depth < DEEPEST
                && !(depth == 0 && [PROFILES, DEPLOY, DOCKER].iter().any(|other| entry.file_name() == *other))
            {
                collect(&path, depth + 1, files, reports);
            }
        } else if path.extension().is_some_and(|extension| extension == "toml")
            && !(depth == 0 && (entry.file_name() == IDENTITIES || entry.file_name() == "known-failures.toml"))
        {
            files.push(path);
        }
    }
}

/// Reads a file of the scenarios directory as text.
///
/// # Errors
/// It cannot be read, is too long, or is not UTF-8.
pub fn source(path: &Path) -> Result<Arc<Source>, Box<Report>> {
    let shown = path.display().to_string();
    let read = || -> std::io::Result<Vec<u8>> {
        let length = std::fs::metadata(path)?.len();
        if length > LONGEST_FILE {
            return Err(std::io::Error::other(format!("{length} bytes, more than the {LONGEST_FILE} that are read")));
        }
        std::fs::read(path)
    };
    let unreadable = |error| Box::new(Report::of_file(&*shown, format!("cannot read the file: {error}")));
    let bytes = read().map_err(unreadable)?;
    decoded(shown, bytes)
}

/// Takes bytes as the text of a file.
///
/// # Errors
/// They are not UTF-8.
pub fn decoded(path: String, bytes: Vec<u8>) -> Result<Arc<Source>, Box<Report>> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::new(Source { path, text })),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let line = 1 + bytes[..good].iter().filter(|&&byte| byte == b'\n').count();
            let title = format!("line {line}: byte 0x{:02x} is not UTF-8", bytes[good]);
            let help = "write bytes which are no text as { hex = \"ff00\" }";
            Err(Box::new(Report::of_file(path, title).help(help)))
        }
    }
}
