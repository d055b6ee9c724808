//! What our own wrappers must decide, in the order in which they must: safe process, policy, set-group-ID, caller,
//! CAP_SETGID, arguments, full switch, path, exec.

use super::{Refusal, Running};
use crate::capability::{CapSet, Capability};
use crate::decision::{Child, Outcome};
use crate::environment;
use crate::files::EntryKind;
use crate::namespace::OVERFLOW;
use crate::policy::{Program, Style};
use crate::process::Process;
use crate::setid::{Call, Kind};
use crate::start::Argv;
use crate::{Bytes, show};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// File mode creation mask of the script.
const UMASK: u32 = 0o022;
/// Working directory of the script.
const CWD: &[u8] = b"/";
/// Timer slack of the script in nanoseconds: the kernel's default for a new machine.
const TIMER_SLACK_NS: u64 = 50_000;

/// Hard limits below which wrapper and script are not to work: the manual pages, LIMITS. `RLIMIT_*` number, name, bytes or
/// count. See getrlimit(2).
const LEAST_LIMITS: [(u32, &str, u64); 5] = [
    (1, "RLIMIT_FSIZE", 1 << 20),
    (7, "RLIMIT_NOFILE", 20),
    (9, "RLIMIT_AS", 64 << 20),
    (2, "RLIMIT_DATA", 32 << 20),
    (3, "RLIMIT_STACK", 256 << 10),
];

pub(super) fn decide(running: &Running<'_>) -> Result<(String, Child), Refusal> {
    let policy = running.start.policy;
    limits_leave_room(running)?;
    descriptors_can_be_opened(running)?;
    policy_is_sound(running)?;
    set_group_id_acted(running)?;
    caller_is_trusted(running)?;
    group_can_be_given_up(running)?;
    let script = script(running)?;
    let switched = switch(running)?;
    let (path, argv) = command_line(running, &script);
    way_is_trusted(running, &switched, &[path, &script.path])?;
    let env = environment::allowed(&running.start.invoker.env, &policy.keep);
    let executed = running.exec_script(&switched, path, argv.clone(), &env).map_err(|errno| {
        refuse(running, Outcome::ExecFailed, format!("execve of {} fails with {errno}", show(path)))
    })?;
    let because = format!("the caller's real gid {} is the trusted one", running.group(policy.trusted.gid));
    let child = Child {
        descriptors: BTreeSet::from([0, 1, 2]),
        umask: UMASK,
        cwd: Some(CWD.to_vec()),
        ignored: BTreeSet::new(),
        blocked: BTreeSet::new(),
        pending: BTreeSet::new(),
        core_limit: (Some(0), Some(0)),
        timers_off: true,
        timer_slack_ns: Some(TIMER_SLACK_NS),
        ..running.child(executed, path.clone(), argv.cloned().collect(), env)
    };
    Ok((because, child))
}

/// Exit status of a refusal, as the manual pages list them.
fn status(outcome: Outcome, style: Style) -> Option<u8> {
    let (mailman, can_be_repaired) = match outcome {
        Outcome::Mismatch => (2, true),
        Outcome::IdsNotSet => (3, true),
        Outcome::ExecFailed => (4, true),
        Outcome::Usage => (5, false),
        Outcome::UnknownCommand => (6, false),
        Outcome::Nameless => (8, true),
        Outcome::NotPrivileged => (9, true),
        Outcome::BadPolicy => (10, false),
        Outcome::UnsafeProcess => (11, true),
        Outcome::Admitted
        | Outcome::ExecRefused
        | Outcome::EndedBeforeMain
        | Outcome::Configured
        | Outcome::NotConfigured => return None,
    };
    Some(if style == Style::Defer && can_be_repaired { 75 } else { mailman })
}

/// The sealed style holds only if the seal does: an unsound policy cannot say how to refuse.
fn refuse(running: &Running<'_>, outcome: Outcome, because: String) -> Refusal {
    let policy = running.start.policy;
    let style = if policy.unsound.is_some() { Style::Mailman } else { policy.style };
    let exit = status(outcome, style);
    Refusal { outcome, because, exit, exec_error: None }
}

/// A closed standard descriptor is opened on /dev/null, where the C library has not done so (it does in secure mode).
fn descriptors_can_be_opened(running: &Running<'_>) -> Result<(), Refusal> {
    if running.has_standard_descriptors() || running.start.installation.device_null {
        return Ok(());
    }
    let because = "a standard descriptor is closed, and there is no /dev/null to open in its place".to_owned();
    Err(refuse(running, Outcome::UnsafeProcess, because))
}

/// A low soft limit is raised; a low hard limit cannot be.
fn limits_leave_room(running: &Running<'_>) -> Result<(), Refusal> {
    for (resource, name, least) in LEAST_LIMITS {
        let hard = running.start.invoker.room.limits.get(&resource).and_then(|&(_, hard)| hard);
        if let Some(hard) = hard.filter(|&hard| hard < least) {
            let because = format!("the hard limit {name} is {hard}, and less than {least}");
            return Err(refuse(running, Outcome::UnsafeProcess, because));
        }
    }
    Ok(())
}

fn policy_is_sound(running: &Running<'_>) -> Result<(), Refusal> {
    let policy = running.start.policy;
    let bad = |because: String| Err(refuse(running, Outcome::BadPolicy, because));
    if let Some(fault) = &policy.unsound {
        return bad(format!("the sealed policy cannot be used: {fault}"));
    }
    // Where not every gid is mapped, every unmapped one reads as 65534 (user_namespaces(7)).
    if policy.trusted.gid == OVERFLOW && !running.process().namespace.gids.is_full() {
        return bad(format!("gid {OVERFLOW} is trusted, and the gid map does not tell it from unmapped gids"));
    }
    Ok(())
}

fn set_group_id_acted(running: &Running<'_>) -> Result<(), Refusal> {
    let (own, effective) = (running.start.policy.own.gid, running.effective_gid());
    if effective == own {
        return Ok(());
    }
    let because = format!("the effective gid is {}, not {}", running.group(effective), running.group(own));
    Err(refuse(running, Outcome::NotPrivileged, because))
}

fn caller_is_trusted(running: &Running<'_>) -> Result<(), Refusal> {
    let (trusted, real) = (&running.start.policy.trusted, running.real_gid());
    if real == trusted.gid {
        return Ok(());
    }
    let named = running.start.installation.groups.name_of(real).is_some();
    let outcome = if named { Outcome::Mismatch } else { Outcome::Nameless };
    let because = format!("the caller's real gid is {}, not {} {}", running.group(real), trusted.name, trusted.gid);
    Err(refuse(running, outcome, because))
}

/// Root, and a process with CAP_SETGID, can take any group whenever they like, so nothing they give up is gone
/// (setresgid(2)).
fn group_can_be_given_up(running: &Running<'_>) -> Result<(), Refusal> {
    let process = running.process();
    let seen = |uid: u32| process.namespace.uids.seen(uid);
    let because = if seen(process.uid.real) == 0 || seen(process.uid.effective) == 0 {
        // Capabilities that it lacks now, because somebody traces it, come back with a later exec: capabilities(7).
        "the caller is root, whom the next exec can give every capability back"
    } else if process.capabilities.permitted.contains(Capability::SETGID) {
        "the caller has CAP_SETGID and could take every group back"
    } else {
        return Ok(());
    };
    Err(refuse(running, Outcome::IdsNotSet, because.to_owned()))
}

/// The script and its arguments.
struct Script<'a> {
    path: Bytes,
    arguments: Cow<'a, Argv<'a>>,
    /// How many of them stand before the script's own.
    before: usize,
}

fn script<'a>(running: &'a Running<'_>) -> Result<Script<'a>, Refusal> {
    let policy = running.start.policy;
    let below = |name: &[u8]| [policy.prefix.as_slice(), b"/scripts/", name].concat();
    match &policy.program {
        Program::Cgi { script } => {
            Ok(Script { path: below(b"driver"), arguments: Cow::Owned(vec![script.clone()].into()), before: 0 })
        }
        Program::Mail { commands } => {
            let Some(command) = running.argv.get(1) else {
                return Err(refuse(running, Outcome::Usage, "there is no command".to_owned()));
            };
            if !commands.contains(command) {
                let because = format!("{} is not one of the commands", show(command));
                return Err(refuse(running, Outcome::UnknownCommand, because));
            }
            Ok(Script { path: below(command), arguments: Cow::Borrowed(&running.argv), before: 2 })
        }
    }
}

/// What is executed, with its argument vector, which is not put together because it may be too long to be executed.
fn command_line<'a>(
    running: &'a Running<'_>,
    script: &'a Script<'_>,
) -> (&'a Bytes, impl Iterator<Item = &'a Bytes> + Clone) {
    let interpreter = &running.start.policy.interpreter;
    let argv = interpreter.iter().chain([&script.path]).chain(script.arguments.iter().skip(script.before));
    (interpreter.first().unwrap_or(&script.path), argv)
}

/// setresgid(own, own, own), by the kernel's rules; inheritable and ambient capabilities were given up before.
fn switch(running: &Running<'_>) -> Result<Process, Refusal> {
    let mut process = running.process().clone();
    process.capabilities.inheritable = CapSet::EMPTY;
    process.capabilities.ambient = CapSet::EMPTY;
    let own = running.start.policy.own.gid;
    process.set_id(Kind::Group, &Call::SetRes(own, own, own)).map_err(|errno| {
        refuse(running, Outcome::IdsNotSet, format!("setresgid to {} fails with {errno}", running.group(own)))
    })?;
    Ok(process)
}

/// Nothing on the way to what is executed may be writable, except by root, the sealed owner and the sealed own group.
fn way_is_trusted(running: &Running<'_>, process: &Process, paths: &[&Bytes]) -> Result<(), Refusal> {
    let policy = running.start.policy;
    let failed = |because: String| Err(refuse(running, Outcome::ExecFailed, because));
    for path in paths {
        let walk = match running.start.installation.files.walk(path, process) {
            Ok(walk) => walk,
            Err(errno) => return failed(format!("{} cannot be looked at: {errno}", show(path))),
        };
        for step in &walk.steps {
            let entry = &step.entry;
            let link = matches!(entry.kind, EntryKind::Symlink(_));
            let writer = if entry.owner != 0 && entry.owner != policy.owner {
                Some(format!("its owner, uid {}", entry.owner))
            } else if !link && entry.mode & 0o020 != 0 && entry.group != policy.own.gid {
                Some(format!("group {}", running.group(entry.group)))
            } else if !link && entry.mode & 0o002 != 0 {
                Some("everybody".to_owned())
            } else {
                None
            };
            if let Some(writer) = writer {
                return failed(format!("{} can be written by {writer}", show(&step.path)));
            }
        }
    }
    Ok(())
}
