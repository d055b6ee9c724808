//! Findings, changes and proofs, in words or as JSON.

use super::Outcome;
use super::finding::{Cure, Finding, Row};
use crate::prove::{self, Proof};
use crate::shown::{PathFields, Shown, shown};
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// Version of the JSON document; changes when a field changes its meaning or goes away.
const JSON_FORMAT: u32 = 1;

/// The document that `check --json` prints.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'o> {
    format: u32,
    prefix: Shown<'o>,
    entries: usize,
    changes: Vec<ChangeFields<'o>>,
    findings: Vec<FindingFields<'o>>,
    proofs: Vec<ProofFields<'o>>,
    not_looked_at: &'o [String],
}

#[derive(Serialize)]
struct ChangeFields<'o> {
    row: Row,
    #[serde(flatten)]
    path: PathFields<'o>,
    from: &'o str,
    to: &'o str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct FindingFields<'o> {
    row: Row,
    #[serde(flatten)]
    path: PathFields<'o>,
    found: &'o str,
    wanted: &'o str,
    /// Whether `--fix` does something about it.
    fixable: bool,
    /// What a person can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    by_hand: Option<&'o str>,
    /// Why `--fix` did not mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_fixed: Option<&'o str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'o Proof>,
}

#[derive(Serialize)]
struct ProofFields<'o> {
    #[serde(flatten)]
    path: PathFields<'o>,
    #[serde(flatten)]
    proof: &'o Proof,
}

/// Writes the JSON document, whole or not at all.
pub(super) fn write_json(outcome: &Outcome, prefix: &Path, out: &mut dyn Write) -> io::Result<()> {
    let changes = outcome.changes.iter().map(|change| ChangeFields {
        row: change.row,
        path: PathFields::of(&change.path),
        from: &change.from,
        to: &change.to,
    });
    let findings = outcome.findings.iter().map(|(finding, not_fixed)| FindingFields {
        row: finding.row,
        path: PathFields::of(&finding.path),
        found: &finding.found,
        wanted: &finding.wanted,
        fixable: outcome.fixable(finding, not_fixed.as_deref()),
        by_hand: match &finding.cure {
            Cure::ByHand(text) => Some(text.as_str()),
            _ => None,
        },
        not_fixed: not_fixed.as_deref(),
        proof: outcome.proof_for(finding),
    });
    let proofs = outcome.proofs.iter().map(|(path, proof)| ProofFields { path: PathFields::of(path), proof });
    let document = Document {
        format: JSON_FORMAT,
        prefix: shown(prefix),
        entries: outcome.entries,
        changes: changes.collect(),
        findings: findings.collect(),
        proofs: proofs.collect(),
        not_looked_at: &outcome.troubles,
    };
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    out.write_all(&text)
}

/// Writes everything in words.
pub(super) fn write_words(outcome: &Outcome, prefix: &Path, out: &mut dyn Write) -> io::Result<()> {
    for change in &outcome.changes {
        writeln!(out, "changed  {}  {} -> {}  [{}]", shown(&change.path), change.from, change.to, change.row.name())?;
    }
    for (finding, not_fixed) in &outcome.findings {
        write_finding(finding, not_fixed.as_deref(), outcome.proof_for(finding), out)?;
    }
    for trouble in &outcome.troubles {
        writeln!(out, "not looked at  {trouble}")?;
    }
    // Those beside a finding have been printed there.
    let alone = outcome.proofs.iter().filter(|(path, _)| !outcome.findings.iter().any(|(f, _)| f.path == **path));
    for line in prove::summary(alone.map(|(path, proof)| (path.as_path(), proof))) {
        writeln!(out, "{line}")?;
    }
    let entries = plural(outcome.entries, "entry", "entries");
    let prefix = shown(prefix);
    match outcome.findings.len() {
        0 if outcome.troubles.is_empty() => writeln!(out, "no problems found in {prefix}: {entries} looked at"),
        0 => writeln!(out, "no problems found in what could be looked at of {prefix}: {entries}"),
        count => {
            let fixable =
                outcome.findings.iter().filter(|(finding, not_fixed)| outcome.fixable(finding, not_fixed.as_deref()));
            let problems = plural(count, "problem", "problems");
            writeln!(
                out,
                "{problems} found in {prefix}, of which --fix can mend {}: {entries} looked at",
                fixable.count()
            )
        }
    }
}

fn write_finding(
    finding: &Finding,
    not_fixed: Option<&str>,
    proof: Option<&Proof>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{}  [{}]", shown(&finding.path), finding.row.name())?;
    writeln!(out, "  found    {}", finding.found)?;
    writeln!(out, "  wanted   {}", finding.wanted)?;
    match (&finding.cure, not_fixed) {
        (Cure::ByHand(text), _) => writeln!(out, "  by hand  {text}")?,
        (_, Some(reason)) => writeln!(out, "  not fixed  {reason}")?,
        (_, None) => {}
    }
    match proof {
        Some(proof) => writeln!(out, "  run      {proof}"),
        None => Ok(()),
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
