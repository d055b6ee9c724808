//! Names of groups, as /etc/group has them. See group(5).

use std::fmt;

/// The group database at the moment of the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupDatabase {
    /// There is none.
    Absent,
    /// It cannot be read: permissions, a directory in its place, an error.
    Unreadable,
    /// Its rows in order, as name and number. Names may repeat, and numbers too.
    Rows(Vec<(String, u32)>),
}

impl GroupDatabase {
    /// Name of the first row with this number, as getgrgid(3) finds it.
    pub fn name_of(&self, gid: u32) -> Option<&str> {
        match self {
            Self::Absent | Self::Unreadable => None,
            Self::Rows(rows) => rows.iter().find(|row| row.1 == gid).map(|row| row.0.as_str()),
        }
    }

    /// A number with its name, for a sentence.
    pub fn describe(&self, gid: u32) -> impl fmt::Display {
        match self.name_of(gid) {
            Some(name) => format!("{name} {gid}"),
            None => format!("{gid} (no name)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GroupDatabase;
    use rstest::rstest;

    #[rstest]
    #[case::one_row(&[("mail", 8)], 8, Some("mail"))]
    #[case::no_row(&[("mail", 8)], 9, None)]
    #[case::two_names_for_one_number(&[("post", 8), ("mail", 8)], 8, Some("post"))]
    #[case::one_name_for_two_numbers(&[("mail", 8), ("mail", 9)], 9, Some("mail"))]
    fn the_first_row_counts(#[case] rows: &[(&str, u32)], #[case] gid: u32, #[case] name: Option<&str>) {
        let rows = rows.iter().map(|&(name, gid)| (name.to_owned(), gid)).collect();
        assert_eq!(GroupDatabase::Rows(rows).name_of(gid), name);
    }

    #[test]
    fn without_a_database_nothing_has_a_name() {
        assert_eq!(GroupDatabase::Absent.name_of(0), None);
        assert_eq!(GroupDatabase::Unreadable.name_of(0), None);
    }
}
