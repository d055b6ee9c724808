//! `lab new`.

use super::common;
use crate::problem::Problem;
use crate::report::output::Output;
use crate::run::exit::Exit;
use crate::run::tree::Tree;
use crate::scenario::scaffold;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  lab new --scenarios my-scenarios install/my-question";

/// Which file.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Its id: FOLDER/NAME, such as install/nosuid-mount
    id: String,
    /// Where the scenarios are, instead of the tree's own
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

/// Makes a scenario file which passes `lab check` as it is.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let scenarios = match &arguments.scenarios {
        Some(dir) => dir.clone(),
        None => Tree::find()?.scenarios(),
    };
    let path =
        scaffold::create(&scenarios, &arguments.id, scaffold::TEXT).map_err(|report| common::complain(&[*report]))?;
    let lab = common::lab_name();
    out.line(format_args!("made {}; then: {lab} check, {lab} run {}", path.display(), arguments.id));
    Ok(Exit::Passed)
}
