//! The rules about the wrappers themselves, most of which Mailman's check_perms never had.

use super::finding::{Cure, Finding, Row};
use super::installation::Installation;
use super::walk::Trouble;
use crate::accounts::{Account, Table};
use crate::mount::MountOptions;
use crate::program::{NotAWrapper, Program};
use crate::stat::{FileKind, GROUP_EXECUTE, GROUP_WRITE, OTHER_WRITE, SET_GROUP_ID, Stat};
use nix::errno::Errno;
use std::path::{Path, PathBuf};
use wrapper::policy::{Kind, Policy, PolicyError};

/// An installed wrapper as it was found.
pub(crate) struct WrapperFile {
    /// Where.
    pub(crate) path: PathBuf,
    /// Owner, group, mode.
    pub(crate) stat: Stat,
    /// Which program belongs there.
    pub(crate) kind: Kind,
    /// What is there.
    pub(crate) program: Result<Program, NotAWrapper>,
    /// Options of the mount which it lies on.
    pub(crate) mount: Result<MountOptions, Errno>,
}

impl WrapperFile {
    /// Looks at a file.
    ///
    /// # Errors
    /// As lstat(2).
    pub(crate) fn read(path: &Path, kind: Kind) -> nix::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            stat: Stat::of(path)?,
            kind,
            program: Program::read(path),
            mount: MountOptions::of(path),
        })
    }

    /// The policy, where there is a sound one.
    pub(crate) fn policy(&self) -> Option<Policy<'_>> {
        self.program.as_ref().ok()?.policy().ok()
    }
}

/// The mail wrapper and whatever lies in cgi-bin.
pub(crate) struct Wrappers {
    /// What is there.
    pub(crate) files: Vec<WrapperFile>,
    /// What is not there.
    pub(crate) absent: Vec<Finding>,
    /// What could not be looked at.
    pub(crate) troubles: Vec<Trouble>,
}

impl Wrappers {
    /// Looks at all of them.
    pub(crate) fn read(installation: &Installation) -> Self {
        let mut all = Self { files: Vec::new(), absent: Vec::new(), troubles: Vec::new() };
        all.add(&installation.layout.mail_wrapper(), Kind::Mail);
        let directory = installation.layout.cgi_directory();
        let names = std::fs::read_dir(&directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut paths: Vec<PathBuf> = match names {
            Ok(entries) => entries.iter().map(std::fs::DirEntry::path).collect(),
            // A site without web pages.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                all.troubles.push(format!("{}: {error}", directory.display()));
                Vec::new()
            }
        };
        paths.sort();
        paths.iter().for_each(|path| all.add(path, Kind::Cgi));
        all
    }

    fn add(&mut self, path: &Path, kind: Kind) {
        match WrapperFile::read(path, kind) {
            // Not the place of a program, but no harm.
            Ok(file) if kind == Kind::Cgi && file.stat.kind == FileKind::Directory => {}
            Ok(file) => self.files.push(file),
            Err(Errno::ENOENT) => self.absent.push(Finding::by_hand(
                Row::WrapperFile,
                path,
                "nothing".to_owned(),
                "a wrapper",
                "install it with wrapper-configure install".to_owned(),
            )),
            Err(errno) => self.troubles.push(format!("{}: {}", path.display(), errno.desc())),
        }
    }
}

/// Everything the rules find about one wrapper.
pub(crate) fn findings(file: &WrapperFile, installation: &Installation) -> Vec<Finding> {
    if file.stat.kind != FileKind::File {
        return vec![Finding::by_hand(
            Row::WrapperFile,
            &file.path,
            file.stat.kind.to_string(),
            "a regular file",
            REINSTALL.to_owned(),
        )];
    }
    // Something in cgi-bin which nobody can start and which is no wrapper: a note of somebody, a server's settings.
    if file.kind == Kind::Cgi && file.stat.mode & (SET_GROUP_ID | 0o111) == 0 && file.program.is_err() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    findings.extend(names(file));
    findings.extend(owner(file, installation));
    findings.extend(set_group_id(file));
    findings.extend(execute(file));
    findings.extend(writable(file));
    findings.extend(sealed(&file.path, file.kind, &file.program, installation));
    findings.extend(mounted(file));
    findings
}

const REINSTALL: &str = "install it again with wrapper-configure install";

fn names(file: &WrapperFile) -> Option<Finding> {
    (file.stat.links > 1).then(|| {
        Finding::by_hand(
            Row::WrapperFile,
            &file.path,
            format!("{} names for this file", file.stat.links),
            "one name, so that nobody keeps an old wrapper under another",
            format!("find the others with find -inum {}, then {REINSTALL}", file.stat.identity.1),
        )
    })
}

fn owner(file: &WrapperFile, installation: &Installation) -> Option<Finding> {
    (![0, installation.owner.id].contains(&file.stat.uid)).then(|| {
        Finding::by_hand(
            Row::WrapperOwner,
            &file.path,
            format!("owner {}", installation.accounts.users.describe(file.stat.uid)),
            &format!("owner root 0 or {}", installation.owner),
            format!("its owner can have put anything into it; {REINSTALL} as root"),
        )
    })
}

/// Mailman's rule for CGI programs asks only where the group may execute; the other case is that of [`execute`].
fn set_group_id(file: &WrapperFile) -> Option<Finding> {
    let row = match file.kind {
        Kind::Mail => Row::MailSetGroupId,
        Kind::Cgi if !file.stat.has(GROUP_EXECUTE) => return None,
        Kind::Cgi => Row::CgiSetGroupId,
    };
    (!file.stat.has(SET_GROUP_ID)).then(|| {
        let cure = Cure::Wrapper { set: SET_GROUP_ID };
        Finding::mode(row, &file.path, &file.stat, "set-group-ID".to_owned(), cure)
    })
}

fn execute(file: &WrapperFile) -> Option<Finding> {
    let missing = 0o111 & !file.stat.mode;
    let wanted = match missing & GROUP_EXECUTE {
        0 => "executable for all: the mail or web server is none of its group",
        _ => "executable for its group: without that the kernel ignores the set-group-ID bit",
    };
    (missing != 0).then(|| {
        let cure = Cure::Wrapper { set: missing };
        Finding::mode(Row::WrapperExecute, &file.path, &file.stat, wanted.to_owned(), cure)
    })
}

fn writable(file: &WrapperFile) -> Option<Finding> {
    let found = file.stat.mode & (GROUP_WRITE | OTHER_WRITE);
    (found != 0).then(|| {
        let wanted = "writable only for its owner".to_owned();
        Finding::mode(Row::WrapperWritable, &file.path, &file.stat, wanted, Cure::clear(found))
    })
}

/// What is wrong with the policy of what was found there.
pub(crate) fn sealed(
    path: &Path,
    kind: Kind,
    found: &Result<Program, NotAWrapper>,
    installation: &Installation,
) -> Vec<Finding> {
    let wrong = |row, found: String, wanted: &str| {
        Finding::by_hand(row, path, found, wanted, format!("seal it again: {REINSTALL}"))
    };
    let program = match found {
        Ok(program) => program,
        Err(error) => return vec![wrong(Row::SealedPolicy, error.reason(), "one of these wrappers")],
    };
    if program.kind() != kind {
        let found = format!("a {}", program.kind().program());
        return vec![wrong(Row::SealedPolicy, found, &format!("a {}", kind.program()))];
    }
    match program.policy() {
        Ok(policy) => policy_findings(&policy, installation, wrong),
        Err(PolicyError::Unsealed) => {
            vec![wrong(Row::SealedPolicy, "not sealed, so it refuses everybody".to_owned(), "a sealed policy")]
        }
        Err(error) => {
            let found = format!("a policy which it refuses: {error}");
            vec![wrong(Row::SealedPolicy, found, "a sound policy")]
        }
    }
}

fn policy_findings(
    policy: &Policy<'_>,
    installation: &Installation,
    wrong: impl Fn(Row, String, &str) -> Finding,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if policy.own.gid.as_raw() != installation.own.id {
        let found = format!("sealed for group {} {}", policy.own.name, policy.own.gid);
        findings.push(wrong(Row::SealedPolicy, found, &format!("group {}", installation.own)));
    }
    let prefix = Path::new(policy.prefix);
    let real = std::fs::canonicalize(prefix).unwrap_or_else(|_| prefix.to_owned());
    if real != installation.layout.prefix {
        let found = format!("sealed for prefix {}", policy.prefix);
        findings.push(wrong(Row::SealedPolicy, found, &format!("prefix {}", installation.layout.prefix.display())));
    }
    let (groups, users) = (&installation.accounts.groups, &installation.accounts.users);
    let accounts = [
        ("the trusted group", account(groups, policy.trusted.gid.as_raw(), policy.trusted.name)),
        ("the wrapper's own group", account(groups, policy.own.gid.as_raw(), policy.own.name)),
        ("the owner of the scripts", account(users, policy.owner.uid, policy.owner.name)),
    ];
    for (role, (sealed, now)) in accounts.into_iter().filter_map(|(role, change)| Some((role, change?))) {
        findings.push(wrong(Row::SealedAccount, format!("{role} is sealed as {sealed}, but {now}"), "the same as now"));
    }
    findings
}

/// What has changed about an account since it was sealed: what was sealed, and what is now.
fn account<Row: Account>(table: &Table<Row>, number: u32, name: &str) -> Option<(String, String)> {
    if table.rows.iter().any(|row| row.number() == number && row.name() == name.as_bytes()) {
        return None;
    }
    let now = match (table.by_number(number), table.by_name(name.as_bytes())) {
        (None, None) => format!("no {} has that name or number", Row::WHAT),
        (None, Some(row)) => format!("{name} is now {}, and no {} has the number {number}", row.number(), Row::WHAT),
        (Some(row), None) => format!("{number} is now called {}", row.name().escape_ascii()),
        (Some(row), Some(named)) => {
            format!("{name} is now {}, and {number} is called {}", named.number(), row.name().escape_ascii())
        }
    };
    Some((format!("{name} {number}"), now))
}

fn mounted(file: &WrapperFile) -> Option<Finding> {
    match file.mount.map(MountOptions::objection) {
        Ok(None) => None,
        Ok(Some(objection)) => Some(Finding::by_hand(
            Row::MountOptions,
            &file.path,
            objection.to_owned(),
            "a file system where the set-group-ID bit acts",
            "mount -o remount,suid,exec, or install elsewhere".to_owned(),
        )),
        Err(errno) => Some(Finding::by_hand(
            Row::MountOptions,
            &file.path,
            format!("mount options not known: {}", errno.desc()),
            "known mount options",
            "see statvfs(3)".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests;
