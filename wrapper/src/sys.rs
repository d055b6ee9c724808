//! Everything that needs `unsafe`, and nothing else: what neither std nor nix has a safe function for.

#![expect(unsafe_code, reason = "the one module for it")]

use crate::policy::SECTION_SIZE;
use nix::errno::Errno;
use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[cfg(not(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
)))]
compile_error!(
    "this module has the layouts of system call arguments of 64-bit, little-endian Linux on x86-64, AArch64 and RISC-V; \
     others differ (mips64 in struct sigaction): compare them with the kernel's headers before you add one"
);

/// Makes [`crate::run`] the program, with a policy section that is unsealed until `wrapper-configure` fills it. The queue
/// writer, and programs that test the lab, give a function of their own in its place.
///
/// To be used once, in the program itself: a section in a library would come with every program that links it. And in the
/// place of Rust's own `main`, whose runtime allocates, installs handlers and can panic or hang where memory is short, all
/// before the first line of the program. It would also open standard descriptors and ignore SIGPIPE, which
/// [`crate::process_state::make_safe`] does with the rest.
#[macro_export]
macro_rules! program {
    ($kind:expr) => {
        $crate::program!($kind, $crate::run);
    };
    ($kind:expr, $run:expr) => {
        #[expect(unsafe_code, reason = "no other item has this section, so nothing else is overwritten by sealing")]
        #[unsafe(link_section = ".wrapper.policy")]
        #[used]
        static SECTION: [u8; $crate::policy::SECTION_SIZE] = $crate::policy::unsealed($kind);

        #[expect(unsafe_code, reason = "the C runtime calls this name, and calls it once")]
        #[unsafe(no_mangle)]
        extern "C" fn main(_: std::ffi::c_int, argv: *const *const std::ffi::c_char) -> std::ffi::c_int {
            // SAFETY: this is `main`, so `argv` is what the kernel has laid down: C strings, then a null pointer.
            let argv = unsafe { $crate::sys::Strings::new(argv) };
            $run($kind, &$crate::sys::read_section(&SECTION), argv).into()
        }
    };
}

/// The section as it is in the running program.
///
/// The compiler knows what the static was built with, and would put that, the unsealed value, in place of any plain
/// read; a volatile one it has to perform.
#[must_use]
pub fn read_section(section: &'static [u8; SECTION_SIZE]) -> [u8; SECTION_SIZE] {
    // SAFETY: the pointer comes from a reference, so it is valid, aligned and initialised; a `[u8; N]` may be copied.
    unsafe { std::ptr::from_ref(section).read_volatile() }
}

/// The arguments or the environment of the process, as the caller gave them: the strings of an array that a null pointer
/// ends. One by one: nothing is looked at, nor memory taken, before somebody asks for the next.
#[derive(Debug, Clone)]
pub struct Strings(*const *const c_char);

impl Strings {
    /// The strings of an array; none if there is no array.
    ///
    /// # Safety
    /// `array` is null, or an array of C strings with a null pointer at its end; array and strings stay as they are for
    /// the life of the process.
    #[must_use]
    pub const unsafe fn new(array: *const *const c_char) -> Self {
        Self(array)
    }
}

impl Iterator for Strings {
    type Item = &'static CStr;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: by `new` this is the array, or what is behind an element of it that was not the null pointer at its end.
        let string = unsafe { *self.0 };
        if string.is_null() {
            return None;
        }
        // SAFETY: the element was not the null pointer at the end, so there is another one.
        self.0 = unsafe { self.0.add(1) };
        // SAFETY: it is not the null pointer, so by `new` it is a C string that stays.
        Some(unsafe { CStr::from_ptr(string) })
    }
}

/// The environment of the process: entries without `=`, duplicates and all.
#[must_use]
pub fn environment() -> Strings {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    // SAFETY: the C library has set `environ` before `main`, and nobody changes it or what it points to: the process has
    // one thread, and `set_var` and `remove_var` are disallowed methods.
    unsafe { Strings::new(environ) }
}

/// Standard input, for a message.
pub const STANDARD_INPUT: BorrowedFd<'static> = standard(0);
/// Standard output, for a page.
pub const STANDARD_OUTPUT: BorrowedFd<'static> = standard(1);
/// Standard error, for a line.
pub const STANDARD_ERROR: BorrowedFd<'static> = standard(2);

const fn standard(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: the number is not -1, and nothing in this crate closes it. Where the caller has left it closed, and it could
    // not be opened, calls on it fail with EBADF, and the process only writes a refusal.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Opens /dev/null as each of the descriptors 0, 1 and 2 that is closed: otherwise the next file to be opened would become
/// the script's standard output.
///
/// # Errors
/// What open(2) says.
pub fn open_standard_descriptors() -> Result<(), Errno> {
    for descriptor in 0..=2 {
        // SAFETY: F_GETFD only asks, and takes no argument.
        if Errno::result(unsafe { libc::fcntl(descriptor, libc::F_GETFD) }).is_err() {
            // SAFETY: the path is a C string. The lowest free number is the one that was just found to be free.
            Errno::result(unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) })?;
        }
    }
    Ok(())
}

/// Closes descriptor 3 and all above it: close_range(2), Linux 5.9.
///
/// # Errors
/// What the kernel says; ENOSYS where it does not know the call.
pub fn close_range_from_3() -> Result<(), Errno> {
    let (first, last, flags): (c_uint, c_uint, c_uint) = (3, c_uint::MAX, 0);
    // SAFETY: the arguments are numbers. No object of this process owns a descriptor above 2 when this is called.
    Errno::result(unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) }).map(drop)
}

/// Closes descriptors 3 up to `end`, one by one.
pub fn close_each_from_3(end: RawFd) {
    for descriptor in 3..end {
        // SAFETY: the argument is a number, and EBADF the harmless answer to one that is not open. No object of this
        // process owns a descriptor above 2 when this is called.
        let _ = unsafe { libc::close(descriptor) };
    }
}

/// What to do with signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Disposition {
    /// SIG_DFL.
    Default = 0,
    /// SIG_IGN; the kernel also discards what is pending.
    Ignore = 1,
}

/// `struct sigaction` of the kernel. Flags, restorer and mask stay zero.
#[repr(C)]
struct KernelSigaction {
    disposition: usize,
    rest: [u64; 3],
}

/// The signals of Linux on every architecture that this builds for: 1 to 64.
const LAST_SIGNAL: c_int = 64;
/// Size of the kernel's set of 64 signals in bytes.
const SIGNAL_SET_SIZE: usize = 8;

/// Gives every signal the same disposition, save SIGKILL and SIGSTOP, which have none.
///
/// By the bare call: the C libraries keep some real-time signals from their callers, but an invoker can have ignored
/// those too, and the script would inherit it.
///
/// # Errors
/// What the kernel says.
pub fn dispose_of_signals(disposition: Disposition) -> Result<(), Errno> {
    (1..=LAST_SIGNAL)
        .filter(|signal| !matches!(*signal, libc::SIGKILL | libc::SIGSTOP))
        .try_for_each(|signal| dispose_of_signal(signal, disposition))
}

/// Gives one signal a disposition.
///
/// # Errors
/// What the kernel says.
pub fn dispose_of_signal(signal: c_int, disposition: Disposition) -> Result<(), Errno> {
    let action = KernelSigaction { disposition: disposition as usize, rest: [0; 3] };
    // SAFETY: `action` has the layout which the kernel reads and outlives the call; it names no handler. The null
    // pointer says that the old action is not wanted; the size is that of the kernel's signal set.
    let done = unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            signal,
            &raw const action,
            std::ptr::null::<KernelSigaction>(),
            SIGNAL_SET_SIZE,
        )
    };
    Errno::result(done).map(drop)
}

/// Whether a signal is ignored.
///
/// # Errors
/// What the kernel says.
pub fn is_ignored(signal: c_int) -> Result<bool, Errno> {
    let mut action = KernelSigaction { disposition: Disposition::Default as usize, rest: [0; 3] };
    // SAFETY: the null pointer says that the action stays as it is; `action` has the layout which the kernel writes and
    // outlives the call; the size is that of the kernel's signal set.
    let done = unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            signal,
            std::ptr::null::<KernelSigaction>(),
            &raw mut action,
            SIGNAL_SET_SIZE,
        )
    };
    Errno::result(done).map(|_| action.disposition == Disposition::Ignore as usize)
}

/// Blocks no signal, by the bare call, for the reason of [`dispose_of_signals`].
///
/// # Errors
/// What the kernel says.
pub fn unblock_signals() -> Result<(), Errno> {
    let none: u64 = 0;
    // SAFETY: `none` is the kernel's signal set of the stated size and outlives the call; the old set is not wanted.
    let done = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const none,
            std::ptr::null::<u64>(),
            SIGNAL_SET_SIZE,
        )
    };
    Errno::result(done).map(drop)
}

/// Stops the three interval timers, of which alarm(2) is one. POSIX timers do not survive an exec.
///
/// # Errors
/// What the kernel says.
pub fn cancel_timers() -> Result<(), Errno> {
    let zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let never = libc::itimerval { it_interval: zero, it_value: zero };
    for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
        // SAFETY: `never` is a whole itimerval and outlives the call; the old value is not wanted.
        Errno::result(unsafe { libc::setitimer(timer, &raw const never, std::ptr::null_mut()) })?;
    }
    Ok(())
}

/// Head of the argument of capget(2) and capset(2).
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: c_int,
}

/// One half of the capability sets: bits 0–31 in the first, 32–63 in the second.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CapabilityWord {
    /// In force now.
    pub effective: u32,
    /// May be put in force.
    pub permitted: u32,
    /// May survive an exec.
    pub inheritable: u32,
}

/// _LINUX_CAPABILITY_VERSION_3 of linux/capability.h: two words for each set.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// The capabilities of this process: capget(2).
///
/// # Errors
/// What the kernel says.
pub fn capabilities() -> Result<[CapabilityWord; 2], Errno> {
    let mut header = CapabilityHeader { version: CAPABILITY_VERSION, pid: 0 };
    let mut words = [CapabilityWord::default(); 2];
    // SAFETY: header and data have the layouts of version 3, which has two words, and outlive the call.
    let done = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) };
    Errno::result(done).map(|_: c_long| words)
}

/// Gives this process these capabilities: capset(2). Ambient ones that are no longer inheritable go as well.
///
/// # Errors
/// What the kernel says.
pub fn set_capabilities(words: &[CapabilityWord; 2]) -> Result<(), Errno> {
    let mut header = CapabilityHeader { version: CAPABILITY_VERSION, pid: 0 };
    // SAFETY: header and data have the layouts of version 3, which has two words, and outlive the call.
    let done = unsafe { libc::syscall(libc::SYS_capset, &raw mut header, words.as_ptr()) };
    Errno::result(done).map(drop)
}

/// Whether a file has an access control list, which its mode does not show.
///
/// # Errors
/// What lgetxattr(2) says, save that there is no such attribute or that the file system knows none.
pub fn has_access_list(path: &Path) -> Result<bool, Errno> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: both names are C strings that outlive the call; size 0 asks for the length and writes nothing.
    let length =
        unsafe { libc::lgetxattr(path.as_ptr(), c"system.posix_acl_access".as_ptr(), std::ptr::null_mut(), 0) };
    match Errno::result(length) {
        Ok(_) => Ok(true),
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Whether a directory has an access control list, or one that every new file gets.
///
/// # Errors
/// What fgetxattr(2) says, save that there is no such attribute or that the file system knows none.
pub fn directory_has_access_list(directory: BorrowedFd<'_>) -> Result<bool, Errno> {
    for name in [c"system.posix_acl_access", c"system.posix_acl_default"] {
        // SAFETY: the name is a C string; size 0 asks for the length and writes nothing.
        let length = unsafe { libc::fgetxattr(directory.as_raw_fd(), name.as_ptr(), std::ptr::null_mut(), 0) };
        match Errno::result(length) {
            Ok(_) => return Ok(true),
            Err(Errno::ENODATA | Errno::EOPNOTSUPP) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(false)
}

/// Locks a file for this process alone, without waiting: flock(2), which is the kind that sendmail looks at. The lock goes
/// with the last descriptor of this opening of the file.
///
/// # Errors
/// What the kernel says: EWOULDBLOCK if somebody else has it.
pub fn lock(file: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the arguments are numbers, the first an open descriptor.
    Errno::result(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }).map(drop)
}

/// Gives a file another name in its directory, unless that name is taken: renameat2(2), of which the C library for static
/// programs has none.
///
/// # Errors
/// What the kernel says: EEXIST if the name is taken; ENOSYS or EINVAL where kernel or file system cannot do it.
pub fn rename_to_free_name(directory: BorrowedFd<'_>, from: &CStr, to: &CStr) -> Result<(), Errno> {
    let directory = directory.as_raw_fd();
    // SAFETY: both names are C strings that outlive the call, the other arguments are numbers.
    let done = unsafe {
        libc::syscall(libc::SYS_renameat2, directory, from.as_ptr(), directory, to.as_ptr(), libc::RENAME_NOREPLACE)
    };
    Errno::result(done).map(drop)
}

#[cfg(test)]
pub(crate) mod tests;
