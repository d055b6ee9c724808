//! The C library, as a C program calls it. The only unsafe code.

#![expect(unsafe_code, reason = "calls of the C library; each says why it is sound")]

use std::ffi::{CStr, CString, c_char};
use std::io;
use std::ptr;

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// Copies a null-terminated array of C strings.
///
/// # Safety
/// It is one, or null.
#[must_use]
pub unsafe fn strings(mut array: *const *const c_char) -> Vec<CString> {
    let mut all = Vec::new();
    while !array.is_null() {
        // SAFETY: the caller promises an array that ends with a null pointer, and no null pointer was seen yet.
        let string = unsafe { *array };
        if string.is_null() {
            break;
        }
        // SAFETY: it is a C string, as the caller promises.
        all.push(unsafe { CStr::from_ptr(string) }.to_owned());
        // SAFETY: there is at least the null pointer behind what was not one.
        array = unsafe { array.add(1) };
    }
    all
}

/// The environment, as the loader left it.
pub(crate) fn environment() -> Vec<CString> {
    // SAFETY: one thread, and nothing sets a variable.
    let array = unsafe { environ };
    // SAFETY: environ(7) is such an array.
    unsafe { strings(array) }
}

/// The real gid.
pub(crate) fn real_gid() -> u32 {
    // SAFETY: cannot fail and touches no memory.
    unsafe { libc::getgid() }
}

/// The name of a group, wherever the C library looks it up.
pub(crate) fn group_name(gid: u32) -> Option<CString> {
    // SAFETY: one thread, so nobody else uses the static buffer.
    let group = unsafe { libc::getgrgid(gid) };
    // SAFETY: null, or a group that stays until the next look-up.
    let group = unsafe { group.as_ref() }?;
    // SAFETY: its name is a C string.
    Some(unsafe { CStr::from_ptr(group.gr_name) }.to_owned())
}

/// The number of a group.
pub(crate) fn group_number(name: &CStr) -> Option<u32> {
    // SAFETY: a C string; one thread, so nobody else uses the static buffer.
    let group = unsafe { libc::getgrnam(name.as_ptr()) };
    // SAFETY: null, or a group that stays until the next look-up.
    unsafe { group.as_ref() }.map(|group| group.gr_gid)
}

/// setregid(getegid(), -1), which sets the saved gid as well. False if that fails.
pub(crate) fn take_on_effective_gid() -> bool {
    // SAFETY: cannot fail and touches no memory.
    let effective = unsafe { libc::getegid() };
    // SAFETY: touches no memory.
    unsafe { libc::setregid(effective, libc::gid_t::MAX) == 0 }
}

/// One message of the facility mail.
pub(crate) fn log(name: &CStr, text: &CStr) {
    // SAFETY: the name lives until closelog(3) below.
    unsafe { libc::openlog(name.as_ptr(), libc::LOG_CONS, libc::LOG_MAIL) };
    // SAFETY: the format takes one C string, and gets one.
    unsafe { libc::syslog(libc::LOG_ERR, c"%s".as_ptr(), text.as_ptr()) };
    // SAFETY: touches no memory of ours.
    unsafe { libc::closelog() };
}

/// execve(2); comes back only with its error.
pub(crate) fn become_program(path: &CStr, argv: &[CString], environment: &[CString]) -> io::Error {
    let pointers = |words: &[CString]| -> Vec<*const c_char> {
        words.iter().map(|word| word.as_ptr()).chain([ptr::null()]).collect()
    };
    let (argv, environment) = (pointers(argv), pointers(environment));
    // SAFETY: C strings and arrays that end with a null pointer, all alive.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}
