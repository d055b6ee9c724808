//! What a case leaves running: ended before the next one begins.

use crate::sys::signals;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions};

/// Reaps what has ended; whether there are other processes left.
pub(super) fn reap() -> bool {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Kills and reaps every process that a case has left. Returns how many were killed.
pub(super) fn clear_away() -> u32 {
    let mut strays = 0;
    // Without children there are no such processes: orphans become children of this one, which is process 1 of its
    // namespace or, in a container, asked for it (PR_SET_CHILD_SUBREAPER).
    if !reap() {
        return strays;
    }
    while kill().is_ok() {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some(_)) => strays += 1,
            Ok(None) | Err(Errno::INTR) => {}
            Err(_) => break,
        }
    }
    strays
}

/// Kills everything in a namespace of its own; else its children, whose own children it inherits. An error if there is
/// nothing to kill.
fn kill() -> Result<(), Errno> {
    let own = rustix::process::getpid();
    if own == Pid::INIT {
        return signals::kill_everything();
    }
    let number = own.as_raw_nonzero();
    let children = std::fs::read_to_string(format!("/proc/self/task/{number}/children"))
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let pids: Vec<Pid> = children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect();
    if pids.is_empty() {
        return Err(Errno::SRCH);
    }
    for pid in pids {
        // Nobody else reaps it, so the number is still its own.
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
    Ok(())
}
