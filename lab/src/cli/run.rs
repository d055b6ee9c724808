//! `lab run`.

use crate::problem::Problem;
use crate::report::output::Output;
use crate::run::exit::Exit;
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Which cases, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// Scenarios or cases by id; `*` stands for anything but `/`, `**` for anything
    #[arg(value_name = "ID")]
    pub(crate) patterns: Vec<String>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// How to run.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// How many workers [default: as many as the machine has processors]
    #[arg(long, short, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Where the scenarios are, instead of the tree's own
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Option<PathBuf>,
}

/// Runs what was asked for.
pub(crate) fn run(arguments: &Arguments, _out: &mut Output) -> Result<Exit, Problem> {
    let jobs = arguments.options.jobs.map_or(0, NonZeroUsize::get);
    Err(Problem::internal(format!("no backend is built in yet ({} patterns, {jobs} jobs)", arguments.patterns.len())))
}
