//! What changed between two runs: machines, subjects, verdicts, decisions.

use crate::capability::Support;
use crate::record::read::Record;
use crate::run::event::{CaseFinished, Machine};
use crate::run::words::observed;
use crate::run::words::word;
use std::collections::{BTreeMap, BTreeSet};

/// What a run says about one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Verdict.
    pub verdict: &'static str,
    /// What the subject did.
    pub decision: String,
}

/// A case about which two runs do not say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub id: String,
    /// The older run; `None` if it had no such case.
    pub old: Option<Said>,
    /// The newer run, likewise.
    pub new: Option<Said>,
}

/// Two runs compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Machines and subjects, one line each.
    pub surroundings: Vec<String>,
    /// Cases.
    pub cases: Vec<Changed>,
    /// How many cases are the same in both.
    pub same: usize,
}

/// Compares two runs.
pub fn diff(old: &Record, new: &Record) -> Diff {
    let mut diff = Diff { surroundings: super::replay::surroundings(&old.started, &new.started), ..Diff::default() };
    let subjects = |record: &Record| -> BTreeMap<String, String> {
        record.started.subjects.iter().map(|each| (each.name.clone(), each.sha256.clone())).collect()
    };
    let (before, after) = (subjects(old), subjects(new));
    for (name, sum) in &before {
        if let Some(now) = after.get(name).filter(|now| *now != sum) {
            diff.surroundings.push(subject(name, sum, now));
        }
    }
    let by_id = |record: &Record| -> BTreeMap<String, Said> {
        record.cases().map(|case| (case.id.0.clone(), said(case))).collect()
    };
    let (before, after) = (by_id(old), by_id(new));
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for id in ids {
        let (old, new) = (before.get(id).cloned(), after.get(id).cloned());
        if old == new {
            diff.same += 1;
        } else {
            diff.cases.push(Changed { id: id.clone(), old, new });
        }
    }
    diff
}

/// Says that a program is another one.
pub fn subject(name: &str, old: &str, new: &str) -> String {
    let short = |sum: &str| sum.chars().take(12).collect::<String>();
    format!("subject {name}: sha256 {}…, now {}…", short(old), short(new))
}

/// What one machine can do and the other cannot.
pub fn capabilities(old: &Machine, new: &Machine) -> Vec<String> {
    let all: BTreeSet<_> = old.capabilities.keys().chain(new.capabilities.keys()).collect();
    let yes = |machine: &Machine, capability| machine.capabilities.get(capability) == Some(&Support::Yes);
    all.into_iter()
        .filter_map(|capability| match (yes(old, capability), yes(new, capability)) {
            (true, false) => Some(format!("capability {capability}: was here, now missing")),
            (false, true) => Some(format!("capability {capability}: was missing, now here")),
            _ => None,
        })
        .collect()
}

fn said(case: &CaseFinished) -> Said {
    let decision = case.evidence.as_ref().map_or_else(|| "not run".to_owned(), observed);
    Said { verdict: word(&case.verdict), decision }
}
