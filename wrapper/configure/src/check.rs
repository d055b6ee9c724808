//! `check`: is an installation as it should be? Every rule of Mailman's check_perms, and what that never looked at.
//!
//! Rules are pure functions of what stat(2) and the sealed policy say; this module gathers, judges, mends with `--fix`
//! until nothing changes, and proves with `--prove` by running the wrappers.

mod ancestors;
mod finding;
mod fix;
mod installation;
mod report;
#[cfg(test)]
mod testing;
mod tree;
mod walk;
mod wrappers;

use crate::cli;
use crate::prove::{self, Proof};
use crate::stat::{FileKind, Stat};
use crate::status::Status;
pub(crate) use finding::Row;
use finding::{Cure, Finding};
use fix::{Change, NotFixed};
use installation::Installation;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use walk::{Trouble, Walk};
use wrapper::policy::Task;
use wrappers::{WrapperFile, Wrappers};

/// A group that changes costs a wrapper its bits, which the next round gives back, after which nothing changes.
const MOST_ROUNDS: usize = 4;

/// What `check` has to say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Entries looked at.
    entries: usize,
    /// What was changed.
    changes: Vec<Change>,
    /// What is still wrong, with the reason where `--fix` tried.
    findings: Vec<(Finding, Option<String>)>,
    /// What the wrappers showed.
    proofs: BTreeMap<PathBuf, Proof>,
    /// What could not be looked at.
    troubles: Vec<Trouble>,
}

impl Outcome {
    fn status(&self) -> Status {
        match (self.troubles.is_empty(), self.findings.is_empty()) {
            (false, _) => Status::UsageOrNotLookedAt,
            (true, false) => Status::FailedOrFound,
            (true, true) => Status::Done,
        }
    }

    /// Whether `--fix` can do something about a finding: not where it tried, and not where something else about a
    /// wrapper keeps it from being given any bit.
    fn fixable(&self, finding: &Finding, not_fixed: Option<&str>) -> bool {
        let bars = |other: &Finding| {
            let rows = [Row::WrapperFile, Row::WrapperOwner, Row::SealedPolicy, Row::SealedAccount];
            other.path == finding.path && rows.contains(&other.row)
        };
        let barred = || self.findings.iter().any(|(other, _)| bars(other));
        match finding.cure {
            _ if not_fixed.is_some() => false,
            Cure::ByHand(_) => false,
            Cure::Wrapper { .. } => !barred(),
            _ => true,
        }
    }

    /// The run which bears on a finding.
    fn proof_for(&self, finding: &Finding) -> Option<&Proof> {
        self.proofs.get(&finding.path)
    }
}

/// Runs `check`.
///
/// # Errors
/// The installation is not known, or the report cannot be written; exit status 2.
pub(crate) fn run(arguments: &cli::Check, out: &mut dyn Write) -> Result<Status, Box<dyn Error>> {
    let installation = Installation::learn(arguments)?;
    let mut outcome = if arguments.fix { mend(&installation)? } else { look(&installation) };
    if arguments.prove {
        prove(&installation, &mut outcome);
    }
    let prefix = &installation.layout.prefix;
    if arguments.json {
        report::write_json(&outcome, prefix, out)?;
    } else {
        report::write_words(&outcome, prefix, out)?;
    }
    Ok(outcome.status())
}

/// Looks at everything, changes nothing.
fn look(installation: &Installation) -> Outcome {
    let wrappers = Wrappers::read(installation);
    let mut findings = wrappers.absent.clone();
    let mut visit = |node: &walk::Node| findings.extend(tree::findings(node, installation));
    let mut walk = Walk::new(&mut visit);
    for root in roots(installation) {
        walk.below(root);
    }
    let (entries, mut troubles) = (walk.entries, walk.troubles);
    for file in &wrappers.files {
        findings.extend(wrappers::findings(file, installation));
    }
    findings.extend(way_findings(installation, &wrappers.files, &mut troubles));
    troubles.extend(wrappers.troubles);
    findings.sort_by(|a, b| (&a.path, a.row).cmp(&(&b.path, b.row)));
    Outcome { entries, findings: findings.into_iter().map(|f| (f, None)).collect(), troubles, ..Outcome::default() }
}

/// Mends what can be mended, looks again, and so on until nothing changes.
fn mend(installation: &Installation) -> Result<Outcome, Box<dyn Error>> {
    if let Some(reason) = &installation.unanchored {
        return Err(format!("nothing was changed: {reason}").into());
    }
    let mut changes = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let mut outcome = look(installation);
        if let Some(step) = unsafe_ancestor(installation, &outcome) {
            return Err(format!(
                "nothing was changed: {}: {}; whoever can write above the installation could lead --fix elsewhere, \
                 so mend that first",
                step.path.display(),
                step.found
            )
            .into());
        }
        let before = changes.len();
        for (finding, not_fixed) in &mut outcome.findings {
            match fix::apply(finding, installation) {
                Ok(change) => changes.extend(change),
                Err(NotFixed::ByHand) => {}
                Err(reason) => *not_fixed = Some(reason.to_string()),
            }
        }
        if changes.len() == before {
            outcome.changes = changes;
            return Ok(outcome);
        }
    }
    // Somebody else changes the same files.
    let mut outcome = look(installation);
    outcome.changes = changes;
    outcome.troubles.push(format!("after {MOST_ROUNDS} rounds of changes there is still something to change"));
    Ok(outcome)
}

fn unsafe_ancestor<'o>(installation: &Installation, outcome: &'o Outcome) -> Option<&'o Finding> {
    let above = |path: &Path| roots(installation).iter().any(|root| root.starts_with(path) && *root != path);
    outcome.findings.iter().map(|(finding, _)| finding).find(|f| f.row == Row::Path && above(&f.path))
}

/// The prefixes, without those below another one.
fn roots(installation: &Installation) -> Vec<&Path> {
    let all = installation.layout.directories();
    let nested = |path: &Path| all.iter().any(|other| *other != path && path.starts_with(other));
    all.iter().copied().filter(|path| !nested(path)).collect()
}

/// The way to the wrappers, and to everything that they start.
fn way_findings(installation: &Installation, files: &[WrapperFile], troubles: &mut Vec<Trouble>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in ancestors::ways(&targets(installation, files)) {
        match Stat::if_there(&step) {
            Ok(Some(stat)) => findings.extend(ancestors::judge(&step, &stat, installation)),
            Ok(None) => {}
            Err(errno) => troubles.push(format!("{}: {}", step.display(), errno.desc())),
        }
    }
    findings
}

fn targets(installation: &Installation, files: &[WrapperFile]) -> Vec<PathBuf> {
    let layout = &installation.layout;
    let mut targets: Vec<PathBuf> = layout.directories().into_iter().map(Path::to_owned).collect();
    targets.extend([layout.prefix.join("scripts"), layout.exec_prefix.join("mail"), layout.cgi_directory()]);
    for file in files {
        let Some(policy) = file.policy() else { continue };
        let scripts = Path::new(policy.prefix).join("scripts");
        targets.extend(policy.interpreter.map(|interpreter| PathBuf::from(interpreter.path)));
        match policy.task {
            Task::Mail { commands } => targets.extend(commands.iter().map(|command| scripts.join(command))),
            Task::Cgi { .. } => targets.push(scripts.join("driver")),
        }
    }
    targets
}

/// Runs every wrapper whose owner is trusted, and adds what only a run shows.
fn prove(installation: &Installation, outcome: &mut Outcome) {
    for file in Wrappers::read(installation).files {
        let proof = match file.policy() {
            _ if file.stat.kind != FileKind::File => continue,
            None => Proof::NotRun { because: "it has no sound policy".to_owned() },
            Some(_) if !installation.trusted_owners.contains(&file.stat.uid) => Proof::NotRun {
                because: format!("it belongs to {}", installation.accounts.users.describe(file.stat.uid)),
            },
            Some(policy) => prove::prove(&file.path, &policy, &installation.accounts),
        };
        if proof.refutes() && !outcome.findings.iter().any(|(finding, _)| finding.path == file.path) {
            let finding = Finding::by_hand(
                Row::Proof,
                &file.path,
                "its permissions are right, but it does not work".to_owned(),
                "a refusal of a caller from another group",
                "see what its run says; a process that may not gain privileges, or a user namespace, can cause it"
                    .to_owned(),
            );
            outcome.findings.push((finding, None));
        }
        outcome.proofs.insert(file.path.clone(), proof);
    }
}
