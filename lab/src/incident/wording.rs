//! A wording: literal pieces with named holes between them, `as group {expected:group}, but`.
//!
//! Each hole has a kind, which bounds how long it is and what may be in it; so the work at each place where a wording may
//! begin is bounded, and the whole is linear in the length of the text.

use super::clean::squeezed;
use super::text::{Text, gap};
use serde::Deserialize;

/// Shortest beginning of a wording, in bytes: what is looked for everywhere.
const ANCHOR_MIN: usize = 5;

/// A wording.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Wording {
    /// What it begins with.
    pub(super) anchor: Vec<u8>,
    /// A hole, and the literal behind it: empty at the end.
    rest: Vec<(Hole, Vec<u8>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hole {
    name: String,
    kind: Kind,
}

/// What may be in a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Name or number of a group.
    Group,
    /// Several, with commas.
    Groups,
    /// A decimal number, perhaps negative.
    Number,
    /// Anything without a blank.
    Word,
    /// The same, but of no interest: two texts that differ only in it are one.
    Scrap,
    /// Anything.
    Text,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "group" => Self::Group,
            "groups" => Self::Groups,
            "number" => Self::Number,
            "word" => Self::Word,
            "scrap" => Self::Scrap,
            "text" => Self::Text,
            _ => return None,
        })
    }

    /// Longest value, in bytes.
    const fn limit(self) -> usize {
        match self {
            Self::Number => 20,
            // useradd(8) takes 32; Samba and LDAP more.
            Self::Group => 64,
            Self::Groups | Self::Text => 320,
            Self::Word | Self::Scrap => 256,
        }
    }

    const fn allows(self, byte: u8) -> bool {
        match self {
            Self::Number => byte.is_ascii_digit() || byte == b'-',
            Self::Group => {
                !matches!(byte, b',' | b';' | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'|' | b':')
            }
            Self::Groups => !matches!(byte, b';' | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'|'),
            Self::Word | Self::Scrap | Self::Text => true,
        }
    }

    /// What must not stand in front of a byte within the value. `open`: nothing follows the hole in the wording.
    const fn ends_at(self, open: bool) -> u8 {
        match self {
            Self::Text | Self::Groups => gap::RECORD | gap::PARAGRAPH,
            // A terminal wraps a word anywhere; with nothing behind the hole nothing says whether the word went on.
            _ if open => gap::RECORD | gap::PARAGRAPH | gap::BLANK | gap::LINE,
            _ => gap::RECORD | gap::PARAGRAPH | gap::BLANK,
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// Where its words begin and end in the window.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Names and values of the holes.
    pub(super) holes: Vec<(String, String)>,
}

impl TryFrom<String> for Wording {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut pieces = text.split('{');
        let anchor = squeezed(pieces.next().unwrap_or_default().as_bytes());
        if anchor.len() < ANCHOR_MIN {
            return Err(format!("`{text}` must begin with {ANCHOR_MIN} characters before its first hole"));
        }
        let mut rest = Vec::new();
        for piece in pieces {
            let (hole, literal) = piece.split_once('}').ok_or_else(|| format!("`{text}`: a hole is not closed"))?;
            let (name, kind) = hole.split_once(':').ok_or_else(|| format!("`{{{hole}}}` must be `{{name:kind}}`"))?;
            let kind = Kind::named(kind)
                .ok_or_else(|| format!("`{{{hole}}}`: the kinds are group, groups, number, word, scrap, text"))?;
            rest.push((Hole { name: name.to_owned(), kind }, squeezed(literal.as_bytes())));
        }
        let inner = rest.iter().rev().skip(1).any(|(_, literal)| literal.is_empty());
        if inner {
            return Err(format!("`{text}`: nothing separates two holes"));
        }
        Ok(Self { anchor, rest })
    }
}

impl Wording {
    /// The names of its holes.
    pub(super) fn holes(&self) -> impl Iterator<Item = &str> {
        self.rest.iter().map(|(hole, _)| hole.name.as_str())
    }

    /// Whether the hole tells two events of one kind apart.
    pub(super) fn distinguishes(&self, name: &str) -> bool {
        let kind = self.rest.iter().find(|(hole, _)| hole.name == name).map(|(hole, _)| hole.kind);
        matches!(kind, Some(Kind::Group | Kind::Groups | Kind::Number | Kind::Word))
    }

    /// Reads it where its anchor was found.
    pub(super) fn read(&self, text: &Text, start: usize) -> Option<Match> {
        let mut at = start + self.anchor.len();
        // It is the beginning of a word, and of one record.
        let glued = start > 0 && text.gap(start) == 0 && text.bytes()[start - 1].is_ascii_alphanumeric();
        if glued && self.anchor[0].is_ascii_alphanumeric() || !whole(text, start, at) {
            return None;
        }
        let mut said = at;
        let mut holes = Vec::with_capacity(self.rest.len());
        for (hole, literal) in &self.rest {
            let end = hole.end(literal, text, at)?;
            holes.push((hole.name.clone(), hole.value(text, at, end, literal.is_empty())));
            at = end + literal.len();
            // Anything at all behind the last literal is not this wording's: another may begin there.
            if hole.kind != Kind::Text || !literal.is_empty() {
                said = at;
            }
        }
        Some(Match { start, end: said, holes })
    }
}

/// Whether no record ends within a literal.
fn whole(text: &Text, from: usize, to: usize) -> bool {
    (from + 1..to).all(|at| text.gap(at) & gap::RECORD == 0)
}

impl Hole {
    /// Where it ends: before the first occurrence of what follows, or where its kind does.
    fn end(&self, literal: &[u8], text: &Text, from: usize) -> Option<usize> {
        let (bytes, open) = (text.bytes(), literal.is_empty());
        let mut ends_at = self.kind.ends_at(open);
        // qmail writes a blank for an underscore.
        if text.gap(from) & gap::QMAIL != 0 {
            ends_at &= !gap::BLANK;
        }
        let mut at = from;
        loop {
            // The first byte first: most places are none.
            let begins = bytes.get(at).is_some_and(|byte| literal.first() == Some(byte));
            let follows = begins && bytes[at..].starts_with(literal) && text.gap(at) & gap::RECORD == 0;
            if follows && at > from && whole(text, at, at + literal.len()) {
                return Some(at);
            }
            let more = at < bytes.len()
                && at - from < self.kind.limit()
                && self.kind.allows(bytes[at])
                && (at == from && text.gap(at) & gap::RECORD == 0 || text.gap(at) & ends_at == 0);
            if !more {
                return (open && at > from).then_some(at);
            }
            at += 1;
        }
    }

    fn value(&self, text: &Text, from: usize, to: usize, open: bool) -> String {
        let blanks = matches!(self.kind, Kind::Text | Kind::Groups);
        let shown = text.shown(from, to, false);
        let qmail = text.gap(from) & gap::QMAIL != 0;
        let value = if blanks {
            shown
        } else if qmail {
            let leading = if text.gap(from) & gap::INNER != 0 { "_" } else { "" };
            format!("{leading}{}", shown.replace(' ', "_"))
        } else {
            // Wrapped by a terminal: a name has no blank.
            shown.replace(' ', "")
        };
        if open { value.trim_end_matches(['.', ',', ';', ':', ')', ']', '>']).to_owned() } else { value }
    }
}

#[cfg(test)]
mod tests;
