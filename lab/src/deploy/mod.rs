//! Deploy scenarios: a real mail server is given a message and starts the witness in the wrapper's place, which shows as
//! whom, and with what, that server starts a wrapper.
//!
//! | module | what it holds |
//! |---|---|
//! | [`file`] | scenarios as they are written |
//! | [`accounts`](mod@accounts) | names and numbers of the container |
//! | [`compare`] | what was seen against what is stated |
//! | [`deliver`] | one message, from its submission to its fate |
//! | [`remedy`] | a sealed wrapper in the witness's place, refused, and then not |

mod accounts;
mod compare;
mod deliver;
pub mod file;
pub mod remedy;

pub(crate) use accounts::accounts;

use crate::backend::docker::server::Server;
use crate::backend::docker::{Options, settings};
use crate::images::{Image, problem};
use crate::problem::Problem;
use crate::run::programs::Programs;
use deliver::Post;
use file::File;
use lab_invocation::evidence::WitnessReport;
use lab_invocation::layout::{Content, Node, NodeKind, Order};
use lab_invocation::protocol::Probes;
use lab_invocation::{Gid, Layout, Uid};
use remedy::{Bench, Proofs, Workshop};

/// Where a mail server finds the wrapper.
pub(crate) const PROGRAM: &str = "/usr/local/mailman/mail/mailman";
/// Where a web server finds it.
pub(crate) const PAGE: &str = "/usr/local/mailman/cgi-bin/listinfo";
/// The wrapper's group.
pub(crate) const GROUP: &str = "mailman";

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
    /// What a wrapper that trusts another group comes to, and what mends it; `None` where that is not asked.
    pub mismatch: Option<Proofs>,
}

/// Runs the cases of one file in one container of its server's image.
///
/// # Errors
/// The container does not start, the server does not become ready, or nothing in it can be proven.
pub fn run(programs: &Programs, run: &str, image: &Image, file: &File) -> Result<Vec<Outcome>, Problem> {
    let agent = programs.path("lab-agent")?;
    let settings = settings(agent, Options::of_run(run.to_owned())).map_err(problem)?;
    let mut server = Server::start(&settings, (&image.repository, &image.tag), true).map_err(problem)?;
    let accounts = accounts(&mut server)?;
    let (layout, probes) = server.put(&installed(file.form.program(), accounts.gid(GROUP)?)).map_err(problem)?;
    proven(&image.name, &probes)?;
    let mut post = Post::new(server, layout, &accounts, file)?;
    let mut outcomes = Vec::new();
    for case in &file.cases {
        let delivered = post.deliver(case)?;
        let differences = compare::differences(case, &delivered, &accounts)?;
        let seen = delivered.reports.into_iter().next();
        outcomes.push(Outcome { name: case.name.clone(), control: case.control, differences, seen, mismatch: None });
    }
    // A remedy says something only where the server does without it what is stated.
    if outcomes.iter().all(|outcome| outcome.differences.is_empty()) {
        let mut bench = Bench {
            scene: Workshop::new(&mut post, programs)?,
            form: file.form,
            server: &file.server,
            accounts: &accounts,
        };
        for (case, outcome) in file.cases.iter().zip(&mut outcomes) {
            outcome.mismatch = case.mismatch.as_ref().map(|mismatch| bench.prove(case, mismatch)).transpose()?;
        }
    }
    Ok(outcomes)
}

/// Whether anything can be judged in the container.
fn proven(server: &str, probes: &Probes) -> Result<(), Problem> {
    if probes.positive && !probes.negative && probes.witness {
        return Ok(());
    }
    Err(Problem::unresolved(format!("server {server}: nothing can be judged in its container"))
        .found(format!("{probes:?}"))
        .cure("lab images verify shows what is wrong"))
}
