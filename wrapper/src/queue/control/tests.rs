//! Control files, and what cannot get into them.

use super::{Broken, Summary, text};
use crate::queue::address;
use crate::queue::command_line::{Body, Notify, Returned};
use crate::queue::envelope::{Envelope, Facts};
use crate::queue::head::Field;
use crate::queue::sample::{envelope, facts};
use rstest::rstest;

const SMALL: Summary = Summary { bytes: 19, eight_bits: false };

fn written(envelope: &Envelope) -> String {
    String::from_utf8(text(envelope, SMALL, &facts(), "6AKIvJYT000081").expect("sound")).expect("ASCII")
}

#[test]
fn a_control_file() {
    insta::assert_snapshot!("a_control_file", written(&envelope()));
}

#[test]
fn a_control_file_with_everything() {
    let everything = Envelope {
        sender: None,
        recipients: address::list(b"bob@example.org, \"c, d\"@example.org").expect("sound"),
        body: Some(Body::EightBitMime),
        notify: Some(Notify { success: true, failure: true, delay: false }),
        returned: Some(Returned::Header),
        envelope_id: Some(b"a+2Bb".to_vec()),
        ..envelope()
    };
    let nameless = Facts { user: None, host: None, ..facts() };
    let summary = Summary { bytes: u64::MAX, eight_bits: true };
    let text = text(&everything, summary, &nameless, "ID").expect("sound");
    insta::assert_snapshot!("a_control_file_with_everything", String::from_utf8(text).expect("ASCII"));
}

#[rstest]
#[case::never(Some(Notify::default()), "RPN:")]
#[case::always(Some(Notify { success: true, failure: true, delay: true }), "RPNSFD:")]
#[case::not_said(None, "RPFD:")]
fn when_the_sender_is_told(#[case] notify: Option<Notify>, #[case] record: &str) {
    assert!(written(&Envelope { notify, ..envelope() }).contains(&format!("\n{record}bob@example.org\n")));
}

/// Q10: whatever a field holds, the file has the records of its kind and no others, or is not written.
#[rstest]
#[case::line_feed("X", &["a\nRPFD:eve"])]
#[case::carriage_return("X", &["a\rb"])]
#[case::nul("X", &["a\0"])]
#[case::line_feed_in_a_continuation("X", &["a", " b\n."])]
#[case::no_continuation("X", &["a", "RPFD:eve"])]
#[case::empty_continuation("X", &["a", ""])]
#[case::in_a_name("X: y\nRPFD", &["eve"])]
#[case::no_line("X", &[])]
fn a_field_cannot_begin_another_record(#[case] name: &str, #[case] lines: &[&str]) {
    let lines = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
    let fields = vec![Field { name: name.into(), lines }];
    assert_eq!(text(&Envelope { fields, ..envelope() }, SMALL, &facts(), "ID"), Err(Broken));
}

/// Q10, the same for the other places that hold what a caller wrote.
#[test]
fn nor_can_an_envelope_id_a_user_or_a_host() {
    for bad in ["a\nb", "a\rb", "a\0b"] {
        let with_id = Envelope { envelope_id: Some(bad.into()), ..envelope() };
        assert_eq!(text(&with_id, SMALL, &facts(), "ID"), Err(Broken));
        let with_user = Facts { user: Some(bad.into()), ..facts() };
        assert_eq!(text(&envelope(), SMALL, &with_user, "ID"), Err(Broken));
        let with_host = Facts { host: Some(bad.into()), ..facts() };
        assert_eq!(text(&envelope(), SMALL, &with_host, "ID"), Err(Broken));
    }
}

#[rstest]
#[case::nothing(&[], 0, false)]
#[case::ascii(&[&b"a\n"[..], b"b"], 3, false)]
#[case::eight_bits_at_the_end(&[&b"a"[..], b"\xff"], 2, true)]
#[case::eight_bits_at_the_beginning(&[&b"\xff"[..], b"a", b""], 2, true)]
fn pieces_are_added_up(#[case] pieces: &[&[u8]], #[case] bytes: u64, #[case] eight_bits: bool) {
    let mut summary = Summary::default();
    pieces.iter().for_each(|piece| summary.add(piece));
    assert_eq!(summary, Summary { bytes, eight_bits });
}
