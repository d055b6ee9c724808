//! Each verdict, and what it leaves of the others.

use super::super::Outcome;
use super::super::compare::tests::report;
use super::super::remedy::{Proof, Proofs};
use super::Judged;
use crate::problem::Problem;
use crate::run::exit::Exit;

fn outcome(name: &str) -> Outcome {
    Outcome {
        name: name.to_owned(),
        control: false,
        differences: Vec::new(),
        seen: Some(report()),
        ways: Vec::new(),
        mismatch: None,
        without_bit: None,
        untried: false,
    }
}

fn proof(what: &str, missing: &[&str]) -> Proof {
    Proof { what: what.to_owned(), possible: true, missing: missing.iter().map(|&line| line.to_owned()).collect() }
}

fn proofs(missing: &[&str]) -> Proofs {
    Proofs {
        trusts: "mail".to_owned(),
        differences: Vec::new(),
        server: Proof { possible: false, ..proof("not possible: it has none", &[]) },
        wrapper: proof("seal it", missing),
        waits: proof("it waits", &[]),
    }
}

/// What files came to: their text, the last line, the exit status and JUnit's XML.
fn judged(files: &[(&str, Vec<Outcome>, Option<Problem>)]) -> (String, Exit) {
    let mut judged = Judged::new("k3f");
    let take = |(name, outcomes, problem): &(&str, Vec<Outcome>, Option<Problem>)| {
        judged.take(&format!("deploy/{name}"), "A title", outcomes, problem.as_ref())
    };
    let text: String = files.iter().map(take).collect();
    let (json, junit) = (judged.json(), judged.junit().expect("XML"));
    (format!("{text}{}\n\n{json}\n{junit}", judged.summary()), judged.exit())
}

#[test]
fn what_passes_is_said_with_its_identity() {
    let mended = Outcome { mismatch: Some(proofs(&[])), ..outcome("control: an alias") };
    let refused = Outcome { without_bit: Some(Vec::new()), seen: None, ..outcome("an alias without its bit") };
    let ended = Outcome { ways: vec!["71".to_owned(), "75".to_owned()], seen: None, ..outcome("ends") };
    let (text, exit) = judged(&[("mail", vec![mended, refused, ended], None)]);
    assert_eq!(exit, Exit::Passed);
    insta::assert_snapshot!("deploy_passed", text);
}

#[test]
fn what_fails_is_said_with_its_difference() {
    let differs =
        Outcome { differences: vec!["group: found 8,\nwanted 9".to_owned()], untried: true, ..outcome("differs") };
    let broken = Outcome { mismatch: Some(proofs(&["fate: found Bounced"])), ..outcome("is not mended") };
    let started = Outcome { without_bit: Some(vec!["script: 1 were started".to_owned()]), ..outcome("is not refused") };
    let (text, exit) = judged(&[("mail", vec![differs], None), ("web", vec![broken, started], None)]);
    assert_eq!(exit, Exit::Failed);
    insta::assert_snapshot!("deploy_failed", text);
}

/// A control that fell, and a server that cannot be asked: the next file is judged all the same.
#[test]
fn what_cannot_be_judged_is_no_success() {
    let control = Outcome { control: true, differences: vec!["fate: found Sent".to_owned()], ..outcome("control") };
    // What had failed before is not forgotten over it.
    let failed = Outcome { differences: vec!["group: found 8".to_owned()], untried: true, ..outcome("had failed") };
    let gone = Problem::unresolved("run a case").found("the agent has ended");
    let (text, exit) = judged(&[
        ("mail", vec![control, outcome("rests on it")], None),
        ("web", vec![failed], Some(gone.clone())),
        ("other", vec![outcome("stands alone")], None),
    ]);
    assert_eq!(exit, Exit::Failed);
    insta::assert_snapshot!("deploy_unresolved", text);
    let doubt = judged(&[("web", Vec::new(), Some(gone)), ("other", vec![outcome("passes")], None)]);
    assert_eq!(doubt.1, Exit::Unresolved);
    assert_eq!(judged(&[]).1, Exit::Unresolved);
}
