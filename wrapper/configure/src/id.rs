//! Numbers of users and groups, read strictly.
//!
//! A number that decides who gets in must not depend on who parses it. What C programs disagree about (sign, blanks,
//! octal, overflow) is refused with the reason, never repaired.

use std::fmt;

/// Text that is not the number of a user or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotAnId {
    /// The text, escaped.
    text: String,
    /// What is wrong.
    because: Because,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Because {
    Empty,
    Blank,
    Sign,
    Hexadecimal,
    NotDigits,
    LeadingZero,
    TooLarge,
    KeepsTheOld,
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.because {
            Because::Empty => return f.write_str("an empty number"),
            Because::Blank => "there is a blank in it",
            Because::Sign => "ids have no sign, and setresgid(2) takes -1 to mean \"leave it as it is\"",
            Because::Hexadecimal => "ids are written in decimal here",
            Because::NotDigits => "only the digits 0 to 9 make one",
            Because::LeadingZero => "a leading zero means octal to some programs; write it without",
            Because::TooLarge => "ids have 32 bits, so the largest is 4294967294; more would wrap round to another id",
            Because::KeepsTheOld => "it is -1 in 32 bits, which setresgid(2) takes to mean \"leave it as it is\"",
        };
        let noun = match self.because {
            Because::TooLarge | Because::KeepsTheOld => "an id",
            _ => "a number",
        };
        write!(f, "{} is not {noun}: {reason}", self.text)
    }
}

/// Reads a uid or gid: decimal digits, nothing else, 0 to 4294967294 (see credentials(7); 4294967295 is `(gid_t) -1`).
///
/// # Errors
/// Anything else, with the reason.
pub(crate) fn parse(text: &[u8]) -> Result<u32, NotAnId> {
    let not = |because| NotAnId { text: text.escape_ascii().to_string(), because };
    if text.is_empty() {
        return Err(not(Because::Empty));
    }
    if !text.iter().all(u8::is_ascii_digit) {
        return Err(not(match text {
            _ if text.iter().any(u8::is_ascii_whitespace) => Because::Blank,
            [b'+' | b'-', ..] => Because::Sign,
            [b'0', b'x' | b'X', ..] => Because::Hexadecimal,
            _ => Because::NotDigits,
        }));
    }
    if text.len() > 1 && text[0] == b'0' {
        return Err(not(Because::LeadingZero));
    }
    let number = text.iter().try_fold(0_u64, |n, digit| n.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    match number.map(u32::try_from) {
        Some(Ok(u32::MAX)) => Err(not(Because::KeepsTheOld)),
        Some(Ok(id)) => Ok(id),
        _ => Err(not(Because::TooLarge)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0", 0)]
    #[case("8", 8)]
    #[case("65534", 65534)]
    #[case("2147483648", 2_147_483_648)]
    #[case("4294967294", 4_294_967_294)]
    fn numbers(#[case] text: &str, #[case] id: u32) {
        assert_eq!(parse(text.as_bytes()), Ok(id));
    }

    #[rstest]
    #[case::letter("33x", "only the digits")]
    #[case::blank(" 33", "there is a blank in it")]
    #[case::hexadecimal("0x21", "in decimal")]
    #[case::plus("+33", "no sign")]
    #[case::octal("033", "octal")]
    #[case::two_zeros("00", "octal")]
    #[case::minus_one("-1", "leave it as it is")]
    #[case::minus_one_unsigned("4294967295", "leave it as it is")]
    #[case::wraps_to_33("4294967329", "wrap round")]
    #[case::beyond_64_bits("99999999999999999999999", "wrap round")]
    #[case::empty("", "empty")]
    #[case::arabic_digits("٣٣", "only the digits")]
    #[case::escape("3\u{1b}[m", "only the digits")]
    fn refused(#[case] text: &str, #[case] reason: &str) {
        let message = parse(text.as_bytes()).expect_err("refused").to_string();
        assert!(message.contains(reason), "{message}");
        assert!(message.is_ascii() && !message.contains('\u{1b}'), "{message}");
    }
}
