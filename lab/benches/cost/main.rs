//! What a case costs, as ratios within one run: `cargo bench -p lab`. Machines are noisy, so nothing here is compared with
//! a figure of another machine or day. The bars are the project's promises; only a figure beyond twice its bar fails,
//! because a shared machine may be slow at any moment.
//!
//! | row | what is timed |
//! |---|---|
//! | floor | the same wrapper and script, started by posix_spawn (vfork) without a sandbox by the same identity |
//! | isolated | one case through the backend: fresh mounts, identity, exec, witness, tree difference, reaping |
//! | throughput | the default mix on one worker and on two; cases that wait by design are counted apart |
//! | start | wrapper to refusal against an empty static program |
//! | neighbours | the same two starts by a shell script with unshare and an overlay, and by `docker run` |

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod floor;
mod mix;
mod neighbours;
mod table;

use floor::Floor;
use lab::problem::Problem;
use mix::median;
use std::path::Path;
use std::process::ExitCode;
use table::Table;

/// How often floor and isolated case take turns.
const TURNS: usize = 5;

/// Where the table is kept, below the target directory.
const RECORD: &str = "cost.txt";

fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == floor::INNER) {
        return floor::inner(&arguments[1..]);
    }
    // `cargo test --benches` and `cargo bench NAME` start this too; there is one bench, and it takes no name.
    if arguments.iter().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    match measure() {
        Ok(table) => {
            print!("{table}");
            let record = Path::new(env!("CARGO_TARGET_TMPDIR")).join(RECORD);
            match std::fs::write(&record, table.to_string()) {
                Ok(()) => println!("recorded in {}", record.display()),
                Err(error) => println!("not recorded: {}: {error}", record.display()),
            }
            if table.broken() { ExitCode::from(10) } else { ExitCode::SUCCESS }
        }
        Err(problem) => {
            println!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<Table, Problem> {
    let mut table = Table::default();
    let ready = mix::Ready::new()?;
    // By turns, so that a moment in which the machine is slow meets both sides of a ratio.
    let ground = floor::Ground::new(&ready)?;
    let turns: Vec<(Floor, f64)> =
        (0..TURNS).map(|_| Ok((ground.measure()?, ready.isolated()?))).collect::<Result<_, Problem>>()?;
    let over = |of: fn(&(Floor, f64)) -> f64| median(&mut turns.iter().map(of).collect::<Vec<_>>());
    let isolated = over(|(_, isolated)| *isolated);
    table.row("starts timed for each median", (TURNS * mix::ROUNDS) as f64, "");
    table.row("floor: the same starts by vfork", over(|(floor, _)| floor.case_us), "µs");
    table.row("isolated case", isolated, "µs");
    table.ratio("isolated case / floor", over(|(floor, isolated)| isolated / floor.case_us), 2.5);
    table.row("empty static program, start to end", over(|(floor, _)| floor.empty_us), "µs");
    table.row("wrapper, start to refusal", over(|(floor, _)| floor.refusal_us), "µs");
    table.ratio("wrapper to refusal / empty program", over(|(floor, _)| floor.refusal_us / floor.empty_us), 1.6);
    ready.throughput(&mut table, isolated)?;
    ready.model(&mut table)?;
    neighbours::measure(&mut table, &ground, isolated)?;
    ready.whole_run(&mut table)?;
    Ok(table)
}
