use super::super::accounts::Accounts;
use super::super::deliver::Delivered;
use super::differences;
use crate::scenario::deploy::{Case, Fate, read};
use lab_invocation::evidence::{Capture, OpenDescriptor, WitnessReport};
use lab_invocation::ids::Ids;
use lab_invocation::{Credentials, Gid, Uid};
use rstest::rstest;
use std::path::Path;

/// The shipped scenario: the case of a database that belongs to alice, and that of none.
pub(crate) fn case(to: &str) -> Case {
    case_of("postfix-alias.toml", to)
}

/// A case of another.
pub(crate) fn case_of(file: &str, to: &str) -> Case {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/deploy").join(file);
    let file = read(&path).expect("the shipped scenario");
    file.cases.into_iter().find(|case| case.to == to).expect("a case of that recipient")
}

pub(crate) fn accounts() -> Accounts {
    Accounts::of("root:x:0:0\nalice:x:3001:3001\nmailman:x:2001:2001\n", "root:x:0:\nalice:x:3001:\nmailman:x:2001:\n")
}

fn same<T: Copy>(real: T, effective: T) -> Ids<T> {
    Ids { real, effective, saved: effective, fs: effective }
}

pub(crate) fn report() -> WitnessReport {
    let (uid, gid) = (Uid::new(3001).expect("a uid"), Gid::new(3001).expect("a gid"));
    let own = Gid::new(2001).expect("a gid");
    let names = [
        "CLIENT_ADDRESS=",
        "CLIENT_HELO=",
        "CLIENT_HOSTNAME=",
        "CLIENT_PROTOCOL=",
        "DOMAIN=",
        "HOME=",
        "LANG=",
        "LOCAL=",
        "LOGNAME=",
        "MAIL_CONFIG=",
        "ORIGINAL_RECIPIENT=",
        "PATH=",
        "RECIPIENT=",
        "SENDER=a=b",
        "SHELL=",
        "USER=",
    ];
    let program = "/usr/local/mailman/mail/mailman";
    let descriptor = |number| OpenDescriptor { number, target: "pipe".into(), access: 0 };
    WitnessReport {
        pid: 7,
        same_process: false,
        exec_path: program.into(),
        argv: [program, "post", "alice-owned"].map(Into::into).into(),
        env: names.map(Into::into).into(),
        credentials: Credentials { uid: same(uid, uid), gid: same(gid, own), groups: vec![gid] },
        regained: Vec::new(),
        descriptors: [0, 1, 2].map(descriptor).into(),
        umask: 0o077,
        cwd: "/var/spool/postfix".into(),
        ignored: [13, 25].into(),
        blocked: [].into(),
        pending: [].into(),
        limits: Vec::new(),
        place: lab_invocation::evidence::Place::default(),
        timers_us: [0; 3],
        timer_slack_ns: 50_000,
        capabilities: [0; 5],
        securebits: 0,
        no_new_privs: false,
        secure: true,
        dumpable: 0,
        stdin: Capture::default(),
    }
}

fn delivered(reports: Vec<WitnessReport>) -> Delivered {
    let log = "status=sent (delivered to command: /usr/local/mailman/mail/mailman post alice-owned)";
    Delivered { reports, fate: Fate::Sent, log: log.to_owned() }
}

fn found(case: &Case, delivered: &Delivered) -> Vec<String> {
    differences(case, delivered, &accounts()).expect("all names are known")
}

#[test]
fn what_is_as_stated_does_not_differ() {
    assert_eq!(found(&case("alice-owned"), &delivered(vec![report()])), [""; 0]);
}

#[rstest]
#[case::user(|r: &mut WitnessReport| r.credentials.uid.real = Uid::ROOT, "user: found 0, wanted 3001")]
#[case::group(|r: &mut WitnessReport| r.credentials.gid.real = Gid::ROOT, "group: found 0, wanted 3001")]
#[case::bit(|r: &mut WitnessReport| r.credentials.gid.effective = Gid::ROOT, "effective-group: found 0")]
#[case::groups(|r: &mut WitnessReport| r.credentials.groups.clear(), "groups: found {}")]
#[case::more_groups(|r: &mut WitnessReport| r.credentials.groups.push(Gid::ROOT), "groups: found {0, 3001}")]
#[case::arguments(|r: &mut WitnessReport| r.argv.push("more".into()), "args: found")]
#[case::variable(|r: &mut WitnessReport| r.env.push("LD_PRELOAD=x".into()), "environment: found")]
#[case::no_variable(|r: &mut WitnessReport| drop(r.env.pop()), "environment: found")]
#[case::directory(|r: &mut WitnessReport| r.cwd = "/".into(), "directory: found \"/\"")]
#[case::mask(|r: &mut WitnessReport| r.umask = 0o22, "umask: found \"022\"")]
#[case::signals(|r: &mut WitnessReport| r.ignored.clear(), "ignored: found {}")]
#[case::leak(|r: &mut WitnessReport| r.descriptors.push(OpenDescriptor { number: 3, target: "socket".into(), access: 2 }), "descriptors: found")]
fn each_part_of_a_report_is_compared(#[case] change: fn(&mut WitnessReport), #[case] words: &str) {
    let mut changed = report();
    change(&mut changed);
    let found = found(&case("alice-owned"), &delivered(vec![changed]));
    assert!(matches!(found.as_slice(), [only] if only.starts_with(words)), "{found:#?}");
}

#[test]
fn fate_log_and_number_of_programs_are_compared() {
    let case = case("alice-owned");
    let other = Delivered { fate: Fate::Bounced, ..delivered(vec![report()]) };
    assert!(found(&case, &other)[0].starts_with("fate: found Bounced, wanted Sent"));
    let other = Delivered { log: "status=sent".to_owned(), ..delivered(vec![report()]) };
    assert!(found(&case, &other)[0].starts_with("log: `status=sent (delivered"));
    assert_eq!(found(&case, &delivered(Vec::new())), ["starts: 0 programs, where one is wanted"]);
    assert_eq!(found(&case, &delivered(vec![report(), report()])), ["starts: 2 programs, where one is wanted"]);
}

#[test]
fn a_program_that_must_not_start_is_noticed() {
    let case = case("nobody-here");
    let log = "550 5.1.1 User unknown in local recipient table".to_owned();
    let quiet = Delivered { reports: Vec::new(), fate: Fate::Refused, log };
    assert_eq!(found(&case, &quiet), [""; 0]);
    let loud = Delivered { reports: vec![report()], ..quiet };
    assert_eq!(found(&case, &loud), ["starts: 1 programs, where none is wanted"]);
}

#[test]
fn a_name_that_the_container_does_not_have_is_no_difference_but_a_problem() {
    let empty = Accounts::of("", "");
    let problem = differences(&case("alice-owned"), &delivered(vec![report()]), &empty).expect_err("no such names");
    assert!(problem.to_string().contains("alice"), "{problem}");
}
