//! The message as it comes from standard input: first its header, then its body, piece by piece.

use super::envelope::MessageFault;
use super::head::{End, HEAD_MAX};
use super::text::Lines;
use nix::errno::Errno;

/// Where a message comes from. Standard input does; tests have sources of their own.
pub trait Source {
    /// Waits for the next bytes; 0: there are no more.
    ///
    /// # Errors
    /// Why not to wait any longer.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Stop>;

    /// The last question before a message is committed: after it nothing stops the submission.
    ///
    /// # Errors
    /// What has come meanwhile.
    fn last_call(&mut self) -> Result<(), Stop>;
}

/// Why a submission ends before its message is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A signal.
    Signal(i32),
    /// The deadline of the policy.
    Deadline,
    /// Reading failed: that is no end of the message.
    Failed(Errno),
}

/// Why there is no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoHead {
    /// The submission ended.
    Stop(Stop),
    /// It is too long.
    Message(MessageFault),
}

/// Bytes that are read at once.
const PIECE: usize = 65_536;

/// A message that is being read.
#[derive(Debug)]
pub struct Message<S> {
    source: S,
    lines: Lines,
    /// What has been read and not been taken.
    ahead: Vec<u8>,
    buffer: Vec<u8>,
}

impl<S: Source> Message<S> {
    /// At its beginning.
    pub fn new(source: S, lines: Lines) -> Self {
        Self { source, lines, ahead: Vec::new(), buffer: vec![0; PIECE] }
    }

    /// The lines of the header; what comes next is the body.
    ///
    /// # Errors
    /// If the submission ends, or the header is too long.
    pub fn head(&mut self) -> Result<Vec<u8>, NoHead> {
        let mut search = End::default();
        loop {
            let more = self.fill().map_err(NoHead::Stop)?;
            let shown = self.ahead.get(..HEAD_MAX).unwrap_or(&self.ahead);
            if let Some((end, body)) = search.find(shown, !more && shown.len() == self.ahead.len()) {
                let rest = self.ahead.split_off(body);
                let mut head = std::mem::replace(&mut self.ahead, rest);
                head.truncate(end);
                return Ok(head);
            }
            if self.ahead.len() >= HEAD_MAX {
                return Err(NoHead::Message(MessageFault::HeadTooLong));
            }
        }
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// If the submission ends.
    pub fn piece(&mut self) -> Result<Option<Vec<u8>>, Stop> {
        while self.ahead.is_empty() {
            if !self.fill()? {
                break;
            }
        }
        Ok(Some(std::mem::take(&mut self.ahead)).filter(|piece| !piece.is_empty()))
    }

    /// [`Source::last_call`].
    ///
    /// # Errors
    /// If the submission ends.
    pub fn last_call(&mut self) -> Result<(), Stop> {
        self.source.last_call()
    }

    /// Reads on; whether there may be more.
    fn fill(&mut self) -> Result<bool, Stop> {
        if self.lines.ended() {
            return Ok(false);
        }
        let read = self.source.read(&mut self.buffer)?;
        match self.buffer.get(..read) {
            Some([]) | None => self.lines.finish(&mut self.ahead),
            Some(piece) => self.lines.take(piece, &mut self.ahead),
        }
        Ok(!self.lines.ended())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{HEAD_MAX, Message, MessageFault, NoHead, PIECE, Source, Stop};
    use crate::queue::text::Lines;
    use nix::errno::Errno;
    use rstest::rstest;

    /// Gives out a text in pieces of a length, and then ends, or stops.
    pub(in crate::queue) struct Pieces {
        pub(in crate::queue) rest: Vec<u8>,
        pub(in crate::queue) length: usize,
        pub(in crate::queue) end: Result<(), Stop>,
        pub(in crate::queue) last_call: Result<(), Stop>,
    }

    impl Pieces {
        pub(in crate::queue) fn new(text: &[u8], length: usize) -> Self {
            Self { rest: text.to_vec(), length, end: Ok(()), last_call: Ok(()) }
        }
    }

    impl Source for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Stop> {
            let length = self.length.min(self.rest.len()).min(buffer.len());
            if length == 0 {
                self.end?;
            }
            buffer[..length].copy_from_slice(&self.rest[..length]);
            self.rest.drain(..length);
            Ok(length)
        }

        fn last_call(&mut self) -> Result<(), Stop> {
            self.last_call
        }
    }

    fn parts(text: &[u8], length: usize, dots: bool) -> Result<(Vec<u8>, Vec<u8>), NoHead> {
        let mut message = Message::new(Pieces::new(text, length), Lines::new(dots));
        let head = message.head()?;
        let mut body = Vec::new();
        while let Some(piece) = message.piece().expect("it goes on") {
            body.extend(piece);
        }
        Ok((head, body))
    }

    #[rstest]
    #[case::empty(b"", b"", b"")]
    #[case::usual(b"A: b\n\nc\n", b"A: b\n", b"c\n")]
    #[case::smtp_line_ends(b"A: b\r\n\r\nc\r\n", b"A: b\n", b"c\n")]
    #[case::header_alone(b"A: b", b"A: b", b"")]
    #[case::body_alone(b"hello\nA: b\n\n", b"", b"hello\nA: b\n\n")]
    #[case::two_empty_lines(b"A: b\n\n\nc", b"A: b\n", b"\nc")]
    #[case::dot(b"A: b\n.\nc\n", b"A: b\n", b"")]
    #[case::dot_in_the_body(b"A: b\n\nc\n.\nd\n", b"A: b\n", b"c\n")]
    fn header_and_body_in_pieces_of_every_length(#[case] text: &[u8], #[case] head: &[u8], #[case] body: &[u8]) {
        for length in 1..=text.len().max(1) {
            assert_eq!(parts(text, length, false), Ok((head.to_vec(), body.to_vec())), "{length}");
        }
    }

    #[test]
    fn a_header_is_bounded_and_a_body_is_not() {
        let line = [b"A: ", "x".repeat(HEAD_MAX - 6).as_bytes(), b"\n\n\n"].concat();
        assert!(parts(&line, PIECE, true).is_ok());
        let longer = [b"A: ", "x".repeat(HEAD_MAX).as_bytes(), b"\n\n"].concat();
        for length in [1, 1000, PIECE] {
            assert_eq!(parts(&longer, length, true), Err(NoHead::Message(MessageFault::HeadTooLong)));
        }
        let body = [b"\n".to_vec(), vec![b'x'; 3 * HEAD_MAX]].concat();
        assert_eq!(parts(&body, PIECE, true).map(|(_, body)| body.len()), Ok(3 * HEAD_MAX));
    }

    #[test]
    fn a_source_that_fails_is_no_end() {
        for stop in [Stop::Failed(Errno::EIO), Stop::Deadline, Stop::Signal(15)] {
            let source = Pieces { end: Err(stop), ..Pieces::new(b"A: b\n\nc", 3) };
            let mut message = Message::new(source, Lines::new(true));
            assert_eq!(message.head(), Ok(b"A: b\n".to_vec()));
            let mut pieces = std::iter::from_fn(|| message.piece().transpose());
            assert_eq!(pieces.find_map(Result::err), Some(stop));
        }
    }
}
