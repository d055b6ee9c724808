//! The rules about the wrappers themselves, most of which Mailman's check_perms never had.

use super::finding::{Cure, Finding, Row};
use super::installation::Installation;
use super::walk::{Trouble, trouble};
use crate::accounts::{Account, Table};
use crate::mount::MountOptions;
use crate::opened::Opened;
use crate::program::{NotAWrapper, Program};
use crate::shown::shown;
use crate::stat::{FileKind, GROUP_EXECUTE, GROUP_WRITE, OTHER_WRITE, SET_GROUP_ID, Stat};
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wrapper::policy::{Kind, Policy, PolicyError, Task};

/// Where a file was found, and so what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `mail/mailman`.
    Mail,
    /// In `cgi-bin`, under the name of this page.
    Page(&'static str),
    /// In `cgi-bin`, under another name.
    NoPage,
}

impl Place {
    /// Which program belongs there.
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Mail => Kind::Mail,
            Self::Page(_) | Self::NoPage => Kind::Cgi,
        }
    }
}

/// An installed wrapper as it was found.
pub(crate) struct WrapperFile {
    /// Where.
    pub(crate) path: PathBuf,
    /// Owner, group, mode.
    pub(crate) stat: Stat,
    /// Which program belongs there.
    pub(crate) place: Place,
    /// The file as it was opened, where this user may read it.
    pub(crate) opened: Option<Opened>,
    /// What is there.
    pub(crate) program: Result<Program, NotAWrapper>,
    /// Options of the mount which it lies on.
    pub(crate) mount: Result<MountOptions, Errno>,
}

impl WrapperFile {
    /// Looks at a file, once: owner, mode and content are those of one file, whatever its path comes to mean.
    ///
    /// # Errors
    /// As lstat(2).
    pub(crate) fn read(path: &Path, place: Place) -> nix::Result<Self> {
        let path = path.to_owned();
        match Opened::found(&path) {
            Ok(opened) => {
                let (program, mount) = (Program::read_open(&path, &opened), opened.mount());
                Ok(Self { path, stat: opened.stat, place, program, mount, opened: Some(opened) })
            }
            // A link, a socket, or a file which this user may not read: its owner and mode can be seen, and no more.
            Err(errno) => {
                let (stat, program) = (Stat::of(&path)?, Err(NotAWrapper::unreadable(&path, errno)));
                Ok(Self { stat, place, program, mount: MountOptions::of(&path), path, opened: None })
            }
        }
    }

    /// Whether it is a sealed wrapper, of somebody who may say so and whom nobody can have replaced, for this installation
    /// and its group.
    pub(crate) fn vouches(&self, installation: &Installation) -> bool {
        let trusted = installation.trusted_owners.contains(&self.stat.uid) && !self.stat.is_writable_by_others();
        let of_it = |policy: Policy<'_>| {
            is_prefix(policy.prefix, installation) && policy.own.gid.as_raw() == installation.own.id
        };
        trusted && self.policy().is_some_and(of_it)
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
        all.add(&installation.layout.mail_wrapper(), Place::Mail);
        let directory = installation.layout.cgi_directory();
        let names = std::fs::read_dir(&directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut paths: Vec<PathBuf> = match names {
            Ok(entries) => entries.iter().map(std::fs::DirEntry::path).collect(),
            // A site without web pages.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                all.troubles.push(trouble(&directory, &error.to_string()));
                Vec::new()
            }
        };
        paths.sort();
        for path in &paths {
            let page = path.file_name().and_then(|name| installation.layout.page(name));
            all.add(path, page.map_or(Place::NoPage, Place::Page));
        }
        all
    }

    fn add(&mut self, path: &Path, place: Place) {
        match WrapperFile::read(path, place) {
            // Not the place of a program, but no harm.
            Ok(file) if place == Place::NoPage && file.stat.kind == FileKind::Directory => {}
            Ok(file) => self.files.push(file),
            Err(Errno::ENOENT) => self.absent.push(Finding::by_hand(
                Row::WrapperFile,
                path,
                "nothing".to_owned(),
                "a wrapper",
                "install it with wrapper-configure install".to_owned(),
            )),
            Err(errno) => self.troubles.push(trouble(path, errno.desc())),
        }
    }

    /// A web server runs all pages as one user, so a page that trusts another group was sealed by mistake, or long ago.
    pub(crate) fn odd_groups(&self) -> Vec<Finding> {
        let mut pages: BTreeMap<u32, Vec<(&WrapperFile, &str)>> = BTreeMap::new();
        for file in &self.files {
            if let (Place::Page(_), Ok(program)) = (file.place, &file.program)
                && let Ok(policy) = program.policy()
            {
                pages.entry(policy.trusted.gid.as_raw()).or_default().push((file, policy.trusted.name));
            }
        }
        let Some((usual, most)) = pages.iter().max_by_key(|(_, pages)| pages.len()) else { return Vec::new() };
        let wanted = format!("{} {usual}, as {} of the pages do", most[0].1, most.len());
        let odd =
            pages.iter().filter(|(gid, _)| *gid != usual).flat_map(|(gid, pages)| pages.iter().map(move |p| (gid, p)));
        odd.map(|(gid, (file, name))| {
            let found = format!("trusts {name} {gid}");
            Finding::by_hand(
                Row::CgiTrustedGroup,
                &file.path,
                found,
                &wanted,
                format!("seal all pages alike: {REINSTALL}"),
            )
        })
        .collect()
    }
}

/// Everything the rules find about one wrapper.
pub(crate) fn findings(file: &WrapperFile, installation: &Installation) -> Vec<Finding> {
    if file.place == Place::NoPage {
        return no_page(file).into_iter().collect();
    }
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
    if file.place.kind() == Kind::Cgi && file.stat.mode & (SET_GROUP_ID | 0o111) == 0 && file.program.is_err() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    findings.extend(names(file));
    findings.extend(owner(file, installation));
    findings.extend(set_group_id(file));
    findings.extend(execute(file));
    findings.extend(writable(file));
    findings.extend(sealed(&file.path, file.place.kind(), &file.program, installation));
    findings.extend(other_page(file));
    findings.extend(mounted(file));
    findings
}

const REINSTALL: &str = "install it again with wrapper-configure install";

/// A web server runs whatever can be executed there.
fn no_page(file: &WrapperFile) -> Option<Finding> {
    let runs = file.stat.kind == FileKind::Link || file.stat.mode & (SET_GROUP_ID | 0o111) != 0 || file.program.is_ok();
    // What is left is a note of somebody, or a server's settings.
    runs.then(|| {
        let found = match file.policy().map(|policy| policy.task) {
            Some(Task::Cgi { script }) => format!("a wrapper for the page {script} under another name"),
            _ => format!("{} that is no page", file.stat.kind),
        };
        let extension = Path::new(file.path.file_name().unwrap_or_default()).extension().unwrap_or_default();
        let cure = match extension.is_empty() {
            true => "remove it, or move it to where no web server runs it".to_owned(),
            false => format!(
                "remove it, or move it to where no web server runs it; if all pages have that extension, say \
                 --with-cgi-ext=.{}",
                shown(extension)
            ),
        };
        Finding::by_hand(Row::CgiPage, &file.path, found, "only the pages of Mailman, each under its name", cure)
    })
}

/// A page under the name of another: who protects one by the web server's settings protects the wrong one.
fn other_page(file: &WrapperFile) -> Option<Finding> {
    let Place::Page(name) = file.place else { return None };
    match file.policy()?.task {
        Task::Cgi { script } if script != name => Some(Finding::by_hand(
            Row::CgiPage,
            &file.path,
            format!("the page {script}"),
            &format!("the page {name}"),
            REINSTALL.to_owned(),
        )),
        _ => None,
    }
}

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
    let row = match file.place.kind() {
        Kind::Mail => Row::MailSetGroupId,
        Kind::Cgi if !file.stat.has(GROUP_EXECUTE) => return None,
        // No place of an installation is for a queue writer.
        Kind::Cgi | Kind::Queue => Row::CgiSetGroupId,
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
    if !is_prefix(policy.prefix, installation) {
        let found = format!("sealed for prefix {}", policy.prefix);
        findings.push(wrong(Row::SealedPolicy, found, &format!("prefix {}", shown(&installation.layout.prefix))));
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

/// Whether a sealed prefix is the one of this installation, by this or another path.
fn is_prefix(sealed: &str, installation: &Installation) -> bool {
    let sealed = Path::new(sealed);
    std::fs::canonicalize(sealed).unwrap_or_else(|_| sealed.to_owned()) == installation.layout.prefix
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
