//! `lab clean`.

use crate::problem::Problem;
use crate::report::output::Output;
use crate::run::exit::Exit;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  lab clean                     # after a power cut, or when an engine was killed";

/// What is removed. Containers of labs that run are left alone, as are those of another machine.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Wait until standard input ends, which it does with the lab that holds its other end
    #[arg(long, hide = true)]
    when_gone: bool,
}

/// Removes the containers of labs that are gone.
#[cfg(feature = "docker")]
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    if arguments.when_gone {
        let watched = crate::backend::docker::watch(&mut std::io::stdin().lock());
        return watched.map(|()| Exit::Passed).map_err(crate::images::problem);
    }
    let removed = crate::backend::docker::sweep().map_err(crate::images::problem)?;
    for run in &removed {
        out.line(format_args!("removed a container of run {run}"));
    }
    out.line(crate::report::text::counted(removed.len(), "container"));
    Ok(Exit::Passed)
}

/// Says how to get it.
#[cfg(not(feature = "docker"))]
pub(crate) fn run(Arguments { when_gone: _ }: &Arguments, _: &mut Output) -> Result<Exit, Problem> {
    Err(super::common::without_containers())
}
