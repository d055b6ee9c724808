//! What the value of one field may be: [`super::Tag::rule`] in code. The decoder holds every policy to it; a tool that seals
//! one may ask first. `None` is a value that breaks the rule.

use super::{FLAG_MAX, NAME_MAX, PATH_MAX, RefusalStyle, SCRIPT_NAME_MAX, VARIABLE_MAX};
use crate::credentials::Gid;

/// A gid.
#[must_use]
pub fn gid(bytes: &[u8]) -> Option<Gid> {
    number(bytes).and_then(Gid::new)
}

/// A uid. 4294967295 is nobody's.
#[must_use]
pub fn uid(bytes: &[u8]) -> Option<u32> {
    number(bytes).filter(|uid| *uid != u32::MAX)
}

/// A limit of a queue: eight bytes, at least `LEAST` and at most `MOST`.
#[must_use]
pub fn limit<const LEAST: u64, const MOST: u64>(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes).filter(|limit| (LEAST..=MOST).contains(limit))
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_le_bytes)
}

/// A name of a user or group. A colon would end a field of group(5).
#[must_use]
pub fn name(bytes: &[u8]) -> Option<&str> {
    text(bytes, NAME_MAX, |byte| is_printable(byte) && byte != b':')
}

/// A path.
#[must_use]
pub fn path(bytes: &[u8]) -> Option<&str> {
    let path = text(bytes, PATH_MAX, is_printable)?;
    let canonical = !path.strip_prefix('/')?.split('/').any(|component| matches!(component, "" | "." | ".."));
    canonical.then_some(path)
}

/// A command or page: a file name in the portable character set of POSIX (XBD 3.265).
#[must_use]
pub fn script_name(bytes: &[u8]) -> Option<&str> {
    let name = text(bytes, SCRIPT_NAME_MAX, |byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))?;
    name.starts_with(|first: char| first.is_ascii_alphanumeric()).then_some(name)
}

/// An interpreter flag.
#[must_use]
pub fn flag(bytes: &[u8]) -> Option<&str> {
    text(bytes, FLAG_MAX, is_printable).filter(|flag| flag.starts_with('-') && flag.len() > 1)
}

/// The name of an environment variable: letters, digits, underscores, no digit at the front (POSIX, XBD 8.1).
///
/// `PATH` is not for the caller to set. `HTTP_PROXY` is a request header which libraries take for a setting
/// (<https://httpoxy.org>). The loader obeys `LD_` and Python `PYTHON` names before the script has a say.
#[must_use]
pub fn variable(bytes: &[u8]) -> Option<&str> {
    let name = text(bytes, VARIABLE_MAX, |byte| byte.is_ascii_alphanumeric() || byte == b'_')?;
    let forbidden = matches!(name, "PATH" | "HTTP_PROXY") || name.starts_with("LD_") || name.starts_with("PYTHON");
    (!forbidden && !name.starts_with(|first: char| first.is_ascii_digit())).then_some(name)
}

/// A refusal style.
#[must_use]
pub const fn refusal(bytes: &[u8]) -> Option<RefusalStyle> {
    match bytes {
        [number] => RefusalStyle::from_raw(*number),
        _ => None,
    }
}

/// ASCII without NUL, at least one byte.
fn text(bytes: &[u8], limit: usize, allowed: fn(u8) -> bool) -> Option<&str> {
    let sound = (1..=limit).contains(&bytes.len()) && bytes.iter().all(|byte| allowed(*byte));
    sound.then(|| std::str::from_utf8(bytes).ok())?
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}
