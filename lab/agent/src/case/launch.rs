//! The launcher: the process which becomes the invoker and then executes the subject. Read it top to bottom; the order is
//! the point. It only makes system calls: see [`super::plan`].

use super::link::{self, Request};
use super::plan::{Plan, Probe, capability_set};
use super::progress::{Progress, Step};
use crate::challenge;
use crate::layout::{UNREADABLE, attach, clone_mount, mounts};
use crate::sys::clone::{Stack, clone};
use crate::sys::{exec, ids, seccomp, signals};
use lab_invocation::invocation::Cwd;
use rustix::fs::{AtFlags, CWD, Gid, Mode, StatxFlags, Uid};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, PTracer};
use rustix::thread::{CapabilitiesSecureBits, CapabilitySet, CapabilitySets};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Exit status of a launcher that could not exec; the reason is in [`Progress`].
const NOT_STARTED: i32 = 126;

/// Becomes the invoker and executes the subject. Returns only if that fails; the value is the exit status.
///
/// `link` leads to stage 1, for a launcher with memory of its own; the other kind must not need it.
pub(super) fn launch(plan: &Plan<'_>, progress: &Progress, link: Option<BorrowedFd<'_>>) -> i32 {
    let Err(errno) = become_the_subject(plan, progress, link);
    progress.fail(errno);
    NOT_STARTED
}

enum Never {}

fn become_the_subject(plan: &Plan<'_>, progress: &Progress, link: Option<BorrowedFd<'_>>) -> Result<Never, Errno> {
    let invocation = plan.invocation;
    let ask = |request| link.map_or(Err(Errno::NOTCONN), |link| link::ask(link, request, &plan.watched));

    progress.begin(Step::Attach);
    for (mount, at) in &plan.attach {
        attach(mount, at)?;
    }
    progress.begin(Step::Mount);
    for mount in plan.mounts {
        let made = mounts::make(plan.home.ok_or(Errno::PERM)?, mount);
        made.map_err(|failure| {
            Errno::from_raw_os_error(if failure.errno == 0 { libc::EINVAL } else { failure.errno })
        })?;
    }
    if let Some(probe) = plan.probe {
        remount(plan, probe)?;
    }

    progress.begin(Step::Look);
    look(plan, progress)?;
    progress.begin(Step::OpenSubject);
    let opened = open_subject(plan)?;
    let by_descriptor = plan.foreign.as_ref().or(opened.as_ref());
    progress.begin(Step::ShareFs);
    if invocation.transition.share_fs && !plan.unmaps_ids() {
        progress.note_sharer(start_sharer()?);
    }

    progress.begin(Step::Directory);
    enter_directory(plan)?;

    progress.begin(Step::Descriptor);
    for placement in &plan.placements {
        placement.source.place(placement.number, plan.above)?;
    }
    rustix::process::umask(Mode::from_raw_mode(invocation.umask));

    // Before the ids: only root may raise a hard limit.
    progress.begin(Step::Limit);
    for &(resource, soft, hard) in &plan.limits {
        ids::set_limit(resource, soft, hard)?;
    }

    progress.begin(Step::Bounding);
    for number in &invocation.capabilities.bounding_drop {
        rustix::thread::remove_capability_from_bounding_set(capability_set([number]))?;
    }
    progress.begin(Step::Securebits);
    if let Some(bits) = invocation.capabilities.securebits {
        rustix::thread::set_capabilities_secure_bits(CapabilitiesSecureBits::from_bits_retain(bits))?;
    }

    progress.begin(Step::Groups);
    rustix::thread::set_thread_groups(&plan.groups)?;
    let identity = &invocation.identity;
    progress.begin(Step::Gids);
    let (gid, effective) = (Gid::from_raw(identity.gid.as_raw()), Gid::from_raw(identity.effective_gid.as_raw()));
    rustix::thread::set_thread_res_gid(gid, effective, effective)?;
    // Needs CAP_SYS_ADMIN, so before the uids; stage 1 lets the launcher's own calls pass.
    progress.begin(Step::Filter);
    if !plan.watched.is_empty() {
        // Until stage 1 has the listener nobody answers a watched call: only such as are not watched may be made.
        be_accessible()?;
        let listener = seccomp::watch(&plan.watched)?;
        ask(Request::Listen(listener))?;
        seccomp::drop_listener(listener);
    }
    // A uid that the new namespace does not map can only be taken outside it, a mapped one also inside; inside is right
    // for that one, because some systems let only root make user namespaces.
    if plan.unmaps_ids() {
        if invocation.transition.unmapped_uids.contains(&identity.uid) {
            set_uids(plan, progress)?;
        }
        progress.begin(Step::UserNamespace);
        crate::sys::mounts::unshare(libc::CLONE_NEWUSER)?;
        be_accessible()?;
        ask(Request::MapIds)?;
        // CLONE_NEWUSER of unshare(2) implies CLONE_FS: what was shared before is not any more.
        progress.begin(Step::ShareFs);
        if invocation.transition.share_fs {
            progress.note_sharer(start_sharer()?);
        }
    }
    if !invocation.transition.unmapped_uids.contains(&identity.uid) {
        set_uids(plan, progress)?;
    }

    progress.begin(Step::Capabilities);
    set_capabilities(plan)?;
    progress.begin(Step::NoNewPrivs);
    if invocation.transition.no_new_privs {
        rustix::thread::set_no_new_privs(true)?;
    }

    progress.begin(Step::Trace);
    if invocation.transition.tracer.is_some() {
        be_accessible()?;
        // Where Yama restricts ptrace(2) to descendants; EINVAL where there is no Yama.
        let _ = rustix::process::set_ptracer(PTracer::Any);
        ask(Request::Trace)?;
    }

    progress.begin(Step::Signals);
    set_signals(plan)?;
    progress.begin(Step::Place);
    if invocation.own_process_group {
        rustix::process::setpgid(None, None)?;
    }
    crate::sys::place::set(&invocation.scheduling)?;
    progress.begin(Step::Timer);
    if let Some(slack) = invocation.timer_slack_ns {
        // 0 means the default of the calling process, which is the inherited one.
        rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(slack))?;
    }
    if let Some(seconds) = invocation.alarm_seconds {
        signals::alarm(seconds)?;
    }
    for &timer in &invocation.processor_timers {
        signals::processor_timer(timer)?;
    }

    progress.begin(Step::ReadBack);
    progress.read_credentials()?;

    progress.begin(Step::Exec);
    progress.note_exec(super::now_ns());
    Err(match by_descriptor {
        Some(subject) => exec::execveat(subject.as_fd(), &plan.argv, &plan.env),
        None => exec::execve(&plan.program, &plan.argv, &plan.env),
    })
}

/// Puts a copy of the program's own mount over the program, with the set-id bits honoured or ignored.
fn remount(plan: &Plan<'_>, probe: Probe) -> Result<(), Errno> {
    let copy = clone_mount(&plan.program, false)?;
    let (set, clear) = match probe {
        Probe::Positive => (0, mounts::NO_SUID | mounts::NO_EXEC),
        Probe::Negative => (mounts::NO_SUID, mounts::NO_EXEC),
    };
    crate::sys::mounts::set_attributes(copy.as_fd(), c"", set, clear)?;
    attach(copy, &plan.program)
}

/// Notes what the subject's file is. That it is not there is for execve to say.
fn look(plan: &Plan<'_>, progress: &Progress) -> Result<(), Errno> {
    match rustix::fs::statx(CWD, &plan.program, AtFlags::empty(), StatxFlags::BASIC_STATS) {
        Ok(stat) => {
            challenge::add_file(plan.challenge, stat.stx_uid, stat.stx_gid)?;
            progress.note_file(&stat, rustix::fs::statvfs(&plan.program)?.f_flag);
            Ok(())
        }
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS | Errno::NAMETOOLONG) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// The subject as a descriptor, where it is to be executed by one.
fn open_subject(plan: &Plan<'_>) -> Result<Option<OwnedFd>, Errno> {
    if !plan.invocation.transition.by_descriptor {
        return Ok(None);
    }
    let opened = crate::layout::name(&plan.program)?;
    rustix::io::fcntl_dupfd_cloexec(&opened, plan.above).map(Some)
}

/// Starts a process that shares root, working directory and umask with this one (CLONE_FS), as a child of stage 1, so
/// that the subject has none that it does not know. Stage 1 ends it.
fn start_sharer() -> Result<i32, Errno> {
    let mut stack = Stack::new(16 * 1024);
    let sharer = clone(libc::CLONE_FS | libc::CLONE_PARENT, &mut stack, || {
        // Copies of the subject's pipes must not stay open here.
        let _ = exec::close_from(0);
        let _ = rustix::event::poll(&mut [], None);
        0
    })?;
    Ok(sharer.pid.as_raw_nonzero().get())
}

/// Lets stage 1 and a tracer of the same ids at this process: a change of ids has taken that away (PR_SET_DUMPABLE).
fn be_accessible() -> Result<(), Errno> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)
}

fn set_uids(plan: &Plan<'_>, progress: &Progress) -> Result<(), Errno> {
    progress.begin(Step::Uids);
    let wish = &plan.invocation.capabilities;
    if !(wish.kept.is_empty() && wish.inheritable.is_empty() && wish.ambient.is_empty()) {
        rustix::thread::set_keep_capabilities(true)?;
    }
    let identity = &plan.invocation.identity;
    let (real, effective) = (Uid::from_raw(identity.uid.as_raw()), Uid::from_raw(identity.effective_uid.as_raw()));
    rustix::thread::set_thread_res_uid(real, effective, effective)
}

fn enter_directory(plan: &Plan<'_>) -> Result<(), Errno> {
    match (&plan.invocation.cwd, &plan.cwd) {
        (Cwd::Path(_), Some(path)) => rustix::process::chdir(path.as_c_str()),
        (Cwd::Path(_), None) => Err(Errno::INVAL),
        (Cwd::Deleted, _) => {
            let path = c"/tmp/deleted";
            rustix::fs::mkdir(path, Mode::from_raw_mode(0o755))?;
            rustix::process::chdir(path)?;
            rustix::fs::rmdir(path)
        }
        (Cwd::Unreadable, _) => rustix::process::chdir(UNREADABLE),
    }
}

/// Leaves the invoker with exactly the capabilities he is to have. Without any such wish the kernel's own rule (all or
/// none, by the change of uid) stands.
fn set_capabilities(plan: &Plan<'_>) -> Result<(), Errno> {
    let wish = &plan.invocation.capabilities;
    let none =
        wish.kept.is_empty() && wish.inheritable.is_empty() && wish.ambient.is_empty() && wish.securebits.is_none();
    // Whoever makes a user namespace has every capability in it until exec.
    if none && !plan.unmaps_ids() {
        return Ok(());
    }
    let now = rustix::thread::capabilities(None)?;
    let inheritable = capability_set(wish.inheritable.iter().chain(&wish.ambient));
    let identity = &plan.invocation.identity;
    let is_root = identity.uid.as_raw() == 0 || identity.effective_uid.as_raw() == 0;
    let (permitted, effective) = if is_root && wish.kept.is_empty() {
        (now.permitted, now.effective)
    } else {
        let kept: CapabilitySet = capability_set(wish.kept.iter().chain(&wish.ambient));
        (kept, kept)
    };
    rustix::thread::set_capabilities(None, CapabilitySets { effective, permitted, inheritable })?;
    for number in &wish.ambient {
        rustix::thread::configure_capability_in_ambient_set(capability_set([number]), true)?;
    }
    Ok(())
}

fn set_signals(plan: &Plan<'_>) -> Result<(), Errno> {
    let wish = &plan.invocation.signals;
    for &signal in &wish.ignored {
        signals::set_ignored(signal, true)?;
    }
    if plan.blocked != 0 {
        signals::set_mask(plan.blocked)?;
    }
    for &signal in &wish.pending {
        signals::send(rustix::process::getpid(), signal)?;
    }
    Ok(())
}
