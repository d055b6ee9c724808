//! Where things are below the three prefixes of Mailman.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The CGI programs of Mailman 2.1.
pub(crate) const CGI_SCRIPTS: [&str; 11] = [
    "admin",
    "admindb",
    "confirm",
    "create",
    "edithtml",
    "listinfo",
    "options",
    "private",
    "rmlist",
    "roster",
    "subscribe",
];

/// The three prefixes, and how CGI programs are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// `scripts/` and the Python code.
    pub(crate) prefix: PathBuf,
    /// `mail/` and `cgi-bin/`.
    pub(crate) exec_prefix: PathBuf,
    /// `lists/`, `archives/`, `data/`, `qfiles/`, `logs/`.
    pub(crate) var_prefix: PathBuf,
    /// Extension of installed CGI programs: empty, or with its dot.
    pub(crate) cgi_extension: OsString,
}

impl Layout {
    /// The mail wrapper.
    pub(crate) fn mail_wrapper(&self) -> PathBuf {
        self.exec_prefix.join("mail/mailman")
    }

    /// Directory of the CGI wrappers.
    pub(crate) fn cgi_directory(&self) -> PathBuf {
        self.exec_prefix.join("cgi-bin")
    }

    /// The CGI wrapper of one page.
    pub(crate) fn cgi_wrapper(&self, script: &str) -> PathBuf {
        let mut name = OsString::from(script);
        name.push(&self.cgi_extension);
        self.cgi_directory().join(name)
    }

    /// The page that belongs under a name of the directory of CGI wrappers; none for any other name.
    pub(crate) fn page(&self, name: &OsStr) -> Option<&'static str> {
        let stem = name.as_bytes().strip_suffix(self.cgi_extension.as_bytes())?;
        CGI_SCRIPTS.into_iter().find(|script| script.as_bytes() == stem)
    }

    /// The prefixes, each once.
    pub(crate) fn directories(&self) -> Vec<&Path> {
        let mut directories: Vec<&Path> = Vec::new();
        for directory in [&self.prefix, &self.exec_prefix, &self.var_prefix] {
            if !directories.contains(&directory.as_path()) {
                directories.push(directory);
            }
        }
        directories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_below_exec_prefix_with_the_extension_of_cgi_programs() {
        let layout = Layout {
            prefix: "/p".into(),
            exec_prefix: "/e".into(),
            var_prefix: "/p".into(),
            cgi_extension: ".cgi".into(),
        };
        assert_eq!(layout.mail_wrapper(), Path::new("/e/mail/mailman"));
        assert_eq!(layout.cgi_wrapper("admin"), Path::new("/e/cgi-bin/admin.cgi"));
        assert_eq!(layout.directories(), [Path::new("/p"), Path::new("/e")]);
        let pages = ["admin.cgi", "admin", "admin.old", ".cgi", "admin.cgi.cgi", "help.cgi"];
        assert_eq!(pages.map(|name| layout.page(OsStr::new(name))), [Some("admin"), None, None, None, None, None]);
    }
}
