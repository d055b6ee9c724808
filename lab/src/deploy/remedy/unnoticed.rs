//! A handler between the server and the wrapper, which ends with 0: the server takes everything for delivered.

use super::super::compare::tests::{accounts, case, report};
use super::super::deliver::Delivered;
use super::{Bench, Proofs, Scene};
use crate::case::{Style, Subject};
use crate::problem::Problem;
use crate::scenario::deploy::{Case, Fate, Form, RefusedAnew, Unnoticed};
use lab_invocation::Uid;
use lab_invocation::ids::Ids;
use rstest::rstest;

/// What is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    Nothing,
    /// The wrapper's words are in no log.
    Silent,
    /// The sender is told.
    SentBack,
    /// One status is heeded.
    Defers,
    /// It is root, whatever the wrapper trusts.
    Root,
    /// The same, and the wrapper does not say so.
    RootInSilence,
}

/// A server with a handler that starts the wrapper as alice, or as mailman.
struct Handled {
    lie: Lie,
    user: u32,
    trusts: u32,
    defers: bool,
    log: String,
}

impl Scene for Handled {
    fn install(&mut self, subject: &Subject, _: &str) -> Result<(), Problem> {
        self.trusts = subject.policy.trusts.gid.as_raw();
        self.defers = subject.policy.refusal == Style::Defer;
        Ok(())
    }

    fn shell(&mut self, script: &str) -> Result<(), Problem> {
        self.user = if script.contains("chown mailman") { 2001 } else { 3001 };
        Ok(())
    }

    fn read(&mut self, path: &str) -> Result<String, Problem> {
        Err(Problem::internal(format!("{path} is not asked for")))
    }

    fn log(&mut self) -> Result<String, Problem> {
        Ok(self.log.clone())
    }

    fn deliver(&mut self, _: &Case) -> Result<Delivered, Problem> {
        let mut reports = Vec::new();
        let mut fate = Fate::Sent;
        let root = matches!(self.lie, Lie::Root | Lie::RootInSilence) && self.user == 3001;
        if self.user == self.trusts && root {
            if self.lie == Lie::Root {
                self.log.push_str(
                    "Nov 26 10:00:00 lab mail-wrapper: started with uid 0 (root): root cannot give up a group, it could take any back; \
                     make the mail server start it as an ordinary user of group alice\n",
                );
            }
        } else if self.user == self.trusts {
            let uid = Uid::new(self.user).expect("a uid");
            let mut script = report();
            let own = script.credentials.gid.effective;
            script.argv = ["/usr/local/mailman/scripts/post", "alice-owned"].map(Into::into).into();
            script.env = vec!["PATH=/usr/bin:/bin".into()];
            script.credentials.uid = Ids { real: uid, effective: uid, saved: uid, fs: uid };
            script.credentials.gid = Ids { real: own, effective: own, saved: own, fs: own };
            reports.push(script);
        } else {
            if self.lie != Lie::Silent {
                self.log.push_str(
                    "Nov 26 10:00:00 lab mail-wrapper: group mismatch: started with real gid 3001 (alice), but only gid 2001 \
                     (mailman) is trusted; make the mail server start it as group mailman, or seal it again with \
                     --with-mail-gid=3001 (alice), which admits every process of that group\n",
                );
            }
            if self.lie == Lie::SentBack {
                self.log.push_str("Nov 26 10:00:00 lab sendmail[7]: 6AQ7: 6AQ8: DSN: unknown mailer error 2\n");
            }
            if self.lie == Lie::Defers && self.defers {
                fate = Fate::Deferred;
            }
        }
        let line = "Nov 26 10:00:00 lab sendmail[7]: 6AQ7: to=alice-owned, mailer=handler, dsn=2.0.0, stat=Sent\n";
        self.log.push_str(line);
        Ok(Delivered { reports, fate, log: line.to_owned() })
    }

    fn retry(&mut self, _: &Case) -> Result<Delivered, Problem> {
        Err(Problem::internal("nothing waits"))
    }
}

/// What became of alice's list behind such a server.
fn proofs(lie: Lie, anew: Option<RefusedAnew>) -> Proofs {
    let (mut case, accounts) = (case("alice-owned"), accounts());
    let mismatch = case.mismatch.as_mut().expect("it has one");
    let (why, logs, never) = ("w".to_owned(), vec!["group mismatch".to_owned()], vec!["DSN:".to_owned()]);
    mismatch.unnoticed = Some(Unnoticed { why, logs, never });
    mismatch.refused_anew = anew;
    mismatch.fate = Fate::Sent;
    mismatch.says = vec!["stat=Sent".to_owned()];
    let mismatch = mismatch.clone();
    let scene = Handled { lie, user: 3001, trusts: 0, defers: false, log: "starting daemon\n".to_owned() };
    let mut bench = Bench { scene, form: Form::Sendmail, server: "sendmail", accounts: &accounts };
    bench.prove(&case, &mismatch).expect("the server answers")
}

#[rstest]
#[case::nothing(Lie::Nothing, "")]
#[case::silent(Lie::Silent, "log: `group mismatch` is not in")]
#[case::sent_back(Lie::SentBack, "log: `DSN:`, so that somebody is told")]
#[case::defers(Lie::Defers, "sealed with --refusal=defer: fate: found Deferred, wanted Sent")]
fn a_loss_that_nobody_notices_is_seen_in_the_systems_log_alone(#[case] lie: Lie, #[case] words: &str) {
    let proofs = proofs(lie, None);
    assert!(!proofs.waits.possible, "nothing waits where no status is heeded: {proofs:#?}");
    assert_eq!(proofs.differences.is_empty(), words.is_empty(), "{proofs:#?}");
    let found = proofs.differences.iter().any(|difference| difference.starts_with(words));
    assert!(words.is_empty() && proofs.hold() || found && !proofs.hold(), "{proofs:#?}");
}

#[rstest]
#[case::root(Lie::Root, "root-caller", "")]
#[case::another_cause(Lie::Root, "smrsh", "sealed for alice: explain: the cause smrsh is not named")]
#[case::silent(Lie::RootInSilence, "root-caller", "sealed for alice: log: `cannot give up` is not in")]
#[case::started(Lie::Nothing, "root-caller", "sealed for alice: script: 1 were started")]
fn where_another_seal_mends_nothing_that_must_show(#[case] lie: Lie, #[case] cause: &str, #[case] words: &str) {
    let (why, logs, cause) = ("it is root".to_owned(), vec!["cannot give up".to_owned()], cause.to_owned());
    let proofs = proofs(lie, Some(RefusedAnew { why, logs, cause }));
    assert!(!proofs.wrapper.possible && proofs.server.missing.is_empty(), "{proofs:#?}");
    assert_eq!(proofs.differences.is_empty(), words.is_empty(), "{proofs:#?}");
    assert!(
        words.is_empty() || proofs.differences.iter().any(|difference| difference.starts_with(words)),
        "{proofs:#?}"
    );
}
