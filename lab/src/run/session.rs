//! What comes before a run: finding the tree, reading the suite, providing programs, asking the backend, sealing.

use crate::backend::Backend;
use crate::capability::{Capabilities, Capability, Support};
use crate::case::{Case, Subject, WRAPPERS};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::run::event::{Machine, Origin, Started, SubjectFile, VERSION};
use crate::run::plan::{Asked, Plan};
use crate::run::programs::Programs;
use crate::run::seal::Sealer;
use crate::run::select::Selected;
use crate::run::tree::{Tree, hex};
use crate::scenario::report::suggestion;
use crate::scenario::{Report, Suite};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A tree with its suite.
#[derive(Debug)]
pub struct Session {
    /// The tree.
    pub tree: Tree,
    /// Where its scenarios are.
    pub scenarios: PathBuf,
    /// What they are.
    pub suite: Suite,
}

/// Why a session does not begin.
#[derive(Debug)]
pub enum Refused {
    /// Scenario files are wrong.
    Scenarios(Vec<Report>),
    /// Something else.
    Problem(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Session {
    /// Reads the suite of the tree, or that of another directory.
    ///
    /// # Errors
    /// There is no tree, or a scenario file is wrong.
    pub fn open(scenarios: Option<&Path>) -> Result<Self, Refused> {
        let tree = Tree::find()?;
        let scenarios = scenarios.map_or_else(|| tree.scenarios(), Path::to_owned);
        let suite = crate::scenario::load(&scenarios).map_err(Refused::Scenarios)?;
        Ok(Self { tree, scenarios, suite })
    }

    /// The selected cases, as a profile makes them if there is one.
    pub fn cases(&self, selected: &Selected, profile: Option<&Profile>) -> Vec<Asked> {
        selected.places.iter().map(|&place| asked(&self.suite.cases[place], profile)).collect()
    }
}

/// A case, as a profile makes it if there is one.
pub fn asked(case: &Arc<Case>, profile: Option<&Profile>) -> Asked {
    match profile.map(|profile| profile.adapt(case)) {
        None => Asked { case: Arc::clone(case), unsupported: None },
        Some(Ok(case)) => Asked { case: Arc::new(case), unsupported: None },
        Some(Err(because)) => Asked { case: Arc::clone(case), unsupported: Some(because) },
    }
}

/// Files that stand in for programs of the project, by name.
pub type Given = BTreeMap<String, PathBuf>;

/// The programs that cases of these subjects need: what they start, and for the tool the wrappers beside it.
pub fn programs_of<'a>(subjects: impl IntoIterator<Item = &'a Subject>) -> BTreeSet<&'a str> {
    let mut programs = BTreeSet::new();
    for subject in subjects {
        programs.insert(subject.program.as_str());
        if subject.is_tool() {
            programs.extend(WRAPPERS);
        }
    }
    programs
}

/// Refuses a file for a program that no case starts: the run would test another file than the one that was named, and
/// pass. `used` are the programs of the cases.
///
/// # Errors
/// There is such a file.
pub fn demand_used(given: &Given, used: &BTreeSet<&str>) -> Result<(), Problem> {
    let Some(name) = given.keys().find(|name| !used.contains(name.as_str())) else { return Ok(()) };
    let problem = Problem::usage(format!("--subject {name}: no selected case starts a program of that name"));
    Err(match suggestion(name, used.iter().copied()) {
        Some(found) => problem.found(found),
        None => problem,
    }
    .cure("name a program that the selected cases start, or select cases that start this one"))
}

/// Reads and seals the subjects of these cases. Programs of a profile are foreign: they are taken as they are, from where
/// they are installed on the host.
///
/// # Errors
/// A program is missing or cannot be sealed.
pub fn plan(
    cases: Vec<Asked>,
    programs: &Programs,
    given: &Given,
    profile: Option<&Profile>,
) -> Result<(Plan, Vec<SubjectFile>), Problem> {
    let foreign: Given = profile
        .iter()
        .flat_map(|profile| profile.programs())
        .map(|(name, path)| (name.to_owned(), PathBuf::from(OsStr::from_bytes(path.as_slice()))))
        .collect();
    let able = cases.iter().filter(|asked| asked.unsupported.is_none());
    let wanted = programs_of(able.map(|asked| &asked.case.subject));
    demand_used(given, &wanted)?;
    let mut sealer = Sealer::new(programs)?;
    let mut files = Vec::new();
    let mut libraries = BTreeMap::new();
    for name in wanted {
        let (path, origin) = match given.get(name).or_else(|| foreign.get(name)) {
            Some(path) => (path.as_path(), Origin::Given),
            None => (programs.path(name)?, programs.origin.unwrap_or(Origin::Built)),
        };
        let digest = sealer.add(name, path, foreign.contains_key(name))?;
        files.push(SubjectFile { name: name.to_owned(), sha256: hex(&digest), origin });
        let needed = crate::backend::libraries::needed(path)
            .map_err(|error| error.explains(Problem::usage(format!("{}: cannot be run", path.display()))))?;
        libraries.insert(name.to_owned(), needed);
    }
    Ok((Plan::new(cases, sealer, &libraries)?, files))
}

/// Release of the running kernel, such as `6.18.44-generic`.
pub fn kernel() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    release.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// Name of the fact that says how the programs are linked, where that is not as it should be.
const LINKED: &str = "programs";

/// Describes the machine, and the programs as far as it could not build them as they should be.
pub fn machine(backend: &dyn Backend, capabilities: &Capabilities, programs: &Programs) -> Machine {
    let mut facts = backend.facts();
    // What there is to notice about programs that were not built here names a place of this machine.
    let linked = programs.notice.clone().filter(|_| programs.origin == Some(Origin::Built));
    facts.extend(linked.map(|notice| (LINKED.to_owned(), notice)));
    Machine {
        backend: backend.name().to_owned(),
        kernel: format!("Linux {}", kernel()),
        architecture: std::env::consts::ARCH.to_owned(),
        capabilities: capabilities.clone(),
        facts,
    }
}

/// Refuses a machine on which nothing can be judged, before every case says so.
///
/// # Errors
/// The set-group-ID bit does not act there, or there are no sandboxes at all.
pub fn demand_sandbox(capabilities: &Capabilities) -> Result<(), Problem> {
    let problem = Problem::unresolved("nothing can be judged on this machine");
    Err(match capabilities.get(&Capability::SetGroupId) {
        Some(Support::Yes) => return Ok(()),
        Some(Support::No { because, cure: Some(cure) }) => problem.found(because).cure(cure),
        Some(Support::No { because, cure: None }) => problem.found(because),
        None => problem.found("the backend does not know the set-group-ID bit"),
    })
}

/// Refuses a machine on which a required capability is missing.
///
/// # Errors
/// One is.
pub fn require(required: &[Capability], capabilities: &Capabilities) -> Result<(), Problem> {
    let missing: Vec<String> = required
        .iter()
        .filter_map(|capability| match capabilities.get(capability) {
            Some(support) => support.why_not().map(|why| format!("{capability}: {why}")),
            None => Some(format!("{capability}: the backend does not know it")),
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Problem::unresolved("a required capability is not here")
        .found(missing.join("\n"))
        .cure("`lab preflight` shows what is here; leave it out of --require to run what can be run"))
}

/// The first event of a run.
pub fn started(
    run: &str,
    session: &Session,
    selected: &Selected,
    machine: Machine,
    subjects: Vec<SubjectFile>,
    profile: Option<String>,
) -> Started {
    let ids: BTreeSet<&str> =
        selected.places.iter().map(|&place| session.suite.cases[place].scenario.id.as_str()).collect();
    let scenarios = session.suite.scenarios.iter().filter(|each| ids.contains(each.id.as_str())).cloned().collect();
    Started {
        version: VERSION,
        lab: env!("CARGO_PKG_VERSION").to_owned(),
        run: run.to_owned(),
        at: now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        machine,
        subjects,
        profile,
        scenarios,
        selected: selected.places.len(),
        added_controls: selected.added_controls,
        cases: session.suite.cases.len(),
    }
}

/// The time.
fn now() -> chrono::DateTime<chrono::Utc> {
    SystemTime::now().into()
}

/// The date in the form 2026-01-31, UTC.
pub fn today() -> String {
    now().format("%Y-%m-%d").to_string()
}
