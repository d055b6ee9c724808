//! The proof that a campaign finds things: each specimen whose flaw an input can show, from a stranger's start, until its
//! first confirmed finding; and the sound ones, in which nothing may be found.

use super::campaign::{Campaign, Mode, Settings};
use super::execute::Target;
use crate::problem::Problem;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// One run against one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How attempts were chosen.
    pub mode: Mode,
    /// The seed.
    pub seed: u64,
    /// What came of it.
    pub ended: Ended,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// At this execution, so long after the start, with this finding.
    Found {
        /// Number of the execution, from 1.
        execution: u64,
        /// Time from the start.
        after: Duration,
        /// The finding's key.
        key: String,
    },
    /// At the cap, with nothing found.
    Missed,
    /// Before the cap, with nothing found: interrupted, or out of time.
    CutOff,
}

/// All runs against one subject.
#[derive(Clone, Debug)]
pub struct Row {
    /// The subject.
    pub subject: String,
    /// Whether nothing may be found.
    pub sound: bool,
    /// Its runs.
    pub runs: Vec<Run>,
}

impl Row {
    /// The median of the executions until detection in a mode, a miss counted as `cap`, with the seconds of the same run;
    /// `None` where there is no run of that mode.
    pub fn median(&self, mode: Mode, cap: u64) -> Option<(u64, Option<Duration>)> {
        let mut runs: Vec<(u64, Option<Duration>)> = self
            .runs
            .iter()
            .filter(|run| run.mode == mode)
            .map(|run| match &run.ended {
                Ended::Found { execution, after, .. } => (*execution, Some(*after)),
                Ended::Missed | Ended::CutOff => (cap, None),
            })
            .collect();
        runs.sort_by_key(|(execution, after)| (*execution, after.is_none()));
        // Of an even number the worse one.
        runs.get(runs.len() / 2).copied()
    }

    /// Whether each run of a mode found something.
    pub fn found(&self, mode: Mode) -> bool {
        let mut runs = self.runs.iter().filter(|run| run.mode == mode).peekable();
        runs.peek().is_some() && runs.all(|run| matches!(run.ended, Ended::Found { .. }))
    }

    /// What was found although nothing may be.
    pub fn false_finding(&self) -> Option<&str> {
        self.runs.iter().find_map(|run| match &run.ended {
            Ended::Found { key, .. } if self.sound => Some(key.as_str()),
            _ => None,
        })
    }
}

/// One run, with one worker, so that the seed decides every attempt.
///
/// # Errors
/// The backend failed, or not a single execution was judged.
pub fn measure(target: &Target, mode: Mode, seed: u64, cap: u64, interrupted: &AtomicBool) -> Result<Run, Problem> {
    let settings = Settings { seed, mode, time: None, executions: Some(cap), first: true };
    let campaign = Campaign::new(&target.ground, &settings, None, Vec::new(), interrupted);
    let tally = campaign.run(vec![target.executor()], &mut |_| {})?;
    if tally.judged() == 0 {
        return Err(Problem::unresolved(format!("{}: no execution was judged", target.subject)));
    }
    let found = tally.findings.iter().filter(|finding| finding.confirmed).min_by_key(|finding| finding.execution);
    let ended = match found {
        Some(finding) => {
            let (execution, after) = (finding.execution, finding.after);
            Ended::Found { execution, after, key: finding.key.to_string() }
        }
        None if interrupted.load(std::sync::atomic::Ordering::Relaxed) => Ended::CutOff,
        None => Ended::Missed,
    };
    Ok(Run { mode, seed, ended })
}

#[cfg(test)]
mod tests {
    use super::{Ended, Mode, Row, Run};
    use std::time::Duration;

    #[test]
    fn a_miss_counts_as_the_cap_and_is_no_detection() {
        let run = |seed, ended| Run { mode: Mode::Novelty, seed, ended };
        let found = |execution| Ended::Found { execution, after: Duration::from_secs(1), key: "k".to_owned() };
        let row = |runs| Row { subject: "x".to_owned(), sound: false, runs };
        let all = row(vec![run(1, found(10)), run(2, found(30)), run(3, found(20))]);
        assert_eq!(all.median(Mode::Novelty, 100), Some((20, Some(Duration::from_secs(1)))));
        assert!(all.found(Mode::Novelty) && !all.found(Mode::Blind));
        let one_missed = row(vec![run(1, found(10)), run(2, Ended::Missed), run(3, Ended::Missed)]);
        assert_eq!(one_missed.median(Mode::Novelty, 100), Some((100, None)));
        assert!(!one_missed.found(Mode::Novelty));
        assert_eq!(all.median(Mode::Blind, 100), None);
        assert_eq!(all.false_finding(), None);
        assert_eq!(Row { sound: true, ..all }.false_finding(), Some("k"));
    }
}
