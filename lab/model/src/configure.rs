//! What the tool must answer that seals and installs wrappers: which group a list names, and which directory is refused.
//!
//! Sources: Mailman's configure.in (`--with-mail-gid`, `--with-cgi-gid`, the permission check of the prefix) and the
//! installation chapter of its manual (nosuid); group(5), passwd(5); chmod(2) for a bit that is left out in silence.

use crate::files::{Entry, EntryKind, Files, Mount};
use crate::process::Process;
use crate::{Bytes, show};
use std::collections::BTreeMap;

/// Groups which Mailman's configure tries where none is named.
const MAIL_GROUPS: &[u8] = b"mailman other mail daemon";
/// Likewise for its pages.
const CGI_GROUPS: &[u8] = b"www www-data nobody";
/// Pages of Mailman 2.1.
const PAGES: [&str; 11] = [
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
/// Options of Mailman's configure that no wrapper has a use for.
const FOREIGN: [&str; 4] = ["--with-mailhost", "--with-urlhost", "--with-gcc", "--without-permcheck"];

/// One start of the tool.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// Its arguments, the first being its own name.
    pub argv: &'r [Bytes],
    /// Who starts it.
    pub process: &'r Process,
    /// What is there.
    pub files: &'r Files,
    /// Content of /etc/group; `None` where it cannot be read.
    pub group: Option<&'r [u8]>,
    /// Content of /etc/passwd; `None` where it cannot be read.
    pub passwd: Option<&'r [u8]>,
}

/// What must come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Exit status: 0 done, 1 refused, or installed but found not to work.
    pub exit: u8,
    /// What must be said: on standard output where something was done, else on standard error.
    pub says: Vec<String>,
    /// Whether something was done.
    pub done: bool,
    /// Files and directories that are made or replaced, and no others, as they then are.
    pub writes: BTreeMap<Bytes, Entry>,
    /// Why, as a sentence.
    pub because: String,
}

/// Says what must come out of `run`.
pub fn decide(run: &Run<'_>) -> Answer {
    answer(run).unwrap_or_else(|refusal| Answer {
        exit: 1,
        says: refusal.says,
        done: false,
        writes: BTreeMap::new(),
        because: refusal.because,
    })
}

struct Refusal {
    because: String,
    says: Vec<String>,
}

fn refuse<T>(because: impl Into<String>, says: &[&str]) -> Result<T, Refusal> {
    Err(Refusal { because: because.into(), says: says.iter().map(|text| (*text).to_owned()).collect() })
}

fn answer(run: &Run<'_>) -> Result<Answer, Refusal> {
    if let Some(option) = FOREIGN.iter().find(|option| value(run, option).is_some() || given(run, option)) {
        return refuse(format!("{option} has no meaning for a wrapper"), &[*option]);
    }
    let Some(groups) = run.group else { return refuse("there is no group database", &["/etc/group"]) };
    let Some(users) = run.passwd else { return refuse("there is no user database", &["/etc/passwd"]) };
    let (groups, users) = (rows(groups), rows(users));
    let own = chosen(run, "--with-groupname", b"mailman", &groups)?;
    let user = chosen(run, "--with-username", b"mailman", &users)?;
    match run.argv.get(1).map(Vec::as_slice) {
        Some(b"seal") => seal(run, &groups),
        Some(b"install") => install(run, &groups, own, user),
        _ => refuse("no scenario asks anything else of it", &[]),
    }
}

fn seal(run: &Run<'_>, groups: &[Row<'_>]) -> Result<Answer, Refusal> {
    let binary = run.argv.get(2).map(Vec::as_slice).unwrap_or_default();
    let cgi = binary.ends_with(b"cgi-wrapper");
    let trusted = trusted(run, cgi, groups)?;
    let output = value(run, "--output").unwrap_or_default().to_vec();
    let says = vec![format!("trusts {} {}", show(trusted.name), trusted.number)];
    let because = format!("the first entry that exists is {} {}", show(trusted.name), trusted.number);
    Ok(Answer { exit: 0, says, done: true, writes: [(output.clone(), sealed(run, &output))].into(), because })
}

/// A copy that is installed nowhere: its maker's, without a bit that matters. open(2), inode(7): in a directory with the
/// set-group-ID bit it gets the directory's group.
fn sealed(run: &Run<'_>, output: &[u8]) -> Entry {
    let parent = output.rsplitn(2, |byte| *byte == b'/').nth(1).and_then(|path| run.files.entries.get(path));
    let group = parent.filter(|parent| parent.mode & 0o2000 != 0).map_or(run.process.gid.fs, |parent| parent.group);
    Entry { kind: EntryKind::Program, owner: run.process.uid.fs, group, mode: 0o755 }
}

fn trusted<'r>(run: &Run<'_>, cgi: bool, groups: &[Row<'r>]) -> Result<Row<'r>, Refusal> {
    let (option, default) = if cgi { ("--with-cgi-gid", CGI_GROUPS) } else { ("--with-mail-gid", MAIL_GROUPS) };
    chosen(run, option, default, groups)
}

fn install(run: &Run<'_>, groups: &[Row<'_>], own: Row<'_>, user: Row<'_>) -> Result<Answer, Refusal> {
    let only = value(run, "--only");
    let (mail, cgi) = (only != Some(b"cgi"), only != Some(b"mail"));
    let mail_trusts = if mail { Some(trusted(run, false, groups)?) } else { None };
    let cgi_trusts = if cgi { Some(trusted(run, true, groups)?) } else { None };
    let prefix = value(run, "--prefix").unwrap_or(b"/usr/local/mailman");
    let mut directories = vec![prefix.to_vec()];
    directories.extend(mail.then(|| [prefix, b"/mail"].concat()));
    directories.extend(cgi.then(|| [prefix, b"/cgi-bin"].concat()));
    for (at, path) in directories.iter().enumerate() {
        match run.files.entries.get(path) {
            None if at > 0 => {}
            None => return refuse("the prefix does not exist", &["does not exist"]),
            Some(entry) => directory(run, path, entry, own, user)?,
        }
    }
    let belongs =
        user.group == Some(own.number) || own.members.split(|byte| *byte == b',').any(|name| name == user.name);
    if !belongs {
        let says = show(user.name).to_string();
        return refuse("the user of Mailman does not belong to its group", &["does not belong", &says]);
    }
    let root = run.process.uid.effective == 0;
    for path in directories.iter().skip(1) {
        let writable = run.files.entries.get(path).is_none_or(|entry| may_write(run.process, entry));
        if !root && !writable {
            return refuse("whoever installs may not write there", &["Permission denied"]);
        }
    }
    if !root && !run.process.in_group(own.number) {
        return refuse(
            "chmod(2) leaves the bit out, and says nothing, where its caller does not belong to the file's group",
            &["left out the set-group-ID bit"],
        );
    }
    // Anybody may start a wrapper, its owner may replace it, and it gets its group; so do files made in its directory.
    let made = |kind, mode| Entry { kind, owner: run.process.uid.fs, group: own.number, mode };
    let missing = directories.iter().filter(|path| !run.files.entries.contains_key(*path));
    let missing = missing.map(|path| (path.clone(), made(EntryKind::Directory, 0o2775)));
    let pages = PAGES.iter().filter(|_| cgi).map(|page| [prefix, b"/cgi-bin/", page.as_bytes()].concat());
    let programs = mail.then(|| [prefix, b"/mail/mailman"].concat()).into_iter().chain(pages);
    let writes = missing.chain(programs.map(|path| (path, made(EntryKind::Program, 0o2755)))).collect();
    // A caller with the wrapper's own group cannot see whether the bit acts, and one of the trusted group starts nothing.
    let shows = root
        || (run.process.gid.real != own.number
            && ![mail_trusts, cgi_trusts].iter().flatten().any(|row| row.number == run.process.gid.real));
    let lost = run.process.no_new_privs && shows;
    let because = if lost { "what is installed cannot gain its group here" } else { "nothing stands against it" };
    let mut says: Vec<String> = [mail_trusts, cgi_trusts]
        .into_iter()
        .flatten()
        .map(|row| format!("trusts {} {}", show(row.name), row.number))
        .collect();
    says.push(
        if lost {
            "WRONG"
        } else if shows {
            "proven"
        } else {
            "unproven"
        }
        .to_owned(),
    );
    Ok(Answer { exit: u8::from(lost), says, done: true, writes, because: because.to_owned() })
}

/// What Mailman's configure asks of a directory, and what keeps a stranger from exchanging what is in it.
fn directory(run: &Run<'_>, path: &[u8], entry: &Entry, own: Row<'_>, user: Row<'_>) -> Result<(), Refusal> {
    if entry.kind != EntryKind::Directory {
        return refuse("it is no directory", &["a directory is wanted"]);
    }
    if entry.group != own.number {
        let says = format!("belongs to group {}", named(run.group, entry.group));
        return refuse("it belongs to another group", &[&says]);
    }
    if entry.mode & 0o2000 == 0 {
        return refuse("what is made in it would not get its group", &["set-group-ID bit must be set"]);
    }
    if entry.mode & 0o775 != 0o775 {
        return refuse("somebody lacks a permission", &["at least 02775"]);
    }
    if entry.mode & 0o002 != 0 {
        return refuse("anybody could exchange what is in it", &["writable for everybody"]);
    }
    if ![0, run.process.uid.effective, user.number].contains(&entry.owner) {
        let says = format!("belongs to {}", named(run.passwd, entry.owner));
        return refuse("its owner could exchange what is in it", &[&says]);
    }
    let covers = |mount: &&Mount| path == mount.at || path.starts_with(&[mount.at.as_slice(), b"/"].concat());
    match run.files.mounts.iter().rev().find(covers) {
        Some(mount) if mount.nosuid => refuse("the bit does not act on a nosuid mount", &["nosuid"]),
        Some(mount) if mount.noexec => refuse("nothing can be started on a noexec mount", &["noexec"]),
        _ => Ok(()),
    }
}

fn may_write(process: &Process, entry: &Entry) -> bool {
    let bits = if process.uid.fs == entry.owner {
        entry.mode >> 6
    } else if process.in_group(entry.group) {
        entry.mode >> 3
    } else {
        entry.mode
    };
    bits & 0o3 == 0o3
}

/// A row of group(5) or passwd(5): what both have, and what one of them has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row<'r> {
    name: &'r [u8],
    number: u32,
    /// passwd(5): the primary group.
    group: Option<u32>,
    /// group(5): names with commas.
    members: &'r [u8],
}

/// Rows that can be used; the others are as if they were not there.
fn rows(text: &[u8]) -> Vec<Row<'_>> {
    let row = |line| {
        let fields: Vec<&[u8]> = <[u8]>::split(line, |byte| *byte == b':').collect();
        let [name, _, number, fourth, ..] = fields.as_slice() else { return None };
        Some(Row { name, number: id(number)?, group: id(fourth), members: fourth })
    };
    text.split(|byte| *byte == b'\n').filter_map(row).collect()
}

fn named(database: Option<&[u8]>, number: u32) -> String {
    match rows(database.unwrap_or_default()).iter().find(|row| row.number == number) {
        Some(row) => format!("{} {number}", show(row.name)),
        None => format!("{number} (no name)"),
    }
}

/// A number as everybody reads it: decimal digits without a leading zero, below the one that means "unchanged".
fn id(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|number| plain && *number != u32::MAX)
}

/// The first entry of a list that exists. Any entry that is a number to some programs only makes the list worthless.
fn chosen<'r>(run: &Run<'_>, option: &str, default: &[u8], rows: &[Row<'r>]) -> Result<Row<'r>, Refusal> {
    let list = value(run, option).unwrap_or(default);
    if list.contains(&b',') {
        return refuse("entries are separated by blanks", &[option, "comma"]);
    }
    let entries: Vec<&[u8]> = list.split(|byte| *byte == b' ').collect();
    let mut found = None;
    for entry in &entries {
        let by_name = rows.iter().find(|row| row.name == *entry);
        let row = match entry.first() {
            None => return refuse("an entry is empty", &[option]),
            Some(b'0'..=b'9') => match id(entry) {
                Some(number) => rows.iter().find(|row| row.number == number),
                None if by_name.is_some() && !entry.iter().all(u8::is_ascii_digit) => by_name,
                None => {
                    let entry = show(entry).to_string();
                    return refuse("not everybody reads this number alike", &[option, &entry]);
                }
            },
            Some(_) => by_name,
        };
        found = found.or(row);
    }
    match found {
        Some(row) => Ok(*row),
        None => {
            let tried: Vec<String> = entries.iter().map(|entry| show(entry).to_string()).collect();
            let mut says: Vec<&str> = tried.iter().map(String::as_str).collect();
            says.insert(0, option);
            refuse("nothing of the list exists", &says)
        }
    }
}

fn given(run: &Run<'_>, option: &str) -> bool {
    run.argv.iter().any(|word| word == option.as_bytes())
}

/// The value of `--option=value`.
fn value<'r>(run: &Run<'r>, option: &str) -> Option<&'r [u8]> {
    run.argv.iter().find_map(|word| word.strip_prefix(option.as_bytes())?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests;
