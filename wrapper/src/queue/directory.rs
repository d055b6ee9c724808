//! The directory of the queue: who else could write there, how much of it the caller has, and its files.

use super::commit::{FILE_MODE, Owned, Store};
use crate::policy::{Limits, QueuePolicy};
use crate::sys;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, fstatat};
use nix::sys::statvfs::fstatvfs;
use nix::unistd::{LinkatFlags, UnlinkatFlags, fsync, ftruncate, linkat, unlinkat, write};
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What is wrong with the directory, or with one above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsound {
    /// It cannot be opened.
    Unreachable(Errno),
    /// It is a symbolic link, or a file.
    NotADirectory,
    /// It belongs to somebody else than root and the owner of the queue.
    Owner {
        /// Who.
        uid: u32,
    },
    /// Above the queue: its group may write it, and so put another queue in its place.
    GroupWritable {
        /// Which.
        gid: u32,
    },
    /// Above the queue: everybody may.
    WorldWritable,
    /// The queue belongs to another group.
    Group {
        /// Which.
        gid: u32,
    },
    /// The queue cannot be read, written and searched by its group.
    NotGroupWritable {
        /// Its permissions.
        mode: u32,
    },
    /// The queue can be read, written or searched by everybody.
    WorldAccessible {
        /// Its permissions.
        mode: u32,
    },
    /// The queue is sticky and not its owner's: in it only who wrote a message and root can take it out.
    Sticky {
        /// Who owns it.
        uid: u32,
    },
    /// The queue has an access control list, so that its mode does not say who may do what.
    AccessList,
}

/// What is too much in it, or too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// There are more files than are counted.
    Files {
        /// How many are.
        limit: usize,
    },
    /// The caller has as many messages as the policy allows.
    Messages {
        /// How many.
        limit: u64,
    },
    /// The caller's files have as many bytes as the policy allows.
    Bytes {
        /// How many.
        limit: u64,
    },
    /// The file system has too little room.
    Space {
        /// What is free, in bytes.
        found: u64,
        /// What has to be.
        wanted: u64,
    },
    /// That could not be found out.
    Unknown(Errno),
}

/// Most files that are counted. To count goes with the number of all files, and anybody can start this program.
pub const COUNTED_MAX: usize = 20_000;

/// The directory, of which nobody but root, its owner and its group can change anything.
#[derive(Debug)]
pub struct Queue(OwnedFd);

impl Queue {
    /// Opens it, step by step from the root, and looks at each. No symbolic link is followed.
    ///
    /// # Errors
    /// How much of the path was good, with the first that was not, and what is wrong there.
    pub fn open<'p>(policy: &QueuePolicy<'p>) -> Result<Self, (&'p str, Unsound)> {
        let path = policy.directory;
        // A descriptor that can be looked at and passed through, whatever its mode allows.
        let passing = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut here = open("/", passing, Mode::empty()).map_err(|errno| ("/", unreachable(errno)))?;
        judge_above(&status(&here, "/")?, policy).map_err(|fault| ("/", fault))?;
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
        let mut begin = 1;
        for end in ends {
            let so_far = path.get(..end).unwrap_or(path);
            let name = path.get(begin..end).unwrap_or_default();
            here = openat(&here, name, passing, Mode::empty()).map_err(|errno| (so_far, unreachable(errno)))?;
            let judge = if end == path.len() { judge_queue } else { judge_above };
            judge(&status(&here, so_far)?, policy).map_err(|fault| (so_far, fault))?;
            begin = end + 1;
        }
        let whole = |errno| (path, unreachable(errno));
        // The directory that was judged, whatever its name leads to by now; this descriptor can be read and synced.
        let queue = openat(&here, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty());
        let queue = queue.map_err(whole)?;
        if sys::directory_has_access_list(queue.as_fd()).map_err(whole)? {
            return Err((path, Unsound::AccessList));
        }
        Ok(Self(queue))
    }

    /// Whether there is room for another message of this user. Two of one user's at the same time may both find it.
    ///
    /// # Errors
    /// What there is not room for.
    pub fn room(&self, uid: u32, limits: &Limits) -> Result<(), Full> {
        let space = fstatvfs(&self.0).map_err(Full::Unknown)?;
        enough(space.blocks_available().saturating_mul(space.fragment_size()), limits.free_bytes)?;
        let mut directory =
            Dir::openat(&self.0, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
                .map_err(Full::Unknown)?;
        let mut count = Count::default();
        for entry in directory.iter() {
            let entry = entry.map_err(Full::Unknown)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            match fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(status) => count.add(name.to_bytes(), &status, uid, limits)?,
                // Delivered meanwhile.
                Err(Errno::ENOENT) => {}
                Err(errno) => return Err(Full::Unknown(errno)),
            }
        }
        Ok(())
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What one user has in the queue.
#[derive(Debug, Default)]
struct Count {
    files: usize,
    messages: u64,
    bytes: u64,
}

impl Count {
    /// Counts a file. The data file says whose a message is: the reader of the queue writes the control file anew, as its
    /// own.
    fn add(&mut self, name: &[u8], status: &FileStat, uid: u32, limits: &Limits) -> Result<(), Full> {
        self.files += 1;
        if self.files > COUNTED_MAX {
            return Err(Full::Files { limit: COUNTED_MAX });
        }
        if status.st_uid != uid {
            return Ok(());
        }
        self.messages += u64::from(name.starts_with(b"df"));
        self.bytes = self.bytes.saturating_add(u64::try_from(status.st_size).unwrap_or_default());
        if self.messages >= limits.user_messages {
            return Err(Full::Messages { limit: limits.user_messages });
        }
        if self.bytes >= limits.user_bytes {
            return Err(Full::Bytes { limit: limits.user_bytes });
        }
        Ok(())
    }
}

fn status<'p>(directory: &OwnedFd, path: &'p str) -> Result<FileStat, (&'p str, Unsound)> {
    fstat(directory).map_err(|errno| (path, Unsound::Unreachable(errno)))
}

/// With O_DIRECTORY a symbolic link is no directory: openat(2).
const fn unreachable(errno: Errno) -> Unsound {
    match errno {
        Errno::ENOTDIR | Errno::ELOOP => Unsound::NotADirectory,
        other => Unsound::Unreachable(other),
    }
}

/// A directory on the way: whoever may write it may put another in the place of the next. With no permission to write for
/// the group an access control list gives none to anybody either: acl(5).
fn judge_above(status: &FileStat, policy: &QueuePolicy<'_>) -> Result<(), Unsound> {
    owned(status, policy)?;
    if status.st_mode & 0o002 != 0 {
        return Err(Unsound::WorldWritable);
    }
    if status.st_mode & 0o020 != 0 {
        return Err(Unsound::GroupWritable { gid: status.st_gid });
    }
    Ok(())
}

fn judge_queue(status: &FileStat, policy: &QueuePolicy<'_>) -> Result<(), Unsound> {
    owned(status, policy)?;
    let mode = status.st_mode & 0o7777;
    if mode & 0o007 != 0 {
        return Err(Unsound::WorldAccessible { mode });
    }
    if status.st_gid != policy.own.gid.as_raw() {
        return Err(Unsound::Group { gid: status.st_gid });
    }
    if mode & 0o070 != 0o070 {
        return Err(Unsound::NotGroupWritable { mode });
    }
    // unlink(2), EPERM: the owner of the directory may take out what he has not written.
    if mode & 0o1000 != 0 && status.st_uid != policy.owner.uid {
        return Err(Unsound::Sticky { uid: status.st_uid });
    }
    Ok(())
}

fn owned(status: &FileStat, policy: &QueuePolicy<'_>) -> Result<(), Unsound> {
    if status.st_uid == 0 || status.st_uid == policy.owner.uid {
        Ok(())
    } else {
        Err(Unsound::Owner { uid: status.st_uid })
    }
}

impl Store for Queue {
    /// With the lock, which is the reader's kind: flock(2), and goes with the last descriptor.
    type File = OwnedFd;

    fn create(&mut self, name: &str) -> Result<OwnedFd, Errno> {
        let how = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        openat(&self.0, name, how, Mode::S_IRUSR | Mode::S_IWUSR)
    }

    fn set_mode(&mut self, file: &OwnedFd) -> Result<(), Errno> {
        fchmod(file, Mode::from_bits_truncate(FILE_MODE))
    }

    fn status(&mut self, file: &OwnedFd) -> Result<Owned, Errno> {
        let status = fstat(file)?;
        Ok(Owned { uid: status.st_uid, gid: status.st_gid, mode: status.st_mode, links: links(&status) })
    }

    fn lock(&mut self, file: &OwnedFd) -> Result<(), Errno> {
        sys::lock(file.as_fd())
    }

    fn write(&mut self, file: &OwnedFd, bytes: &[u8]) -> Result<usize, Errno> {
        write(file, bytes)
    }

    fn sync(&mut self, file: &OwnedFd) -> Result<(), Errno> {
        fsync(file)
    }

    fn sync_directory(&mut self) -> Result<(), Errno> {
        fsync(&self.0)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let name = |name| CString::new(name).map_err(|_| Errno::EINVAL);
        match sys::rename_to_free_name(self.0.as_fd(), &name(from)?, &name(to)?) {
            // A kernel or a file system without: a link is as exclusive. The reader leaves a file with two names alone.
            Err(Errno::ENOSYS | Errno::EINVAL) => {
                linkat(&self.0, from, &self.0, to, LinkatFlags::empty())?;
                unlinkat(&self.0, from, UnlinkatFlags::NoRemoveDir)
            }
            other => other,
        }
    }

    fn is(&mut self, name: &str, file: &OwnedFd) -> Result<bool, Errno> {
        let ours = fstat(file)?;
        match fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(found) => Ok((found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino)),
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    fn remove(&mut self, name: &str) -> Result<(), Errno> {
        unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir)
    }

    fn empty(&mut self, file: &OwnedFd) -> Result<(), Errno> {
        ftruncate(file, 0)
    }
}

fn enough(found: u64, wanted: u64) -> Result<(), Full> {
    if found < wanted { Err(Full::Space { found, wanted }) } else { Ok(()) }
}

/// The field has another width on some architectures.
#[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "u64 here, u32 on AArch64 and RISC-V")]
fn links(status: &FileStat) -> u64 {
    u64::from(status.st_nlink)
}

/// What a regular file of this user and group has to look like.
#[must_use]
pub fn expected(uid: u32, policy: &QueuePolicy<'_>) -> Owned {
    Owned { uid, gid: policy.own.gid.as_raw(), mode: SFlag::S_IFREG.bits() | FILE_MODE, links: 1 }
}

#[cfg(test)]
mod tests;
