//! Every edit is made, nothing leaves the format, nothing exceeds its limit, and a seed says it all.

use super::{KINDS, cross, cross_texts, mutate, mutate_text};
use crate::random::Random;
use crate::text::{decode, encode};
use crate::tokens::Tokens;
use crate::{Attempt, Bytes};
use std::collections::BTreeSet;

fn tokens() -> Tokens {
    let arguments = "\"--\"\n\"-f\"\n\"-fx\"\n\"../../bin/sh\"\n";
    Tokens::new(arguments, "\"LD_PRELOAD\"\n\"IFS\"\n", "\"/tmp/x.so\"\n\"\\x1b[2J\"\n").expect("three dictionaries")
}

/// Long enough for every edit to have something to act on.
fn busy() -> Attempt {
    let mut attempt = Attempt::by_a_stranger();
    attempt.invocation.argv.extend(["-f", "x", "--", "y"].map(Bytes::from));
    attempt.invocation.env.push("HOST=h".into());
    attempt
}

#[test]
fn every_edit_changes_something() {
    let tokens = tokens();
    for (kind, edits) in KINDS.iter().enumerate() {
        for (number, edit) in edits.iter().enumerate() {
            let mut random = Random::new(1);
            let changed = (0..200).any(|_| {
                let mut attempt = busy();
                edit(&mut attempt, &mut random, &tokens);
                attempt != busy()
            });
            assert!(changed, "edit {number} of kind {kind} changes nothing");
        }
    }
}

#[test]
fn a_long_chain_of_changes_stays_readable_and_has_no_nul() {
    let tokens = tokens();
    let mut random = Random::new(7);
    let mut attempt = Attempt::by_a_stranger();
    for step in 0..5000 {
        mutate(&mut attempt, &mut random, &tokens);
        let strings = attempt.invocation.argv.iter().chain(&attempt.invocation.env);
        assert!(strings.into_iter().all(|string| !string.0.contains(&0)), "step {step}");
        let text = encode(&attempt);
        assert_eq!(decode(text.as_bytes()).as_ref(), Ok(&attempt), "step {step}: {text}");
        if text.len() > 4000 {
            attempt = Attempt::by_a_stranger();
        }
    }
}

#[test]
fn the_limit_holds_whatever_the_text_and_a_seed_decides() {
    let tokens = tokens();
    let text = encode(&Attempt::by_a_stranger()).into_bytes();
    for limit in [0, 1, 100, 300, text.len() - 1, text.len(), 4096] {
        for seed in 0..40 {
            for start in [&b""[..], b"invocation 1\nargv", &text, &vec![b'x'; 5000]] {
                let changed = mutate_text(start, limit, seed, &tokens);
                assert!(changed.len() <= limit, "{} bytes for a limit of {limit}", changed.len());
                assert_eq!(changed, mutate_text(start, limit, seed, &tokens));
            }
        }
    }
    let shorter = (0..50).map(|seed| mutate_text(&text, text.len() - 20, seed, &tokens));
    assert!(shorter.into_iter().all(|changed| decode(&changed).is_ok()), "a smaller limit yields a smaller attempt");
    let different: BTreeSet<Vec<u8>> = (0..100).map(|seed| mutate_text(&text, 4096, seed, &tokens)).collect();
    assert!(different.len() > 80, "{} different results of 100 seeds", different.len());
}

#[test]
fn a_child_has_the_caller_of_one_and_the_arguments_of_the_other() {
    let one = Attempt::by_a_stranger();
    let mut other = one.clone();
    other.invocation.argv = ["x".into()].into();
    other.invocation.identity.gid = crate::Gid::ROOT;
    let child = cross(&one, &other, &mut Random::new(3));
    assert_eq!(
        (&child.invocation.identity, &child.invocation.argv),
        (&one.invocation.identity, &other.invocation.argv)
    );
    let (one, other) = (encode(&one), encode(&other));
    let text = cross_texts(one.as_bytes(), other.as_bytes(), 4096, 3).expect("both are attempts");
    assert_eq!(decode(&text).map(|it| it.invocation.argv), Ok(child.invocation.argv));
    assert_eq!(cross_texts(one.as_bytes(), other.as_bytes(), 20, 3), None);
    assert_eq!(cross_texts(b"", other.as_bytes(), 4096, 3), None);
}
