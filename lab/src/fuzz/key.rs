//! What makes two findings one, and what a finding is called.

use crate::run::tree::hex;
use lab_invocation::Attempt;
use lab_invocation::text::encode;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// Two findings with one key are one finding: the smallest attempt is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The first property that does not hold; P11 where all do and only the model differs.
    pub property: String,
    /// The subject as the command line named it.
    pub subject: String,
    /// The lab's first diagnosis.
    pub diagnosis: String,
    /// The outcome that the model predicts.
    pub outcome: String,
    /// The first field in which evidence and prediction differ; `property` where none does.
    pub field: String,
}

/// What is between the parts of a key in its text.
const BETWEEN: &str = " / ";

impl Key {
    /// Name of the file of this finding: the parts that people tell findings by, and six digits of the attempt's hash.
    pub fn file_name(&self, attempt: &Attempt) -> String {
        let field: String = self.field.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let digest = hex(&Sha256::digest(encode(attempt)));
        format!("{}-{}-{}-{field}-{}.inv", self.property, self.subject, self.diagnosis, &digest[..6])
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.property, &self.subject, &self.diagnosis, &self.outcome, &self.field];
        f.write_str(&parts.map(String::as_str).join(BETWEEN))
    }
}

impl FromStr for Key {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.trim().split(BETWEEN).collect();
        let [property, subject, diagnosis, outcome, field] = parts.as_slice() else {
            return Err("a key is PROPERTY / SUBJECT / DIAGNOSIS / OUTCOME / FIELD");
        };
        let [property, subject, diagnosis, outcome, field] =
            [property, subject, diagnosis, outcome, field].map(|part| (*part).to_owned());
        Ok(Self { property, subject, diagnosis, outcome, field })
    }
}
