//! How `wrapper-configure seal` is asked: its arguments and account files come from the policy of a case.

use super::{Program, boxed};
use crate::case::{Kind, Policy, Style};
use crate::problem::Problem;
use crate::run::section::SIZE;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The arguments of `wrapper-configure seal` that come from the policy.
pub(super) fn arguments(policy: &Policy) -> Vec<OsString> {
    let mut all = Vec::new();
    let mut add = |option: &str, value: &[u8]| {
        let mut argument = OsString::from(option);
        argument.push("=");
        argument.push(OsStr::from_bytes(value));
        all.push(argument);
    };
    let trusts = match policy.trusts.name.as_str() {
        "" => policy.trusts.gid.to_string(),
        name => name.to_owned(),
    };
    match policy.kind {
        Kind::Mail => add("--with-mail-gid", trusts.as_bytes()),
        Kind::Cgi => add("--with-cgi-gid", trusts.as_bytes()),
    }
    add("--with-username", policy.owner.1.as_bytes());
    add("--with-groupname", policy.own.name.as_bytes());
    add("--prefix", policy.prefix.as_slice());
    match &policy.interpreter {
        None => add("--with-python", b"none"),
        Some((path, flags)) => {
            add("--with-python", path.as_slice());
            // Nothing given would mean Mailman's -S.
            if flags.is_empty() {
                add("--interpreter-flag", b"");
            }
            for flag in flags {
                add("--interpreter-flag", flag.as_slice());
            }
        }
    }
    if policy.kind == Kind::Mail {
        for command in &policy.commands {
            add("--command", command.as_slice());
        }
    }
    if let Some(script) = &policy.script {
        add("--cgi-script", script.as_slice());
    }
    // Nothing given would mean the default of the program.
    if policy.keep.as_ref().is_some_and(Vec::is_empty) {
        add("--keep-environment", b"");
    }
    for name in policy.keep.iter().flatten() {
        add("--keep-environment", name.as_slice());
    }
    if policy.refusal == Style::Defer {
        add("--refusal", b"defer");
    }
    all
}

/// The group file that names the groups of a policy and no other.
pub(super) fn group_file(policy: &Policy) -> String {
    [&policy.trusts, &policy.own]
        .into_iter()
        .filter(|group| !group.name.is_empty())
        .map(|group| format!("{}:x:{}:\n", group.name, group.gid))
        .collect()
}

/// The passwd file that names the owner of a policy and nobody else.
pub(super) fn passwd_file(policy: &Policy) -> String {
    let (uid, name) = &policy.owner;
    format!("{name}:x:{uid}:{}::/:/bin/false\n", policy.own.gid)
}

/// A file that has no name at any time, so that nothing is left behind however the lab ends.
fn unnamed_file(content: &str) -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(content.as_bytes())?;
    Ok(file)
}

/// How a child process opens a file of this process.
fn path_of(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()))
}

/// Has a program sealed, and takes the section out of what came back.
///
/// # Errors
/// The tool cannot be started, refuses the policy, or changed anything but the section.
pub(super) fn run_configure(
    configure: &Path,
    program: &Program,
    arguments: &[OsString],
    groups: &str,
    users: &str,
) -> Result<Box<[u8; SIZE]>, Problem> {
    let failed = |what: &str, found: String| Problem::internal(what.to_owned()).found(found);
    let unnamed =
        |content: &str| unnamed_file(content).map_err(|error| failed("no file for sealing", error.to_string()));
    let (groups, users) = (unnamed(groups)?, unnamed(users)?);
    let output = Command::new(configure)
        .arg("seal")
        .arg(&program.path)
        .args(["--output", "-"])
        .args(arguments)
        .arg("--group-file")
        .arg(path_of(&groups))
        .arg("--passwd-file")
        .arg(path_of(&users))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed("wrapper-configure cannot be started", error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let asked: Vec<String> = arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
        return Err(Problem::usage("wrapper-configure refuses the policy of a case")
            .found(format!("seal {}\n{}: {}", asked.join(" "), output.status, said.trim()))
            .cure("correct the policy in the scenario file"));
    }
    let sealed = output.stdout;
    let Some(place) = program.section.clone() else {
        return Err(failed("wrapper-configure sealed a program without a section", String::new()));
    };
    let same = |range: Range<usize>| sealed.get(range.clone()) == program.bytes.as_slice().get(range);
    if sealed.len() != program.bytes.as_slice().len() || !same(0..place.start) || !same(place.end..sealed.len()) {
        return Err(failed(
            "wrapper-configure changed more than the sealed section",
            format!("{} bytes became {}", program.bytes.as_slice().len(), sealed.len()),
        ));
    }
    sealed
        .get(place)
        .and_then(boxed)
        .ok_or_else(|| failed("wrapper-configure made a file without a section", String::new()))
}
