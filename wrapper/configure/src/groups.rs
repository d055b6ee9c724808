//! "group-or-groups": a blank-separated list of names and numbers, of which the first that exists is taken.
//!
//! This is how Mailman's configure reads `--with-mail-gid`, `--with-cgi-gid`, `--with-username` and `--with-groupname`.
//! One difference: what Mailman keeps is the name, what is kept here is the number with its name.

use crate::accounts::{Account, Table};
use crate::id::{self, NotAnId};
use crate::shown::shown;
use std::fmt;
use std::path::PathBuf;

/// The row which a list leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved<'a, Row> {
    /// The row.
    pub(crate) row: &'a Row,
    /// Other numbers which the database gives the same name: the first row counts, and somebody should hear of it.
    pub(crate) rivals: Vec<u32>,
}

/// A list from which nothing can be taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unresolved {
    option: &'static str,
    because: Because,
}

#[derive(Debug, PartialEq, Eq)]
enum Because {
    /// Nothing in it.
    Empty,
    /// A blank at an end, or two in a row.
    EmptyEntry { list: String },
    /// Somebody wrote a comma.
    Comma { list: String },
    /// An entry looks like a number, is none, and no row has it as a name.
    Number { what: &'static str, error: NotAnId, may_be_a_name: bool },
    /// No entry exists.
    NoneExists { what: &'static str, file: PathBuf, tried: Vec<String> },
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = self.option;
        match &self.because {
            Because::Empty => write!(f, "{option} is empty; give a name, a number, or several separated by blanks"),
            Because::EmptyEntry { list } => write!(
                f,
                "{option}=\"{list}\" has an empty entry (a blank at an end, or two in a row); \
                 was a variable of your shell empty? Separate the entries by one blank"
            ),
            Because::Comma { list } => {
                write!(
                    f,
                    "{option}=\"{list}\" has a comma; separate the entries by blanks, as Mailman's configure does"
                )
            }
            Because::Number { what, error, may_be_a_name } => {
                write!(f, "{option}: {error}")?;
                if *may_be_a_name { write!(f, "; and no {what} has that name") } else { Ok(()) }
            }
            Because::NoneExists { what, file, tried } => {
                write!(f, "{option}: no such {what} in {}; tried ", shown(file))?;
                f.write_str(&tried.join(", "))?;
                write!(f, "; create the {what}, or give {option} one that exists")
            }
        }
    }
}

impl std::error::Error for Unresolved {}

/// Finds the first entry of `list` that exists in `table`.
///
/// # Errors
/// The list is malformed, or nothing in it exists: then the error lists what was tried.
pub(crate) fn resolve<'a, Row: Account>(
    option: &'static str,
    list: &[u8],
    table: &'a Table<Row>,
) -> Result<Resolved<'a, Row>, Unresolved> {
    let fail = |because| Err(Unresolved { option, because });
    let shown = || list.escape_ascii().to_string();
    if list.is_empty() {
        return fail(Because::Empty);
    }
    if list.contains(&b',') {
        return fail(Because::Comma { list: shown() });
    }
    let entries: Vec<&[u8]> = list.split(|byte| byte.is_ascii_whitespace()).collect();
    if entries.iter().any(|entry| entry.is_empty()) {
        return fail(Because::EmptyEntry { list: shown() });
    }
    let mut found = None;
    let mut tried = Vec::new();
    // Every entry is looked at, not only those before the first that exists: a misspelt number is an error even where
    // today's database does not need it.
    for entry in entries {
        match look_up(entry, table) {
            Ok(Some(row)) => found = found.or(Some(row)),
            Ok(None) => tried.push(describe_absent(entry, table)),
            Err(error) => {
                let may_be_a_name = !entry.iter().all(u8::is_ascii_digit);
                return fail(Because::Number { what: Row::WHAT, error, may_be_a_name });
            }
        }
    }
    let Some(row) = found else {
        return fail(Because::NoneExists { what: Row::WHAT, file: table.path.clone(), tried });
    };
    let mut rivals: Vec<u32> = table.rows.iter().filter(|r| r.name() == row.name()).map(Account::number).collect();
    rivals.retain(|&number| number != row.number());
    rivals.dedup();
    Ok(Resolved { row, rivals })
}

/// A row of this name, else of this number. Names come first where an entry begins with a digit or sign but is no
/// number (groups such as `3proxy` exist); what is neither is an error.
fn look_up<'a, Row: Account>(entry: &[u8], table: &'a Table<Row>) -> Result<Option<&'a Row>, NotAnId> {
    let error = match id::parse(entry) {
        Ok(number) => return Ok(table.by_number(number)),
        Err(error) => error,
    };
    let only_digits = entry.iter().all(u8::is_ascii_digit);
    match table.by_name(entry) {
        Some(row) if !only_digits => Ok(Some(row)),
        _ if matches!(entry[0], b'0'..=b'9' | b'+' | b'-') => Err(error),
        _ => Ok(None),
    }
}

/// The entry, with the reason where the database has a row for it that cannot be used.
fn describe_absent<Row: Account>(entry: &[u8], table: &Table<Row>) -> String {
    let entry_shown = entry.escape_ascii();
    match table.spoiled.iter().find(|row| row.name == entry) {
        Some(row) => format!("{entry_shown} (line {} is unusable: {})", row.line, row.reason),
        None => entry_shown.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Group;
    use rstest::rstest;
    use std::path::Path;

    fn groups() -> Table<Group> {
        let text = b"mail:x:8:\nlist:x:38:\nmail:x:9:\n3proxy:x:40:\nbroken:x:+5:\n";
        Table::parse(Path::new("/etc/group"), text)
    }

    #[rstest]
    #[case::one_name("mail", 8)]
    #[case::one_number("38", 38)]
    #[case::first_that_exists("mailman other mail daemon", 8)]
    #[case::number_after_absent_name("mailman 38 mail", 38)]
    #[case::absent_number_is_passed_over("4242 list", 38)]
    #[case::name_that_begins_with_a_digit("3proxy", 40)]
    fn resolved(#[case] list: &str, #[case] gid: u32) {
        assert_eq!(resolve("--with-mail-gid", list.as_bytes(), &groups()).map(|r| r.row.gid), Ok(gid));
    }

    #[rstest]
    #[case::none_exists("mailman other", "no such group in /etc/group; tried mailman, other;")]
    #[case::absent_number("4242", "tried 4242")]
    #[case::spoiled_row("broken", "broken (line 5 is unusable: +5 is not a number")]
    #[case::comma("mail,list", "has a comma")]
    #[case::empty("", "is empty")]
    #[case::leading_blank(" 33", "empty entry")]
    #[case::trailing_blank("33 ", "empty entry")]
    #[case::letter("33x", "33x is not a number")]
    #[case::hexadecimal("0x21", "decimal")]
    #[case::sign("+33", "no sign")]
    #[case::octal("033", "octal")]
    #[case::minus_one("-1", "no sign")]
    #[case::minus_one_unsigned("4294967295", "leave it as it is")]
    #[case::wraps_to_33("4294967329", "wrap round")]
    #[case::bad_number_after_a_group_that_exists("mail 33x", "33x is not a number")]
    fn refused(#[case] list: &str, #[case] reason: &str) {
        let error = resolve("--with-mail-gid", list.as_bytes(), &groups()).expect_err("refused").to_string();
        assert!(error.contains(reason), "{error}");
        assert!(error.contains("--with-mail-gid"), "{error}");
    }

    #[test]
    fn another_number_for_the_same_name_is_reported() {
        let table = groups();
        assert_eq!(resolve("--with-mail-gid", b"mail", &table).map(|r| r.rivals), Ok(vec![9]));
        assert_eq!(resolve("--with-mail-gid", b"list", &table).map(|r| r.rivals), Ok(vec![]));
    }
}
