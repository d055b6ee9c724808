//! Does the fuzzer find anything? Decisions with one planted fault each, which the properties and the mutator must find, and
//! the wrapper's own decision, in which they must find nothing.

mod faults;

use fuzz_checks::TOKENS;
use fuzz_checks::properties::{ELSEWHERE, Outcome, PROPERTIES, Question};
use fuzz_checks::seal;
use fuzz_checks::subject::{Case, Decider, Verdict, Wrapper};
use fuzz_checks::tally::Tally;
use fuzz_checks::targets::{DECISION_PROPERTIES, against_model, against_properties};
use lab_invocation::Attempt;
use lab_invocation::mutate::mutate;
use lab_invocation::random::Random;
use lab_invocation::text::decode;
use std::collections::BTreeSet;
use std::path::Path;

/// Which check a campaign asks.
type Check = fn(&Attempt, &dyn Decider, &Tally) -> Result<bool, fuzz_checks::Finding>;

/// What a small campaign found.
struct Campaign {
    /// The check, and after how many executions.
    found: Option<(&'static str, u64)>,
    executions: u64,
    tally: Tally,
}

/// Most executions of one campaign.
const CAP: u64 = 5_000;

/// Mutates what showed something new, beginning with a stranger, until there is a finding or [`CAP`] is reached.
fn campaign(decider: &dyn Decider, check: Check, seed: u64) -> Campaign {
    let mut random = Random::new(seed);
    let mut kept = vec![Attempt::by_a_stranger()];
    let mut seen = BTreeSet::new();
    let tally = Tally::new();
    for executions in 1..=CAP {
        let mut attempt = random.choose(&kept).expect("never empty").clone();
        mutate(&mut attempt, &mut random, &TOKENS);
        match check(&attempt, decider, &tally) {
            Err(finding) => return Campaign { found: Some((finding.check, executions)), executions, tally },
            Ok(false) => {}
            Ok(true) => {
                if seen.insert(behaviour(&attempt, decider)) {
                    kept.push(attempt);
                }
            }
        }
    }
    Campaign { found: None, executions: CAP, tally }
}

/// What can be seen from outside, roughly: reason, number of arguments, number of variables.
fn behaviour(attempt: &Attempt, decider: &dyn Decider) -> (String, usize, usize) {
    let section = seal::section_of(&attempt.sealed).expect("it was asked about");
    let case = Case::new(attempt, &section).expect("it was asked about");
    let few = |count: usize| count.min(4);
    match decider.decide(&case).verdict {
        Verdict::Started { argv, env, .. } => ("started".to_owned(), few(argv.len()), few(env.len())),
        Verdict::Refused { reason, status, .. } => (format!("{reason} {status}"), few(case.argv.len()), 0),
    }
}

#[test]
fn every_planted_fault_is_found_and_by_the_right_property() {
    for fault in faults::FAULTS {
        for seed in 1..=3 {
            let campaign = campaign(&fault, against_properties, seed);
            let (check, executions) = campaign.found.unwrap_or_else(|| {
                panic!(
                    "{}: not found with seed {seed} in {} executions; {}",
                    fault.name, campaign.executions, campaign.tally
                )
            });
            assert!(fault.found_by.contains(&check), "{}: found by {check}, not by {:?}", fault.name, fault.found_by);
            println!("{}: {check} after {executions} executions, seed {seed}", fault.name);
        }
    }
}

/// What is replayed by every test run finds them without chance.
#[test]
fn every_planted_fault_is_found_by_the_seeds() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds/attempts");
    let seeds: Vec<Attempt> = std::fs::read_dir(seeds)
        .expect("the seeds")
        .map(|entry| attempt(&std::fs::read_to_string(entry.expect("a seed").path()).expect("text")))
        .collect();
    for fault in faults::FAULTS {
        let finds = |seed: &Attempt| against_properties(seed, &fault, &Tally::new()).is_err();
        assert!(seeds.iter().any(finds), "{}: no seed shows it", fault.name);
    }
}

#[test]
fn every_planted_fault_that_changes_a_verdict_is_found_by_the_model() {
    for fault in faults::FAULTS.into_iter().filter(|fault| fault.changes_verdict) {
        let campaign = campaign(&fault, against_model, 1);
        assert_eq!(campaign.found.map(|(check, _)| check), Some("P11"), "{}", fault.name);
    }
}

#[test]
fn in_the_wrappers_own_decision_nothing_is_found_and_every_property_is_exercised() {
    for check in [against_properties as Check, against_model] {
        let campaign = campaign(&Wrapper, check, 1);
        assert_eq!((campaign.found, campaign.executions), (None, CAP));
        let counts: &[&str] =
            if campaign.tally.of("P11") > 0 { &["admitted", "mismatch", "usage"] } else { DECISION_PROPERTIES.counts };
        for id in counts {
            assert!(campaign.tally.of(id) >= 50, "{id} was hardly exercised: {}", campaign.tally);
        }
    }
}

#[test]
fn each_property_notices_the_fault_that_it_is_there_for() {
    for property in PROPERTIES {
        let liars: Vec<_> = faults::FAULTS.into_iter().filter(|fault| fault.found_by[0] == property.id).collect();
        assert!(!liars.is_empty(), "no fault is there for {}", property.id);
        for fault in liars {
            let attempt = fault.shown_by();
            let section = seal::section_of(&attempt.sealed).expect("it fits");
            let case = Case::new(&attempt, &section).expect("a question");
            let ask = |decider: &dyn Decider| {
                let answer = decider.decide(&case);
                (property.holds)(&Question { attempt: &attempt, case: &case, answer: &answer, decider })
            };
            assert!(matches!(ask(&fault), Outcome::Broken(_)), "{} does not notice {}", property.id, fault.name);
            let sound = ask(&Wrapper);
            assert!(!matches!(sound, Outcome::Broken(_)), "{} on {}: {sound:?}", property.id, fault.name);
        }
    }
}

#[test]
fn every_property_is_asked_or_says_why_it_is_not() {
    let mut ids: Vec<&str> = PROPERTIES.iter().map(|property| property.id).collect();
    assert_eq!(DECISION_PROPERTIES.counts, ids, "what the target counts");
    ids.extend(ELSEWHERE.map(|(id, _)| id));
    ids.sort_unstable();
    let wanted: Vec<String> = (1..=17).map(|number| format!("P{number:02}")).collect();
    assert_eq!(ids, wanted);
}

/// An attempt in its text.
fn attempt(text: &str) -> Attempt {
    decode(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}
