//! Ends with a server that does, or fails to do, one thing; and what the files of the project say together.

use super::super::compare::tests::case;
use super::super::deliver::Delivered;
use super::super::file::{self, Case, Fate};
use super::super::remedy::Scene;
use super::{Ends, LARGE, Way, differences};
use crate::case::Subject;
use crate::problem::Problem;
use rstest::rstest;
use std::collections::BTreeSet;
use std::path::Path;

/// It bounces whatever a program does, and starts it so often.
struct Server {
    starts: usize,
    program: String,
    bytes: Vec<Option<usize>>,
}

impl Scene for Server {
    fn install(&mut self, _: &Subject, _: &str) -> Result<(), Problem> {
        Err(Problem::internal("no wrapper is asked for"))
    }

    fn shell(&mut self, script: &str) -> Result<(), Problem> {
        self.program = script.to_owned();
        Ok(())
    }

    fn read(&mut self, _: &str) -> Result<String, Problem> {
        let runs = self.program.contains("chmod 755");
        Ok("started\n".repeat(if runs { self.starts } else { 0 }))
    }

    fn log(&mut self) -> Result<String, Problem> {
        Err(Problem::internal("nothing is lost without a word"))
    }

    fn deliver(&mut self, case: &Case) -> Result<Delivered, Problem> {
        self.bytes.push(case.bytes);
        Ok(Delivered { reports: Vec::new(), fate: Fate::Bounced, log: "status=bounced".to_owned() })
    }

    fn retry(&mut self, _: &Case) -> Result<Delivered, Problem> {
        Err(Problem::internal("nothing is to be tried again"))
    }
}

fn way(word: &str) -> Way {
    Way::try_from(word.to_owned()).expect("a way to end")
}

#[rstest]
#[case::as_stated(1, Fate::Bounced, "2", "")]
#[case::missing_and_never_started(7, Fate::Bounced, "missing", "")]
#[case::another_fate(1, Fate::Deferred, "75", "75: found Bounced, wanted Deferred, by its log\nstatus=bounced")]
#[case::never_started(0, Fate::Bounced, "KILL", "KILL: the program was started 0 times, wanted 1")]
#[case::started_twice(2, Fate::Bounced, "unread", "unread: the program was started 2 times, wanted 1")]
fn what_is_not_as_stated_is_said(#[case] starts: usize, #[case] fate: Fate, #[case] word: &str, #[case] said: &str) {
    let mut server = Server { starts, program: String::new(), bytes: Vec::new() };
    let found = differences(&mut server, &case("alice-owned"), fate, &[way(word)]).expect("it answers");
    assert_eq!(found.join("\n"), said);
}

#[rstest]
#[case::status("71", "cat >/dev/null\\nexit 71\\n", "chmod 755", None)]
#[case::signal("SEGV", "cat >/dev/null\\nkill -s SEGV $$\\nexit 0\\n", "chmod 755", None)]
#[case::large("refused-large", "mailman/started\\nexit 2\\n", "chmod 755", Some(LARGE))]
#[case::not_executable("not-executable", "mailman/started\\nexit 0\\n", "chmod 644", None)]
#[case::missing("missing", "rm -f /usr/local/mailman/mail/mailman;", "chmod 666 /usr/local/mailman/started", None)]
fn the_program_ends_so(#[case] word: &str, #[case] text: &str, #[case] mode: &str, #[case] bytes: Option<usize>) {
    let mut server = Server { starts: 1, program: String::new(), bytes: Vec::new() };
    differences(&mut server, &case("alice-owned"), Fate::Bounced, &[way(word)]).expect("it answers");
    assert!(server.program.contains(text) && server.program.contains(mode), "{}", server.program);
    assert_eq!(server.bytes, [bytes]);
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
        let ends = file::read(Path::new(&path)).expect("a scenario").ends.expect("it asks for ends");
        waits = waits.intersection(&ends.deferred.into_iter().collect()).cloned().collect();
        arrives = arrives.intersection(&ends.sent.into_iter().collect()).cloned().collect();
    }
    assert_eq!(waits, BTreeSet::from([way("75")]));
    assert_eq!(arrives, BTreeSet::from([way("0"), way("unread")]));
}
