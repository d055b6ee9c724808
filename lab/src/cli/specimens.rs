//! `lab specimens`.

use super::common::{self, Place, jobs};
use crate::problem::Problem;
use crate::report::output::Output;
use crate::report::progress::Progress;
use crate::run::exit::Exit;
use crate::run::programs::PACKAGES;
use crate::run::session;
use crate::specimens::{self, Bench, Specimen};
use clap::Args;
use std::num::NonZeroUsize;

const EXAMPLES: &str = "\
Examples:
  lab specimens sound leaves-umask   # two of them; all take minutes
  lab specimens --cases leaves-umask # one, with each case that it failed";

/// Which specimens.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Specimens by name; none means all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// How many workers [default: two for each processor, since some cases wait]
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// List every failed case with its diagnoses
    #[arg(long)]
    cases: bool,
    #[command(flatten)]
    place: Place,
}

/// Runs the suite against each, and says which were caught for their own flaw.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let chosen = choose(&arguments.names)?;
    let suite = arguments.place.session()?;
    let mut progress = Progress::new(out);
    let packages: Vec<&str> = PACKAGES.iter().copied().chain([specimens::PACKAGE]).collect();
    let programs = common::programs(&suite.tree, &packages, &mut progress)?;
    let backend = arguments.place.backend(&programs)?;
    let capabilities = backend.capabilities();
    session::demand_sandbox(&capabilities)?;
    let jobs = jobs(arguments.jobs);
    let bench = Bench { session: &suite, programs: &programs, backend, capabilities: &capabilities, jobs };
    let mut rows = Vec::new();
    for specimen in &chosen {
        progress.doing(&format!("specimen {}", specimen.name));
        let row = bench.judge(specimen)?;
        progress.print(out, &row.to_string());
        if arguments.cases {
            progress.print(out, &row.cases());
        }
        rows.push(row);
    }
    progress.end();
    out.line(specimens::conclusion(&rows));
    Ok(specimens::exit(&rows))
}

fn choose(names: &[String]) -> Result<Vec<Specimen>, Problem> {
    let all = specimens::all()?;
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|specimen| specimen.name == **name)) {
        let known: Vec<&str> = all.iter().map(|specimen| specimen.name.as_str()).collect();
        return Err(Problem::usage(format!("there is no specimen `{unknown}`"))
            .found(format!("the specimens are {}", known.join(", "))));
    }
    Ok(all.into_iter().filter(|specimen| names.is_empty() || names.contains(&specimen.name)).collect())
}
