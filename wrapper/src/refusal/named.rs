//! How a refusal writes what it names: numbers with names, and no path longer than fits.

use super::SwitchFault;
use crate::policy::{Group, Owner, PATH_MAX, SCRIPT_NAME_MAX};
use crate::surroundings::AccountName;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A path, if it is long only its beginning and end: the target of a symbolic link can be longer than the whole line.
pub(super) struct Shortened<'a>(pub(super) &'a Path);

/// Longest path that is shown whole, in bytes: those of a policy are, with the script's name.
pub(super) const SHOWN_MAX: usize = PATH_MAX + "/scripts/".len() + SCRIPT_NAME_MAX;

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.as_os_str().as_bytes();
        if path.len() <= SHOWN_MAX {
            return write!(f, "{}", self.0.display());
        }
        let (first, rest) = path.split_at(SHOWN_MAX / 2);
        let (_, last) = rest.split_at(rest.len() - SHOWN_MAX / 3);
        write!(f, "{}...{}", String::from_utf8_lossy(first), String::from_utf8_lossy(last))
    }
}

impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gid {} ({})", self.gid, self.name)
    }
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid {} ({})", self.uid, self.name)
    }
}

impl fmt::Display for SwitchFault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread(errno) => write!(f, "cannot read the ids of the process: {}", errno.desc()),
            Self::Refused { own, errno } => write!(f, "cannot switch to {own}: {}", errno.desc()),
            Self::Other { own, given_up, found } => {
                let [real, effective, saved] = found.map(|gid| One { gid, of: [own, given_up] });
                write!(
                    f,
                    "after switching from {given_up} to {own} the real, effective and saved gid are {real}, {effective} and \
                     {saved}"
                )
            }
            Self::Regained { own, given_up } => write!(f, "after switching to {own} {given_up} could be taken back"),
        }
    }
}

/// A gid that is expected to be one of two.
struct One<'a> {
    gid: u32,
    of: [&'a Group<'a>; 2],
}

impl fmt::Display for One<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.of.iter().find(|group| group.gid.as_raw() == self.gid);
        write!(f, "{} ({})", self.gid, found.map_or("neither", |group| group.name))
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known(name) => name,
            Self::Nameless => "no name",
            Self::Unreadable => "no name could be looked up",
        })
    }
}
