//! Any bytes, made comparable: one pass, a few kilobytes of memory whatever the input is.

mod envelope;
mod markup;

use super::text::{Text, gap};

/// Longest part of a line that is cleaned at once. A longer line is taken in parts, cut at a blank where there is one.
const PART: usize = 8 << 10;

/// Turns bytes into cleaned text.
#[derive(Debug, Default)]
pub(super) struct Cleaner {
    /// A line, or the part of one, that is not complete.
    line: Vec<u8>,
    /// Whether `line` goes on where a part was cleaned.
    within: bool,
    /// Scratch: the line as plain text.
    plain: Vec<u8>,
    /// Who the last line with an envelope was from.
    sender: Vec<u8>,
    /// Whether the record is qmail's, whose blanks are underscores and whose line feeds are slashes.
    qmail: bool,
    squeeze: Squeeze,
}

impl Cleaner {
    /// Takes more of the input. `front` is called with the envelope of each line that has one, before its message.
    pub(super) fn push(&mut self, bytes: &[u8], text: &mut Text, front: &mut dyn FnMut(&[u8], &mut Text)) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let mut part = part;
            while self.line.len() + part.len() > PART {
                let (fits, rest) = part.split_at(PART.saturating_sub(self.line.len()).min(part.len()));
                self.line.extend_from_slice(fits);
                part = rest;
                let cut = self.line.iter().rposition(u8::is_ascii_whitespace).unwrap_or(self.line.len() - 1) + 1;
                let kept = self.line.split_off(cut);
                self.clean(text, front);
                self.line = kept;
                self.within = true;
            }
            self.line.extend_from_slice(part);
            if self.line.ends_with(b"\n") {
                self.clean(text, front);
                self.line.clear();
                self.within = false;
            }
        }
    }

    /// Takes the end of the input.
    pub(super) fn finish(&mut self, text: &mut Text, front: &mut dyn FnMut(&[u8], &mut Text)) {
        // Behind the last line feed no line begins.
        if !self.line.is_empty() {
            self.clean(text, front);
            self.line.clear();
        }
    }

    fn clean(&mut self, text: &mut Text, front: &mut dyn FnMut(&[u8], &mut Text)) {
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        markup::plain(self.line.strip_suffix(b"\n").unwrap_or(&self.line), &mut plain);
        if !self.within {
            text.begin_line();
        }
        for (number, line) in plain.split(|&byte| byte == b'\n').enumerate() {
            let start = if number > 0 || !self.within { self.begin(line, text, front) } else { 0 };
            self.squeeze.line(&line[start..], self.qmail, text);
        }
        self.plain = plain;
    }

    /// Reads the front of a line. Gives where its message begins.
    fn begin(&mut self, line: &[u8], text: &mut Text, front: &mut dyn FnMut(&[u8], &mut Text)) -> usize {
        text.note(gap::LINE);
        self.squeeze = Squeeze::default();
        if line.iter().all(u8::is_ascii_whitespace) {
            text.begin_paragraph();
            return 0;
        }
        let found = envelope::front(line);
        let (envelope, continues) = (&line[..found.message], found.sender.is_none());
        if let Some(sender) = found.sender {
            if self.sender != line[sender.clone()] {
                text.begin_record();
                self.sender = line[sender].to_owned();
            }
            // A log never wraps a word.
            text.note(gap::BLANK);
            front(envelope, text);
        } else if line.starts_with(b" ") || line.starts_with(b"\t") {
            text.note(gap::BLANK);
        }
        self.recognise_qmail(line, continues, text, front);
        found.message
    }

    /// qmail's deliveries begin with their number and what became of them; the next line with a stamp ends them.
    fn recognise_qmail(
        &mut self,
        line: &[u8],
        continues: bool,
        text: &mut Text,
        front: &mut dyn FnMut(&[u8], &mut Text),
    ) {
        let fate = find(line, b"delivery ").and_then(|at| {
            let rest = &line[at + b"delivery ".len()..];
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let fates: [&[u8]; 3] = [b": deferral:", b": failure:", b": success:"];
            fates.into_iter().find(|fate| digits > 0 && rest[digits..].starts_with(fate))
        });
        self.qmail = fate.is_some() || (self.qmail && continues && !line.starts_with(b"@4"));
        text.qmail(self.qmail);
        if let Some(fate) = fate {
            text.begin_record();
            text.qmail(true);
            front(fate, text);
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// Takes blanks and quotes out of a line, and makes one of each row of hyphens that begins a word.
#[derive(Debug, Default)]
pub(super) struct Squeeze {
    /// The last character was a hyphen at the beginning of a word.
    hyphens: bool,
    /// The last character was part of a word.
    word: bool,
}

impl Squeeze {
    /// Adds a line, or a part of one, to the text.
    pub(super) fn line(&mut self, line: &[u8], qmail: bool, text: &mut Text) {
        for &byte in line {
            let byte = if qmail && matches!(byte, b'_' | b'/') { b' ' } else { byte };
            match byte {
                0..=b' ' | 0x7f => {
                    text.note(gap::BLANK);
                    (self.hyphens, self.word) = (false, false);
                }
                b'"' | b'\'' | b'`' => {
                    text.note(if byte == b'"' { gap::QUOTE } else { gap::QUOTE | gap::SINGLE });
                    (self.hyphens, self.word) = (false, false);
                }
                // Emphasis and escapes.
                b'*' | b'\\' => {}
                b'-' if self.hyphens => {}
                byte => {
                    text.push(byte);
                    self.hyphens = byte == b'-' && !self.word;
                    self.word = byte != b'-' || !self.hyphens;
                }
            }
        }
    }
}

/// A piece of a wording, or of a line, as [`Text`] holds it.
pub(super) fn squeezed(piece: &[u8]) -> Vec<u8> {
    let mut text = Text::default();
    Squeeze::default().line(piece, false, &mut text);
    text.bytes().to_vec()
}

#[cfg(test)]
mod tests;
