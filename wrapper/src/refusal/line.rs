//! A text that cannot become too long or anything but printable.

use std::fmt;

/// Longest refusal, in bytes: 900 with the line feed.
pub const LINE_MAX: usize = 899;

/// One line of printable ASCII, at most [`LINE_MAX`] bytes: any other character becomes `?`, what is too much is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    bytes: [u8; LINE_MAX],
    length: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { bytes: [0; LINE_MAX], length: 0 }
    }
}

impl Line {
    /// The bytes so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (character, place) in text.chars().zip(self.bytes.iter_mut().skip(self.length)) {
            *place = if matches!(character, ' '..='~') { character as u8 } else { b'?' };
            self.length += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE_MAX, Line};
    use std::fmt::Write;

    #[test]
    fn only_printable_ascii_gets_in() {
        let mut line = Line::default();
        line.write_str(" ~\x1b[2J\n\u{9b}\u{202e}é\x7f").expect("never fails");
        assert_eq!(line.as_bytes(), b" ~?[2J?????");
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let mut line = Line::default();
        line.write_str(&"a".repeat(LINE_MAX - 1)).expect("never fails");
        line.write_str("bc").expect("never fails");
        line.write_str("d").expect("never fails");
        assert_eq!(line.as_bytes(), ["a".repeat(LINE_MAX - 1), "b".to_owned()].concat().as_bytes());
    }
}
