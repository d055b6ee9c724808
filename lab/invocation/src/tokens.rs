//! Words that are worth trying, from dictionaries in the form that libFuzzer and AFL++ read, so that there is one source
//! for them and for us.
//!
//! A line is empty, a comment (`#`), or `name="value"`, where the name may be absent and the value has `\\`, `\"` and `\xNN`.

use crate::Bytes;
use std::fmt;

/// The words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Whole arguments.
    pub arguments: Vec<Bytes>,
    /// Names of variables.
    pub variables: Vec<Bytes>,
    /// Values of variables, and text in general.
    pub values: Vec<Bytes>,
}

impl Tokens {
    /// From the texts of three dictionaries.
    ///
    /// # Errors
    /// The first bad line.
    pub fn new(arguments: &str, variables: &str, values: &str) -> Result<Self, BadDictionary> {
        Ok(Self { arguments: parse(arguments)?, variables: parse(variables)?, values: parse(values)? })
    }
}

/// A line that is no entry of a dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadDictionary {
    /// From 1.
    pub line: usize,
}

impl fmt::Display for BadDictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: an entry is name=\"value\" with \\\\, \\\" and \\xNN for other bytes", self.line)
    }
}

impl std::error::Error for BadDictionary {}

/// The values of a dictionary, in order.
///
/// # Errors
/// The first bad line.
pub fn parse(dictionary: &str) -> Result<Vec<Bytes>, BadDictionary> {
    let lines = (1..).zip(dictionary.lines()).map(|(line, text)| (line, text.trim()));
    let entries = lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#'));
    entries.map(|(line, text)| value(text).ok_or(BadDictionary { line })).collect()
}

fn value(entry: &str) -> Option<Bytes> {
    let (name, quoted) = entry.split_once('"')?;
    let quoted = quoted.strip_suffix('"')?;
    if !(name.is_empty() || name.trim_end().ends_with('=')) {
        return None;
    }
    let mut bytes = Vec::new();
    let mut rest = quoted.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, byte == b'\\') {
            (b'"', _) => return None,
            (byte, false) => byte,
            (_, true) => match rest.next()? {
                byte @ (b'\\' | b'"') => byte,
                b'x' => {
                    let mut digit = || char::from(rest.next()?).to_digit(16);
                    u8::try_from(digit()? * 16 + digit()?).ok()?
                }
                _ => return None,
            },
        });
    }
    Some(Bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::{BadDictionary, parse};
    use crate::Bytes;

    #[test]
    fn entries_are_read_and_bad_ones_named_by_their_line() {
        let text = "# names\nshell=\"IFS\"\n\n\"\\x1b[2J\"\n odd = \"a\\\\b\\\"#\"\n";
        assert_eq!(parse(text), Ok([&b"IFS"[..], b"\x1b[2J", b"a\\b\"#"].map(Bytes::from).to_vec()));
        for bad in ["IFS", "a=\"b", "a=b\"", "a=\"\\y\"", "a=\"\\x1\"", "a\"b\"", "a=\"b\"c\"", "a=\"b\\\""] {
            assert_eq!(parse(&format!("\n{bad}\n")), Err(BadDictionary { line: 2 }), "{bad}");
        }
    }
}
