//! The report as text.

use super::{Checked, Program};
use lab_invocation::trial::Call;
use lab_model::ids::KEEP;
use std::fmt;

/// How many differing transitions are printed of each part.
const PRINTED: usize = 5;

/// A call as C writes it; seteuid and setegid are setresuid and setresgid with -1 at both ends.
pub(super) fn spell(call: &Call) -> String {
    let id = |id: u32| if id == KEEP { "-1".to_owned() } else { id.to_string() };
    match *call {
        Call::SetUid(a) => format!("setuid({})", id(a)),
        Call::SetReUid(a, b) => format!("setreuid({}, {})", id(a), id(b)),
        Call::SetResUid(KEEP, a, KEEP) => format!("seteuid({})", id(a)),
        Call::SetResUid(a, b, c) => format!("setresuid({}, {}, {})", id(a), id(b), id(c)),
        Call::SetFsUid(a) => format!("setfsuid({})", id(a)),
        Call::SetGid(a) => format!("setgid({})", id(a)),
        Call::SetReGid(a, b) => format!("setregid({}, {})", id(a), id(b)),
        Call::SetResGid(KEEP, a, KEEP) => format!("setegid({})", id(a)),
        Call::SetResGid(a, b, c) => format!("setresgid({}, {}, {})", id(a), id(b), id(c)),
        Call::SetFsGid(a) => format!("setfsgid({})", id(a)),
        Call::SetGroups(groups) => {
            let gids: Vec<String> = groups.as_slice().iter().map(|&gid| id(gid)).collect();
            format!("setgroups([{}])", gids.join(", "))
        }
    }
}

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
        let (tried, differ) = (self.tried(), self.mismatches());
        match differ {
            0 => write!(f, "the model agrees with the kernel in all of {tried} transitions")?,
            _ => write!(f, "the model DISAGREES with the kernel in {differ} of {tried} transitions")?,
        }
        writeln!(f, "   {seconds:.1}s")
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

#[cfg(test)]
mod tests {
    use crate::model_check::{Assertion, Checked, Mismatch, Program, Section};
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn checked(mismatches: usize) -> Checked {
        let mismatch = |number: usize| Mismatch {
            what: format!("setuid({number}) from uid 0/1/2/1 gid 1/1/1/1 groups [1]"),
            model: "returns 0, then uid 0/0/2/0 gid 1/1/1/1 groups [1]".to_owned(),
            kernel: "returns -1, then uid 0/1/2/1 gid 1/1/1/1 groups [1]".to_owned(),
        };
        let calls = Section {
            name: "setuid, setreuid, setresuid, setfsuid".to_owned(),
            tried: 57_024,
            mismatches,
            examples: (0..mismatches.min(20)).map(mismatch).collect(),
            unsupported: BTreeMap::new(),
        };
        let starts = Section {
            name: "exec of set-id files".to_owned(),
            tried: 2_604,
            unsupported: BTreeMap::from([(
                "could not make or enter a mount: Invalid argument (os error 22)".to_owned(),
                120,
            )]),
            ..Section::default()
        };
        Checked {
            release: "6.18.44".to_owned(),
            workers: 2,
            sections: vec![calls, starts],
            notes: vec![
                "dumpable is not compared: fs.suid_dumpable is 1 or unknown, so that it tells nothing".to_owned(),
            ],
            elapsed: Duration::from_millis(3_140),
        }
    }

    #[test]
    fn a_check_that_agrees() {
        insta::assert_snapshot!("model_check_that_agrees", checked(0));
    }

    #[test]
    fn a_check_that_disagrees() {
        insta::assert_snapshot!("model_check_that_disagrees", checked(23));
    }

    #[test]
    fn a_test_program() {
        let assertion = |text: &str, kernel, model| Assertion { text: text.to_owned(), kernel, model };
        let mut program = Program {
            name: "t_dropgid by setgid",
            installed: "set-group-ID 2000, started by gid 1000",
            assertions: vec![
                assertion("after setgid(1000): effective 1000", Some(true), true),
                assertion("setgid(2000) fails", Some(false), false),
            ],
        };
        insta::assert_snapshot!("sendmail_program_that_fails", program);
        program.assertions.push(assertion("after setgid(2000): real 1000", None, true));
        insta::assert_snapshot!("sendmail_program_that_could_not_be_tried", program);
    }
}
