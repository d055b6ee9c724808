//! Something that keeps the lab from doing what it was asked: not a verdict, and never mixed up with one.

use std::fmt;

/// What is wrong, why, and what would cure it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whose fault it is.
    pub kind: Kind,
    /// The thing and what is wrong with it, as a lower-case fragment.
    pub what: String,
    /// What was found: an error of the system, the output of a program. May have several lines.
    pub found: Option<String>,
    /// What to do.
    pub cure: Option<String>,
}

/// Whose fault a problem is. Decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Command line, scenario file or another file that the user wrote.
    Usage,
    /// The lab or the machine.
    Internal,
    /// No case was selected.
    NothingSelected,
    /// The run could not be judged at all: a backend that does not start, a capability that was required.
    Unresolved,
}

impl Problem {
    /// A problem with something the user wrote.
    pub fn usage(what: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, what: what.into(), found: None, cure: None }
    }

    /// A problem with the lab or the machine.
    pub fn internal(what: impl Into<String>) -> Self {
        Self { kind: Kind::Internal, what: what.into(), found: None, cure: None }
    }

    /// No case is selected.
    pub fn nothing_selected(what: impl Into<String>) -> Self {
        Self { kind: Kind::NothingSelected, what: what.into(), found: None, cure: None }
    }

    /// Nothing can be judged.
    pub fn unresolved(what: impl Into<String>) -> Self {
        Self { kind: Kind::Unresolved, what: what.into(), found: None, cure: None }
    }

    /// Adds what was found.
    #[must_use]
    pub fn found(mut self, found: impl fmt::Display) -> Self {
        self.found = Some(found.to_string());
        self
    }

    /// Adds the cure.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        for (label, text) in [("found", &self.found), ("cure", &self.cure)] {
            let mut label = label;
            for line in text.iter().flat_map(|text| text.trim_end().lines()) {
                write!(f, "\n  {label:<6} {line}")?;
                label = "";
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn cause_and_cure_stand_under_the_problem() {
        let problem = Problem::usage("scenarios/a.toml: cannot be read").found("first\nsecond").cure("chmod a+r it");
        assert_eq!(
            problem.to_string(),
            "scenarios/a.toml: cannot be read\n  found  first\n         second\n  cure   chmod a+r it"
        );
    }
}
