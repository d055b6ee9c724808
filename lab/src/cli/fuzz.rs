//! `lab fuzz`.

mod findings;
mod prove;
mod run;

use crate::problem::Problem;
use crate::report::output::Output;
use crate::run::exit::Exit;
use clap::{Args, Subcommand};

/// What to do.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Fuzz a subject: mutated argv, environment, identity and process state, on the installed set-group-ID file
    Run(run::Arguments),
    /// List the findings that campaigns left
    List(findings::ListArguments),
    /// Print a finding: how the subject is started, and as whom; nothing is run
    Show(findings::ShowArguments),
    /// Execute a finding again and say whether it still shows
    Replay(findings::ReplayArguments),
    /// Write a finding as a scenario file, with the outcome that the model expects
    Adopt(findings::AdoptArguments),
    /// Say how soon planted flaws are found
    Prove(prove::Arguments),
}

/// Does it.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    match &arguments.command {
        Command::Run(arguments) => run::run(arguments, out),
        Command::List(arguments) => findings::list(arguments, out),
        Command::Show(arguments) => findings::show(arguments, out),
        Command::Replay(arguments) => findings::replay(arguments, out),
        Command::Adopt(arguments) => findings::adopt(arguments, out),
        Command::Prove(arguments) => prove::run(arguments, out),
    }
}
