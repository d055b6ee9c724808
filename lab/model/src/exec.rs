//! What execve(2) does to credentials. The rules are those of `fs/exec.c` (`bprm_fill_uid`, `check_unsafe_exec`,
//! `begin_new_exec`), `fs/namespace.c` (`mnt_may_suid`), `security/commoncap.c` (`cap_bprm_creds_from_file`) and
//! `kernel/cred.c` (`commit_creds`).

use crate::capability::{CapSet, Capability, Securebits};
use crate::ids::Ids;
use crate::process::{Errno, Process};

/// Bit of a mode. See inode(7).
pub const SET_USER_ID: u32 = 0o4000;
/// Bit of a mode. See inode(7).
pub const SET_GROUP_ID: u32 = 0o2000;
/// Without it set-group-ID means something else (once: mandatory locking), and exec takes no notice. See inode(7).
pub const GROUP_EXECUTE: u32 = 0o0010;

/// The file whose bits count. For a `#!` script that is its interpreter (execve(2), "Interpreter scripts"), and for a
/// format of binfmt_misc as well, unless that was registered with the flag C (`binfmt-misc.rst`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Image {
    /// Owner, as the mount shows it: an id-mapped mount decides (`mount_setattr(2)`); `None` if it has no mapping there.
    pub owner: Option<u32>,
    /// Group, likewise.
    pub group: Option<u32>,
    /// Permission and set-id bits.
    pub mode: u32,
    /// File capabilities.
    pub capabilities: Option<FileCapabilities>,
    /// The mount it lies on.
    pub mount: MountView,
}

/// Capabilities of a file. See capabilities(7), "File capabilities".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileCapabilities {
    /// Gained, as far as the bounding set lets them.
    pub permitted: CapSet,
    /// Gained if the process has them inheritable.
    pub inheritable: CapSet,
    /// What is permitted becomes effective at once.
    pub effective: bool,
}

/// A mount as the process that calls exec stands to it: `mnt_may_suid` of `fs/namespace.c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MountView {
    /// Mounted nosuid. See mount(8).
    pub nosuid: bool,
    /// It belongs to another mount namespace than the process (reached through `/proc/PID/root` or an inherited descriptor).
    pub foreign: bool,
    /// The file system was mounted in a user namespace which is neither that of the process nor an ancestor of it.
    pub foreign_owner: bool,
}

impl MountView {
    const fn may_suid(self) -> bool {
        !self.nosuid && !self.foreign && !self.foreign_owner
    }
}

/// Who traces the process. See ptrace(2). Since Linux 5.2 a process that asked to be traced (PTRACE_TRACEME) is judged by
/// what it could do itself at that moment, whoever its parent is (`kernel/ptrace.c`, `ptrace_link`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tracer {
    /// One that has CAP_SYS_PTRACE in the user namespace of the process.
    Privileged,
    /// Any other.
    Unprivileged,
}

/// What else decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Circumstances {
    /// Who traces the process across exec.
    pub tracer: Option<Tracer>,
    /// Another process shares its root, working directory and umask: clone(2), CLONE_FS.
    pub shares_fs: bool,
    /// Its last change of the real uid was to one that was over RLIMIT_NPROC before, and now it is still: execve(2), EAGAIN;
    /// `kernel/cred.c`, `flag_nproc_exceeded`. The limit 0 alone is not enough: another process must have that uid.
    pub over_process_limit: bool,
}

/// A kernel release, as far as rules depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kernel {
    /// 6 of 6.18.44.
    pub major: u32,
    /// 18 of 6.18.44.
    pub minor: u32,
}

impl Kernel {
    /// The last one whose rules were compared with the model.
    pub const LATEST: Self = Self { major: 6, minor: 18 };

    /// Reads a release as uname(2) gives it: `6.18.44-generic`.
    pub fn parse(release: &str) -> Option<Self> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        Some(Self { major: numbers.next()?.ok()?, minor: numbers.next()?.ok()? })
    }

    /// Since 6.16 gaining a group which the process belongs to already is no change of identity.
    pub fn has_member_rule(self) -> bool {
        self >= Self { major: 6, minor: 16 }
    }

    /// Since 5.18 an empty argument vector is replaced by one empty string: execve(2), `fs/exec.c`.
    pub fn fills_empty_argv(self) -> bool {
        self >= Self { major: 5, minor: 18 }
    }
}

/// A process after a successful exec.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Executed {
    /// Its credentials.
    pub process: Process,
    /// AT_SECURE: the C library distrusts the environment. See getauxval(3), ld.so(8).
    pub secure: bool,
    /// An unlimited soft RLIMIT_STACK was cut to 8 MiB (`begin_new_exec`).
    pub stack_limited: bool,
    /// Set-id bits acted, or capabilities were gained: `PER_CLEAR_ON_SETID` of personality(2) is cleared.
    pub personality_cleared: bool,
    /// Whether the set-group-ID bit acted, though it may have given the gid that was effective before.
    pub set_group_id_acted: bool,
}

/// Executes `image`.
///
/// # Errors
/// EAGAIN over RLIMIT_NPROC; EPERM if a file wants capabilities to be effective at once that the bounding set withholds.
/// Search and execute permission are the business of [`crate::files`].
pub fn exec(old: &Process, image: &Image, circumstances: Circumstances, kernel: Kernel) -> Result<Executed, Errno> {
    if circumstances.over_process_limit {
        return Err(Errno::EAGAIN);
    }
    let mut new = old.clone();
    let acted = apply_set_id_bits(&mut new, image, old);
    let gained = file_capabilities(&mut new, image, old)?;

    let root = old.namespace.uids.outside(0);
    let is_root = |id: u32| root == Some(id);
    let mut effective = gained.is_some_and(|file| file.effective);
    // "Capabilities and execution of programs by root" of capabilities(7); `handle_privileged_root`.
    let mixed = gained.is_some() && is_root(new.uid.effective) && !is_root(new.uid.real);
    if !old.securebits.contains(Securebits::NOROOT) && !mixed {
        if is_root(new.uid.effective) || is_root(new.uid.real) {
            new.capabilities.permitted = old.capabilities.bounding.union(old.capabilities.inheritable);
        }
        effective |= is_root(new.uid.effective);
    }

    // Has the identity changed? Until 6.15 the question was whether the new effective ids differ from the real ones.
    let id_changed = if kernel.has_member_rule() {
        new.uid.effective != old.uid.effective || !old.in_group(new.gid.effective)
    } else {
        new.uid.effective != old.uid.real || new.gid.effective != old.gid.real
    };
    let caps_gained = !new.capabilities.permitted.is_subset(old.capabilities.permitted);
    let personality_cleared = acted.user || acted.group || caps_gained;

    // Someone could steer the new image from outside: it gets no more than the old one had (ptrace(2), clone(2) CLONE_FS,
    // no_new_privs.rst).
    let steered = old.no_new_privs || circumstances.shares_fs || circumstances.tracer == Some(Tracer::Unprivileged);
    if (id_changed || caps_gained) && steered {
        if !old.has(Capability::SETUID) || old.no_new_privs {
            new.uid.effective = new.uid.real;
            new.gid.effective = new.gid.real;
        }
        new.capabilities.permitted = new.capabilities.permitted.intersection(old.capabilities.permitted);
    }

    // credentials(7): exec copies the effective ids over the saved and file-system ids.
    new.uid = Ids::new(new.uid.real, new.uid.effective, new.uid.effective);
    new.gid = Ids::new(new.gid.real, new.gid.effective, new.gid.effective);

    // "Transformation of capabilities during execve()" of capabilities(7).
    if gained.is_some() || id_changed {
        new.capabilities.ambient = CapSet::EMPTY;
    }
    new.capabilities.permitted = new.capabilities.permitted.union(new.capabilities.ambient);
    new.capabilities.effective = if effective { new.capabilities.permitted } else { new.capabilities.ambient };
    new.securebits = new.securebits.without(Securebits::KEEP_CAPS);

    let caps_grew = !new.capabilities.permitted.is_subset(new.capabilities.ambient);
    let elevated_caps = !is_root(new.uid.real) && (effective || caps_grew);
    let secure = if kernel.has_member_rule() {
        id_changed || new.uid.effective != old.uid.real || new.gid.effective != old.gid.real || elevated_caps
    } else {
        id_changed || elevated_caps
    };

    after_commit(&mut new, old, secure);
    Ok(Executed { process: new, secure, stack_limited: secure, personality_cleared, set_group_id_acted: acted.group })
}

struct Acted {
    user: bool,
    group: bool,
}

/// `bprm_fill_uid`: the bits act unless the mount or no_new_privs forbids it, or owner *or* group has no mapping in the
/// user namespace (the owner counts for a file that is only set-group-ID). execve(2), user_namespaces(7).
fn apply_set_id_bits(new: &mut Process, image: &Image, old: &Process) -> Acted {
    let mapped = |id: Option<u32>, map: &crate::namespace::IdMap| id.filter(|&id| map.inside(id).is_some());
    let owner = mapped(image.owner, &old.namespace.uids);
    let group = mapped(image.group, &old.namespace.gids);
    let (true, false, Some(owner), Some(group)) = (image.mount.may_suid(), old.no_new_privs, owner, group) else {
        return Acted { user: false, group: false };
    };
    let user = image.mode & SET_USER_ID != 0;
    if user {
        new.uid.effective = owner;
    }
    let both = SET_GROUP_ID | GROUP_EXECUTE;
    let acted = image.mode & both == both;
    if acted {
        new.gid.effective = group;
    }
    Acted { user, group: acted }
}

/// `get_file_caps`: P'(permitted) = (P(inheritable) & F(inheritable)) | (F(permitted) & P(bounding)).
fn file_capabilities(new: &mut Process, image: &Image, old: &Process) -> Result<Option<FileCapabilities>, Errno> {
    new.capabilities.permitted = CapSet::EMPTY;
    let Some(file) = image.capabilities.filter(|_| image.mount.may_suid()) else {
        return Ok(None);
    };
    let permitted = file
        .permitted
        .intersection(old.capabilities.bounding)
        .union(file.inheritable.intersection(old.capabilities.inheritable));
    if file.effective && !file.permitted.is_subset(permitted) {
        return Err(Errno::EPERM);
    }
    new.capabilities.permitted = permitted;
    Ok(Some(file))
}

/// What goes with a change of credentials: `begin_new_exec` and `commit_creds`. PR_SET_PDEATHSIG(2const) and
/// PR_SET_DUMPABLE(2const) describe it.
fn after_commit(new: &mut Process, old: &Process, secure: bool) {
    let changed = new.uid.effective != old.uid.effective
        || new.gid.effective != old.gid.effective
        || new.uid.fs != old.uid.fs
        || new.gid.fs != old.gid.fs
        || !new.capabilities.permitted.is_subset(old.capabilities.permitted);
    let uneven = old.uid.effective != old.uid.real || old.gid.effective != old.gid.real;
    new.dumpable = !(changed || uneven);
    if secure || changed {
        new.parent_death_signal = 0;
    }
}

#[cfg(test)]
mod tests;
