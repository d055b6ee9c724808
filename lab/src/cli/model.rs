//! `lab model`.

use crate::model_check;
use crate::problem::Problem;
use crate::report::output::{Output, notice};
use crate::run::exit::Exit;
use crate::run::programs::Programs;
use crate::run::tree::Tree;
use clap::{Args, Subcommand};
use std::num::NonZeroUsize;

/// What to do with the model.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Compare the model's kernel rules with the running kernel, transition by transition
    Check(Check),
}

const EXAMPLES: &str = "\
Examples:
  lab model check               # count, mismatches, time
  lab model check --report      # and the assertions of sendmail's test programs";

/// How to check.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Check {
    /// How many agents ask the kernel [default: as many as the machine has processors]
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Answer each assertion of sendmail's test programs (t_setuid and its kin) as well
    #[arg(long)]
    report: bool,
}

/// Does what was asked for.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let Command::Check(check) = &arguments.command;
    let programs = Programs::provide(&Tree::find()?, &["lab-agent"], &mut |step| notice(step))?;
    let agent = programs.path("lab-agent")?;
    let jobs = check.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let checked = model_check::check(agent, jobs)?;
    out.text(&checked);
    let mut agree = checked.mismatches() == 0;
    let mut tried = checked.tried() > 0;
    if check.report {
        out.line(format_args!(
            "\n{:<78}{:>10}{:>10}",
            "sendmail's test programs: does each assertion hold?", "kernel", "model"
        ));
        for program in model_check::sendmail_programs(agent)? {
            out.text(format_args!("\n{program}"));
            agree &= program.agrees();
            tried &= program.passes().is_some();
        }
    }
    Ok(match (agree, tried) {
        (false, _) => Exit::Failed,
        (true, false) => Exit::Unresolved,
        (true, true) => Exit::Passed,
    })
}
