//! Entry point. Rust's own would ignore SIGPIPE and reopen closed descriptors before anybody could look at them, so the
//! C runtime calls this one directly.

use crate::Start;
use libc::{c_char, c_int};
use std::ffi::CStr;

/// Called by the C runtime's start code.
#[unsafe(no_mangle)]
extern "C" fn main(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    // SAFETY: the C runtime passes the vector which the kernel laid out: `argc` strings and then null, which live as long
    // as the process and which nothing changes.
    let argv = unsafe { strings(argv, count) };
    // SAFETY: likewise, strings and then null.
    let env = unsafe { strings(envp, usize::MAX) };
    crate::run(&Start { argv, env, exec_path: exec_path(), secure: secure() })
}

/// The strings of a null-terminated vector, at most `limit` of them.
///
/// # Safety
/// `vector` is null or points to readable pointers that end with null; each other one is a C string that outlives the process.
unsafe fn strings(vector: *const *const c_char, limit: usize) -> Vec<&'static [u8]> {
    let mut found = Vec::new();
    if vector.is_null() {
        return found;
    }
    while found.len() < limit {
        // SAFETY: the caller's promise: every pointer before this one was not null, so the vector reaches to here.
        let place = unsafe { vector.add(found.len()) };
        // SAFETY: the caller's promise: a place inside the vector is readable.
        let entry = unsafe { *place };
        if entry.is_null() {
            break;
        }
        // SAFETY: the caller's promise: a non-null entry is a C string that outlives the process.
        found.push(unsafe { CStr::from_ptr(entry) }.to_bytes());
    }
    found
}

/// AT_EXECFN of getauxval(3): the path by which this program was executed.
fn exec_path() -> &'static [u8] {
    // SAFETY: getauxval reads the vector which the kernel placed on the initial stack.
    let address = unsafe { libc::getauxval(libc::AT_EXECFN) };
    if address == 0 {
        return b"";
    }
    // SAFETY: a non-zero AT_EXECFN points to a C string on the initial stack, which lives as long as the process.
    unsafe { CStr::from_ptr(address as *const c_char) }.to_bytes()
}

/// AT_SECURE of getauxval(3).
fn secure() -> bool {
    // SAFETY: getauxval reads the vector which the kernel placed on the initial stack.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}
