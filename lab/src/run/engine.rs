//! Hands the cases to workers and makes events of what comes back. A verdict is final, and its event is sent, once the
//! controls of its scenario are known.

use crate::backend::{Backend, BackendError, Lack, Worker};
use crate::capability::Capabilities;
use crate::case::Case;
use crate::diagnose::{diagnose, ledger};
use crate::run::collect::{Collector, Done, Settings};
use crate::run::event::{Event, Summary};
use crate::run::plan::Plan;
use crate::run::verdict::{Seen, joined, unproven, unsupported};
use crate::run::words::error;
use crate::verdict::Verdict;
use lab_invocation::Evidence;
use lab_invocation::evidence::Stage;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Compares evidence with what a case expects.
pub type Judge = dyn Fn(&Case, &Evidence) -> Seen + Send + Sync;

/// Everything that workers share.
struct Shared {
    plan: Plan,
    backend: Arc<dyn Backend>,
    judge: Box<Judge>,
    queue: Mutex<VecDeque<Vec<usize>>>,
    stop: AtomicBool,
}

/// How many cases a worker takes at once: enough to use a prepared layout, few enough to share the rest.
const CHUNK: usize = 16;

/// How long the user waits at most for the answer to an interruption.
const TICK: Duration = Duration::from_millis(50);

/// Runs a plan. Every event but the first comes from here, in order; the summary is returned as well.
pub fn run(
    plan: Plan,
    backend: Arc<dyn Backend>,
    capabilities: &Capabilities,
    judge: Box<Judge>,
    settings: &Settings,
    tell: &mut dyn FnMut(&Event),
) -> Summary {
    let started = Instant::now();
    let (lacking, able): (Vec<_>, Vec<_>) = (0..plan.cases.len())
        .map(|place| (place, cannot(&plan, place, backend.as_ref(), capabilities)))
        .partition(|(_, verdict)| verdict.is_some());
    let queue = chunks(&plan, able.into_iter().map(|(place, _)| place));
    let jobs = settings.jobs.clamp(1, queue.len().max(1));
    let shared = Arc::new(Shared { plan, backend, judge, queue: Mutex::new(queue), stop: AtomicBool::new(false) });
    let mut collector = Collector::new(&shared.plan, settings, tell);
    for (place, verdict) in lacking {
        if let Some(verdict) = verdict {
            collector.take(Done::untried(place, verdict));
        }
    }
    // Bounded: evidence that nobody has taken yet takes memory, and after a stop little is thrown away.
    let (send, receive) = mpsc::sync_channel(2 * jobs);
    for _ in 0..jobs {
        let (shared, send) = (Arc::clone(&shared), send.clone());
        // Not joined: after an interruption nobody waits for the deadline of a case that sleeps.
        std::thread::spawn(move || work(&shared, &send));
    }
    drop(send);
    loop {
        match receive.recv_timeout(TICK) {
            Ok(done) => {
                let failed = collector.take(done);
                if failed && settings.fail_fast {
                    break;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if settings.interrupted.load(Ordering::Relaxed) {
            break;
        }
    }
    shared.stop.store(true, Ordering::Relaxed);
    collector.finish(started.elapsed())
}

/// Why a case cannot be run here, as a verdict.
fn cannot(plan: &Plan, place: usize, backend: &dyn Backend, capabilities: &Capabilities) -> Option<Verdict> {
    let planned = &plan.cases[place];
    if let Some(because) = &planned.unsupported {
        return Some(Verdict::Unsupported { needs: None, because: because.clone() });
    }
    unsupported(&planned.case, capabilities).or_else(|| {
        let Lack { needs, because } = backend.lacks(&plan.setting(planned).layout, &planned.case.invocation)?;
        Some(Verdict::Unsupported { needs, because })
    })
}

/// Groups cases by setting, those with controls first. The cases of a setting are dealt out like cards: neighbours in a
/// file are often of one kind, and cases that wait for a second each must not sit in one chunk.
fn chunks(plan: &Plan, places: impl Iterator<Item = usize>) -> VecDeque<Vec<usize>> {
    let mut by_setting: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for place in places {
        by_setting.entry(plan.cases[place].setting).or_default().push(place);
    }
    let control = |place: &usize| plan.cases[*place].case.control;
    let mut all: Vec<Vec<usize>> = Vec::new();
    for mut group in by_setting.into_values() {
        group.sort_by_key(|place| !control(place));
        let hands = group.len().div_ceil(CHUNK);
        all.extend((0..hands).map(|hand| group.iter().copied().skip(hand).step_by(hands).collect()));
    }
    all.sort_by_key(|chunk| !chunk.iter().any(control));
    all.into()
}

fn work(shared: &Shared, send: &mpsc::SyncSender<Done>) {
    let mut worker = None;
    loop {
        let chunk = shared.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(chunk) = chunk else { return };
        for place in chunk {
            if shared.stop.load(Ordering::Relaxed) {
                return;
            }
            let done = one(shared, place, &mut worker);
            if send.send(done).is_err() {
                return;
            }
        }
    }
}

/// Runs one case. A worker which failed is replaced before the next.
fn one(shared: &Shared, place: usize, worker: &mut Option<Box<dyn Worker>>) -> Done {
    let begun = Instant::now();
    let mut done = match attempt(shared, place, worker) {
        Ok(done) => done,
        Err(error) => {
            *worker = None;
            let cure = error.cure.as_ref().map(|cure| format!("; {cure}")).unwrap_or_default();
            Done::untried(place, Verdict::Unresolved { because: format!("{error}{cure}") })
        }
    };
    done.ms = begun.elapsed().as_secs_f64() * 1000.0;
    done
}

fn attempt(shared: &Shared, place: usize, slot: &mut Option<Box<dyn Worker>>) -> Result<Done, BackendError> {
    let planned = &shared.plan.cases[place];
    let worker = match slot {
        Some(worker) => worker,
        None => slot.insert(shared.backend.worker()?),
    };
    let layout = &shared.plan.setting(planned).layout;
    let (id, probes) = worker.open(layout, &|digest| shared.plan.subjects.blob(digest))?;
    if let Some(because) = unproven(&probes) {
        return Ok(Done { probes: Some(probes), ..Done::untried(place, Verdict::Unresolved { because }) });
    }
    let case = &planned.case;
    let evidence = worker.run(id, &case.invocation)?;
    let first = see(shared, case, &evidence);
    let again = match &first {
        Seen::Compared(differences) if !differences.is_empty() => {
            let again = worker.run(id, &case.invocation)?;
            Some(see(shared, case, &again))
        }
        _ => None,
    };
    let runs = 1 + u32::from(again.is_some());
    let verdict = joined(first, again);
    let (ledger, diagnoses) = match &verdict {
        Verdict::Fail { differences } => (Some(ledger(case, &evidence)), diagnose(case, &evidence, differences)),
        _ => (None, Vec::new()),
    };
    Ok(Done { place, verdict, evidence: Some(evidence), probes: Some(probes), ledger, diagnoses, runs, ms: 0.0 })
}

fn see(shared: &Shared, case: &Case, evidence: &Evidence) -> Seen {
    match &evidence.stage {
        Stage::Setup { step, errno } => {
            Seen::Nothing { because: format!("the sandbox could not be furnished: {step}: {}", error(*errno)) }
        }
        Stage::Exec { .. } | Stage::Ran => (shared.judge)(case, evidence),
    }
}
