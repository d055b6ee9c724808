//! `lab check`.

use super::common;
use crate::problem::Problem;
use crate::report::output::Output;
use crate::report::text::counted;
use crate::run::exit::Exit;
use crate::run::session::today;
use crate::run::waiver::Waivers;
use crate::scenario::{DEPLOY, DOCKER, PROFILES, deploy, engine, source};
use crate::{predict, profile::Profile};
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  lab check                     # every file of the tree
  lab check --scenarios my-scenarios   # those of another directory";

/// Of which files.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where the scenarios are, instead of the tree's own
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

/// Reads every scenario file and compares each stated outcome with what the model predicts. Nothing is run.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let session = common::session(arguments.scenarios.as_deref())?;
    let suite = &session.suite;
    let mut reports = predict::check(suite);
    let mut profiles = 0;
    for path in common::toml_files(&session.scenarios.join(PROFILES)) {
        profiles += 1;
        let read = source(&path).map_err(|report| vec![*report]);
        if let Err(mut found) = read.and_then(|source| Profile::read(&source, &suite.accounts)) {
            reports.append(&mut found);
        }
    }
    if !reports.is_empty() {
        return Err(common::complain(&reports));
    }
    let servers = common::toml_files(&session.scenarios.join(DEPLOY));
    let deploy = servers.iter().map(|path| deploy::read(path)).collect::<Result<Vec<_>, _>>()?;
    let messages = deploy.iter().map(|file| file.cases.len()).sum();
    let engines = common::toml_files(&session.scenarios.join(DOCKER));
    let engines = engines.iter().map(|path| engine::read(path)).collect::<Result<Vec<_>, _>>()?;
    let containers = engines.iter().map(|file| file.cases.len()).sum();
    let waivers = Waivers::read(&session.scenarios.join("known-failures.toml"), &suite.cases, &today())?;
    for complaint in waivers.complaints() {
        out.line(complaint);
    }
    out.line(format_args!(
        "{}, {} and {} hold together",
        counted(suite.scenarios.len(), "scenario"),
        counted(suite.cases.len(), "case"),
        counted(profiles, "profile"),
    ));
    if messages > 0 {
        let (servers, messages) = (counted(deploy.len(), "deploy scenario"), counted(messages, "case"));
        out.line(format_args!("{servers} with {messages} can be read: what they say of real servers, lab deploy asks"));
    }
    if containers > 0 {
        let (engines, containers) = (counted(engines.len(), "scenario"), counted(containers, "case"));
        out.line(format_args!("{engines} of an engine with {containers} can be read: lab deploy asks them, too"));
    }
    let partly = predict::partly_known(suite);
    if partly > 0 {
        out.line(format_args!(
            "{} with system calls or limits of which the model knows only that they never turn a refusal into an admission",
            counted(partly, "case"),
        ));
    }
    Ok(if waivers.complaints().is_empty() { Exit::Passed } else { Exit::Waiver })
}
