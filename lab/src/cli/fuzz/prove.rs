//! `lab fuzz prove`.

use super::run::demand_control;
use crate::case::WRAPPERS;
use crate::cli::common::{self, Place};
use crate::fuzz::campaign::Mode;
use crate::fuzz::execute::Target;
use crate::fuzz::prove::{Row, measure};
use crate::fuzz::setup;
use crate::problem::Problem;
use crate::report::fuzz;
use crate::report::output::Output;
use crate::report::progress::Progress;
use crate::run::exit::Exit;
use crate::run::programs::PACKAGES;
use crate::run::{interrupt, session};
use crate::specimens;
use clap::Args;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

const EXAMPLES: &str = "\
Examples:
  lab fuzz prove --quick                             # one seed, 2000 executions at most for each
  lab fuzz prove checks-effective-gid                # one specimen, five seeds

Exit 0 if enough specimens are found and nothing in a sound wrapper; 10 if not.";

/// What to prove.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Subjects; none means every specimen whose flaw an input can show, and the wrappers themselves
    #[arg(value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// One seed and a small cap
    #[arg(long)]
    quick: bool,
    /// How many executions at most in each run [default: 60000, with --quick 2000]
    #[arg(long, value_name = "N")]
    cap: Option<NonZeroU64>,
    /// How many seeds [default: 5, with --quick 1]
    #[arg(long, value_name = "N")]
    seeds: Option<NonZeroU64>,
    /// How many specimens must be found in each run with novelty
    #[arg(long, value_name = "N", default_value_t = 1)]
    at_least: usize,
    /// How many subjects at once [default: the number of processors]
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let (usual_cap, usual_seeds) = if arguments.quick { (2_000, 1) } else { (60_000, 5) };
    let cap = arguments.cap.map_or(usual_cap, NonZeroU64::get);
    let seeds = arguments.seeds.map_or(usual_seeds, NonZeroU64::get);
    let names = if arguments.subjects.is_empty() { all()? } else { arguments.subjects.clone() };
    let session = arguments.place.session()?;
    let mut progress = Progress::new(out);
    let packages: Vec<&str> = PACKAGES.iter().copied().chain([specimens::PACKAGE]).collect();
    let programs = common::programs(&session.tree, &packages, &mut progress)?;
    let backend = arguments.place.backend(&programs)?;
    session::demand_sandbox(&backend.capabilities())?;
    let mut targets = Vec::new();
    for name in &names {
        targets.push(setup::target(name, None, &session, &programs, std::sync::Arc::clone(&backend))?);
    }
    let interrupted = interrupt::flag()?;
    out.text(fuzz::prove_head(cap, seeds));
    let next = AtomicUsize::new(0);
    let shown = Mutex::new((out, Vec::new()));
    let jobs = arguments.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let work = || -> Result<(), Problem> {
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            let row = row(target, cap, seeds, &interrupted)?;
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            progress.print(shown.0, &fuzz::prove_row(&row, cap));
            shown.1.push(row);
            if interrupted.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.min(targets.len())).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|_| Err(Problem::internal("a worker of the proof has panicked")))
        });
        ended.collect::<Vec<_>>().into_iter().collect::<Result<(), _>>()
    })?;
    progress.end();
    let (out, rows) = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    let found = rows.iter().filter(|row| !row.sound && row.found(Mode::Novelty)).count();
    out.text(fuzz::prove_end(&rows, found));
    let false_finding = rows.iter().any(|row| row.false_finding().is_some());
    let specimens = targets.iter().any(|target| !is_sound(&target.subject));
    Ok(if false_finding || (specimens && found < arguments.at_least) {
        Exit::Failed
    } else if rows.len() < targets.len() || interrupted.load(Ordering::Relaxed) {
        Exit::Unresolved
    } else {
        Exit::Passed
    })
}

/// The wrappers, then every specimen whose flaw can be reached.
fn all() -> Result<Vec<String>, Problem> {
    let reachable = specimens::all()?.into_iter().filter(|specimen| specimen.not_by_input.is_none());
    Ok(WRAPPERS.iter().map(|name| (*name).to_owned()).chain(reachable.map(|specimen| specimen.name)).collect())
}

fn is_sound(subject: &str) -> bool {
    setup::is_wrapper(subject)
        || specimens::all()
            .unwrap_or_default()
            .iter()
            .any(|specimen| specimen.name == subject && specimen.diagnosis.is_none())
}

fn row(target: &Target, cap: u64, seeds: u64, interrupted: &AtomicBool) -> Result<Row, Problem> {
    let sound = is_sound(&target.subject);
    if sound {
        demand_control(target)?;
    }
    let mut runs = Vec::new();
    // Blind finds nothing in a sound one that the other does not.
    let modes: &[Mode] = if sound { &[Mode::Novelty] } else { &[Mode::Novelty, Mode::Blind] };
    for &mode in modes {
        for seed in 1..=seeds {
            if !interrupted.load(Ordering::Relaxed) {
                runs.push(measure(target, mode, seed, cap, interrupted)?);
            }
        }
    }
    Ok(Row { subject: target.subject.clone(), sound, runs })
}
