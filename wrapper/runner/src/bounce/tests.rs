//! The notification as its reader sees it.

use super::{boundary, notification, status};
use crate::control::Control;
use rstest::rstest;
use wrapper::queue::address;

#[test]
fn it_says_what_has_not_reached_whom_and_why() {
    let control = Control::parse(
        b"V8\nT1700000000\nSalice\nRPFD:bob@example.org\nRPFD:carol\nRPFD:dan\nH??Subject: hello\n\tthere\n.\n",
    );
    let sender = address::sender(b"alice").expect("an address").expect("one");
    let failed = [(0, "550 5.1.1 no such user\r\nSubject: forged".into()), (2, "tried for 120 hours".into())];
    let control = control.expect("a control file");
    let text = notification("pAQMDK00000007", &control, &sender, &failed, "lab.test", 1_700_432_000);
    insta::assert_snapshot!(String::from_utf8(text).expect("ASCII"));
}

#[test]
fn no_line_of_the_header_ends_a_part() {
    assert_eq!(boundary("ID", 7, b"X: --ID-7-0--\n--ID-7-1\n"), "ID-7-2");
}

#[rstest]
#[case("550 5.1.1 no such user", "5.1.1")]
#[case("5.7.26 not allowed", "5.7.26")]
#[case("550 no such user", "5.0.0")]
#[case("550 5.1 no", "5.0.0")]
#[case("550 5.1.1.1 no", "5.0.0")]
#[case("550 5.1.1000 no", "5.0.0")]
#[case("450 4.2.0 later", "5.0.0")]
#[case("", "5.0.0")]
fn the_status_is_the_server_s_where_it_gives_one(#[case] said: &str, #[case] wanted: &str) {
    assert_eq!(status(said), wanted);
}
