//! What is read is what the queue writer wrote, and nothing that is no message is taken for one.

use super::{Control, ControlFault};
use rstest::rstest;
use std::time::Duration;
use wrapper::queue::address::{self, Address, AddressFault};
use wrapper::queue::command_line::Notify;
use wrapper::queue::control::{Summary, text};
use wrapper::queue::envelope::{Envelope, Facts};
use wrapper::queue::head::{self, Field};

fn envelope(sender: &[u8], recipients: &[u8], head: &[u8], notify: Option<Notify>) -> Envelope {
    Envelope {
        sender: address::sender(sender).expect("an address"),
        recipients: address::list(recipients).expect("addresses"),
        body: None,
        notify,
        returned: None,
        envelope_id: None,
        fields: head::fields(head).expect("a header"),
    }
}

fn facts() -> Facts {
    let moment = Duration::from_secs(1_700_000_000);
    Facts { uid: 1000, user: Some("alice".into()), host: Some("lab.test".into()), moment, pid: 7 }
}

const NEVER: Notify = Notify { success: false, failure: false, delay: false };

#[rstest]
#[case::plain(b"alice", b"bob@example.org", b"Subject: hello\n", None)]
#[case::null_sender(b"<>", b"bob", b"Subject: hello\n\tthere\n  and there\n", None)]
#[case::many(b"a@b", b"c, \"d e\"@f, <g@[127.0.0.1]>", b"X-A: 1\nX-A: 2\n", Some(NEVER))]
#[case::colons(b"a@b", b"\"x:y\"@b", b"Subject: ?D?\nX: ?\n", None)]
fn what_the_writer_writes_is_read(
    #[case] sender: &[u8],
    #[case] recipients: &[u8],
    #[case] head: &[u8],
    #[case] notify: Option<Notify>,
) {
    let envelope = envelope(sender, recipients, head, notify);
    let written = text(&envelope, Summary::default(), &facts(), "ID").expect("written");
    let read = Control::parse(&written).expect("read");
    assert_eq!(read.sender, envelope.sender);
    let read_recipients: Vec<&Address> = read.recipients.iter().map(|recipient| &recipient.address).collect();
    assert_eq!(read_recipients, envelope.recipients.iter().collect::<Vec<_>>());
    assert!(read.recipients.iter().all(|recipient| recipient.tell_failure == notify.is_none()));
    assert_eq!((read.created, read.tried, read.attempts), (Some(1_700_000_000), 0, 0));
    let line = |field: Field| [&field.name[..], b": ", &field.lines.join(&b'\n'), b"\n"].concat();
    let expected: Vec<u8> = envelope.traced(&facts(), "ID").into_iter().flat_map(line).collect();
    assert_eq!(String::from_utf8(read.header()), String::from_utf8(expected));
}

/// As sendmail's submission program wrote it.
const SENDMAIL: &[u8] = b"V8\nT1700000000\nK0\nN0\nP30019\nFs\n$_alice@localhost\n${daemon_flags}c u\nSalice\n\
    Aalice@lab.example.org\nC:bob@example.org\nrRFC822; bob@example.org\nRPFD:bob@example.org\nH?P?Return-Path: <\x81g>\n\
    H??Received: (from alice@localhost)\n\tby lab.example.org\nH?D?Date: Tue\nH?x?Full-Name: A\nH?M?Message-Id: <1@a>\n\
    H?F?From: alice\nH??bcc : eve\nHResent-Bcc: eve,\n\teve\nHBccx: 1\nHSubject: hi\n.\n";

#[test]
fn a_field_that_only_other_mailers_want_or_nobody_is_to_see_is_left_out() {
    let read = Control::parse(SENDMAIL).expect("read");
    let header = String::from_utf8(read.header()).expect("ASCII");
    assert_eq!(
        header,
        "Received: (from alice@localhost)\n\tby lab.example.org\nDate: Tue\nMessage-Id: <1@a>\nFrom: alice\nBccx: 1\nSubject: hi\n"
    );
}

#[test]
fn the_file_for_a_later_run_has_who_waits_and_what_was_tried() {
    let text = b"V8\nT5\nK3\nN2\nMold\nSalice\nrRFC822; a\nRPFD:a\nQb\nrRFC822; b\nRPFD:b\nRPFD:c\nHX: 1\n\t2\n.\n";
    let control = Control::parse(text).expect("read");
    let later = control.for_later(&[1], 9, "450 wait\na while");
    let expected = "V8\nK9\nN3\nM450 wait?a while\nT5\nSalice\nQb\nrRFC822; b\nRPFD:b\nHX: 1\n\t2\n.\n";
    assert_eq!(String::from_utf8_lossy(&later), expected);
    let again = Control::parse(&later).expect("read");
    assert_eq!((again.tried, again.attempts, again.recipients.len()), (9, 3, 1));
    assert_eq!(again.recipients.first(), control.recipients.get(1));
}

#[test]
fn many_recipients_take_no_more_than_their_number() {
    // In the square of it this would take minutes, and every message after it would wait.
    let recipients: String = (0..100_000).map(|number| format!("RPFD:r{number}\n")).collect();
    let control = Control::parse(format!("V8\nSa\n{recipients}.\n").as_bytes()).expect("read");
    let waiting: Vec<usize> = (0..100_000).step_by(2).collect();
    let later = Control::parse(&control.for_later(&waiting, 9, "later")).expect("read");
    assert_eq!(later.recipients.len(), 50_000);
    assert_eq!(later.recipients.last(), control.recipients.get(99_998));
}

#[rstest]
#[case::empty(b"", ControlFault::Version)]
#[case::no_version(b"Sa\nRPFD:b\n.\n", ControlFault::Version)]
#[case::later_version(b"V9\nSa\nRPFD:b\n.\n", ControlFault::Version)]
#[case::cut_after_a_line(b"V8\nSa\nRPFD:b\n", ControlFault::Unfinished)]
#[case::cut_in_a_line(b"V8\nSa\nRPFD:b", ControlFault::Unfinished)]
#[case::cut_at_once(b"V8", ControlFault::Unfinished)]
#[case::empty_line(b"V8\nSa\n\nRPFD:b\n.\n", ControlFault::Unknown { line: 3, kind: None })]
#[case::unknown_line(b"V8\nSa\nzyx\nRPFD:b\n.\n", ControlFault::Unknown { line: 3, kind: Some(b'z') })]
#[case::continued_sender(b"V8\nSa\n b\nRPFD:b\n.\n", ControlFault::Unknown { line: 3, kind: Some(b' ') })]
#[case::dot_and_more(b"V8\nSa\n.x\nRPFD:b\n.\n", ControlFault::Unknown { line: 3, kind: Some(b'.') })]
#[case::more_after_the_end(b"V8\nSa\nRPFD:b\n.\nRPFD:c\n", ControlFault::AfterEnd)]
#[case::line_after_the_end(b"V8\nSa\nRPFD:b\n.\n\n", ControlFault::AfterEnd)]
#[case::no_sender(b"V8\nRPFD:b\n.\n", ControlFault::NoSender)]
#[case::two_senders(b"V8\nSa\nSb\nRPFD:b\n.\n", ControlFault::Twice { kind: b'S' })]
#[case::no_recipient(b"V8\nSa\n.\n", ControlFault::NoRecipient)]
#[case::recipient_without_flags(b"V8\nSa\nRb\n.\n", ControlFault::Address { kind: b'R', fault: AddressFault::Empty })]
#[case::null_recipient(b"V8\nSa\nRPFD:<>\n.\n", ControlFault::Address { kind: b'R', fault: AddressFault::Empty })]
#[case::program(b"V8\nSa\nRPFD:|sh\n.\n", ControlFault::Address { kind: b'R', fault: AddressFault::NotMail })]
#[case::command_in_the_sender(b"V8\nSa\rRCPT\nRPFD:b\n.\n", ControlFault::Address { kind: b'S', fault: AddressFault::Byte })]
#[case::bracket(b"V8\nSa>\nRPFD:b\n.\n", ControlFault::Address { kind: b'S', fault: AddressFault::Unbalanced })]
#[case::field_without_a_name(b"V8\nSa\nRPFD:b\nH??: x\n.\n", ControlFault::Field { line: 4 })]
#[case::no_field(b"V8\nSa\nRPFD:b\nH\n.\n", ControlFault::Field { line: 4 })]
#[case::conditions_only(b"V8\nSa\nRPFD:b\nH?D\n.\n", ControlFault::Field { line: 4 })]
#[case::two_words(b"V8\nSa\nRPFD:b\nHTwo words: x\n.\n", ControlFault::Field { line: 4 })]
#[case::continued_at_once(b"V8\nSa\nRPFD:b\nH To: x\n.\n", ControlFault::Field { line: 4 })]
#[case::number(b"V8\nT-1\nSa\nRPFD:b\n.\n", ControlFault::Number { kind: b'T' })]
#[case::large_number(b"V8\nN18446744073709551616\nSa\nRPFD:b\n.\n", ControlFault::Number { kind: b'N' })]
#[case::quarantined(b"V8\nqspam\nSa\nRPFD:b\n.\n", ControlFault::Quarantined)]
#[case::elsewhere(b"V8\nd/tmp\nSa\nRPFD:b\n.\n", ControlFault::Elsewhere)]
fn what_is_no_message_is_not_taken_for_one(#[case] text: &[u8], #[case] fault: ControlFault) {
    assert_eq!(Control::parse(text), Err(fault), "{fault}");
}

#[test]
fn an_address_that_sendmail_would_lose_is_a_fault() {
    let text = |length| format!("V8\nSa\nRPFD:{}\n.\n", "b".repeat(length)).into_bytes();
    assert!(Control::parse(&text(255)).is_ok());
    assert_eq!(Control::parse(&text(256)), Err(ControlFault::Address { kind: b'R', fault: AddressFault::TooLong }));
}

#[test]
fn a_file_that_is_cut_anywhere_is_no_message() {
    for end in 0..SENDMAIL.len() - 1 {
        let cut = SENDMAIL.get(..end).expect("within");
        assert!(Control::parse(cut).is_err(), "{}", String::from_utf8_lossy(cut));
    }
    // The last line feed may be missing, as sendmail has it.
    assert!(Control::parse(SENDMAIL.get(..SENDMAIL.len() - 1).expect("within")).is_ok());
}
