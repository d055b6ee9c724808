//! Names and numbers, from the files alone: what a directory service adds is not asked.

use super::{below, saw};
use crate::finding::Observation;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// The rows of `/etc/group` and `/etc/passwd`, in their order.
pub(super) struct Accounts {
    groups: Result<Vec<(String, u32)>, io::Error>,
    users: BTreeMap<u32, String>,
}

impl Accounts {
    pub(super) fn read(root: &Path) -> Self {
        let users = rows(root, "/etc/passwd").unwrap_or_default();
        // The first row of a number is the one that counts.
        let users = users.into_iter().rev().map(|(name, uid)| (uid, name)).collect();
        Self { groups: rows(root, "/etc/group"), users }
    }

    /// What the database says of a group, by name or number.
    pub(super) fn group(&self, wanted: &str) -> Observation {
        let rows = match &self.groups {
            Ok(rows) => rows,
            Err(error) => return saw("/etc/group", format!("group {wanted}: cannot be read: {error}")),
        };
        let number: Option<u32> = wanted.parse().ok();
        let fits = |(name, gid): &&(String, u32)| name == wanted || Some(*gid) == number;
        let found: Vec<&(String, u32)> = rows.iter().filter(fits).collect();
        let text = match found.as_slice() {
            [] => format!("group {wanted}: no row in the file (a directory service was not asked)"),
            [(name, gid)] => {
                let others: Vec<&str> =
                    rows.iter().filter(|row| row.1 == *gid && row.0 != *name).map(|row| row.0.as_str()).collect();
                let also =
                    if others.is_empty() { String::new() } else { format!(", which is also {}", others.join(", ")) };
                format!("group {wanted}: {name} is gid {gid}{also}")
            }
            several => {
                let several: Vec<String> = several.iter().map(|(name, gid)| format!("{name} is gid {gid}")).collect();
                format!("group {wanted}: {} rows: {}", several.len(), several.join(", "))
            }
        };
        saw("/etc/group", text)
    }

    pub(super) fn group_name(&self, gid: u32) -> String {
        let rows = self.groups.as_ref().map(Vec::as_slice).unwrap_or_default();
        rows.iter().find(|row| row.1 == gid).map_or_else(|| gid.to_string(), |row| row.0.clone())
    }

    pub(super) fn user_name(&self, uid: u32) -> String {
        self.users.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
    }
}

/// Name and number of each row that has both.
fn rows(root: &Path, file: &str) -> Result<Vec<(String, u32)>, io::Error> {
    let text = fs::read(below(root, Path::new(file)))?;
    let text = String::from_utf8_lossy(&text);
    let row = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
    };
    Ok(text.lines().filter_map(row).collect())
}
