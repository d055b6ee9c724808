//! Where a process stands among the machine's others: session, process group, scheduler.

use super::check;
use lab_invocation::evidence::Place;
use lab_invocation::invocation::Scheduling;
use rustix::io::Errno;
use rustix::thread::CpuSet;

/// Reads the calling process's place.
pub(crate) fn place() -> Result<Place, Errno> {
    let number = |pid: libc::c_long| u32::try_from(pid).map_err(|_| Errno::OVERFLOW);
    // By number: 0, a session or group from outside the pid namespace, is no pid to rustix.
    // SAFETY: no memory is involved.
    let session = check(unsafe { libc::syscall(libc::SYS_getsid, 0) })?;
    // SAFETY: no memory is involved.
    let process_group = check(unsafe { libc::syscall(libc::SYS_getpgid, 0) })?;
    // SAFETY: no memory is involved; the system call sched_getscheduler takes a pid alone.
    let policy = check(unsafe { libc::syscall(libc::SYS_sched_getscheduler, 0) })?;
    Ok(Place {
        session: number(session)?,
        process_group: number(process_group)?,
        nice: rustix::process::getpriority_process(None)?,
        policy: number(policy)?,
        processors: rustix::thread::sched_getaffinity(None)?.count(),
    })
}

/// Sets what is asked for.
pub(crate) fn set(wish: &Scheduling) -> Result<(), Errno> {
    if wish.nice != 0 {
        rustix::process::setpriority_process(None, i32::from(wish.nice))?;
    }
    if wish.idle {
        // `struct sched_param` is one int, which must be 0 for this policy.
        let parameter: libc::c_int = 0;
        // SAFETY: the pointer is to an integer that is alive.
        check(unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, libc::SCHED_IDLE, &raw const parameter) })?;
    }
    if wish.one_processor {
        let may = rustix::thread::sched_getaffinity(None)?;
        let first = (0..CpuSet::MAX_CPU).find(|&number| may.is_set(number)).ok_or(Errno::INVAL)?;
        let mut one = CpuSet::new();
        one.set(first);
        rustix::thread::sched_setaffinity(None, &one)?;
    }
    Ok(())
}
