//! System calls of the subject that are made to fail: who calls, how often, and what he gets.

use super::calls;
use crate::failure::Failure;
use crate::sys::seccomp::{self, Answer, Call};
use crate::sys::signals;
use lab_invocation::invocation::{Fault, FaultResult};
use libc::c_long;
use rustix::fs::{AtFlags, Statx, StatxFlags};
use rustix::io::Errno;
use rustix::process::Pid;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A file, whatever its name: device numbers and inode.
pub(crate) type FileId = (u32, u32, u64);

/// Which file a statx(2) result is of.
pub(crate) fn file_id(stat: &Statx) -> FileId {
    (stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino)
}

/// The numbers of the calls that must be watched.
pub(super) fn watched(faults: &[Fault]) -> Result<Vec<c_long>, Failure> {
    let numbers = faults.iter().map(|fault| {
        calls::number(&fault.call).ok_or_else(|| {
            Failure::refused(format!(
                "make {}(2) fail: this architecture has no such call, or the agent does not know it",
                fault.call
            ))
        })
    });
    numbers.collect()
}

/// Answers the watched calls of one case.
pub(super) struct Supervisor<'a> {
    pub(super) listener: OwnedFd,
    proc: BorrowedFd<'a>,
    /// The subject's program file. Only calls made by a process that runs it are counted and made to fail: not the
    /// launcher's, which has the filter before its exec, nor those of a program which the subject starts.
    subject: FileId,
    faults: Vec<(c_long, &'a Fault, u32)>,
}

impl<'a> Supervisor<'a> {
    /// Takes over the listener.
    pub(super) fn new(listener: OwnedFd, proc: BorrowedFd<'a>, subject: FileId, faults: &'a [Fault]) -> Self {
        let known = faults.iter().filter_map(|fault| Some((calls::number(&fault.call)?, fault, 0)));
        Self { listener, proc, subject, faults: known.collect() }
    }

    /// Answers one call.
    pub(super) fn serve(&mut self) {
        let Ok(call) = seccomp::receive(self.listener.as_fd()) else { return };
        let answer = self.decide(&call);
        if let Some(answer) = answer {
            // Fails only if the caller has died.
            let _ = seccomp::answer(self.listener.as_fd(), &call, &answer);
        }
    }

    /// `None`: the caller was killed and gets no answer.
    fn decide(&mut self, call: &Call) -> Option<Answer> {
        if self.runs(call.pid) != Ok(self.subject) {
            return Some(Answer::Continue);
        }
        let mut result = None;
        for (number, fault, count) in &mut self.faults {
            if *number == call.number {
                *count += 1;
                if fault.nth == 0 || fault.nth == *count {
                    result = result.or(Some(fault.result));
                }
            }
        }
        match result {
            None => Some(Answer::Continue),
            Some(FaultResult::Errno(errno)) => Some(Answer::Error(errno)),
            Some(FaultResult::Value(value)) => Some(Answer::Value(value)),
            Some(FaultResult::Kill) => {
                if let Some(pid) = Pid::from_raw(call.pid) {
                    let _ = signals::send(pid, libc::SIGKILL.unsigned_abs());
                }
                None
            }
        }
    }

    /// The program file that a process runs.
    fn runs(&self, pid: i32) -> Result<FileId, Errno> {
        rustix::fs::statx(self.proc, format!("{pid}/exe"), AtFlags::empty(), StatxFlags::INO).map(|stat| file_id(&stat))
    }
}
