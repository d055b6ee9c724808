//! Lines as the server gets them.

use super::lines;
use rstest::rstest;

#[rstest]
#[case::a_line(b"a\n", b"a")]
#[case::no_last_line_feed(b"a\nb", b"a\r\nb")]
#[case::empty_lines(b"\n\n\n", b"\r\n\r\n")]
#[case::empty_body(b"X: 1\n\n", b"X: 1\r\n")]
#[case::any_bytes(b"\0\xff.\n.\n", b"\0\xff.\r\n.")]
fn lines_end_as_smtp_has_it(#[case] text: &[u8], #[case] wanted: &[u8]) {
    assert_eq!(lines(text), wanted);
}
