//! Ends with a server that does, or fails to do, one thing.

use super::super::compare::tests::case;
use super::super::deliver::Delivered;
use super::super::remedy::Scene;
use super::{LARGE, Way, differences};
use crate::case::Subject;
use crate::problem::Problem;
use crate::scenario::deploy::{Case, Fate};
use rstest::rstest;

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
