//! The page of a refusal: whatever the line says, the page around it stays the same and the text comes out of it again.

use crate::Finding;
use crate::tally::Tally;
use std::fmt::Write;
use std::io::Cursor;
use wrapper::refusal::Line;
use wrapper::report::page::{self, AT_ONCE};

pub(super) fn check(data: &[u8], tally: &Tally) -> Result<bool, Finding> {
    let broken = |what: String| Err(Finding { check: "page", what });
    let line = line(&String::from_utf8_lossy(data));
    let (whole, empty) = (page_of(&line), page_of(&Line::default()));
    // The two differ in the text only, so its place is where the longest common end begins.
    let end = b"</p>\n</body></html>\n";
    let (Some(head), Some(rest)) = (empty.strip_suffix(end), whole.strip_suffix(end)) else {
        return broken(format!("the page does not end as one: {}", whole.escape_ascii()));
    };
    if !head.starts_with(b"Status: 403 Forbidden\r\nContent-Type: text/html; charset=us-ascii\r\n\r\n<!DOCTYPE html>") {
        return broken(format!("the page does not begin as a refusal: {}", head.escape_ascii()));
    }
    let Some(escaped) = rest.strip_prefix(head) else {
        return broken(format!("the text changes what is before it: {}", whole.escape_ascii()));
    };
    match unescaped(escaped) {
        Some(text) if text == line.text() => {}
        _ => return broken(format!("{} stands there for {}", escaped.escape_ascii(), line.text().escape_ascii())),
    }
    tally.count("page");
    let mut room = Cursor::new([0; AT_ONCE]);
    let fits = page::write(&line, &mut room).is_ok();
    let written = usize::try_from(room.position()).unwrap_or(0);
    let (found, wanted) = (room.get_ref().get(..written), whole.get(..whole.len().min(AT_ONCE)));
    if fits != (whole.len() <= AT_ONCE) || found != wanted {
        return Err(Finding { check: "cut", what: format!("{written} bytes of {} were written at once", whole.len()) });
    }
    if !fits {
        tally.count("cut");
    }
    Ok(true)
}

fn line(text: &str) -> Line {
    let mut line = Line::default();
    // Writing to a line does not fail.
    let _ = line.write_str(text);
    line
}

fn page_of(line: &Line) -> Vec<u8> {
    let mut page = Vec::new();
    // Nor does writing to a vector.
    let _ = page::write(line, &mut page);
    page
}

/// What a browser shows for a text without tags; `None` if it is anything else.
fn unescaped(mut escaped: &[u8]) -> Option<Vec<u8>> {
    const ENTITIES: [(&[u8], u8); 5] =
        [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&#39;", b'\'')];
    let mut text = Vec::new();
    while let Some((byte, rest)) = escaped.split_first() {
        match byte {
            b'&' => {
                let (entity, byte) = ENTITIES.into_iter().find(|(entity, _)| escaped.starts_with(entity))?;
                text.push(byte);
                escaped = escaped.strip_prefix(entity)?;
            }
            b'<' | b'>' | b'"' | b'\'' => return None,
            b' '..=b'~' => {
                text.push(*byte);
                escaped = rest;
            }
            _ => return None,
        }
    }
    Some(text)
}
