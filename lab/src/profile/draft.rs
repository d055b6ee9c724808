//! A first draft of a profile, from an installed program: its file, the libraries it asks for, the texts in it. What
//! could not be found is guessed, and the draft says so: it is read by a person before it is used.

use crate::scenario::accounts::Accounts;
use crate::scenario::report::Report;
use lab_model::environment::MAILMAN_NAMES;
use lab_model::policy::MAILMAN_COMMANDS;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSegment, ObjectSymbol};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Longest program that is looked at, in bytes.
const LONGEST: u64 = 64 << 20;

/// What was found of a program.
#[derive(Clone, Debug, Default)]
struct Found {
    path: String,
    owner: u32,
    group: u32,
    mode: u32,
    /// NUL-terminated printable texts in it.
    texts: BTreeSet<String>,
    /// Functions that it takes from libraries; `None` for a static program.
    imports: Option<BTreeSet<String>>,
    glibc: bool,
}

/// Drafts the profile of an installed program. `accounts` are those of the scenarios; names which they lack are taken from
/// the host's group file.
///
/// # Errors
/// The program cannot be read, or is none.
pub fn draft(path: &Path, accounts: &Accounts) -> Result<String, Box<Report>> {
    let shown = path.display().to_string();
    let refused = |title: String| Box::new(Report::of_file(&*shown, title));
    let Some(text) = path.to_str().filter(|text| text.starts_with('/')) else {
        return Err(refused("the path of an installed program is absolute, and text".to_owned()));
    };
    let metadata = std::fs::metadata(path).map_err(|error| refused(format!("cannot look at the program: {error}")))?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Err(refused(format!("is no regular file of at most {LONGEST} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|error| refused(format!("cannot read the program: {error}")))?;
    let elf: ElfFile64<'_> =
        ElfFile64::parse(&*bytes).map_err(|error| refused(format!("is no 64-bit ELF program: {error}")))?;
    let imports: BTreeSet<String> = elf
        .dynamic_symbols()
        .filter(ObjectSymbol::is_undefined)
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
        .collect();
    // Only what is loaded: names of files and types in debugging sections are no texts of the program.
    let texts: BTreeSet<String> = elf.segments().filter_map(|segment| segment.data().ok()).flat_map(texts).collect();
    let found = Found {
        path: text.to_owned(),
        owner: metadata.uid(),
        group: metadata.gid(),
        mode: metadata.mode() & 0o7777,
        glibc: texts.iter().any(|text| text.starts_with("/lib") && text.contains("ld-linux")),
        imports: (!imports.is_empty()).then_some(imports),
        texts,
    };
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    Ok(write(&found, &groups, accounts))
}

fn texts(bytes: &[u8]) -> BTreeSet<String> {
    bytes
        .split(|&byte| byte == 0)
        .filter(|text| (2..256).contains(&text.len()) && text.iter().all(|byte| (b' '..=b'~').contains(byte)))
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect()
}

/// The draft.
fn write(found: &Found, group_file: &str, accounts: &Accounts) -> String {
    let rows: Vec<(&str, u32)> = group_file
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            Some((fields.next()?, fields.nth(1)?.parse().ok()?))
        })
        .collect();
    let name_of =
        |gid: u32| rows.iter().find(|row| row.1 == gid).map_or_else(|| gid.to_string(), |row| row.0.to_owned());
    let own = name_of(found.group);
    // "mail" stands in the messages of every Mailman wrapper, so that it says nothing where there is another name.
    let named: Vec<&str> =
        rows.iter().map(|row| row.0).filter(|name| found.texts.contains(*name) && *name != own).collect();
    let others: Vec<&str> = named.iter().copied().filter(|name| *name != "mail").collect();
    let trusted = if others.is_empty() { named } else { others };
    let extra: Vec<(&str, u32)> = rows
        .iter()
        .copied()
        .filter(|(name, _)| (trusted.contains(name) || *name == own) && accounts.gid(name).is_none())
        .collect();

    let has = |text: &str| found.texts.contains(text);
    let commands: Vec<&str> = MAILMAN_COMMANDS.into_iter().filter(|command| has(command)).collect();
    let mail = !commands.is_empty();
    let mut out = String::new();
    let line = |out: &mut String, text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&mut out, "# A draft. Read every line: what says \"guessed\" could not be found in the program.\n");
    line(&mut out, &format!("title  = {}", quoted(&format!("The wrapper at {}", found.path))));
    line(&mut out, "source = [] # say where its rules are written\n");
    if !extra.is_empty() {
        line(&mut out, "[group] # of the host, and not among the accounts of the scenarios");
        for (name, gid) in extra {
            line(&mut out, &format!("{} = {gid}", quoted(name)));
        }
        out.push('\n');
    }
    line(&mut out, &format!("[wrapper.{}]", if mail { "mail-wrapper" } else { "cgi-wrapper" }));
    line(&mut out, &format!("path        = {}", quoted(&found.path)));
    line(&mut out, &format!("owner       = {}", found.owner));
    line(&mut out, &format!("group       = {}", group_value(&own)));
    line(&mut out, &format!("mode        = \"{:04o}\"{}", found.mode, warning(found.mode)));
    decision(&mut out, found, &trusted);
    if mail {
        line(&mut out, "checks      = [\"usage\", \"command\", \"caller\"] # guessed: Mailman's order");
        line(&mut out, &format!("commands    = {}", list(&commands)));
    } else {
        line(&mut out, "checks      = [\"caller\"] # guessed");
    }
    line(&mut out, "bit-lost    = \"passes-on\" # guessed: few wrappers look");
    start(&mut out, found, mail);
    let usage = if mail { "usage = 5, unknown-command = 6, " } else { "" };
    line(
        &mut out,
        &format!(
            "exit        = {{ mismatch = 2, ids-not-set = 3, exec-failed = 4, {usage}nameless = 8 }} # guessed: Mailman's"
        ),
    );
    out
}

fn warning(mode: u32) -> &'static str {
    match mode & 0o2010 {
        0o2010 => "",
        0o2000 => " # set-group-ID without group-execute: the bit does not act",
        _ => " # not set-group-ID",
    }
}

fn decision(out: &mut String, found: &Found, trusted: &[&str]) {
    let imports = |name: &str| found.imports.as_ref().map(|imports| imports.contains(name));
    let compare = match imports("getgrgid") {
        Some(true) => "compare     = \"name\" # it looks up names: getgrgid",
        Some(false) => "compare     = \"gid\" # it looks up no name",
        None => "compare     = \"name\" # guessed: the program is static",
    };
    let file = found.texts.iter().find(|text| text.starts_with("/etc/") && text.ends_with("-gid"));
    let trusted = match file {
        Some(file) => format!("trusted-file = {} # found in the program", quoted(file)),
        None if trusted.is_empty() => "trusted     = [] # no name of a group was found: write it here".to_owned(),
        None => format!("trusted     = {} # names of groups which are found in the program", list(trusted)),
    };
    let switch = match imports("setregid") {
        Some(true) | None => {
            "switch      = \"real-to-effective\" # setregid(getegid(), -1), as Mailman does: look whether it does"
        }
        Some(false) => "switch      = \"nothing\" # it calls no setregid",
    };
    for line in [compare, &trusted, switch] {
        out.push_str(line);
        out.push('\n');
    }
}

fn start(out: &mut String, found: &Found, mail: bool) {
    let find = |wanted: fn(&str) -> bool| found.texts.iter().map(String::as_str).find(|text| wanted(text));
    let interpreter =
        find(|text| text.starts_with('/') && text.rsplit('/').next().is_some_and(|name| name.starts_with("python")));
    let scripts =
        find(|text| text.starts_with('/') && text.ends_with("/scripts/")).unwrap_or("/usr/local/mailman/scripts/");
    let name = found.path.rsplit('/').next().unwrap_or_default();
    let mut words: Vec<String> = Vec::new();
    if let Some(interpreter) = interpreter {
        words.extend([interpreter.to_owned(), "-S".to_owned()]);
    }
    if mail {
        words.extend([format!("{scripts}{{command}}"), "{rest}".to_owned()]);
    } else {
        words.extend([format!("{scripts}driver"), name.to_owned()]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let kept: Vec<&str> = MAILMAN_NAMES.into_iter().filter(|name| found.texts.contains(*name)).collect();
    let environment = if kept.contains(&"HTTP_COOKIE") {
        format!("environment.only = {}", list(&kept))
    } else {
        "environment.all-but = [\"PATH\", \"PYTHONPATH\", \"PYTHONHOME\"] # guessed: Mailman's until 2.1.24".to_owned()
    };
    let libc = if found.glibc { "glibc" } else { "other" };
    let _ = writeln!(out, "starts      = {} # guessed: Mailman's way", list(&words));
    let _ = writeln!(out, "libc        = \"{libc}\"");
    let _ = writeln!(out, "{environment}");
    if let Some(path) = find(|text| text.starts_with("PYTHONPATH=/")) {
        let _ = writeln!(out, "adds        = [{}]", quoted(path));
    }
}

/// A group by name, or by number where it has none.
fn group_value(name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_digit()) { name.to_owned() } else { quoted(name) }
}

fn list(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Found, draft, write};
    use crate::profile::Profile;
    use crate::scenario;
    use crate::scenario::accounts::Accounts;
    use std::path::Path;
    use std::sync::Arc;

    const GROUPS: &str = "root:x:0:\ndaemon:x:1:\nmail:x:8:\nstaff:x:50:\nlists:x:900:\n";

    fn accounts() -> Accounts {
        let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        let source = scenario::source(&directory.join(scenario::IDENTITIES)).expect("it can be read");
        Accounts::read(&source).expect("it is sound")
    }

    fn found(texts: &[&str], imports: Option<&[&str]>) -> Found {
        let set = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Found {
            path: "/usr/lib/mailman/mail/mailman".into(),
            owner: 0,
            group: 900,
            mode: 0o2755,
            texts: set(texts),
            imports: imports.map(set),
            glibc: imports.is_some(),
        }
    }

    #[test]
    fn a_draft_is_a_profile_already() {
        let mail = found(
            &[
                "mail",
                "daemon",
                "post",
                "owner",
                "HTTP_COOKIE",
                "USER",
                "/usr/bin/python2.7",
                "/usr/lib/mailman/scripts/",
                "PYTHONPATH=/usr/lib/mailman",
            ],
            Some(&["getgrgid", "setregid"]),
        );
        let file = found(&["/etc/mailman/mailman.mail-gid", "post"], Some(&["fopen"]));
        let cgi = Found { mode: 0o2745, ..found(&["driver", "staff", "/usr/bin/python"], None) };
        for (name, found) in [("mail", mail), ("file", file), ("cgi", cgi)] {
            let text = write(&found, GROUPS, &accounts());
            let source = Arc::new(scenario::Source { path: "draft.toml".into(), text: text.clone() });
            let read = Profile::read(&source, &accounts());
            assert!(read.is_ok(), "{name}: {}", read.expect_err("it is not")[0]);
            insta::assert_snapshot!(format!("draft_{name}"), text);
        }
    }

    #[test]
    fn what_is_no_program_is_refused() {
        for path in ["/etc/passwd", "/nonexistent", "/etc", "relative"] {
            assert!(draft(Path::new(path), &accounts()).is_err(), "{path}");
        }
        let text = draft(Path::new("/bin/sh"), &accounts()).expect("it is a program");
        assert!(text.contains("# not set-group-ID"), "{text}");
    }
}
