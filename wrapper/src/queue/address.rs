//! Addresses: what may stand in an envelope, and how they are found in arguments and header fields.
//!
//! The reader of the queue drops a message without a word where an address has 256 bytes, and a line feed in an address
//! begins a record of its own. So there is one type, and nothing but [`list`] and [`sender`] makes it. Whoever reads the queue
//! reads an address by these rules once more: one that would be another then, or none, is not accepted.

/// Longest address in bytes: sendmail loses a message with a longer one.
pub const ADDRESS_MAX: usize = 255;

/// An address: 1 to [`ADDRESS_MAX`] bytes of printable ASCII, with blanks only between quotes. [`sender`] of its bytes is
/// this address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(Vec<u8>);

impl Address {
    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFault {
    /// There is nothing in it.
    Empty,
    /// It has more than [`ADDRESS_MAX`] bytes.
    TooLong,
    /// It has a control character, which could begin another record, or a byte that is not ASCII.
    Byte,
    /// A quote, comment, bracket or angle bracket is not closed, or closed twice.
    Unbalanced,
    /// A blank, comma, semicolon or colon outside of quotes, or a word behind an angle bracket: two addresses, or none.
    Blank,
    /// A program, a file or a list of addresses in a file.
    NotMail,
}

/// The addresses of a list: RFC 5322, 3.4, with comments, display names, groups and source routes left out.
///
/// # Errors
/// The first fault, after which nothing of the list is to be used.
pub fn list(text: &[u8]) -> Result<Vec<Address>, AddressFault> {
    let mut reader = Reader::default();
    for byte in text {
        reader.take(*byte)?;
    }
    reader.finish()
}

/// The sender: one address, or `None` for the null sender, `<>` or nothing.
///
/// # Errors
/// What is wrong with it.
pub fn sender(text: &[u8]) -> Result<Option<Address>, AddressFault> {
    if matches!(text, b"" | b"<>") {
        return Ok(None);
    }
    let mut addresses = list(text)?;
    match (addresses.pop(), addresses.is_empty()) {
        (Some(address), true) => Ok(Some(address)),
        (Some(_), false) => Err(AddressFault::Blank),
        (None, _) => Err(AddressFault::Empty),
    }
}

/// The list as far as it has been read.
#[derive(Default)]
struct Reader {
    found: Vec<Address>,
    /// The element so far, outside of comments and angle brackets.
    outside: Vec<u8>,
    /// What stands between its angle brackets.
    angle: Option<Vec<u8>>,
    in_angle: bool,
    comments: u32,
    place: Place,
}

impl Reader {
    fn take(&mut self, byte: u8) -> Result<(), AddressFault> {
        if !matches!(byte, b'\t' | b' '..=b'~' | 0x80..) {
            return Err(AddressFault::Byte);
        }
        if self.comments > 0 {
            self.in_comment(byte);
            return Ok(());
        }
        let Place { quoted, literal, escaped } = self.place;
        self.place.pass(byte);
        if quoted || escaped {
            self.push(byte);
            return Ok(());
        }
        let structural = !self.in_angle && !literal;
        let ended = !self.in_angle && self.angle.is_some();
        match byte {
            b'(' => self.comments = 1,
            b'<' if structural && self.angle.is_none() => {
                self.angle = Some(Vec::new());
                self.in_angle = true;
            }
            b'>' if self.in_angle && !literal => self.in_angle = false,
            b'<' | b'>' | b')' => return Err(AddressFault::Unbalanced),
            b',' | b';' if structural => self.end_of_element()?,
            // To leave it out would be to lose a recipient whose comma is missing.
            _ if ended && !matches!(byte, b' ' | b'\t') => return Err(AddressFault::Blank),
            // The name of a group: its members follow.
            b':' if structural && !trimmed(&self.outside).is_empty() => self.outside.clear(),
            _ => self.push(byte),
        }
        Ok(())
    }

    fn in_comment(&mut self, byte: u8) {
        match byte {
            _ if self.place.escaped => self.place.escaped = false,
            b'\\' => self.place.escaped = true,
            b'(' => self.comments = self.comments.saturating_add(1),
            b')' => self.comments -= 1,
            _ => {}
        }
    }

    fn push(&mut self, byte: u8) {
        match &mut self.angle {
            // Behind the bracket there are blanks only.
            Some(angle) => angle.push(byte),
            None => self.outside.push(byte),
        }
    }

    fn end_of_element(&mut self) -> Result<(), AddressFault> {
        let outside = std::mem::take(&mut self.outside);
        match self.angle.take() {
            Some(angle) => self.found.push(address(without_route(trimmed(&angle)))?),
            // Nothing between two commas is nothing.
            None if trimmed(&outside).is_empty() => {}
            None => self.found.push(address(trimmed(&outside))?),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Address>, AddressFault> {
        if self.in_angle || self.comments > 0 || !self.place.is_bare() {
            return Err(AddressFault::Unbalanced);
        }
        self.end_of_element()?;
        Ok(self.found)
    }
}

/// `@one,@two:user@three` is a route to `user@three`, which nobody has taken for decades: RFC 5321, appendix C.
fn without_route(address: &[u8]) -> &[u8] {
    if !address.starts_with(b"@") {
        return address;
    }
    let mut place = Place::default();
    let colon = address.iter().position(|&byte| {
        let ends = byte == b':' && place.is_bare();
        place.pass(byte);
        ends
    });
    colon.and_then(|colon| address.get(colon + 1..)).unwrap_or(address)
}

fn address(bytes: &[u8]) -> Result<Address, AddressFault> {
    let first = bytes.strip_prefix(b"\"").unwrap_or(bytes).first();
    match bytes.len() {
        0 => return Err(AddressFault::Empty),
        1..=ADDRESS_MAX => {}
        _ => return Err(AddressFault::TooLong),
    }
    if matches!(first, Some(b'|' | b'/' | b':')) {
        return Err(AddressFault::NotMail);
    }
    let mut place = Place::default();
    for &byte in bytes {
        if !matches!(byte, b' '..=b'~') {
            return Err(AddressFault::Byte);
        }
        if byte == b' ' && !place.quoted || place.is_bare() && matches!(byte, b',' | b';' | b':') {
            return Err(AddressFault::Blank);
        }
        place.pass(byte);
    }
    // The blank of `bob\ ` has gone with those around the address.
    if place.escaped { Err(AddressFault::Unbalanced) } else { Ok(Address(bytes.to_vec())) }
}

/// Where in an address one is: in a quoted string, in a domain literal, behind a backslash.
#[derive(Default, Clone, Copy)]
struct Place {
    quoted: bool,
    literal: bool,
    escaped: bool,
}

impl Place {
    /// In none of them: a comma here is one between addresses.
    const fn is_bare(self) -> bool {
        !self.quoted && !self.literal && !self.escaped
    }

    /// Goes past a byte.
    const fn pass(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.quoted = !self.quoted,
            b'[' if !self.quoted => self.literal = true,
            b']' if !self.quoted => self.literal = false,
            _ => {}
        }
    }
}

fn trimmed(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::{ADDRESS_MAX, AddressFault, list, sender};
    use rstest::rstest;

    fn texts(text: &[u8]) -> Result<Vec<String>, AddressFault> {
        list(text).map(|found| found.into_iter().map(|one| String::from_utf8(one.0).expect("ASCII")).collect())
    }

    #[rstest]
    #[case::plain(b"bob", &["bob"])]
    #[case::several(b"bob@x.example, alice", &["bob@x.example", "alice"])]
    #[case::nothing_between_commas(b" ,, bob,", &["bob"])]
    #[case::display_name(b"Bob B\xc3\xb6b <bob@x>, \"B, C\" <c@x>", &["bob@x", "c@x"])]
    #[case::comments(b"bob(the (first\\)) one)@x (a,b)", &["bob@x"])]
    #[case::group(b"friends: a@x, b@x; , c@x", &["a@x", "b@x", "c@x"])]
    #[case::empty_group(b"undisclosed-recipients:;", &[])]
    #[case::quoted_local_part(b"\"a, b\\\"c\"@x", &["\"a, b\\\"c\"@x"])]
    #[case::route(b"<@a,@b:bob@x>", &["bob@x"])]
    #[case::route_by_a_literal(b"<@[IPv6:::1]:bob@x>", &["bob@x"])]
    #[case::colon_between_quotes(b"<\"a:b,c;d\"@x>", &["\"a:b,c;d\"@x"])]
    #[case::bracket_between_quotes(b"\"[\"@x, c", &["\"[\"@x", "c"])]
    #[case::quotes_in_a_literal(b"bob@[a\"]\",b], c", &["bob@[a\"]\",b]", "c"])]
    #[case::escaped_comma(b"a\\,b@x", &["a\\,b@x"])]
    #[case::blanks_after_the_angle(b"<a@x> \t(c) , b", &["a@x", "b"])]
    #[case::literal(b"bob@[IPv6:::1]", &["bob@[IPv6:::1]"])]
    #[case::nothing(b"", &[])]
    fn addresses_of_a_list(#[case] text: &[u8], #[case] expected: &[&str]) {
        assert_eq!(texts(text).as_deref(), Ok(&expected.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()[..]));
    }

    /// Q10.
    #[rstest]
    #[case::line_feed(b"bob\nRPFD:eve", AddressFault::Byte)]
    #[case::quoted_line_feed(b"\"b\nob\"@x", AddressFault::Byte)]
    #[case::line_feed_in_a_comment(b"bob (\n)", AddressFault::Byte)]
    #[case::carriage_return(b"bob\r", AddressFault::Byte)]
    #[case::nul(b"bob\0", AddressFault::Byte)]
    #[case::delete(b"bob\x7f", AddressFault::Byte)]
    #[case::escape_in_a_name(b"\x1b[2J <bob>", AddressFault::Byte)]
    #[case::tab_inside(b"\"b\tob\"", AddressFault::Byte)]
    #[case::not_ascii(b"b\xc3\xb6b", AddressFault::Byte)]
    #[case::empty(b"<>", AddressFault::Empty)]
    #[case::two_without_comma(b"alice bob", AddressFault::Blank)]
    #[case::group_in_angles(b"<a:b@c>", AddressFault::Blank)]
    #[case::list_in_angles(b"<a,b@c>", AddressFault::Blank)]
    #[case::end_of_a_group_in_angles(b"<a;b@c>", AddressFault::Blank)]
    #[case::word_after_the_angle(b"<a@x> b@y", AddressFault::Blank)]
    #[case::word_at_the_angle(b"<a@x>y", AddressFault::Blank)]
    #[case::word_after_a_named_angle(b"a@x <b@y> c@z", AddressFault::Blank)]
    #[case::colon_after_the_angle(b"<a@x>: b", AddressFault::Blank)]
    #[case::colon_of_a_route_between_quotes(b"<@a\"x:y\"z@b:", AddressFault::Unbalanced)]
    #[case::escaped_blank(b"bob\\ by@x", AddressFault::Blank)]
    #[case::escaped_blank_at_the_end(b"bob\\ ", AddressFault::Unbalanced)]
    #[case::quote(b"\"bob", AddressFault::Unbalanced)]
    #[case::angle(b"<bob", AddressFault::Unbalanced)]
    #[case::angle_closed(b"bob>", AddressFault::Unbalanced)]
    #[case::two_angles(b"<a> <b>", AddressFault::Unbalanced)]
    #[case::comment(b"bob (", AddressFault::Unbalanced)]
    #[case::escape_at_the_end(b"bob\\", AddressFault::Unbalanced)]
    #[case::program(b"|/bin/sh", AddressFault::NotMail)]
    #[case::quoted_program(b"\"|/bin/sh -c x\"", AddressFault::NotMail)]
    #[case::file(b"/etc/passwd", AddressFault::NotMail)]
    #[case::included(b":include:/etc/passwd", AddressFault::NotMail)]
    fn what_is_no_address(#[case] text: &[u8], #[case] fault: AddressFault) {
        assert_eq!(texts(text), Err(fault));
    }

    /// Q10: sendmail delivers to 255 bytes and loses the message for 256.
    #[test]
    fn an_address_has_1_to_255_bytes() {
        assert_eq!(list(&[b'a'; ADDRESS_MAX]).map(|found| found.len()), Ok(1));
        assert_eq!(list(&[b'a'; ADDRESS_MAX + 1]), Err(AddressFault::TooLong));
    }

    #[test]
    fn a_sender_is_one_address_or_none() {
        assert_eq!(sender(b"<>"), Ok(None));
        assert_eq!(sender(b""), Ok(None));
        let one = sender(b"Alice <alice@x>").expect("sound").expect("one");
        assert_eq!(one.as_bytes(), b"alice@x");
        assert_eq!(sender(b"a,b"), Err(AddressFault::Blank));
        assert_eq!(sender(b" , "), Err(AddressFault::Empty));
    }

    /// Q10, of every list of five bytes from those that mean something, alone and where a route could end. What the reader of
    /// the queue makes of an address is the address.
    #[test]
    fn whatever_is_found_can_stand_in_a_record_and_is_read_as_what_it_is() {
        let alphabet = b"a,:;<>()\"\\[]@| \t\n\xff";
        let mut text = [0; 5];
        let mut found = 0;
        for number in 0..alphabet.len().pow(5) {
            let mut rest = number;
            for place in &mut text {
                *place = alphabet[rest % alphabet.len()];
                rest /= alphabet.len();
            }
            for address in list(&text).into_iter().flatten() {
                found += 1;
                let bytes = address.as_bytes();
                assert!(!bytes.is_empty() && bytes.iter().all(|byte| matches!(byte, b' '..=b'~')), "{text:?}");
                assert_eq!(sender(bytes), Ok(Some(address.clone())), "{text:?}");
            }
        }
        assert!(found > 1000, "{found}");
    }

    #[rstest]
    #[case(b"<@a\"x:y\"z@b>", b"@a\"x:y\"z@b")]
    #[case(b"<@a\\:b>", b"@a\\:b")]
    fn a_colon_that_is_part_of_a_word_ends_no_route(#[case] text: &[u8], #[case] expected: &[u8]) {
        let found = sender(text).expect("an address").expect("one");
        assert_eq!(found.as_bytes(), expected);
        assert_eq!(sender(expected), Ok(Some(found)));
    }
}
