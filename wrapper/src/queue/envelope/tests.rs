//! From requests and headers to envelopes.

use super::{Envelope, Facts, MessageFault, NotComposed, compose, is_host_name, is_user_name};
use crate::queue::address::AddressFault;
use crate::queue::command_line;
use crate::queue::head::{End, fields};
use crate::queue::sample::{FACTS_UID, facts};
use rstest::rstest;
use std::ffi::CString;

fn composed(arguments: &[&str], head: &str, facts: &Facts) -> Result<Envelope, NotComposed> {
    let argv: Vec<CString> =
        std::iter::once(&"x").chain(arguments).map(|one| CString::new(*one).expect("no NUL")).collect();
    let request = command_line::parse(argv.iter().map(CString::as_c_str), 3).expect("sound");
    let (head_end, _) = End::default().find(head.as_bytes(), true).expect("whole");
    compose(request, fields(&head.as_bytes()[..head_end]).expect("sound"), facts, 3)
}

fn recipients(envelope: &Envelope) -> Vec<&str> {
    envelope.recipients.iter().map(|address| std::str::from_utf8(address.as_bytes()).expect("ASCII")).collect()
}

fn header(envelope: &Envelope) -> String {
    of_fields(&envelope.fields)
}

fn of_fields(fields: &[super::Field]) -> String {
    let field = |field: &super::Field| {
        let lines: Vec<_> = field.lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
        format!("{}: {}\n", String::from_utf8_lossy(&field.name), lines.join("\n"))
    };
    fields.iter().map(field).collect()
}

#[rstest]
#[case::arguments(&["b", "a", "b"], "To: c", &["b", "a"])]
#[case::header(&["-t"], "To: a,\n\t\"B\" <b>\nto: c\nCc: a", &["a", "b", "c"])]
#[case::both(&["-t", "z"], "BCC: a", &["z", "a"])]
#[case::sent_again(&["-t"], "To: a\nBcc: b\nResent-To: c\nResent-Bcc: d", &["c", "d"])]
fn who_gets_it(#[case] arguments: &[&str], #[case] head: &str, #[case] expected: &[&str]) {
    let envelope = composed(arguments, head, &facts()).expect("composed");
    assert_eq!(recipients(&envelope), expected);
    assert!(!header(&envelope).to_lowercase().contains("bcc"), "who is not to be seen is seen");
}

#[rstest]
#[case::nobody("Subject: x", MessageFault::NoRecipient)]
#[case::group_of_nobody("To: undisclosed-recipients:;", MessageFault::NoRecipient)]
#[case::too_many("To: a,b,c,d", MessageFault::TooMany { limit: 3 })]
#[case::no_address("To: a\nCc: <b", MessageFault::Address { field: "Cc", fault: AddressFault::Unbalanced })]
fn what_is_no_envelope(#[case] head: &str, #[case] fault: MessageFault) {
    assert_eq!(composed(&["-t"], head, &facts()), Err(NotComposed::Message(fault)));
}

#[test]
fn a_header_gets_what_it_lacks() {
    let envelope = composed(&["b"], "Subject: x\nReturn-Path: <a>\nX: y\n z", &facts()).expect("composed");
    assert_eq!(header(&envelope), "Subject: x\nX: y\n z\nDate: Fri, 20 Nov 2026 18:57:19 +0000\nFrom: alice\n");
    let whole = "DATE: a\nFrom: b\nmessage-id: c\n";
    assert_eq!(header(&composed(&["-Fname", "b"], whole, &facts()).expect("composed")), whole);
}

#[rstest]
#[case::full_name(&["-F", "Al \"the\\ man", "b"], "From: \"Al \\\"the\\\\ man\" <alice>\n")]
#[case::sender(&["-f", "a@x", "b"], "From: a@x\n")]
#[case::both(&["-f", "a@x", "-F", "A", "b"], "From: \"A\" <a@x>\n")]
#[case::null_sender(&["-f", "<>", "b"], "From: alice\n")]
fn whom_it_is_from(#[case] arguments: &[&str], #[case] expected: &str) {
    let envelope = composed(arguments, "", &facts()).expect("composed");
    assert!(header(&envelope).contains(expected), "{}", header(&envelope));
}

#[test]
fn who_has_no_name_must_give_a_sender() {
    let nameless = Facts { user: None, host: None, ..facts() };
    assert_eq!(composed(&["b"], "", &nameless), Err(NotComposed::Nameless { uid: FACTS_UID }));
    let envelope = composed(&["-f", "<>", "b"], "", &nameless).expect("composed");
    assert_eq!((envelope.sender.as_ref(), header(&envelope).contains("From")), (None, false));
    let traced = of_fields(&envelope.traced(&nameless, "ID"));
    assert!(!traced.contains("Message-Id"), "without a host there is no id that nobody else gives");
    assert!(traced.starts_with("Received: (queue-writer, started by uid 1000)\n\tid ID; "), "{traced}");
}

/// Q13: the uid is the kernel's, whatever the sender says.
#[test]
fn the_trace_names_the_uid_and_the_id() {
    let envelope = composed(&["-f", "root", "b"], "Received: (started by uid 0)\n", &facts()).expect("composed");
    let traced = of_fields(&envelope.traced(&facts(), "ID"));
    let first = "Received: by lab.example.org (queue-writer, started by uid 1000)\n\tid ID; Fri, 20 Nov 2026";
    assert!(traced.starts_with(first) && traced.ends_with("Message-Id: <ID@lab.example.org>\n"), "{traced}");
    let own = composed(&["b"], "message-ID: <a>\n", &facts()).expect("composed");
    assert_eq!(of_fields(&own.traced(&facts(), "ID")).to_lowercase().matches("message-id").count(), 1);
    assert_eq!(own.message_id(), Some(b"<a>".to_vec()));
}

#[test]
fn names_that_can_stand_in_a_header() {
    assert!(["alice", "a.b-c_d", "Debian-exim", "7"].into_iter().all(is_user_name));
    assert!(!["", "-f", ".a", "a..b", "a b", "a?", "a\n", "ä", "averylongname..."].into_iter().any(is_user_name));
    assert!(["a", "lab.example.org", "a-1"].into_iter().all(is_host_name));
    assert!(!["", "a..b", "-a", "a-", "a b", "(none)", "a\n", "a>"].into_iter().any(is_host_name));
}
