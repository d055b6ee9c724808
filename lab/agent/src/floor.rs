//! `lab-agent floor COUNT PROGRAM [ARGUMENT]…`: starts a program again and again by vfork and exec, without any sandbox,
//! and prints how long each start took until its end, in nanoseconds, a line each. What the lab adds to a case is
//! measured against this.

use crate::case::{now_ns, wait_for};
use crate::sys::clone::{Stack, clone};
use crate::sys::exec::{self, Vector};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::AsFd;

/// Runs the command line after `floor`; its return value is the exit status.
pub(crate) fn measure(arguments: &[&[u8]]) -> i32 {
    let [count, command @ ..] = arguments else { return 2 };
    let count = std::str::from_utf8(count).ok().and_then(|count| count.parse::<u32>().ok());
    let strings = command.iter().map(|&argument| CString::new(argument)).collect::<Result<Vec<_>, _>>();
    let (Some(count), Ok(strings)) = (count, strings) else { return 2 };
    let Some(program) = strings.first().cloned() else { return 2 };
    match starts(count, &program, &Vector::new(strings)) {
        Ok(times) => {
            let text: String = times.iter().map(|time| format!("{time}\n")).collect();
            if crate::write_all(rustix::stdio::stdout(), text.as_bytes()).is_ok() { 0 } else { 1 }
        }
        Err(errno) => errno.raw_os_error(),
    }
}

fn starts(count: u32, program: &CString, argv: &Vector) -> Result<Vec<u64>, Errno> {
    let null = rustix::fs::open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    let env = Vector::new(vec![c"PATH=/usr/bin:/bin".to_owned()]);
    let mut stack = Stack::new(64 * 1024);
    let mut times = Vec::new();
    for _ in 0..count {
        let begun = now_ns();
        let child = clone(libc::CLONE_VM | libc::CLONE_VFORK, &mut stack, || {
            for number in 0..3 {
                let _ = exec::place(null.as_fd(), number);
            }
            exec::execve(program, argv, &env).raw_os_error()
        })?;
        wait_for(&child.pidfd)?;
        times.push(now_ns() - begun);
    }
    Ok(times)
}
