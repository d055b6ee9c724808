//! The loop of a campaign: choose an attempt, mutate it, execute it, keep what is new, confirm and reduce what is wrong.

use super::TOKENS;
use super::execute::{Executed, Executor, Judged};
use super::ground::{Ground, LONGEST};
use super::key::Key;
use super::reduce::reduce;
use super::store::Store;
use crate::problem::Problem;
use lab_invocation::Attempt;
use lab_invocation::invocation::{Descriptor, Stdin};
use lab_invocation::mutate::{cross, mutate};
use lab_invocation::random::Random;
use lab_invocation::text::encode;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// How attempts are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What behaved as nothing before is kept and mutated further.
    Novelty,
    /// Each attempt is the stranger's, mutated some times.
    Blind,
}

/// How long, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// With one job the same seed makes the same attempts.
    pub seed: u64,
    /// How attempts are chosen.
    pub mode: Mode,
    /// At most so long; `None` is without end.
    pub time: Option<Duration>,
    /// At most so many executions.
    pub executions: Option<u64>,
    /// Whether the first confirmed finding ends it.
    pub first: bool,
}

/// A finding of a campaign.
#[derive(Debug)]
pub struct Finding {
    /// What makes it one with others.
    pub key: Key,
    /// The attempt, as small as it could be made.
    pub attempt: Attempt,
    /// Whether each of the three repetitions showed it.
    pub confirmed: bool,
    /// Number of the execution that showed it first, from 1.
    pub execution: u64,
    /// When, from the start of the campaign.
    pub after: Duration,
    /// Its file, where findings are kept.
    pub file: Option<PathBuf>,
}

/// What a campaign has come to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Attempts that were delivered to the subject, without those of confirming and reducing.
    pub executions: u64,
    /// Attempts with which no execution was made, by reason.
    pub untried: BTreeMap<String, u64>,
    /// Executions of which nothing could be said, by reason.
    pub unjudged: BTreeMap<String, u64>,
    /// How often each property was exercised.
    pub exercised: BTreeMap<&'static str, u64>,
    /// How often each outcome was predicted.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// How many attempts are kept.
    pub corpus: usize,
    /// Findings, by key.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Tally {
    /// Executions that were judged.
    pub fn judged(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Executions a second.
    pub fn rate(&self) -> f64 {
        // A double holds every count that a campaign can come to.
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let executions = self.executions as f64;
        executions / self.elapsed.as_secs_f64().max(1e-3)
    }

    fn judge(&mut self, judged: &Judged) {
        *self.outcomes.entry(judged.outcome).or_default() += 1;
        for &id in &judged.exercised {
            *self.exercised.entry(id).or_default() += 1;
        }
    }
}

/// What workers share.
struct State {
    tally: Tally,
    /// Tried as they are, before any mutation.
    pending: VecDeque<Attempt>,
    corpus: Vec<Attempt>,
    shapes: HashSet<u64>,
    /// Keys that were seen, whoever is still at work on them.
    keys: BTreeSet<Key>,
    /// What ended it before its time.
    problem: Option<Problem>,
}

/// A campaign.
pub struct Campaign<'a> {
    ground: &'a Ground,
    settings: &'a Settings,
    store: Option<&'a Store>,
    interrupted: &'a AtomicBool,
    state: Mutex<State>,
    tickets: AtomicU64,
    stop: AtomicBool,
    started: Instant,
}

/// How often a finding is repeated before it counts.
const REPETITIONS: u32 = 3;
/// How often the one who watches is told.
const TICK: Duration = Duration::from_millis(200);
/// Reasons that are told apart; a campaign must not grow with what it meets.
const REASONS: usize = 64;
/// Keys that are told apart: a subject with more is broken in some other way.
const KEYS: usize = 64;

impl<'a> Campaign<'a> {
    /// With what was kept before. `interrupted` ends it early.
    pub fn new(
        ground: &'a Ground,
        settings: &'a Settings,
        store: Option<&'a Store>,
        kept: Vec<Attempt>,
        interrupted: &'a AtomicBool,
    ) -> Self {
        let mut pending = VecDeque::from([ground.stranger()]);
        pending.extend(kept);
        let state = State {
            tally: Tally::default(),
            pending,
            corpus: Vec::new(),
            shapes: HashSet::new(),
            keys: BTreeSet::new(),
            problem: None,
        };
        Self {
            ground,
            settings,
            store,
            interrupted,
            state: Mutex::new(state),
            tickets: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            started: Instant::now(),
        }
    }

    /// Runs it, one thread for each executor. `tell` is called now and then with what there is so far.
    ///
    /// # Errors
    /// The backend failed, or something could not be kept. What was kept before stays.
    pub fn run<E: Executor>(self, executors: Vec<E>, tell: &mut dyn FnMut(&Tally)) -> Result<Tally, Problem> {
        std::thread::scope(|scope| {
            let (done, ends) = mpsc::channel::<()>();
            for (number, executor) in (0..).zip(executors) {
                let (campaign, done) = (&self, done.clone());
                scope.spawn(move || {
                    campaign.work(number, executor);
                    drop(done);
                });
            }
            drop(done);
            while ends.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                let mut state = self.state();
                state.tally.elapsed = self.started.elapsed();
                tell(&state.tally);
            }
        });
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(problem) = state.problem {
            return Err(problem);
        }
        state.tally.elapsed = self.started.elapsed();
        state.tally.findings.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(state.tally)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn over(&self) -> bool {
        let late = self.settings.time.is_some_and(|time| self.started.elapsed() >= time);
        late || self.stop.load(Ordering::Relaxed) || self.interrupted.load(Ordering::Relaxed)
    }

    fn work<E: Executor>(&self, number: u64, mut executor: E) {
        // Each worker begins at a number that chance chose: neighbouring seeds have sequences that overlap.
        let mut seeds = Random::new(self.settings.seed);
        let own = (0..=number).fold(0, |_, _| seeds.next());
        let mut random = Random::new(own);
        while !self.over() {
            let ticket = self.tickets.fetch_add(1, Ordering::Relaxed) + 1;
            if self.settings.executions.is_some_and(|most| ticket > most) {
                break;
            }
            let attempt = self.next(&mut random);
            let tried =
                executor.execute(&attempt).and_then(|executed| self.take(ticket, attempt, executed, &mut executor));
            if let Err(problem) = tried {
                self.state().problem.get_or_insert(problem);
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    /// What to try next.
    fn next(&self, random: &mut Random) -> Attempt {
        let mut state = self.state();
        if let Some(attempt) = state.pending.pop_front() {
            return attempt;
        }
        let mut attempt = match self.settings.mode {
            Mode::Blind => self.ground.stranger(),
            Mode::Novelty => {
                let parent = chosen(&state.corpus, random).cloned().unwrap_or_else(|| self.ground.stranger());
                let other = if random.one_in(8) { chosen(&state.corpus, random).cloned() } else { None };
                other.map_or(parent.clone(), |other| cross(&parent, &other, random))
            }
        };
        drop(state);
        let rounds = match self.settings.mode {
            Mode::Blind => 1 + random.below(4),
            Mode::Novelty => 1 + usize::from(random.one_in(4)),
        };
        let before = attempt.clone();
        for _ in 0..rounds {
            mutate(&mut attempt, random, &TOKENS);
        }
        self.ground.restore(&mut attempt);
        if encode(&attempt).len() > LONGEST { before } else { attempt }
    }

    fn take<E: Executor>(
        &self,
        ticket: u64,
        attempt: Attempt,
        executed: Executed,
        executor: &mut E,
    ) -> Result<(), Problem> {
        let judged = match executed {
            Executed::Untried(because) => {
                count(&mut self.state().tally.untried, because);
                return Ok(());
            }
            Executed::Unjudged(because) => {
                let mut state = self.state();
                state.tally.executions += 1;
                count(&mut state.tally.unjudged, because);
                return Ok(());
            }
            Executed::Judged(judged) => judged,
        };
        let after = self.started.elapsed();
        let mut state = self.state();
        state.tally.executions += 1;
        state.tally.judge(&judged);
        let new = state.shapes.insert(judged.shape);
        if new && judged.key.is_none() {
            state.corpus.push(attempt.clone());
            state.tally.corpus = state.corpus.len();
        }
        let Some(key) = judged.key.clone() else {
            drop(state);
            return match self.store.filter(|_| new) {
                Some(store) => store.keep(&attempt),
                None => Ok(()),
            };
        };
        if state.keys.len() >= KEYS || !state.keys.insert(key.clone()) {
            return Ok(());
        }
        drop(state);
        let confirmed = self.confirmed(&attempt, &key, executor)?;
        let attempt =
            if confirmed && !self.settings.first { reduce(&attempt, &key, self.ground, executor)? } else { attempt };
        let file = self.store.map(|store| store.found(&key, &attempt)).transpose()?;
        self.state().tally.findings.push(Finding { key, attempt, confirmed, execution: ticket, after, file });
        if confirmed && self.settings.first {
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn confirmed<E: Executor>(&self, attempt: &Attempt, key: &Key, executor: &mut E) -> Result<bool, Problem> {
        for _ in 0..REPETITIONS {
            match executor.execute(attempt)? {
                Executed::Judged(judged) if judged.key.as_ref() == Some(key) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// One of the corpus, seldom one that waits: its children wait as well, and a hundred others are tried in that time.
fn chosen<'c>(corpus: &'c [Attempt], random: &mut Random) -> Option<&'c Attempt> {
    let first = random.choose(corpus)?;
    if !waits(first) || random.one_in(16) {
        return Some(first);
    }
    (0..8).find_map(|_| random.choose(corpus).filter(|attempt| !waits(attempt)))
}

/// Whether somebody waits for a reader that never reads, or for input that never comes. Told from the attempt, not from a
/// clock, so that the same seed makes the same choices.
fn waits(attempt: &Attempt) -> bool {
    let invocation = &attempt.invocation;
    let full = invocation.descriptors.iter().any(|(_, descriptor)| *descriptor == Descriptor::FullPipe);
    full || matches!(invocation.stdin, Stdin::Silent | Stdin::Endless)
}

fn count(counts: &mut BTreeMap<String, u64>, reason: String) {
    if counts.len() < REASONS || counts.contains_key(&reason) {
        *counts.entry(reason).or_default() += 1;
    }
}
