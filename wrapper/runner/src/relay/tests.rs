//! Lines as the server gets them.

use super::{PIECE, pieces};
use rstest::rstest;

#[rstest]
#[case::a_line(b"a\n", b"a")]
#[case::no_last_line_feed(b"a\nb", b"a\r\nb")]
#[case::empty_lines(b"\n\n\n", b"\r\n\r\n")]
#[case::empty_body(b"X: 1\n\n", b"X: 1\r\n")]
#[case::any_bytes(b"\0\xff.\n.\n", b"\0\xff.\r\n.")]
fn lines_end_as_smtp_has_it(#[case] text: &[u8], #[case] wanted: &[u8]) {
    assert_eq!(pieces(text).collect::<Vec<_>>().concat(), wanted);
}

#[test]
fn a_long_text_comes_in_pieces_that_lose_nothing() {
    // Each place of a line feed around the end of a piece.
    for before in PIECE - 2..=PIECE + 2 {
        let text = [&vec![b'a'; before][..], b"\n.b\n"].concat();
        let found: Vec<_> = pieces(&text).collect();
        assert_eq!(found.concat(), [&vec![b'a'; before][..], b"\r\n.b"].concat(), "{before}");
        assert!(found.iter().all(|piece| piece.len() <= PIECE + 1), "{before}");
    }
}
