//! What the model predicts, as an outcome with every field that it knows: so that a case is judged by the whole
//! prediction, not only by what its file mentions.

use crate::case::{Case, Outcome, Script};
use crate::predict::Prediction;
use lab_invocation::invocation::Stdin;
use lab_invocation::{Bytes, Gid, Uid};
use lab_model::Outcome as Decided;

/// The predicted outcome; `None` where the model knows only a part.
pub(super) fn outcome(case: &Case, prediction: &Prediction) -> Option<Outcome> {
    if prediction.beyond.is_some() {
        return None;
    }
    let decision = &prediction.decision;
    Some(Outcome {
        exit: prediction.exit(),
        exec_error: decision.exec_error,
        ended_before_main: decision.outcome == Decided::EndedBeforeMain,
        script: Some(script(case, prediction)),
        ..Outcome::default()
    })
}

fn script(case: &Case, prediction: &Prediction) -> Script {
    let Some(child) = &prediction.decision.child else {
        return Script { started: Some(false), ..Script::default() };
    };
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
    Script {
        started: Some(true),
        real_gid: gid(process.gid.real),
        effective_gid: gid(process.gid.effective),
        saved_gid: gid(process.gid.saved),
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
        no_capabilities: Some(process.capabilities.ambient.is_empty() && process.capabilities.inheritable.is_empty()),
        nothing_regained: None,
        stdin: match &case.invocation.stdin {
            Stdin::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        },
    }
}
