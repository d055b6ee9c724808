//! Whom the check lets through. It asks for the real gid alone.

use crate::Departure;
use crate::rules::{Rules, Trusted};
use crate::say::Refusal;
use crate::sys;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;

/// Exit status of a caller with another group.
const MISMATCH: u8 = 2;
/// Exit status of a caller whose group could not be looked up.
const NOT_FOUND: u8 = 8;

/// Lets a caller through, or says why not.
pub(crate) fn check(rules: &Rules, departure: Departure) -> Result<(), Refusal> {
    let real = sys::real_gid();
    if departure != Departure::ChecksEverybody && rules.unasked.iter().any(|range| range.contains(&real)) {
        return Ok(());
    }
    match rules.trusted {
        Trusted::Names(names) if departure == Departure::ComparesNumbers => {
            let numbers: Vec<u32> = names.iter().filter_map(|name| sys::group_number(name)).collect();
            compare_numbers(real, &numbers)
        }
        Trusted::Names(names) => compare_names(real, names),
        Trusted::NumberIn(file) => {
            let number = number_in(file)?;
            if departure == Departure::ComparesNames {
                let name = sys::group_name(number).unwrap_or_default();
                return compare_names(real, &[&name]);
            }
            compare_numbers(real, &[number])
        }
    }
}

fn compare_names(real: u32, names: &[&CStr]) -> Result<(), Refusal> {
    let text = |name: &CStr| name.to_string_lossy().into_owned();
    let expected = names.iter().map(|name| text(name)).collect::<Vec<_>>().join(", ");
    let Some(found) = sys::group_name(real) else {
        return Err(Refusal::new(
            NOT_FOUND,
            format!("Failure to find group name for GID {real}. Expected \"{expected}\"."),
        ));
    };
    if names.contains(&found.as_c_str()) {
        return Ok(());
    }
    let found = text(&found);
    Err(Refusal::new(
        MISMATCH,
        format!("Group mismatch error. Expected group \"{expected}\", executed as \"{found}\"."),
    ))
}

fn compare_numbers(real: u32, numbers: &[u32]) -> Result<(), Refusal> {
    if numbers.contains(&real) {
        return Ok(());
    }
    let wanted = numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    Err(Refusal::new(MISMATCH, format!("Failure to exec script. WANTED gid {wanted}, GOT gid {real}.")))
}

/// The number at the beginning of a file.
fn number_in(file: &CStr) -> Result<u32, Refusal> {
    let unreadable = |what: &str| Refusal::new(NOT_FOUND, format!("Cannot {what} wrapper configuration file."));
    let text = std::fs::read(OsStr::from_bytes(file.to_bytes())).map_err(|_| unreadable("open"))?;
    let digits: Vec<u8> = text.trim_ascii_start().iter().copied().take_while(u8::is_ascii_digit).collect();
    CString::new(digits).ok().and_then(|digits| digits.to_str().ok()?.parse().ok()).ok_or_else(|| unreadable("read"))
}
