//! What Mailman's configure asks of the directories before anything is installed, and what its manual asks besides.

use crate::accounts::{Accounts, User};
use crate::mount::MountOptions;
use crate::shown::shown;
use crate::stat::{FileKind, OTHER_WRITE, SET_GROUP_ID, Stat};
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
    /// Anybody can put programs of his own in the place of what is installed.
    OtherWrite(String),
    /// The same for its owner.
    Owner {
        /// Who it is.
        found: String,
        /// Who it may be.
        wanted: String,
    },
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
            Self::OtherWrite(mode) => write!(f, "it is writable for everybody ({mode}); use chmod o-w"),
            Self::Owner { found, wanted } => {
                write!(f, "it belongs to {found}, who could exchange what is in it; give it to {wanted} with chown")
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
        self.0.iter().try_for_each(|(path, fault)| write!(f, "\n  {}: {fault}", shown(path)))
    }
}

impl Error for NotReady {}

/// Whose a directory must be for a wrapper to be put into it.
#[derive(Clone, Copy)]
pub(crate) struct Rule<'r> {
    /// The wrapper's own group.
    pub(crate) own_gid: u32,
    /// Users who may own it: root, whoever installs, and the user of Mailman.
    pub(crate) owners: &'r [u32],
    /// For names.
    pub(crate) accounts: &'r Accounts,
}

/// Looks at the prefixes, at the directories of the wrappers below them where they are there already, and at the user.
///
/// # Errors
/// Everything that is wrong, not only the first thing.
pub(crate) fn require(prefixes: &[&Path], below: &[&Path], user: &User, rule: &Rule<'_>) -> Result<(), NotReady> {
    let Rule { own_gid, accounts, .. } = *rule;
    let mut faults = Vec::new();
    for &directory in prefixes {
        // A prefix may be a symbolic link: what counts is where it leads.
        let found = match std::fs::canonicalize(directory) {
            Ok(real) => look(&real, rule),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => vec![Fault::Missing],
            Err(error) => vec![Fault::Hidden(error.to_string())],
        };
        faults.extend(found.into_iter().map(|fault| (directory.to_owned(), fault)));
    }
    // What is below a prefix others may have made: there a link is one.
    for &directory in below {
        let found = if matches!(Stat::if_there(directory), Ok(Some(_))) { look(directory, rule) } else { Vec::new() };
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

fn look(directory: &Path, rule: &Rule<'_>) -> Vec<Fault> {
    let stat = match Stat::of(directory) {
        Ok(stat) => stat,
        Err(errno) => return vec![Fault::Hidden(errno.desc().to_owned())],
    };
    let mut faults = judge(&stat, rule);
    if stat.kind != FileKind::Directory {
        return faults;
    }
    match MountOptions::of(directory) {
        Ok(options) => faults.extend(options.objection().map(Fault::Mount)),
        Err(errno) => faults.push(Fault::Hidden(errno.desc().to_owned())),
    }
    faults
}

/// What is wrong with a directory that wrappers are put into.
pub(super) fn judge(stat: &Stat, rule: &Rule<'_>) -> Vec<Fault> {
    let Rule { own_gid, owners, accounts } = *rule;
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
    if stat.has(OTHER_WRITE) {
        faults.push(Fault::OtherWrite(stat.shown_mode()));
    }
    if !owners.contains(&stat.uid) {
        let mut wanted: Vec<String> = owners.iter().map(|uid| accounts.users.describe(*uid)).collect();
        wanted.dedup();
        faults.push(Fault::Owner { found: accounts.users.describe(stat.uid), wanted: wanted.join(" or ") });
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

    fn rule(accounts: &Accounts) -> Rule<'_> {
        Rule { own_gid: 38, owners: &[0, 38], accounts }
    }

    const SOUND: Stat = Stat { kind: FileKind::Directory, uid: 0, gid: 38, mode: 0o2775, links: 2, identity: (0, 0) };

    #[rstest]
    #[case::as_wanted(SOUND, &[])]
    #[case::sticky(Stat { mode: 0o3775, ..SOUND }, &[])]
    #[case::user_of_mailman(Stat { uid: 38, ..SOUND }, &[])]
    #[case::stranger(Stat { uid: 2, ..SOUND }, &["belongs to bob 2, who could exchange what is in it; give it to 0 (no name) or list 38"])]
    #[case::everybody_may_write_it(Stat { mode: 0o2777, ..SOUND }, &["writable for everybody"])]
    #[case::everybody_may_write_it_and_sticky(Stat { mode: 0o3777, ..SOUND }, &["writable for everybody"])]
    #[case::other_group(Stat { gid: 8, ..SOUND }, &["belongs to group mail 8, and must to list 38"])]
    #[case::nameless_group(Stat { gid: 4242, ..SOUND }, &["4242 (no name)"])]
    #[case::no_set_group_id(Stat { mode: 0o775, ..SOUND }, &["set-group-ID bit must be set"])]
    #[case::others_cannot_enter(Stat { mode: 0o2770, ..SOUND }, &["at least 02775, and are drwxrws--- 02770"])]
    #[case::group_cannot_write(Stat { mode: 0o2755, ..SOUND }, &["at least 02775"])]
    #[case::everything(Stat { gid: 8, mode: 0o700, ..SOUND }, &["mail 8", "set-group-ID", "at least 02775"])]
    #[case::a_file(Stat { kind: FileKind::File, ..SOUND }, &["is a regular file"])]
    fn directories(#[case] stat: Stat, #[case] wanted: &[&str]) {
        let faults: Vec<String> = judge(&stat, &rule(&accounts())).iter().map(Fault::to_string).collect();
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
        let outcome = require(&[], &[], user, &rule(&accounts));
        assert_eq!(outcome.is_ok(), fits);
        if let Err(error) = outcome {
            assert!(error.to_string().contains("usermod -a -G list bob"), "{error}");
        }
    }

    #[test]
    fn what_is_not_there_is_named_where_it_must_be_there() {
        let accounts = accounts();
        let user = accounts.users.by_name(b"list").expect("a row");
        assert_eq!(require(&[], &[Path::new("/nonexistent/p")], user, &rule(&accounts)), Ok(()));
        let error = require(&[Path::new("/nonexistent/p")], &[], user, &rule(&accounts)).expect_err("unfit");
        assert_eq!(error.0, [(PathBuf::from("/nonexistent/p"), Fault::Missing)]);
    }
}
