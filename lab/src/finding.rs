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
    /// The command to type next, to see more or to mend it.
    pub next: String,
}

impl Diagnosis {
    /// A diagnosis without observations and remedies yet; the next command is the page of its code.
    pub fn new(code: &str, certainty: Certainty, cause: String) -> Self {
        let next = format!("lab explain {code}");
        Self { code: code.to_owned(), certainty, cause, seen: Vec::new(), remedies: Vec::new(), next }
    }

    /// Adds an observation.
    #[must_use]
    pub fn saw(mut self, source: &str, shows: impl Into<String>) -> Self {
        self.seen.push(Observation { source: source.to_owned(), shows: shows.into() });
        self
    }

    /// Adds a remedy: what, how (one command or setting each), and its price.
    #[must_use]
    pub fn remedy(mut self, what: impl Into<String>, how: &[&str], price: impl Into<String>) -> Self {
        let how = how.iter().map(|&step| step.to_owned()).collect();
        self.remedies.push(Remedy { what: what.into(), how, price: price.into() });
        self
    }

    /// Sets the next command.
    #[must_use]
    pub fn then(mut self, command: impl Into<String>) -> Self {
        self.next = command.into();
        self
    }
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

impl std::fmt::Display for Certainty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
        })
    }
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
