//! The credential ledger of a report: who had which group numbers, with names, and what was compared with what.

use crate::case::Case;
use crate::diagnose::bit;
use lab_invocation::{Credentials, Evidence, Gid};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The group numbers of each process of a case, in order of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// One row a process image.
    pub rows: Vec<Row>,
    /// The comparison that decides, in words.
    pub checked: String,
}

/// One process image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Who.
    pub who: String,
    /// Real gid with its name.
    pub real: String,
    /// Effective gid with its name.
    pub effective: String,
    /// Saved gid with its name.
    pub saved: String,
    /// Supplementary groups with their names, or `none`.
    pub supplementary: String,
}

/// Makes the ledger of a case. The invoker's row was read back by the launcher just before exec, the script's by the
/// witness. The row of the subject between them follows from execve(2) and what was observed of its file; it is left
/// out where that was not observed.
pub fn ledger(case: &Case, evidence: &Evidence) -> Ledger {
    let group = |gid: Gid| case.names.group(gid);
    let row = |who: &str, ids: &Credentials| {
        let mut supplementary: Vec<String> = ids.groups.iter().map(|&gid| group(gid)).collect();
        supplementary.dedup();
        Row {
            who: who.to_owned(),
            real: group(ids.gid.real),
            effective: group(ids.gid.effective),
            saved: group(ids.gid.saved),
            supplementary: if supplementary.is_empty() { "none".to_owned() } else { supplementary.join(", ") },
        }
    };
    let tool = case.subject.is_tool();
    let mut rows = Vec::new();
    let mut real = None;
    if let Some(invoker) = &evidence.invoker.credentials {
        real = Some(invoker.gid.real);
        rows.push(row("invoker", invoker));
        if let Some(effective) = bit::effective_after_exec(case, evidence) {
            let mut after = invoker.clone();
            after.gid.effective = effective;
            after.gid.saved = effective;
            rows.push(row(if tool { "tool, by execve(2)" } else { "wrapper, by execve(2)" }, &after));
        }
    }
    for script in &evidence.witness {
        rows.push(row("script", &script.credentials));
    }
    let trusted = &case.subject.policy.trusts;
    let checked = match real {
        _ if tool => "nothing: the tool seals and installs, and admits nobody".to_owned(),
        Some(real) if real == trusted.gid => format!("{} is the trusted group", group(real)),
        Some(real) => format!("{} is not the trusted group, {} {}", group(real), trusted.name, trusted.gid),
        None => "the invoker's ids were not observed".to_owned(),
    };
    Ledger { rows, checked }
}

impl fmt::Display for Ledger {
    /// A table whose columns are as wide as their widest cell, without a final line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["", "real gid", "effective gid", "saved gid", "supplementary"].map(str::to_owned);
        let mut table = vec![head];
        for row in self.rows.iter().cloned() {
            table.push([row.who, row.real, row.effective, row.saved, row.supplementary]);
        }
        let width = |column: usize| table.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
        let widths = [width(0).max("checked".len()), width(1), width(2), width(3)];
        for [who, real, effective, saved, supplementary] in &table {
            let [a, b, c, d] = widths;
            let line = format!("{who:a$}  {real:b$}  {effective:c$}  {saved:d$}  {supplementary}");
            writeln!(f, "{}", line.trim_end())?;
        }
        write!(f, "{:width$}  {}", "checked", self.checked, width = widths[0])
    }
}
