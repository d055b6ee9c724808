//! What is queued: sender, recipients and header, from what the caller asked for and what it wrote.

use super::address::{self, Address, AddressFault};
use super::command_line::{Body, Notify, Request, Returned};
use super::head::{Field, HeadFault};
use super::id::{Moment, rfc5322};
use std::collections::BTreeSet;

/// What a submission depends on besides its command line and its text: nothing else of the process or the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Real uid of the caller: the kernel says it, and it owns the files.
    pub uid: u32,
    /// What that user is called, if the user database says so in characters that an address can have.
    pub user: Option<String>,
    /// What the machine is called, if that is a host name.
    pub host: Option<String>,
    /// When.
    pub moment: Moment,
    /// By which process.
    pub pid: u32,
}

/// A message but for its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Who gets what cannot be delivered; `None`: nobody.
    pub sender: Option<Address>,
    /// Who gets the message: at least one, no two alike.
    pub recipients: Vec<Address>,
    /// `-B`.
    pub body: Option<Body>,
    /// `-N`.
    pub notify: Option<Notify>,
    /// `-R`.
    pub returned: Option<Returned>,
    /// `-V`.
    pub envelope_id: Option<Vec<u8>>,
    /// The header, with what was missing, but for the two fields that have the id in them: [`Envelope::traced`].
    pub fields: Vec<Field>,
}

impl Envelope {
    /// The whole header of the message with that id. The first field is this program's, and nothing that the caller wrote
    /// is in it: the uid is the kernel's.
    #[must_use]
    pub fn traced(&self, facts: &Facts, id: &str) -> Vec<Field> {
        let by = facts.host.as_ref().map_or_else(String::new, |host| format!("by {host} "));
        let first = format!("{by}(queue-writer, started by uid {})", facts.uid);
        let second = format!("\tid {id}; {}", rfc5322(facts.moment));
        let mut fields = vec![Field { name: b"Received".to_vec(), lines: vec![first.into(), second.into()] }];
        fields.extend_from_slice(&self.fields);
        if let (None, Some(host)) = (self.message_id(), &facts.host) {
            let value = format!("<{id}@{host}>");
            fields.push(Field { name: MESSAGE_ID.into(), lines: vec![value.into()] });
        }
        fields
    }

    /// The id that the message came with.
    #[must_use]
    pub fn message_id(&self) -> Option<Vec<u8>> {
        self.fields.iter().find(|field| field.is(MESSAGE_ID)).map(Field::value)
    }
}

const MESSAGE_ID: &str = "Message-Id";

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageFault {
    /// The header has more than [`super::head::HEAD_MAX`] bytes.
    HeadTooLong,
    /// A line of the header cannot stand in a queue file.
    Head(HeadFault),
    /// A field that names recipients has something else.
    Address {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        fault: AddressFault,
    },
    /// `-t`, and the header names nobody.
    NoRecipient,
    /// More recipients than the policy allows.
    TooMany {
        /// How many that is.
        limit: u64,
    },
    /// Header and body have more bytes than the policy allows.
    TooLarge {
        /// How many that is.
        limit: u64,
    },
}

/// Why a message is not composed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotComposed {
    /// Something in it is wrong.
    Message(MessageFault),
    /// The caller has no name, and gave no sender.
    Nameless {
        /// The caller.
        uid: u32,
    },
}

impl From<HeadFault> for MessageFault {
    fn from(fault: HeadFault) -> Self {
        Self::Head(fault)
    }
}

impl From<MessageFault> for NotComposed {
    fn from(fault: MessageFault) -> Self {
        Self::Message(fault)
    }
}

/// Header fields with recipients: of a message, and of one that is sent again, where these take the place of the others.
const RECIPIENTS: [&str; 3] = ["To", "Cc", "Bcc"];
const RESENT: [&str; 3] = ["Resent-To", "Resent-Cc", "Resent-Bcc"];

/// Makes the envelope, and completes the header.
///
/// # Errors
/// The first fault of the header, or that there is no sender.
pub fn compose(
    request: Request,
    mut fields: Vec<Field>,
    facts: &Facts,
    most_recipients: u64,
) -> Result<Envelope, NotComposed> {
    let mut recipients = request.recipients;
    if request.from_header {
        recipients.extend(of_header(&fields)?);
    }
    let mut seen = BTreeSet::new();
    recipients.retain(|address| seen.insert(address.clone()));
    if recipients.is_empty() {
        return Err(MessageFault::NoRecipient.into());
    }
    if recipients.len() as u64 > most_recipients {
        return Err(MessageFault::TooMany { limit: most_recipients }.into());
    }
    let own = facts.user.as_deref().map(|user| address::sender(user.as_bytes()));
    let sender = match (request.sender, own) {
        (Some(sender), _) => sender,
        (None, Some(Ok(Some(own)))) => Some(own),
        (None, _) => return Err(NotComposed::Nameless { uid: facts.uid }),
    };
    // Who is not to be seen, and what only the last server of all may write: RFC 5321, 4.4.
    fields.retain(|field| !["Bcc", "Resent-Bcc", "Return-Path"].iter().any(|name| field.is(name)));
    complete(&mut fields, sender.as_ref(), request.full_name.as_deref(), facts);
    Ok(Envelope {
        sender,
        recipients,
        body: request.body,
        notify: request.notify,
        returned: request.returned,
        envelope_id: request.envelope_id,
        fields,
    })
}

fn of_header(fields: &[Field]) -> Result<Vec<Address>, MessageFault> {
    let resent = RESENT.iter().any(|name| fields.iter().any(|field| field.is(name)));
    let mut found = Vec::new();
    for name in if resent { RESENT } else { RECIPIENTS } {
        for field in fields.iter().filter(|field| field.is(name)) {
            let addresses = address::list(&field.value());
            found.extend(addresses.map_err(|fault| MessageFault::Address { field: name, fault })?);
        }
    }
    Ok(found)
}

/// Adds what every message has to have and this one has not: RFC 5322, 3.6.
fn complete(fields: &mut Vec<Field>, sender: Option<&Address>, full_name: Option<&[u8]>, facts: &Facts) {
    let mut add = |name: &str, value: Vec<u8>| {
        if !fields.iter().any(|field| field.is(name)) {
            fields.push(Field { name: name.into(), lines: vec![value] });
        }
    };
    add("Date", rfc5322(facts.moment).into());
    let own = facts.user.as_deref().map(str::as_bytes);
    if let Some(from) = sender.map(Address::as_bytes).or(own) {
        add("From", full_name.map_or_else(|| from.to_vec(), |name| [&quoted(name)[..], b" <", from, b">"].concat()));
    }
}

/// A quoted string of RFC 5322, 3.2.4.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    quoted
}

/// A user's name for an address, if it has no other characters than those of POSIX user names (XBD 3.411).
#[must_use]
pub fn is_user_name(name: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty() && !name.starts_with(['-', '.']) && !name.contains("..") && name.bytes().all(sound)
}

/// A host's name for a field, if it is one: RFC 1123, 2.1.
#[must_use]
pub fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 255 && name.split('.').all(label)
}

#[cfg(test)]
mod tests;
