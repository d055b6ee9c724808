//! A text that cannot become too long or anything but printable.

use std::fmt;

/// Longest refusal, in bytes: 900 with the line feed.
pub const LINE_MAX: usize = 899;

/// Facility mail (2), severity error (3), as RFC 3164 writes it: 2 × 8 + 3.
const PRIORITY: &[u8; 4] = b"<19>";

/// One line of printable ASCII, at most [`LINE_MAX`] bytes: any other character becomes `?`, what is too much is cut.
///
/// It lies between the priority for syslog and a line feed, so that no form in which it is delivered is another copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    bytes: [u8; PRIORITY.len() + LINE_MAX + 1],
    end: usize,
}

impl Default for Line {
    fn default() -> Self {
        let mut bytes = [b'\n'; PRIORITY.len() + LINE_MAX + 1];
        if let Some(start) = bytes.first_chunk_mut() {
            *start = *PRIORITY;
        }
        Self { bytes, end: PRIORITY.len() }
    }
}

impl Line {
    /// An empty one of severity info, for what is no refusal.
    #[must_use]
    pub fn information() -> Self {
        let mut line = Self::default();
        if let Some(start) = line.bytes.first_chunk_mut() {
            *start = *b"<22>";
        }
        line
    }

    /// The bytes so far.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        self.bytes.get(PRIORITY.len()..self.end).unwrap_or_default()
    }

    /// For syslog: with a priority.
    #[must_use]
    pub fn log_entry(&self) -> &[u8] {
        self.bytes.get(..self.end).unwrap_or_default()
    }

    /// For standard error: with a line feed.
    #[must_use]
    pub fn diagnostic(&self) -> &[u8] {
        self.bytes.get(PRIORITY.len()..=self.end).unwrap_or_default()
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The last byte stays a line feed.
        let places = self.bytes.iter_mut().take(PRIORITY.len() + LINE_MAX).skip(self.end);
        for (character, place) in text.chars().zip(places) {
            *place = if matches!(character, ' '..='~') { character as u8 } else { b'?' };
            self.end += 1;
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
        assert_eq!(line.text(), b" ~?[2J?????");
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let mut line = Line::default();
        line.write_str(&"a".repeat(LINE_MAX - 1)).expect("never fails");
        line.write_str("bc").expect("never fails");
        line.write_str("d").expect("never fails");
        assert_eq!(line.text(), ["a".repeat(LINE_MAX - 1), "b".to_owned()].concat().as_bytes());
        assert_eq!(line.diagnostic(), [line.text(), b"\n"].concat());
        assert_eq!(line.log_entry(), [b"<19>", line.text()].concat());
        assert_eq!(line.bytes.len(), line.log_entry().len() + 1, "the stack can be what is too small");
    }

    #[test]
    fn a_log_entry_has_facility_mail_and_severity_error_and_a_diagnostic_ends_its_line() {
        let mut line = Line::default();
        assert_eq!((line.text(), line.log_entry(), line.diagnostic()), (&b""[..], &b"<19>"[..], &b"\n"[..]));
        line.write_str("cgi-wrapper: no").expect("never fails");
        assert_eq!(line.log_entry(), b"<19>cgi-wrapper: no");
        assert_eq!(line.diagnostic(), b"cgi-wrapper: no\n");
    }
}
