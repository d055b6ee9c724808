//! The loop, with a subject that is a function.

use super::ground;
use crate::fuzz::campaign::{Campaign, Mode, Settings, Tally};
use crate::fuzz::execute::{Executed, Executor, Judged};
use crate::fuzz::ground::Ground;
use crate::fuzz::key::Key;
use crate::fuzz::reduce::reduce;
use crate::judge::tests::sound;
use crate::problem::Problem;
use lab_invocation::Attempt;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Wrong for these attempts, at the nth such execution if it says so.
struct Double<'a> {
    ground: &'a Ground,
    wrong: fn(&Attempt) -> bool,
    only: Option<u32>,
    times: u32,
}

impl Executor for Double<'_> {
    fn execute(&mut self, attempt: &Attempt) -> Result<Executed, Problem> {
        let case = match self.ground.case(attempt, None) {
            Ok(case) => case,
            Err(because) => return Ok(Executed::Untried(because)),
        };
        let mut wrong = (self.wrong)(attempt);
        if wrong {
            self.times += 1;
            wrong = self.only.is_none_or(|only| only == self.times);
        }
        let evidence = sound(&case);
        let shape = attempt.invocation.argv.len() as u64;
        let key = wrong.then(key);
        let judged =
            Judged { outcome: "any", exercised: vec!["P01"], key, shape, case, evidence, differences: Vec::new() };
        Ok(Executed::Judged(Box::new(judged)))
    }
}

fn key() -> Key {
    "P03 / double / leaked-environment / admitted / script.env".parse().expect("a key")
}

fn run(wrong: fn(&Attempt) -> bool, only: Option<u32>, executions: u64) -> Tally {
    let ground = ground("mail-wrapper");
    let settings = Settings {
        seed: 1,
        mode: Mode::Novelty,
        time: Some(Duration::from_secs(60)),
        executions: Some(executions),
        first: false,
    };
    let interrupted = AtomicBool::new(false);
    let campaign = Campaign::new(&ground, &settings, None, Vec::new(), &interrupted);
    let double = Double { ground: &ground, wrong, only, times: 0 };
    campaign.run(vec![double], &mut |_| {}).expect("the double does not fail")
}

fn has_two_kept(attempt: &Attempt) -> bool {
    let kept = |name: &[u8]| attempt.invocation.env.iter().any(|entry| entry.as_slice().starts_with(name));
    kept(b"HOST=") && kept(b"LANG=")
}

#[test]
fn what_is_wrong_is_found_confirmed_and_made_small() {
    let tally = run(has_two_kept, None, 3000);
    let [finding] = tally.findings.as_slice() else { panic!("one finding, not {:?}", tally.findings) };
    assert!(finding.confirmed);
    assert_eq!(finding.key, key());
    let env: Vec<usize> = finding.attempt.invocation.env.iter().map(|entry| entry.as_slice().len()).collect();
    assert_eq!(env, [5, 5], "two entries of a name and = alone: {:?}", finding.attempt.invocation.env);
    assert_eq!(tally.executions, 3000);
    assert_eq!(tally.exercised["P01"], 3000);
}

#[test]
fn what_shows_only_now_and_then_is_not_confirmed() {
    let tally = run(has_two_kept, Some(1), 3000);
    assert_eq!(tally.findings.iter().map(|finding| finding.confirmed).collect::<Vec<_>>(), [false]);
}

#[test]
fn the_same_seed_makes_the_same_attempts() {
    let found = || run(has_two_kept, None, 2000).findings.iter().map(|finding| finding.execution).collect::<Vec<_>>();
    assert_eq!(found(), found());
}

#[test]
fn a_reduction_stays_with_its_own_finding() {
    let ground = ground("mail-wrapper");
    let mut attempt = ground.stranger();
    attempt.invocation.env = ["A=1", "HOST=lists", "B=2", "LANG=de"].map(Into::into).into();
    attempt.invocation.umask = 0;
    let mut double = Double { ground: &ground, wrong: |attempt| attempt.invocation.umask == 0, only: None, times: 0 };
    let small = reduce(&attempt, &key(), &ground, &mut double).expect("the double does not fail");
    assert_eq!((small.invocation.umask, small.invocation.env.len()), (0, 0));
}
