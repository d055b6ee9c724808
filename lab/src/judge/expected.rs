//! What the model predicts, as an outcome with every field that it knows: so that a case is judged by the whole
//! prediction, not only by what its file mentions.

use crate::case::{Case, Outcome, Script};
use crate::predict::Prediction;
use lab_invocation::invocation::Stdin;
use lab_invocation::{Bytes, Gid, Uid};
use lab_model::Child;

/// The predicted outcome; `None` where the model knows only a part.
pub(super) fn outcome(case: &Case, prediction: &Prediction) -> Option<Outcome> {
    if prediction.beyond.is_some() {
        return None;
    }
    let mut outcome = prediction.decisions();
    if let (Some(script), Some(child)) = (&mut outcome.script, &prediction.decision.child) {
        fill(script, case, child);
    }
    Some(outcome)
}

fn fill(script: &mut Script, case: &Case, child: &Child) {
    let process = &child.process;
    let gid = |gid: u32| Gid::new(process.namespace.gids.seen(gid));
    let uid = |uid: u32| Uid::new(process.namespace.uids.seen(uid));
    let bytes = |bytes: &Vec<u8>| Bytes(bytes.clone());
    let same_uid = process.uid.real == process.uid.effective && process.uid.real == process.uid.saved;
    let core = match child.core_limit {
        (Some(soft), Some(hard)) if soft == hard => Some(soft),
        _ => None,
    };
    let env = child.env.iter().map(|entry| {
        let at = entry.iter().position(|&byte| byte == b'=').unwrap_or(entry.len());
        (Bytes::from(&entry[..at]), Bytes::from(entry.get(at + 1..).unwrap_or_default()))
    });
    let none = process.capabilities.ambient.is_empty() && process.capabilities.inheritable.is_empty();
    *script = Script {
        uid: uid(process.uid.real).filter(|_| same_uid),
        groups: Some(process.groups.iter().filter_map(|&group| gid(group)).collect()),
        path: Some(bytes(&child.path)),
        argv: Some(child.argv.iter().map(bytes).collect()),
        env: Some(env.collect()),
        open_fds: Some(child.descriptors.clone()),
        umask: Some(child.umask),
        cwd: child.cwd.as_ref().map(bytes),
        ignored_signals: Some(child.ignored.clone()),
        blocked_signals: Some(child.blocked.clone()),
        pending_signals: Some(child.pending.clone()),
        core_limit: core,
        timers_off: child.timers_off.then_some(true),
        timer_slack_ns: child.timer_slack_ns,
        no_capabilities: Some(none),
        no_new_privs: Some(process.no_new_privs),
        stdin: match &case.invocation.stdin {
            // What is opened as descriptor 0 takes the place of the pipe with these bytes.
            Stdin::Bytes(bytes) if !case.invocation.descriptors.iter().any(|(number, _)| *number == 0) => {
                Some(bytes.clone())
            }
            _ => None,
        },
        ..std::mem::take(script)
    };
}

/// A stated outcome with what it does not mention taken from a predicted one. Nothing is taken from a prediction of the
/// contrary, which `lab check` refuses anyway.
pub(super) fn filled(stated: Outcome, predicted: Outcome) -> Outcome {
    let started = |outcome: &Outcome| outcome.script.as_ref().and_then(|script| script.started);
    if started(&stated).is_some() && started(&stated) != started(&predicted) {
        return stated;
    }
    let script = match (stated.script, predicted.script) {
        (Some(stated), Some(predicted)) => Some(filled_script(stated, predicted)),
        (stated, predicted) => stated.or(predicted),
    };
    Outcome {
        exit: stated.exit.or(predicted.exit),
        signal: stated.signal.or(predicted.signal),
        exec_error: stated.exec_error.or(predicted.exec_error),
        ended_before_main: stated.ended_before_main || predicted.ended_before_main,
        script,
        ..stated
    }
}

fn filled_script(stated: Script, predicted: Script) -> Script {
    Script {
        started: stated.started.or(predicted.started),
        real_gid: stated.real_gid.or(predicted.real_gid),
        effective_gid: stated.effective_gid.or(predicted.effective_gid),
        saved_gid: stated.saved_gid.or(predicted.saved_gid),
        uid: stated.uid.or(predicted.uid),
        groups: stated.groups.or(predicted.groups),
        path: stated.path.or(predicted.path),
        argv: stated.argv.or(predicted.argv),
        env: stated.env.or(predicted.env),
        open_fds: stated.open_fds.or(predicted.open_fds),
        standard_fds_usable: stated.standard_fds_usable.or(predicted.standard_fds_usable),
        umask: stated.umask.or(predicted.umask),
        cwd: stated.cwd.or(predicted.cwd),
        ignored_signals: stated.ignored_signals.or(predicted.ignored_signals),
        blocked_signals: stated.blocked_signals.or(predicted.blocked_signals),
        pending_signals: stated.pending_signals.or(predicted.pending_signals),
        core_limit: stated.core_limit.or(predicted.core_limit),
        soft_limits: stated.soft_limits.or(predicted.soft_limits),
        no_new_privs: stated.no_new_privs.or(predicted.no_new_privs),
        timers_off: stated.timers_off.or(predicted.timers_off),
        timer_slack_ns: stated.timer_slack_ns.or(predicted.timer_slack_ns),
        no_capabilities: stated.no_capabilities.or(predicted.no_capabilities),
        nothing_regained: stated.nothing_regained.or(predicted.nothing_regained),
        stdin: stated.stdin.or(predicted.stdin),
    }
}
