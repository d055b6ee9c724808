//! `lab list`.

use super::common;
use crate::problem::Problem;
use crate::report::output::Output;
use crate::run::exit::Exit;
use crate::run::select::{Wanted, select};
use crate::scenario::listing;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  lab list install              # cases with their expected outcomes
  lab list --scenarios-only     # scenarios with their titles
  lab list --by-source          # which cases prove which rule";

/// What to list.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Scenarios or cases by id, or directories of them; `*` stands for anything but `/`, `**` for anything
    #[arg(value_name = "ID")]
    patterns: Vec<String>,
    /// List the rules, each with the cases that prove it
    #[arg(long, conflicts_with = "scenarios_only")]
    by_source: bool,
    /// List scenarios with their titles instead of cases
    #[arg(long)]
    scenarios_only: bool,
    /// Where the scenarios are, instead of the tree's own
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

/// Lists what `lab run` with the same patterns would run.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let session = common::session(arguments.scenarios.as_deref())?;
    let suite = &session.suite;
    let selected = select(&suite.cases, &Wanted { patterns: arguments.patterns.clone(), ..Wanted::default() })?;
    let cases = || selected.places.iter().map(|&place| suite.cases[place].as_ref());
    if arguments.by_source {
        out.text(listing::by_source_text(&listing::by_source(cases())));
        return Ok(Exit::Passed);
    }
    let mut last = None;
    for case in cases() {
        if !arguments.scenarios_only {
            out.line(format_args!("{}  {}", case.id, case.expected));
        } else if last != Some(&case.scenario.id) {
            out.line(format_args!("{}  {}", case.scenario.id, case.scenario.title));
        }
        last = Some(&case.scenario.id);
    }
    Ok(Exit::Passed)
}
