//! Whether a specimen was caught, and for its own flaw.

use super::Specimen;
use crate::capability::Capability;
use crate::case::CaseId;
use crate::finding::{Certainty, Diagnosis};
use crate::run::event::Counts;
use crate::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// What came out of the cases of one specimen.
#[derive(Clone, Debug)]
pub struct Row {
    /// The specimen.
    pub specimen: Specimen,
    /// Its verdicts.
    pub counts: Counts,
    /// The cases that failed, by id, each with its diagnoses, the first one first.
    pub failed: BTreeMap<CaseId, Vec<(String, Certainty)>>,
    /// What the unsupported cases needed.
    pub lacking: BTreeSet<Capability>,
    /// The first case that could not be judged although no control of it fell, and why.
    pub unresolved: Option<(CaseId, String)>,
}

/// Whether the lab caught a specimen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caught {
    /// It failed, for its own flaw; or it is sound, and passed.
    Yes,
    /// It was not caught, or for another reason, or a sound one was.
    No {
        /// Why.
        because: String,
    },
    /// The cases that would show it cannot be run on this machine.
    NotHere {
        /// What they need.
        needs: BTreeSet<Capability>,
    },
}

impl Row {
    pub(super) fn new(specimen: Specimen) -> Self {
        Self {
            specimen,
            counts: Counts::default(),
            failed: BTreeMap::new(),
            lacking: BTreeSet::new(),
            unresolved: None,
        }
    }

    /// Takes the verdict of a case.
    pub(super) fn take(&mut self, id: &CaseId, verdict: &Verdict, diagnoses: &[Diagnosis]) {
        self.counts.add(verdict);
        match verdict {
            Verdict::Fail { .. } => {
                let codes = diagnoses.iter().map(|diagnosis| (diagnosis.code.clone(), diagnosis.certainty));
                self.failed.insert(id.clone(), codes.collect());
            }
            Verdict::Unsupported { needs, .. } => {
                self.lacking.extend(*needs);
            }
            // Where a control fell the control itself is in the table.
            Verdict::Unresolved { because } if !because.starts_with("its control did not hold") => {
                self.unresolved.get_or_insert_with(|| (id.clone(), because.clone()));
            }
            _ => {}
        }
    }

    /// The first case that failed, by its id.
    pub fn first(&self) -> Option<&CaseId> {
        self.failed.keys().next()
    }

    /// How many failed cases got each diagnosis first.
    pub fn given(&self) -> BTreeMap<&str, usize> {
        let mut given = BTreeMap::new();
        for codes in self.failed.values() {
            *given.entry(codes.first().map_or("none", |(code, _)| code.as_str())).or_default() += 1;
        }
        given
    }

    /// What speaks against a flawed specimen's having been failed for its own flaw. One case often fits several flaws, so
    /// that the right one need not come first in each; but it must be among those named, and nothing else may be called
    /// certain.
    fn misjudged(&self, right: &str) -> Option<String> {
        for (id, codes) in &self.failed {
            if let Some((wrong, _)) = codes.iter().find(|(code, certainty)| {
                code != right && *certainty == Certainty::Certain && !self.specimen.also.contains(code)
            }) {
                return Some(format!("{id} was put down to {wrong}, and that was called certain"));
            }
            if !codes.iter().any(|(code, _)| code == right) {
                let named: Vec<&str> = codes.iter().map(|(code, _)| code.as_str()).collect();
                return Some(format!("{id} was put down to {}", named.join(", ")));
            }
        }
        let first = self.failed.values().any(|codes| codes.first().is_some_and(|(code, _)| code == right));
        (!self.failed.is_empty() && !first).then(|| "in no case was it the first diagnosis".to_owned())
    }

    /// Whether it was caught.
    pub fn caught(&self) -> Caught {
        let no = |because: String| Caught::No { because };
        // Where nothing could be run nothing speaks for or against anyone.
        if self.lacking.contains(&Capability::SetGroupId) && self.counts.unsupported == self.counts.total() {
            return Caught::NotHere { needs: self.lacking.clone() };
        }
        let Some(right) = &self.specimen.diagnosis else {
            return match (self.first(), &self.unresolved) {
                (Some(first), _) => no(format!("it is sound, and failed {first}")),
                (None, Some((id, because))) => no(format!("it is sound, and {id} could not be judged: {because}")),
                (None, None) if self.counts.pass == 0 => no("it is sound, and no case passed".to_owned()),
                (None, None) => Caught::Yes,
            };
        };
        if let Some(because) = self.misjudged(right) {
            return no(because);
        }
        let needs: BTreeSet<Capability> = self.specimen.needs.intersection(&self.lacking).copied().collect();
        let named: Vec<&str> = needs.iter().map(|capability| capability.name()).collect();
        match self.first() {
            // Otherwise it would be excused where it could have been caught.
            Some(first) if !needs.is_empty() => {
                no(format!("it failed {first} without {}, which its row says it needs", named.join(", ")))
            }
            Some(_) => Caught::Yes,
            None if needs.is_empty() => no("no case failed".to_owned()),
            None => Caught::NotHere { needs },
        }
    }
}
