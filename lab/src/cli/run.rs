//! `lab run`.

use super::common::{self, Place, lab_name};
use crate::capability::Capability;
use crate::case::CaseId;
use crate::problem::Problem;
use crate::record::read::Record;
use crate::record::{self, write::Writer};
use crate::report::github::Github;
use crate::report::output::{Output, WIDTH, notice};
use crate::report::progress::Progress;
use crate::report::sinks::Sinks;
use crate::report::terminal::Terminal;
use crate::run::collect::Settings;
use crate::run::event::Event;
use crate::run::exit::Exit;
use crate::run::plan::Plan;
use crate::run::programs::PACKAGES;
use crate::run::select::{Slice, Wanted, select};
use crate::run::session::{self, Session};
use crate::run::waiver::{Allowed, Waivers};
use crate::run::{engine, interrupt};
use crate::verdict::Verdict;
use clap::Args;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  lab run install                                       # the scenarios of a directory
  lab run 'group-mismatch/*/*×mail'                     # the column `mail` of every matrix there
  lab run --failed k3f                                  # what did not pass in that run, once more
  lab run --subject mail-wrapper=./mail-wrapper script  # another file than the one that is built
  lab run --profile debian group-mismatch               # an installed wrapper of somebody else's
  lab run --junit lab.xml --matrix matrix.md install    # reports for CI
  lab run --record evidence --record-subject script     # a record that replays elsewhere
  lab run --backend both install                        # in containers and in namespaces, compared";

/// Which cases, and how. Where `GITHUB_ACTIONS` is `true` failures are annotations as well, and `GITHUB_STEP_SUMMARY` gets a
/// summary.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Scenarios or cases by id, or directories of them; `*` stands for anything but `/`, `**` for anything
    #[arg(value_name = "ID")]
    pub(crate) patterns: Vec<String>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// How to run.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// How many workers [default: two for each processor, since some cases wait]
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Only what failed or was unresolved in a run, or in the newest one
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "", help_heading = "Selection")]
    failed: Option<String>,
    /// Only this share of the selected cases: slice:M/N
    #[arg(long, value_name = "SLICE", help_heading = "Selection")]
    partition: Option<Slice>,
    /// Stop at the first failure
    #[arg(long, help_heading = "Verdicts")]
    fail_fast: bool,
    /// Exit 11 if a case is unsupported for want of a capability
    #[arg(long, help_heading = "Verdicts")]
    strict: bool,
    /// Exit 11 at once unless the machine has these capabilities
    #[arg(long, value_name = "CAP,…", value_delimiter = ',', value_parser = common::capability, help_heading = "Verdicts")]
    require: Vec<Capability>,
    /// Cases may be unsupported for want of the capabilities in this file, and of no others
    #[arg(long, value_name = "FILE", help_heading = "Verdicts")]
    allow_unsupported: Option<PathBuf>,
    /// Test this file in place of the program of that name
    #[arg(long, value_name = "NAME=PATH", value_parser = common::given, help_heading = "Subject")]
    subject: Vec<(String, PathBuf)>,
    /// Test the wrappers which this profile describes; they are not of this project
    #[arg(long, value_name = "FILE", help_heading = "Subject")]
    profile: Option<PathBuf>,
    /// Write JUnit's XML
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    junit: Option<PathBuf>,
    /// Write the events as JSON lines; - is standard output, and the report then goes to standard error
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,
    /// Write which identities were tried with which installation modes, as .md or .csv
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    matrix: Option<PathBuf>,
    /// Record into this empty directory instead of .lab/runs
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    record: Option<PathBuf>,
    /// Put the programs under test into the record, so that it can be replayed elsewhere
    #[arg(long, help_heading = "Reports")]
    record_subject: bool,
}

/// Runs what was asked for.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let options = &arguments.options;
    if let Some(places) = options.place.compared() {
        return both(arguments, places, out);
    }
    if options.json.as_deref() == Some(Path::new("-")) {
        return run_to(arguments, &mut Output::stderr()).map(|(exit, _)| exit);
    }
    run_to(arguments, out).map(|(exit, _)| exit)
}

/// Runs the same on two backends and compares what they observed. The exit status is the first that is not 0: of the one, of
/// the other, of the comparison.
fn both(arguments: &Arguments, places: [(&'static str, Place); 2], out: &mut Output) -> Result<Exit, Problem> {
    let options = &arguments.options;
    let reports = [&options.junit, &options.json, &options.matrix, &options.record];
    if reports.into_iter().any(Option::is_some) || options.fail_fast {
        return Err(Problem::usage("--backend both: reports, records and --fail-fast are those of one run")
            .cure("run each backend by itself with them, then lab diff --evidence RUN RUN"));
    }
    let home = common::records()?;
    let mut exits = Vec::new();
    let mut records = Vec::new();
    for (name, place) in &places {
        out.line(format_args!("== {name}"));
        let options = Options { place: place.clone(), ..options.clone() };
        let (exit, run) = run_to(&Arguments { options, ..arguments.clone() }, out)?;
        exits.push(exit);
        // Without a record nothing can be compared: a run that was not recorded says so, and why.
        let run = run.ok_or_else(|| Problem::unresolved(format!("the run with {name} is not recorded")))?;
        records.push(Record::find(&home, &run)?);
        out.line("");
    }
    let [one, other] = records.as_slice() else { return Err(Problem::internal("two runs make two records")) };
    out.line("== compared");
    exits.push(super::diff::compare(one, other, places.map(|(name, _)| name), out)?);
    Ok(exits.into_iter().find(|exit| *exit != Exit::Passed).unwrap_or(Exit::Passed))
}

/// Runs it once; the exit status, and the name of the run if it is recorded among the others.
fn run_to(arguments: &Arguments, out: &mut Output) -> Result<(Exit, Option<String>), Problem> {
    let options = &arguments.options;
    let session = options.place.session()?;
    let home = record::home(&session.tree);
    let wanted = Wanted {
        patterns: arguments.patterns.clone(),
        only: options.failed.as_deref().map(|run| not_passed(&home, run)).transpose()?,
        slice: options.partition,
    };
    let selected = select(&session.suite.cases, &wanted)?;
    let given = common::all_given(&options.subject)?;
    let subjects = selected.places.iter().map(|&place| &session.suite.cases[place].subject);
    session::demand_used(&given, &session::programs_of(subjects))?;
    if let Some(dir) = &options.record {
        record::demand_empty(dir)?;
    }
    let allowed =
        options.allow_unsupported.as_deref().map(|file| Allowed::read(file, &session::kernel())).transpose()?;
    let waivers =
        Waivers::read(&session.scenarios.join("known-failures.toml"), &session.suite.cases, &session::today())?;

    let mut progress = Progress::new(out);
    let programs = common::programs(&session.tree, PACKAGES, &mut progress)?;
    let backend = options.place.backend(&programs)?;
    let capabilities = backend.capabilities();
    session::demand_sandbox(&capabilities)?;
    session::require(&options.require, &capabilities)?;
    let profile = options.profile.as_deref().map(|path| common::profile(path, &session)).transpose()?;
    let cases = session.cases(&selected, profile.as_ref());
    let (plan, subjects) = session::plan(cases, &programs, &given, profile.as_ref())?;

    let settings = Settings {
        jobs: common::jobs(options.jobs),
        fail_fast: options.fail_fast,
        strict: options.strict,
        allowed,
        waivers,
        interrupted: interrupt::flag()?,
    };
    let lab = lab_name();
    let elsewhere = options.record.as_ref().map(|dir| dir.display().to_string());
    let terminal = Terminal::new(&lab, WIDTH, false).named(elsewhere);
    let mut sinks = Sinks::new(out, &progress, terminal);
    if let Some(path) = &options.json {
        sinks.json(path)?;
    }
    if let Some(path) = &options.junit {
        sinks.junit(path, &lab)?;
    }
    if let Some(path) = &options.matrix {
        sinks.coverage(path)?;
    }
    if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        // An annotation names a file of the repository.
        let scenarios = session.scenarios.strip_prefix(session.tree.root()).ok().and_then(Path::to_str);
        let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
        sinks.github(Github::new(&lab, scenarios.map(str::to_owned)), summary.map(PathBuf::from));
    }
    // Only now, so that a report which cannot be written leaves no empty record behind.
    let (run, dir) = match &options.record {
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .map_err(|error| Problem::usage(format!("{}: cannot be made", dir.display())).found(error))?;
            (record::name_of_now(), Some(dir.clone()))
        }
        None => match record::claim(&home) {
            Ok((run, dir)) => (run, Some(dir)),
            Err(problem) => {
                notice(format_args!("note: this run is not recorded: {problem}"));
                (record::name_of_now(), None)
            }
        },
    };
    if let Some(dir) = &dir {
        let mut writer = Writer::new(dir, record::write::private_parts(session.tree.root()))?;
        let kept = keep_inputs(&mut writer, &session, &plan, options.record_subject);
        kept.map_err(|error| Problem::internal(format!("{}: cannot be written", dir.display())).found(error))?;
        sinks.record(writer);
    }

    let machine = session::machine(backend.as_ref(), &capabilities, &programs);
    let title = profile.map(|profile| format!("{}: {}", profile.name, profile.title));
    sinks.take(&Event::Started(Box::new(session::started(&run, &session, &selected, machine, subjects, title))));
    progress.cases(plan.cases.len());
    let judge = common::judge();
    let summary = engine::run(plan, backend, &capabilities, judge, &settings, &mut |event| sinks.take(event));
    let problems = sinks.finish();
    if options.record.is_none() {
        record::prune(&home, record::KEPT, record::BUDGET);
    }
    match (&dir, &options.record) {
        (Some(_), Some(named)) => out.text(format_args!("recorded in {} · ", named.display())),
        (Some(_), None) => out.text(format_args!("recorded as {run} · ")),
        (None, _) => {}
    }
    out.line(format_args!("exit {}", if problems.is_empty() { summary.exit } else { Exit::Internal.code() }));
    for problem in &problems {
        notice(format_args!("error: {problem}"));
    }
    let recorded = (dir.is_some() && options.record.is_none()).then_some(run);
    if !problems.is_empty() {
        return Ok((Exit::Internal, recorded));
    }
    let exit = Exit::ALL.iter().find_map(|(exit, _)| (exit.code() == summary.exit).then_some(*exit));
    let exit = exit.ok_or_else(|| Problem::internal(format!("{} is no exit status", summary.exit)))?;
    Ok((exit, recorded))
}

/// The cases of a run that did not pass and can be tried again.
fn not_passed(home: &Path, run: &str) -> Result<BTreeSet<CaseId>, Problem> {
    let record = if run.is_empty() { Record::latest(home)? } else { Record::find(home, run)? };
    let again = |verdict: &Verdict| {
        matches!(verdict, Verdict::Fail { .. } | Verdict::Unresolved { .. } | Verdict::UnexpectedPass { .. })
    };
    let cases: BTreeSet<CaseId> =
        record.cases().filter(|case| again(&case.verdict)).map(|case| case.id.clone()).collect();
    if cases.is_empty() {
        return Err(Problem::nothing_selected(format!("nothing failed in run {}", record.started.run)));
    }
    Ok(cases)
}

/// Puts into the record what the events do not hold.
fn keep_inputs(writer: &mut Writer, session: &Session, plan: &Plan, subjects: bool) -> std::io::Result<()> {
    let ids: BTreeSet<&str> = plan.cases.iter().map(|planned| planned.case.scenario.id.as_str()).collect();
    let files = ids.iter().map(|id| format!("{id}.toml")).chain([crate::scenario::IDENTITIES.to_owned()]);
    for file in files {
        let text = std::fs::read(session.scenarios.join(&file))?;
        writer.file(&format!("scenarios/{file}"), &text)?;
    }
    if subjects {
        for (name, program) in plan.subjects.programs() {
            writer.subject(name, program)?;
        }
        for (digest, name, at, section) in plan.subjects.sections() {
            writer.section(digest, name, at, section)?;
        }
    }
    Ok(())
}
