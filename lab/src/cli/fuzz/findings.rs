//! `lab fuzz list`, `show`, `replay`, `adopt`.

use crate::cli::common::{self, Place, complain};
use crate::fuzz::adopt;
use crate::fuzz::execute::{Executed, Executor, Target};
use crate::fuzz::setup;
use crate::fuzz::store::{self, Found};
use crate::problem::Problem;
use crate::report::fuzz;
use crate::report::output::Output;
use crate::report::progress::Progress;
use crate::report::text::counted;
use crate::run::exit::Exit;
use crate::run::session::{self, Session};
use crate::run::tree::Tree;
use crate::scenario::report::suggestion;
use clap::Args;
use std::path::{Path, PathBuf};

/// Where findings are.
#[derive(Clone, Debug, Args)]
pub(super) struct Home {
    /// Where corpora and findings are [default: .lab/fuzz]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl Home {
    fn findings(&self) -> Result<Vec<Found>, Problem> {
        let home = match &self.directory {
            Some(directory) => directory.clone(),
            None => store::home(&Tree::find()?),
        };
        store::findings(&home)
    }

    /// A finding by its path or by the name of its file.
    fn find(&self, name: &Path) -> Result<Found, Problem> {
        if name.is_file() {
            return store::finding(name);
        }
        let all = self.findings()?;
        let file_name = |found: &Found| found.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let wanted = name.to_string_lossy();
        if let Some(found) = all.iter().find(|found| file_name(found).as_deref() == Some(&wanted)) {
            return Ok(found.clone());
        }
        let names: Vec<String> = all.iter().filter_map(file_name).collect();
        let problem = Problem::usage(format!("there is no finding `{wanted}`"));
        Err(match suggestion(&wanted, names.iter().map(String::as_str)) {
            Some(found) => problem.found(found),
            None => problem,
        }
        .cure("`lab fuzz list` shows the findings"))
    }
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  lab fuzz list                                          # of every subject")]
pub(crate) struct ListArguments {
    #[command(flatten)]
    home: Home,
}

pub(super) fn list(arguments: &ListArguments, out: &mut Output) -> Result<Exit, Problem> {
    let all = arguments.home.findings()?;
    for found in &all {
        let name = found.path.file_name().unwrap_or_default().to_string_lossy();
        out.line(format_args!("{name}\n    {}", found.key));
    }
    out.line(counted(all.len(), "finding"));
    Ok(Exit::Passed)
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  lab fuzz show P11-checks-effective-gid-effective-only-exit-b2f4df.inv")]
pub(crate) struct ShowArguments {
    /// A file, or its name as `lab fuzz list` shows it
    #[arg(value_name = "FINDING")]
    finding: PathBuf,
    #[command(flatten)]
    home: Home,
}

pub(super) fn show(arguments: &ShowArguments, out: &mut Output) -> Result<Exit, Problem> {
    let found = arguments.home.find(&arguments.finding)?;
    out.line(&found.key);
    out.text(fuzz::attempt(&found.attempt));
    Ok(Exit::Passed)
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  lab fuzz replay P11-checks-effective-gid-effective-only-exit-b2f4df.inv\n\nExit 0 if each of three executions shows the same finding, 10 if none does, 11 otherwise."
)]
pub(crate) struct ReplayArguments {
    /// A file, or its name as `lab fuzz list` shows it
    #[arg(value_name = "FINDING")]
    finding: PathBuf,
    /// The profile of the foreign wrapper that it is about
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    home: Home,
    #[command(flatten)]
    place: Place,
}

/// How often a finding is executed again.
const REPETITIONS: usize = 3;

pub(super) fn replay(arguments: &ReplayArguments, out: &mut Output) -> Result<Exit, Problem> {
    let found = arguments.home.find(&arguments.finding)?;
    let session = arguments.place.session()?;
    let target = installed(&found, arguments.profile.as_deref(), &session, &arguments.place, out)?;
    if !target.ground.owns(&found.attempt) {
        return Err(Problem::usage(format!("{}: was found in another installation", found.path.display()))
            .found("what is sealed, or what groups are called, is not as a campaign on this subject has it")
            .cure("fuzz the subject again; the old finding proves nothing about this installation"));
    }
    let mut executor = target.executor();
    let mut same = 0;
    let mut judged = None;
    for _ in 0..REPETITIONS {
        match executor.execute(&found.attempt)? {
            Executed::Judged(again) => {
                same += usize::from(again.key.as_ref() == Some(&found.key));
                judged = Some(again);
            }
            Executed::Untried(because) | Executed::Unjudged(because) => {
                return Err(
                    Problem::unresolved(format!("{}: cannot be judged here", found.path.display())).found(because)
                );
            }
        }
    }
    out.line(&found.key);
    out.text(fuzz::attempt(&found.attempt));
    if let Some(judged) = &judged {
        out.text(fuzz::execution(judged));
    }
    let (word, exit) = match same {
        REPETITIONS => ("REPRODUCED", Exit::Passed),
        0 => ("GONE", Exit::Failed),
        _ => ("FLAKY", Exit::Unresolved),
    };
    out.line(format_args!("{word}  {same} of {REPETITIONS}"));
    Ok(exit)
}

/// Installs the subject of a finding.
fn installed(
    found: &Found,
    profile: Option<&Path>,
    session: &Session,
    place: &Place,
    out: &Output,
) -> Result<Target, Problem> {
    let profile = profile.map(|path| common::profile(path, session)).transpose()?;
    let subject = found.key.subject.as_str();
    let subject = match &profile {
        Some(profile) => subject.strip_prefix(&profile.name).and_then(|rest| rest.strip_prefix('-')).unwrap_or(subject),
        None => subject,
    };
    let mut progress = Progress::new(out);
    let programs = common::programs(&session.tree, &setup::packages(subject), &mut progress)?;
    let backend = place.backend(&programs)?;
    progress.end();
    session::demand_sandbox(&backend.capabilities())?;
    setup::target(subject, profile, session, &programs, backend)
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  lab fuzz adopt P11-checks-effective-gid-effective-only-exit-b2f4df.inv --as regressions/gid"
)]
pub(crate) struct AdoptArguments {
    /// A file, or its name as `lab fuzz list` shows it
    #[arg(value_name = "FINDING")]
    finding: PathBuf,
    /// Name of the scenario [default: regressions/ and the name of the file]
    #[arg(long = "as", value_name = "FOLDER/NAME")]
    name: Option<String>,
    #[command(flatten)]
    home: Home,
    /// Where the scenarios are, instead of the tree's own
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

pub(super) fn adopt(arguments: &AdoptArguments, out: &mut Output) -> Result<Exit, Problem> {
    let found = arguments.home.find(&arguments.finding)?;
    let session = common::session(arguments.scenarios.as_deref())?;
    let stem = found.path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = arguments.name.clone().unwrap_or_else(|| format!("regressions/{stem}"));
    let text = adopt::scenario(&found, &name, &session.suite.accounts)?;
    let path =
        crate::scenario::scaffold::create(&session.scenarios, &name, &text).map_err(|report| complain(&[*report]))?;
    out.line(path.display());
    Ok(Exit::Passed)
}
