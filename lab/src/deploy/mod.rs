//! Deploy scenarios: a real mail server is given a message, or a web server a request, and starts the witness in the
//! wrapper's place, which shows as whom, and with what, that server starts a wrapper.
//!
//! | module | what it holds |
//! |---|---|
//! | [`accounts`](mod@accounts) | names and numbers of the container |
//! | [`compare`] | what was seen against what is stated |
//! | [`deliver`] | one message, from its submission to its fate |
//! | [`ends`] | how a program can end, and what becomes of its message |
//! | [`engine`] | containers that are the wrapper, and nothing else |
//! | [`judged`] | outcomes as verdicts, on a terminal and in JUnit's form |
//! | [`log`](mod@log) | what the logs of servers say |
//! | [`remedy`] | a sealed wrapper in the witness's place, refused, and then not |

mod accounts;
mod compare;
mod deliver;
mod ends;
pub mod engine;
pub mod judged;
mod log;
pub mod remedy;

pub(crate) use accounts::accounts;

use crate::backend::docker::server::Server;
use crate::backend::docker::{Options, settings};
use crate::images::{Image, problem};
use crate::problem::Problem;
use crate::run::programs::Programs;
use crate::scenario::deploy::ends::Ends;
use crate::scenario::deploy::{Carrier, File, GROUP};
use deliver::Post;

use lab_invocation::evidence::WitnessReport;
use lab_invocation::layout::{Content, Node, NodeKind, Order};
use lab_invocation::protocol::Probes;
use lab_invocation::{Gid, Layout, Uid};
use remedy::{Bench, Proofs, Workshop};

/// The witness in the wrapper's place: root:mailman 2755.
pub(crate) fn installed(program: &str, group: Gid) -> Layout {
    let above = program.rsplit_once('/').map_or("/", |(above, _)| above);
    let node = |path: &str, kind| Node {
        path: path.into(),
        owner: Uid::ROOT,
        group,
        mode: 0o2755,
        kind,
        order: Order::default(),
    };
    let nodes = vec![node(above, NodeKind::Directory), node(program, NodeKind::File(Content::Witness))];
    Layout { nodes, mounts: Vec::new(), fresh: Vec::new() }
}

/// What a case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Whether it is a control.
    pub control: bool,
    /// Each thing that is not as stated: what, found, wanted. None: it passes.
    pub differences: Vec<String>,
    /// What the server gave the program; `None` if it started none.
    pub seen: Option<WitnessReport>,
    /// In which ways the program ended that is spoken of; none where that is not asked.
    pub ways: Vec<String>,
    /// What a wrapper that trusts another group comes to, and what mends it; `None` where that is not asked.
    pub mismatch: Option<Proofs>,
    /// What is not as stated where the wrapper's bit does not act; `None` where that is not asked.
    pub without_bit: Option<Vec<String>>,
    /// One of the last two is asked, and was not tried, because a case of the file is not as stated, or none could be.
    pub untried: bool,
}

/// Runs the cases of one file in one container of its server's image: what they came to, and what kept the rest from being
/// asked, if anything did. What was found before that still counts.
pub fn run(programs: &Programs, run: &str, image: &Image, file: &File) -> (Vec<Outcome>, Option<Problem>) {
    let mut outcomes = Vec::new();
    let problem = ask(programs, run, image, file, &mut outcomes).err();
    (outcomes, problem)
}

/// Asks the server, case by case.
fn ask(programs: &Programs, run: &str, image: &Image, file: &File, outcomes: &mut Vec<Outcome>) -> Result<(), Problem> {
    let agent = programs.path("lab-agent")?;
    let mut options = Options::of_run(run.to_owned());
    if file.carrier == Some(Carrier::NoNewPrivs) {
        options.security.push("no-new-privileges=true".to_owned());
    }
    let settings = settings(agent, options).map_err(problem)?;
    let program = file.form.program();
    let nosuid = program.rsplit_once('/').map(|(above, _)| above).filter(|_| file.carrier == Some(Carrier::Nosuid));
    let serves = file.variant.as_slice();
    let image = (image.repository.as_str(), image.tag.as_str());
    let mut server = Server::start(&settings, image, Some(serves), nosuid).map_err(problem)?;
    let accounts = accounts(&mut server)?;
    let (layout, probes) = server.put(&installed(program, accounts.gid(GROUP)?)).map_err(problem)?;
    proven(file, &probes)?;
    let mut post = Post::new(server, layout, &accounts, file)?;
    for case in &file.cases {
        let delivered = post.deliver(case)?;
        let mut differences = compare::differences(case, &delivered, &accounts)?;
        if let Some(shows) = &case.shows {
            let shown = post.shell(&shows.script)?;
            differences.extend(shows.differences(&shown));
            let all = format!("{}\n{shown}", delivered.log);
            let cause = shows.cause.as_ref().map(|cause| remedy::explained::cause(&all, &file.server, cause));
            differences.extend(cause.transpose()?.unwrap_or_default());
        }
        let seen = delivered.reports.into_iter().next();
        outcomes.push(Outcome {
            name: case.name.clone(),
            control: case.control,
            differences,
            seen,
            ways: Vec::new(),
            mismatch: None,
            without_bit: None,
            untried: case.mismatch.is_some() || case.without_bit.is_some(),
        });
    }
    // A remedy says something only where the server does without it what is stated.
    if outcomes.iter().all(|outcome| outcome.differences.is_empty()) {
        let mut scene = Workshop::new(&mut post, programs)?;
        if let Some(ends) = &file.ends {
            return end(&mut scene, file, ends, outcomes);
        }
        let mut bench = Bench { scene, form: file.form, server: &file.server, accounts: &accounts };
        for (case, outcome) in file.cases.iter().zip(outcomes) {
            outcome.mismatch = case.mismatch.as_ref().map(|mismatch| bench.prove(case, mismatch)).transpose()?;
            let without = case.without_bit.as_ref().map(|without| bench.without_bit(case, without));
            outcome.without_bit = without.transpose()?;
            outcome.untried = false;
            let held = outcome.mismatch.as_ref().is_none_or(Proofs::hold);
            // What failed may have left a change or a message behind, of which the next proof would speak.
            if !held || outcome.without_bit.as_ref().is_some_and(|differences| !differences.is_empty()) {
                break;
            }
        }
    } else if file.ends.is_some() {
        return Err(
            Problem::unresolved("the ends of a program: not tried").found("a case of this file is not as stated")
        );
    }
    Ok(())
}

/// Has a program end in each way, and asks what becomes of the message to the control.
fn end(scene: &mut Workshop<'_, '_>, file: &File, ends: &Ends, outcomes: &mut Vec<Outcome>) -> Result<(), Problem> {
    let control = file.cases.iter().find(|case| case.control).ok_or_else(|| Problem::internal("no control"))?;
    for (fate, ways) in ends.fates() {
        outcomes.push(Outcome {
            name: format!("a program that ends in one of {} ways: {fate:?}", ways.len()),
            control: false,
            differences: ends::differences(scene, control, fate, ways)?,
            seen: None,
            ways: ways.iter().map(ToString::to_string).collect(),
            mismatch: None,
            without_bit: None,
            untried: false,
        });
    }
    Ok(())
}

/// Whether anything can be judged in the container: a bit acts there, unless the file has it that none does.
fn proven(file: &File, probes: &Probes) -> Result<(), Problem> {
    let acts = file.carrier != Some(Carrier::NoNewPrivs);
    if probes.positive == acts && !probes.negative && probes.witness {
        return Ok(());
    }
    Err(Problem::unresolved(format!("server {}: nothing can be judged in its container", file.server))
        .found(format!("{probes:?}"))
        .cure("lab images verify shows what is wrong"))
}
