//! Reads a control file, sendmail's of version 8, and writes it anew for the recipients who still wait.
//!
//! Nothing of it is believed: who may write into the queue may write anything. A reader that died of one file would stay on
//! it, run after run, and come to no other (Q19), so each fault is a value.

use std::collections::BTreeSet;
use std::fmt;
use wrapper::queue::address::{self, Address, AddressFault};

/// Longest control file that is read, in bytes: a thousand recipients and the longest header come to less than one MiB.
pub(crate) const CONTROL_MAX: u64 = 16 << 20;

/// A message's envelope and header, and how often it was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Control {
    records: Vec<Record>,
    /// When it was queued, in seconds since 1970; nothing says so in a file without.
    pub(crate) created: Option<u64>,
    /// When it was last tried, in seconds since 1970; 0: never.
    pub(crate) tried: u64,
    /// How often it was.
    pub(crate) attempts: u64,
    /// Who is told what could not be delivered; `None`: nobody.
    pub(crate) sender: Option<Address>,
    /// Who waits for it: at least one.
    pub(crate) recipients: Vec<Recipient>,
}

/// One who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recipient {
    /// Who.
    pub(crate) address: Address,
    /// Whether the sender wants to be told if it fails: RFC 3461, 4.1.
    pub(crate) tell_failure: bool,
}

/// A line that begins something, with those that continue it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    kind: u8,
    text: Vec<u8>,
    /// Of which recipient it speaks.
    of: Option<usize>,
}

/// What is wrong with a control file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ControlFault {
    /// It does not begin with the version 8.
    Version,
    /// A line of no kind that a message has.
    Unknown {
        /// Which line, from 1.
        line: usize,
        /// Its first byte; `None`: it is empty.
        kind: Option<u8>,
    },
    /// What is there once at most is there twice.
    Twice {
        /// Its first byte.
        kind: u8,
    },
    /// A number is none.
    Number {
        /// The first byte of its line.
        kind: u8,
    },
    /// An address that cannot be one.
    Address {
        /// The first byte of its line.
        kind: u8,
        /// What is wrong with it.
        fault: AddressFault,
    },
    /// A line of the header is no field, or only begins one: what it is sent as would end the header, or be part of another.
    Field {
        /// Which line, from 1.
        line: usize,
    },
    /// There is no sender, not even the null sender.
    NoSender,
    /// There is no recipient.
    NoRecipient,
    /// Its last line, a dot, is missing: it was not written to its end.
    Unfinished,
    /// Something stands after its last line.
    AfterEnd,
    /// It was set aside before, by sendmail, for a reason that stands in it.
    Quarantined,
    /// Its body is in another directory.
    Elsewhere,
}

impl fmt::Display for ControlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |kind: &u8| char::from(*kind).escape_default().to_string();
        match self {
            Self::Version => f.write_str("its first line is not V8"),
            Self::Unknown { line, kind: None } => write!(f, "line {line} is empty"),
            Self::Unknown { line, kind: Some(kind) } => {
                write!(f, "line {line} begins with {}, which no line of a message does", letter(kind))
            }
            Self::Twice { kind } => write!(f, "there are two lines {}", letter(kind)),
            Self::Number { kind } => write!(f, "what follows {} is no number", letter(kind)),
            Self::Address { kind, fault } => {
                let fault = match fault {
                    AddressFault::Empty => "is empty",
                    AddressFault::TooLong => "has more than 255 bytes",
                    AddressFault::Byte => "has a byte that is not printable ASCII",
                    AddressFault::Unbalanced => "has a quote or bracket without its other",
                    AddressFault::Blank => "is more addresses than one, or has a blank outside of quotes",
                    AddressFault::NotMail => "is a program or a file",
                };
                write!(f, "the address after {} {fault}", letter(kind))
            }
            Self::Field { line } => write!(f, "line {line} is no header field"),
            Self::NoSender => f.write_str("it has no sender, line S"),
            Self::NoRecipient => f.write_str("it has no recipient, line R"),
            Self::Unfinished => f.write_str("its last line, a dot, is missing"),
            Self::AfterEnd => f.write_str("something stands after its last line"),
            Self::Quarantined => f.write_str("it was quarantined, line q"),
            Self::Elsewhere => f.write_str("its body is in another directory, line d"),
        }
    }
}

impl Control {
    /// Reads it.
    ///
    /// # Errors
    /// The first fault.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, ControlFault> {
        let mut lines = text.split(|byte| *byte == b'\n').enumerate();
        if lines.next().is_none_or(|(_, first)| first != b"V8") {
            return Err(ControlFault::Version);
        }
        let mut parts = Parts::default();
        loop {
            let (at, line) = lines.next().ok_or(ControlFault::Unfinished)?;
            match line.split_first() {
                Some((b'.', b"")) => break,
                Some((kind, text)) => parts.take(at + 1, *kind, text)?,
                // What a file ends with that was cut off after a line.
                None if lines.next().is_none() => return Err(ControlFault::Unfinished),
                None => return Err(ControlFault::Unknown { line: at + 1, kind: None }),
            }
        }
        // After the last line feed there is nothing.
        if lines.next().is_some_and(|(_, rest)| !rest.is_empty()) || lines.next().is_some() {
            return Err(ControlFault::AfterEnd);
        }
        parts.whole()
    }

    /// The header as it is sent, each line with a line feed: without the fields that only other mailers want.
    ///
    /// `H?flags?` makes a field depend on what the mailer that sends it is like: op.txt of sendmail, 5.1. This one wants what
    /// sendmail's relay wants: Date, From and Message-Id. Bcc is in the file as it was written: sendmail, too, takes it out
    /// only here.
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut header = Vec::new();
        for record in self.records.iter().filter(|record| record.kind == b'H') {
            let (flags, field) = conditions(&record.text);
            let wanted = flags.is_empty() || flags.iter().any(|flag| b"DFM".contains(flag));
            if wanted && !is_blind(field) {
                header.extend_from_slice(field);
                header.push(b'\n');
            }
        }
        header
    }

    /// The file anew, for those of its recipients and after another attempt, with what the queue's reader is told of it.
    pub(crate) fn for_later(&self, waiting: &[usize], now: u64, why: &str) -> Vec<u8> {
        let why: String = why.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect();
        let mut text = format!("V8\nK{now}\nN{}\nM{why}\n", self.attempts.saturating_add(1)).into_bytes();
        let waiting: BTreeSet<usize> = waiting.iter().copied().collect();
        for record in &self.records {
            if matches!(record.kind, b'K' | b'N' | b'M') || record.of.is_some_and(|of| !waiting.contains(&of)) {
                continue;
            }
            text.push(record.kind);
            text.extend_from_slice(&record.text);
            text.push(b'\n');
        }
        text.extend_from_slice(b".\n");
        text
    }
}

/// A file as far as it has been read.
#[derive(Default)]
struct Parts {
    records: Vec<Record>,
    created: Option<u64>,
    tried: Option<u64>,
    attempts: Option<u64>,
    sender: Option<Option<Address>>,
    recipients: Vec<Recipient>,
}

impl Parts {
    fn take(&mut self, line: usize, kind: u8, text: &[u8]) -> Result<(), ControlFault> {
        let unknown = ControlFault::Unknown { line, kind: Some(kind) };
        let mut of = None;
        match kind {
            b' ' | b'\t' => {
                // Only a field has further lines.
                let field = self.records.last_mut().filter(|record| record.kind == b'H').ok_or(unknown)?;
                field.text.extend([b'\n', kind]);
                field.text.extend_from_slice(text);
                return Ok(());
            }
            b'T' => once(&mut self.created, kind, number(kind, text)?)?,
            b'K' => once(&mut self.tried, kind, number(kind, text)?)?,
            b'N' => once(&mut self.attempts, kind, number(kind, text)?)?,
            b'S' => once(&mut self.sender, kind, one(kind, text)?)?,
            // They speak of the next recipient.
            b'Q' | b'r' => of = Some(self.recipients.len()),
            b'R' => {
                of = Some(self.recipients.len());
                self.recipients.push(recipient(text)?);
            }
            b'q' => return Err(ControlFault::Quarantined),
            b'd' => return Err(ControlFault::Elsewhere),
            b'H' if !is_field(conditions(text).1) => return Err(ControlFault::Field { line }),
            b'H' | b'P' | b'I' | b'B' | b'M' | b'F' | b'$' | b'Z' | b'A' | b'!' | b'C' => {}
            _ => return Err(unknown),
        }
        self.records.push(Record { kind, text: text.to_vec(), of });
        Ok(())
    }

    fn whole(self) -> Result<Control, ControlFault> {
        let sender = self.sender.ok_or(ControlFault::NoSender)?;
        if self.recipients.is_empty() {
            return Err(ControlFault::NoRecipient);
        }
        Ok(Control {
            records: self.records,
            created: self.created,
            tried: self.tried.unwrap_or(0),
            attempts: self.attempts.unwrap_or(0),
            sender,
            recipients: self.recipients,
        })
    }
}

/// The conditions of a field, none where it has none, and the field.
fn conditions(text: &[u8]) -> (&[u8], &[u8]) {
    let Some(rest) = text.strip_prefix(b"?") else { return (b"", text) };
    let mut parts = rest.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// Whether it begins with a name and a colon: RFC 5322, 2.2, and 4.5 for the blanks between them.
fn is_field(field: &[u8]) -> bool {
    let colon = field.iter().position(|byte| *byte == b':');
    let name = colon.and_then(|colon| field.get(..colon)).unwrap_or_default().trim_ascii_end();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// Whether the field says who is not to be seen.
fn is_blind(field: &[u8]) -> bool {
    let name = field.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
    [&b"Bcc"[..], b"Resent-Bcc"].iter().any(|blind| name.eq_ignore_ascii_case(blind))
}

fn once<T>(place: &mut Option<T>, kind: u8, value: T) -> Result<(), ControlFault> {
    if place.replace(value).is_some() { Err(ControlFault::Twice { kind }) } else { Ok(()) }
}

fn number(kind: u8, text: &[u8]) -> Result<u64, ControlFault> {
    let digits = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or(ControlFault::Number { kind })
}

fn one(kind: u8, text: &[u8]) -> Result<Option<Address>, ControlFault> {
    address::sender(text).map_err(|fault| ControlFault::Address { kind, fault })
}

/// `flags:address`. With `N` the sender has said when to be told, and of a failure only with `F`.
fn recipient(text: &[u8]) -> Result<Recipient, ControlFault> {
    let empty = ControlFault::Address { kind: b'R', fault: AddressFault::Empty };
    let colon = text.iter().position(|byte| *byte == b':').ok_or(empty)?;
    let (flags, address) = text.split_at(colon);
    let address = one(b'R', address.get(1..).unwrap_or_default())?.ok_or(empty)?;
    Ok(Recipient { address, tell_failure: !flags.contains(&b'N') || flags.contains(&b'F') })
}

#[cfg(test)]
mod tests;
