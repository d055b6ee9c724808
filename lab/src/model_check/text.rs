//! The report as text.

use super::{Checked, Program};
use std::fmt;

/// How many differing transitions are printed of each part.
const PRINTED: usize = 5;

/// One line of the table, 100 columns wide.
fn row<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    [tried, mismatches, unsupported]: &[T; 3],
) -> fmt::Result {
    writeln!(f, "{name:<66}{tried:>9}{mismatches:>12}{unsupported:>13}")
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agents = if self.workers == 1 { "1 agent".to_owned() } else { format!("{} agents", self.workers) };
        writeln!(f, "model check · Linux {} · {agents}\n", self.release)?;
        row(f, "transitions", &["tried", "mismatches", "unsupported"])?;
        for section in &self.sections {
            let unsupported: usize = section.unsupported.values().sum();
            row(f, &format!("  {}", section.name), &[section.tried, section.mismatches, unsupported])?;
        }
        row(f, "  all", &[self.tried(), self.mismatches(), self.unsupported()])?;
        writeln!(f)?;
        let seconds = self.elapsed.as_secs_f64();
        for section in &self.sections {
            for (reason, count) in &section.unsupported {
                writeln!(f, "unsupported  {}: {count} {reason}", section.name)?;
            }
        }
        for note in &self.notes {
            writeln!(f, "note         {note}")?;
        }
        for section in &self.sections {
            for mismatch in section.examples.iter().take(PRINTED) {
                writeln!(f, "MISMATCH     {}: {}", section.name, mismatch.what)?;
                writeln!(f, "  model      {}", mismatch.model)?;
                writeln!(f, "  kernel     {}", mismatch.kernel)?;
            }
            let more = section.mismatches.saturating_sub(PRINTED.min(section.examples.len()));
            if more > 0 {
                writeln!(f, "             {}: {more} more", section.name)?;
            }
        }
        let word = match self.mismatches() {
            0 => "the model agrees with the kernel",
            _ => "the model DISAGREES with the kernel",
        };
        writeln!(f, "{word} in {} of {} transitions   {seconds:.1}s", self.tried() - self.mismatches(), self.tried())
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} · {}", self.name, self.installed)?;
        let word = |holds: bool| if holds { "holds" } else { "FAILS" };
        for assertion in &self.assertions {
            let kernel = assertion.kernel.map_or("not tried", word);
            writeln!(f, "  {:<76}{kernel:>10}{:>10}", assertion.text, word(assertion.model))?;
        }
        let verdict = match self.passes() {
            Some(true) => "OK",
            Some(false) => "MAYDAY, as that program would say: this way is not safe here",
            None => "not tried",
        };
        let agreement = if self.agrees() { "" } else { "; kernel and model DISAGREE" };
        writeln!(f, "  {verdict}{agreement}")
    }
}
