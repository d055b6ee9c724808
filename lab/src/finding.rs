//! What a diagnosis is made of.

use serde::{Deserialize, Serialize};

/// The explanation of a failed case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Stable name, which `lab explain` takes: `group-mismatch`, `set-group-id-ignored`.
    pub code: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// One to three sentences: what happened and why.
    pub cause: String,
    /// The observations that it rests on, each with its source.
    pub seen: Vec<Observation>,
    /// What can be done, with the price of each.
    pub remedies: Vec<Remedy>,
}

/// How sure a diagnosis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Each alternative was ruled out by an observation.
    Certain,
    /// The observations fit, and no alternative fits better.
    Likely,
    /// One of several that fit.
    Possible,
}

/// One observation that a diagnosis rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Where it comes from: `wait status`, `witness`, `/proc/self/status of the launcher`, `statvfs`, `syslog`.
    pub source: String,
    /// What it shows.
    pub shows: String,
}

/// Something that can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// What, in one line.
    pub what: String,
    /// How: commands or settings, in order.
    pub how: Vec<String>,
    /// What it costs: whom it lets in, what it breaks. "trust stays as it is" where it costs nothing.
    pub price: String,
}
