//! The user and group database, as two files in the form of passwd(5) and group(5).
//!
//! Files only, never the name service switch: what is sealed into a set-group-ID program must be what an administrator
//! can read in a file and show to somebody else. Accounts that live in LDAP or systemd are brought in with
//! `getent group > FILE` and `--group-file=FILE`.

use crate::id::{self, NotAnId};
use crate::opened::Opened;
use crate::shown::shown;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// More than any real database; a bound because anything can be named on the command line.
const LARGEST_FILE: u64 = 64 << 20;

/// One row of group(5). The password field is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Name, as bytes: nothing in the format makes it text.
    pub(crate) name: Vec<u8>,
    /// Number.
    pub(crate) gid: u32,
    /// Names of the users who have it as a supplementary group.
    pub(crate) members: Vec<Vec<u8>>,
}

/// One row of passwd(5); only the fields which decide something here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// Name, as bytes.
    pub(crate) name: Vec<u8>,
    /// Number.
    pub(crate) uid: u32,
    /// Primary group.
    pub(crate) gid: u32,
}

/// A row that cannot be used, kept so that "no such group" can say why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpoiledRow {
    /// Counted from 1.
    pub(crate) line: usize,
    /// First field.
    pub(crate) name: Vec<u8>,
    /// What is wrong.
    pub(crate) reason: SpoiledBecause,
}

/// Why a row cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SpoiledBecause {
    /// The row has fewer fields than this.
    FewerFieldsThan(usize),
    /// A number field holds this.
    Number(NotAnId),
}

impl fmt::Display for SpoiledBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewerFieldsThan(count) => write!(f, "fewer than {count} fields"),
            Self::Number(error) => write!(f, "{error}"),
        }
    }
}

/// The rows of one database file, in the order of the file: where two rows compete, the first one counts, as in
/// getgrnam(3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table<Row> {
    /// Where it was read from.
    pub(crate) path: PathBuf,
    /// Usable rows.
    pub(crate) rows: Vec<Row>,
    /// The others.
    pub(crate) spoiled: Vec<SpoiledRow>,
}

/// A row with a name and a number.
pub(crate) trait Account: Sized {
    /// `group` or `user`, for messages.
    const WHAT: &'static str;
    /// Fewest fields of a row.
    const FIELDS: usize;
    /// Makes a row from its fields, of which there are at least [`Account::FIELDS`].
    fn from_fields(fields: &[&[u8]]) -> Result<Self, NotAnId>;
    /// Its name.
    fn name(&self) -> &[u8];
    /// Its number.
    fn number(&self) -> u32;
}

impl Account for Group {
    const WHAT: &'static str = "group";
    const FIELDS: usize = 3;

    fn from_fields(fields: &[&[u8]]) -> Result<Self, NotAnId> {
        let members = fields.get(3).copied().unwrap_or_default();
        Ok(Self {
            name: fields[0].to_vec(),
            gid: id::parse(fields[2])?,
            members: members.split(|&byte| byte == b',').filter(|m| !m.is_empty()).map(<[u8]>::to_vec).collect(),
        })
    }

    fn name(&self) -> &[u8] {
        &self.name
    }

    fn number(&self) -> u32 {
        self.gid
    }
}

impl Account for User {
    const WHAT: &'static str = "user";
    const FIELDS: usize = 4;

    fn from_fields(fields: &[&[u8]]) -> Result<Self, NotAnId> {
        Ok(Self { name: fields[0].to_vec(), uid: id::parse(fields[2])?, gid: id::parse(fields[3])? })
    }

    fn name(&self) -> &[u8] {
        &self.name
    }

    fn number(&self) -> u32 {
        self.uid
    }
}

impl<Row: Account> Table<Row> {
    /// Reads a whole file.
    ///
    /// # Errors
    /// The file cannot be read, is no regular file, or is larger than 64 MiB.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut text = Vec::new();
        let opened = Opened::named(path)?;
        if !opened.is_file() {
            // A FIFO that nobody writes to would be waited for without end.
            return Err(io::Error::other("no regular file; copy its content into one"));
        }
        opened.file.take(LARGEST_FILE + 1).read_to_end(&mut text)?;
        if text.len() as u64 > LARGEST_FILE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 MiB"));
        }
        Ok(Self::parse(path, &text))
    }

    /// Takes a database apart. Empty lines, comments and the compat entries of nsswitch.conf(5) (`+`, `-`) are no rows.
    pub(crate) fn parse(path: &Path, text: &[u8]) -> Self {
        let mut table = Self { path: path.to_owned(), rows: Vec::new(), spoiled: Vec::new() };
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            if line.is_empty() || matches!(line[0], b'#' | b'+' | b'-') {
                continue;
            }
            let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
            let row = if fields.len() < Row::FIELDS {
                Err(SpoiledBecause::FewerFieldsThan(Row::FIELDS))
            } else {
                Row::from_fields(&fields).map_err(SpoiledBecause::Number)
            };
            match row {
                Ok(row) => table.rows.push(row),
                Err(reason) => table.spoiled.push(SpoiledRow { line: index + 1, name: fields[0].to_vec(), reason }),
            }
        }
        table
    }

    /// First row with this name.
    pub(crate) fn by_name(&self, name: &[u8]) -> Option<&Row> {
        self.rows.iter().find(|row| row.name() == name)
    }

    /// First row with this number.
    pub(crate) fn by_number(&self, number: u32) -> Option<&Row> {
        self.rows.iter().find(|row| row.number() == number)
    }

    /// `list 38`, or `38 (no name)`.
    pub(crate) fn describe(&self, number: u32) -> String {
        match self.by_number(number) {
            Some(row) => format!("{} {number}", row.name().escape_ascii()),
            None => format!("{number} (no name)"),
        }
    }
}

/// Both databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accounts {
    /// group(5).
    pub(crate) groups: Table<Group>,
    /// passwd(5).
    pub(crate) users: Table<User>,
}

/// A database that cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// `group` or `user`.
    what: &'static str,
    /// Option that names another file.
    option: &'static str,
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, option, path, error } = self;
        write!(f, "cannot read the {what} database {}: {error}; {option}=FILE names another one", shown(path))
    }
}

impl std::error::Error for Unreadable {}

impl Accounts {
    /// Reads both databases.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(crate) fn read(group_file: &Path, passwd_file: &Path) -> Result<Self, Unreadable> {
        let unreadable = |what, option, path: &Path, error| Unreadable { what, option, path: path.to_owned(), error };
        Ok(Self {
            groups: Table::read(group_file).map_err(|e| unreadable("group", "--group-file", group_file, e))?,
            users: Table::read(passwd_file).map_err(|e| unreadable("user", "--passwd-file", passwd_file, e))?,
        })
    }

    /// Whether the database gives the user this group, as primary or as supplementary group.
    pub(crate) fn is_member(&self, user: &User, gid: u32) -> bool {
        user.gid == gid || self.groups.rows.iter().any(|group| group.gid == gid && group.members.contains(&user.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const GROUP: &[u8] =
        b"root:x:0:\n# comment\n+::::\nmail:x:8:alice,bob\nbroken:x:33x:\nshort:x\npost:x:8:\nmail:x:9:\nlast:x:7";

    fn groups() -> Table<Group> {
        Table::parse(Path::new("group"), GROUP)
    }

    #[rstest]
    #[case::first_of_two_names(b"mail", Some(8))]
    #[case::second_name_of_a_number(b"post", Some(8))]
    #[case::no_final_newline(b"last", Some(7))]
    #[case::compat_entry(b"+", None)]
    #[case::broken_number(b"broken", None)]
    #[case::prefix_is_not_a_name(b"mai", None)]
    fn by_name(#[case] name: &[u8], #[case] gid: Option<u32>) {
        assert_eq!(groups().by_name(name).map(|group| group.gid), gid);
    }

    #[test]
    fn the_first_name_of_a_number_counts() {
        assert_eq!(groups().describe(8), "mail 8");
        assert_eq!(groups().describe(77), "77 (no name)");
    }

    #[test]
    fn rows_that_cannot_be_used_are_kept_with_their_line() {
        let spoiled: Vec<_> =
            groups().spoiled.into_iter().map(|row| (row.line, row.name, row.reason.to_string())).collect();
        assert_eq!(
            spoiled,
            [
                (5, b"broken".to_vec(), "33x is not a number: only the digits 0 to 9 make one".to_owned()),
                (6, b"short".to_vec(), "fewer than 3 fields".to_owned()),
            ]
        );
    }

    #[test]
    fn membership_is_primary_or_listed() {
        let accounts = Accounts {
            groups: groups(),
            users: Table::parse(Path::new("passwd"), b"alice:x:1:100::/:\ncarol:x:2:8::/:\ndave:x:3:100::/:\n"),
        };
        let member = |name| accounts.is_member(accounts.users.by_name(name).expect("a row of the table"), 8);
        assert!(member(b"alice"));
        assert!(member(b"carol"));
        assert!(!member(b"dave"));
    }

    #[test]
    fn an_absent_file_is_named_with_the_option() {
        let error = Accounts::read(Path::new("/nonexistent/group"), Path::new("/etc/passwd")).expect_err("absent");
        let text = error.to_string();
        assert!(text.contains("/nonexistent/group") && text.contains("--group-file=FILE"), "{text}");
    }
}
