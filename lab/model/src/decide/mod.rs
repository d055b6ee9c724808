//! The decision of a wrapper about one start.

mod foreign;
mod sealed;

use crate::Bytes;
use crate::arguments;
use crate::decision::{Child, Decision, Outcome, Subject};
use crate::exec::{self, Executed};
use crate::process::{Errno, Process};
use crate::rules::Rules;
use crate::show;
use crate::start::{Argv, Start};
use std::borrow::Cow;

/// Number of a resource limit. See getrlimit(2).
const RLIMIT_STACK: u32 = 3;
/// Number of a resource limit.
const RLIMIT_CORE: u32 = 4;
/// Number of a resource limit.
const RLIMIT_NOFILE: u32 = 7;

/// Soft RLIMIT_STACK where nothing else is said, and what the kernel cuts an unlimited one to in secure mode, in bytes.
const USUAL_STACK: u64 = 8 * 1024 * 1024;

/// Says what must come out of `start`.
pub fn decide(start: &Start<'_>) -> Decision {
    let running = match execute(start) {
        Ok(running) => running,
        Err(refusal) => return refusal.into_decision(None),
    };
    let Executed { process, secure, set_group_id_acted, .. } = running.executed.clone();
    let subject = Some(Subject { process, secure, set_group_id_acted });
    let outcome = match start.rules {
        Rules::Sealed => running.ends_before_main().and_then(|()| sealed::decide(&running)),
        Rules::Foreign(rules) => foreign::decide(&running, rules),
    };
    match outcome {
        Ok((because, child)) => {
            let child = Some(child);
            Decision { outcome: Outcome::Admitted, because, exit: None, exec_error: None, subject, child }
        }
        Err(refusal) => refusal.into_decision(subject),
    }
}

/// An end without a script.
struct Refusal {
    outcome: Outcome,
    because: String,
    exit: Option<u8>,
    exec_error: Option<Errno>,
}

impl Refusal {
    fn into_decision(self, subject: Option<Subject>) -> Decision {
        let Self { outcome, because, exit, exec_error } = self;
        Decision { outcome, because, exit, exec_error: exec_error.map(Errno::number), subject, child: None }
    }
}

/// A running subject: what it can look at when its `main` begins.
struct Running<'a> {
    start: &'a Start<'a>,
    executed: Executed,
    argv: Cow<'a, Argv<'a>>,
    /// Soft RLIMIT_STACK in bytes; `None` is infinity.
    stack: Option<u64>,
}

/// The kernel's part: execve(2) of the subject.
fn execute<'a>(start: &'a Start<'a>) -> Result<Running<'a>, Refusal> {
    let Start { installation, invoker, kernel, .. } = *start;
    let stack = soft_limit(start, RLIMIT_STACK, Some(USUAL_STACK));
    let refused = |errno: Errno, what: &str| Refusal {
        outcome: Outcome::ExecRefused,
        because: format!("execve of {} fails with {errno}: {what}", show(&installation.path)),
        exit: None,
        exec_error: Some(errno),
    };
    let found = installation
        .files
        .find_program(&installation.path, &invoker.process, invoker.foreign_mount)
        .map_err(|errno| refused(errno, "the invoker cannot reach or execute the file"))?;
    if !arguments::fit(&installation.path, invoker.argv.iter(), &invoker.env, stack) {
        return Err(refused(Errno::E2BIG, "arguments and environment are larger than the stack limit allows"));
    }
    let executed = exec::exec(&invoker.process, &found.image, invoker.circumstances, kernel)
        .map_err(|errno| refused(errno, "the kernel does not give the new image what it asks for"))?;
    let fills = invoker.argv.is_empty() && kernel.fills_empty_argv();
    let argv = if fills { Cow::Owned(vec![Bytes::new()].into()) } else { Cow::Borrowed(&invoker.argv) };
    let stack = if executed.stack_limited { stack.or(Some(USUAL_STACK)) } else { stack };
    Ok(Running { start, executed, argv, stack })
}

fn soft_limit(start: &Start<'_>, resource: u32, usual: Option<u64>) -> Option<u64> {
    start.invoker.room.limits.get(&resource).map_or(usual, |&(soft, _)| soft)
}

impl Running<'_> {
    fn process(&self) -> &Process {
        &self.executed.process
    }

    /// What the process reads for the gid that it was started with.
    fn real_gid(&self) -> u32 {
        let process = self.process();
        process.namespace.gids.seen(process.gid.real)
    }

    /// Likewise the effective one.
    fn effective_gid(&self) -> u32 {
        let process = self.process();
        process.namespace.gids.seen(process.gid.effective)
    }

    fn group(&self, gid: u32) -> impl std::fmt::Display {
        self.start.installation.groups.describe(gid)
    }

    /// Where musl's start-up code ends a program in secure mode (`src/env/__libc_start_main.c`, `__init_libc`): it polls
    /// descriptors 0 to 2, which needs a limit of three, and opens /dev/null for each closed one.
    fn ends_before_main(&self) -> Result<(), Refusal> {
        if !self.executed.secure {
            return Ok(());
        }
        let ended = |because: &str| Refusal {
            outcome: Outcome::EndedBeforeMain,
            because: because.to_owned(),
            exit: None,
            exec_error: None,
        };
        if soft_limit(self.start, RLIMIT_NOFILE, None).is_some_and(|limit| limit < 3) {
            return Err(ended("the C library polls three descriptors, and RLIMIT_NOFILE is lower"));
        }
        if !self.has_standard_descriptors() && !self.start.installation.device_null {
            return Err(ended("a standard descriptor is closed, and there is no /dev/null to open in its place"));
        }
        Ok(())
    }

    fn has_standard_descriptors(&self) -> bool {
        (0..3).all(|number| self.start.invoker.room.descriptors.contains(&number))
    }

    /// The last exec: of `path`, with `argv` and `env`, by `process`.
    fn exec_script<'a>(
        &self,
        process: &Process,
        path: &[u8],
        argv: impl Iterator<Item = &'a Bytes> + Clone,
        env: &[Bytes],
    ) -> Result<Executed, Errno> {
        let found = self.start.installation.files.find_program(path, process, false)?;
        if !arguments::fit(path, argv, env, self.stack) {
            return Err(Errno::E2BIG);
        }
        // Whoever traces the subject or shares its working directory still does.
        exec::exec(process, &found.image, self.start.invoker.circumstances, self.start.kernel)
    }

    /// A child that inherited everything.
    fn child(&self, executed: Executed, path: Bytes, argv: Vec<Bytes>, env: Vec<Bytes>) -> Child {
        let room = self.start.invoker.room.clone();
        Child {
            process: executed.process,
            path,
            argv,
            env,
            descriptors: room.descriptors,
            umask: room.umask,
            cwd: room.cwd,
            ignored: room.ignored,
            blocked: room.blocked,
            pending: room.pending,
            core_limit: room.limits.get(&RLIMIT_CORE).copied().unwrap_or((Some(0), None)),
            timers_off: !room.timer,
            timer_slack_ns: room.timer_slack_ns,
            secure: executed.secure,
        }
    }
}

#[cfg(test)]
mod tests;
