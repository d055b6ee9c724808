//! What the launcher tells stage 1, through memory that both see: how far it came, and what it read back. No descriptor
//! is used for it, so none of the subject's can be disturbed.

use super::faults::FileId;
use crate::layout::mounts;
use lab_invocation::evidence::{FileState, Place};
use lab_invocation::ids::Ids;
use lab_invocation::{Credentials, Gid, Uid};
use rustix::fs::{StatVfsMountFlags, Statx};
use rustix::io::Errno;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Highest number of supplementary groups (NGROUPS_MAX).
pub(crate) const MAX_GROUPS: usize = 65_536;

macro_rules! steps {
    ($($name:ident = $words:literal,)+) => {
        /// Steps of the launcher, in their order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub(crate) enum Step { $($name),+ }

        impl Step {
            const ALL: &[(Self, &'static str)] = &[$((Self::$name, $words)),+];
        }
    };
}

steps! {
    Begin = "start the launcher",
    Attach = "attach a fresh directory",
    Mount = "make a mount of the case",
    Look = "look at the subject's file",
    OpenSubject = "open the subject's file for execution by descriptor",
    ShareFs = "start a process that shares root, working directory and umask",
    Directory = "enter the working directory",
    Descriptor = "place a descriptor",
    Limit = "set a resource limit",
    Bounding = "drop a capability from the bounding set",
    Securebits = "set the securebits",
    Groups = "set the supplementary groups",
    Gids = "set real and effective gid",
    Filter = "install the system call filter",
    Uids = "set real and effective uid",
    UserNamespace = "make and map the invoker's user namespace",
    Capabilities = "set the capabilities",
    NoNewPrivs = "set no_new_privs",
    Trace = "have the launcher traced",
    Signals = "set signals",
    Place = "set scheduling or process group",
    Timer = "set alarm or timer slack",
    ReadBack = "read back what was set",
    Exec = "execve",
}

/// The memory.
pub(crate) struct Progress {
    step: AtomicU32,
    errno: AtomicI32,
    credentials_read: AtomicU32,
    ids: [AtomicU32; 8],
    group_count: AtomicU32,
    groups: [AtomicU32; MAX_GROUPS],
    no_new_privs: AtomicU32,
    place: [AtomicU32; 5],
    file_read: AtomicU32,
    file: [AtomicU64; 9],
    exec_ns: AtomicU64,
    sharer: AtomicI32,
}

impl Progress {
    /// Forgets the former case.
    pub(crate) fn reset(&self) {
        self.step.store(0, Relaxed);
        self.errno.store(0, Relaxed);
        self.credentials_read.store(0, Relaxed);
        self.file_read.store(0, Relaxed);
        self.no_new_privs.store(0, Relaxed);
        self.exec_ns.store(0, Relaxed);
        self.sharer.store(0, Relaxed);
    }

    /// The launcher begins a step.
    pub(crate) fn begin(&self, step: Step) {
        self.step.store(step as u32, Relaxed);
    }

    /// The step failed.
    pub(crate) fn fail(&self, errno: Errno) {
        self.errno.store(errno.raw_os_error(), Relaxed);
    }

    /// The step that was begun last, its words, and the error number if it failed.
    pub(crate) fn reached(&self) -> (Step, &'static str, i32) {
        let number = self.step.load(Relaxed);
        let (step, words) = Step::ALL
            .iter()
            .find(|(step, _)| *step as u32 == number)
            .copied()
            .unwrap_or((Step::Begin, "start the launcher"));
        (step, words, self.errno.load(Relaxed))
    }

    /// Reads the calling process's credentials into the memory.
    pub(crate) fn read_credentials(&self) -> Result<(), Errno> {
        let (uid, gid) = (crate::sys::ids::user_ids()?, crate::sys::ids::group_ids()?);
        let count = crate::sys::ids::groups(&self.groups)?;
        let numbers = [
            uid.real.as_raw(),
            uid.effective.as_raw(),
            uid.saved.as_raw(),
            uid.fs.as_raw(),
            gid.real.as_raw(),
            gid.effective.as_raw(),
            gid.saved.as_raw(),
            gid.fs.as_raw(),
        ];
        for (place, number) in self.ids.iter().zip(numbers) {
            place.store(number, Relaxed);
        }
        self.group_count.store(u32::try_from(count).map_err(|_| Errno::OVERFLOW)?, Relaxed);
        self.no_new_privs.store(u32::from(rustix::thread::no_new_privs()?), Relaxed);
        let place = crate::sys::place::place()?;
        let numbers = [place.session, place.process_group, place.nice.cast_unsigned(), place.policy, place.processors];
        for (memory, number) in self.place.iter().zip(numbers) {
            memory.store(number, Relaxed);
        }
        self.credentials_read.store(1, Relaxed);
        Ok(())
    }

    /// The credentials, if they were read.
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        if self.credentials_read.load(Relaxed) == 0 {
            return None;
        }
        let [a, b, c, d, e, f, g, h] = self.ids.each_ref().map(|id| id.load(Relaxed));
        let (uid, gid) = (Uid::new, Gid::new);
        let count = usize::try_from(self.group_count.load(Relaxed)).ok()?;
        Some(Credentials {
            uid: Ids { real: uid(a)?, effective: uid(b)?, saved: uid(c)?, fs: uid(d)? },
            gid: Ids { real: gid(e)?, effective: gid(f)?, saved: gid(g)?, fs: gid(h)? },
            groups: self.groups.get(..count)?.iter().map(|id| gid(id.load(Relaxed))).collect::<Option<_>>()?,
        })
    }

    /// Where the launcher stood, as read with the credentials.
    pub(crate) fn place(&self) -> Option<Place> {
        if self.credentials_read.load(Relaxed) == 0 {
            return None;
        }
        let [session, process_group, nice, policy, processors] =
            self.place.each_ref().map(|number| number.load(Relaxed));
        Some(Place { session, process_group, nice: nice.cast_signed(), policy, processors })
    }

    /// NoNewPrivs as read with the credentials.
    pub(crate) fn no_new_privs(&self) -> bool {
        self.no_new_privs.load(Relaxed) != 0
    }

    /// Notes the state of the subject's file.
    pub(crate) fn note_file(&self, stat: &Statx, flags: StatVfsMountFlags) {
        let numbers = [
            u64::from(stat.stx_uid),
            u64::from(stat.stx_gid),
            u64::from(stat.stx_mode & 0o7777),
            u64::from(stat.stx_nlink),
            stat.stx_size,
            flags.bits(),
            u64::from(stat.stx_dev_major),
            u64::from(stat.stx_dev_minor),
            stat.stx_ino,
        ];
        for (place, number) in self.file.iter().zip(numbers) {
            place.store(number, Relaxed);
        }
        self.file_read.store(1, Relaxed);
    }

    /// The state of the subject's file, if it was there.
    pub(crate) fn file(&self) -> Option<FileState> {
        if self.file_read.load(Relaxed) == 0 {
            return None;
        }
        let [owner, group, mode, links, size, flags, ..] = self.file.each_ref().map(|number| number.load(Relaxed));
        let flags = StatVfsMountFlags::from_bits_retain(flags);
        Some(FileState {
            owner: Uid::new(u32::try_from(owner).ok()?)?,
            group: Gid::new(u32::try_from(group).ok()?)?,
            mode: u32::try_from(mode).ok()?,
            links,
            size,
            mount: mounts::of_statvfs(flags),
        })
    }

    /// Which file the subject's is, if it was there.
    pub(crate) fn file_id(&self) -> Option<FileId> {
        if self.file_read.load(Relaxed) == 0 {
            return None;
        }
        let [.., major, minor, inode] = self.file.each_ref().map(|number| number.load(Relaxed));
        Some((u32::try_from(major).ok()?, u32::try_from(minor).ok()?, inode))
    }

    /// Notes the moment of exec.
    pub(crate) fn note_exec(&self, now_ns: u64) {
        self.exec_ns.store(now_ns, Relaxed);
    }

    /// The moment of exec (CLOCK_MONOTONIC, nanoseconds); 0 if it was not reached.
    pub(crate) fn exec_ns(&self) -> u64 {
        self.exec_ns.load(Relaxed)
    }

    /// Notes the process that shares the launcher's file-system attributes.
    pub(crate) fn note_sharer(&self, pid: i32) {
        self.sharer.store(pid, Relaxed);
    }

    /// That process, 0 if there is none.
    pub(crate) fn sharer(&self) -> i32 {
        self.sharer.load(Relaxed)
    }
}
