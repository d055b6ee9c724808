//! `lab profile`.

use super::common;
use crate::problem::Problem;
use crate::profile::draft;
use crate::report::output::Output;
use crate::run::exit::Exit;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  lab profile new /usr/lib/mailman/mail/mailman > debian.toml";

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Draft a profile from an installed wrapper, to be read and corrected by a person
    #[command(after_help = EXAMPLES)]
    New {
        /// The installed program, by its absolute path
        path: PathBuf,
        /// Where the scenarios are, instead of the tree's own
        #[arg(long, value_name = "DIR")]
        scenarios: Option<PathBuf>,
    },
}

/// Drafts a profile on standard output.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let Command::New { path, scenarios } = &arguments.command;
    let session = common::session(scenarios.as_deref())?;
    let text = draft::draft(path, &session.suite.accounts).map_err(|report| common::complain(&[*report]))?;
    out.text(text);
    Ok(Exit::Passed)
}
