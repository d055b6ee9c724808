//! Which identities were tried with which installation modes: rows are invokers, columns are owner, group, mode and
//! mount of the subject. A cell that no case covers is marked, so that what was not tested is seen.

use crate::run::event::{CaseFinished, Event, Setting};
use crate::run::words::word;
use lab_invocation::Identity;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// Collects a run.
#[derive(Debug, Default)]
pub struct Coverage {
    settings: BTreeMap<u32, Arc<Setting>>,
    cells: BTreeMap<(String, String), BTreeMap<String, usize>>,
    columns: BTreeSet<String>,
}

/// How the table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A Markdown table.
    Markdown,
    /// Comma-separated values (RFC 4180).
    Csv,
}

/// Text of a cell that no case covers.
const UNTESTED: &str = "untested";

impl Coverage {
    /// Takes an event.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Setting(setting) => {
                self.settings.insert(setting.setting, Arc::clone(setting));
            }
            Event::CaseFinished(case) => {
                let Some(setting) = self.settings.get(&case.setting) else { return };
                let (row, column) = (invoker(&case.invocation.identity, setting), installation(case, setting));
                let verdict = word(&case.verdict);
                let says =
                    if verdict == "pass" { case.expected.clone() } else { format!("{verdict}: {}", case.expected) };
                self.columns.insert(column.clone());
                *self.cells.entry((row, column)).or_default().entry(says).or_default() += 1;
            }
            _ => {}
        }
    }

    /// The table.
    pub fn text(&self, form: Form) -> String {
        let rows: BTreeSet<&String> = self.cells.keys().map(|(row, _)| row).collect();
        let mut table = vec![std::iter::once("invoker".to_owned()).chain(self.columns.iter().cloned()).collect()];
        for row in rows {
            let cells = self.columns.iter().map(|column| self.cell(row, column));
            table.push(std::iter::once(row.clone()).chain(cells).collect::<Vec<_>>());
        }
        match form {
            Form::Markdown => markdown(&table),
            Form::Csv => csv(&table),
        }
    }

    fn cell(&self, row: &str, column: &str) -> String {
        let Some(seen) = self.cells.get(&(row.to_owned(), column.to_owned())) else { return UNTESTED.to_owned() };
        let parts: Vec<String> = seen
            .iter()
            .map(|(says, count)| if *count == 1 { says.clone() } else { format!("{says} ×{count}") })
            .collect();
        parts.join("; ")
    }
}

fn invoker(identity: &Identity, setting: &Setting) -> String {
    let names = &setting.names;
    let mut text = format!("{} : {}", names.user(identity.uid), names.group(identity.gid));
    if identity.effective_gid != identity.gid {
        let _ = write!(text, ", effective {}", names.group(identity.effective_gid));
    }
    if identity.effective_uid != identity.uid {
        let _ = write!(text, ", effective user {}", names.user(identity.effective_uid));
    }
    if !identity.groups.is_empty() {
        let groups: Vec<String> = identity.groups.iter().map(|&gid| names.group(gid)).collect();
        let _ = write!(text, " + {}", groups.join(", "));
    }
    text
}

fn installation(case: &CaseFinished, setting: &Setting) -> String {
    let (subject, names) = (&case.subject, &setting.names);
    let name = |text: String| text.split(' ').next().unwrap_or_default().to_owned();
    let owner = name(names.user(subject.owner));
    let group = name(names.group(subject.group));
    let mut text = format!("{:04o} {owner}:{group}", subject.mode);
    let path = subject.path.as_slice();
    let over = |at: &[u8]| path.strip_prefix(at).is_some_and(|rest| at == b"/" || rest.is_empty() || rest[0] == b'/');
    for mount in setting.layout.mounts.iter().filter(|mount| over(mount.at.as_slice())) {
        let flags = [
            (mount.flags.nosuid, "nosuid"),
            (mount.flags.noexec, "noexec"),
            (mount.flags.nodev, "nodev"),
            (mount.flags.read_only, "ro"),
        ];
        for (_, flag) in flags.iter().filter(|(set, _)| *set) {
            let _ = write!(text, " {flag}");
        }
    }
    let transition = &case.invocation.transition;
    let conditions = [
        (transition.no_new_privs, "no_new_privs"),
        (transition.tracer.is_some(), "traced"),
        (transition.share_fs, "shared-fs"),
        (!transition.unmapped_gids.is_empty() || !transition.unmapped_uids.is_empty(), "unmapped"),
        (transition.foreign_mount, "foreign-mount"),
    ];
    for (_, condition) in conditions.iter().filter(|(set, _)| *set) {
        let _ = write!(text, " {condition}");
    }
    text
}

fn markdown(table: &[Vec<String>]) -> String {
    let mut out = String::new();
    for (number, row) in table.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
        if number == 0 {
            let _ = writeln!(out, "|{}", "---|".repeat(row.len()));
        }
    }
    out
}

fn csv(table: &[Vec<String>]) -> String {
    let mut out = String::new();
    for row in table {
        let cells: Vec<String> = row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}
