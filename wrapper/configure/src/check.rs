//! `check`: is an installation as it should be? Every rule of Mailman's check_perms, and what that never looked at.
//!
//! Rules are pure functions of what stat(2) and the sealed policy say; this module gathers, judges, mends with `--fix`
//! until nothing changes, and proves with `--prove` by running the wrappers.

mod ancestors;
mod finding;
mod fix;
mod installation;
mod report;
mod starts;
#[cfg(test)]
mod testing;
mod tree;
mod walk;
mod wrappers;

use crate::cli;
use crate::prove::{self, Proof};
use crate::shown::shown;
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
use walk::{Trouble, Walk, trouble};
use wrappers::{Place, WrapperFile, Wrappers};

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
            let rows = [Row::WrapperFile, Row::WrapperOwner, Row::SealedPolicy, Row::SealedAccount, Row::CgiPage];
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
    findings.extend(wrappers.odd_groups());
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
    if let Some(reason) = not_vouched_for(installation) {
        return Err(format!("nothing was changed: {reason}").into());
    }
    let mut changes = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let mut outcome = look(installation);
        if let Some(step) = unsafe_ancestor(installation) {
            return Err(format!(
                "nothing was changed: {}: {}; whoever can write above the installation could lead --fix elsewhere, \
                 so mend that first",
                shown(&step.path),
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

/// Whoever can write above a prefix can put another directory in its place.
fn unsafe_ancestor(installation: &Installation) -> Option<Finding> {
    roots(installation).into_iter().flat_map(|root| root.ancestors().skip(1)).find_map(|step| {
        let stat = Stat::of(step).ok()?;
        ancestors::judge(step, &stat, installation)
    })
}

/// Why this may be no installation of Mailman, whose groups and modes --fix would give to everything in it.
fn not_vouched_for(installation: &Installation) -> Option<String> {
    let layout = &installation.layout;
    if !Wrappers::read(installation).files.iter().any(|file| file.vouches(installation)) {
        return Some(format!(
            "there is no sealed wrapper of root, of you or of --with-username, writable for its owner only, whose policy \
             names {} and group {}; install one first",
            shown(&layout.prefix),
            installation.own.name
        ));
    }
    // No policy names the others, but `install` has asked the same of them.
    let other = layout.directories().into_iter().find(|directory| {
        !directory.starts_with(&layout.prefix) && !Stat::of(directory).is_ok_and(|stat| stat.gid == installation.own.id)
    })?;
    let own = &installation.own;
    Some(format!(
        "{} does not belong to group {own}; give it to that group with chgrp if it is Mailman's",
        shown(other)
    ))
}

/// The prefixes, without those below another one.
fn roots(installation: &Installation) -> Vec<&Path> {
    let all = installation.layout.directories();
    let nested = |path: &Path| all.iter().any(|other| *other != path && path.starts_with(other));
    all.iter().copied().filter(|path| !nested(path)).collect()
}

/// The way to the wrappers, and everything that they start.
fn way_findings(installation: &Installation, files: &[WrapperFile], troubles: &mut Vec<Trouble>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut add = |finding: Finding| {
        // All wrappers start much the same.
        if !findings.iter().any(|known| (known.row, &known.path) == (finding.row, &finding.path)) {
            findings.push(finding);
        }
    };
    for policy in files.iter().filter_map(WrapperFile::policy) {
        starts::findings(&policy, &installation.accounts, troubles).into_iter().for_each(&mut add);
    }
    let layout = &installation.layout;
    let mut targets: Vec<PathBuf> = layout.directories().into_iter().map(Path::to_owned).collect();
    targets.extend([layout.exec_prefix.join("mail"), layout.cgi_directory()]);
    for step in ancestors::ways(&targets) {
        match Stat::if_there(&step) {
            Ok(Some(stat)) => ancestors::judge(&step, &stat, installation).into_iter().for_each(&mut add),
            // Its absence is another rule's.
            Ok(None) => {}
            Err(errno) => troubles.push(trouble(&step, errno.desc())),
        }
    }
    troubles.sort();
    troubles.dedup();
    findings
}

/// Runs every wrapper that nobody untrusted can have written, and adds what only a run shows.
fn prove(installation: &Installation, outcome: &mut Outcome) {
    let describe = |uid| installation.accounts.users.describe(uid);
    for file in Wrappers::read(installation).files {
        let not_run = |because: String| Proof::NotRun { because };
        let stat = &file.stat;
        let proof = match (&file.opened, file.policy()) {
            _ if stat.kind != FileKind::File || file.place == Place::NoPage => continue,
            (_, None) => not_run("it has no sound policy".to_owned()),
            (None, _) => not_run("it cannot be opened".to_owned()),
            _ if !installation.trusted_owners.contains(&stat.uid) => {
                not_run(format!("it belongs to {}", describe(stat.uid)))
            }
            _ if stat.links > 1 => not_run(format!("it has {} names", stat.links)),
            _ if stat.is_writable_by_others() => {
                not_run(format!("others than its owner may write it ({})", stat.shown_mode()))
            }
            (Some(opened), Some(policy)) => prove::prove(opened, &file.path, &policy, &installation.accounts),
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
