//! Every part of a campaign is seen to do what it is there for, with a double in the place of the sandbox.

mod adopting;
mod campaigns;
mod properties;
mod storing;

use super::ground::Ground;
use crate::scenario::accounts::Accounts;
use crate::scenario::{self, Suite};
use std::path::Path;
use std::sync::LazyLock;

static SUITE: LazyLock<Suite> = LazyLock::new(|| {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
    scenario::load(directory).expect("the scenarios of the project load")
});

fn accounts() -> &'static Accounts {
    &SUITE.accounts
}

fn ground(program: &str) -> Ground {
    Ground::of(program, None, accounts()).expect("the project has this ground")
}

#[test]
fn the_dictionaries_are_read() {
    let tokens = &*super::TOKENS;
    assert!(!tokens.arguments.is_empty() && !tokens.variables.is_empty() && !tokens.values.is_empty());
}

#[test]
fn a_start_that_nothing_can_deliver_is_not_tried_and_says_why() {
    let ground = ground("mail-wrapper");
    let mut attempt = ground.stranger();
    let everything = crate::capability::Capability::ALL.iter().map(|&c| (c, crate::capability::Support::Yes)).collect();
    assert_eq!(ground.untried(&attempt, &everything), None);
    assert!(
        ground.untried(&attempt, &crate::capability::Capabilities::new()).is_some(),
        "what was not tried is not there"
    );
    attempt.invocation.argv.clear();
    assert!(ground.untried(&attempt, &everything).is_some_and(|because| because.contains("argv[0]")));
}

#[test]
fn a_mutation_of_what_is_sealed_is_put_back() {
    let ground = ground("cgi-wrapper");
    let mut attempt = ground.stranger();
    attempt.sealed.keep.clear();
    attempt.invocation.program = "/bin/sh".into();
    assert!(!ground.owns(&attempt));
    ground.restore(&mut attempt);
    assert!(ground.owns(&attempt));
}
