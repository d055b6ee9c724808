//! The header of a message, as its author wrote it.

/// Longest header in bytes. It is held in memory; sendmail's default is 32768.
pub const HEAD_MAX: usize = 65_536;

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name: printable ASCII without colon and question mark.
    pub name: Vec<u8>,
    /// Its lines: the first without the name and the blank after the colon, the others beginning with a blank.
    pub lines: Vec<Vec<u8>>,
}

impl Field {
    /// Whether it has this name, as everywhere in mail without regard to case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Its value, unfolded.
    #[must_use]
    pub fn value(&self) -> Vec<u8> {
        self.lines.concat()
    }
}

/// What is wrong with a line of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadFault {
    /// It has a carriage return or NUL in the middle, which readers take for the end of the line.
    Byte {
        /// Which line, counted from 1.
        line: usize,
    },
    /// The name has a question mark, which a queue file has between flags and name.
    Name {
        /// Which line, counted from 1.
        line: usize,
    },
}

/// A search for the end of a header in a text that grows: no byte is looked at twice, however small the pieces are in which
/// it comes.
///
/// The header ends with an empty line, which is left out, or before the first line that is none of a header.
#[derive(Debug, Default)]
pub struct End {
    /// Where the first line begins that has not been seen whole.
    at: usize,
    /// There is no line feed between there and here.
    searched: usize,
    /// There has been a field.
    fields: bool,
}

impl End {
    /// Where the header ends and the body begins, if the text shows it; `whole`: nothing comes after the text. It begins with
    /// what the text of the last call was.
    pub fn find(&mut self, text: &[u8], whole: bool) -> Option<(usize, usize)> {
        loop {
            let unseen = text.get(self.searched..).unwrap_or_default();
            let feed = unseen.iter().position(|byte| *byte == b'\n').map(|after| self.searched + after);
            if feed.is_none() && !whole {
                self.searched = text.len();
                return None;
            }
            let line = text.get(self.at..feed.unwrap_or(text.len())).unwrap_or_default();
            let next = self.at + line.len() + usize::from(feed.is_some());
            if line.is_empty() {
                return Some((self.at, next));
            }
            let field = name(line).is_some();
            if !(self.at == 0 && is_mbox(line) || self.fields && is_continuation(line) || field) {
                return Some((self.at, self.at));
            }
            self.fields |= field;
            (self.at, self.searched) = (next, next);
        }
    }
}

/// The fields of a header that ends where [`End`] says.
///
/// # Errors
/// The first line that cannot stand in a queue file.
pub fn fields(head: &[u8]) -> Result<Vec<Field>, HeadFault> {
    let mut fields: Vec<Field> = Vec::new();
    for (at, line) in head.split(|byte| *byte == b'\n').enumerate() {
        let number = at + 1;
        if line.iter().any(|byte| matches!(byte, b'\r' | 0)) {
            return Err(HeadFault::Byte { line: number });
        }
        if is_continuation(line) {
            // A line of blanks says nothing, and would end the header for some readers.
            if let Some(field) = fields.last_mut().filter(|_| !line.trim_ascii().is_empty()) {
                field.lines.push(line.to_vec());
            }
        } else if let Some((name, value)) = name(line) {
            if name.contains(&b'?') {
                return Err(HeadFault::Name { line: number });
            }
            fields.push(Field { name: name.to_vec(), lines: vec![value.trim_ascii_start().to_vec()] });
        }
    }
    Ok(fields)
}

/// The line that mail boxes put before each message, and that some programs pass on. It is no part of the message.
fn is_mbox(line: &[u8]) -> bool {
    line.starts_with(b"From ")
}

fn is_continuation(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// Name and value of a line that begins a field. Blanks before the colon are obsolete and left out: RFC 5322, 4.5.
fn name(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    let name = name.trim_ascii_end();
    let sound = !name.is_empty() && name.iter().all(|byte| matches!(byte, b'!'..=b'~'));
    sound.then_some((name, value.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::{End, Field, HeadFault, fields};
    use rstest::rstest;

    #[rstest]
    #[case::empty_line(b"A: b\n\nbody", Some((5, 6)))]
    #[case::not_yet(b"A: b\nC: d", None)]
    #[case::no_header_line(b"A: b\nbody\n", Some((5, 5)))]
    #[case::body_alone(b"hello: there is\nbody\n", Some((16, 16)))]
    #[case::no_header(b"hello world: a\n", Some((0, 0)))]
    #[case::no_body_before_the_empty_line(b"\nbody", Some((0, 1)))]
    #[case::continuation(b"A: b\n\tc\n d\n\n", Some((11, 12)))]
    #[case::continuation_of_nothing(b" A: b\n\n", Some((0, 0)))]
    #[case::mbox(b"From a Thu\nA: b\n\n", Some((16, 17)))]
    #[case::mbox_later(b"A: b\nFrom a Thu\n\n", Some((5, 5)))]
    #[case::eight_bits_in_a_name(b"\xff: b\n\n", Some((0, 0)))]
    fn where_the_header_ends(#[case] text: &[u8], #[case] expected: Option<(usize, usize)>) {
        assert_eq!(End::default().find(text, false), expected);
        // However it comes, it is said as soon as it can be seen, and once.
        let mut end = End::default();
        let cuts = (0..=text.len()).find_map(|cut| end.find(&text[..cut], false));
        assert_eq!(cuts.map(|(end, _)| end), expected.map(|(end, _)| end));
    }

    #[test]
    fn what_has_been_searched_is_not_searched_again() {
        let mut end = End::default();
        assert_eq!(end.find(b"A: b\nC: d", false), None);
        assert_eq!((end.at, end.searched, end.fields), (5, 9, true));
        // Nobody would see what changes there.
        assert_eq!(end.find(b"\n\n\n\n\nC:\ndx\n\n", false), Some((11, 12)));
    }

    #[rstest]
    #[case::nothing(b"", (0, 0))]
    #[case::no_line_feed(b"A: b", (4, 4))]
    #[case::body_without_line_feed(b"A: b\nbody", (5, 5))]
    fn where_the_header_ends_with_the_text(#[case] text: &[u8], #[case] expected: (usize, usize)) {
        assert_eq!(End::default().find(text, true), Some(expected));
    }

    fn field(name: &str, lines: &[&[u8]]) -> Field {
        Field { name: name.into(), lines: lines.iter().map(|line| line.to_vec()).collect() }
    }

    #[test]
    fn fields_keep_their_lines() {
        let text = b"From a Thu\nSubject:  a\n\tb\n \t \n  c: \xff\nX-Y :\nDup: 1\nDup: 2\n";
        let expected = vec![
            field("Subject", &[b"a", b"\tb", b"  c: \xff"]),
            field("X-Y", &[b""]),
            field("Dup", &[b"1"]),
            field("Dup", &[b"2"]),
        ];
        assert_eq!(fields(text), Ok(expected));
    }

    /// Q10.
    #[rstest]
    #[case::carriage_return(b"A: b\nB: c\rd\n", HeadFault::Byte { line: 2 })]
    #[case::nul(b"A: b\0\n", HeadFault::Byte { line: 1 })]
    #[case::nul_in_a_continuation(b"A: b\n \0\n", HeadFault::Byte { line: 2 })]
    #[case::question_mark(b"A?B: c\n", HeadFault::Name { line: 1 })]
    fn what_cannot_stand_in_a_queue_file(#[case] text: &[u8], #[case] fault: HeadFault) {
        assert_eq!(fields(text), Err(fault));
    }
}
