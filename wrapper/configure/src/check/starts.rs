//! What a wrapper starts: its scripts and their interpreter, and everything on the way to them.
//!
//! By the wrapper's own rule, so that an installation without a finding is one whose wrappers refuse nothing of it. What
//! the wrapper cannot see is added: the interpreter in the first line of a script, where none is sealed.

use super::finding::{Finding, Row};
use super::walk::{Trouble, trouble};
use crate::accounts::Accounts;
use crate::opened::Opened;
use crate::shown::shown;
use crate::stat::{FileKind, STICKY, Stat};
use nix::errno::Errno;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use wrapper::policy::{Policy, Task};
use wrapper::refusal::StartFault;
use wrapper::script::{self, Files, RealFiles, Status};

/// Of a script the kernel looks at no more: `BINPRM_BUF_SIZE` of include/uapi/linux/binfmts.h.
const FIRST_LINE: u64 = 256;
/// Interpreters of interpreters which the kernel allows: `exec_binprm` of fs/exec.c.
const MOST_INTERPRETERS: usize = 5;

/// What is wrong with what a wrapper of this policy starts.
pub(crate) fn findings(policy: &Policy<'_>, accounts: &Accounts, troubles: &mut Vec<Trouble>) -> Vec<Finding> {
    let mut search = Search { policy, accounts, because: REFUSED, findings: Vec::new(), troubles };
    if let Some(interpreter) = &policy.interpreter {
        search.look(Path::new(interpreter.path));
    }
    for script in scripts(policy) {
        // A sealed interpreter reads the script, and the first line is a comment.
        if search.look(&script) && policy.interpreter.is_none() {
            search.because = UNSEEN;
            search.look_at_interpreter(&script);
            search.because = REFUSED;
        }
    }
    search.findings
}

/// Every script that a policy can lead to.
fn scripts(policy: &Policy<'_>) -> Vec<PathBuf> {
    let directory = Path::new(policy.prefix).join("scripts");
    match policy.task {
        Task::Mail { commands } => commands.iter().map(|command| directory.join(command)).collect(),
        Task::Cgi { .. } => vec![directory.join("driver")],
    }
}

/// What has been found so far, and what is being looked at.
struct Search<'f> {
    policy: &'f Policy<'f>,
    accounts: &'f Accounts,
    /// Why it matters who can write there.
    because: &'static str,
    findings: Vec<Finding>,
    troubles: &'f mut Vec<Trouble>,
}

impl Search<'_> {
    /// Looks at a file and the way to it; whether the file is there.
    fn look(&mut self, path: &Path) -> bool {
        let faults = faults(path, self.policy, &RealFiles);
        let mut there = true;
        for (at, fault) in faults {
            there &= is_writers(fault);
            match self.finding(&at, fault) {
                Ok(finding) => self.add(finding),
                Err(errno) => self.troubles.push(trouble(&at, errno.desc())),
            }
        }
        there
    }

    /// Follows the first line of a script, and that of its interpreter, to a program.
    fn look_at_interpreter(&mut self, script: &Path) {
        let mut script = script.to_owned();
        for _ in 0..MOST_INTERPRETERS {
            let interpreter = match first_line(&script) {
                Err(errno) => return self.troubles.push(trouble(&script, errno.desc())),
                Ok(FirstLine::Program) => return,
                Ok(FirstLine::Unusable(found)) => {
                    return self.add(Finding::by_hand(
                        Row::ScriptFile,
                        &script,
                        found,
                        "a program, or a script whose first line is #! and the path of its interpreter",
                        "mend its first line, or seal the interpreter with --with-python".to_owned(),
                    ));
                }
                Ok(FirstLine::Interpreter(path)) => path,
            };
            if !self.look(&interpreter) {
                return;
            }
            script = interpreter;
        }
    }

    fn finding(&self, at: &Path, fault: StartFault) -> Result<Finding, Errno> {
        let mode = || Stat::of(at).map_or_else(|errno| errno.desc().to_owned(), |stat| stat.shown_mode());
        let owners = format!("owner root 0 or {}", self.sealed_owner());
        let own = format!("{} {}", self.policy.own.name, self.policy.own.gid);
        let (row, found, wanted, cure) = match fault {
            StartFault::Owner { uid } => {
                let found = format!("owner {}", self.accounts.users.describe(uid));
                (Row::Path, found, owners, "use chown".to_owned())
            }
            StartFault::GroupWritable { gid } => {
                let found = format!("{}, writable for group {}", mode(), self.accounts.groups.describe(gid));
                (
                    Row::Path,
                    found,
                    format!("not writable for any group but {own}"),
                    "use chmod g-w, or chgrp".to_owned(),
                )
            }
            StartFault::WorldWritable if Stat::of(at).is_ok_and(|stat| stat.has(STICKY)) => {
                let found = format!("{}, writable for everybody", mode());
                let cure =
                    "the wrapper does not make an exception for sticky directories; move the installation elsewhere";
                (Row::Path, found, "not writable for others".to_owned(), cure.to_owned())
            }
            StartFault::WorldWritable => {
                let found = format!("{}, writable for everybody", mode());
                (Row::Path, found, "not writable for others".to_owned(), "use chmod o-w".to_owned())
            }
            StartFault::AccessList => {
                let found = "writable for its group, and for whom its access control list names".to_owned();
                (Row::Path, found, "no access control list".to_owned(), "use setfacl -b".to_owned())
            }
            StartFault::Unreachable(Errno::ENOENT) => (
                Row::ScriptFile,
                "nothing".to_owned(),
                "what a wrapper starts, or leads there".to_owned(),
                MISSING.to_owned(),
            ),
            StartFault::Unreachable(errno) | StartFault::Exec(errno) => return Err(errno),
            StartFault::NotADirectory => {
                (Row::ScriptFile, "no directory".to_owned(), "a directory".to_owned(), MISSING.to_owned())
            }
            StartFault::NotAFile => {
                (Row::ScriptFile, "no regular file".to_owned(), "a regular file".to_owned(), MISSING.to_owned())
            }
        };
        let cure = match row {
            Row::Path => format!("{}; {cure}", self.because),
            _ => cure,
        };
        Ok(Finding::by_hand(row, at, found, &wanted, cure))
    }

    /// Name and number of the one who may own scripts, besides root.
    fn sealed_owner(&self) -> String {
        format!("{} {}", self.policy.owner.name, self.policy.owner.uid)
    }

    /// Scripts have most of their way in common, and several faults can be found at one place.
    fn add(&mut self, finding: Finding) {
        let same = |other: &&mut Finding| (other.row, &other.path) == (finding.row, &finding.path);
        match self.findings.iter_mut().find(same) {
            Some(other) if other.found.split("; ").any(|found| found == finding.found) => {}
            Some(other) => {
                other.found = format!("{}; {}", other.found, finding.found);
                other.wanted = format!("{}; {}", other.wanted, finding.wanted);
            }
            None => self.findings.push(finding),
        }
    }
}

const REFUSED: &str = "the wrapper refuses to start anything by way of it";
const UNSEEN: &str =
    "no wrapper looks at an interpreter that is not sealed, and whoever can write there decides what runs";
const MISSING: &str = "install it there, or seal the wrapper again for where it is";

/// Whether a fault is about who may write, so that the file may be there all the same.
const fn is_writers(fault: StartFault) -> bool {
    matches!(
        fault,
        StartFault::Owner { .. }
            | StartFault::GroupWritable { .. }
            | StartFault::WorldWritable
            | StartFault::AccessList
    )
}

/// Every fault on the way to a file. The rule of the wrapper ends at the first one; so it is asked again without those
/// that are known.
fn faults(path: &Path, policy: &Policy<'_>, files: &impl Files) -> Vec<(PathBuf, StartFault)> {
    let patched = Patched { files, known: RefCell::default() };
    let mut faults = Vec::new();
    while let Err((at, fault)) = script::check_file(path, policy, &patched) {
        faults.push((at.clone(), fault));
        // Nothing is found twice, so this ends: where it does not help to know a fault, there is nothing behind it.
        if !is_writers(fault) || !patched.known.borrow_mut().insert((at, Kind::of(fault))) {
            break;
        }
    }
    faults
}

/// Files without the faults that are known.
struct Patched<'f, Real> {
    files: &'f Real,
    known: RefCell<BTreeSet<(PathBuf, Kind)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Owner,
    Others,
    Group,
}

impl Kind {
    const fn of(fault: StartFault) -> Self {
        match fault {
            StartFault::Owner { .. } => Self::Owner,
            StartFault::WorldWritable => Self::Others,
            _ => Self::Group,
        }
    }
}

impl<Real: Files> Files for Patched<'_, Real> {
    fn status(&self, path: &Path) -> Result<Status, Errno> {
        let mut status = self.files.status(path)?;
        for (_, kind) in self.known.borrow().iter().filter(|(known, _)| known == path) {
            match kind {
                Kind::Owner => status.uid = 0,
                Kind::Others => status.mode &= !0o002,
                Kind::Group => status.mode &= !0o020,
            }
        }
        Ok(status)
    }

    fn link_target(&self, path: &Path) -> Result<PathBuf, Errno> {
        self.files.link_target(path)
    }

    fn has_access_list(&self, path: &Path) -> Result<bool, Errno> {
        self.files.has_access_list(path)
    }
}

/// What execve(2) makes of a file.
#[derive(Debug, PartialEq, Eq)]
enum FirstLine {
    /// An ELF program.
    Program,
    /// A script for this interpreter.
    Interpreter(PathBuf),
    /// Nothing that can be executed, or be relied on: what was found.
    Unusable(String),
}

fn first_line(script: &Path) -> Result<FirstLine, Errno> {
    let opened = Opened::named(script)?;
    if opened.stat.kind != FileKind::File {
        return Ok(FirstLine::Unusable(opened.stat.kind.to_string()));
    }
    let mut head = Vec::new();
    let read = opened.file.take(FIRST_LINE).read_to_end(&mut head);
    read.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))?;
    Ok(interpreter(&head))
}

/// As `load_script` of fs/binfmt_script.c takes it apart.
fn interpreter(head: &[u8]) -> FirstLine {
    if head.starts_with(b"\x7fELF") {
        return FirstLine::Program;
    }
    let Some(line) = head.strip_prefix(b"#!") else {
        return FirstLine::Unusable("it is neither a program nor begins with #!".to_owned());
    };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = line.iter().position(|byte| !blank(byte)).unwrap_or(line.len());
    let name = line[start..].split(|byte| blank(byte) || *byte == 0).next().unwrap_or_default();
    let path = Path::new(OsStr::from_bytes(name));
    if path.is_absolute() {
        return FirstLine::Interpreter(path.to_owned());
    }
    FirstLine::Unusable(format!("its interpreter is \"{}\", which is not an absolute path", shown(path)))
}

#[cfg(test)]
mod tests;
