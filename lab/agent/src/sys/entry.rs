//! Entry points, in the order in which they run.
//!
//! `lab_agent_start` is where the kernel starts the program (build.rs says so to the linker). It notes which of the
//! descriptors 0, 1, 2 are closed, because the C runtime's `_start`, to which it hands over, opens `/dev/null` in their
//! places when AT_SECURE is set: a witness would then report descriptors which its caller never gave it.
//!
//! `main` is called by the C runtime directly; Rust's own start code would also ignore SIGPIPE.

use crate::Start;
use libc::{c_char, c_int};
use std::ffi::CStr;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU8, Ordering};

/// Bit n is set if descriptor n was closed when the kernel started the program.
static CLOSED_AT_START: AtomicU8 = AtomicU8::new(0);

/// Whether descriptor 0, 1 or 2 was closed when the kernel started the program.
pub(crate) fn was_closed(number: RawFd) -> bool {
    (0..3).contains(&number) && CLOSED_AT_START.load(Ordering::Relaxed) & (1 << number) != 0
}

// Keeps the stack pointer and the one register that `_start` reads (rdx), calls fcntl(number, F_GETFD) for 0, 1, 2, and
// stores one byte relative to the instruction pointer, which is right before relocation, too.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".globl lab_agent_start",
    ".type lab_agent_start, @function",
    "lab_agent_start:",
    "mov r9, rdx",
    "xor r8d, r8d",
    "xor edi, edi",
    "2:",
    "mov eax, 72",
    "mov esi, 1",
    "xor edx, edx",
    "syscall",
    "test rax, rax",
    "jns 3f",
    "bts r8d, edi",
    "3:",
    "inc edi",
    "cmp edi, 3",
    "jb 2b",
    "mov byte ptr [rip + {closed}], r8b",
    "mov rdx, r9",
    "jmp _start",
    closed = sym CLOSED_AT_START,
);

// The same; the register to be kept is x0.
#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".globl lab_agent_start",
    ".type lab_agent_start, @function",
    "lab_agent_start:",
    "mov x9, x0",
    "mov w10, wzr",
    "mov w11, wzr",
    "2:",
    "mov w0, w11",
    "mov w1, #1",
    "mov x2, xzr",
    "mov x8, #25",
    "svc #0",
    "tbz x0, #63, 3f",
    "mov w12, #1",
    "lsl w12, w12, w11",
    "orr w10, w10, w12",
    "3:",
    "add w11, w11, #1",
    "cmp w11, #3",
    "b.lo 2b",
    "adrp x12, {closed}",
    "add x12, x12, :lo12:{closed}",
    "strb w10, [x12]",
    "mov x0, x9",
    "b _start",
    closed = sym CLOSED_AT_START,
);

/// Called by the C runtime's start code. A test program has a `main` of its own.
#[cfg_attr(not(test), unsafe(no_mangle))]
extern "C" fn main(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    // SAFETY: the C runtime passes the vector which the kernel laid out: `argc` strings and then null, which live as long
    // as the process and which nothing changes.
    let argv = unsafe { strings(argv, count) };
    // SAFETY: likewise, strings and then null.
    let env = unsafe { strings(envp, usize::MAX) };
    crate::run(&Start { argv, env, exec_path: exec_path(), secure: secure(), was_closed })
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
