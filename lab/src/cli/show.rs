//! `lab show`.

use super::common::{lab_name, records};
use crate::case::CaseId;
use crate::problem::Problem;
use crate::record::read::{Record, split};
use crate::report::case;
use crate::report::output::{Output, WIDTH, notice};
use crate::report::terminal::Terminal;
use crate::run::exit::Exit;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  lab show                                                   # the newest run
  lab show k3f                                               # every failure in full
  lab show k3f/group-mismatch/mta-identities/exim-pipe×mail  # one case, all that was observed";

/// Which record.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A run, a directory with a record, or a case of either: RUN/CASE [default: the newest run]
    #[arg(value_name = "RUN[/CASE]")]
    what: Option<String>,
}

/// Prints a record. Nothing is run.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let home = records()?;
    let (record, case) = match &arguments.what {
        None => (Record::latest(&home)?, None),
        Some(what) => {
            let (run, case) = split(&home, what);
            (Record::find(&home, run)?, case)
        }
    };
    let reference = record.reference(&home);
    match case {
        None => whole(&record, reference, out),
        Some(case) => one(&record, case, &reference, out)?,
    }
    Ok(Exit::Passed)
}

fn whole(record: &Record, reference: String, out: &mut Output) {
    let mut terminal = Terminal::new(lab_name(), WIDTH, true).named(Some(reference));
    for event in &record.events {
        out.text(terminal.take(event));
    }
    if let Some(summary) = record.summary() {
        out.line(format_args!("recorded {} · exit {}", record.started.at, summary.exit));
    } else {
        out.text(terminal.rest());
        let (done, all) = (record.cases().count(), record.started.selected);
        notice(format_args!("note: this record was cut off: {done} of {all} cases have verdicts"));
    }
}

fn one(record: &Record, id: &str, reference: &str, out: &mut Output) -> Result<(), Problem> {
    let id = CaseId(id.to_owned());
    let finished = find(record, &id)?;
    let (case, setting) = record.case(finished)?;
    out.text(case::details(finished, &case, &setting, &lab_name(), reference, WIDTH));
    Ok(())
}

/// A case of a record.
///
/// # Errors
/// The record has none of that name.
pub(crate) fn find<'a>(record: &'a Record, id: &CaseId) -> Result<&'a crate::run::event::CaseFinished, Problem> {
    record.cases().find(|case| case.id == *id).ok_or_else(|| {
        Problem::usage(format!("run {} has no case `{id}`", record.started.run)).cure(format!(
            "`{} show {}` shows its cases",
            lab_name(),
            record.started.run
        ))
    })
}
