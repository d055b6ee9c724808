//! The lab is tested with liars: runs the suite against wrappers with one known defect each, and holds the lab to
//! failing every one of them for that defect, and to passing the sound one.

mod table;
#[cfg(test)]
mod tests;
mod verdict;

use crate::backend::Backend;
use crate::capability::{Capabilities, Capability};
use crate::diagnose;
use crate::judge::{self, Judgement};
use crate::problem::Problem;
use crate::run::collect::Settings;
use crate::run::engine;
use crate::run::event::Event;
use crate::run::exit::Exit;
use crate::run::programs::Programs;
use crate::run::select::{Wanted, select};
use crate::run::session::{Given, Session, plan};
use crate::run::verdict::Seen;
use crate::run::waiver::Waivers;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use table::conclusion;
pub use verdict::{Caught, Row};

/// The package whose programs the specimens are.
pub const PACKAGE: &str = "specimens";

/// A wrapper with a known defect.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Specimen {
    /// Name of its program.
    pub name: String,
    /// What is wrong with it, as a sentence.
    pub flaw: String,
    /// The program which it stands in for.
    pub program: String,
    /// The finding that the lab must give; `None` for a sound one.
    pub diagnosis: Option<String>,
    /// Findings which are true of it as well: what its defect leads to.
    #[serde(default)]
    pub also: Vec<String>,
    /// What every case needs that shows its flaw: where the machine lacks one of these it cannot be caught, and may not be.
    #[serde(default)]
    pub needs: BTreeSet<Capability>,
    /// Why no start of the fuzzer's installation can show its flaw, where none can.
    pub not_by_input: Option<String>,
    /// The cases to run, as on the command line of `lab run`; none means all that use the program. A specimen that hangs
    /// names few, because each takes until its deadline.
    #[serde(default)]
    pub cases: Vec<String>,
}

/// Every specimen, in the order of the table.
///
/// # Errors
/// The table is damaged: a defect of the lab, which a test would have found.
pub fn all() -> Result<Vec<Specimen>, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        specimen: Vec<Specimen>,
    }
    let file: File = toml::from_str(include_str!("../../specimens/specimens.toml"))
        .map_err(|error| Problem::internal("the table of specimens cannot be read").found(error))?;
    let codes: BTreeSet<&str> = diagnose::codes().collect();
    for specimen in &file.specimen {
        let named = specimen.diagnosis.iter().chain(&specimen.also);
        if let Some(unknown) = named.map(String::as_str).find(|code| !codes.contains(code)) {
            return Err(Problem::internal(format!("the specimen {} has to get {unknown}", specimen.name))
                .found("there is no such finding"));
        }
    }
    Ok(file.specimen)
}

/// What the specimens are run with.
pub struct Bench<'a> {
    /// The suite.
    pub session: &'a Session,
    /// The programs, those of [`PACKAGE`] among them.
    pub programs: &'a Programs,
    /// Where cases take place.
    pub backend: Arc<dyn Backend>,
    /// What it can do.
    pub capabilities: &'a Capabilities,
    /// How many workers.
    pub jobs: usize,
}

impl Bench<'_> {
    /// Runs the cases of a specimen against it.
    ///
    /// # Errors
    /// Its cases cannot be selected, or it cannot be sealed.
    pub fn judge(&self, specimen: &Specimen) -> Result<Row, Problem> {
        let suite = &self.session.suite.cases;
        let selected = select(suite, &Wanted { patterns: specimen.cases.clone(), ..Wanted::default() })
            .map_err(|problem| Problem::internal(format!("{}: {}", specimen.name, problem.what)))?;
        let mut cases = self.session.cases(&selected, None);
        cases.retain(|asked| asked.case.subject.program == specimen.program);
        let path = self.programs.path(&specimen.name)?.to_owned();
        let given = Given::from([(specimen.program.clone(), path)]);
        let (plan, _) = plan(cases, self.programs, &given, None)?;
        let settings = Settings {
            jobs: self.jobs,
            fail_fast: false,
            strict: false,
            allowed: None,
            waivers: Waivers::default(),
            interrupted: Arc::new(AtomicBool::new(false)),
        };
        let mut row = Row::new(specimen.clone());
        let judge = Box::new(|case: &_, evidence: &_| match judge::judge(case, evidence) {
            Judgement::Compared(differences) => Seen::Compared(differences),
            Judgement::Unresolved { because } => Seen::Nothing { because },
        });
        engine::run(plan, Arc::clone(&self.backend), self.capabilities, judge, &settings, &mut |event| {
            if let Event::CaseFinished(finished) = event {
                row.take(&finished.id, &finished.verdict, &finished.diagnoses);
            }
        });
        Ok(row)
    }
}

/// The specimens which are there to get this diagnosis, for its page.
pub fn showing(code: &str) -> Vec<String> {
    let all = all().unwrap_or_default();
    let shows = |specimen: &&Specimen| specimen.diagnosis.as_deref() == Some(code);
    all.iter().filter(shows).map(|specimen| format!("specimen {}", specimen.name)).collect()
}

/// How the lab ends after these rows: passed only if each specimen was caught for its flaw and the sound one passed.
pub fn exit(rows: &[Row]) -> Exit {
    let caught: Vec<Caught> = rows.iter().map(Row::caught).collect();
    if caught.iter().any(|caught| matches!(caught, Caught::No { .. })) {
        Exit::Failed
    } else if caught.is_empty() || caught.iter().any(|caught| matches!(caught, Caught::NotHere { .. })) {
        Exit::Unresolved
    } else {
        Exit::Passed
    }
}
