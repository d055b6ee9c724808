//! Names of files for people and documents.
//!
//! Others can write below a prefix, and a file name may hold anything but a slash and NUL: an escape sequence for root's
//! terminal, a line feed that forges a line of a report, bytes that are no text.

use serde::{Serialize, Serializer};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;

/// A path or name in printable ASCII: every other byte, and the backslash, as `\xNN` or `\\`, so that no two look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown<'a>(&'a [u8]);

/// Shows a path or name.
pub(crate) fn shown(path: &(impl AsRef<OsStr> + ?Sized)) -> Shown<'_> {
    Shown(path.as_ref().as_bytes())
}

impl Shown<'_> {
    /// All bytes in hexadecimal, where the text does not show them as they are.
    pub(crate) fn hex(self) -> Option<String> {
        let plain = self.0.iter().all(|byte| matches!(byte, b' '..=b'~') && *byte != b'\\');
        (!plain).then(|| self.0.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| match byte {
            b'\\' => f.write_str("\\\\"),
            b' '..=b'~' => write!(f, "{}", char::from(*byte)),
            other => write!(f, "\\x{other:02x}"),
        })
    }
}

/// The fields `path` and, where that is not the path itself, `path-hex`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct PathFields<'a> {
    path: Shown<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
}

impl<'a> PathFields<'a> {
    /// Of this path.
    pub(crate) fn of(path: &'a (impl AsRef<OsStr> + ?Sized)) -> Self {
        Self { path: shown(path), path_hex: shown(path).hex() }
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"/srv/mail man/~x", "/srv/mail man/~x", None)]
    #[case(b"\x1b[2J\n\x7f", r"\x1b[2J\x0a\x7f", Some("1b5b324a0a7f"))]
    #[case("ü\u{202e}".as_bytes(), r"\xc3\xbc\xe2\x80\xae", Some("c3bce280ae"))]
    #[case(br"a\x0a", r"a\\x0a", Some("615c783061"))]
    #[case(b"\xff", r"\xff", Some("ff"))]
    fn names(#[case] bytes: &[u8], #[case] text: &str, #[case] hex: Option<&str>) {
        let name = OsStr::from_bytes(bytes);
        assert_eq!((shown(name).to_string().as_str(), shown(name).hex().as_deref()), (text, hex));
    }

    /// `Path::display` prints what it is given.
    #[test]
    fn no_path_is_printed_as_it_is() {
        fn sources(directory: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
            for entry in std::fs::read_dir(directory).expect("sources") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    sources(&path, found);
                } else {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() > 20);
        let call = [".disp", "lay()"].concat();
        found.retain(|path| std::fs::read_to_string(path).expect("text").contains(&call));
        assert_eq!(found, Vec::<std::path::PathBuf>::new());
    }
}
