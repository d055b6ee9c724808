//! System calls that can be made to fail, by their names.

use libc::c_long;

macro_rules! calls {
    ($($name:ident = $number:ident,)+) => {
        /// Names as in syscalls(2), with their numbers here.
        const CALLS: &[(&str, c_long)] = &[$((stringify!($name), libc::$number)),+];
    };
}

calls! {
    accept4 = SYS_accept4, bind = SYS_bind, brk = SYS_brk, capget = SYS_capget, capset = SYS_capset, chdir = SYS_chdir,
    clone = SYS_clone,
    clone3 = SYS_clone3, close = SYS_close, close_range = SYS_close_range, connect = SYS_connect, dup = SYS_dup,
    dup3 = SYS_dup3, execve = SYS_execve, execveat = SYS_execveat, exit_group = SYS_exit_group, faccessat = SYS_faccessat,
    fchdir = SYS_fchdir, fchmod = SYS_fchmod, fchmodat = SYS_fchmodat, fchown = SYS_fchown, fchownat = SYS_fchownat,
    fcntl = SYS_fcntl, fdatasync = SYS_fdatasync, flock = SYS_flock, fstat = SYS_fstat, fsync = SYS_fsync,
    ftruncate = SYS_ftruncate, getdents64 = SYS_getdents64, getegid = SYS_getegid, geteuid = SYS_geteuid,
    getgid = SYS_getgid, getgroups = SYS_getgroups, getpid = SYS_getpid, getppid = SYS_getppid,
    getrandom = SYS_getrandom, getresgid = SYS_getresgid, getresuid = SYS_getresuid, getuid = SYS_getuid,
    getxattr = SYS_getxattr, ioctl = SYS_ioctl, kill = SYS_kill, lgetxattr = SYS_lgetxattr, linkat = SYS_linkat, lseek = SYS_lseek, mkdirat = SYS_mkdirat, mmap = SYS_mmap,
    mprotect = SYS_mprotect, munmap = SYS_munmap, newfstatat = SYS_newfstatat, openat = SYS_openat,
    openat2 = SYS_openat2, pipe2 = SYS_pipe2, ppoll = SYS_ppoll, prctl = SYS_prctl, pread64 = SYS_pread64,
    prlimit64 = SYS_prlimit64, pwrite64 = SYS_pwrite64, read = SYS_read, readlinkat = SYS_readlinkat, readv = SYS_readv,
    renameat2 = SYS_renameat2, rt_sigaction = SYS_rt_sigaction, rt_sigprocmask = SYS_rt_sigprocmask, sendmsg = SYS_sendmsg,
    sendto = SYS_sendto, setgid = SYS_setgid, setgroups = SYS_setgroups, setitimer = SYS_setitimer,
    setregid = SYS_setregid, setresgid = SYS_setresgid, setresuid = SYS_setresuid, setreuid = SYS_setreuid,
    setrlimit = SYS_setrlimit, setsid = SYS_setsid, setuid = SYS_setuid, socket = SYS_socket, statfs = SYS_statfs,
    statx = SYS_statx, symlinkat = SYS_symlinkat, umask = SYS_umask, unlinkat = SYS_unlinkat, wait4 = SYS_wait4,
    write = SYS_write, writev = SYS_writev,
}

/// Calls that newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const OLDER: &[(&str, c_long)] = &[
    ("access", libc::SYS_access),
    ("alarm", libc::SYS_alarm),
    ("chmod", libc::SYS_chmod),
    ("chown", libc::SYS_chown),
    ("dup2", libc::SYS_dup2),
    ("fork", libc::SYS_fork),
    ("getrlimit", libc::SYS_getrlimit),
    ("link", libc::SYS_link),
    ("lstat", libc::SYS_lstat),
    ("mkdir", libc::SYS_mkdir),
    ("open", libc::SYS_open),
    ("pipe", libc::SYS_pipe),
    ("poll", libc::SYS_poll),
    ("readlink", libc::SYS_readlink),
    ("rename", libc::SYS_rename),
    ("rmdir", libc::SYS_rmdir),
    ("stat", libc::SYS_stat),
    ("symlink", libc::SYS_symlink),
    ("unlink", libc::SYS_unlink),
    ("vfork", libc::SYS_vfork),
];
/// Calls that newer architectures do not have: there the C library makes those which took their place.
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[(&str, c_long)] = &[
    ("access", libc::SYS_faccessat),
    ("dup2", libc::SYS_dup3),
    ("lstat", libc::SYS_newfstatat),
    ("mkdir", libc::SYS_mkdirat),
    ("open", libc::SYS_openat),
    ("pipe", libc::SYS_pipe2),
    ("poll", libc::SYS_ppoll),
    ("readlink", libc::SYS_readlinkat),
    ("stat", libc::SYS_newfstatat),
    ("symlink", libc::SYS_symlinkat),
    ("unlink", libc::SYS_unlinkat),
];

/// The number of a call by its name.
pub(super) fn number(name: &str) -> Option<c_long> {
    CALLS.iter().chain(OLDER).find(|(known, _)| *known == name).map(|&(_, number)| number)
}
