//! `lab shell`.

use super::common::{self, Place};
use crate::backend::BackendError;
use crate::backend::namespace;
use crate::case::Case;
use crate::problem::Problem;
use crate::report::output::{Output, WIDTH, notice};
use crate::report::progress::Progress;
use crate::report::start::command_line;
use crate::report::text::{counted, labelled};
use crate::run::programs::PACKAGES;
use crate::run::session;
use crate::run::shell::{self, Wanted};
use crate::run::verdict::{unproven, unsupported};
use crate::run::words::{error, lack};
use crate::scenario::report::nearest;
use crate::verdict::Verdict;
use clap::Args;
use lab_invocation::evidence::{Capture, End, Stage};
use lab_invocation::{Bytes, Evidence};
use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// Where to go, and what to do there.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A case by its id, as `lab list` prints it
    #[arg(value_name = "CASE")]
    case: String,
    /// A command to run in place of a shell
    #[arg(value_name = "COMMAND", last = true)]
    command: Vec<OsString>,
    #[command(flatten)]
    place: Place,
    /// Install this file in place of the program of that name
    #[arg(long, value_name = "NAME=PATH", value_parser = common::given)]
    subject: Vec<(String, PathBuf)>,
    /// Install the wrappers which this profile describes; they are not of this project
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  lab shell group-mismatch/mta-identities/postfix-default×mail
  lab shell group-mismatch/mta-identities/postfix-default×mail -- id
  echo 'id; umask' | lab shell environment/hostile-invoker/umask-0-and-sigpipe-ignored

Exit status: that of the shell or the command, 128 and the number of the signal if one ended it. 1, 2 and 11, with a
message that begins with \"error:\", if the lab could not start it.";

/// Most that is read from standard input for a command, in bytes.
const MOST: u64 = 16 << 20;

/// Opens a shell, or runs a command, as the invoker of a case in its sandbox. Nothing is recorded: what a person does there
/// is no evidence. Gives the exit status.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<u8, Problem> {
    let session = arguments.place.session()?;
    let case = find(&session.suite.cases, &arguments.case)?;
    let mut progress = Progress::new(out);
    let programs = common::programs(&session.tree, PACKAGES, &mut progress)?;
    progress.end();
    let given = common::all_given(&arguments.subject)?;
    let profile = arguments.profile.as_deref().map(|path| common::profile(path, &session)).transpose()?;
    let asked = session::asked(case, profile.as_ref());
    if let Some(because) = &asked.unsupported {
        return Err(Problem::unresolved(format!("{}: cannot be asked of this wrapper", case.id)).found(because));
    }
    let backend = arguments.place.backend(&programs)?;
    if let Some(Verdict::Unsupported { needs, because }) = unsupported(case, &backend.capabilities()) {
        return Err(Problem::unresolved(format!("{}: its sandbox cannot be made on this machine", case.id))
            .found(lack(needs, &because))
            .cure("`lab preflight` shows what can be had here"));
    }
    let (plan, _) = session::plan(vec![asked], &programs, &given, profile.as_ref())?;
    let [planned] = plan.cases.as_slice() else { return Err(Problem::internal("one case became several")) };
    let case = planned.case.as_ref();
    let mut layout = plan.setting(planned).layout.clone();
    shell::furnish(&mut layout);
    let blobs = |digest| plan.subjects.blob(digest);

    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let variables: Vec<(&str, OsString)> =
        ["TERM", "LANG"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))).collect();
    if terminal {
        let wanted = match arguments.command.as_slice() {
            [] => Wanted::Terminal,
            words => Wanted::Command(words, Bytes::default()),
        };
        let invocation = shell::invocation(case, &wanted, &variables);
        if arguments.command.is_empty() {
            notice(greeting(case));
        }
        let evidence = namespace::shell(programs.path("lab-agent")?, &layout, &blobs, &invocation).map_err(failed)?;
        return status(&evidence);
    }
    let input = input()?;
    let wanted = match arguments.command.as_slice() {
        [] => Wanted::Script(input),
        words => Wanted::Command(words, input),
    };
    let mut worker = backend.worker().map_err(failed)?;
    let (id, probes) = worker.open(&layout, &blobs).map_err(failed)?;
    if let Some(because) = unproven(&probes) {
        notice(format_args!("note: {because}"));
    }
    let evidence = worker.run(id, &shell::invocation(case, &wanted, &variables)).map_err(failed)?;
    out.bytes(evidence.stdout.bytes.as_slice());
    Output::stderr().bytes(evidence.stderr.bytes.as_slice());
    for (name, capture) in [("standard output", &evidence.stdout), ("standard error", &evidence.stderr)] {
        if capture.truncated() {
            notice(format_args!(
                "note: only the first {} of {} bytes of {name} are shown",
                Capture::LIMIT,
                capture.total
            ));
        }
    }
    status(&evidence)
}

/// The case of that id.
fn find<'a>(cases: &'a [Arc<Case>], id: &str) -> Result<&'a Arc<Case>, Problem> {
    cases.iter().find(|case| case.id.0 == id).ok_or_else(|| {
        let problem = Problem::usage(format!("there is no case `{id}`"));
        let below = format!("{}/", id.trim_end_matches('/'));
        match cases.iter().filter(|case| case.id.0.starts_with(&below)).count() {
            0 => match nearest(id, cases.iter().map(|case| case.id.0.as_str())) {
                Some(near) => problem.found(format!("the nearest is `{near}`")),
                None => problem,
            }
            .cure("`lab list` prints the cases; a shell is opened in one of them"),
            count => problem
                .found(format!("it stands for {}", counted(count, "case")))
                .cure(format!("name one of those which `lab list {id}` prints")),
        }
    })
}

/// What a user who finds himself in a sandbox wants to know.
fn greeting(case: &Case) -> String {
    let (names, identity, subject) = (&case.names, &case.invocation.identity, &case.subject);
    let mut invoker = format!("{}, group {}", names.user(identity.uid), names.group(identity.gid));
    if identity.effective_gid != identity.gid {
        invoker.push_str(&format!(", effective group {}", names.group(identity.effective_gid)));
    }
    let installed = format!(
        "{} {:04o}, owner {}, group {}",
        subject.path,
        subject.mode,
        names.user(subject.owner),
        names.group(subject.group)
    );
    let start = command_line(case).unwrap_or_else(|| format!("`lab show` has it: {}", case.id));
    let mut text = format!("{}: a shell in its sandbox; nothing here is recorded\n", case.id);
    text.push_str(&labelled("invoker", &invoker, WIDTH));
    text.push_str(&labelled("installed", &installed, WIDTH));
    text.push_str(&labelled("start", &start, usize::MAX));
    text.push_str(&labelled("leave", "exit, or Ctrl-D", WIDTH));
    text.trim_end().to_owned()
}

/// What standard input holds.
fn input() -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    let cannot = |error: std::io::Error| Problem::usage("standard input cannot be read").found(error);
    std::io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > MOST {
        return Err(Problem::usage("standard input is too long")
            .found(format!("more than {MOST} bytes"))
            .cure("open the shell on a terminal, and make the data inside"));
    }
    Ok(Bytes(bytes))
}

/// The exit status of a shell, as other shells give it.
fn status(evidence: &Evidence) -> Result<u8, Problem> {
    match (&evidence.stage, evidence.end) {
        (Stage::Setup { step, errno }, _) => {
            Err(Problem::internal("the sandbox could not be furnished").found(format!("{step}: {}", error(*errno))))
        }
        (Stage::Exec { errno }, _) => Err(Problem::internal("no shell could be started in the sandbox")
            .found(format!("execve of /bin/sh: {}", error(*errno)))
            .cure("is the invoker allowed to enter its directories, and are its libraries there?")),
        (Stage::Ran, Some(End::Exited(status))) => Ok(status),
        (Stage::Ran, Some(End::Signaled { signal, .. })) => Ok(u8::try_from(128 + signal).unwrap_or(u8::MAX)),
        (Stage::Ran, Some(End::TimedOut)) => Err(Problem::internal("a day is over, and so is this shell")),
        (Stage::Ran, None) => Err(Problem::internal("the end of the shell was not seen")),
    }
}

fn failed(error: BackendError) -> Problem {
    error.explains(Problem::internal("there is no shell"))
}
