//! From who somebody is, what he types and what he writes, to what is planned: no file is touched.

use super::{Committed, Facts, QueueRefusal, Queued, Raised, check_bit, decide};
use crate::credentials::Credentials;
use crate::policy::{Limits, Owner, QueuePolicy};
use crate::queue::commit::{Plan, STEPS};
use crate::queue::envelope::NotComposed;
use crate::queue::sample::{FACTS_UID, facts};
use crate::queue::{command_line, commit, control, text};
use crate::refusal::Refusal;
use crate::sample::{Answers, LIST, gid, trusted_caller};
use rstest::rstest;
use std::ffi::CString;

static POLICY: QueuePolicy<'static> = QueuePolicy {
    own: LIST,
    owner: Owner { uid: 39, name: "smmsp" },
    directory: "/var/spool/clientmqueue",
    limits: Limits::DEFAULT,
};

fn planned(arguments: &[&str], head: &[u8]) -> Result<Plan, NotComposed> {
    let argv: Vec<CString> =
        std::iter::once(&"x").chain(arguments).map(|one| CString::new(*one).expect("no NUL")).collect();
    let request = command_line::parse(argv.iter().map(CString::as_c_str), 100).expect("sound");
    decide(&Raised { uid: FACTS_UID }, &POLICY, request, head, facts())
}

/// Q13: the files are to be the real user's, whoever the sender is said to be.
#[test]
fn a_plan_is_the_callers() {
    let plan = planned(&["-f", "root", "-t"], b"To: bob\n").expect("planned");
    assert_eq!(
        (plan.expected.uid, plan.expected.gid, plan.expected.mode, plan.expected.links),
        (1000, 38, 0o100_660, 1)
    );
    assert_eq!(plan.head.bytes, 8);
    assert_eq!(plan.steps, STEPS);
    assert_eq!(planned(&["-f", "root", "-t"], b"To: bob\n"), Ok(plan), "nothing else decides");
}

/// Q14: whoever the caller is, without the bit nothing is done.
#[rstest]
#[case::ordinary_user(1000, 38, [1000, 1000], true)]
#[case::root(0, 38, [0, 0], true)]
#[case::member_of_the_group(38, 38, [1000, 1000], true)]
#[case::bit_lost(1000, 1000, [1000, 1000], false)]
#[case::set_user_id_as_well(1000, 38, [1000, 0], false)]
fn the_bit_and_no_other_has_acted(
    #[case] real: u32,
    #[case] effective: u32,
    #[case] uids: [u32; 2],
    #[case] raised: bool,
) {
    let credentials = Credentials { real: gid(real), effective: gid(effective), ..trusted_caller() };
    let found = check_bit(&POLICY, &credentials, uids, &Answers::none());
    match found {
        Ok(found) => assert_eq!((raised, found.uid), (true, uids[0])),
        Err(QueueRefusal::Start(Refusal::NotSetGroupId { .. })) => assert_ne!(effective, 38),
        Err(QueueRefusal::SetUserId { real, effective }) => assert_eq!((raised, [real, effective]), (false, uids)),
        Err(other) => panic!("{other}"),
    }
    assert_eq!(check_bit(&POLICY, &credentials, uids, &Answers::none()).is_ok(), raised);
}

/// Q10: a control file is read back as its reader does, and has exactly the records of what went in.
#[rstest]
#[case::usual(&["-t"], b"To: bob@example.org\nSubject: a\n\tb\n", &["bob@example.org"])]
#[case::lines_that_look_like_records(&["a", "b"], b"RPFD: eve\nS: eve\nX: y\n .\n RPFD:eve\n\tRPFD:eve\n", &["a", "b"])]
#[case::quoted_local_part(&["\"a\\\" b\"@x"], b"", &["\"a\\\" b\"@x"])]
fn a_control_file_says_what_was_asked(#[case] arguments: &[&str], #[case] head: &[u8], #[case] recipients: &[&str]) {
    let plan = planned(arguments, head).expect("planned");
    let text = control::text(&plan.envelope, plan.head, &plan.facts, "ID").expect("sound");
    let text = String::from_utf8(text).expect("ASCII");
    let lines: Vec<&str> = text.strip_suffix('\n').expect("an end").split('\n').collect();
    let of = |kind: char| lines.iter().filter_map(move |line| line.strip_prefix(kind)).collect::<Vec<_>>();
    let found: Vec<&str> = of('R').iter().filter_map(|record| record.strip_prefix("PFD:")).collect();
    assert_eq!(found, recipients);
    assert_eq!((of('S'), of('V'), of('.').len(), *lines.last().expect("one")), (vec!["alice"], vec!["8"], 1, "."));
    let known = |line: &&str| line.starts_with(['V', 'T', 'K', 'N', 'P', 'F', '$', 'S', 'r', 'R', 'H', ' ', '\t', '.']);
    assert!(lines.iter().all(known), "{text}");
}

#[test]
fn the_log_says_who_submitted_what() {
    let plan = planned(&["-t"], b"To: bob, carol\nMessage-Id: <a\x1b[2J@b>\n").expect("planned");
    let mut disk = commit::tests::disk();
    let source = super::message::tests::Pieces::new(b"\nbody", 3);
    let mut message = super::Message::new(source, text::Lines::new(true));
    message.head().expect("read");
    let committed: Committed =
        commit::perform(&Plan { expected: commit::tests::OWNED, ..plan.clone() }, &mut disk, &mut message)
            .expect("queued");
    let queued = Queued { committed, envelope: plan.envelope, facts: Facts { uid: 1000, ..facts() } };
    assert_eq!(
        String::from_utf8_lossy(queued.line().log_entry()),
        "<22>queue-writer: 6AKIvJ00000081: from=<alice>, uid=1000, size=41, nrcpts=2, msgid=<a?[2J@b>"
    );
}

/// Documents are executed: the page lists Q1 to Q19 once each, and all but the reader's are named by a test.
#[test]
fn every_promise_of_the_manual_is_asked_for_by_a_test() {
    let page = include_str!("../bin/queue-writer.rs");
    let listed: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("//! | Q")?.split(' ').next()).collect();
    let numbers: Vec<String> = (1..=19).map(|number| number.to_string()).collect();
    assert_eq!(listed, numbers);
    let tests = [
        include_str!("address.rs"),
        include_str!("command_line/tests.rs"),
        include_str!("commit/tests.rs"),
        include_str!("control/tests.rs"),
        include_str!("directory/tests.rs"),
        include_str!("envelope/tests.rs"),
        include_str!("text.rs"),
        include_str!("../credentials/tests.rs"),
        include_str!("../../tests/queue/refusals.rs"),
        include_str!("../../tests/queue/submissions.rs"),
    ];
    let words = tests.iter().flat_map(|text| text.split(|byte: char| !byte.is_ascii_alphanumeric()));
    let named: std::collections::BTreeSet<&str> = words.filter_map(|word| word.strip_prefix('Q')).collect();
    let missing: Vec<&String> = numbers.iter().filter(|number| !named.contains(number.as_str())).collect();
    assert_eq!(missing, ["19"]);
}
