//! The table of specimens as a person reads it.

use super::verdict::{Caught, Row};
use std::fmt;

impl fmt::Display for Row {
    /// Three lines: name, whether it was caught, how many cases failed; what is wrong with it; what the lab said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sound = self.specimen.diagnosis.is_none();
        let word = match (self.caught(), sound) {
            (Caught::Yes, true) => "passes",
            (Caught::Yes, false) => "caught",
            (Caught::No { .. }, _) => "NOT CAUGHT",
            (Caught::NotHere { .. }, _) => "not here",
        };
        let word = if sound && matches!(self.caught(), Caught::No { .. }) { "FAILS" } else { word };
        let mut counts = Vec::new();
        for (verdict, count) in self.counts.words() {
            if count > 0 {
                counts.push(format!("{count} {verdict}"));
            }
        }
        writeln!(f, "{:<28}  {word:<10}  {}", self.specimen.name, counts.join("  "))?;
        writeln!(f, "    {}", self.specimen.flaw)?;
        if let Some(right) = &self.specimen.diagnosis {
            writeln!(f, "    expected   {right}")?;
            let given: Vec<String> = self.given().iter().map(|(code, count)| format!("{code} ({count})")).collect();
            writeln!(f, "    given      {}", if given.is_empty() { "nothing".to_owned() } else { given.join(", ") })?;
        }
        if let Some(first) = self.first() {
            writeln!(f, "    first in   {first}")?;
        }
        match self.caught() {
            Caught::Yes => Ok(()),
            Caught::No { because } => writeln!(f, "    because    {because}"),
            Caught::NotHere { needs } => {
                let needs: Vec<&str> = needs.iter().map(|capability| capability.name()).collect();
                writeln!(f, "    because    this machine lacks {}: see lab preflight", needs.join(", "))
            }
        }
    }
}

impl Row {
    /// Every failed case with its diagnoses, a line each.
    pub fn cases(&self) -> String {
        let mut text = String::new();
        for (id, codes) in &self.failed {
            let codes: Vec<String> = codes.iter().map(|(code, certainty)| format!("{code} ({certainty})")).collect();
            text += &format!("    {id}  {}\n", codes.join(", "));
        }
        text
    }
}

/// The last line: how many were caught.
pub fn conclusion(rows: &[Row]) -> String {
    let count = |holds: fn(&Caught) -> bool| rows.iter().filter(|row| holds(&row.caught())).count();
    let (caught, escaped) =
        (count(|caught| *caught == Caught::Yes), count(|caught| matches!(caught, Caught::No { .. })));
    let not_here = count(|caught| matches!(caught, Caught::NotHere { .. }));
    format!(
        "{caught} of {} specimens as they must be   {escaped} not   {not_here} not to be shown on this machine",
        rows.len()
    )
}
