//! What publishing and transport do to characters, undone: HTML and BBCode, entities, typographic quotes, escapes of JSON and
//! of rsyslog, colours of a terminal.

/// Longest tag or entity that is looked for, in bytes.
const TAG_MAX: usize = 96;

/// Tags that break a line.
const BREAKING: [&str; 8] = ["br", "p", "div", "li", "tr", "pre", "blockquote", "h1"];
/// Tags that do not.
const INLINE: [&str; 21] = [
    "a", "b", "i", "u", "em", "tt", "td", "th", "ul", "ol", "code", "span", "font", "strong", "small", "table",
    "tbody", "kbd", "samp", "body", "html",
];
const BBCODE: [&str; 20] = [
    "b",
    "i",
    "u",
    "s",
    "color",
    "size",
    "font",
    "indent",
    "quote",
    "code",
    "email",
    "url",
    "list",
    "left",
    "center",
    "right",
    "highlight",
    "pre",
    "php",
    "img",
];
const ENTITIES: [(&str, char); 16] = [
    ("lt", '<'),
    ("gt", '>'),
    ("amp", '&'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ldquo", '"'),
    ("rdquo", '"'),
    ("bdquo", '"'),
    ("lsquo", '\''),
    ("rsquo", '\''),
    ("laquo", '"'),
    ("raquo", '"'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
];

/// Appends `from` to `to` as plain text. What breaks a line becomes a line feed.
pub(super) fn plain(from: &[u8], to: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = from.get(at) {
        let rest = &from[at..];
        let used = match byte {
            b'&' => entity(rest, to),
            b'<' => tag(rest, to),
            b'[' => bbcode(rest),
            b'\\' => escape(rest, to),
            b'#' => octal(rest, to),
            0x1b => colour(rest),
            0xc2 | 0xe2 | 0xe3 | 0xef => typographic(rest, to),
            _ => 0,
        };
        if used == 0 {
            to.push(byte);
        }
        at += used.max(1);
    }
}

/// A character in the form that the rest of the cleaning knows.
fn put(c: char, to: &mut Vec<u8>) {
    match c {
        '\u{2018}'..='\u{201f}' | '\u{2039}' | '\u{203a}' | '«' | '»' | '´' => to.push(b'\''),
        '\u{a0}' | '\u{202f}' | '\u{3000}' | '\u{2000}'..='\u{200a}' => to.push(b' '),
        // An editor made one dash of two hyphens.
        '–' | '—' => to.extend_from_slice(b"--"),
        '…' => to.extend_from_slice(b"..."),
        '\u{200b}' | '\u{feff}' | '\u{ad}' => {}
        '\r' | '\n' => to.push(b'\n'),
        c => to.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

fn entity(rest: &[u8], to: &mut Vec<u8>) -> usize {
    let Some(end) = rest.iter().take(12).position(|&byte| byte == b';') else { return 0 };
    let Ok(name) = std::str::from_utf8(&rest[1..end]) else { return 0 };
    let numbered = name.strip_prefix('#').and_then(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
        None => digits.parse().ok(),
    });
    let named = ENTITIES.iter().find(|(known, _)| *known == name).map(|&(_, c)| c);
    let Some(c) = named.or_else(|| numbered.and_then(char::from_u32)) else { return 0 };
    put(c, to);
    end + 1
}

/// Length of the tag at the beginning, with its name in small letters.
fn tag_name(rest: &[u8], close: u8) -> Option<(usize, String)> {
    let end = rest.iter().take(TAG_MAX).position(|&byte| byte == close)?;
    let inside = rest.get(1..end)?;
    let inside = inside.strip_prefix(b"/").unwrap_or(inside);
    let name = inside.split(|byte| !byte.is_ascii_alphanumeric()).next()?;
    // What follows the name is an attribute, or the tag is none.
    if name.is_empty() || !matches!(inside.get(name.len()), None | Some(b' ' | b'=' | b'/')) {
        return None;
    }
    Some((end + 1, String::from_utf8_lossy(name).to_ascii_lowercase()))
}

fn tag(rest: &[u8], to: &mut Vec<u8>) -> usize {
    match tag_name(rest, b'>') {
        Some((length, name)) if BREAKING.contains(&name.as_str()) => {
            to.push(b'\n');
            length
        }
        Some((length, name)) if INLINE.contains(&name.as_str()) => length,
        _ => 0,
    }
}

fn bbcode(rest: &[u8]) -> usize {
    match tag_name(rest, b']') {
        Some((length, name)) if BBCODE.contains(&name.as_str()) => length,
        _ => 0,
    }
}

/// An escape of JSON.
fn escape(rest: &[u8], to: &mut Vec<u8>) -> usize {
    match rest.get(1) {
        Some(b'n' | b'r') => to.push(b'\n'),
        Some(b't') => to.push(b' '),
        Some(&byte @ (b'"' | b'/')) => to.push(byte),
        Some(b'u') => {
            let digits = rest.get(2..6).and_then(|digits| std::str::from_utf8(digits).ok());
            let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else { return 0 };
            put(char::from_u32(code).unwrap_or(' '), to);
            return 6;
        }
        _ => return 0,
    }
    2
}

/// `#012`: how rsyslog writes a line feed within a message.
fn octal(rest: &[u8], to: &mut Vec<u8>) -> usize {
    let byte = match rest.get(1..4) {
        Some(b"012" | b"015") => b'\n',
        Some(b"011" | b"040") => b' ',
        _ => return 0,
    };
    to.push(byte);
    4
}

/// A control sequence of a terminal: consumed, nothing is written.
fn colour(rest: &[u8]) -> usize {
    if rest.get(1) != Some(&b'[') {
        return 1;
    }
    let length = rest.iter().skip(2).take(24).position(|byte| (0x40..=0x7e).contains(byte));
    length.map_or(1, |length| length + 3)
}

fn typographic(rest: &[u8], to: &mut Vec<u8>) -> usize {
    let length = if rest.first() == Some(&0xc2) { 2 } else { 3 };
    let Some(c) =
        rest.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(|text| text.chars().next())
    else {
        return 0;
    };
    put(c, to);
    c.len_utf8()
}

#[cfg(test)]
mod tests {
    use super::plain;
    use rstest::rstest;

    #[rstest]
    #[case("&quot;list&quot; &lt;a@b&gt; &#8211;with &#x2014; &bogus; &", "\"list\" <a@b> --with -- &bogus; &")]
    #[case("one<br />two<BR>three <b>bold</b> <user@example.org>", "one\ntwo\nthree bold <user@example.org>")]
    #[case("[COLOR=\"Blue\"][B]text[/B][/COLOR] [error] [pid 7]", "text [error] [pid 7]")]
    #[case("“list” ‘a’ …", "'list' 'a' ...")]
    #[case("a\\nb\\tc\\\"d\\u003ce", "a\nb c\"d<e")]
    #[case("a#012b#011c #1", "a\nb c #1")]
    #[case("\u{1b}[1;31mred\u{1b}[0m", "red")]
    fn damage_is_undone(#[case] text: &str, #[case] wanted: &str) {
        let mut to = Vec::new();
        plain(text.as_bytes(), &mut to);
        assert_eq!(String::from_utf8_lossy(&to), wanted);
    }
}
