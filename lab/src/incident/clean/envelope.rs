//! What stands in front of a message on its line: marks of quoting, the stamp and name that a log puts there.

use super::find;
use std::ops::Range;

/// How far into a line its envelope may reach, in bytes.
const REACH: usize = 240;

/// How the front of a line was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Front {
    /// Where the message begins.
    pub(super) message: usize,
    /// What names the sender: of two lines with the same one, the second may continue the first. `None`: no envelope.
    pub(super) sender: Option<Range<usize>>,
}

/// Reads the front of a line.
pub(super) fn front(line: &[u8]) -> Front {
    let start = quoting(line);
    let rest = &line[start..];
    let found = courier(rest).or_else(|| process(rest)).or_else(|| brackets(rest));
    match found {
        Some((sender, message)) => {
            Front { message: start + message, sender: Some(start + sender.start..start + sender.end) }
        }
        None => Front { message: start, sender: None },
    }
}

/// Marks of quoting, bullets, docker-compose's name of a service.
fn quoting(line: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = &line[at..];
        at += match rest {
            [b'>' | b'|' | b'+' | b' ' | b'\t', ..] => 1,
            [b'-' | b'*', b' ', ..] => 2,
            _ => match service(rest) {
                0 => return at,
                length => length,
            },
        };
    }
}

fn service(rest: &[u8]) -> usize {
    let name = rest.iter().take(40).take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte)).count();
    let blanks = rest[name..].iter().take(40).take_while(|&&byte| byte == b' ').count();
    let bar = name + blanks;
    if name > 0 && blanks > 0 && rest[bar..].starts_with(b"| ") { bar + 2 } else { 0 }
}

/// `courierlocal: id=…,from=<…>,addr=<…>: `, which Courier writes in front of each line of a command's output.
fn courier(rest: &[u8]) -> Option<(Range<usize>, usize)> {
    const NAME: &[u8] = b"courierlocal: ";
    const ADDRESS: &[u8] = b",addr=<";
    let reach = &rest[..rest.len().min(2 * REACH)];
    let name = find(reach, NAME)?;
    let address = name + find(&reach[name..], ADDRESS)? + ADDRESS.len();
    let end = address + reach[address..].iter().position(|&byte| byte == b'>')? + 1;
    let message = if reach[end..].starts_with(b": ") { end + 2 } else { end };
    Some((name..end, message))
}

/// `NAME[PID]:`, with whatever stamp and host are in front of it, in any language.
fn process(rest: &[u8]) -> Option<(Range<usize>, usize)> {
    let reach = &rest[..rest.len().min(REACH)];
    let close = find(reach, b"]:")?;
    let open = reach[..close].iter().rposition(|&byte| byte == b'[')?;
    let digits = &reach[open + 1..close];
    let name = reach[..open].iter().rposition(|byte| byte.is_ascii_whitespace()).map_or(0, |blank| blank + 1);
    let named = name < open && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    named.then_some((name..close, close + 2))
}

/// `[time] [module:level] [pid] [client]`, as Apache and suexec write; the last is the sender.
fn brackets(rest: &[u8]) -> Option<(Range<usize>, usize)> {
    let mut at = 0;
    let mut sender = None;
    while rest[at..].starts_with(b"[") && at < REACH {
        let length = rest[at..].iter().take(REACH).position(|&byte| byte == b']')? + 1;
        sender = Some(at..at + length);
        at += length;
        at += rest[at..].iter().take_while(|&&byte| byte == b' ').count();
    }
    let sender = sender?;
    // A time, or a module with its level: `[mail, list]` begins a list of groups.
    let first = rest.iter().position(|&byte| byte == b']').and_then(|end| rest.get(..end))?;
    if !first.contains(&b':') {
        return None;
    }
    at += usize::from(rest[at..].starts_with(b":"));
    if let Some(code) = rest[at..].strip_prefix(b"AH") {
        let digits = code.iter().take_while(|byte| byte.is_ascii_digit()).count();
        at += if digits == 5 && code[digits..].starts_with(b":") { digits + 3 } else { 0 };
    }
    Some((sender, at))
}

#[cfg(test)]
mod tests {
    use super::front;
    use rstest::rstest;

    #[rstest]
    #[case("Jan 20 13:11:07 host postfix/postdrop[8094]: warning", "warning", Some("postfix/postdrop[8094"))]
    #[case(" postfix/postdrop[8463]: warning", "warning", Some("postfix/postdrop[8463"))]
    #[case("- /var/log/mail.info:Jul 7 09:01:59 h postfix/local[1]: x", "x", Some("postfix/local[1"))]
    #[case("> > mail    | Jul 7 09:01:59 h sm-mta[1]: x", "x", Some("sm-mta[1"))]
    #[case(
        "[Mon Feb 02 21:27:31 2009] [cgi:error] [client 192.0.2.1] AH01215: text",
        "text",
        Some("[client 192.0.2.1]")
    )]
    #[case("[2009-02-02 21:27:31]: uid: (1/a)", "uid: (1/a)", Some("[2009-02-02 21:27:31]"))]
    #[case(
        "h courierlocal: id=1.2,from=<a@b>,addr=<c@d>: text",
        "text",
        Some("courierlocal: id=1.2,from=<a@b>,addr=<c@d>")
    )]
    #[case("    output: of a [program]: that", "output: of a [program]: that", None)]
    #[case("", "", None)]
    #[case("[", "[", None)]
    #[case("[mail, list],", "[mail, list],", None)]
    fn the_front_of_a_line(#[case] line: &str, #[case] message: &str, #[case] sender: Option<&str>) {
        let front = front(line.as_bytes());
        assert_eq!(line[front.message..].trim_start(), message);
        assert_eq!(front.sender.map(|range| &line[range]), sender);
    }
}
