//! `lab diff`.

use super::common::records;
use crate::problem::Problem;
use crate::record::diff::{Changed, Said, diff};
use crate::record::read::Record;
use crate::report::output::Output;
use crate::run::exit::Exit;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  lab diff k3f m7q              # what changed from one run to the other";

/// Which records.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A run or a directory with a record
    old: String,
    /// Another
    new: String,
}

/// Says what changed between two runs: machines, subjects, verdicts, decisions. Exit 10 if a case did.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let home = records()?;
    let (old, new) = (Record::find(&home, &arguments.old)?, Record::find(&home, &arguments.new)?);
    let found = diff(&old, &new);
    for line in &found.surroundings {
        out.line(line);
    }
    if !found.surroundings.is_empty() {
        out.line("");
    }
    for case in &found.cases {
        out.text(changed(case));
    }
    out.line(format_args!("{} changed   {} the same", found.cases.len(), found.same));
    Ok(if found.cases.is_empty() { Exit::Passed } else { Exit::Failed })
}

fn changed(case: &Changed) -> String {
    let say = |said: &Option<Said>| match said {
        Some(said) => format!("{}: {}", said.verdict, said.decision),
        None => "not in this run".to_owned(),
    };
    format!("{}\n  old  {}\n  new  {}\n", case.id, say(&case.old), say(&case.new))
}
