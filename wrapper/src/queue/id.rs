//! Names of queue files, and dates.

use std::time::Duration;

/// What the clock says: time since the beginning of 1970, UTC. A clock before that counts as that.
pub type Moment = Duration;

/// Digits of a name: sendmail's, whose queue it is.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Names of one process in one second: two digits to the base of 60.
pub const SEQUENCE: u32 = 3600;

/// The id of a message, as sendmail makes them: year, month, day, hour, minute and second as one digit each, two for the
/// sequence, and the process id. At most 18 characters, or sendmail would not run it.
///
/// It is unique while no process id is used twice within a second. Where a clock has been set back it need not be: the
/// file is created exclusively, and then the next number of the sequence is tried.
#[must_use]
pub fn id(moment: Moment, sequence: u32, pid: u32) -> String {
    let date = Date::of(moment);
    let sequence = sequence % SEQUENCE;
    let places = [
        (date.year - 1900) % 60,
        date.month - 1,
        date.day,
        date.hour,
        date.minute,
        date.second,
        sequence / 60,
        sequence % 60,
    ];
    let mut id: String = places.into_iter().map(digit).collect();
    id.push_str(&format!("{pid:06}"));
    id
}

fn digit(value: u32) -> char {
    let place = usize::try_from(value).ok().and_then(|value| DIGITS.get(value));
    place.map_or('0', |digit| char::from(*digit))
}

/// The date of a header field: RFC 5322, 3.3, in UTC, since where a process is started says nothing about its zone.
#[must_use]
pub fn rfc5322(moment: Moment) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Date { year, month, day, hour, minute, second } = Date::of(moment);
    let place = |number: u64| usize::try_from(number).unwrap_or_default();
    let weekday = DAYS.get(place(moment.as_secs() / DAY % 7)).copied().unwrap_or_default();
    let month = MONTHS.get(place(u64::from(month) - 1)).copied().unwrap_or_default();
    format!("{weekday}, {day} {month} {year} {hour:02}:{minute:02}:{second:02} +0000")
}

/// Seconds of a day.
const DAY: u64 = 86_400;

/// The Gregorian calendar in UTC.
struct Date {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
}

impl Date {
    fn of(moment: Moment) -> Self {
        // The year 9999 is the last of four digits.
        let seconds = moment.as_secs().min(253_402_300_799);
        let small = |number: u64| u32::try_from(number).unwrap_or_default();
        let (mut days, time) = (seconds / DAY, seconds % DAY);
        let mut year = 1970;
        while days >= days_of(year) {
            days -= days_of(year);
            year += 1;
        }
        let mut month = 1;
        while days >= days_in(year, month) {
            days -= days_in(year, month);
            month += 1;
        }
        Self {
            year,
            month,
            day: small(days) + 1,
            hour: small(time / 3600),
            minute: small(time / 60 % 60),
            second: small(time % 60),
        }
    }
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of(year: u32) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_in(year: u32, month: u32) -> u64 {
    match month {
        2 => {
            if is_leap(year) {
                29
            } else {
                28
            }
        }
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, id, rfc5322};
    use rstest::rstest;
    use std::collections::BTreeSet;
    use std::time::Duration;

    #[rstest]
    #[case(0, "Thu, 1 Jan 1970 00:00:00 +0000")]
    #[case(951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000")]
    #[case(951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000")]
    #[case(2_147_483_648, "Tue, 19 Jan 2038 03:14:08 +0000")]
    #[case(4_107_542_400, "Mon, 1 Mar 2100 00:00:00 +0000")]
    #[case(u64::MAX, "Fri, 31 Dec 9999 23:59:59 +0000")]
    fn dates(#[case] seconds: u64, #[case] expected: &str) {
        // The day of the week of a time beyond the calendar is not promised, the rest is.
        let (found, skipped) = (rfc5322(Duration::from_secs(seconds)), if seconds == u64::MAX { 3 } else { 0 });
        assert_eq!(found[skipped..], expected[skipped..]);
    }

    /// The example of a real sendmail has this form.
    #[test]
    fn an_id_is_as_sendmail_writes_it() {
        // 2026-11-20 18:57:19.
        assert_eq!(id(Duration::from_secs(1_795_201_039), 34 * 60 + 29, 81), "6AKIvJYT000081");
    }

    /// Q5: at most 18 characters with the largest process id, and other names for each of second, sequence and process.
    #[test]
    fn ids_are_short_and_differ() {
        let mut seen = BTreeSet::new();
        for second in [0, 1, 59, 60, 3599, 3600, 86_399, 86_400, 31_535_999] {
            for sequence in [0, 1, 59, 60, 3599] {
                for pid in [1, 999_999, 1_000_000, 4_194_304] {
                    let id = id(Moment::from_secs(second), sequence, pid);
                    assert!(id.len() <= 18 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
                    assert!(seen.insert(id.clone()), "{id} twice");
                }
            }
        }
    }
}
