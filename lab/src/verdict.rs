//! Verdicts, in the words of POSIX 1003.3 and DejaGnu.

use crate::capability::Capability;
use serde::{Deserialize, Serialize};

/// The lab's judgement of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// What happened is what must happen, with positive evidence.
    Pass,
    /// It is not.
    Fail {
        /// Every difference.
        differences: Vec<Difference>,
    },
    /// Evidence is missing or contradictory, or a control fell: nothing can be said.
    Unresolved {
        /// Why.
        because: String,
    },
    /// This machine or backend lacks something that the case needs, or the subject is a foreign wrapper of which it
    /// cannot be asked.
    Unsupported {
        /// What the machine lacks; `None` where it is the subject.
        needs: Option<Capability>,
        /// Why it is not there, and the cure.
        because: String,
    },
    /// It failed, as a waiver says it does.
    KnownFailure {
        /// From the waiver.
        reason: String,
        /// Every difference.
        differences: Vec<Difference>,
    },
    /// A waiver says that it fails, but it passed.
    UnexpectedPass {
        /// From the waiver.
        reason: String,
    },
}

/// One respect in which an observation is not what the outcome says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What was compared, in the words of the scenario file: `exit`, `script.effective-gid`, `script.env`.
    pub field: String,
    /// What must be, numbers with names.
    pub expected: String,
    /// What was, numbers with names.
    pub observed: String,
}
