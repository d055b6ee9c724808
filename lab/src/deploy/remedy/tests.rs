//! Proofs with a server that does, or fails to do, one thing.

use super::super::accounts::Accounts;
use super::super::compare::tests::{accounts, case, case_of, report};
use super::super::deliver::Delivered;
use super::{Bench, Proofs, Scene};
use crate::case::{Kind, Style, Subject};
use crate::problem::Problem;
use crate::scenario::deploy::{Case, Fate, Form, Remedy, Retried, WithoutBit};
use lab_invocation::evidence::WitnessReport;
use lab_invocation::ids::Ids;
use lab_invocation::{Gid, Uid};
use rstest::rstest;

/// What is wrong with the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    Nothing,
    /// The change does nothing.
    ChangeIsVain,
    /// The change stays.
    UndoIsVain,
    /// The change has it start the wrapper as another user.
    AnotherUser,
    /// It starts the script whatever the wrapper trusts.
    NothingIsRefused,
    /// It starts nothing, whatever the wrapper trusts.
    EverythingIsRefused,
    /// It loses the message without a word about it.
    Silent,
    /// What is refused waits.
    Deferred,
    /// The script keeps the caller's group as its saved one.
    KeepsGroup,
    /// The script is given what the server has in its environment.
    KeepsEnvironment,
    /// Messages are sent twice.
    Twice,
    /// What waits is lost, whatever the status.
    NothingWaits,
    /// From its queue it starts the wrapper as root's group.
    RootFromQueue,
    /// What waits is never tried again.
    NothingIsTriedAgain,
}

/// Alice's database, until the change gives it to mailman; and whom the wrapper trusts.
struct Server {
    lie: Lie,
    mended: bool,
    trusts: u32,
    defers: bool,
    /// What was done, in order.
    done: Vec<String>,
}

impl Scene for Server {
    fn install(&mut self, subject: &Subject, script: &str) -> Result<(), Problem> {
        self.trusts = subject.policy.trusts.gid.as_raw();
        self.defers = subject.policy.refusal == Style::Defer;
        self.done.push(format!("{script} for {}", subject.policy.trusts.name));
        Ok(())
    }

    fn shell(&mut self, script: &str) -> Result<(), Problem> {
        let makes = script.contains("chown mailman");
        self.done.push(if makes { "change" } else { "undo" }.to_owned());
        match (makes, self.lie) {
            (true, Lie::ChangeIsVain) | (false, Lie::UndoIsVain) => {}
            _ => self.mended = makes,
        }
        Ok(())
    }

    fn read(&mut self, path: &str) -> Result<String, Problem> {
        Err(Problem::internal(format!("{path} is not asked for")))
    }

    fn log(&mut self) -> Result<String, Problem> {
        Err(Problem::internal("nothing is lost without a word"))
    }

    fn deliver(&mut self, _: &Case) -> Result<Delivered, Problem> {
        self.done.push("message".to_owned());
        let (uid, gid) = if self.mended { (2001, 2001) } else { (3001, 3001) };
        let admitted = match self.lie {
            Lie::NothingIsRefused => true,
            Lie::EverythingIsRefused => false,
            _ => gid == self.trusts,
        };
        let says =
            "Command died with status 2: started with real gid 3001 (alice), but only gid 2001 (mailman) is trusted";
        Ok(match (admitted, self.lie) {
            (true, _) => Delivered { reports: self.scripts(uid, gid), fate: Fate::Sent, log: "sent".to_owned() },
            (false, Lie::Silent) => Delivered { reports: Vec::new(), fate: Fate::Bounced, log: String::new() },
            (false, Lie::Deferred) => Delivered { reports: Vec::new(), fate: Fate::Deferred, log: says.to_owned() },
            (false, _) => {
                let waits = self.defers && self.lie != Lie::NothingWaits;
                let fate = if waits { Fate::Deferred } else { Fate::Bounced };
                Delivered { reports: Vec::new(), fate, log: says.to_owned() }
            }
        })
    }

    fn retry(&mut self, case: &Case) -> Result<Delivered, Problem> {
        self.done.push("again".to_owned());
        match self.lie {
            Lie::NothingIsTriedAgain => Ok(Delivered { reports: Vec::new(), fate: Fate::Deferred, log: String::new() }),
            Lie::RootFromQueue => {
                let admitted = self.trusts == 0;
                let fate = if admitted { Fate::Sent } else { Fate::Deferred };
                let reports = if admitted { self.scripts(0, 0) } else { Vec::new() };
                Ok(Delivered { reports, fate, log: String::new() })
            }
            _ => self.deliver(case),
        }
    }
}

impl Server {
    fn scripts(&self, uid: u32, gid: u32) -> Vec<WitnessReport> {
        let number = |number| Gid::new(number).expect("a gid");
        let uid = if self.mended && self.lie == Lie::AnotherUser { 0 } else { uid };
        let uid = Uid::new(uid).expect("a uid");
        let saved = if self.lie == Lie::KeepsGroup { number(gid) } else { number(2001) };
        let mut script = report();
        script.argv = ["/usr/local/mailman/scripts/post", "alice-owned"].map(Into::into).into();
        script.credentials.uid = Ids { real: uid, effective: uid, saved: uid, fs: uid };
        script.credentials.gid = Ids { real: number(2001), effective: number(2001), saved, fs: number(2001) };
        if self.lie != Lie::KeepsEnvironment {
            script.env = vec!["PATH=/usr/bin:/bin".into()];
        }
        let count = if self.lie == Lie::Twice { 2 } else { 1 };
        vec![script; count]
    }
}

fn proofs(lie: Lie) -> (Proofs, Vec<String>) {
    let (case, accounts) = (case("alice-owned"), accounts());
    let scene = Server { lie, mended: false, trusts: 0, defers: false, done: Vec::new() };
    let mut bench = Bench { scene, form: Form::Postfix, server: "postfix", accounts: &accounts };
    let proofs = bench.prove(&case, case.mismatch.as_ref().expect("it has one")).expect("the server answers");
    (proofs, bench.scene.done)
}

#[test]
fn both_remedies_are_applied_one_by_one_and_nothing_stays() {
    let (proofs, done) = proofs(Lie::Nothing);
    assert!(proofs.hold(), "{proofs:#?}");
    let script = "/usr/local/mailman/scripts/post";
    let (mailman, alice) = (format!("{script} for mailman"), format!("{script} for alice"));
    let mended = [&mailman, "message", "change", "message", "undo", "message", &alice, "message"];
    let waited = [&mailman, "message", &alice, "again", "message"];
    assert_eq!(done, [&mended[..], &waited].concat());
    assert_eq!(proofs.wrapper.what, "seal it with --with-mail-gid=alice");
}

#[rstest]
#[case::vain_change(Lie::ChangeIsVain, ["", "fate: found Bounced, wanted Sent", "", ""])]
#[case::vain_undo(Lie::UndoIsVain, ["", "taken back: fate: found Sent", "fate: found Bounced", "fate: found Sent"])]
#[case::another_user(Lie::AnotherUser, ["", "user: found 0, wanted 2001", "", ""])]
#[case::nothing_refused(Lie::NothingIsRefused, ["fate: found Sent", "taken back: fate: found Sent", "", "script: 1"])]
#[case::all_refused(Lie::EverythingIsRefused, ["", "fate: found Bounced", "fate: found Bounced", "tried again: fate"])]
#[case::silent(Lie::Silent, ["log: `Command died with status 2` is not in", "taken back: log: ", "", "fate: found Bounced"])]
#[case::deferred(Lie::Deferred, ["fate: found Deferred, wanted Bounced", "taken back: fate: found Deferred", "", ""])]
#[case::keeps_group(Lie::KeepsGroup, ["", "", "real, effective and saved group: found [2001, 2001, 3001]", "tried again: real"])]
#[case::keeps_environment(Lie::KeepsEnvironment, ["", "environment: found", "environment: found", "tried again: env"])]
#[case::twice(Lie::Twice, ["", "script: 2 were started", "script: 2 were started", "tried again: script: 2"])]
#[case::nothing_waits(Lie::NothingWaits, ["", "", "", "fate: found Bounced, wanted Deferred"])]
#[case::nothing_tried_again(Lie::NothingIsTriedAgain, ["", "", "", "tried again: fate: found Deferred, wanted Sent"])]
fn what_is_wrong_is_seen_where_it_is(#[case] lie: Lie, #[case] words: [&str; 4]) {
    let (proofs, _) = proofs(lie);
    assert!(!proofs.hold());
    let Proofs { differences, server, wrapper, waits, .. } = &proofs;
    for (found, words) in [differences, &server.missing, &wrapper.missing, &waits.missing].into_iter().zip(words) {
        assert_eq!(found.is_empty(), words.is_empty(), "{proofs:#?}");
        assert!(words.is_empty() || found.iter().any(|difference| difference.starts_with(words)), "{proofs:#?}");
    }
}

/// A server which forgets in its queue as whom it started the wrapper; that it does is stated, and must show.
#[rstest]
#[case::stated(Lie::RootFromQueue, true, &[])]
#[case::not_stated(Lie::RootFromQueue, false, &["tried again: fate: found Deferred"])]
#[case::stated_and_not_so(Lie::Nothing, true, &["tried again for alice: fate: found Sent", "tried again for alice: script: 1"])]
fn as_whom_a_message_is_tried_again_is_proven(#[case] lie: Lie, #[case] stated: bool, #[case] words: &[&str]) {
    let (mut case, accounts) = (case("alice-owned"), accounts());
    let mismatch = case.mismatch.as_mut().expect("it has one");
    let retried = Retried { user: "root".to_owned(), group: "root".to_owned(), why: "it forgets".to_owned() };
    mismatch.retried_as = stated.then_some(retried);
    let mismatch = mismatch.clone();
    let scene = Server { lie, mended: false, trusts: 0, defers: false, done: Vec::new() };
    let missing = Bench { scene, form: Form::Postfix, server: "postfix", accounts: &accounts }
        .prove(&case, &mismatch)
        .expect("it answers")
        .waits
        .missing;
    let found = words.iter().all(|words| missing.iter().any(|difference| difference.starts_with(words)));
    assert!(found && missing.is_empty() == words.is_empty(), "{missing:#?}");
}

/// A wrapper whose bit does not act, and that would be admitted otherwise: refused, for that reason.
#[rstest]
#[case::refused(9, "not running set-group-ID: the effective gid is 3001 (alice), not gid 2001 (mailman)", "")]
#[case::started(0, "", "script: 1 were started")]
#[case::in_silence(1, "it is not to be had", "explain: that the bit does not act is not seen")]
#[case::for_another_reason(
    2,
    "group mismatch: started with real gid 3001 (alice), but only gid 8 (mail) is trusted; make the mail \
    server start it as group mail, or seal it again with --with-mail-gid=3001 (alice), which admits every process of that group",
    "explain: a group mismatch"
)]
fn a_wrapper_whose_bit_does_not_act_is_refused(#[case] status: u8, #[case] line: &str, #[case] words: &str) {
    struct Deaf(u8, String);
    impl Scene for Deaf {
        fn install(&mut self, subject: &Subject, _: &str) -> Result<(), Problem> {
            assert_eq!(subject.policy.trusts.name, "alice", "it would be admitted");
            Ok(())
        }

        fn shell(&mut self, _: &str) -> Result<(), Problem> {
            Err(Problem::internal("nothing is mended"))
        }

        fn read(&mut self, path: &str) -> Result<String, Problem> {
            Err(Problem::internal(format!("{path} is not asked for")))
        }

        fn log(&mut self) -> Result<String, Problem> {
            Err(Problem::internal("nothing is lost without a word"))
        }

        fn deliver(&mut self, _: &Case) -> Result<Delivered, Problem> {
            let fate = if self.0 == 0 { Fate::Sent } else { Fate::Bounced };
            let reports = if self.0 == 0 { vec![report()] } else { Vec::new() };
            Ok(Delivered { reports, fate, log: self.1.clone() })
        }

        fn retry(&mut self, _: &Case) -> Result<Delivered, Problem> {
            Err(Problem::internal("nothing waits"))
        }
    }
    let log = format!(
        "Nov 26 10:00:00 lab postfix/local[7]: 4C: to=<a@lab.test>, relay=local, dsn=5.3.0, status=bounced (Command died with \
         status {status}: \"/usr/local/mailman/mail/mailman post a\". Command output: mail-wrapper: {line})"
    );
    let accounts = accounts();
    let mut bench = Bench { scene: Deaf(status, log), form: Form::Postfix, server: "postfix", accounts: &accounts };
    let without = WithoutBit { fate: Fate::Bounced, says: vec![format!("Command died with status {status}")] };
    let found = bench.without_bit(&case("alice-owned"), &without).expect("the server answers");
    assert_eq!(found.is_empty(), words.is_empty(), "{found:#?}");
    assert!(words.is_empty() || found.iter().any(|difference| difference.starts_with(words)), "{found:#?}");
}

#[test]
fn where_the_server_cannot_be_changed_the_other_remedy_is_tried_all_the_same() {
    let (mut case, accounts) = (case("alice-owned"), accounts());
    let mismatch = case.mismatch.as_mut().expect("it has one");
    mismatch.server = Remedy::Impossible("it is alice's".to_owned());
    let mismatch = mismatch.clone();
    let scene = Server { lie: Lie::Nothing, mended: false, trusts: 0, defers: false, done: Vec::new() };
    let mut bench = Bench { scene, form: Form::Postfix, server: "postfix", accounts: &accounts };
    let proofs = bench.prove(&case, &mismatch).expect("the server answers");
    assert!(proofs.hold() && !proofs.server.possible, "{proofs:#?}");
    assert_eq!(bench.scene.done.iter().filter(|done| *done == "message").count(), 4);
}

/// What the wrapper gives in place of the server's.
const OURS: &str = "PATH=/usr/bin:/bin";

/// A web server with a page that it starts as www-data, and whether the wrapper hands on too much.
struct Web {
    leaks: &'static str,
    path: &'static str,
    argument: bool,
    group: u32,
    subject: Option<Subject>,
}

impl Scene for Web {
    fn install(&mut self, subject: &Subject, script: &str) -> Result<(), Problem> {
        assert_eq!(script, "/usr/local/mailman/scripts/driver");
        self.subject = Some(subject.clone());
        Ok(())
    }

    fn shell(&mut self, script: &str) -> Result<(), Problem> {
        self.group = if script.contains("webgrp$") { 33 } else { 2003 };
        Ok(())
    }

    fn read(&mut self, path: &str) -> Result<String, Problem> {
        Err(Problem::internal(format!("{path} is not asked for")))
    }

    fn log(&mut self) -> Result<String, Problem> {
        Err(Problem::internal("nothing is lost without a word"))
    }

    fn deliver(&mut self, _: &Case) -> Result<Delivered, Problem> {
        let subject = self.subject.as_ref().expect("it is installed");
        let policy = &subject.policy;
        assert_eq!((policy.kind, policy.script.clone()), (Kind::Cgi, Some("listinfo".into())));
        let says = "cgi-wrapper: group mismatch: started with real gid 33 (www-data), but only gid 2003 (webgrp) is trusted; \
                    make the web server start it as group webgrp, or seal it again with --with-cgi-gid=33 (www-data), which \
                    admits every process of that group";
        if policy.trusts.gid.as_raw() != self.group {
            return Ok(Delivered { reports: Vec::new(), fate: Fate::Status(403), log: says.to_owned() });
        }
        let (uid, own) = (Uid::new(33).expect("a uid"), Gid::new(2001).expect("a gid"));
        let kept = ["DOCUMENT_ROOT", "HTTP_HOST", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_PORT"];
        let more = ["REQUEST_METHOD", "REQUEST_SCHEME", "REQUEST_URI", "SCRIPT_NAME", "SERVER_NAME", "SERVER_PORT"];
        let rest = ["SERVER_PROTOCOL", self.leaks];
        let names = kept.iter().chain(&more).chain(&rest).filter(|name| !name.is_empty());
        let mut script = report();
        script.argv = ["/usr/local/mailman/scripts/driver", "listinfo"].map(Into::into).into();
        script.argv.extend(self.argument.then(|| "--plain".into()));
        script.env = names.map(|name| format!("{name}=x").into()).collect();
        script.env.push(self.path.into());
        script.credentials.uid = Ids { real: uid, effective: uid, saved: uid, fs: uid };
        script.credentials.gid = Ids { real: own, effective: own, saved: own, fs: own };
        Ok(Delivered { reports: vec![script], fate: Fate::Status(200), log: String::new() })
    }

    fn retry(&mut self, _: &Case) -> Result<Delivered, Problem> {
        Err(Problem::internal("a web server keeps no request"))
    }
}

#[rstest]
#[case::sound("", OURS, false, "")]
#[case::httpoxy("HTTP_PROXY", OURS, false, "environment: found")]
#[case::of_the_server("SERVER_SOFTWARE", OURS, false, "environment: found")]
#[case::path_of_the_server("", "PATH=/usr/sbin:/usr/bin", false, "PATH: found")]
#[case::argument_of_the_client("", OURS, true, "args: found")]
fn a_page_is_refused_and_then_served(
    #[case] leaks: &'static str,
    #[case] path: &'static str,
    #[case] argument: bool,
    #[case] words: &str,
) {
    let case = case_of("apache-cgid.toml", "/mailman/listinfo/announce?--plain+words");
    let accounts =
        Accounts::of("www-data:x:33:33\nmailman:x:2001:2001\n", "www-data:x:33:\nwebgrp:x:2003:\nmailman:x:2001:\n");
    let scene = Web { leaks, path, argument, group: 33, subject: None };
    let mut bench = Bench { scene, form: Form::Web, server: "apache2", accounts: &accounts };
    let proofs = bench.prove(&case, case.mismatch.as_ref().expect("it has one")).expect("the server answers");
    assert_eq!(proofs.differences, [""; 0]);
    assert_eq!((proofs.tried().count(), proofs.waits.possible), (2, false));
    assert_eq!(proofs.wrapper.what, "seal it with --with-cgi-gid=www-data");
    for proof in proofs.tried() {
        let found = proof.missing.iter().any(|difference| difference.starts_with(words));
        assert!(if words.is_empty() { proof.missing.is_empty() } else { found }, "{proofs:#?}");
    }
}
