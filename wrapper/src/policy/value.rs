//! What the value of one field may be. The decoder holds every policy to it; a tool that seals one may ask first.

use super::{FLAG_MAX, Fault, NAME_MAX, PATH_MAX, RefusalStyle, SCRIPT_NAME_MAX, VARIABLE_MAX};
use crate::credentials::Gid;

/// A gid.
///
/// # Errors
/// If it has not four bytes, or is 4294967295.
pub fn gid(bytes: &[u8]) -> Result<Gid, Fault> {
    number(bytes).and_then(|number| Gid::new(number).ok_or(Fault::MinusOne))
}

/// A uid.
///
/// # Errors
/// If it has not four bytes, or is 4294967295, which is nobody's.
pub fn uid(bytes: &[u8]) -> Result<u32, Fault> {
    match number(bytes)? {
        u32::MAX => Err(Fault::MinusOne),
        uid => Ok(uid),
    }
}

fn number(bytes: &[u8]) -> Result<u32, Fault> {
    let bytes = bytes.try_into().map_err(|_| Fault::Size { found: bytes.len(), wanted: size_of::<u32>() })?;
    Ok(u32::from_le_bytes(bytes))
}

/// A name of a user or group: printable ASCII without the colon that ends a field of group(5).
///
/// # Errors
/// If it is empty, too long, or has another byte.
pub fn name(bytes: &[u8]) -> Result<&str, Fault> {
    text(bytes, NAME_MAX, |byte| is_printable(byte) && byte != b':')
}

/// A path: absolute, printable ASCII, without empty components, `.`, `..` and a slash at the end.
///
/// # Errors
/// If it is anything else, or too long.
pub fn path(bytes: &[u8]) -> Result<&str, Fault> {
    let path = text(bytes, PATH_MAX, is_printable)?;
    let below_root = path.strip_prefix('/').ok_or(Fault::Relative)?;
    if below_root.split('/').any(|component| matches!(component, "" | "." | "..")) {
        return Err(Fault::NotCanonical);
    }
    Ok(path)
}

/// A command or page: a file name in the portable character set of POSIX (XBD 3.265) that begins with a letter or digit.
///
/// # Errors
/// If it is anything else, or too long.
pub fn script_name(bytes: &[u8]) -> Result<&str, Fault> {
    let name = text(bytes, SCRIPT_NAME_MAX, |byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))?;
    match bytes.first() {
        Some(first) if !first.is_ascii_alphanumeric() => Err(Fault::Byte { found: *first }),
        _ => Ok(name),
    }
}

/// An interpreter flag: a hyphen and something after it, printable ASCII.
///
/// # Errors
/// If it is anything else, or too long.
pub fn flag(bytes: &[u8]) -> Result<&str, Fault> {
    let flag = text(bytes, FLAG_MAX, is_printable)?;
    if flag.starts_with('-') && flag.len() > 1 { Ok(flag) } else { Err(Fault::NotAFlag) }
}

/// The name of an environment variable: letters, digits, underscores, no digit at the front (POSIX, XBD 8.1).
///
/// `PATH` is not for the caller to set. `HTTP_PROXY` is a request header which libraries take for a setting
/// (<https://httpoxy.org>). The loader obeys `LD_` and Python `PYTHON` names before the script has a say.
///
/// # Errors
/// If it is anything else, too long, or one of those.
pub fn variable(bytes: &[u8]) -> Result<&str, Fault> {
    let name = text(bytes, VARIABLE_MAX, |byte| byte.is_ascii_alphanumeric() || byte == b'_')?;
    match bytes.first() {
        Some(first) if first.is_ascii_digit() => return Err(Fault::Byte { found: *first }),
        _ => {}
    }
    if matches!(name, "PATH" | "HTTP_PROXY") || name.starts_with("LD_") || name.starts_with("PYTHON") {
        return Err(Fault::Forbidden);
    }
    Ok(name)
}

/// A refusal style.
///
/// # Errors
/// If it is not one byte, or a number without a meaning.
pub fn refusal(bytes: &[u8]) -> Result<RefusalStyle, Fault> {
    let [number] = *bytes else { return Err(Fault::Size { found: bytes.len(), wanted: 1 }) };
    RefusalStyle::from_raw(number).ok_or(Fault::Unknown { found: number })
}

fn text(bytes: &[u8], limit: usize, allowed: fn(u8) -> bool) -> Result<&str, Fault> {
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    if bytes.len() > limit {
        return Err(Fault::TooLong { found: bytes.len(), limit });
    }
    match (bytes.iter().find(|byte| !allowed(**byte)), std::str::from_utf8(bytes)) {
        (None, Ok(text)) => Ok(text),
        (found, _) => Err(Fault::Byte { found: found.copied().unwrap_or(0) }),
    }
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}
