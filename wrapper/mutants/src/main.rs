//! Judges what cargo-mutants found, of one run or of several shards: which mutants were noticed, which survived and are
//! explained, and whether that is enough.
//!
//! Exit status: 0 if it is; 1 if a survivor is not explained, an explanation has rotted or the score is too low; 2 if the
//! results cannot be judged, or there was something to judge and nothing has been; 3 if nothing is wrong so far, but not
//! every mutant has been judged.

mod judge;
mod outcomes;
mod survivors;

use clap::Parser;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Judge the results of cargo-mutants
#[derive(Parser)]
#[command(name = "mutation-score")]
struct Arguments {
    /// Every mutant of the tree: what `cargo mutants --list --json` wrote
    #[arg(long, value_name = "FILE")]
    all: PathBuf,

    /// The survivors that are explained
    #[arg(long, value_name = "FILE")]
    survivors: PathBuf,

    /// The results are to be those of all mutants: demand each of them, the score, and that each explained one survived
    #[arg(long)]
    whole: bool,

    /// Directory of the workspace, whose files the mutants name
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,

    /// Directories of results, `mutants.out`; of a mutant that is in several the strongest result counts
    #[arg(value_name = "DIR")]
    results: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (text, status) = match judged(&arguments) {
        Ok(report) => (report.to_string(), report.status()),
        Err(problem) => (format!("mutation-score: {problem}\n"), 2),
    };
    // Nobody is left to tell that standard output is closed; the status still says it.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(status)
}

fn judged(arguments: &Arguments) -> Result<judge::Report, String> {
    let all = outcomes::Catalogue::read(&arguments.all, &arguments.root)?;
    let explained = survivors::read(&arguments.survivors)?;
    let results = outcomes::read(&arguments.results)?;
    judge::judge(&all, &explained, &results, arguments.whole)
}

/// Says which file is wrong.
fn at<E: Display>(path: &Path) -> impl Fn(E) -> String {
    move |error| format!("{}: {error}", path.display())
}
