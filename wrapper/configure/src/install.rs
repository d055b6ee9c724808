//! `install`: seals the wrappers, puts them where Mailman has them, and proves by a real refusal that they work.
//!
//! Works for root, and for an ordinary member of the group in a directory that is writable and set-group-ID for it.

mod prefix;
mod report;

use crate::accounts::Accounts;
use crate::cli;
use crate::encode::{Values, encode};
use crate::groups;
use crate::place::{Parent, Unplaced};
use crate::program::Program;
use crate::prove::{self, Proof};
use crate::settings::{self, Note};
use crate::stat::{SET_GROUP_ID, Stat};
use crate::status::Status;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, fchmod, fstat};
use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use wrapper::policy::Kind;

/// The CGI programs of Mailman 2.1.
pub(crate) const CGI_SCRIPTS: [&str; 11] = [
    "admin",
    "admindb",
    "confirm",
    "create",
    "edithtml",
    "listinfo",
    "options",
    "private",
    "rmlist",
    "roster",
    "subscribe",
];

/// Mode of an installed wrapper: anybody may start it, its owner may replace it, and it gets its file's group.
const MODE: u32 = 0o2755;
/// Mode of the directories made here, as Mailman's make install has them.
const DIRECTORY_MODE: u32 = 0o2775;

/// A file that did not come out as it must, and so was not put in place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Spoiled {
    /// chmod(2) reported success and left the bit out.
    LostSetGroupId { path: PathBuf, group: String, mode: String },
    /// Owner, group or mode is not what was asked for.
    Different { path: PathBuf, found: String, wanted: String },
}

impl fmt::Display for Spoiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostSetGroupId { path, group, mode } => write!(
                f,
                "{}: chmod reported success but left out the set-group-ID bit ({mode}), because it belongs to \
                 group {group} and you do not; join that group and log in again, or run this as root. \
                 Nothing was installed",
                path.display()
            ),
            Self::Different { path, found, wanted } => write!(
                f,
                "{}: the file system made it {found}, and {wanted} is wanted. Nothing was installed",
                path.display()
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
    prefix::require(&layout.directories(), user, own_gid, &accounts)?;

    let installed = install(items, &accounts)?;
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
            format!("{}: is a {}, where a {} is wanted", path.display(), program.kind().program(), kind.program());
        Err(message.into())
    }
}

/// Writes every file before the first one gets its name, so that most faults leave the old installation whole.
fn install(items: Vec<Item>, accounts: &Accounts) -> Result<Vec<Installed>, Box<dyn Error>> {
    let mut made = MadeDirectories(Vec::new());
    for item in &items {
        made.make(item.path.parent().unwrap_or(Path::new("/")), item.values.own.0, accounts)?;
    }
    let mut prepared = Vec::new();
    for item in items {
        let (file, stat) = prepare(&item, accounts)?;
        prepared.push((item, file, stat));
    }
    let count = prepared.len();
    let mut placed = Vec::new();
    for (item, file, stat) in prepared {
        let done = placed.len();
        file.place().map_err(|error| format!("{error}; {done} of {count} programs were installed before that"))?;
        made.keep();
        placed.push((item, stat));
    }
    placed
        .into_iter()
        .map(|(item, stat)| {
            let program = Program::read(&item.path)?;
            let proof = prove::prove(&item.path, &program.policy()?, accounts);
            Ok(Installed { path: item.path, stat, values: item.values, proof })
        })
        .collect()
}

/// A finished file without its name. Owner and group before the mode: chown(2) clears set-group-ID.
fn prepare(item: &Item, accounts: &Accounts) -> Result<(Unplaced, Stat), Box<dyn Error>> {
    let (gid, _) = item.values.own;
    let file = Unplaced::write(&item.path, Parent::NoLink, &item.content)?;
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

/// Directories made on the way, removed again if nothing was put into them.
struct MadeDirectories(Vec<PathBuf>);

impl MadeDirectories {
    fn make(&mut self, directory: &Path, gid: u32, accounts: &Accounts) -> Result<(), Box<dyn Error>> {
        let named = |error: io::Error| format!("cannot make {}: {error}", directory.display());
        match std::fs::create_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            made => made.map_err(named)?,
        }
        self.0.push(directory.to_owned());
        // Members of the group can write in the prefix, and must not lead root to another directory.
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(directory).map_err(named)?;
        let has = fstat(&opened).map_err(|errno| named(errno.into()))?.st_gid;
        std::os::unix::fs::fchown(&opened, None, (has != gid).then_some(gid)).map_err(named)?;
        fchmod(&opened, Mode::from_bits_truncate(DIRECTORY_MODE)).map_err(|errno| named(errno.into()))?;
        let stat = fstat(&opened).map_err(|errno| named(errno.into()))?;
        Ok(judge(directory, &Stat::from(stat), DIRECTORY_MODE, gid, accounts)?)
    }

    fn keep(&mut self) {
        self.0.clear();
    }
}

impl Drop for MadeDirectories {
    fn drop(&mut self) {
        for directory in self.0.iter().rev() {
            // The error which led here is the one to report.
            let _ = std::fs::remove_dir(directory);
        }
    }
}
