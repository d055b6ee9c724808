//! One SMTP session with this machine's mail server.

use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::commands::{Data, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension};
use std::error::Error as _;
use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;
use wrapper::queue::address::Address;

/// How long the server may take for one answer: RFC 5321, 4.5.3.2.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long it may take to the answer that it has the message: 4.5.3.2.6 there. Whoever leaves before sends it again.
const PATIENCE_AT_THE_END: Duration = Duration::from_secs(600);
/// How many bytes of a message are made ready to be sent at once.
const PIECE: usize = 64 * 1024;

/// What has become of a message for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The server has it, and answers for it from now on.
    Delivered,
    /// Not now; why, in the server's words.
    Deferred(String),
    /// Never; why, in the server's words.
    Failed(String),
}

/// The server at an address.
pub(crate) struct Smtp {
    address: SocketAddr,
    domain: String,
    session: Option<SmtpConnection>,
}

impl Smtp {
    /// Of that address, for a machine that is called that, which an address without a domain is completed with.
    pub(crate) fn new(address: SocketAddr, domain: String) -> Self {
        Self { address, domain, session: None }
    }

    fn session(&mut self) -> Result<&mut SmtpConnection, Fate> {
        self.session.as_mut().ok_or_else(|| Fate::Deferred("the session with the server has ended".into()))
    }

    /// Sees to it that the server can be spoken to; a session that has broken is begun anew.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) fn reach(&mut self) -> Result<(), String> {
        if self.session.is_none() {
            let hello = ClientId::Domain(self.domain.clone());
            let session = SmtpConnection::connect(self.address, Some(PATIENCE), &hello, None, None);
            self.session = Some(session.map_err(|error| words(&error))?);
        }
        Ok(())
    }

    /// Offers a message; says for each recipient, in their order, what has become of it.
    pub(crate) fn deliver(&mut self, sender: Option<&Address>, recipients: &[&Address], text: &[u8]) -> Vec<Fate> {
        let mut fates = match self.envelope(sender, recipients, text) {
            Ok(fates) => fates,
            Err(fate) => vec![fate; recipients.len()],
        };
        let taken = fates.contains(&Fate::Delivered);
        let outcome = if taken { self.content(text) } else { Ok(()) };
        if let Err(fate) = outcome {
            // Whoever was refused before was so by name, and stays so.
            fates.iter_mut().filter(|it| **it == Fate::Delivered).for_each(|it| *it = fate.clone());
        }
        if !fates.contains(&Fate::Delivered) {
            // The next message begins at the beginning.
            let _ = self.say(Rset);
        }
        fates
    }

    /// Says it; a server whose answer is none is not spoken to again.
    fn say(&mut self, command: impl Display) -> Result<(), Fate> {
        let answer = self.session()?.command(command);
        self.heard(answer.map(drop))
    }

    fn heard(&mut self, answer: Result<(), Error>) -> Result<(), Fate> {
        answer.map_err(|error| {
            let why = words(&error);
            if error.is_permanent() {
                return Fate::Failed(why);
            }
            // 421: the server ends the session. No code at all: the line, or the server's mind, is lost.
            if error.status().is_none_or(|code| code.to_string() == "421") {
                self.session = None;
            }
            Fate::Deferred(why)
        })
    }

    /// The message up to the point where the server says of each recipient whether it takes one for them.
    fn envelope(&mut self, sender: Option<&Address>, recipients: &[&Address], text: &[u8]) -> Result<Vec<Fate>, Fate> {
        let eight = self.session.as_ref().is_some_and(|it| it.server_info().supports_feature(Extension::EightBitMime));
        // A server without takes eight bits as well today; to change the body is not a relay's business.
        let body = if eight && !text.is_ascii() { " BODY=8BITMIME" } else { "" };
        let sender = sender.map_or_else(String::new, |sender| self.completed(sender));
        self.say(format_args!("MAIL FROM:<{sender}>{body}\r\n"))?;
        let mut fates = Vec::with_capacity(recipients.len());
        for recipient in recipients {
            let recipient = self.completed(recipient);
            fates.push(self.say(format_args!("RCPT TO:<{recipient}>\r\n")).err().unwrap_or(Fate::Delivered));
        }
        Ok(fates)
    }

    fn content(&mut self, text: &[u8]) -> Result<(), Fate> {
        self.say(Data)?;
        let session = self.session()?;
        // What the socket refuses here it refuses to send, too.
        let _ = session.set_timeout(Some(PATIENCE_AT_THE_END));
        let answer = session.message_iter(pieces(text));
        let _ = session.set_timeout(Some(PATIENCE));
        self.heard(answer.map(drop))
    }

    /// With a domain: RFC 5321, 2.3.5, wants one. An address has printable ASCII only.
    fn completed(&self, address: &Address) -> String {
        let text = String::from_utf8_lossy(address.as_bytes());
        match text.rsplit_once('@') {
            Some((_, domain)) if !domain.contains('"') => text.into_owned(),
            _ => format!("{text}@{}", self.domain),
        }
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        // A server that does not hear it finds out all the same.
        let _ = self.session.take().map(|mut session| session.quit());
    }
}

/// Lines with carriage return and line feed, without the last one, which the end of the message brings: in pieces, so that
/// a message is in memory once.
fn pieces(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    text.strip_suffix(b"\n").unwrap_or(text).chunks(PIECE).map(|chunk| {
        let mut piece = Vec::with_capacity(chunk.len() + chunk.len() / 32);
        for (at, line) in chunk.split(|byte| *byte == b'\n').enumerate() {
            if at > 0 {
                piece.extend_from_slice(b"\r\n");
            }
            piece.extend_from_slice(line);
        }
        piece
    })
}

/// The code and the text of an answer, or what happened to the line.
fn words(error: &Error) -> String {
    match (error.status(), error.source()) {
        (Some(code), Some(text)) => format!("{code} {text}"),
        (Some(code), None) => code.to_string(),
        (None, Some(cause)) => cause.to_string(),
        (None, None) => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
