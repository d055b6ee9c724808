//! What an installation should look like: where it is, whose it is, and how far that is known.

use crate::accounts::{Account, Accounts, Table};
use crate::cli;
use crate::groups;
use crate::layout::Layout;
use crate::opened::Opened;
use crate::program::Program;
use crate::settings;
use crate::shown::shown;
use crate::stat::Stat;
use nix::unistd::geteuid;
use std::error::Error;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A number with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The number, which decides.
    pub(crate) id: u32,
    /// The name, for people.
    pub(crate) name: String,
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.id)
    }
}

impl<Row: Account> From<&Row> for Named {
    fn from(row: &Row) -> Self {
        Self { id: row.number(), name: row.name().escape_ascii().to_string() }
    }
}

/// An installation as it should be.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    /// Where things are, without symbolic links.
    pub(crate) layout: Layout,
    /// The group of everything.
    pub(crate) own: Named,
    /// The user of Mailman.
    pub(crate) owner: Named,
    /// The user whom the web server runs as, where private archives are closed to others.
    pub(crate) web: Option<Named>,
    /// Owners whose wrappers may be given the set-group-ID bit.
    pub(crate) trusted_owners: Vec<u32>,
    /// Why nothing may be changed; `None` where group and user are known from somebody who may say so.
    pub(crate) unanchored: Option<String>,
    /// The account databases.
    pub(crate) accounts: Accounts,
}

impl Installation {
    /// Finds out what the installation should look like: from the command line, else from the installed mail wrapper,
    /// else Mailman's defaults.
    ///
    /// # Errors
    /// It cannot be found out, or the directories cannot be looked at.
    pub(crate) fn learn(arguments: &cli::Check) -> Result<Self, Box<dyn Error>> {
        let databases = &arguments.databases;
        let accounts = Accounts::read(&databases.group_file, &databases.passwd_file)?;
        let real = |path: &Path| -> Result<PathBuf, Box<dyn Error>> {
            std::fs::canonicalize(path).map_err(|error| format!("cannot look at {}: {error}", shown(path)).into())
        };
        let prefix = real(&arguments.prefix)?;
        let layout = Layout {
            exec_prefix: arguments.exec_prefix.as_deref().map_or_else(|| Ok(prefix.clone()), real)?,
            var_prefix: arguments.with_var_prefix.as_deref().map_or_else(|| Ok(prefix.clone()), real)?,
            prefix,
            cgi_extension: settings::cgi_extension(arguments.with_cgi_ext.as_deref())?,
        };
        let sealed = Sealed::in_wrapper(&layout.mail_wrapper());
        let own = known("--with-groupname", arguments.with_groupname.as_deref(), &accounts.groups, || {
            sealed.as_ref().map(|sealed| sealed.own.clone())
        })?;
        let owner = known("--with-username", arguments.with_username.as_deref(), &accounts.users, || {
            sealed.as_ref().map(|sealed| sealed.owner.clone())
        })?;
        let web = match &arguments.web_user {
            Some(user) => Some(Named::from(groups::resolve("--web-user", user.as_bytes(), &accounts.users)?.row)),
            None => None,
        };
        let mut trusted_owners = vec![0, geteuid().as_raw()];
        trusted_owners.extend(arguments.with_username.is_some().then_some(owner.id));
        let claimed = arguments.with_groupname.is_none() || arguments.with_username.is_none();
        let unanchored =
            sealed.map(|sealed| sealed.file).filter(|file| claimed && !is_word_of(file, &trusted_owners)).map(|file| {
                format!(
                    "group and user are known only from {}, which belongs to {} and has mode {}; \
                     say --with-groupname and --with-username yourself",
                    shown(&layout.mail_wrapper()),
                    accounts.users.describe(file.uid),
                    file.shown_mode()
                )
            });
        Ok(Self { layout, own, owner, web, trusted_owners, unanchored, accounts })
    }
}

/// What an installed mail wrapper says of itself.
struct Sealed {
    own: Named,
    owner: Named,
    file: Stat,
}

/// Whether what a file says is said by one of them, and nobody else can have written it.
fn is_word_of(file: &Stat, owners: &[u32]) -> bool {
    owners.contains(&file.uid) && !file.is_writable_by_others()
}

impl Sealed {
    fn in_wrapper(path: &Path) -> Option<Self> {
        // Once: whoever can write in that directory must not be able to lend his words to a file of root.
        let opened = Opened::found(path).ok()?;
        let program = Program::read_open(path, &opened).ok()?;
        let policy = program.policy().ok()?;
        Some(Self {
            own: Named { id: policy.own.gid.as_raw(), name: policy.own.name.to_owned() },
            owner: Named { id: policy.owner.uid, name: policy.owner.name.to_owned() },
            file: opened.stat,
        })
    }
}

/// From the command line, from the wrapper, or the default.
fn known<Row: Account>(
    option: &'static str,
    given: Option<&OsStr>,
    table: &Table<Row>,
    sealed: impl FnOnce() -> Option<Named>,
) -> Result<Named, Box<dyn Error>> {
    if let Some(given) = given {
        return Ok(Named::from(groups::resolve(option, given.as_bytes(), table)?.row));
    }
    if let Some(sealed) = sealed() {
        return Ok(sealed);
    }
    match table.by_name(b"mailman") {
        Some(row) => Ok(Named::from(row)),
        None => Err(format!(
            "which {} the installation belongs to is not known: there is no sealed mail wrapper, and no {} mailman; \
             say it with {option}",
            Row::WHAT,
            Row::WHAT
        )
        .into()),
    }
}
