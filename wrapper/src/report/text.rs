//! The forms in which a refusal is delivered.

use crate::refusal::{LINE_MAX, Line};

/// Most bytes that a pipe which has become writable takes without blocking: PIPE_BUF of pipe(7).
const AT_ONCE: usize = 4096;

/// Facility mail (2), severity error (3), as RFC 3164 writes it: 2 × 8 + 3.
const PRIORITY: &[u8] = b"<19>";

/// RFC 3875, 6.2. Without a status of its own a server would say 200 OK.
const PAGE_HEAD: &[u8] = b"Status: 403 Forbidden\r\nContent-Type: text/html; charset=us-ascii\r\n\r\n\
    <!DOCTYPE html>\n<html lang=\"en\"><head><title>403 Forbidden</title></head>\n<body><h1>Forbidden</h1>\n<p>";

const PAGE_END: &[u8] = b"</p>\n</body></html>\n";

/// Room for a line with what belongs to it.
const SHORT: usize = LINE_MAX + PRIORITY.len();

/// A text of at most `N` bytes: what is too much is cut.
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl Text<SHORT> {
    /// For syslog.
    pub(crate) fn log_entry(line: &Line) -> Self {
        let mut text = Self::empty();
        text.push(PRIORITY);
        text.push(line.as_bytes());
        text
    }

    /// For standard error.
    pub(crate) fn diagnostic(line: &Line) -> Self {
        let mut text = Self::empty();
        text.push(line.as_bytes());
        text.push(b"\n");
        text
    }
}

impl Text<AT_ONCE> {
    /// For a web server.
    pub(crate) fn page(line: &Line) -> Self {
        let mut text = Self::empty();
        text.push(PAGE_HEAD);
        for byte in line.as_bytes() {
            match byte {
                b'&' => text.push(b"&amp;"),
                b'<' => text.push(b"&lt;"),
                b'>' => text.push(b"&gt;"),
                b'"' => text.push(b"&quot;"),
                b'\'' => text.push(b"&#39;"),
                other => text.push(&[*other]),
            }
        }
        text.push(PAGE_END);
        text
    }
}

impl<const N: usize> Text<N> {
    const fn empty() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, more: &[u8]) {
        for (place, byte) in self.bytes.iter_mut().skip(self.length).zip(more) {
            *place = *byte;
            self.length += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, PRIORITY, SHORT, Text};
    use crate::refusal::{LINE_MAX, Line};
    use std::fmt::Write;

    fn line(text: &str) -> Line {
        let mut line = Line::default();
        line.write_str(text).expect("never fails");
        line
    }

    #[test]
    fn a_log_entry_has_facility_mail_and_severity_error() {
        assert_eq!(Text::log_entry(&line("cgi-wrapper: no")).as_bytes(), b"<19>cgi-wrapper: no");
    }

    #[test]
    fn a_diagnostic_ends_its_line() {
        assert_eq!(Text::diagnostic(&line("no")).as_bytes(), b"no\n");
    }

    #[test]
    fn the_longest_line_is_whole_and_takes_all_the_room() {
        let longest = line(&"a".repeat(LINE_MAX));
        let entry = Text::log_entry(&longest);
        assert_eq!(entry.as_bytes(), [PRIORITY, longest.as_bytes()].concat());
        assert_eq!(entry.as_bytes().len(), SHORT, "the stack can be what is too small");
        assert_eq!(Text::diagnostic(&longest).as_bytes(), [longest.as_bytes(), b"\n"].concat());
    }

    #[test]
    fn a_page_escapes_what_html_would_take_for_its_own() {
        let page = Text::page(&line(r#"<script>alert("a" & 'b')</script>"#));
        let page = std::str::from_utf8(page.as_bytes()).expect("ASCII");
        insta::assert_snapshot!("page_with_html_in_a_group_name", page.replace("\r\n", "\\r\\n\n"));
    }

    #[test]
    fn what_cannot_be_written_at_once_is_cut() {
        let page = Text::page(&line(&"\"".repeat(LINE_MAX)));
        assert_eq!(page.as_bytes().len(), AT_ONCE);
    }
}
