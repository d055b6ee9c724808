//! What Mailman's configure asks of the directories before anything is installed, and what its manual asks besides.

use crate::accounts::{Accounts, User};
use crate::mount::MountOptions;
use crate::stat::{FileKind, SET_GROUP_ID, Stat};
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// Permissions that the directories have at least.
const LEAST_MODE: u32 = 0o775;

/// One thing that is wrong with a directory or account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no such directory.
    Missing,
    /// It cannot be looked at.
    Hidden(String),
    /// It is something else.
    NotADirectory(FileKind),
    /// It belongs to another group.
    Group { found: String, wanted: String },
    /// What is made in it would belong to another group.
    NoSetGroupId(String),
    /// Somebody lacks a permission.
    Mode(String),
    /// The kernel would ignore the bit.
    Mount(&'static str),
    /// The user of Mailman could not work in it.
    NotAMember { user: String, group: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "the directory does not exist; create it"),
            Self::Hidden(error) => write!(f, "cannot be looked at: {error}"),
            Self::NotADirectory(kind) => write!(f, "is {kind}, and a directory is wanted"),
            Self::Group { found, wanted } => {
                write!(f, "the directory belongs to group {found}, and must to {wanted}; use chgrp")
            }
            Self::NoSetGroupId(mode) => {
                write!(f, "the set-group-ID bit must be set for the directory, which has {mode}; use chmod g+s")
            }
            Self::Mode(mode) => {
                write!(f, "the permissions must be at least 02775, and are {mode}; use chmod a+rx,ug+w")
            }
            Self::Mount(objection) => write!(f, "{objection}"),
            Self::NotAMember { user, group } => {
                write!(f, "user {user} does not belong to group {group}; use usermod -a -G {group} {user}")
            }
        }
    }
}

/// Everything that keeps an installation from being made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotReady(pub(crate) Vec<(PathBuf, Fault)>);

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing was installed, because")?;
        self.0.iter().try_for_each(|(path, fault)| write!(f, "\n  {}: {fault}", path.display()))
    }
}

impl Error for NotReady {}

/// Looks at the directories and the user.
///
/// # Errors
/// Everything that is wrong, not only the first thing.
pub(crate) fn require(directories: &[&Path], user: &User, own_gid: u32, accounts: &Accounts) -> Result<(), NotReady> {
    let mut faults = Vec::new();
    for &directory in directories {
        // A prefix may be a symbolic link: what counts is where it leads.
        let found = match std::fs::canonicalize(directory) {
            Ok(real) => look(&real, own_gid, accounts),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => vec![Fault::Missing],
            Err(error) => vec![Fault::Hidden(error.to_string())],
        };
        faults.extend(found.into_iter().map(|fault| (directory.to_owned(), fault)));
    }
    if !accounts.is_member(user, own_gid) {
        let shown = |name: &[u8]| name.escape_ascii().to_string();
        let group = accounts.groups.by_number(own_gid).map_or_else(|| own_gid.to_string(), |group| shown(&group.name));
        let fault = Fault::NotAMember { user: shown(&user.name), group };
        faults.push((accounts.groups.path.clone(), fault));
    }
    if faults.is_empty() { Ok(()) } else { Err(NotReady(faults)) }
}

fn look(directory: &Path, own_gid: u32, accounts: &Accounts) -> Vec<Fault> {
    let stat = match Stat::of(directory) {
        Ok(stat) => stat,
        Err(errno) => return vec![Fault::Hidden(errno.desc().to_owned())],
    };
    let mut faults = judge(&stat, own_gid, accounts);
    match MountOptions::of(directory) {
        Ok(options) => faults.extend(options.objection().map(Fault::Mount)),
        Err(errno) => faults.push(Fault::Hidden(errno.desc().to_owned())),
    }
    faults
}

fn judge(stat: &Stat, own_gid: u32, accounts: &Accounts) -> Vec<Fault> {
    if stat.kind != FileKind::Directory {
        return vec![Fault::NotADirectory(stat.kind)];
    }
    let mut faults = Vec::new();
    if stat.gid != own_gid {
        let describe = |gid| accounts.groups.describe(gid);
        faults.push(Fault::Group { found: describe(stat.gid), wanted: describe(own_gid) });
    }
    if !stat.has(SET_GROUP_ID) {
        faults.push(Fault::NoSetGroupId(stat.shown_mode()));
    }
    if !stat.has(LEAST_MODE) {
        faults.push(Fault::Mode(stat.shown_mode()));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Table;
    use rstest::rstest;

    fn accounts() -> Accounts {
        Accounts {
            groups: Table::parse(Path::new("/etc/group"), b"mail:x:8:\nlist:x:38:alice\n"),
            users: Table::parse(Path::new("/etc/passwd"), b"list:x:38:38::/:\nalice:x:1:1::/:\nbob:x:2:2::/:\n"),
        }
    }

    const SOUND: Stat = Stat { kind: FileKind::Directory, uid: 0, gid: 38, mode: 0o2775, links: 2, identity: (0, 0) };

    #[rstest]
    #[case::as_wanted(SOUND, &[])]
    #[case::more_than_wanted(Stat { mode: 0o3777, ..SOUND }, &[])]
    #[case::other_group(Stat { gid: 8, ..SOUND }, &["belongs to group mail 8, and must to list 38"])]
    #[case::nameless_group(Stat { gid: 4242, ..SOUND }, &["4242 (no name)"])]
    #[case::no_set_group_id(Stat { mode: 0o775, ..SOUND }, &["set-group-ID bit must be set"])]
    #[case::others_cannot_enter(Stat { mode: 0o2770, ..SOUND }, &["at least 02775, and are drwxrws--- 02770"])]
    #[case::group_cannot_write(Stat { mode: 0o2755, ..SOUND }, &["at least 02775"])]
    #[case::everything(Stat { gid: 8, mode: 0o700, ..SOUND }, &["mail 8", "set-group-ID", "at least 02775"])]
    #[case::a_file(Stat { kind: FileKind::File, ..SOUND }, &["is a regular file"])]
    fn directories(#[case] stat: Stat, #[case] wanted: &[&str]) {
        let faults: Vec<String> = judge(&stat, 38, &accounts()).iter().map(Fault::to_string).collect();
        assert_eq!(faults.len(), wanted.len(), "{faults:?}");
        for (fault, words) in faults.iter().zip(wanted) {
            assert!(fault.contains(words), "{fault}");
        }
    }

    #[rstest]
    #[case::primary(b"list", true)]
    #[case::listed(b"alice", true)]
    #[case::stranger(b"bob", false)]
    fn the_user_belongs_to_the_group(#[case] name: &[u8], #[case] fits: bool) {
        let accounts = accounts();
        let user = accounts.users.by_name(name).expect("a row");
        let outcome = require(&[], user, 38, &accounts);
        assert_eq!(outcome.is_ok(), fits);
        if let Err(error) = outcome {
            assert!(error.to_string().contains("usermod -a -G list bob"), "{error}");
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        let accounts = accounts();
        let user = accounts.users.by_name(b"list").expect("a row");
        let error = require(&[Path::new("/nonexistent/p")], user, 38, &accounts).expect_err("unfit");
        assert_eq!(error.0, [(PathBuf::from("/nonexistent/p"), Fault::Missing)]);
    }
}
