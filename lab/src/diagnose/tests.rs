//! Each code is given by one defect, and not by what looks the same.

mod faces;

use super::fixtures::{Failure, MAIL, USERS, gid};
use super::{checked_by, codes, diagnose, explain, page};
use crate::case::Sealing;
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::evidence::{End, IdKind, OpenDescriptor, Regained};
use lab_invocation::invocation::{Limit, ScriptEnd, Stdin, Tracer};
use rstest::rstest;
use std::path::Path;

const MISMATCH: &str = "group mismatch: real gid users 100, trusted mail 8";

/// One failure for each code, as plain as it can be.
fn defect(code: &str) -> Failure {
    match code {
        "group-mismatch" => {
            let mut failure = Failure::admitted();
            failure.caller(USERS);
            failure.refused(2, MISMATCH);
            failure
        }
        "supplementary-only" => {
            let mut failure = Failure::stranger(USERS);
            failure.member_of(&[MAIL]);
            failure
        }
        "effective-only" => {
            let mut failure = Failure::admitted();
            failure.refused(2, "group mismatch: group list 38, trusted mail 8");
            failure
        }
        "set-group-id-ignored" => {
            let mut failure = Failure::admitted();
            failure.must_refuse("not-privileged", 9);
            failure.file().mount.nosuid = true;
            failure.without_the_bit();
            failure
        }
        "wrong-comparison" => {
            let mut failure = Failure::stranger(4008);
            failure.case.names.groups.insert(gid(4008), "mail".into());
            failure
        }
        "privilege-not-dropped" => {
            let mut failure = Failure::admitted();
            failure.script().credentials.gid.real = gid(MAIL);
            failure.script().regained =
                vec![Regained { kind: IdKind::Gid, number: MAIL, call: "setresgid(8, 8, -1)".into() }];
            failure
        }
        "out-of-reach" => {
            let mut failure = Failure::admitted();
            failure.script().place.session = 7;
            failure
        }
        "leaked-descriptor" => {
            let mut failure = Failure::admitted();
            failure.script().descriptors.push(OpenDescriptor { number: 7, target: "/etc/shadow".into(), access: 2 });
            failure
        }
        "nameless-gid" => {
            let mut failure = Failure::admitted();
            failure.caller(4242);
            failure.refused(8, "no name for gid 4242; trusted mail 8");
            failure
        }
        "leaked-environment" => {
            let mut failure = Failure::admitted();
            failure.case.invocation.env.push("BASH_ENV=/tmp/evil.sh".into());
            failure.script().env.extend(["BASH_ENV=/tmp/evil.sh".into(), "no-equals-sign".into()]);
            failure
        }
        "inherited-process-attributes" => {
            let mut failure = Failure::admitted();
            failure.case.invocation.umask = 0;
            failure.script().umask = 0;
            failure.case.invocation.signals.ignored.insert(13);
            failure.script().ignored.insert(13);
            failure
        }
        "core-exposed" => {
            let mut failure = Failure::admitted();
            failure.script().limits = vec![(4, None, None)];
            failure
        }
        "caller-text-echoed" => {
            let mut failure = Failure::admitted();
            failure.must_refuse("unknown-command", 6);
            failure.case.invocation.argv.edit(|argv| argv[1] = "\x1b[31mevil".into());
            failure.refused(6, "unknown command \x1b[31mevil");
            failure
        }
        "argument-before-caller" => {
            let mut failure = Failure::stranger(USERS);
            failure.case.invocation.argv.edit(|argv| argv[1] = "nonsense".into());
            failure.refused(6, "unknown command");
            failure
        }
        "command-escape" => {
            let mut failure = Failure::admitted();
            failure.script().exec_path = "/tmp/evil/post".into();
            failure
        }
        "false-success" => {
            let mut failure = Failure::stranger(USERS);
            failure.refused(0, MISMATCH);
            failure
        }
        "altered-status" => {
            let mut failure = Failure::admitted();
            failure.case.invocation.script_end = ScriptEnd::Exit(75);
            failure.script().same_process = false;
            failure.evidence.end = Some(End::Exited(1));
            failure
        }
        "started-before-decision" => {
            let mut failure = Failure::stranger(USERS);
            failure.script().same_process = false;
            failure.evidence.end = Some(End::Exited(2));
            failure
        }
        "bad-policy-accepted" => {
            let mut failure = Failure::admitted();
            failure.must_refuse("bad-policy", 10);
            failure.case.subject.policy.condition = Sealing::Unsealed;
            failure
        }
        "crashed" => {
            let mut failure = Failure::admitted();
            failure.must_refuse("usage", 5);
            failure.case.invocation.argv.clear();
            failure.ended(End::Signaled { signal: 11, core: false });
            failure
        }
        "timed-out" => {
            let mut failure = Failure::admitted();
            failure.case.invocation.stdin = Stdin::Silent;
            failure.ended(End::TimedOut);
            failure
        }
        "ended-before-main" => {
            let mut failure = Failure::admitted();
            failure.case.invocation.limits = vec![Limit { resource: 3, soft: Some(8192), hard: Some(8192) }];
            failure.ended(End::Signaled { signal: 11, core: false });
            failure
        }
        "unbounded-output" => {
            let mut failure = Failure::stranger(USERS);
            failure.refused(2, MISMATCH);
            failure.evidence.stderr.total = 1 << 20;
            failure
        }
        "undiagnosed" => {
            let mut failure = Failure::admitted();
            failure.refused(1, "something else is wrong");
            failure
        }
        other => panic!("no defect is written down for {other}: add one to tests.rs"),
    }
}

fn render(found: &[Diagnosis]) -> String {
    let mut text = String::new();
    for diagnosis in found {
        text += &format!("{} ({})\n  {}\n", diagnosis.code, diagnosis.certainty, diagnosis.cause);
        for seen in &diagnosis.seen {
            text += &format!("  seen   {}: {}\n", seen.source, seen.shows);
        }
        for remedy in &diagnosis.remedies {
            text += &format!("  fix    {}\n         price: {}\n", remedy.what, remedy.price);
            for how in &remedy.how {
                text += &format!("         {how}\n");
            }
        }
        text += &format!("  next   {}\n", diagnosis.next);
    }
    text
}

#[test]
fn every_code_is_given_first_to_its_own_defect() {
    for code in codes() {
        let found = defect(code).diagnose();
        assert_eq!(found.first().map(|diagnosis| diagnosis.code.as_str()), Some(code), "{}", render(&found));
        insta::assert_snapshot!(format!("diagnosis_{code}"), render(&found));
    }
}

#[test]
fn every_page_is_complete() {
    for code in codes() {
        let page = explain(code).expect("a code has a page");
        let headings: Vec<&str> = page.text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, page::SECTIONS, "{code}");
        assert!(page.text.lines().all(|line| line.chars().count() <= 98), "{code}: a line is wider than the page");
        insta::assert_snapshot!(format!("page_{code}"), page.to_string());
    }
    assert_eq!(explain("no-such-code"), None);
}

#[test]
fn each_file_with_a_page_is_in_the_table() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/diagnose");
    for entry in std::fs::read_dir(directory).expect("the sources are there") {
        let path = entry.expect("the directory can be read").path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if !text.starts_with("//! # ") {
            continue;
        }
        let code = path.file_stem().expect("a file has a name").to_string_lossy().replace('_', "-");
        assert!(codes().any(|known| known == code), "{code} has a page, but the table FINDINGS does not name it");
    }
}

#[test]
fn a_case_without_differences_gets_no_diagnosis() {
    let failure = defect("leaked-descriptor");
    assert_eq!(diagnose(&failure.case, &failure.evidence, &[]), []);
}

/// Each way of losing the bit is found from outside and named.
#[rstest]
#[case::nosuid("nosuid", |f: &mut Failure| f.file().mount.nosuid = true)]
#[case::no_new_privs("no_new_privs", |f: &mut Failure| f.evidence.invoker.no_new_privs = true)]
#[case::no_bit("0755", |f: &mut Failure| f.file().mode = 0o755)]
#[case::no_group_execute("group-execute", |f: &mut Failure| f.file().mode = 0o2745)]
#[case::other_group("belongs to group 33", |f: &mut Failure| f.file().group = gid(33))]
#[case::unmapped_group("group 38 of the file is not mapped", |f: &mut Failure| f.evidence.invoker.gid_map = "0 0 38\n39 39 65000".into())]
#[case::unmapped_owner("owner 0 of the file is not mapped", |f: &mut Failure| f.evidence.invoker.uid_map = "1 1 65000".into())]
#[case::tracer("traced", |f: &mut Failure| {
    f.evidence.invoker.traced = true;
    f.case.invocation.transition.tracer = Some(Tracer::Invoker);
})]
#[case::shared_fs("CLONE_FS", |f: &mut Failure| f.case.invocation.transition.share_fs = true)]
#[case::foreign_mount("another mount namespace", |f: &mut Failure| f.case.invocation.transition.foreign_mount = true)]
fn each_cause_of_a_lost_bit_is_named(#[case] word: &str, #[case] lose: fn(&mut Failure)) {
    let mut failure = Failure::admitted();
    lose(&mut failure);
    failure.refused(9, "not running set-group-ID");
    let found = failure.diagnose();
    let first = found.first().expect("something is found");
    assert_eq!(
        (first.code.as_str(), first.certainty),
        ("set-group-id-ignored", Certainty::Certain),
        "{}",
        render(&found)
    );
    assert!(first.cause.contains(word), "{}", first.cause);
    assert!(!first.cause.contains("each is enough"), "one cause, not several: {}", first.cause);
}

#[test]
fn a_lost_bit_without_a_visible_cause_is_only_possible() {
    let mut failure = Failure::admitted();
    failure.refused(9, "not running set-group-ID");
    let found = failure.diagnose();
    assert_eq!(found.first().map(|diagnosis| diagnosis.certainty), Some(Certainty::Possible), "{}", render(&found));
}

#[test]
fn the_ledger_shows_who_had_which_group() {
    let mut failure = Failure::stranger(USERS);
    failure.member_of(&[MAIL]);
    insta::assert_snapshot!("ledger_member_admitted", super::ledger(&failure.case, &failure.evidence).to_string());
    let mut lost = Failure::admitted();
    lost.file().mount.nosuid = true;
    lost.without_the_bit();
    insta::assert_snapshot!("ledger_bit_lost", super::ledger(&lost.case, &lost.evidence).to_string());
}

#[test]
fn every_finding_would_be_shown_by_a_case_of_the_suite() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let suite = crate::scenario::load(&scenarios).expect("the shipped scenarios are sound");
    for code in codes().filter(|&code| code != "undiagnosed") {
        assert!(!checked_by(code, &suite.cases).is_empty(), "no case would show {code}");
    }
    assert!(checked_by("no-such-code", &suite.cases).is_empty());
}
