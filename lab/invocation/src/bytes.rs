//! Byte strings. Paths, arguments and environment entries are bytes for the kernel, so they are bytes here; text
//! forms (JSON, TOML, the terminal) show them as a string with escapes, which reads back to the same bytes.

use bytemuck::TransparentWrapper;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A byte string. Its text form is printable ASCII and UTF-8 as it stands, save that `\` is written `\\`, and every
/// control character and every byte which is not part of valid UTF-8 is written `\xNN`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, TransparentWrapper)]
#[repr(transparent)]
pub struct Bytes(pub Vec<u8>);

/// Why a text is not the canonical form of a byte string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadEscape {
    /// Offset of the backslash, in bytes.
    pub at: usize,
}

impl fmt::Display for BadEscape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: a backslash must be followed by another one or by xNN, two hexadecimal digits", self.at)
    }
}

impl std::error::Error for BadEscape {}

impl Bytes {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// A list as those see it who do not know this type, without a copy.
    pub fn vectors(list: &[Self]) -> &[Vec<u8>] {
        Self::peel_slice(list)
    }

    /// The canonical text form.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\\' => text.push_str("\\\\"),
                    c if c.is_control() => {
                        let mut utf8 = [0; 4];
                        for byte in c.encode_utf8(&mut utf8).bytes() {
                            text.push_str(&format!("\\x{byte:02x}"));
                        }
                    }
                    c => text.push(c),
                }
            }
            for byte in chunk.invalid() {
                text.push_str(&format!("\\x{byte:02x}"));
            }
        }
        text
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// A backslash that starts neither `\\` nor `\xNN`.
    pub fn from_text(text: &str) -> Result<Self, BadEscape> {
        let source = text.as_bytes();
        let mut out = Vec::with_capacity(source.len());
        let mut at = 0;
        while let Some(&byte) = source.get(at) {
            if byte != b'\\' {
                out.push(byte);
                at += 1;
                continue;
            }
            match source.get(at + 1) {
                Some(b'\\') => {
                    out.push(b'\\');
                    at += 2;
                }
                Some(b'x') => {
                    let digit = |i: usize| source.get(i).and_then(|&d| char::from(d).to_digit(16));
                    let (Some(high), Some(low)) = (digit(at + 2), digit(at + 3)) else {
                        return Err(BadEscape { at });
                    };
                    out.push(u8::try_from(high * 16 + low).map_err(|_| BadEscape { at })?);
                    at += 4;
                }
                _ => return Err(BadEscape { at }),
            }
        }
        Ok(Self(out))
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.to_text())
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.to_text())
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Self::from_text(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
        } else {
            struct Raw;
            impl serde::de::Visitor<'_> for Raw {
                type Value = Bytes;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.to_vec()))
                }
                fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                    Ok(Bytes(bytes))
                }
            }
            deserializer.deserialize_byte_buf(Raw)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn text_reads_back_to_the_same_bytes() {
        let every: Vec<u8> = (0..=255).chain(*b"\\x41 and \xc3\xa9\xc2\x9b").collect();
        let bytes = Bytes(every);
        assert_eq!(Bytes::from_text(&bytes.to_text()), Ok(bytes.clone()));
        assert!(bytes.to_text().chars().all(|c| !c.is_control()), "control characters are escaped");
    }

    #[test]
    fn a_lone_backslash_is_refused_with_its_place() {
        assert_eq!(Bytes::from_text("ab\\q").map_err(|e| e.at), Err(2));
        assert_eq!(Bytes::from_text("\\x4").map_err(|e| e.at), Err(0));
    }
}
