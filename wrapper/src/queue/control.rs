//! The control file of a message: sendmail's, version 8.
//!
//! A line is a record, and its first byte says of what kind. One function writes records, and it writes no byte that would
//! end one.

use super::address::Address;
use super::command_line::{Body, Notify, Returned};
use super::envelope::{Envelope, Facts};
use super::head::Field;

/// What was found while the body was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Bytes of header and body.
    pub bytes: u64,
    /// Whether a byte of them is not ASCII.
    pub eight_bits: bool,
}

impl Summary {
    /// With another piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        self.eight_bits |= !piece.is_ascii();
    }
}

/// Something would have ended a record in its middle. What is checked before lets none come so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

/// How sendmail weighs: a recipient as so many bytes.
const BYTES_OF_A_RECIPIENT: u64 = 30_000;

/// The text of the control file.
///
/// # Errors
/// If a record would not be one line.
pub fn text(envelope: &Envelope, summary: Summary, facts: &Facts, id: &str) -> Result<Vec<u8>, Broken> {
    let mut file = File(Vec::new());
    let priority = summary.bytes.saturating_add(BYTES_OF_A_RECIPIENT.saturating_mul(envelope.recipients.len() as u64));
    file.record(b"V", b"8")?;
    file.record(b"T", facts.moment.as_secs().to_string().as_bytes())?;
    file.record(b"K", b"0")?;
    file.record(b"N", b"0")?;
    file.record(b"P", priority.to_string().as_bytes())?;
    if let Some(body) = envelope.body {
        file.record(b"B", if body == Body::SevenBit { b"7BIT" } else { b"8BITMIME" })?;
    }
    file.record(b"F", &flags(envelope, summary))?;
    let user = facts.user.clone().unwrap_or_else(|| format!("uid{}", facts.uid));
    file.record(b"$_", format!("{user}@localhost").as_bytes())?;
    file.record(b"${daemon_flags}", b"c u")?;
    // Without this record sendmail's runner aborts, and so does not come to the messages after it.
    file.record(b"S", envelope.sender.as_ref().map_or(b"<>", Address::as_bytes))?;
    if let Some(envelope_id) = &envelope.envelope_id {
        file.record(b"Z", envelope_id)?;
    }
    let notify = notified(envelope.notify);
    for recipient in &envelope.recipients {
        file.record(b"rRFC822; ", recipient.as_bytes())?;
        file.record(&[b"RP", notify.as_bytes(), b":"].concat(), recipient.as_bytes())?;
    }
    for field in envelope.traced(facts, id) {
        file.field(&field)?;
    }
    file.record(b".", b"")?;
    Ok(file.0)
}

/// `s`: every recipient is in this one file. `8`: there are eight-bit characters. `d`: what the sender wants back is
/// said, `n`: and that is not the body.
fn flags(envelope: &Envelope, summary: Summary) -> Vec<u8> {
    let mut flags = Vec::new();
    if summary.eight_bits {
        flags.push(b'8');
    }
    match envelope.returned {
        Some(Returned::Full) => flags.push(b'd'),
        Some(Returned::Header) => flags.extend(b"dn"),
        None => {}
    }
    flags.push(b's');
    flags
}

/// `N`: the sender said when to be told. What follows is when; without a word that is failure and delay.
fn notified(notify: Option<Notify>) -> String {
    let (said, Notify { success, failure, delay }) =
        (notify.is_some(), notify.unwrap_or(Notify { success: false, failure: true, delay: true }));
    let flags = [(said, 'N'), (success, 'S'), (failure, 'F'), (delay, 'D')];
    flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag).collect()
}

struct File(Vec<u8>);

impl File {
    /// A field with an empty set of conditions, so that it is always sent.
    fn field(&mut self, field: &Field) -> Result<(), Broken> {
        let (first, others) = field.lines.split_first().ok_or(Broken)?;
        self.record(&[b"H??", field.name.as_slice(), b": "].concat(), first)?;
        for line in others {
            match line.split_first() {
                Some((blank @ (b' ' | b'\t'), rest)) => self.record(&[*blank], rest)?,
                _ => return Err(Broken),
            }
        }
        Ok(())
    }

    fn record(&mut self, kind: &[u8], value: &[u8]) -> Result<(), Broken> {
        if [kind, value].concat().iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
            return Err(Broken);
        }
        self.0.extend_from_slice(kind);
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
        Ok(())
    }
}

#[cfg(test)]
mod tests;
