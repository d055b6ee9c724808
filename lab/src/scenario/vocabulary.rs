//! Names of numbers which scenario files use: signals, resource limits, capabilities, securebits, error numbers.
//! The numbers are those of Linux on x86-64 and aarch64, which agree on all of these. See signal(7), getrlimit(2),
//! capabilities(7), errno(3).

/// A list of names with their numbers.
pub type Names = &'static [(&'static str, u32)];

/// Signals. 32 and 33 belong to the C library.
pub const SIGNALS: Names = &[
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGSTKFLT", 16),
    ("SIGCHLD", 17),
    ("SIGCONT", 18),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGURG", 23),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGWINCH", 28),
    ("SIGIO", 29),
    ("SIGPWR", 30),
    ("SIGSYS", 31),
    ("SIGRTMIN", 34),
    ("SIGRTMAX", 64),
];

/// Timers of processor time: setitimer(2).
pub const PROCESSOR_TIMERS: Names = &[("virtual", 1), ("profiling", 2)];

/// Resource limits.
pub const LIMITS: Names = &[
    ("cpu", 0),
    ("fsize", 1),
    ("data", 2),
    ("stack", 3),
    ("core", 4),
    ("rss", 5),
    ("nproc", 6),
    ("nofile", 7),
    ("memlock", 8),
    ("as", 9),
    ("locks", 10),
    ("sigpending", 11),
    ("msgqueue", 12),
    ("nice", 13),
    ("rtprio", 14),
    ("rttime", 15),
];

/// Capabilities.
pub const CAPABILITIES: Names = &[
    ("CAP_CHOWN", 0),
    ("CAP_DAC_OVERRIDE", 1),
    ("CAP_DAC_READ_SEARCH", 2),
    ("CAP_FOWNER", 3),
    ("CAP_FSETID", 4),
    ("CAP_KILL", 5),
    ("CAP_SETGID", 6),
    ("CAP_SETUID", 7),
    ("CAP_SETPCAP", 8),
    ("CAP_LINUX_IMMUTABLE", 9),
    ("CAP_NET_BIND_SERVICE", 10),
    ("CAP_NET_BROADCAST", 11),
    ("CAP_NET_ADMIN", 12),
    ("CAP_NET_RAW", 13),
    ("CAP_IPC_LOCK", 14),
    ("CAP_IPC_OWNER", 15),
    ("CAP_SYS_MODULE", 16),
    ("CAP_SYS_RAWIO", 17),
    ("CAP_SYS_CHROOT", 18),
    ("CAP_SYS_PTRACE", 19),
    ("CAP_SYS_PACCT", 20),
    ("CAP_SYS_ADMIN", 21),
    ("CAP_SYS_BOOT", 22),
    ("CAP_SYS_NICE", 23),
    ("CAP_SYS_RESOURCE", 24),
    ("CAP_SYS_TIME", 25),
    ("CAP_SYS_TTY_CONFIG", 26),
    ("CAP_MKNOD", 27),
    ("CAP_LEASE", 28),
    ("CAP_AUDIT_WRITE", 29),
    ("CAP_AUDIT_CONTROL", 30),
    ("CAP_SETFCAP", 31),
    ("CAP_MAC_OVERRIDE", 32),
    ("CAP_MAC_ADMIN", 33),
    ("CAP_SYSLOG", 34),
    ("CAP_WAKE_ALARM", 35),
    ("CAP_BLOCK_SUSPEND", 36),
    ("CAP_AUDIT_READ", 37),
    ("CAP_PERFMON", 38),
    ("CAP_BPF", 39),
    ("CAP_CHECKPOINT_RESTORE", 40),
];

/// Securebits, as masks.
pub const SECUREBITS: Names = &[
    ("noroot", 1 << 0),
    ("noroot-locked", 1 << 1),
    ("no-setuid-fixup", 1 << 2),
    ("no-setuid-fixup-locked", 1 << 3),
    ("keep-caps", 1 << 4),
    ("keep-caps-locked", 1 << 5),
    ("no-cap-ambient-raise", 1 << 6),
    ("no-cap-ambient-raise-locked", 1 << 7),
];

/// Error numbers that a system call of a wrapper can meet.
pub const ERRORS: Names = &[
    ("EPERM", 1),
    ("ENOENT", 2),
    ("ESRCH", 3),
    ("EINTR", 4),
    ("EIO", 5),
    ("ENXIO", 6),
    ("E2BIG", 7),
    ("ENOEXEC", 8),
    ("EBADF", 9),
    ("ECHILD", 10),
    ("EAGAIN", 11),
    ("ENOMEM", 12),
    ("EACCES", 13),
    ("EFAULT", 14),
    ("ENOTBLK", 15),
    ("EBUSY", 16),
    ("EEXIST", 17),
    ("EXDEV", 18),
    ("ENODEV", 19),
    ("ENOTDIR", 20),
    ("EISDIR", 21),
    ("EINVAL", 22),
    ("ENFILE", 23),
    ("EMFILE", 24),
    ("ENOTTY", 25),
    ("ETXTBSY", 26),
    ("EFBIG", 27),
    ("ENOSPC", 28),
    ("ESPIPE", 29),
    ("EROFS", 30),
    ("EMLINK", 31),
    ("EPIPE", 32),
    ("ENAMETOOLONG", 36),
    ("ENOSYS", 38),
    ("ENOTEMPTY", 39),
    ("ELOOP", 40),
    ("ENODATA", 61),
    ("EOVERFLOW", 75),
    ("EUSERS", 87),
    ("EOPNOTSUPP", 95),
    ("ECONNREFUSED", 111),
    ("EDQUOT", 122),
];

/// The number of a name.
pub fn number(names: Names, name: &str) -> Option<u32> {
    names.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// The name of a number.
pub fn name(names: Names, number: u32) -> Option<&'static str> {
    names.iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
}

/// A signal's number: `SIGTERM`, or `SIGRTMIN+3`.
pub fn signal(text: &str) -> Option<u32> {
    if let Some(offset) = text.strip_prefix("SIGRTMIN+") {
        return offset.parse::<u32>().ok().filter(|offset| *offset <= 30).map(|offset| 34 + offset);
    }
    number(SIGNALS, text)
}

/// A signal's name; real-time signals as `SIGRTMIN+n`.
pub fn signal_name(number: u32) -> String {
    match name(SIGNALS, number) {
        Some(name) => name.to_owned(),
        None if (35..64).contains(&number) => format!("SIGRTMIN+{}", number - 34),
        None => format!("signal {number}"),
    }
}

/// An error's name with its number: `EACCES (13)`.
pub fn error_name(errno: i32) -> String {
    match u32::try_from(errno).ok().and_then(|number| name(ERRORS, number)) {
        Some(name) => format!("{name} ({errno})"),
        None => format!("errno {errno}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPABILITIES, ERRORS, LIMITS, Names, PROCESSOR_TIMERS, SECUREBITS, SIGNALS, signal, signal_name};

    #[test]
    fn names_and_numbers_are_unique() {
        for list in [SIGNALS, LIMITS, PROCESSOR_TIMERS, CAPABILITIES, SECUREBITS, ERRORS] as [Names; 6] {
            for (at, (name, number)) in list.iter().enumerate() {
                assert!(list[..at].iter().all(|(n, m)| n != name && m != number), "{name} {number}");
            }
        }
    }

    #[test]
    fn real_time_signals_are_named_from_the_first() {
        assert_eq!(signal("SIGRTMIN+3"), Some(37));
        assert_eq!(signal_name(37), "SIGRTMIN+3");
        assert_eq!(signal("SIGRTMIN+31"), None);
    }
}
