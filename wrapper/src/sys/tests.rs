//! What concerns a whole process is tried in a child, which then ends.

use super::{
    CapabilityWord, Disposition, KernelSigaction, LAST_SIGNAL, SIGNAL_SET_SIZE, Strings, capabilities,
    close_each_from_3, directory_has_access_list, dispose_of_signal, dispose_of_signals, environment, has_access_list,
    is_ignored, set_capabilities,
};
use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::null;

#[test]
fn strings_end_at_the_null_pointer() {
    let array = [c"mail-wrapper".as_ptr(), c"".as_ptr(), c"\xff".as_ptr(), null(), c"beyond".as_ptr()];
    // SAFETY: the array holds C strings and, after them, the null pointer; it outlives the use of the strings.
    let mut strings = unsafe { Strings::new(array.as_ptr()) };
    assert!(strings.by_ref().eq([c"mail-wrapper", c"", c"\xff"]));
    assert_eq!(strings.next(), None, "and stay at it");
    // SAFETY: the array holds no string and the null pointer.
    assert_eq!(unsafe { Strings::new([null()].as_ptr()) }.next(), None);
    // SAFETY: there is no array, as POSIX allows for `environ`.
    assert_eq!(unsafe { Strings::new(null()) }.next(), None);
}

#[test]
fn the_environment_is_that_of_the_process() {
    let raw = std::fs::read("/proc/self/environ").expect("/proc is mounted");
    let entries: Vec<&CStr> =
        raw.split_inclusive(|byte| *byte == 0).filter_map(|entry| CStr::from_bytes_with_nul(entry).ok()).collect();
    assert!(!entries.is_empty());
    assert!(environment().eq(entries));
}

#[test]
fn capabilities_are_those_of_the_process() {
    let words = capabilities().expect("readable");
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("/proc is mounted");
    let set = |name: &str, part: fn(&CapabilityWord) -> u32| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of it");
        let expected = u64::from_str_radix(line.trim(), 16).expect("a number");
        assert_eq!(u64::from(part(&words[0])) | u64::from(part(&words[1])) << 32, expected, "{name}");
    };
    set("CapEff:", |word| word.effective);
    set("CapPrm:", |word| word.permitted);
    set("CapInh:", |word| word.inheritable);
    set_capabilities(&words).expect("those that it has, it may have");
    let more = words.map(|word| CapabilityWord { effective: u32::MAX, ..word });
    assert_eq!(set_capabilities(&more), Err(Errno::EPERM), "nobody has them all");
}

/// A file that is removed with the value.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// An empty file.
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wrapper-{name}-{}", std::process::id()));
        std::fs::write(&path, b"").expect("written");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The list `u::rw-,u:1:rw-,g::r--,m::rw-,o::r--` in the form of linux/posix_acl_xattr.h: version, then tag, permissions
/// and id of each entry.
const LIST: &[u8] = b"\x02\0\0\0\
    \x01\0\x06\0\xff\xff\xff\xff\x02\0\x06\0\x01\0\0\0\x04\0\x04\0\xff\xff\xff\xff\x10\0\x06\0\xff\xff\xff\xff\x20\0\x04\0\xff\xff\xff\xff";

#[test]
fn an_access_list_is_seen() {
    let file = Scratch::new("acl");
    assert_eq!(has_access_list(&file.0), Ok(false));
    let path = CString::new(file.0.as_os_str().as_bytes()).expect("no NUL");
    // SAFETY: the names are C strings and the value has the stated length; all outlive the call.
    let set = unsafe {
        libc::lsetxattr(path.as_ptr(), c"system.posix_acl_access".as_ptr(), LIST.as_ptr().cast(), LIST.len(), 0)
    };
    match Errno::result(set) {
        Ok(_) => assert_eq!(has_access_list(&file.0), Ok(true)),
        // A file system without lists has none to see.
        Err(Errno::EOPNOTSUPP) => assert_eq!(has_access_list(&file.0), Ok(false)),
        Err(errno) => panic!("cannot set an access list: {errno}"),
    }
    assert_eq!(has_access_list(Path::new("/proc/self/nowhere")), Err(Errno::ENOENT));
}

#[test]
fn an_access_list_of_a_directory_is_seen_whoever_it_is_for() {
    for name in [c"system.posix_acl_access", c"system.posix_acl_default"] {
        let scratch = tempfile::tempdir().expect("a directory");
        let directory = std::fs::File::open(scratch.path()).expect("opened");
        assert_eq!(directory_has_access_list(directory.as_fd()), Ok(false));
        // SAFETY: the name is a C string and the value has the stated length; both outlive the call.
        let set = unsafe { libc::fsetxattr(directory.as_raw_fd(), name.as_ptr(), LIST.as_ptr().cast(), LIST.len(), 0) };
        match Errno::result(set) {
            Ok(_) => assert_eq!(directory_has_access_list(directory.as_fd()), Ok(true)),
            // A file system without lists has none to see.
            Err(Errno::EOPNOTSUPP) => assert_eq!(directory_has_access_list(directory.as_fd()), Ok(false)),
            Err(errno) => panic!("cannot set an access list: {errno}"),
        }
    }
}

#[test]
fn an_ignored_signal_is_seen() {
    assert!(in_child(|| {
        let set = |disposition| dispose_of_signal(libc::SIGHUP, disposition);
        let ignored = || is_ignored(libc::SIGHUP);
        set(Disposition::Ignore).is_ok()
            && ignored() == Ok(true)
            && set(Disposition::Default).is_ok()
            && ignored() == Ok(false)
    }));
    assert_eq!(is_ignored(65), Err(Errno::EINVAL));
}

/// What a child of this process finds. It has one thread, the one that called.
pub(crate) fn in_child(find: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child has only this thread. What it calls before it ends are system calls and, at most, the allocator,
    // which the C library makes usable after a fork.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Parent { child } => match waitpid(child, None).expect("the child") {
            WaitStatus::Exited(_, status) => status == 0,
            other => panic!("the child ended otherwise: {other:?}"),
        },
        ForkResult::Child => {
            let status = i32::from(!find());
            // SAFETY: it ends the child, without what the parent has registered for its own end.
            unsafe { libc::_exit(status) }
        }
    }
}

/// Whether each signal that can be disposed of is so.
pub(crate) fn all_signals_are(disposition: Disposition) -> bool {
    (1..=LAST_SIGNAL).filter(|signal| !matches!(*signal, libc::SIGKILL | libc::SIGSTOP)).all(|signal| {
        let mut old = KernelSigaction { disposition: usize::MAX, rest: [0; 3] };
        // SAFETY: the null pointer says that nothing is to be changed, and `old` has room for the kernel's structure.
        let asked = unsafe {
            let new = null::<KernelSigaction>();
            libc::syscall(libc::SYS_rt_sigaction, signal, new, &raw mut old, SIGNAL_SET_SIZE)
        };
        asked == 0 && old.disposition == disposition as usize
    })
}

/// The signals that are blocked, those of the C library among them.
pub(crate) fn blocked_signals() -> Option<u64> {
    let mut blocked = u64::MAX;
    // SAFETY: the null pointer says that nothing is to be changed, and `blocked` has room for the kernel's set.
    let asked = unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, null::<u64>(), &raw mut blocked, SIGNAL_SET_SIZE)
    };
    (asked == 0).then_some(blocked)
}

/// Blocks every signal, those of the C library among them.
pub(crate) fn block_signals() -> bool {
    let all = u64::MAX;
    // SAFETY: `all` is the kernel's signal set of the stated size and outlives the call.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const all, null::<u64>(), SIGNAL_SET_SIZE) == 0
    }
}

/// Whether a descriptor is open.
pub(crate) fn is_open(descriptor: i32) -> bool {
    // SAFETY: F_GETFD only asks, and takes no argument.
    unsafe { libc::fcntl(descriptor, libc::F_GETFD) != -1 }
}

/// Opens /dev/null as that descriptor.
pub(crate) fn open_as(descriptor: i32) -> bool {
    std::fs::File::options().read(true).write(true).open("/dev/null").is_ok_and(|file| {
        let done = duplicate_as(&file, descriptor);
        // It may have been opened as the very descriptor.
        std::mem::forget(file);
        done
    })
}

/// Makes one descriptor another.
pub(crate) fn duplicate_as(descriptor: &impl AsRawFd, number: i32) -> bool {
    // SAFETY: nothing in the child owns the descriptor of that number.
    unsafe { libc::dup2(descriptor.as_raw_fd(), number) == number }
}

/// Closes that descriptor.
pub(crate) fn close(descriptor: i32) -> bool {
    // SAFETY: nothing in the child uses the descriptor afterwards.
    unsafe { libc::close(descriptor) == 0 }
}

/// Whether all three interval timers stand still.
pub(crate) fn timers_stand_still() -> bool {
    [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF].into_iter().all(|timer| {
        let zero = libc::timeval { tv_sec: 0, tv_usec: 1 };
        let mut found = libc::itimerval { it_interval: zero, it_value: zero };
        // SAFETY: `found` is an itimerval.
        let asked = unsafe { libc::getitimer(timer, &raw mut found) };
        asked == 0 && [found.it_value, found.it_interval].iter().all(|time| time.tv_sec == 0 && time.tv_usec == 0)
    })
}

/// Starts all three interval timers, to end in 100 seconds.
pub(crate) fn start_timers() -> bool {
    [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF].into_iter().all(|timer| {
        let time = libc::timeval { tv_sec: 100, tv_usec: 0 };
        let value = libc::itimerval { it_interval: time, it_value: time };
        // SAFETY: `value` is an itimerval; the old one is not wanted.
        unsafe { libc::setitimer(timer, &raw const value, std::ptr::null_mut()) == 0 }
    })
}

#[test]
fn a_child_can_tell_true_from_false() {
    assert!(in_child(|| true));
    assert!(!in_child(|| false));
    assert!(!in_child(|| all_signals_are(Disposition::Ignore)));
    assert!(in_child(|| start_timers() && !timers_stand_still() && block_signals() && blocked_signals() != Some(0)));
}

#[test]
fn every_signal_is_disposed_of() {
    for disposition in [Disposition::Ignore, Disposition::Default] {
        assert!(in_child(|| dispose_of_signals(disposition).is_ok() && all_signals_are(disposition)));
    }
}

#[test]
fn without_close_range_each_descriptor_is_closed() {
    assert!(in_child(|| {
        let opened = [3, 4, 30].into_iter().all(open_as);
        close_each_from_3(30);
        opened && is_open(0) && is_open(2) && !is_open(3) && !is_open(4) && is_open(30)
    }));
}
