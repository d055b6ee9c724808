//! What several commands share.

use crate::backend::Backend;
use crate::capability::Capability;
use crate::judge::{self, Judgement};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::report::output::notice;
use crate::report::progress::Progress;
use crate::report::text::counted;
use crate::run::engine::Judge;
use crate::run::programs::Programs;
use crate::run::session::{Given, Refused, Session};
use crate::run::tree::Tree;
use crate::run::verdict::Seen;
use crate::scenario::{self, Report};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where scenarios are and where cases take place.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// Where the scenarios are, instead of the tree's own
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
    /// Where cases take place
    #[arg(long, value_enum, default_value_t = Kind::Namespace)]
    backend: Kind,
}

/// A kind of backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Kernel namespaces: needs nothing but Linux
    Namespace,
    /// Containers of a Docker engine, in a lab that is built for it: cargo lab-docker
    Docker,
    /// Of lab run: one after the other, and what they observed compared
    Both,
}

impl Place {
    /// Reads the suite.
    pub(crate) fn session(&self) -> Result<Session, Problem> {
        session(self.scenarios.as_deref())
    }

    /// The backend.
    pub(crate) fn backend(&self, programs: &Programs) -> Result<Arc<dyn Backend>, Problem> {
        match self.backend {
            Kind::Docker => containers(programs),
            Kind::Namespace => namespace(programs),
            Kind::Both => {
                Err(Problem::usage("--backend both: only lab run compares backends")
                    .cure("name one, namespace or docker"))
            }
        }
    }

    /// The two backends, by their names, if they are to be compared.
    pub(crate) fn compared(&self) -> Option<[(&'static str, Self); 2]> {
        let one = |name, backend| (name, Self { backend, ..self.clone() });
        // Containers first: that they cannot be had is then said at once.
        (self.backend == Kind::Both).then(|| [one("docker", Kind::Docker), one("namespace", Kind::Namespace)])
    }
}

/// The container backend.
#[cfg(feature = "docker")]
fn containers(programs: &Programs) -> Result<Arc<dyn Backend>, Problem> {
    use crate::backend::docker::{Docker, Options};
    let options = Options::of_run(crate::record::name_of_now());
    Ok(Arc::new(Docker::new(programs.path("lab-agent")?, options)))
}

#[cfg(not(feature = "docker"))]
fn containers(_: &Programs) -> Result<Arc<dyn Backend>, Problem> {
    Err(without_containers())
}

/// Says how to get what this lab was built without.
#[cfg(not(feature = "docker"))]
pub(crate) fn without_containers() -> Problem {
    Problem::usage("containers are not built into this lab")
        .found("it was built without the feature `docker`, which takes nearly two hundred crates and some minutes more")
        .cure("in a checkout: cargo lab-docker in place of cargo lab; elsewhere build it with --features docker; cases that need no container run with --backend namespace, the default")
}

/// Builds or finds the programs of these packages, and says how they are not as they should be.
pub(crate) fn programs(tree: &Tree, packages: &[&str], progress: &mut Progress) -> Result<Programs, Problem> {
    let programs = Programs::provide(tree, packages, &mut |step| progress.building(step))?;
    if let Some(text) = &programs.notice {
        notice(format_args!("note: {text}"));
    }
    Ok(programs)
}

/// How to compare evidence with what is expected.
pub(crate) fn judge() -> Box<Judge> {
    Box::new(|case, evidence| match judge::judge(case, evidence) {
        Judgement::Compared(differences) => Seen::Compared(differences),
        Judgement::Unresolved { because } => Seen::Nothing { because },
    })
}

#[cfg(target_os = "linux")]
fn namespace(programs: &Programs) -> Result<Arc<dyn Backend>, Problem> {
    let agent = programs.path("lab-agent")?;
    Ok(Arc::new(crate::backend::namespace::Namespace::new(agent)))
}

#[cfg(not(target_os = "linux"))]
fn namespace(_: &Programs) -> Result<Arc<dyn Backend>, Problem> {
    Err(crate::run::programs::linux_only())
}

/// Reads the suite of the tree, or that of another directory. Complaints about scenario files go to standard error.
pub(crate) fn session(scenarios: Option<&Path>) -> Result<Session, Problem> {
    Session::open(scenarios).map_err(|refused| match refused {
        Refused::Problem(problem) => problem,
        Refused::Scenarios(reports) => complain(&reports),
    })
}

/// Shows complaints about files on standard error, and makes one problem of them.
pub(crate) fn complain(reports: &[Report]) -> Problem {
    let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    for report in reports {
        notice(report.render(colour));
    }
    Problem::usage(counted(reports.len(), "error"))
}

/// Reads a profile: a file, or the name of one that the tree has.
pub(crate) fn profile(path: &Path, session: &Session) -> Result<Profile, Problem> {
    // Not with_extension: of `mailman-2.1` it would take the last part away.
    let mut file = path.as_os_str().to_owned();
    file.push(".toml");
    let shipped = session.scenarios.join(scenario::PROFILES).join(file);
    let path = if !path.is_file() && shipped.is_file() { &shipped } else { path };
    let read = scenario::source(path).map_err(|report| vec![*report]);
    read.and_then(|source| Profile::read(&source, &session.suite.accounts)).map_err(|reports| complain(&reports))
}

/// The TOML files of a directory, by name; none if there is no such directory.
pub(crate) fn toml_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}

/// Where automatic records are.
pub(crate) fn records() -> Result<PathBuf, Problem> {
    Tree::find().map(|tree| crate::record::home(&tree))
}

/// How the user calls this program.
pub(crate) fn lab_name() -> String {
    if std::env::var_os("CARGO").is_some() { "cargo lab".to_owned() } else { "lab".to_owned() }
}

/// The number of workers: twice the processors, since some cases wait (for a deadline, for a reader that never reads).
pub(crate) fn jobs(asked: Option<NonZeroUsize>) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    asked.map_or_else(|| 2 * processors(), NonZeroUsize::get)
}

/// Reads the name of a capability.
pub(crate) fn capability(name: &str) -> Result<Capability, String> {
    Capability::ALL.iter().copied().find(|capability| capability.name() == name).ok_or_else(|| {
        let known: Vec<&str> = Capability::ALL.iter().map(|capability| capability.name()).collect();
        format!("the capabilities are {}", known.join(", "))
    })
}

/// The files of all `NAME=PATH`.
pub(crate) fn all_given(pairs: &[(String, PathBuf)]) -> Result<Given, Problem> {
    let mut given = Given::new();
    for (name, path) in pairs {
        if let Some(first) = given.insert(name.clone(), path.clone()) {
            return Err(Problem::usage(format!("--subject {name} is given twice"))
                .found(format!("{} and {}", first.display(), path.display()))
                .cure("one run tests one file for each program: run the lab once for each"));
        }
    }
    Ok(given)
}

/// Reads `NAME=PATH`.
pub(crate) fn given(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), OsString::from(path).into()))
        }
        _ => Err("NAME=PATH is wanted, such as mail-wrapper=/usr/lib/mailman/mail/mailman".to_owned()),
    }
}
