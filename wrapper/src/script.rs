//! The way to the script: who could change it, and the exec.

use crate::credentials::{Gid, Switched};
use crate::decision::Plan;
use crate::group_names;
use crate::policy::Policy;
use crate::refusal::{Refusal, StartFault};
use crate::surroundings::AccountName;
use crate::sys::{self, Disposition};
use nix::errno::Errno;
use nix::fcntl::readlink;
use nix::sys::stat::{SFlag, lstat};
use nix::unistd::execve;
use std::collections::VecDeque;
use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// A plan of which nobody untrusted can change what is executed. Nothing else can be.
#[derive(Debug)]
pub struct Checked<'a>(Plan<'a>);

/// Checks every directory, symbolic link and file on the way to script and interpreter of a plan.
///
/// Only root, the owner of the policy and the wrapper's own group may be able to write there: whoever else could would
/// run programs of their own as that group. Those trusted ones can still change a path between this check and the exec.
/// An interpreter that the script names in its first line is not checked: the kernel, not this program, opens it.
///
/// # Errors
/// The first place where somebody else could, or which cannot be looked at, or is no file.
pub fn check_files<'a, 'p>(
    _: &Switched,
    plan: Plan<'a>,
    policy: &Policy<'p>,
    files: &impl Files,
) -> Result<Checked<'a>, Refusal<'p>> {
    for file in plan.interpreter.iter().chain([&plan.script]) {
        check_file(&path(file), policy, files).map_err(|(path, fault)| refuse(path, fault, policy))?;
    }
    Ok(Checked(plan))
}

/// Executes the plan; comes back only to say why not.
///
/// By path: a script that is executed by descriptor gets a name below /dev/fd, which close-on-exec has emptied.
#[must_use]
pub fn execute<'p>(Checked(plan): &Checked<'_>, policy: &Policy<'p>) -> Refusal<'p> {
    // An exec keeps what is ignored, and this process has ignored everything.
    let executed = sys::dispose_of_signals(Disposition::Default)
        .and_then(|()| execve(plan.program(), &plan.argv, &plan.environment));
    let Err(errno) = executed;
    // Again, so that no SIGPIPE can stand in the way of the refusal. If it fails, one may.
    let _ = sys::dispose_of_signals(Disposition::Ignore);
    refuse(path(plan.program()), StartFault::Exec(errno), policy)
}

/// A path of a plan.
pub(crate) fn path(bytes: &CStr) -> PathBuf {
    OsStr::from_bytes(bytes.to_bytes()).into()
}

fn refuse<'p>(path: PathBuf, fault: StartFault, policy: &Policy<'p>) -> Refusal<'p> {
    let name = match fault {
        StartFault::Owner { uid } => group_names::name_of_user(uid),
        StartFault::GroupWritable { gid } => Gid::new(gid).map_or(AccountName::Nameless, group_names::name_of),
        _ => AccountName::Nameless,
    };
    Refusal::NotStarted { path, fault, name, owner: policy.owner, own: policy.own }
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Directory, symbolic link, regular file or something else.
    pub kind: FileKind,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
}

/// The kinds of file that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A regular file.
    Regular,
    /// Anything else.
    Other,
}

/// The file system, as far as the check looks at it. Tests have one of their own.
pub trait Files {
    /// lstat(2).
    ///
    /// # Errors
    /// What the kernel says.
    fn status(&self, path: &Path) -> Result<Status, Errno>;

    /// readlink(2).
    ///
    /// # Errors
    /// What the kernel says.
    fn link_target(&self, path: &Path) -> Result<PathBuf, Errno>;

    /// Whether there is an access control list (acl(5)), which can let more users write than the mode shows.
    ///
    /// # Errors
    /// What the kernel says.
    fn has_access_list(&self, path: &Path) -> Result<bool, Errno>;
}

/// Most symbolic links on one way, as in path_resolution(7).
const LINKS_MAX: usize = 40;

/// The rule of [`check_files`] for one file: also for the tool that looks at an installation, so that both find the same.
///
/// # Errors
/// The first place where somebody else could write, or which cannot be looked at, or is no file; and what is wrong there.
pub fn check_file(path: &Path, policy: &Policy<'_>, files: &impl Files) -> Result<(), (PathBuf, StartFault)> {
    let mut links = 0;
    // What has been walked so far: never a symbolic link, so that `..` is the directory above.
    let mut here = PathBuf::from("/");
    let mut ahead = names(path);
    check_writers(&here, policy, files)?;
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&name);
        match check_writers(&next, policy, files)? {
            FileKind::Link => {
                links += 1;
                if links > LINKS_MAX {
                    return Err((path.to_owned(), StartFault::Unreachable(Errno::ELOOP)));
                }
                let target = files.link_target(&next).map_err(|errno| (next, StartFault::Unreachable(errno)))?;
                if target.is_absolute() {
                    here = PathBuf::from("/");
                }
                for name in names(&target).into_iter().rev() {
                    ahead.push_front(name);
                }
            }
            FileKind::Directory => here = next,
            FileKind::Regular if ahead.is_empty() => return Ok(()),
            FileKind::Regular => return Err((next, StartFault::NotADirectory)),
            FileKind::Other => return Err((next, StartFault::NotAFile)),
        }
    }
    Err((here, StartFault::NotAFile))
}

/// The components of a path that lead somewhere else.
fn names(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|component| matches!(component, Component::Normal(_) | Component::ParentDir))
        .map(|component| component.as_os_str().to_owned())
        .collect()
}

/// Who may write there? The mode of a link does not matter: it cannot be written, only replaced in its directory.
fn check_writers(path: &Path, policy: &Policy<'_>, files: &impl Files) -> Result<FileKind, (PathBuf, StartFault)> {
    let fail = |fault| Err((path.to_owned(), fault));
    let status = match files.status(path) {
        Ok(status) => status,
        Err(errno) => return fail(StartFault::Unreachable(errno)),
    };
    if status.uid != 0 && status.uid != policy.owner.uid {
        // An owner can give himself the permission to write.
        return fail(StartFault::Owner { uid: status.uid });
    }
    if status.kind == FileKind::Link {
        return Ok(status.kind);
    }
    if status.mode & 0o002 != 0 {
        return fail(StartFault::WorldWritable);
    }
    if status.mode & 0o020 != 0 {
        if status.gid != policy.own.gid.as_raw() {
            return fail(StartFault::GroupWritable { gid: status.gid });
        }
        // With a list the group's bits are its mask: the most that any entry gives to anybody.
        match files.has_access_list(path) {
            Ok(false) => {}
            Ok(true) => return fail(StartFault::AccessList),
            Err(errno) => return fail(StartFault::Unreachable(errno)),
        }
    }
    Ok(status.kind)
}

/// The real file system.
#[derive(Debug)]
pub struct RealFiles;

impl Files for RealFiles {
    fn status(&self, path: &Path) -> Result<Status, Errno> {
        let status = lstat(path)?;
        let kind = match SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits()) {
            SFlag::S_IFDIR => FileKind::Directory,
            SFlag::S_IFLNK => FileKind::Link,
            SFlag::S_IFREG => FileKind::Regular,
            _ => FileKind::Other,
        };
        Ok(Status { kind, uid: status.st_uid, gid: status.st_gid, mode: status.st_mode & 0o7777 })
    }

    fn link_target(&self, path: &Path) -> Result<PathBuf, Errno> {
        readlink(path).map(PathBuf::from)
    }

    fn has_access_list(&self, path: &Path) -> Result<bool, Errno> {
        sys::has_access_list(path)
    }
}

#[cfg(test)]
mod tests;
