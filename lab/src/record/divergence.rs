//! Whether two runs observed the same, field by field: what two backends show of a case must not depend on which of them
//! showed it.

use crate::capability::Support;
use crate::record::read::Record;
use crate::run::event::{CaseFinished, Machine};
use crate::run::words::word;
use crate::verdict::Verdict;
use lab_invocation::Evidence;
use serde_json::Value;
use std::collections::BTreeMap;

/// Fields of [`Evidence`] that belong to the backend or to the moment, with the reason. `[]` stands for any element.
const OF_THE_SURROUNDINGS: [(&str, &str); 5] = [
    ("setup_us", "a time"),
    ("run_us", "a time"),
    ("witness[].pid", "a number that the kernel gives out"),
    ("installed.mount.nodev", "an engine mounts its file systems so; no case asks for devices"),
    ("installed.mount.read_only", "where the wrapper lies is made by the engine, or by the lab, which closes it"),
];
/// The fact of a machine which says what its bounding set is, in hexadecimal.
const BOUNDING: &str = "capability bounding set";

/// A case of which two runs do not show the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergent {
    /// Which.
    pub id: String,
    /// What differs: the field, what the one run has, what the other has.
    pub fields: Vec<(String, String, String)>,
}

/// Two runs compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Divergences {
    /// What differs.
    pub cases: Vec<Divergent>,
    /// How many cases both have run, and show the same of.
    pub same: usize,
    /// How many cases one of them could not run, by what it says that it lacks: a capability which the other has, or what no
    /// backend of its kind can make.
    pub declared: BTreeMap<String, usize>,
    /// How many cases neither could run.
    pub neither: usize,
}

/// A run: where, and what it came to.
#[derive(Debug)]
struct Side<'a> {
    machine: &'a Machine,
    cases: Vec<&'a CaseFinished>,
}

impl<'a> Side<'a> {
    fn by_id(&self) -> BTreeMap<String, &'a CaseFinished> {
        self.cases.iter().map(|&case| (case.id.0.clone(), case)).collect()
    }
}

/// Compares verdict and evidence of each case.
///
/// # Errors
/// Evidence cannot be taken apart, which is a defect.
pub fn divergences<'a>(one: &'a Record, other: &'a Record) -> Result<Divergences, serde_json::Error> {
    let side = |record: &'a Record| Side { machine: &record.started.machine, cases: record.cases().collect() };
    compare(&side(one), &side(other))
}

fn compare(one: &Side<'_>, other: &Side<'_>) -> Result<Divergences, serde_json::Error> {
    let (ones, mut others) = (one.by_id(), other.by_id());
    let common = bounding(one.machine) & bounding(other.machine);
    let mut found = Divergences::default();
    for (id, case) in ones {
        let Some(twin) = others.remove(&id) else {
            found.cases.push(only(id, true));
            continue;
        };
        let lacks = |case: &CaseFinished, has: &Machine| match &case.verdict {
            Verdict::Unsupported { needs: Some(needs), .. } => {
                let there = has.capabilities.get(needs) == Some(&Support::Yes);
                there.then(|| needs.name().to_owned())
            }
            Verdict::Unsupported { needs: None, because } => because.split("; ").next().map(str::to_owned),
            _ => None,
        };
        let unsupported = |case: &CaseFinished| matches!(case.verdict, Verdict::Unsupported { .. });
        if unsupported(case) && unsupported(twin) {
            found.neither += 1;
        } else if let Some(needs) = lacks(case, other.machine).or_else(|| lacks(twin, one.machine)) {
            *found.declared.entry(needs).or_default() += 1;
        } else {
            match differences(case, twin, common)? {
                none if none.is_empty() => found.same += 1,
                fields => found.cases.push(Divergent { id, fields }),
            }
        }
    }
    found.cases.extend(others.into_keys().map(|id| only(id, false)));
    Ok(found)
}

fn only(id: String, first: bool) -> Divergent {
    let (there, missing) = ("run".to_owned(), "not in this run".to_owned());
    let (one, other) = if first { (there, missing) } else { (missing, there) };
    Divergent { id, fields: vec![("case".to_owned(), one, other)] }
}

/// What the machine of a run lets any process have; everything, if it does not say so.
fn bounding(machine: &Machine) -> u64 {
    let fact = machine.facts.get(BOUNDING);
    fact.and_then(|text| u64::from_str_radix(text, 16).ok()).unwrap_or(u64::MAX)
}

fn differences(
    case: &CaseFinished,
    twin: &CaseFinished,
    common: u64,
) -> Result<Vec<(String, String, String)>, serde_json::Error> {
    let mut found = Vec::new();
    let (one, other) = (word(&case.verdict), word(&twin.verdict));
    if one != other {
        found.push(("verdict".to_owned(), one.to_owned(), other.to_owned()));
    }
    let values = |case: &CaseFinished| {
        let evidence = case.evidence.clone().map(|evidence| comparable(evidence, common));
        serde_json::to_value(evidence)
    };
    walk("", &values(case)?, &values(twin)?, &mut found);
    Ok(found)
}

/// Without what only numbers the surroundings, where a relation of the numbers is what counts.
fn comparable(mut evidence: Evidence, common: u64) -> Evidence {
    let own = evidence.invoker.place;
    for report in &mut evidence.witness {
        // The bounding set, as far as both machines let anybody have one.
        report.capabilities[3] &= common;
        // Whether it is still in its invoker's session and group: 0 if so.
        if let Some(own) = own {
            let place = &mut report.place;
            place.session = u32::from(place.session != own.session);
            place.process_group = u32::from(place.process_group != own.process_group);
        }
    }
    if let Some(place) = &mut evidence.invoker.place {
        // Whether it leads its group.
        place.process_group = u32::from(place.process_group != place.session);
        place.session = 0;
    }
    evidence
}

fn walk(at: &str, one: &Value, other: &Value, found: &mut Vec<(String, String, String)>) {
    if one == other || left_out(at) {
        return;
    }
    match (one, other) {
        (Value::Object(ones), Value::Object(others)) => {
            let keys = ones.keys().chain(others.keys().filter(|&key| !ones.contains_key(key)));
            for key in keys {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                let value = |of: &serde_json::Map<String, Value>| of.get(key).cloned().unwrap_or_default();
                walk(&at, &value(ones), &value(others), found);
            }
        }
        (Value::Array(ones), Value::Array(others)) if ones.len() == others.len() => {
            for (place, (one, other)) in ones.iter().zip(others).enumerate() {
                walk(&format!("{at}[{place}]"), one, other, found);
            }
        }
        _ => found.push((at.to_owned(), one.to_string(), other.to_string())),
    }
}

/// Whether a field is one of the surroundings.
fn left_out(at: &str) -> bool {
    let any = |field: &str| {
        let parts: Vec<&str> = field.split("[]").collect();
        let Some((first, rest)) = parts.split_first() else { return false };
        let mut left = at.strip_prefix(first);
        for part in rest {
            let behind = left.and_then(|left| left.strip_prefix('[')?.split_once(']'));
            left = behind.and_then(|(number, left)| {
                number.bytes().all(|byte| byte.is_ascii_digit()).then(|| left.strip_prefix(part)).flatten()
            });
        }
        left == Some("")
    };
    OF_THE_SURROUNDINGS.iter().any(|(field, _)| any(field))
}

#[cfg(test)]
mod tests;
