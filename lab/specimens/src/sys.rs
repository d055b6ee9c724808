//! The one thing that needs `unsafe`.

#![expect(unsafe_code, reason = "the one module for it")]

use nix::sys::signal::{SigHandler, Signal, signal};

/// Ignores SIGPIPE, as the runtime of Rust does, and hands that on by exec.
pub(crate) fn ignore_sigpipe() -> nix::Result<()> {
    // SAFETY: SIG_IGN runs no code of this process.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) }.map(drop)
}
