//! `lab diff`.

use super::common::records;
use crate::problem::Problem;
use crate::record::diff::{Changed, Said, diff};
use crate::record::divergence::{Divergences, divergences};
use crate::record::read::Record;
use crate::report::output::Output;
use crate::run::exit::Exit;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  lab diff k3f m7q              # what changed from one run to the other
  lab diff --evidence k3f m7q   # in all that was observed";

/// Which records.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A run or a directory with a record
    old: String,
    /// Another
    new: String,
    /// Compare all that was observed, not only verdicts and decisions
    #[arg(long)]
    evidence: bool,
}

/// Says what changed between two runs: machines, subjects, verdicts, decisions, or all evidence. Exit 10 if a case did.
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
    if arguments.evidence {
        return compare(&old, &new, ["old", "new"], out);
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

/// Says in what the evidence of two runs differs, each of which has a name here.
pub(super) fn compare(one: &Record, other: &Record, names: [&str; 2], out: &mut Output) -> Result<Exit, Problem> {
    let found = divergences(one, other)
        .map_err(|error| Problem::internal("evidence cannot be taken apart".to_owned()).found(error))?;
    out.text(divergent(&found, names));
    Ok(match (found.cases.len(), found.same) {
        (0, 0) => Exit::Unresolved,
        (0, _) => Exit::Passed,
        _ => Exit::Failed,
    })
}

/// The whole comparison in words.
fn divergent(found: &Divergences, [one, other]: [&str; 2]) -> String {
    let mut text = String::new();
    let width = one.len().max(other.len());
    for case in &found.cases {
        text.push_str(&format!("DIVERGES  {}\n", case.id));
        for (field, first, second) in &case.fields {
            text.push_str(&format!("  {field}\n    {one:<width$}  {first}\n    {other:<width$}  {second}\n"));
        }
    }
    let (same, diverge) = (found.same, found.cases.len());
    text.push_str(&format!("{diverge} diverge   {same} the same, verdict and evidence"));
    let declared: usize = found.declared.values().sum();
    if declared > 0 {
        let each = found.declared.iter().map(|(capability, count)| format!("{capability} {count}"));
        text.push_str(&format!("   {declared} in one alone, for want of: {}", each.collect::<Vec<_>>().join(", ")));
    }
    if found.neither > 0 {
        text.push_str(&format!("   {} in neither", found.neither));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
