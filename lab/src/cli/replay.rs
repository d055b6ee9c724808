//! `lab replay`.

use super::common::{self, Place, records};
use super::show::find;
use crate::case::{Case, CaseId, WRAPPERS};
use crate::problem::Problem;
use crate::record::diff::subject;
use crate::record::read::{Record, split};
use crate::record::replay::{Ending, compare, surroundings};
use crate::report::output::{Output, WIDTH};
use crate::report::progress::Progress;
use crate::report::text;
use crate::run::collect::Settings;
use crate::run::event::{CaseFinished, Event, Setting, Started};
use crate::run::exit::Exit;
use crate::run::plan::{Plan, Planned};
use crate::run::programs::{PACKAGES, Programs};
use crate::run::seal::Sealer;
use crate::run::select::selector;
use crate::run::session::{self, Given, machine};
use crate::run::tree::Tree;
use crate::run::verdict::Seen;
use crate::run::waiver::Waivers;
use crate::run::{engine, interrupt};
use clap::Args;
use lab_invocation::Layout;
use lab_invocation::layout::{Content, Digest, NodeKind};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  lab replay k3f/group-mismatch/mta-identities/exim-pipe×mail
  lab replay 'k3f/**/exim-pipe×*'                       # those cases of the run
  lab replay k3f                                        # every case of it
  lab replay --subject mail-wrapper=./mail-wrapper k3f  # does another file mend them?";

/// What to run again.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A run, a directory with a record, or cases of either: RUN/CASE, RUN/SCENARIO, or a glob
    #[arg(value_name = "RUN[/CASE]")]
    what: String,
    #[command(flatten)]
    place: Place,
    /// How many workers [default: two for each processor, since some cases wait]
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Test this file in place of the program of that name
    #[arg(long, value_name = "NAME=PATH", value_parser = common::given)]
    subject: Vec<(String, PathBuf)>,
}

/// Runs recorded cases again, byte for byte, and says of each whether the same happened.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let home = records()?;
    let (run, case) = split(&home, &arguments.what);
    let record = Record::find(&home, run)?;
    let chosen: Vec<&CaseFinished> = match case {
        Some(id) => named(&record, id)?,
        None => record.cases().filter(|case| case.evidence.is_some()).collect(),
    };
    if chosen.is_empty() {
        return Err(Problem::nothing_selected(format!("no case of run {} was run", record.started.run)));
    }
    let tree = Tree::find()?;
    let mut progress = Progress::new(out);
    let programs = common::programs(&tree, PACKAGES, &mut progress)?;
    let backend = arguments.place.backend(&programs)?;
    let capabilities = backend.capabilities();
    // One case gets its ending, UNRESOLVED; the same for each of a thousand would hide the reason.
    if chosen.len() > 1 {
        session::demand_sandbox(&capabilities)?;
    }
    let given = common::all_given(&arguments.subject)?;
    session::demand_used(&given, &session::programs_of(chosen.iter().map(|case| &case.subject)))?;
    let (plan, subjects) = plan(&record, &chosen, &programs, &given)?;

    let settings = Settings {
        jobs: common::jobs(arguments.jobs),
        fail_fast: false,
        strict: false,
        allowed: None,
        waivers: Waivers::default(),
        interrupted: interrupt::flag()?,
    };
    let now = Started { machine: machine(backend.as_ref(), &capabilities, &programs), ..record.started.clone() };
    progress.cases(plan.cases.len());
    let then: BTreeMap<&CaseId, Seen> = chosen
        .iter()
        .zip(&plan.cases)
        .map(|(recorded, planned)| (&recorded.id, then(recorded, &planned.case)))
        .collect();
    let mut fresh = BTreeMap::new();
    engine::run(plan, backend, &capabilities, common::judge(), &settings, &mut |event| {
        if let Event::CaseFinished(case) = event {
            progress.step(0);
            fresh.insert(case.id.clone(), case.clone());
        }
    });
    progress.end();

    let mut changes = surroundings(&record.started, &now);
    changes.extend(subjects);
    let mut counts: BTreeMap<Ending, usize> = BTreeMap::new();
    for recorded in &chosen {
        let (Some(fresh), Some(then)) = (fresh.get(&recorded.id), then.get(&recorded.id)) else { continue };
        let replayed = compare(recorded, then, fresh);
        *counts.entry(replayed.ending).or_default() += 1;
        // Of a whole run only what is worth a look.
        if chosen.len() > 1 && replayed.ending == Ending::Reproduced {
            continue;
        }
        out.line(format_args!("{}  {}", replayed.ending.word(), recorded.id));
        out.text(text::labelled("was", &replayed.was, WIDTH));
        out.text(text::labelled("now", &replayed.now, WIDTH));
        if !replayed.differs.is_empty() {
            out.text(text::labelled("differs", &replayed.differs.join(", "), WIDTH));
        }
    }
    for change in &changes {
        out.text(text::labelled("changed", change, WIDTH));
    }
    let count = |ending| counts.get(&ending).copied().unwrap_or_default();
    let missing = chosen.len() - counts.values().sum::<usize>();
    out.line(format_args!(
        "{} reproduced   {} gone   {} different   {} unresolved     of {} recorded in {}",
        count(Ending::Reproduced),
        count(Ending::Gone),
        count(Ending::Different),
        count(Ending::Unresolved) + missing,
        text::counted(chosen.len(), "case"),
        record.started.run,
    ));
    Ok(match () {
        () if count(Ending::Gone) + count(Ending::Different) > 0 => Exit::Failed,
        () if count(Ending::Unresolved) + missing > 0 => Exit::Unresolved,
        () => Exit::Passed,
    })
}

/// The case of that name, or those which a directory or a glob selects, as for `lab run`.
fn named<'a>(record: &'a Record, id: &str) -> Result<Vec<&'a CaseFinished>, Problem> {
    let unknown = match find(record, &CaseId(id.to_owned())) {
        Ok(case) => return Ok(vec![case]),
        Err(problem) => problem,
    };
    let selects = selector(id)?;
    let chosen: Vec<&CaseFinished> =
        record.cases().filter(|case| case.evidence.is_some() && selects(&case.id)).collect();
    if chosen.is_empty() { Err(unknown) } else { Ok(chosen) }
}

/// What the recorded evidence comes to, by the rules of today.
fn then(recorded: &CaseFinished, case: &Case) -> Seen {
    match &recorded.evidence {
        Some(evidence) => common::judge()(case, evidence),
        None => Seen::Nothing { because: "it was not run".to_owned() },
    }
}

/// The recorded cases with their recorded subjects where the record carries them, else with those of today. Also gives
/// what changed about the subjects.
fn plan(
    record: &Record,
    chosen: &[&CaseFinished],
    programs: &Programs,
    given: &Given,
) -> Result<(Plan, Vec<String>), Problem> {
    let mut sealer = Sealer::new(programs)?;
    let mut cases = Vec::new();
    let mut settings: BTreeMap<(u32, Digest), Arc<Setting>> = BTreeMap::new();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for recorded in chosen {
        let (case, setting) = record.case(recorded)?;
        let (name, foreign) = (&recorded.subject.program, recorded.profile.is_some());
        let carried = match recorded.sealed {
            Some(digest) if !given.contains_key(name) => record.sealed(digest)?.map(|bytes| (digest, bytes)),
            _ => None,
        };
        let sealed = match carried {
            Some((digest, bytes)) => {
                sealer.adopt(digest, name, bytes);
                digest
            }
            None => {
                used.insert(name.clone());
                if foreign && !given.contains_key(name) {
                    return Err(Problem::usage(format!("{}: its {name} is a foreign wrapper", recorded.id))
                        .found("the record does not hold the program that was tested")
                        .cure(format!("name it with --subject {name}=PATH, or record with --record-subject")));
                }
                sealer.add(name, given.get(name).map_or_else(|| programs.path(name), |path| Ok(path))?, foreign)?;
                sealer.seal(&recorded.subject)?
            }
        };
        let mut exchanged: Vec<(Digest, Digest)> = recorded.sealed.map(|old| (old, sealed)).into_iter().collect();
        if recorded.subject.is_tool() {
            exchanged.extend(beside(record, &setting.layout, &mut sealer, programs, given, &mut used)?);
        }
        let next = u32::try_from(settings.len()).map_err(|error| Problem::internal(error.to_string()))?;
        let setting = settings
            .entry((setting.setting, sealed))
            .or_insert_with(|| Arc::new(with(&setting, next, &exchanged)))
            .setting;
        let case = Arc::new(Case { control: false, ..case });
        cases.push(Planned { case, sealed: Some(sealed), setting, unsupported: None });
    }
    let mut settings: Vec<Arc<Setting>> = settings.into_values().collect();
    settings.sort_by_key(|setting| setting.setting);
    let mut changed = Vec::new();
    for file in &record.started.subjects {
        if let Some(now) = sealer.program_digest(&file.name).filter(|_| used.contains(&file.name))
            && now != file.sha256
        {
            changed.push(subject(&file.name, &file.sha256, &now));
        }
    }
    Ok((Plan { cases, settings, subjects: sealer }, changed))
}

/// The wrappers that the tool finds beside itself: those that were named, else as they were recorded, else today's. `used` gets
/// the names of those that are not the recorded ones.
fn beside(
    record: &Record,
    layout: &Layout,
    sealer: &mut Sealer,
    programs: &Programs,
    given: &Given,
    used: &mut BTreeSet<String>,
) -> Result<Vec<(Digest, Digest)>, Problem> {
    let mut exchanged = Vec::new();
    for node in &layout.nodes {
        let name = WRAPPERS.into_iter().find(|name| node.path.0.ends_with(format!("/{name}").as_bytes()));
        let (Some(name), NodeKind::File(Content::Blob(old))) = (name, &node.kind) else { continue };
        match record.sealed(*old)?.filter(|_| !given.contains_key(name)) {
            Some(bytes) => sealer.adopt(*old, name, bytes),
            None => {
                used.insert(name.to_owned());
                sealer.add(name, given.get(name).map_or_else(|| programs.path(name), |path| Ok(path))?, false)?;
                exchanged.push((*old, sealer.unsealed(name)?));
            }
        }
    }
    Ok(exchanged)
}

/// A recorded setting with other programs in the place of the recorded ones.
fn with(setting: &Setting, number: u32, exchanged: &[(Digest, Digest)]) -> Setting {
    let mut layout = setting.layout.clone();
    for node in &mut layout.nodes {
        if let NodeKind::File(Content::Blob(digest)) = &mut node.kind
            && let Some((_, new)) = exchanged.iter().find(|(old, _)| old == digest)
        {
            *digest = *new;
        }
    }
    Setting { setting: number, layout, names: setting.names.clone() }
}
