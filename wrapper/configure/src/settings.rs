//! From the command line to the values of a policy.

use crate::accounts::{Account, Accounts, Group, User};
use crate::cli::{Refusal, Settings};
use crate::encode::Values;
use crate::groups::{self, Resolved};
use crate::layout::Layout;
use crate::mailman::{CGI_VARIABLES, COMMANDS};
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use wrapper::policy::{Kind, RefusalStyle};

/// Groups tried when `--with-mail-gid` is not given: those of Mailman 2.1.
const DEFAULT_MAIL_GROUPS: &str = "mailman other mail daemon";
/// Groups tried when `--with-cgi-gid` is not given: those of Mailman 2.1.
const DEFAULT_CGI_GROUPS: &str = "www www-data nobody";
/// Mailman keeps Python from reading site packages.
const DEFAULT_INTERPRETER_FLAG: &str = "-S";

/// Options that do not go together, or not with this program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Misplaced {
    /// An option of Mailman's configure that means nothing here: the reason.
    Foreign(&'static str),
    /// An option for the other program.
    OtherKind { option: &'static str, kind: Kind, instead: &'static str },
    /// A CGI wrapper starts one script.
    NoCgiScript,
    /// A queue writer writes into one queue.
    NoQueueDirectory,
    /// What only a wrapper is sealed with.
    NotAWrapper,
    /// `--with-cgi-ext` without its dot.
    ExtensionWithoutDot(String),
    /// An extension which would be a path.
    ExtensionWithSlash(String),
    /// Flags, but nothing that takes them.
    FlagsWithoutInterpreter,
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(reason) => f.write_str(reason),
            Self::OtherKind { option, kind, instead } => {
                write!(f, "{option} has no meaning for a {}; {instead}", kind.program())
            }
            Self::NoCgiScript => {
                write!(f, "a {} starts one script; name it with --cgi-script=NAME, such as admin", Kind::Cgi.program())
            }
            Self::NoQueueDirectory => {
                let program = Kind::Queue.program();
                write!(f, "a {program} writes into one queue; name it with --queue-directory=DIR")
            }
            Self::NotAWrapper => write!(f, "a {} is no wrapper; seal it by itself", Kind::Queue.program()),
            Self::ExtensionWithoutDot(found) => {
                write!(f, "--with-cgi-ext={found}: the dot is part of the extension; write --with-cgi-ext=.{found}")
            }
            Self::ExtensionWithSlash(found) => write!(f, "--with-cgi-ext={found}: an extension has no slash"),
            Self::FlagsWithoutInterpreter => {
                write!(f, "--interpreter-flag without an interpreter; name it with --with-python=PATH")
            }
        }
    }
}

impl Error for Misplaced {}

/// Something which is allowed but deserves a second look. Printed, never silently dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note(String);

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Resolves the settings for one program.
///
/// # Errors
/// An option is refused, or names no account that exists.
pub(crate) fn resolve(
    settings: &Settings,
    kind: Kind,
    cgi_script: Option<&OsStr>,
    accounts: &Accounts,
) -> Result<(Values, Vec<Note>), Box<dyn Error>> {
    if kind == Kind::Cgi && cgi_script.is_none() {
        return Err(Misplaced::NoCgiScript.into());
    }
    let mut notes = Vec::new();
    let (option, list, default) = match kind {
        Kind::Mail => ("--with-mail-gid", &settings.with_mail_gid, DEFAULT_MAIL_GROUPS),
        Kind::Cgi => ("--with-cgi-gid", &settings.with_cgi_gid, DEFAULT_CGI_GROUPS),
        Kind::Queue => return Err(Misplaced::NotAWrapper.into()),
    };
    let list = list.as_deref().unwrap_or(OsStr::new(default));
    let trusted = groups::resolve(option, list.as_bytes(), &accounts.groups)?;
    let own = groups::resolve("--with-groupname", settings.with_groupname.as_bytes(), &accounts.groups)?;
    let owner = groups::resolve("--with-username", settings.with_username.as_bytes(), &accounts.users)?;
    note_rivals(option, &trusted, &mut notes);
    note_rivals("--with-groupname", &own, &mut notes);
    note_rivals("--with-username", &owner, &mut notes);
    note_wide_groups(option, trusted.row, own.row, &mut notes);
    note_steering_variables(&settings.keep_environment, &mut notes);

    let values = Values {
        kind,
        trusted: group(trusted.row),
        own: group(own.row),
        owner: user(owner.row),
        prefix: tidy(&settings.prefix),
        interpreter: interpreter(settings),
        commands: match kind {
            Kind::Mail => or_default(&settings.commands, &COMMANDS),
            Kind::Cgi | Kind::Queue => Vec::new(),
        },
        cgi_script: cgi_script.map(|name| name.as_bytes().to_vec()),
        variables: match kind {
            Kind::Mail => or_default(&settings.keep_environment, &[]),
            Kind::Cgi | Kind::Queue => or_default(&settings.keep_environment, &CGI_VARIABLES),
        },
        refusal: match (kind, settings.refusal) {
            (Kind::Mail, Refusal::Defer) => RefusalStyle::Defer,
            // A web server does not try again.
            (Kind::Cgi | Kind::Queue, _) | (Kind::Mail, Refusal::Mailman) => RefusalStyle::Mailman,
        },
    };
    Ok((values, notes))
}

/// Refuses options which have no meaning for any wrapper.
///
/// # Errors
/// With the reason.
pub(crate) fn refuse_foreign(settings: &Settings) -> Result<(), Misplaced> {
    if let Some(reason) = settings.foreign.refusal() {
        return Err(Misplaced::Foreign(reason));
    }
    if settings.with_python == "none" && settings.interpreter_flag.iter().any(|flag| !flag.is_empty()) {
        return Err(Misplaced::FlagsWithoutInterpreter);
    }
    cgi_extension(settings.with_cgi_ext.as_deref()).map(|_| ())
}

/// Refuses options which have a meaning only for the other program.
///
/// # Errors
/// With the option that was meant.
pub(crate) fn refuse_other_kind(settings: &Settings, kind: Kind) -> Result<(), Misplaced> {
    let other = |option, instead| Err(Misplaced::OtherKind { option, kind, instead });
    match kind {
        Kind::Mail if settings.with_cgi_gid.is_some() => other("--with-cgi-gid", "use --with-mail-gid"),
        Kind::Cgi if settings.with_mail_gid.is_some() => other("--with-mail-gid", "use --with-cgi-gid"),
        Kind::Cgi if !settings.commands.is_empty() => other("--command", "name its script with --cgi-script"),
        Kind::Cgi if settings.refusal == Refusal::Defer => {
            other("--refusal=defer", "a web server does not try again later")
        }
        _ => Ok(()),
    }
}

/// Where things are.
///
/// # Errors
/// The extension of CGI programs is refused.
pub(crate) fn layout(settings: &Settings) -> Result<Layout, Misplaced> {
    let path = |path: &Path| PathBuf::from(OsString::from_vec(tidy(path)));
    let or_prefix = |given: &Option<PathBuf>| path(given.as_deref().unwrap_or(&settings.prefix));
    Ok(Layout {
        prefix: path(&settings.prefix),
        exec_prefix: or_prefix(&settings.exec_prefix),
        var_prefix: or_prefix(&settings.with_var_prefix),
        cgi_extension: cgi_extension(settings.with_cgi_ext.as_deref())?,
    })
}

/// Extension of installed CGI programs, empty or with its dot.
///
/// # Errors
/// It has none, or a slash.
pub(crate) fn cgi_extension(given: Option<&OsStr>) -> Result<OsString, Misplaced> {
    let extension = given.unwrap_or_default().to_owned();
    let shown = || extension.as_bytes().escape_ascii().to_string();
    match extension.as_bytes() {
        found if found.contains(&b'/') => Err(Misplaced::ExtensionWithSlash(shown())),
        [] | [b'.', _, ..] => Ok(extension),
        _ => Err(Misplaced::ExtensionWithoutDot(shown())),
    }
}

fn note_rivals<Row: Account>(option: &str, resolved: &Resolved<'_, Row>, notes: &mut Vec<Note>) {
    if resolved.rivals.is_empty() {
        return;
    }
    let name = resolved.row.name().escape_ascii();
    let rivals: Vec<String> = resolved.rivals.iter().map(u32::to_string).collect();
    notes.push(Note(format!(
        "{option}: the database has {} {name} more than once; the first row counts, {}, not {}",
        Row::WHAT,
        resolved.row.number(),
        rivals.join(", ")
    )));
}

/// Groups that hold more processes than their name says.
fn note_wide_groups(option: &str, trusted: &Group, own: &Group, notes: &mut Vec<Note>) {
    let name = trusted.name.escape_ascii();
    match trusted.gid {
        0 => notes.push(Note(format!(
            "{option}: group {name} 0 is what a container started with `--user NUMBER` runs as, not only root"
        ))),
        65534 => notes.push(Note(format!(
            "{option}: {name} 65534 also stands for every gid that a user namespace does not map; \
             the wrapper refuses everybody (exit 10) wherever the gid map is not full"
        ))),
        _ => {}
    }
    if own.gid == 0 {
        notes.push(Note(format!(
            "--with-groupname: scripts would run as group {} 0, which owns much of the system; give them a group of their own",
            own.name.escape_ascii()
        )));
    }
}

/// Variables which make a script or its interpreter do something else. The decoder of the wrappers refuses those of the
/// loader and of Python; whether these mean anything depends on the script.
fn note_steering_variables(names: &[OsString], notes: &mut Vec<Note>) {
    for name in names {
        let shown = name.as_bytes().escape_ascii();
        let upper = name.as_bytes().to_ascii_uppercase();
        let what = match (name.as_bytes(), upper.as_slice()) {
            (b"BASH_ENV" | b"ENV", _) => "a shell runs the file that it names before the script",
            (b"IFS" | b"SHELLOPTS" | b"BASHOPTS" | b"CDPATH" | b"GLOBIGNORE" | b"PS4", _) => {
                "it changes what a shell makes of a script"
            }
            (name, _)
                if [&b"PERL5"[..], b"PERLLIB", b"RUBY", b"NODE_", b"GCONV_PATH", b"LOCPATH", b"TMPDIR"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix)) =>
            {
                "it says where code, settings or temporary files of the script are"
            }
            (_, upper) if upper.ends_with(b"_PROXY") => {
                "libraries send their requests to where it says, and a web server makes HTTP_PROXY of a header of the request"
            }
            _ => continue,
        };
        notes.push(Note(format!("--keep-environment={shown}: the caller decides about it, and {what}")));
    }
}

fn group(row: &Group) -> (u32, Vec<u8>) {
    (row.gid, row.name.clone())
}

fn user(row: &User) -> (u32, Vec<u8>) {
    (row.uid, row.name.clone())
}

fn interpreter(settings: &Settings) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    (settings.with_python != "none").then(|| {
        let flags = or_default(&settings.interpreter_flag, &[DEFAULT_INTERPRETER_FLAG]);
        (tidy(Path::new(&settings.with_python)), flags)
    })
}

/// What was given, without the empty entries that say "none"; or the default where nothing was given.
fn or_default(given: &[OsString], default: &[&str]) -> Vec<Vec<u8>> {
    if given.is_empty() {
        return default.iter().map(|text| text.as_bytes().to_vec()).collect();
    }
    given.iter().map(|text| text.as_bytes().to_vec()).filter(|text| !text.is_empty()).collect()
}

/// Without doubled slashes, `.` and a slash at the end, which people type and policies do not hold.
pub(crate) fn tidy(path: &Path) -> Vec<u8> {
    path.components().collect::<PathBuf>().into_os_string().into_vec()
}
