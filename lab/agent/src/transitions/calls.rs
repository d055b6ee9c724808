//! One call from one state, in a throw-away process that shares memory with the agent and leaves its answer there.

use super::enter_user_namespace;
use super::state::{self, At, Stop};
use crate::sys::clone::{Stack, clone};
use crate::sys::set_ids;
use lab_invocation::trial::{Call, CallAnswer, CapabilitySets, State, Step};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, WaitId, WaitIdOptions, set_dumpable_behavior, waitid};
use std::os::fd::{AsFd, OwnedFd};

/// Makes each call from `state`. `own` is what the agent has.
pub(super) fn answer(state: &State, calls: &[Call], own: &CapabilitySets, stack: &mut Stack) -> Vec<CallAnswer> {
    // The bounding set is of no importance to these calls: it stays the agent's.
    let mut state = *state;
    state.capabilities.bounding = own.bounding;
    let answers = calls.iter().map(|call| alone(stack, || attempt(&state, own, call))).collect();
    // A change of credentials made the memory, which is shared, undumpable, and /proc/self with it root's.
    let _ = set_dumpable_behavior(DumpableBehavior::Dumpable);
    answers
}

/// Likewise, each process inside this user namespace, where it has every capability before it gives up those that
/// `state` lacks.
pub(super) fn answer_in(
    namespace: &OwnedFd,
    state: &State,
    calls: &[Call],
    own: &CapabilitySets,
    stack: &mut Stack,
) -> Vec<CallAnswer> {
    let mut state = *state;
    state.capabilities.bounding = own.bounding;
    let attempt = |call: &Call| {
        // Outside, where setgroups(2) is allowed; the namespace calls its ids the same.
        state::reach_ids(&state)?;
        enter_user_namespace(namespace).at(Step::UserNamespace)?;
        let all = state::read(true).at(Step::Read)?.capabilities;
        state::reach_capabilities(&state, &all)?;
        here(call)
    };
    let answers = calls.iter().map(|call| alone(stack, || attempt(call))).collect();
    let _ = set_dumpable_behavior(DumpableBehavior::Dumpable);
    answers
}

/// Makes one call in this very process, whatever its state is.
pub(super) fn here(call: &Call) -> Result<CallAnswer, Stop> {
    let before = state::read(false).at(Step::Read)?;
    let value = set_ids::make(call);
    let after = state::read(false).at(Step::Read)?;
    Ok(CallAnswer::Made { before, value, after })
}

/// Runs `body` in a throw-away process.
pub(super) fn alone(stack: &mut Stack, body: impl FnOnce() -> Result<CallAnswer, Stop>) -> CallAnswer {
    let mut answer = CallAnswer::Setup { step: Step::Process, errno: 0 };
    let place = &mut answer;
    let child = clone(libc::CLONE_VM | libc::CLONE_VFORK, stack, move || {
        *place = body().unwrap_or_else(failed);
        0
    });
    let ended = child.and_then(|child| waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED));
    match ended {
        Ok(_) => answer,
        Err(errno) => failed(Stop { step: Step::Process, errno }),
    }
}

fn attempt(state: &State, own: &CapabilitySets, call: &Call) -> Result<CallAnswer, Stop> {
    state::reach_ids(state)?;
    state::reach_capabilities(state, own)?;
    here(call)
}

pub(super) fn failed(stop: Stop) -> CallAnswer {
    CallAnswer::Setup { step: stop.step, errno: stop.errno.raw_os_error() }
}

/// open(2) through a symbolic link that leads nowhere, with O_CREAT and O_EXCL.
pub(super) fn exclusive_open(directory: impl AsFd) -> Result<(), Errno> {
    use rustix::fs::{AtFlags, Mode, OFlags, openat, symlinkat, unlinkat};
    symlinkat(c"nowhere", &directory, c"link")?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let opened = openat(&directory, c"link", flags, Mode::RUSR).map(drop);
    // If it was made after all, it does not disturb a second try.
    let _ = unlinkat(&directory, c"nowhere", AtFlags::empty());
    unlinkat(&directory, c"link", AtFlags::empty())?;
    opened
}
