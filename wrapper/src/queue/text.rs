//! From the bytes of standard input to lines of a message.

/// Takes the input piece by piece, so that a message need not fit into memory.
///
/// A line ends with a line feed or with carriage return and line feed, and is stored with a line feed: that is what the
/// reader of the queue knows. Every other byte stays as it is, a carriage return by itself too. Unless dots are ignored
/// (`-i`), a line of one dot ends the message.
#[derive(Debug)]
pub struct Lines {
    ignore_dots: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    LineStart,
    Middle,
    /// After a carriage return that may belong to a line end.
    Return,
    /// After a dot at the start of a line.
    Dot,
    /// After that and a carriage return.
    DotReturn,
    /// After a line of one dot.
    Ended,
}

impl Lines {
    /// At the beginning of the input.
    #[must_use]
    pub const fn new(ignore_dots: bool) -> Self {
        Self { ignore_dots, state: State::LineStart }
    }

    /// Whether a line of one dot has come: nothing after it belongs to the message.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Takes a piece of the input, and adds what it says to `out`.
    pub fn take(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for byte in piece {
            self.state = match self.state {
                State::Ended => return,
                State::LineStart if *byte == b'.' && !self.ignore_dots => State::Dot,
                State::Dot if *byte == b'\n' => State::Ended,
                State::Dot if *byte == b'\r' => State::DotReturn,
                State::DotReturn if *byte == b'\n' => State::Ended,
                State::Dot => {
                    out.push(b'.');
                    ordinary(*byte, out)
                }
                State::DotReturn => {
                    out.push(b'.');
                    after_return(*byte, out)
                }
                State::Return => after_return(*byte, out),
                State::LineStart | State::Middle => ordinary(*byte, out),
            };
        }
    }

    /// The end of the input: what was held back belongs to the message after all.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.state {
            State::Dot => b".",
            State::DotReturn => b".\r",
            State::Return => b"\r",
            State::LineStart | State::Middle | State::Ended => b"",
        });
        self.state = State::Ended;
    }
}

fn ordinary(byte: u8, out: &mut Vec<u8>) -> State {
    match byte {
        b'\r' => State::Return,
        b'\n' => {
            out.push(byte);
            State::LineStart
        }
        _ => {
            out.push(byte);
            State::Middle
        }
    }
}

fn after_return(byte: u8, out: &mut Vec<u8>) -> State {
    if byte != b'\n' {
        out.push(b'\r');
    }
    ordinary(byte, out)
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use rstest::rstest;

    /// In pieces of every length.
    fn read(text: &[u8], ignore_dots: bool) -> Vec<u8> {
        let whole = in_pieces(text, ignore_dots, text.len().max(1));
        for length in 1..=text.len() {
            assert_eq!(in_pieces(text, ignore_dots, length), whole, "{length}");
        }
        whole
    }

    fn in_pieces(text: &[u8], ignore_dots: bool, length: usize) -> Vec<u8> {
        let (mut lines, mut out) = (Lines::new(ignore_dots), Vec::new());
        for piece in text.chunks(length) {
            lines.take(piece, &mut out);
        }
        lines.finish(&mut out);
        out
    }

    /// Q11.
    #[rstest]
    #[case::empty(b"", b"")]
    #[case::no_line_feed_at_the_end(b"a\nb", b"a\nb")]
    #[case::nul_and_eight_bits(b"a\0\xff\n", b"a\0\xff\n")]
    #[case::line_ends_of_smtp(b"a\r\nb\r\n", b"a\nb\n")]
    #[case::return_by_itself(b"a\rb\r\r\nc\r", b"a\rb\r\nc\r")]
    #[case::dots(b".\n..\n.a\n.\r\n", b".\n..\n.a\n.\n")]
    fn with_dots_ignored_every_byte_stays(#[case] text: &[u8], #[case] expected: &[u8]) {
        assert_eq!(read(text, true), expected);
    }

    #[rstest]
    #[case::dot(b"a\n.\nb\n", b"a\n")]
    #[case::dot_of_smtp(b"a\r\n.\r\nb", b"a\n")]
    #[case::dot_first(b".\nb", b"")]
    #[case::two_dots(b"..\na", b"..\na")]
    #[case::dot_and_text(b".a\n", b".a\n")]
    #[case::dot_and_return(b".\ra\n", b".\ra\n")]
    #[case::dot_and_two_returns(b".\r\r\na", b".\r\na")]
    #[case::dot_at_the_end(b"a\n.", b"a\n.")]
    #[case::dot_and_return_at_the_end(b".\r", b".\r")]
    #[case::dot_in_the_middle(b"a.\n", b"a.\n")]
    fn a_line_of_one_dot_ends_the_message(#[case] text: &[u8], #[case] expected: &[u8]) {
        assert_eq!(read(text, false), expected);
    }
}
