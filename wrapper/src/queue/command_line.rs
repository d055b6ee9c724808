//! The command line, as users of /usr/sbin/sendmail type it.
//!
//! No option names a file, a directory or a configuration, and the name by which the program was called chooses nothing.

use super::address::{self, Address, AddressFault};
use std::ffi::CStr;

/// What the caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `-t`: recipients come from the header, too.
    pub from_header: bool,
    /// `-i`: a line of one dot is text.
    pub ignore_dots: bool,
    /// `-f`: `Some(None)` is the null sender; `None`: the caller.
    pub sender: Option<Option<Address>>,
    /// `-F`: the caller's full name.
    pub full_name: Option<Vec<u8>>,
    /// `-B`.
    pub body: Option<Body>,
    /// `-N`.
    pub notify: Option<Notify>,
    /// `-R`.
    pub returned: Option<Returned>,
    /// `-V`: xtext of RFC 3461.
    pub envelope_id: Option<Vec<u8>>,
    /// Those of the arguments, in their order.
    pub recipients: Vec<Address>,
}

/// What the body is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// `7BIT`.
    SevenBit,
    /// `8BITMIME`.
    EightBitMime,
}

/// When the sender wants to hear of a message: RFC 3461. Nothing set: never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notify {
    /// When it is delivered.
    pub success: bool,
    /// When it cannot be.
    pub failure: bool,
    /// When that takes long.
    pub delay: bool,
}

/// What of the message the sender wants back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// All of it.
    Full,
    /// Its header.
    Header,
}

/// What is wrong with a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageFault {
    /// An option that this program does not have: one or two characters.
    Unknown([u8; 2]),
    /// An option that is another program's.
    Elsewhere {
        /// The option.
        option: &'static str,
        /// Who has it.
        program: &'static str,
    },
    /// The value of an option is missing.
    NoValue(u8),
    /// The value of an option is none of its values.
    Value {
        /// The option.
        option: u8,
        /// What would be one.
        rule: &'static str,
    },
    /// An option after a recipient, which would be taken for another recipient.
    Late,
    /// Neither recipients nor `-t`.
    NoRecipient,
    /// A sender or recipient, counted from 1, is no address.
    Address {
        /// Whether it is the sender.
        sender: bool,
        /// Which argument of its kind.
        number: usize,
        /// What is wrong.
        fault: AddressFault,
    },
    /// More recipients than the policy allows.
    TooMany,
}

/// Longest envelope id: RFC 3461, 4.4.
const ENVELOPE_ID_MAX: usize = 100;

/// Longest full name in bytes: with what is added the field has less than the 998 of a line.
const FULL_NAME_MAX: usize = 400;

/// Reads a command line.
///
/// # Errors
/// The first fault.
pub fn parse<'a>(argv: impl Iterator<Item = &'a CStr>, most_recipients: u64) -> Result<Request, UsageFault> {
    let mut request = Request {
        from_header: false,
        ignore_dots: false,
        sender: None,
        full_name: None,
        body: None,
        notify: None,
        returned: None,
        envelope_id: None,
        recipients: Vec::new(),
    };
    let mut arguments = argv.skip(1).map(CStr::to_bytes);
    let (mut options, mut number) = (true, 0);
    while let Some(argument) = arguments.next() {
        match argument {
            b"--" if options => options = false,
            [b'-', letters @ ..] if options => {
                if number > 0 {
                    return Err(UsageFault::Late);
                }
                request.options(letters, &mut arguments)?;
            }
            recipient => {
                number += 1;
                request.recipient(recipient, number, most_recipients)?;
            }
        }
    }
    if number == 0 && !request.from_header {
        return Err(UsageFault::NoRecipient);
    }
    Ok(request)
}

impl Request {
    fn recipient(&mut self, argument: &[u8], number: usize, most: u64) -> Result<(), UsageFault> {
        let fault = |fault| UsageFault::Address { sender: false, number, fault };
        let found = address::list(argument).map_err(fault)?;
        if found.is_empty() {
            return Err(fault(AddressFault::Empty));
        }
        self.recipients.extend(found);
        if self.recipients.len() as u64 > most { Err(UsageFault::TooMany) } else { Ok(()) }
    }

    /// One argument with options: as getopt(3) reads it, several letters, of which the last may have a value.
    fn options<'a>(
        &mut self,
        mut letters: &'a [u8],
        arguments: &mut impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), UsageFault> {
        if letters.is_empty() {
            return Err(UsageFault::Unknown([b' '; 2]));
        }
        while let Some((letter, rest)) = letters.split_first() {
            letters = rest;
            match letter {
                b't' => self.from_header = true,
                b'i' => self.ignore_dots = true,
                // Verbose, and "me too", which has been the rule for decades.
                b'v' | b'm' => {}
                b'q' => return elsewhere("-q", "the queue is run by its runner, as sendmail -Ac -q"),
                b'A' | b'B' | b'F' | b'L' | b'N' | b'R' | b'V' | b'b' | b'f' | b'o' | b'r' => {
                    let value = if rest.is_empty() { arguments.next() } else { Some(rest) };
                    return self.option(*letter, value.ok_or(UsageFault::NoValue(*letter))?);
                }
                other => return Err(UsageFault::Unknown([*other, b' '])),
            }
        }
        Ok(())
    }

    fn option(&mut self, letter: u8, value: &[u8]) -> Result<(), UsageFault> {
        let wants = |rule| UsageFault::Value { option: letter, rule };
        match letter {
            b'A' => mode(letter, value, b"c")?,
            b'B' => {
                self.body = Some(match value {
                    _ if value.eq_ignore_ascii_case(b"7BIT") => Body::SevenBit,
                    _ if value.eq_ignore_ascii_case(b"8BITMIME") => Body::EightBitMime,
                    _ => return Err(wants("7BIT or 8BITMIME")),
                });
            }
            b'F' => {
                let sound =
                    value.len() <= FULL_NAME_MAX && value.iter().all(|byte| matches!(byte, b' '..=b'~' | 0x80..));
                self.full_name =
                    Some(sound.then(|| value.to_vec()).ok_or(wants("at most 400 bytes without control characters"))?);
            }
            // A label for the log, whose lines are told apart by the id of the message.
            b'L' => {}
            b'N' => self.notify = Some(notify(value).ok_or(wants("never, or success, failure, delay with commas"))?),
            b'R' => {
                self.returned = Some(match value {
                    _ if value.eq_ignore_ascii_case(b"full") => Returned::Full,
                    _ if value.eq_ignore_ascii_case(b"hdrs") => Returned::Header,
                    _ => return Err(wants("full or hdrs")),
                });
            }
            b'V' => {
                let sound = (1..=ENVELOPE_ID_MAX).contains(&value.len()) && is_xtext(value);
                self.envelope_id =
                    Some(sound.then(|| value.to_vec()).ok_or(wants("xtext of RFC 3461, 1 to 100 characters"))?);
            }
            b'b' => mode(letter, value, b"m")?,
            b'o' => obsolete(value).map(|ignores| self.ignore_dots |= ignores)?,
            _ => {
                let fault = |fault| UsageFault::Address { sender: true, number: 1, fault };
                self.sender = Some(address::sender(value).map_err(fault)?);
            }
        }
        Ok(())
    }
}

fn elsewhere<T>(option: &'static str, program: &'static str) -> Result<T, UsageFault> {
    Err(UsageFault::Elsewhere { option, program })
}

/// `-A` and `-b`, which choose what sendmail is. This program is one thing.
fn mode(letter: u8, value: &[u8], own: &[u8]) -> Result<(), UsageFault> {
    const DAEMON: &str = "the mail server is another program; it is started by the system";
    const TEST: &str = "addresses are tested by the mail server's own sendmail, started by root";
    match (letter, value) {
        _ if value == own => Ok(()),
        (b'A', b"m") => elsewhere("-Am", DAEMON),
        (b'b', b"d" | b"D") => elsewhere("-bd", DAEMON),
        (b'b', b"p") => elsewhere("-bp", "the queue is listed by mailq"),
        (b'b', b"s") => elsewhere("-bs", "this program speaks no SMTP; give it the message on standard input"),
        (b'b', b"v") => elsewhere("-bv", TEST),
        (b'b', b"t") => elsewhere("-bt", TEST),
        (b'b', b"i") => elsewhere("-bi", "the alias database is built by newaliases"),
        _ => Err(UsageFault::Unknown([letter, value.first().copied().unwrap_or(b' ')])),
    }
}

/// `-o` with the name of an option of old: whether it is the one that says that dots are ignored. How mail is delivered is
/// for the runner of the queue, and how errors are told is the exit status and standard error.
fn obsolete(value: &[u8]) -> Result<bool, UsageFault> {
    match value {
        b"i" => Ok(true),
        b"m" | b"dq" | b"di" | b"db" | b"em" | b"ee" | b"ep" | b"eq" | b"ew" => Ok(false),
        _ => Err(UsageFault::Unknown([b'o', value.first().copied().unwrap_or(b' ')])),
    }
}

fn notify(value: &[u8]) -> Option<Notify> {
    let mut notify = Notify::default();
    if value.eq_ignore_ascii_case(b"never") {
        return Some(notify);
    }
    for word in value.split(|byte| *byte == b',') {
        match word.trim_ascii().to_ascii_lowercase().as_slice() {
            b"success" => notify.success = true,
            b"failure" => notify.failure = true,
            b"delay" => notify.delay = true,
            _ => return None,
        }
    }
    Some(notify)
}

/// Printable characters other than `=` and, unless two hexadecimal digits follow, `+`: RFC 3461, 4.
fn is_xtext(value: &[u8]) -> bool {
    let hexadecimal = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    value.iter().enumerate().all(|(at, byte)| match byte {
        b'+' => hexadecimal(value.get(at + 1)) && hexadecimal(value.get(at + 2)),
        b'=' => false,
        other => matches!(other, b'!'..=b'~'),
    })
}

#[cfg(test)]
mod tests;
