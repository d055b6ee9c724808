//! A refusal as a CGI/1.1 response.

use crate::refusal::Line;
use std::io::{self, Write};

/// Most bytes that a pipe which has become writable takes without blocking: PIPE_BUF of pipe(7).
pub const AT_ONCE: usize = 4096;

/// RFC 3875, 6.2. Without a status of its own a server would say 200 OK.
const HEAD: &[u8] = b"Status: 403 Forbidden\r\nContent-Type: text/html; charset=us-ascii\r\n\r\n\
    <!DOCTYPE html>\n<html lang=\"en\"><head><title>403 Forbidden</title></head>\n<body><h1>Forbidden</h1>\n<p>";

const END: &[u8] = b"</p>\n</body></html>\n";

/// Writes the page, with everything escaped that HTML would take for its own.
///
/// # Errors
/// There is no room for all of it; what fits has been written.
pub fn write(line: &Line, page: &mut impl Write) -> io::Result<()> {
    page.write_all(HEAD)?;
    for byte in line.text() {
        page.write_all(match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'"' => b"&quot;",
            b'\'' => b"&#39;",
            other => std::slice::from_ref(other),
        })?;
    }
    page.write_all(END)
}

/// The page, for tests.
#[cfg(test)]
pub(crate) fn written(line: &Line) -> Vec<u8> {
    let mut page = Vec::new();
    write(line, &mut page).expect("a Vec has room");
    page
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, write, written};
    use crate::refusal::{LINE_MAX, Line};
    use std::fmt::Write;
    use std::io::Cursor;

    fn line(text: &str) -> Line {
        let mut line = Line::default();
        line.write_str(text).expect("never fails");
        line
    }

    #[test]
    fn a_page_escapes_what_html_would_take_for_its_own() {
        let page = String::from_utf8(written(&line(r#"<script>alert("a" & 'b')</script>"#))).expect("ASCII");
        insta::assert_snapshot!("page_with_html_in_a_group_name", page.replace("\r\n", "\\r\\n\n"));
    }

    #[test]
    fn what_cannot_be_written_at_once_is_cut() {
        let line = line(&"\"".repeat(LINE_MAX));
        let mut page = Cursor::new([0; AT_ONCE]);
        write(&line, &mut page).expect_err("more than 4096 bytes");
        assert_eq!((page.position(), page.get_ref().as_slice()), (4096, &written(&line)[..4096]));
    }
}
