//! Paths of a layout: absolute, without `.`, `..`, empty components or zero bytes.

use crate::failure::Failure;
use lab_invocation::Bytes;
use std::ffi::CString;

/// A path that was checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Absolute(CString);

impl Absolute {
    /// Checks.
    pub(crate) fn new(path: &Bytes) -> Result<Self, Failure> {
        let bytes = path.as_slice();
        let wrong = |what: &str| Failure::refused(format!("path \"{path}\" of the layout {what}"));
        let Some(rest) = bytes.strip_prefix(b"/") else { return Err(wrong("is not absolute")) };
        if !rest.is_empty() && rest.split(|&byte| byte == b'/').any(|part| matches!(part, b"" | b"." | b"..")) {
            return Err(wrong("has a component that is empty, . or .."));
        }
        CString::new(bytes).map(Self).map_err(|_| wrong("contains a zero byte"))
    }

    /// As the kernel takes it.
    pub(crate) fn as_c_str(&self) -> &std::ffi::CStr {
        &self.0
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Relative to the directory `base` of the same tree; `.` for `base` itself; `None` if it lies elsewhere.
    pub(crate) fn below(&self, base: &Self) -> Option<CString> {
        let (path, base) = (self.as_bytes(), base.as_bytes());
        if path == base {
            return Some(c".".to_owned());
        }
        let base = if base == b"/" { b"" } else { base };
        let rest = path.strip_prefix(base)?.strip_prefix(b"/")?;
        CString::new(rest).ok()
    }

    /// The root.
    pub(crate) fn root() -> Self {
        Self(c"/".to_owned())
    }
}

impl std::fmt::Display for Absolute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", Bytes::from(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::Absolute;

    #[test]
    fn only_plain_absolute_paths_pass() {
        for bad in ["", "etc", "/etc/", "//etc", "/etc/../x", "/./x", "/a\0b"] {
            assert!(Absolute::new(&bad.into()).is_err(), "{bad:?}");
        }
        assert!(Absolute::new(&"/".into()).is_ok());
        assert!(Absolute::new(&"/usr/local/..x".into()).is_ok());
    }

    #[test]
    fn relative_to_a_directory_and_not_to_its_namesake() {
        let path = |text: &str| Absolute::new(&text.into()).expect("a good path");
        assert_eq!(path("/a/b/c").below(&path("/a")).as_deref(), Some(c"b/c"));
        assert_eq!(path("/a/b").below(&path("/")).as_deref(), Some(c"a/b"));
        assert_eq!(path("/a").below(&path("/a")).as_deref(), Some(c"."));
        assert_eq!(path("/ab").below(&path("/a")), None);
    }
}
