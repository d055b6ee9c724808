//! Where the programs of the exec trials lie: a tmpfs over /tmp in a mount namespace of our own, with one program file
//! seen through several mounts.

use super::helper::Helper;
use super::namespaces::{Map, Namespaces};
use super::state::{At, Stop};
use crate::sys::clone::Stack;
use crate::sys::mounts;
use lab_invocation::trial::{Step, TrialFile, TrialMount, TrialStart};
use rustix::fs::{CWD, Gid, Mode, OFlags, Uid, XattrFlags, chmod, chown, mkdir, open, removexattr, setxattr};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_bind, mount_change,
    mount_remount, move_mount, open_tree, unmount,
};
use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

/// Where a fresh proc of the agent's own process namespace is mounted.
const PROC: &CStr = c"/tmp/proc";
/// The program on the ordinary mount. Its last component keeps it from being the witness.
const PROGRAM: &CStr = c"/tmp/plain/lab-agent";
/// A script that starts it.
const SCRIPT: &CStr = c"/tmp/script/lab-agent";
/// Root's program, which starts files of a format that only binfmt_misc knows.
const INTERPRETER: &CStr = c"/tmp/interpreter/lab-agent";
/// Such a file, for whose format the interpreter's credentials count.
const FORMAT: &CStr = c"/tmp/format/lab-agent";
/// Such a file, whose own credentials count.
const FORMAT_WITH_CREDENTIALS: &CStr = c"/tmp/format-c/lab-agent";
/// What is registered for them: `Documentation/admin-guide/binfmt-misc.rst`.
const FORMATS: [&[u8]; 2] = [
    b":lab-format:M::LAB-FORMAT-0::/tmp/interpreter/lab-agent:",
    b":lab-format-c:M::LAB-FORMAT-C::/tmp/interpreter/lab-agent:C",
];

/// The mounted ground.
pub(super) struct Ground {
    /// The program's bytes, for another file system.
    program: Vec<u8>,
    /// A fresh proc.
    pub(super) proc: OwnedFd,
}

/// Where a trial finds its program.
pub(super) struct Place {
    /// Path of the program.
    pub(super) path: &'static CStr,
    /// What must be kept for it, and is undone afterwards.
    pub(super) hold: Hold,
}

impl Place {
    /// A path of the program in the agent's own mount namespace.
    pub(super) fn program(&self) -> &'static CStr {
        match self.hold {
            Hold::Namespace { .. } => PROGRAM,
            Hold::Nothing | Hold::Mount(_) => self.path,
        }
    }
}

/// What is undone when the trial is over.
pub(super) enum Hold {
    /// Nothing.
    Nothing,
    /// This mount point.
    Mount(&'static CStr),
    /// A process in namespaces of its own, and its mount namespace.
    Namespace {
        /// The process, which ends with this.
        _helper: Helper,
        /// Its mount namespace.
        mounts: OwnedFd,
    },
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Self::Mount(at) = self {
            // A mount that stays is covered by the next one, and goes with the namespace.
            let _ = unmount(*at, UnmountFlags::DETACH);
        }
    }
}

const OPEN: Mode = Mode::from_raw_mode(0o755);

impl Ground {
    /// Mounts it. The agent is root in user, mount and process namespaces.
    pub(super) fn prepare() -> Result<Self, Errno> {
        let program = std::fs::read("/proc/self/exe").map_err(|error| errno(&error))?;
        mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
        mount(c"tmpfs", c"/tmp", c"tmpfs", MountFlags::empty(), c"mode=755")?;
        for directory in [PROC, c"/tmp/nosuid", c"/tmp/noexec", c"/tmp/other", c"/tmp/empty"] {
            mkdir(directory, OPEN)?;
        }
        for directory in [c"/tmp/plain", c"/tmp/script", c"/tmp/interpreter", c"/tmp/format", c"/tmp/format-c"] {
            mkdir(directory, OPEN)?;
        }
        mount(c"proc", PROC, c"proc", MountFlags::empty(), None)?;
        write(PROGRAM, &program)?;
        write(SCRIPT, b"#!/tmp/plain/lab-agent transitions\n")?;
        write(INTERPRETER, &program)?;
        write(FORMAT, b"LAB-FORMAT-0")?;
        write(FORMAT_WITH_CREDENTIALS, b"LAB-FORMAT-C")?;
        for (at, flags) in [(c"/tmp/nosuid", MountFlags::NOSUID), (c"/tmp/noexec", MountFlags::NOEXEC)] {
            mount_bind(c"/tmp/plain", at)?;
            mount_remount(at, MountFlags::BIND | flags, c"")?;
        }
        let proc = open(PROC, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { program, proc })
    }

    /// An empty, writable directory.
    pub(super) fn directory(&self) -> Result<OwnedFd, Errno> {
        open(c"/tmp/empty", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
    }

    /// Gives the program this owner, group, mode and these capabilities, in the order that keeps set-id bits.
    pub(super) fn furnish(&self, file: &TrialFile) -> Result<(), Stop> {
        for path in [PROGRAM, FORMAT, FORMAT_WITH_CREDENTIALS] {
            furnish(path, file).at(Step::File)?;
        }
        furnish(SCRIPT, &TrialFile { mode: 0o2755, capabilities: None, ..*file }).at(Step::File)
    }

    /// Makes the mount of a trial.
    pub(super) fn place(
        &self,
        wanted: TrialMount,
        file: &TrialFile,
        namespaces: &mut Namespaces,
        stack: &mut Stack,
    ) -> Result<Place, Stop> {
        let place = |path, hold| Ok(Place { path, hold });
        match wanted {
            TrialMount::Plain | TrialMount::Foreign => place(PROGRAM, Hold::Nothing),
            TrialMount::Nosuid => place(c"/tmp/nosuid/lab-agent", Hold::Nothing),
            TrialMount::Noexec => place(c"/tmp/noexec/lab-agent", Hold::Nothing),
            TrialMount::OverlayOfNosuid => {
                overlay(c"lowerdir=/tmp/nosuid:/tmp/empty", MountFlags::empty()).at(Step::Mount)?;
                place(OTHER, Hold::Mount(c"/tmp/other"))
            }
            TrialMount::NosuidOverlay => {
                overlay(c"lowerdir=/tmp/plain:/tmp/empty", MountFlags::NOSUID).at(Step::Mount)?;
                place(OTHER, Hold::Mount(c"/tmp/other"))
            }
            TrialMount::IdMapped { from, to } => {
                let namespace = namespaces.get(Map::OneGroup(from, to), self.proc.as_fd(), stack)?;
                id_mapped(namespace).at(Step::Mount)?;
                place(OTHER, Hold::Mount(c"/tmp/other"))
            }
            TrialMount::OtherUserNamespace => {
                let (helper, mounts) = self.inside(namespaces, file, stack)?;
                place(OTHER, Hold::Namespace { _helper: helper, mounts })
            }
        }
    }

    /// A process that has mounted a tmpfs with the program over /tmp/other, as root of a user namespace of its own.
    fn inside(
        &self,
        namespaces: &mut Namespaces,
        file: &TrialFile,
        stack: &mut Stack,
    ) -> Result<(Helper, OwnedFd), Stop> {
        let everything = Map::Trial(lab_invocation::trial::TrialNamespace::Without { uid: None, gid: None }, 0, 0);
        let namespace = namespaces.get(everything, self.proc.as_fd(), stack)?;
        let helper = Helper::start(stack, || {
            super::enter_user_namespace(namespace)?;
            mounts::unshare(libc::CLONE_NEWNS)?;
            mount(c"tmpfs", c"/tmp/other", c"tmpfs", MountFlags::empty(), c"mode=755")?;
            write(OTHER, &self.program)?;
            furnish(OTHER, file)
        })
        .at(Step::Mount)?;
        let path = format!("{}/ns/mnt", helper.pid().as_raw_nonzero());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let mounts = rustix::fs::openat(&self.proc, path, flags, Mode::empty()).at(Step::Mount)?;
        Ok((helper, mounts))
    }
}

/// The program on every mount that is made for one trial.
const OTHER: &CStr = c"/tmp/other/lab-agent";

/// The file that is named to start the program at `place` in this way.
pub(super) fn named(place: &Place, how: TrialStart) -> &'static CStr {
    match how {
        TrialStart::Path | TrialStart::Descriptor => place.path,
        TrialStart::Script => SCRIPT,
        TrialStart::Format { credentials: false } => FORMAT,
        TrialStart::Format { credentials: true } => FORMAT_WITH_CREDENTIALS,
    }
}

/// Registers the formats with the binfmt_misc of the caller's user namespace, in a mount namespace that is the caller's
/// alone. Nothing is allocated here.
pub(super) fn register_formats() -> Result<(), Errno> {
    mounts::unshare(libc::CLONE_NEWNS)?;
    mount(c"binfmt_misc", c"/tmp/empty", c"binfmt_misc", MountFlags::empty(), None)?;
    let register = open(c"/tmp/empty/register", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    for format in FORMATS {
        match rustix::io::write(&register, format) {
            // As long as the namespace lives an earlier registration may too.
            Ok(_) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn overlay(options: &CStr, flags: MountFlags) -> Result<(), Errno> {
    mount(c"overlay", c"/tmp/other", c"overlay", flags | MountFlags::RDONLY, options)
}

fn id_mapped(namespace: &OwnedFd) -> Result<(), Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, c"/tmp/plain", flags)?;
    mounts::map_ids(tree.as_fd(), namespace.as_fd())?;
    move_mount(&tree, c"", CWD, c"/tmp/other", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

fn write(path: &CStr, content: &[u8]) -> Result<(), Errno> {
    let file = open(path, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC, OPEN)?;
    let mut rest = content;
    while !rest.is_empty() {
        let written = rustix::io::write(&file, rest)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}

fn furnish(path: &CStr, file: &TrialFile) -> Result<(), Errno> {
    chown(path, Some(Uid::from_raw(file.owner)), Some(Gid::from_raw(file.group)))?;
    chmod(path, Mode::from_raw_mode(file.mode))?;
    const NAME: &CStr = c"security.capability";
    match file.capabilities {
        Some((permitted, inheritable, effective)) => {
            setxattr(path, NAME, &capability_value(permitted, inheritable, effective), XattrFlags::empty())
        }
        None => match removexattr(path, NAME) {
            Err(Errno::NODATA) => Ok(()),
            other => other,
        },
    }
}

/// `struct vfs_cap_data` of version 2 (`include/uapi/linux/capability.h`): little-endian words, of which the lower halves of
/// both sets come first.
fn capability_value(permitted: u64, inheritable: u64, effective: bool) -> [u8; 20] {
    const REVISION_2: u32 = 0x0200_0000;
    let head = (REVISION_2 | u32::from(effective)).to_le_bytes();
    let (permitted, inheritable) = (permitted.to_le_bytes(), inheritable.to_le_bytes());
    let mut value = [0; 20];
    let words = [&head, &permitted[..4], &inheritable[..4], &permitted[4..], &inheritable[4..]];
    for (place, word) in value.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(word);
    }
    value
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
