//! `--fix`: changes owner, group and mode of exactly the file that was looked at, and says so.
//!
//! Files are opened step by step from the prefix, each step without following a symbolic link, and are changed through
//! that descriptor only if they still are the ones that were found: others may write in these directories, and must
//! not be able to lead root elsewhere.

use super::finding::{Cure, Finding, Row};
use super::installation::Installation;
use super::wrappers;
use crate::opened::Opened;
use crate::program::Program;
use crate::stat::{FileKind, OTHER_WRITE, Stat};
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{Mode, fchmod, fstat};
use nix::unistd::{Gid, Uid, fchown};
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use wrapper::policy::Kind;

/// One change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The rule.
    pub(crate) row: Row,
    /// Where.
    pub(crate) path: PathBuf,
    /// What was there.
    pub(crate) from: String,
    /// What is there now.
    pub(crate) to: String,
}

/// Why a finding was not mended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotFixed {
    /// Somebody has to do it.
    ByHand,
    /// It lies below no prefix.
    Elsewhere,
    /// A call failed.
    Refused { call: &'static str, errno: nix::errno::Errno },
    /// Another file has taken its place.
    Replaced,
    /// A file with a second name may be somebody else's.
    SeveralNames(u64),
    /// The wrapper may not have the set-group-ID bit.
    NotProven(String),
    /// chmod(2) reported success and did something else.
    LeftOut(String),
}

impl fmt::Display for NotFixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByHand => write!(f, "has to be done by hand"),
            Self::Elsewhere => write!(f, "it lies outside the installation"),
            Self::Refused { call, errno } => write!(f, "{call}: {}", errno.desc()),
            Self::Replaced => write!(f, "another file has taken its place meanwhile"),
            Self::SeveralNames(count) => {
                write!(f, "the file has {count} names and may be somebody else's; look at it, then use chown and chmod")
            }
            Self::NotProven(reason) => write!(f, "no set-group-ID bit without proof: {reason}"),
            Self::LeftOut(mode) => {
                write!(f, "chmod reported success, but the mode is {mode}: you do not belong to the file's group")
            }
        }
    }
}

/// Mends one finding; `None` where an earlier change of the same file has done that.
///
/// # Errors
/// It was not mended; nothing was changed, or only what the error says.
pub(crate) fn apply(finding: &Finding, installation: &Installation) -> Result<Option<Change>, NotFixed> {
    if matches!(finding.cure, Cure::ByHand(_)) {
        return Err(NotFixed::ByHand);
    }
    let file = open(&finding.path, installation)?;
    let before = stat(&file)?;
    if finding.identity != Some(before.identity) {
        return Err(NotFixed::Replaced);
    }
    if before.kind == FileKind::File && before.links > 1 {
        return Err(NotFixed::SeveralNames(before.links));
    }
    match &finding.cure {
        Cure::Mode { set, clear } => change_mode(&file, &before, *set, *clear)?,
        Cure::Wrapper { set } => {
            prove_wrapper(&file, &before, &finding.path, installation)?;
            change_mode(&file, &before, *set, 0)?;
        }
        Cure::Owner(uid) => change_owner(&file, Some(*uid), None)?,
        Cure::Group(gid) => change_owner(&file, None, Some(*gid))?,
        Cure::ByHand(_) => return Err(NotFixed::ByHand),
    }
    let after = stat(&file)?;
    if after == before {
        return Ok(None);
    }
    let (from, to) = describe(&before, &after, installation);
    Ok(Some(Change { row: finding.row, path: finding.path.clone(), from, to }))
}

/// Opens a file below one of the prefixes, following no symbolic link.
fn open(path: &Path, installation: &Installation) -> Result<Opened, NotFixed> {
    let roots = installation.layout.directories();
    let (root, below) = roots
        .into_iter()
        .filter_map(|root| Some((root, path.strip_prefix(root).ok()?)))
        .min_by_key(|(root, _)| root.as_os_str().len())
        .ok_or(NotFixed::Elsewhere)?;
    let refused = |errno| NotFixed::Refused { call: "open", errno };
    let step = OFlag::O_DIRECTORY | OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut names: Vec<_> = below.iter().collect();
    let Some(name) = names.pop() else {
        return Opened::found(root).map_err(refused);
    };
    let mut directory: OwnedFd = openat(AT_FDCWD, root, step, Mode::empty()).map_err(refused)?;
    for name in names {
        directory = openat(&directory, name, step, Mode::empty()).map_err(refused)?;
    }
    Opened::found_in(&directory, Path::new(name)).map_err(refused)
}

fn stat(opened: &Opened) -> Result<Stat, NotFixed> {
    let stat = fstat(&opened.file).map(Stat::from).map_err(|errno| NotFixed::Refused { call: "fstat", errno })?;
    match stat.kind {
        FileKind::File | FileKind::Directory => Ok(stat),
        FileKind::Link | FileKind::Other => Err(NotFixed::ByHand),
    }
}

fn change_mode(file: &Opened, before: &Stat, set: u32, clear: u32) -> Result<(), NotFixed> {
    // Whatever a rule says, no file becomes writable for others here.
    let wanted = (before.mode & !clear) | (set & !OTHER_WRITE);
    fchmod(&file.file, Mode::from_bits_truncate(wanted))
        .map_err(|errno| NotFixed::Refused { call: "fchmod", errno })?;
    let after = stat(file)?;
    if after.mode == wanted { Ok(()) } else { Err(NotFixed::LeftOut(after.shown_mode())) }
}

fn change_owner(file: &Opened, uid: Option<u32>, gid: Option<u32>) -> Result<(), NotFixed> {
    fchown(&file.file, uid.map(Uid::from_raw), gid.map(Gid::from_raw))
        .map_err(|errno| NotFixed::Refused { call: "fchown", errno })
}

/// Whoever gives a file the set-group-ID bit lends it the group: so the open file must belong to somebody who has the
/// group anyway, nobody else may be able to change it, and its policy must be the one of this installation.
fn prove_wrapper(file: &Opened, stat: &Stat, path: &Path, installation: &Installation) -> Result<(), NotFixed> {
    let unproven = |reason: String| Err(NotFixed::NotProven(reason));
    if stat.kind != FileKind::File {
        return unproven(format!("it is {}", stat.kind));
    }
    if !installation.trusted_owners.contains(&stat.uid) {
        let owner = installation.accounts.users.describe(stat.uid);
        return unproven(format!(
            "it belongs to {owner}; install it again as root, or name that user with --with-username if it is Mailman's"
        ));
    }
    if stat.gid != installation.own.id {
        return unproven(format!("it belongs to group {}", installation.accounts.groups.describe(stat.gid)));
    }
    if stat.is_writable_by_others() {
        return unproven(format!("others than its owner may write it ({})", stat.shown_mode()));
    }
    let kind = if path == installation.layout.mail_wrapper() { Kind::Mail } else { Kind::Cgi };
    match wrappers::sealed(path, kind, &Program::read_open(path, file), installation).first() {
        Some(fault) => unproven(format!("{}, where {} is wanted", fault.found, fault.wanted)),
        None => Ok(()),
    }
}

/// Only what differs.
fn describe(before: &Stat, after: &Stat, installation: &Installation) -> (String, String) {
    let accounts = &installation.accounts;
    let texts = |stat: &Stat| {
        let mut texts = Vec::new();
        if before.uid != after.uid {
            texts.push(format!("owner {}", accounts.users.describe(stat.uid)));
        }
        if before.gid != after.gid {
            texts.push(format!("group {}", accounts.groups.describe(stat.gid)));
        }
        if before.mode != after.mode {
            texts.push(stat.shown_mode());
        }
        texts.join(", ")
    };
    (texts(before), texts(after))
}

#[cfg(test)]
mod tests;
