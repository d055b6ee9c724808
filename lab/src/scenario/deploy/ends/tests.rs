//! What a file must state, and what the files of the project say together.

use super::super::read;
use super::{Ends, Way};
use std::collections::BTreeSet;
use std::path::Path;

fn way(word: &str) -> Way {
    Way::try_from(word.to_owned()).expect("a way to end")
}

#[test]
fn every_way_is_stated_once() {
    let all: Vec<Way> = Way::all().into_iter().collect();
    let whole = Ends { sent: all.clone(), bounced: Vec::new(), deferred: Vec::new() };
    assert_eq!(whole.check(), Ok(()));
    let twice = Ends { bounced: vec![way("KILL")], ..whole.clone() };
    assert_eq!(twice.check(), Err("`ends` states `KILL` twice".to_owned()));
    let without = |way: &Way| ![Way::Exits(70), Way::Missing].contains(way);
    let less = Ends { sent: all.into_iter().filter(without).collect(), ..whole };
    assert_eq!(less.check(), Err("`ends` does not state 70, missing".to_owned()));
}

/// Why a wrapper that defers exits with 75, and one that admits with nothing but 0.
#[test]
fn one_status_alone_has_every_mail_server_try_again() {
    let (mut waits, mut arrives) = (Way::all(), Way::all());
    for server in ["postfix", "exim", "sendmail", "opensmtpd"] {
        let path = format!("{}/../scenarios/deploy/{server}-exit-status.toml", env!("CARGO_MANIFEST_DIR"));
        let ends = read(Path::new(&path)).expect("a scenario").ends.expect("it asks for ends");
        waits = waits.intersection(&ends.deferred.into_iter().collect()).cloned().collect();
        arrives = arrives.intersection(&ends.sent.into_iter().collect()).cloned().collect();
    }
    assert_eq!(waits, BTreeSet::from([way("75")]));
    assert_eq!(arrives, BTreeSet::from([way("0"), way("unread")]));
}
