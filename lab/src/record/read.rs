//! Reading a record, also one that was cut off.

use crate::case::{Case, ScenarioInfo};
use crate::problem::Problem;
use crate::record::EVENTS;
use crate::run::event::{CaseFinished, Event, Setting, Started, Summary, VERSION};
use crate::run::section::SIZE;
use crate::run::tree::check_sums;
use lab_invocation::Bytes;
use lab_invocation::layout::Digest;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A record.
#[derive(Debug)]
pub struct Record {
    /// Its directory.
    pub dir: PathBuf,
    /// All events, in order.
    pub events: Vec<Event>,
    /// The first of them.
    pub started: Started,
    settings: BTreeMap<u32, Arc<Setting>>,
}

impl Record {
    /// Finds a record: a directory with events, or the name of a run below `home`.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn find(home: &Path, run: &str) -> Result<Self, Problem> {
        let given = Path::new(run);
        if given.join(EVENTS).is_file() {
            return Self::read(given);
        }
        let named = home.join(run);
        if !run.is_empty() && !run.contains('/') && named.join(EVENTS).is_file() {
            return Self::read(&named);
        }
        let known = names(home);
        let problem = Problem::usage(format!("there is no run or record `{run}`"));
        Err(match known.first() {
            None => {
                problem.found("nothing is recorded here yet").cure("`lab run` records; or name a record's directory")
            }
            Some(_) => problem.found(format!("recorded here, the newest first: {}", known.join(", "))),
        })
    }

    /// The newest record below `home`.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn latest(home: &Path) -> Result<Self, Problem> {
        match names(home).first() {
            Some(name) => Self::read(&home.join(name)),
            None => Err(Problem::usage("nothing is recorded here yet").cure("`lab run` records")),
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// The directory holds none, or one of another version, or its content is not as its checksums say.
    pub fn read(dir: &Path) -> Result<Self, Problem> {
        let path = dir.join(EVENTS);
        let text = fs::read(&path)
            .map_err(|error| Problem::usage(format!("{}: cannot be read", path.display())).found(error))?;
        if dir.join("SHA256SUMS").is_file() {
            check_sums(dir)?;
        }
        let mut events = Vec::new();
        for (number, line) in (1..).zip(text.split_inclusive(|&byte| byte == b'\n')) {
            // What was being written when the lab was killed has no end of line.
            let Some(line) = line.strip_suffix(b"\n") else { break };
            let event = serde_json::from_slice(line).map_err(|error| {
                Problem::usage(format!("{}, line {number}: not an event of version {VERSION}", path.display()))
                    .found(error)
                    .cure("read it with the version of the lab that wrote it")
            })?;
            events.push(event);
        }
        let Some(Event::Started(started)) = events.first() else {
            return Err(Problem::usage(format!("{}: does not begin with the start of a run", path.display())));
        };
        if started.version != VERSION {
            return Err(Problem::usage(format!("{}: version {} of events", path.display(), started.version))
                .found(format!("this lab reads version {VERSION}"))
                .cure("read it with the version of the lab that wrote it"));
        }
        let started = started.as_ref().clone();
        let settings = events
            .iter()
            .filter_map(|event| match event {
                Event::Setting(setting) => Some((setting.setting, Arc::clone(setting))),
                _ => None,
            })
            .collect();
        Ok(Self { dir: dir.to_owned(), events, started, settings })
    }

    /// How the command line names it: by its run where it lies below `home`, else by its directory.
    pub fn reference(&self, home: &Path) -> String {
        if self.dir == home.join(&self.started.run) {
            return self.started.run.clone();
        }
        self.dir.display().to_string()
    }

    /// The cases that have verdicts.
    pub fn cases(&self) -> impl Iterator<Item = &CaseFinished> {
        self.events.iter().filter_map(|event| match event {
            Event::CaseFinished(case) => Some(case.as_ref()),
            _ => None,
        })
    }

    /// The end of the run; `None` if it was cut off.
    pub fn summary(&self) -> Option<&Summary> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Summary(summary) => Some(summary),
            _ => None,
        })
    }

    /// A case, to run it again.
    ///
    /// # Errors
    /// Its setting or its scenario is missing in the record.
    pub fn case(&self, finished: &CaseFinished) -> Result<(Case, Arc<Setting>), Problem> {
        let missing =
            |what: &str| Problem::usage(format!("{}: {} of {} is missing", self.dir.display(), what, finished.id));
        let setting = self.settings.get(&finished.setting).ok_or_else(|| missing("the setting"))?;
        let scenario: &Arc<ScenarioInfo> = self
            .started
            .scenarios
            .iter()
            .find(|scenario| scenario.id == finished.scenario)
            .ok_or_else(|| missing("the scenario"))?;
        Ok((finished.case(Arc::clone(scenario), setting), Arc::clone(setting)))
    }

    /// The sealed file of a case, if the record carries it.
    ///
    /// # Errors
    /// What the record carries is not the file that was run.
    pub fn sealed(&self, digest: Digest) -> Result<Option<Bytes>, Problem> {
        let path = self.dir.join("subjects/sealed").join(digest.to_string());
        let Ok(entry) = fs::read(&path) else { return Ok(None) };
        let wrong = || Problem::usage(format!("{}: not the subject that was run", path.display()));
        let line = entry.iter().position(|&byte| byte == b'\n').ok_or_else(wrong)?;
        let (head, section) = (&entry[..line], &entry[line + 1..]);
        let head = std::str::from_utf8(head).map_err(|_| wrong())?;
        let (name, at) = head.split_once(' ').ok_or_else(wrong)?;
        let at: usize = at.parse().map_err(|_| wrong())?;
        if name.contains('/') || name.starts_with('.') || ![0, SIZE].contains(&section.len()) {
            return Err(wrong());
        }
        let mut bytes = fs::read(self.dir.join("subjects").join(name)).map_err(|error| wrong().found(error))?;
        let end = at.checked_add(section.len()).ok_or_else(wrong)?;
        bytes.get_mut(at..end).ok_or_else(wrong)?.copy_from_slice(section);
        if Digest(Sha256::digest(&bytes).into()) != digest {
            return Err(wrong());
        }
        Ok(Some(Bytes(bytes)))
    }
}

/// Names of the recorded runs, the newest first.
pub fn names(home: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(home) else { return Vec::new() };
    let mut all: Vec<_> = entries
        .flatten()
        .filter(|entry| {
            fs::metadata(entry.path().join(EVENTS)).is_ok_and(|events| events.is_file() && events.len() > 0)
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.file_name().into_string().ok()?)))
        .filter(|(_, name)| !name.starts_with('.'))
        .collect();
    all.sort();
    all.into_iter().rev().map(|(_, name)| name).collect()
}

/// A run and one of its cases, as the command line names them: `k3f`, `k3f/install/ignored/no_new_privs`, a directory,
/// or a directory and a case below it.
pub fn split<'a>(home: &Path, text: &'a str) -> (&'a str, Option<&'a str>) {
    if Path::new(text).join(EVENTS).is_file() {
        return (text, None);
    }
    // The longest prefix which is a record; the rest is the case.
    let cuts: Vec<usize> = text.match_indices('/').map(|(at, _)| at).collect();
    for at in cuts.into_iter().rev() {
        let (run, case) = (&text[..at], &text[at + 1..]);
        let is_run = !run.contains('/') && home.join(run).join(EVENTS).is_file();
        if is_run || Path::new(run).join(EVENTS).is_file() {
            return (run, Some(case));
        }
    }
    match text.split_once('/') {
        Some((run, case)) if !text.starts_with(['/', '.']) => (run, Some(case)),
        _ => (text, None),
    }
}
