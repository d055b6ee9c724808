//! `lab fuzz run`.

use crate::cli::common::{self, Place, lab_name};
use crate::fuzz::campaign::{Campaign, Finding, Mode, Settings, Tally};
use crate::fuzz::execute::{Executed, Executor, Target};
use crate::fuzz::setup;
use crate::fuzz::store::{self, Store};
use crate::problem::Problem;
use crate::report::fuzz;
use crate::report::output::{Output, notice};
use crate::report::progress::Progress;
use crate::run::exit::Exit;
use crate::run::{interrupt, session};
use clap::{Args, ValueEnum};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  lab fuzz run mail-wrapper                                 # a minute
  lab fuzz run checks-effective-gid --time 5s               # a wrapper with a known flaw
  lab fuzz run mail-wrapper --profile mailman-2.1           # a wrapper that a profile describes

Interrupt it when you like: what was kept is taken up by the next run.";

/// What to fuzz, and how long.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// mail-wrapper, cgi-wrapper, or the name of a specimen
    subject: String,
    /// Fuzz the foreign wrapper that this profile describes: a file, or the name of one in scenarios/profiles
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// How long: 30s, 10m, 2h [default: 60s, unless --executions is given]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
    /// How many executions at most
    #[arg(long, value_name = "N")]
    executions: Option<NonZeroU64>,
    /// Seed of all chance; with --jobs 1 and nothing kept the same seed makes the same attempts [default: from the clock]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many workers [default: two for each processor]
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// How attempts are chosen
    #[arg(long, value_enum, default_value_t = Choice::Novelty)]
    mode: Choice,
    /// Where corpora and findings are [default: .lab/fuzz]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// Mutate what behaved as nothing before
    Novelty,
    /// Mutate the same start each time
    Blind,
}

/// Without --time and --executions.
const USUAL: Duration = Duration::from_secs(60);
/// Between two lines about progress, where nobody watches.
const LINE: Duration = Duration::from_secs(10);

pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let session = arguments.place.session()?;
    let profile = arguments.profile.as_deref().map(|path| common::profile(path, &session)).transpose()?;
    let mut progress = Progress::new(out);
    let programs = common::programs(&session.tree, &setup::packages(&arguments.subject), &mut progress)?;
    let backend = arguments.place.backend(&programs)?;
    session::demand_sandbox(&backend.capabilities())?;
    let target = setup::target(&arguments.subject, profile, &session, &programs, backend)?;
    let home = arguments.directory.clone().unwrap_or_else(|| store::home(&session.tree));
    let store = Store::open(&home, &target.subject)?;
    let (kept, strange) = store.load(&target.ground)?;
    if strange > 0 {
        notice(format_args!(
            "note: {strange} kept files are damaged or belong to another installation; they are left alone"
        ));
    }
    let interrupted = interrupt::flag()?;
    demand_control(&target)?;
    let settings = Settings {
        seed: arguments.seed.unwrap_or_else(clock),
        mode: match arguments.mode {
            Choice::Novelty => Mode::Novelty,
            Choice::Blind => Mode::Blind,
        },
        time: arguments.time.or_else(|| arguments.executions.is_none().then_some(USUAL)),
        executions: arguments.executions.map(NonZeroU64::get),
        first: false,
    };
    out.line(format_args!("fuzz     {}  seed {}  {} kept before", target.subject, settings.seed, kept.len()));
    let executors = (0..common::jobs(arguments.jobs)).map(|_| target.executor()).collect();
    let campaign = Campaign::new(&target.ground, &settings, Some(&store), kept, &interrupted);
    let watched = out.is_terminal();
    let mut told = Duration::ZERO;
    let tally = campaign.run(executors, &mut |tally: &Tally| {
        let line = fuzz::status(tally);
        if watched {
            progress.doing(&line);
        } else if tally.elapsed >= told + LINE {
            told = tally.elapsed;
            out.line(&line);
        }
    })?;
    progress.end();
    for finding in &tally.findings {
        out.text(shown(finding, &target)?);
    }
    out.text(fuzz::summary(&tally));
    Ok(exit(&tally))
}

/// Refuses a subject whose trusted caller is rightly not admitted, or cannot be judged: then no refusal means anything.
pub(super) fn demand_control(target: &Target) -> Result<(), Problem> {
    let attempt = target.ground.attempt((*target.ground.control.invocation).clone());
    let found = match target.executor().execute(&attempt)? {
        // A refusal that must not be is a finding, which the campaign is there to make.
        Executed::Judged(judged) if judged.evidence.witness.is_empty() && judged.key.is_none() => {
            format!("it was not admitted: {}", crate::run::words::observed(&judged.evidence))
        }
        Executed::Judged(_) => return Ok(()),
        Executed::Untried(because) | Executed::Unjudged(because) => because,
    };
    Err(Problem::unresolved(format!("{}: the trusted caller's own start proves nothing", target.subject)).found(found))
}

/// A finding in full, from one more execution.
fn shown(finding: &Finding, target: &Target) -> Result<String, Problem> {
    let judged = match target.executor().execute(&finding.attempt)? {
        Executed::Judged(judged) => Some(judged),
        Executed::Untried(_) | Executed::Unjudged(_) => None,
    };
    Ok(fuzz::finding(finding, judged.as_deref(), &lab_name()))
}

/// How it ends: a finding is a failure; what nobody could judge, or what showed itself only now and then, is no pass.
fn exit(tally: &Tally) -> Exit {
    if tally.findings.iter().any(|finding| finding.confirmed) {
        Exit::Failed
    } else if tally.judged() == 0 || !tally.findings.is_empty() {
        Exit::Unresolved
    } else {
        Exit::Passed
    }
}

fn clock() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    // Short, so that a person can type it again.
    now.as_secs() % 1_000_000
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wanted = || format!("\"{text}\" is no time: write 30s, 10m or 2h");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wanted)?;
    let number: u32 = number.parse().map_err(|_| wanted())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wanted()),
    };
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::{Exit, duration, exit};
    use crate::fuzz::campaign::{Finding, Tally};
    use crate::fuzz::key::Key;
    use lab_invocation::Attempt;
    use std::time::Duration;

    #[test]
    fn times_are_read_and_others_refused() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for wrong in ["", "s", "90", "1d", "-1s", "5é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_judged_is_no_pass_and_neither_is_what_shows_now_and_then() {
        let mut tally = Tally { executions: 10, ..Tally::default() };
        assert_eq!(exit(&tally), Exit::Unresolved, "ten executions, none of them judged");
        tally.outcomes.insert("mismatch", 10);
        assert_eq!(exit(&tally), Exit::Passed);
        let key = "P01 / a / b / c / d".parse::<Key>().expect("a key");
        let after = Duration::ZERO;
        let attempt = Attempt::by_a_stranger();
        tally.findings.push(Finding { key, attempt, confirmed: false, execution: 1, after, file: None });
        assert_eq!(exit(&tally), Exit::Unresolved);
        tally.findings[0].confirmed = true;
        assert_eq!(exit(&tally), Exit::Failed);
    }
}
