//! The command line: one file for each command, nothing but arguments, wiring and exit status.

mod check;
mod clean;
mod common;
mod deploy;
mod diff;
mod explain;
mod fuzz;
mod images;
mod list;
mod model;
mod new;
mod preflight;
mod profile;
mod replay;
mod run;
mod schema;
mod shell;
mod show;
mod specimens;

use crate::problem::Problem;
use crate::report::output::{Output, notice};
use crate::run::exit::Exit;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Runs set-group-ID wrappers under every identity, mount and environment that matters, compares what happened with
/// what an independent model says must happen, and explains every difference.
///
/// Without a command it runs every scenario.
#[derive(Debug, Parser)]
#[command(name = "lab", version, args_conflicts_with_subcommands = true)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS}"))]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Options,
}

const EXAMPLES: &str = "\
Examples:
  lab                           # every scenario
  lab run install               # some
  lab explain group-mismatch    # what a finding means
  lab preflight                 # what can be tested on this machine";

const EXIT_STATUS: &str = "\
Exit status:
   0  all pass
   1  internal error
   2  usage or scenario file error
  10  a case failed
  11  something is unresolved, a control fell, or nothing passed
  12  a known failure passed, or a waiver is stale
  13  nothing was selected";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios
    Run(Box<run::Arguments>),
    /// List cases, or the rules which they prove
    List(list::Arguments),
    /// Read every scenario file, and compare what it states with what the model predicts
    Check(check::Arguments),
    /// Make a scenario file to start from
    New(new::Arguments),
    /// Print the JSON Schema of scenario files
    Schema(schema::Arguments),
    /// Describe wrappers which are not of this project
    Profile(profile::Arguments),
    /// The independent model of what must happen
    Model(model::Arguments),
    /// Print a record; nothing is run
    Show(show::Arguments),
    /// Run recorded cases again, byte for byte, and compare
    ///
    /// Each ends REPRODUCED, GONE (it failed and does not any more), DIFFERENT or UNRESOLVED. Exit 0 if all are
    /// reproduced, 10 if one is gone or different, 11 if one is unresolved.
    Replay(replay::Arguments),
    /// Open a shell, or run a command, as the invoker of a case in its sandbox
    ///
    /// The case's files, accounts and wrapper are there, and the host's programs, read-only. What is done there is never
    /// recorded: it is no evidence. On a terminal the shell is interactive; otherwise it reads standard input, and what it
    /// writes is shown when it has ended.
    Shell(Box<shell::Arguments>),
    /// Say what changed between two runs; exit 10 if a verdict or a decision did
    Diff(diff::Arguments),
    /// Print the page of a finding, or say what a pasted log or bounce means: why, fixes with their price
    Explain(explain::Arguments),
    /// Run the suite against wrappers with a known defect: each must be failed, and for that defect
    Specimens(specimens::Arguments),
    /// Start a subject in ways that no scenario has, and judge each start
    Fuzz(fuzz::Arguments),
    /// Say what can be tested on this machine, and why something cannot
    Preflight(preflight::Arguments),
    /// Give real mail servers messages in containers, and compare as whom they start the wrapper
    Deploy(deploy::Arguments),
    /// Build, list or look at the images of the servers
    Images(images::Arguments),
    /// Remove containers whose lab is gone
    Clean(clean::Arguments),
}

/// Reads the command line, does what it says, reports problems.
pub fn main() -> ExitCode {
    let mut out = Output::stdout();
    match dispatch(Arguments::parse(), &mut out) {
        Ok(exit) => match out.failure() {
            Some(kind) => {
                notice(format_args!("error: standard output cannot be written\n  found  {kind}"));
                Exit::Internal.into()
            }
            None => exit,
        },
        Err(problem) => {
            notice(format_args!("error: {problem}"));
            Exit::from(&problem).into()
        }
    }
}

fn dispatch(arguments: Arguments, out: &mut Output) -> Result<ExitCode, Problem> {
    let exit = match arguments.command {
        Some(Command::Shell(arguments)) => return shell::run(&arguments, out).map(ExitCode::from),
        None => run::run(&run::Arguments { patterns: Vec::new(), options: arguments.run }, out),
        Some(Command::Run(arguments)) => run::run(&arguments, out),
        Some(Command::List(arguments)) => list::run(&arguments, out),
        Some(Command::Check(arguments)) => check::run(&arguments, out),
        Some(Command::New(arguments)) => new::run(&arguments, out),
        Some(Command::Schema(arguments)) => schema::run(&arguments, out),
        Some(Command::Profile(arguments)) => profile::run(&arguments, out),
        Some(Command::Model(arguments)) => model::run(&arguments, out),
        Some(Command::Show(arguments)) => show::run(&arguments, out),
        Some(Command::Replay(arguments)) => replay::run(&arguments, out),
        Some(Command::Diff(arguments)) => diff::run(&arguments, out),
        Some(Command::Explain(arguments)) => explain::run(&arguments, out),
        Some(Command::Specimens(arguments)) => specimens::run(&arguments, out),
        Some(Command::Fuzz(arguments)) => fuzz::run(&arguments, out),
        Some(Command::Preflight(arguments)) => preflight::run(&arguments, out),
        Some(Command::Deploy(arguments)) => deploy::run(&arguments, out),
        Some(Command::Images(arguments)) => images::run(&arguments, out),
        Some(Command::Clean(arguments)) => clean::run(&arguments, out),
    };
    exit.map(ExitCode::from)
}

#[cfg(test)]
mod tests {
    use super::{Arguments, EXIT_STATUS, Exit};
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn help_tells_every_exit_status() {
        let table: Vec<String> = Exit::ALL.iter().map(|(exit, says)| format!("{:>4}  {says}", exit.code())).collect();
        assert_eq!(EXIT_STATUS, format!("Exit status:\n{}", table.join("\n")));
    }
}
