//! A finding becomes a scenario that says the same start, or none.

use super::{accounts, ground};
use crate::fuzz::TOKENS;
use crate::fuzz::adopt::scenario;
use crate::fuzz::store::Found;
use crate::scenario::{Source, Suite};
use lab_invocation::Attempt;
use lab_invocation::mutate::mutate;
use lab_invocation::random::Random;
use std::sync::Arc;

fn found(attempt: Attempt) -> Found {
    let key = "P03 / mail-wrapper / leaked-environment / admitted / script.env".parse().expect("a key");
    Found { path: "P03-x.inv".into(), key, attempt }
}

/// Reading back, the model's consent and the equality of the starts are asked for by what is tested; here, how often it
/// can do it.
#[test]
fn nearly_every_mutated_start_can_be_said_in_a_scenario() {
    let ground = ground("mail-wrapper");
    let mut random = Random::new(5);
    let (mut said, mut refused) = (0, Vec::new());
    for _ in 0..400 {
        let mut attempt = ground.stranger();
        for _ in 0..3 {
            mutate(&mut attempt, &mut random, &TOKENS);
        }
        ground.restore(&mut attempt);
        match scenario(&found(attempt), "regressions/x", accounts()) {
            Ok(_) => said += 1,
            Err(problem) => refused.push(problem.to_string()),
        }
    }
    assert!(said > 300, "{said} of 400; {refused:#?}");
}

#[test]
fn the_expected_outcome_is_the_models() {
    let mut attempt = ground("mail-wrapper").stranger();
    attempt.invocation.argv.push("\x1b[2J\"\\".into());
    let text = scenario(&found(attempt), "regressions/x", accounts()).expect("it can be said");
    let mut suite = Suite::new(accounts().clone());
    suite.add("regressions/x", &Arc::new(Source { path: "x".to_owned(), text })).expect("it is a scenario");
    let outcomes: Vec<(&str, Option<u8>)> =
        suite.cases.iter().map(|case| (case.expected.as_str(), case.outcome.exit)).collect();
    assert_eq!(outcomes, [("admitted", Some(0)), ("mismatch", Some(2))]);
}

#[test]
fn what_belongs_to_another_installation_is_no_scenario() {
    let mut attempt = ground("mail-wrapper").stranger();
    attempt.sealed.keep.clear();
    assert!(scenario(&found(attempt), "regressions/x", accounts()).is_err());
}
