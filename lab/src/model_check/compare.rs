//! Kernel and model side by side.

use super::exec_table::{self, Row};
use super::kernel::Kernel;
use super::oracle::{self, Oracle};
use super::space::{self, Part, Place};
use super::text::spell;
use crate::problem::Problem;
use lab_invocation::trial::{Call, CallAnswer, CapabilitySets, DEATH_SIGNAL, ExecAnswer, Facts, Report, State, Step};
use lab_model::exec::{Executed, Kernel as Release};
use lab_model::namespace::UserNamespace;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many mismatches of a section are kept word by word; all are counted.
const KEPT: usize = 20;

/// What the check found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The kernel's release.
    pub release: String,
    /// How many agents worked.
    pub workers: usize,
    /// Part by part.
    pub sections: Vec<Section>,
    /// What is not compared on this machine, and why.
    pub notes: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Checked {
    /// How many transitions were made and compared.
    pub fn tried(&self) -> usize {
        self.sections.iter().map(|section| section.tried).sum()
    }

    /// How many came out otherwise than the model says.
    pub fn mismatches(&self) -> usize {
        self.sections.iter().map(|section| section.mismatches).sum()
    }

    /// How many could not be made.
    pub fn unsupported(&self) -> usize {
        self.sections.iter().flat_map(|section| section.unsupported.values()).sum()
    }
}

/// A part of the check.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// What it is about.
    pub name: String,
    /// How many transitions were made and compared.
    pub tried: usize,
    /// How many came out otherwise.
    pub mismatches: usize,
    /// The first of them.
    pub examples: Vec<Mismatch>,
    /// How many could not be made, by reason.
    pub unsupported: BTreeMap<String, usize>,
}

/// A transition that came out otherwise than the model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The transition.
    pub what: String,
    /// What the model says.
    pub model: String,
    /// What the kernel did.
    pub kernel: String,
}

impl Section {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    fn count(&mut self, result: Compared) {
        match result {
            Compared::Agree => self.tried += 1,
            Compared::Differ(mismatch) => {
                self.tried += 1;
                self.mismatches += 1;
                if self.examples.len() < KEPT {
                    self.examples.push(mismatch);
                }
            }
            Compared::NotMade(reason) => *self.unsupported.entry(reason).or_default() += 1,
        }
    }

    fn merge(&mut self, other: Self) {
        self.tried += other.tried;
        self.mismatches += other.mismatches;
        self.examples.extend(other.examples);
        self.examples.truncate(KEPT);
        for (reason, count) in other.unsupported {
            *self.unsupported.entry(reason).or_default() += count;
        }
    }
}

enum Compared {
    Agree,
    Differ(Mismatch),
    NotMade(String),
}

/// One piece of work for one section: small enough that all workers end at about the same time.
struct Job<'a> {
    section: usize,
    work: Work<'a>,
}

enum Work<'a> {
    /// Every call of a part from one state.
    Calls(&'a Part, State),
    /// Some starts.
    Starts(&'a [Row]),
}

/// How many starts are one job.
const ROWS: usize = 64;

/// Asks the kernel once, and compares its answers with each oracle.
pub(super) fn check(agent: &Path, workers: usize, oracles: &[&dyn Oracle]) -> Result<Vec<Checked>, Problem> {
    let begun = Instant::now();
    let first = Kernel::start(agent)?;
    let facts = first.facts.clone();
    let parts = space::parts(&facts.capabilities);
    let rows = exec_table::rows(&facts.capabilities);
    let mut jobs: Vec<Job<'_>> =
        rows.chunks(ROWS).map(|rows| Job { section: parts.len(), work: Work::Starts(rows) }).collect();
    for (section, part) in parts.iter().enumerate() {
        jobs.extend(part.states.iter().map(|&state| Job { section, work: Work::Calls(part, state) }));
    }
    let names = parts.iter().map(|part| part.name).chain(["exec of set-id files"]);
    let empty: Vec<Section> = names.map(Section::named).collect();
    let total = Mutex::new(vec![empty; oracles.len()]);

    let next = AtomicUsize::new(0);
    let work = |mut kernel: Kernel| -> Result<(), Problem> {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = job.work.compare(&mut kernel, oracles)?;
            let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
            for (sections, found) in total.iter_mut().zip(found) {
                if let Some(section) = sections.get_mut(job.section) {
                    section.merge(found);
                }
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers.max(1)).map(|_| scope.spawn(|| work(Kernel::start(agent)?))).collect();
        let mut result = work(first);
        for other in others {
            let ended = other.join().unwrap_or_else(|_| Err(Problem::internal("a worker of the check panicked")));
            result = result.and(ended);
        }
        result
    })?;
    let elapsed = begun.elapsed();
    let checked = total.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().map(|sections| Checked {
        release: facts.release.to_text(),
        workers: workers.max(1),
        sections,
        notes: notes(&facts),
        elapsed,
    });
    Ok(checked.collect())
}

impl Work<'_> {
    /// Asks the kernel; one section for each oracle.
    fn compare(&self, kernel: &mut Kernel, oracles: &[&dyn Oracle]) -> Result<Vec<Section>, Problem> {
        let mut found = vec![Section::default(); oracles.len()];
        match *self {
            Work::Calls(part, state) => {
                let (namespace, answers) = match part.place {
                    Place::Initial => (UserNamespace::initial(), kernel.calls(state, &part.calls)?),
                    Place::FirstTwo { setgroups } => {
                        (oracle::first_two(setgroups), kernel.calls_in_namespace(setgroups, state, &part.calls)?)
                    }
                };
                for (call, answer) in part.calls.iter().zip(answers) {
                    for (found, oracle) in found.iter_mut().zip(oracles) {
                        found.count(call_agrees(&state, call, &answer, &namespace, *oracle)?);
                    }
                }
            }
            Work::Starts(rows) => {
                for row in rows {
                    if let Some(because) = row.beyond(&kernel.facts.capabilities) {
                        found.iter_mut().for_each(|found| found.count(Compared::NotMade(because.to_owned())));
                        continue;
                    }
                    let (answer, _) = kernel.exec(row.trial, &[])?;
                    for (found, oracle) in found.iter_mut().zip(oracles) {
                        found.count(start_agrees(row, answer, &kernel.facts, *oracle)?);
                    }
                }
            }
        }
        Ok(found)
    }
}

fn notes(facts: &Facts) -> Vec<String> {
    let mut notes = Vec::new();
    if !dumpable_tells(facts) {
        notes.push("dumpable is not compared: fs.suid_dumpable is 1 or unknown, so that it tells nothing".to_owned());
    }
    let parsed = Release::parse(&facts.release.to_text());
    if parsed.is_none_or(|release| release > Release::LATEST) {
        let Release { major, minor } = Release::LATEST;
        notes.push(format!(
            "the rules are those of Linux {major}.{minor}; this kernel is newer, or its release cannot be read"
        ));
    }
    notes
}

/// Compares one call. The bounding set, which these calls cannot change, is left out.
fn call_agrees(
    state: &State,
    call: &Call,
    answer: &CallAnswer,
    namespace: &UserNamespace,
    oracle: &dyn Oracle,
) -> Result<Compared, Problem> {
    let (before, value, after) = match *answer {
        CallAnswer::Made { before, value, after } => (before, value, after),
        CallAnswer::Setup { step, errno } => return not_made(step, errno),
    };
    let state = unbounded(*state);
    if before != state {
        let what = "reaching a state".to_owned();
        return Ok(Compared::Differ(Mismatch { what, model: show(&state), kernel: show(&before) }));
    }
    let mut process = oracle::process(&state, namespace.clone());
    let predicted = oracle.call(&mut process, call);
    let predicted_after = unbounded(oracle::state(&process));
    if (predicted, predicted_after) == (value, after) {
        return Ok(Compared::Agree);
    }
    Ok(Compared::Differ(Mismatch {
        what: format!("{} from {}", spell(call), show(&state)),
        model: format!("returns {predicted}, then {}", show(&predicted_after)),
        kernel: format!("returns {value}, then {}", show(&after)),
    }))
}

/// A machine may lack user namespaces, kinds of mounts, tracing or file capabilities. That anything else cannot be done
/// says nothing about the model, and nothing good about the check.
fn not_made(step: Step, errno: i32) -> Result<Compared, Problem> {
    let reason = reason(step, errno);
    match step {
        Step::UserNamespace | Step::Mount | Step::Trace | Step::File => Ok(Compared::NotMade(reason)),
        _ => Err(Problem::unresolved("a state of the check cannot be reached").found(reason)),
    }
}

fn unbounded(mut state: State) -> State {
    state.capabilities.bounding = 0;
    state
}

/// Compares one start.
fn start_agrees(row: &Row, answer: ExecAnswer, facts: &Facts, oracle: &dyn Oracle) -> Result<Compared, Problem> {
    let start = oracle::start(&row.trial);
    let predicted = match start.refused {
        Some(errno) => Err(errno),
        None => oracle.exec(&start.process, &start.image, start.circumstances, release(facts)),
    };
    let model = match &predicted {
        Ok(executed) => ExecAnswer::Ran(report(executed, facts)),
        Err(errno) => ExecAnswer::Refused { errno: errno.number() },
    };
    let answer = match answer {
        ExecAnswer::Setup { step, errno } => return not_made(step, errno),
        ExecAnswer::Ran(report) => ExecAnswer::Ran(Report {
            dumpable: if dumpable_tells(facts) { report.dumpable } else { 1 },
            stack_unlimited: report.stack_unlimited && facts.stack_unlimited,
            ..report
        }),
        refused @ ExecAnswer::Refused { .. } => refused,
    };
    if model == answer {
        return Ok(Compared::Agree);
    }
    Ok(Compared::Differ(Mismatch { what: row.name.clone(), model: show_answer(&model), kernel: show_answer(&answer) }))
}

/// The kernel whose rules hold; the newest one that is known if the release cannot be read.
pub(super) fn release(facts: &Facts) -> Release {
    Release::parse(&facts.release.to_text()).unwrap_or(Release::LATEST)
}

/// Whether PR_GET_DUMPABLE differs at all between a program that gained something and one that did not: proc(5),
/// `/proc/sys/fs/suid_dumpable`.
fn dumpable_tells(facts: &Facts) -> bool {
    facts.suid_dumpable.is_some_and(|value| value != 1)
}

/// What the program should report.
fn report(executed: &Executed, facts: &Facts) -> Report {
    let process = &executed.process;
    let not_dumpable = facts.suid_dumpable.filter(|_| dumpable_tells(facts)).unwrap_or(1);
    Report {
        state: oracle::state(process),
        secure: executed.secure,
        dumpable: if process.dumpable { 1 } else { not_dumpable },
        parent_death_signal: process.parent_death_signal,
        no_new_privs: process.no_new_privs,
        no_randomize: !executed.personality_cleared,
        stack_unlimited: !executed.stack_limited && facts.stack_unlimited,
    }
}

/// Why a transition could not be made, in words.
fn reason(step: Step, errno: i32) -> String {
    let doing = match step {
        Step::Process => "make a throw-away process",
        Step::Securebits => "set securebits",
        Step::Bounding => "drop from the bounding set",
        Step::GroupIds => "set group ids",
        Step::UserIds => "set user ids",
        Step::Capabilities => "set capabilities",
        Step::Ambient => "raise an ambient capability",
        Step::Read => "read a process's state",
        Step::Attributes => "set no_new_privs, limits or the parent-death signal",
        Step::UserNamespace => "make or enter a user namespace",
        Step::Mount => "make or enter a mount",
        Step::Trace => "trace",
        Step::File => "give a file its owner, mode or capabilities",
    };
    format!("could not {doing}: {}", std::io::Error::from_raw_os_error(errno))
}

fn show(state: &State) -> String {
    let CapabilitySets { permitted, effective, inheritable, ambient, bounding } = state.capabilities;
    let four = |[real, effective, saved, fs]: [u32; 4]| format!("{real}/{effective}/{saved}/{fs}");
    let mut text = format!("uid {} gid {} groups {:?}", four(state.uid), four(state.gid), state.groups.as_slice());
    text.push_str(&format!(
        " permitted {permitted:x} effective {effective:x} inheritable {inheritable:x} ambient {ambient:x}"
    ));
    if bounding != 0 {
        text.push_str(&format!(" bounding {bounding:x}"));
    }
    text.push_str(&format!(" securebits {:x}", state.securebits));
    text
}

fn show_answer(answer: &ExecAnswer) -> String {
    match answer {
        ExecAnswer::Setup { step, errno } => reason(*step, *errno),
        ExecAnswer::Refused { errno } => format!("execve fails: {}", std::io::Error::from_raw_os_error(*errno)),
        ExecAnswer::Ran(report) => {
            let death = if report.parent_death_signal == DEATH_SIGNAL { "kept" } else { "cleared" };
            format!(
                "{} AT_SECURE {} dumpable {} PDEATHSIG {death} no_new_privs {} ADDR_NO_RANDOMIZE {} stack unlimited {}",
                show(&report.state),
                report.secure,
                report.dumpable,
                report.no_new_privs,
                report.no_randomize,
                report.stack_unlimited
            )
        }
    }
}
