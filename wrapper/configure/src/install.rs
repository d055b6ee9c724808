//! `install`: seals the wrappers, puts them where Mailman has them, and proves by a real refusal that they work.
//!
//! Works for root, and for an ordinary member of the group in a directory that is writable and set-group-ID for it.

mod directories;
mod prefix;
mod report;

use crate::accounts::{Accounts, User};
use crate::cli;
use crate::encode::{Values, encode};
use crate::groups;
use crate::layout::CGI_SCRIPTS;
use crate::opened::Opened;
use crate::place::{self, Unplaced};
use crate::program::Program;
use crate::prove::{self, Proof};
use crate::settings::{self, Note};
use crate::shown::shown;
use crate::stat::{SET_GROUP_ID, Stat};
use crate::status::Status;
use directories::Directories;
use nix::unistd::geteuid;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use wrapper::policy::Kind;

/// Mode of an installed wrapper: anybody may start it, its owner may replace it, and it gets its file's group.
const MODE: u32 = 0o2755;

/// A file that did not come out as it must, and so was not put in place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Spoiled {
    /// chmod(2) reported success and left the bit out.
    LostSetGroupId { path: PathBuf, group: String, mode: String },
    /// Owner, group or mode is not what was asked for.
    Different { path: PathBuf, found: String, wanted: String },
    /// Something else has the name now.
    Exchanged { path: PathBuf },
}

impl fmt::Display for Spoiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostSetGroupId { path, group, mode } => write!(
                f,
                "{}: chmod reported success but left out the set-group-ID bit ({mode}), because it belongs to \
                 group {group} and you do not; join that group and log in again, or run this as root. \
                 Nothing was installed",
                shown(path)
            ),
            Self::Different { path, found, wanted } => write!(
                f,
                "{}: the file system made it {found}, and {wanted} is wanted. Nothing was installed",
                shown(path)
            ),
            Self::Exchanged { path } => write!(
                f,
                "{}: something else has that name than what was installed, and it was not run; find out who changes \
                 files there, then install again",
                shown(path)
            ),
        }
    }
}

impl Error for Spoiled {}

/// One program to be installed.
struct Item {
    path: PathBuf,
    values: Values,
    content: Vec<u8>,
}

impl Item {
    /// The directory it goes to.
    fn parent(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

/// One program that was installed, and what a run of it showed.
pub(crate) struct Installed {
    /// Where.
    pub(crate) path: PathBuf,
    /// Owner, group and mode, as the file then had them.
    pub(crate) stat: Stat,
    /// What it was sealed with.
    pub(crate) values: Values,
    /// What it showed.
    pub(crate) proof: Proof,
}

/// Runs `install`. Exit status 0 means installed, and proven or impossible to prove from here; 1 that a wrapper was
/// installed but does not work.
///
/// # Errors
/// Nothing, or not everything, was installed.
pub(crate) fn run(
    arguments: &cli::Install,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Status, Box<dyn Error>> {
    let settings = &arguments.settings;
    let databases = &settings.databases;
    let accounts = Accounts::read(&databases.group_file, &databases.passwd_file)?;
    let (items, remarks) = items(arguments, &accounts)?;
    for remark in remarks {
        writeln!(notes, "note: {remark}")?;
    }
    let user = groups::resolve("--with-username", settings.with_username.as_bytes(), &accounts.users)?.row;
    let Some(own_gid) = items.first().map(|item| item.values.own.0) else { return Ok(Status::Done) };
    let layout = settings::layout(settings)?;
    let owners = [0, geteuid().as_raw(), user.uid];
    let rule = prefix::Rule { own_gid, owners: &owners, accounts: &accounts };
    prefix::require(&layout.directories(), &parents(&items), user, &rule)?;
    if let Some(remark) = foreign_owner(user, &accounts) {
        writeln!(notes, "note: {remark}")?;
    }

    let installed = install(items, &rule, notes)?;
    report::write(&installed, &accounts, out)?;
    let refuted = installed.iter().any(|program| program.proof.refutes());
    Ok(if refuted { Status::FailedOrFound } else { Status::Done })
}

/// Everything that will be installed, sealed in memory.
fn items(arguments: &cli::Install, accounts: &Accounts) -> Result<(Vec<Item>, Vec<Note>), Box<dyn Error>> {
    let layout = settings::layout(&arguments.settings)?;
    let source = match &arguments.from {
        Some(directory) => directory.clone(),
        None => std::env::current_exe()?.parent().map(Path::to_owned).unwrap_or_default(),
    };
    let mut items = Vec::new();
    let mut all_notes: Vec<Note> = Vec::new();
    let mut add = |program: &Program, path: PathBuf, script: Option<&str>| -> Result<(), Box<dyn Error>> {
        let (values, notes) = settings::resolve(&arguments.settings, program.kind(), script.map(OsStr::new), accounts)?;
        let content = program.with_section(&encode(&values)?);
        all_notes.extend(notes.into_iter().filter(|note| !all_notes.contains(note)).collect::<Vec<_>>());
        items.push(Item { path, values, content });
        Ok(())
    };
    settings::refuse_foreign(&arguments.settings)?;
    match arguments.only {
        Some(cli::Only::Mail) => settings::refuse_other_kind(&arguments.settings, Kind::Mail)?,
        Some(cli::Only::Cgi) => settings::refuse_other_kind(&arguments.settings, Kind::Cgi)?,
        None => {}
    }
    if arguments.only != Some(cli::Only::Cgi) {
        add(&program(&source, Kind::Mail)?, layout.mail_wrapper(), None)?;
    }
    if arguments.only != Some(cli::Only::Mail) {
        let program = program(&source, Kind::Cgi)?;
        for script in CGI_SCRIPTS {
            add(&program, layout.cgi_wrapper(script), Some(script))?;
        }
    }
    Ok((items, all_notes))
}

/// A wrapper as built, which must be for what its name says.
fn program(source: &Path, kind: Kind) -> Result<Program, Box<dyn Error>> {
    let path = source.join(kind.program());
    let program = Program::read(&path)?;
    if program.kind() == kind {
        Ok(program)
    } else {
        let message =
            format!("{}: is a {}, where a {} is wanted", shown(&path), program.kind().program(), kind.program());
        Err(message.into())
    }
}

/// The directories of all items, each once.
fn parents(items: &[Item]) -> Vec<&Path> {
    let mut parents: Vec<&Path> = items.iter().map(Item::parent).collect();
    parents.dedup();
    parents
}

/// Who installs without being root owns what is installed, and the rules of `check` let only two users do that.
fn foreign_owner(user: &User, accounts: &Accounts) -> Option<String> {
    let uid = geteuid().as_raw();
    if uid == 0 || uid == user.uid {
        return None;
    }
    let named = |uid: u32| accounts.users.describe(uid);
    let mut remark = format!(
        "what is installed will belong to you, {}, and `check` wants wrappers to belong to root or {}, so it will report \
         them; install as root",
        named(uid),
        named(user.uid)
    );
    if let Some(own) = accounts.users.by_number(uid) {
        remark += &format!(", or with --with-username={}", own.name.escape_ascii());
    }
    Some(remark)
}

/// Writes every file before the first one gets its name, so that most faults leave the old installation whole.
fn install(items: Vec<Item>, rule: &prefix::Rule<'_>, notes: &mut dyn Write) -> Result<Vec<Installed>, Box<dyn Error>> {
    let accounts = rule.accounts;
    let mut directories = Directories::default();
    for item in &items {
        let name = item.path.file_name().unwrap_or_default();
        let directory = directories.open(item.parent(), rule)?;
        let swept = place::sweep(directory, name);
        for left in swept.map_err(|errno| format!("cannot clean up {}: {}", shown(item.parent()), errno.desc()))? {
            let left = item.parent().join(left);
            writeln!(notes, "note: removed {}, which a run that was killed had left", shown(&left))?;
        }
    }
    let mut prepared = Vec::new();
    for item in items {
        let (file, stat) = prepare(&item, directories.open(item.parent(), rule)?.try_clone()?, accounts)?;
        prepared.push((item, file, stat));
    }
    let count = prepared.len();
    let mut placed = Vec::new();
    for (item, file, stat) in prepared {
        let done = placed.len();
        file.place().map_err(|error| format!("{error}; {done} of {count} programs were installed before that"))?;
        directories.keep();
        placed.push((item, stat));
    }
    let mut installed = Vec::new();
    for (item, stat) in placed {
        let proof = prove_placed(&item, &stat, directories.open(item.parent(), rule)?, accounts)?;
        installed.push(Installed { path: item.path, stat, values: item.values, proof });
    }
    Ok(installed)
}

/// Runs what was placed, and nothing else that may have its name by now: others may write in that directory.
fn prove_placed(item: &Item, stat: &Stat, directory: &OwnedFd, accounts: &Accounts) -> Result<Proof, Box<dyn Error>> {
    let exchanged = || Spoiled::Exchanged { path: item.path.clone() };
    let name = Path::new(item.path.file_name().unwrap_or_default());
    let opened = Opened::found_in(directory, name).map_err(|_| exchanged())?;
    // It had no name yet when `stat` was made, so the count of its names differs.
    if opened.stat != (Stat { links: 1, ..*stat }) {
        return Err(exchanged().into());
    }
    let program = Program::read_open(&item.path, &opened)?;
    Ok(prove::prove(&opened, &item.path, &program.policy()?, accounts))
}

/// A finished file without its name. Owner and group before the mode: chown(2) clears set-group-ID.
fn prepare(item: &Item, directory: OwnedFd, accounts: &Accounts) -> Result<(Unplaced, Stat), Box<dyn Error>> {
    let (gid, _) = item.values.own;
    let file = Unplaced::write_in(directory, &item.path, &item.content)?;
    let owner = prove::is_root().then_some(0);
    file.own(owner, gid)?;
    let stat = Stat::from(file.set_mode(MODE)?);
    judge(&item.path, &stat, MODE, gid, accounts)?;
    Ok((file, stat))
}

fn judge(path: &Path, stat: &Stat, mode: u32, gid: u32, accounts: &Accounts) -> Result<(), Spoiled> {
    let path = path.to_owned();
    if stat.mode == mode & !SET_GROUP_ID && stat.gid == gid {
        let group = accounts.groups.describe(gid);
        return Err(Spoiled::LostSetGroupId { path, group, mode: stat.shown_mode() });
    }
    if (stat.mode, stat.gid) != (mode, gid) {
        let found = format!("{} of group {}", stat.shown_mode(), accounts.groups.describe(stat.gid));
        let wanted = format!("{mode:05o} of group {}", accounts.groups.describe(gid));
        return Err(Spoiled::Different { path, found, wanted });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
