//! The cleaned text, as patterns see it: words without blanks and quotes between them, and beside each byte a note of what
//! stood in front of it.
//!
//! A message may be folded at any blank, wrapped in the middle of a word, indented, quoted or emphasised on its way into a
//! paste. So blanks and quotes are no bytes here: the pieces of a wording are compared as if there were none, and only
//! where a hole ends does it matter what was in between. Memory is bounded, because what was searched is given up.

/// What stood in front of a byte. A set.
pub(super) mod gap {
    /// A blank.
    pub(in crate::incident) const BLANK: u8 = 1;
    /// The end of a line, with nothing else: a terminal's wrap, perhaps within a word.
    pub(in crate::incident) const LINE: u8 = 2;
    /// The end of a record: what comes does not continue what was.
    pub(in crate::incident) const RECORD: u8 = 4;
    /// A quote.
    pub(in crate::incident) const QUOTE: u8 = 8;
    /// A blank behind an opening quote.
    pub(in crate::incident) const INNER: u8 = 16;
    /// The blanks of this record are qmail's, which may have been underscores.
    pub(in crate::incident) const QMAIL: u8 = 32;
    /// The end of a paragraph. A sentence may go on behind it where every line was set apart, a value does not.
    pub(in crate::incident) const PARAGRAPH: u8 = 64;
    /// The quote is a single one.
    pub(in crate::incident) const SINGLE: u8 = 128;
}

/// A record: a line of a log with what continues it, or a paragraph of other text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// Where it begins, in this window.
    start: usize,
    /// Servers that gave themselves away in it, by the bits of their index.
    pub(super) servers: u16,
}

/// A window of the cleaned text.
#[derive(Debug, Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    gaps: Vec<u8>,
    /// Where lines of the input begin, with their numbers.
    lines: Vec<(usize, u64)>,
    records: Vec<Record>,
    /// What stands in front of the next byte.
    pending: u8,
    line: u64,
    /// How much was given up.
    before: u64,
}

impl Text {
    /// Notes something that is no byte.
    pub(super) fn note(&mut self, what: u8) {
        let inner = what & gap::BLANK != 0 && self.pending & gap::QUOTE != 0;
        self.pending |= what | if inner { gap::INNER } else { 0 };
    }

    /// Adds a byte.
    pub(super) fn push(&mut self, byte: u8) {
        if self.records.is_empty() {
            self.open();
        }
        if self.lines.last().is_none_or(|&(_, number)| number != self.line) {
            self.lines.push((self.bytes.len(), self.line));
        }
        self.bytes.push(byte);
        self.gaps.push(self.pending);
        self.pending &= gap::QMAIL;
    }

    /// Ends the record; what comes does not continue it.
    pub(super) fn begin_record(&mut self) {
        self.pending = gap::RECORD;
        self.open();
    }

    /// Ends the paragraph: another record, but a sentence may go on.
    pub(super) fn begin_paragraph(&mut self) {
        self.note(gap::BLANK | gap::PARAGRAPH);
        self.open();
    }

    /// Adds servers to the record that is open.
    pub(super) fn belongs_to(&mut self, servers: u16) {
        if self.records.is_empty() {
            self.open();
        }
        if let Some(record) = self.records.last_mut() {
            record.servers |= servers;
        }
    }

    fn open(&mut self) {
        let start = self.bytes.len();
        // Where nothing came since the last one was opened, it is the same one.
        if self.records.last().is_none_or(|last| last.start != start) {
            self.records.push(Record { start, servers: 0 });
        }
    }

    /// The blanks to come are, or are not, qmail's.
    pub(super) fn qmail(&mut self, on: bool) {
        self.pending = if on { self.pending | gap::QMAIL } else { self.pending & !gap::QMAIL };
    }

    /// A line of the input begins.
    pub(super) fn begin_line(&mut self) {
        self.line += 1;
    }

    /// How many lines of the input have begun.
    pub(super) fn lines_begun(&self) -> u64 {
        self.line
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What stood in front of the byte at `at`.
    pub(super) fn gap(&self, at: usize) -> u8 {
        self.gaps.get(at).copied().unwrap_or(gap::RECORD)
    }

    /// Position of the byte at `at` in the whole text.
    pub(super) fn absolute(&self, at: usize) -> u64 {
        self.before + at as u64
    }

    /// Number of the input's line that the byte at `at` is from.
    pub(super) fn line_of(&self, at: usize) -> u64 {
        let after = self.lines.partition_point(|&(start, _)| start <= at);
        after.checked_sub(1).and_then(|index| self.lines.get(index)).map_or(1, |&(_, number)| number)
    }

    /// The record of the byte at `at`.
    pub(super) fn record_of(&mut self, at: usize) -> Option<&mut Record> {
        let after = self.records.partition_point(|record| record.start <= at);
        after.checked_sub(1).and_then(|index| self.records.get_mut(index))
    }

    /// A part as people read it. `quotes`: with the places where quotes stood.
    pub(super) fn shown(&self, from: usize, to: usize, quotes: bool) -> String {
        let mut bytes = Vec::with_capacity(to.saturating_sub(from));
        for at in from..to.min(self.bytes.len()) {
            let gap = self.gap(at);
            let quote = quotes && gap & gap::QUOTE != 0;
            let mark = if gap & gap::SINGLE == 0 { b'"' } else { b'\'' };
            if quote && gap & gap::INNER != 0 {
                bytes.push(mark);
            }
            if at > from && gap & (gap::BLANK | gap::LINE) != 0 {
                bytes.push(b' ');
            }
            if quote && gap & gap::INNER == 0 {
                bytes.push(mark);
            }
            bytes.push(self.bytes[at]);
        }
        let text = String::from_utf8_lossy(&bytes);
        text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
    }

    /// Gives up what stands before `at`. What is open there stays open.
    pub(super) fn forget(&mut self, at: usize) {
        let at = at.min(self.bytes.len());
        self.bytes.drain(..at);
        self.gaps.drain(..at);
        self.before += at as u64;
        let open = self.records.partition_point(|record| record.start <= at).saturating_sub(1);
        self.records.drain(..open);
        for record in &mut self.records {
            record.start = record.start.saturating_sub(at);
        }
        let open = self.lines.partition_point(|&(start, _)| start <= at).saturating_sub(1);
        self.lines.drain(..open);
        for (start, _) in &mut self.lines {
            *start = start.saturating_sub(at);
        }
    }
}
