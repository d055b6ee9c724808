//! Field by field: what an outcome states, and what the model predicts.

use super::Prediction;
use super::start::{seen_gid, seen_uid};
use crate::case::{Case, Names, Script};
use crate::saying::says;
use crate::scenario::vocabulary::{error_name, signal_name};
use lab_invocation::invocation::Stdin;
use lab_invocation::{Arguments, Bytes, Gid};
use lab_model::configure::Answer;
use lab_model::{Child, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One thing that a case states and the model denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// In the words of the scenario file: `exit`, `script.effective-gid`.
    pub field: String,
    /// What the file states.
    pub stated: String,
    /// What the model predicts.
    pub predicted: String,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, stated, predicted } = self;
        write!(f, "{field} is stated as {stated}, and must be {predicted}")
    }
}

/// What is compared so far.
struct Comparison<'a> {
    names: &'a Names,
    found: Vec<Contradiction>,
}

impl Comparison<'_> {
    fn differ(&mut self, field: &str, stated: impl Into<String>, predicted: impl Into<String>) {
        let (stated, predicted) = (stated.into(), predicted.into());
        self.found.push(Contradiction { field: field.to_owned(), stated, predicted });
    }

    fn equal<T: PartialEq>(&mut self, field: &str, stated: Option<&T>, predicted: &T, show: impl Fn(&T) -> String) {
        if let Some(stated) = stated.filter(|stated| *stated != predicted) {
            self.differ(field, show(stated), show(predicted));
        }
    }
}

/// Every contradiction between a case and its prediction.
pub(super) fn compare(case: &Case, prediction: &Prediction) -> Vec<Contradiction> {
    let mut comparison = Comparison { names: &case.names, found: Vec::new() };
    let refused_instead = prediction.beyond.is_some() && !states_start(case);
    if refused_instead {
        if case.outcome.exit == Some(0) {
            comparison.differ("exit", "0", "another status: without a script nothing has succeeded");
        }
    } else {
        end(&mut comparison, case, prediction);
    }
    script(&mut comparison, case, prediction, refused_instead);
    if let Some(answer) = &prediction.tool {
        tool(&mut comparison, case, answer);
    }
    comparison.found
}

/// What the tool says and writes. A file that states nothing of it is judged by the prediction all the same.
fn tool(comparison: &mut Comparison<'_>, case: &Case, answer: &Answer) {
    let outcome = &case.outcome;
    let (spoken, silent) =
        if answer.done { (&outcome.stdout, &outcome.stderr) } else { (&outcome.stderr, &outcome.stdout) };
    let stream = |done: bool| if done { "stdout" } else { "stderr" };
    let missing =
        answer.says.iter().filter(|text| !spoken.iter().any(|stated| says(stated.as_bytes(), text.as_bytes())));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    if !spoken.is_empty() && !missing.is_empty() {
        comparison.differ(stream(answer.done), spoken.join(", "), missing.join(", "));
    }
    if !silent.is_empty() && spoken.is_empty() {
        comparison.differ(stream(!answer.done), silent.join(", "), format!("nothing; on {}", stream(answer.done)));
    }
    let writes: Vec<Bytes> = answer.writes.keys().map(|path| Bytes(path.clone())).collect();
    comparison.equal("changes", outcome.changes.as_ref(), &writes, |paths| list(paths.iter().map(Bytes::to_text)));
}

fn states_start(case: &Case) -> bool {
    case.outcome.script.as_ref().is_some_and(|script| script.started == Some(true))
}

/// How the subject ends.
fn end(comparison: &mut Comparison<'_>, case: &Case, prediction: &Prediction) {
    let outcome = &case.outcome;
    let decision = &prediction.decision;
    let named = Outcome::from_name(&case.expected);
    if named.is_some_and(|named| named != decision.outcome) {
        comparison.differ("the outcome's name", case.expected.as_str(), decision.outcome.name());
    }
    let predicted_end = match (prediction.exit(), decision.exec_error, decision.outcome) {
        _ if prediction.signal().is_some() => {
            format!("an end by {}", prediction.signal().map(signal_name).unwrap_or_default())
        }
        (_, Some(errno), _) => format!("an execve which fails with {}", error_name(errno)),
        (_, _, Outcome::EndedBeforeMain) => "an end before main".to_owned(),
        (Some(status), _, _) => format!("exit {status}"),
        (None, None, _) => "an end of its own choice".to_owned(),
    };
    if let Some(exit) = outcome.exit
        && prediction.exit() != Some(exit)
    {
        comparison.differ("exit", exit.to_string(), predicted_end.clone());
    }
    if outcome.signal.is_some() && outcome.signal != prediction.signal() {
        comparison.differ("signal", outcome.signal.map(signal_name).unwrap_or_default(), predicted_end.clone());
    }
    if outcome.exec_error.is_some() && outcome.exec_error != decision.exec_error {
        comparison.differ("exec-error", outcome.exec_error.map(error_name).unwrap_or_default(), predicted_end.clone());
    }
    if outcome.ended_before_main != (decision.outcome == Outcome::EndedBeforeMain) {
        comparison.differ("ended-before-main", outcome.ended_before_main.to_string(), predicted_end);
    }
}

fn script(comparison: &mut Comparison<'_>, case: &Case, prediction: &Prediction, refused_instead: bool) {
    let Some(stated) = &case.outcome.script else { return };
    let Some(child) = prediction.decision.child.as_ref().filter(|_| !refused_instead) else {
        if stated.started != Some(false) {
            comparison.differ("script.started", "true", "false");
        }
        return;
    };
    if stated.started == Some(false) {
        comparison.differ("script.started", "false", "true");
        return;
    }
    ids(comparison, stated, child);
    start(comparison, stated, child);
    room(comparison, stated, child);
    if let (Some(stated), Stdin::Bytes(bytes)) = (&stated.stdin, &case.invocation.stdin) {
        comparison.equal("script.stdin", Some(stated), bytes, Bytes::to_text);
    }
}

fn ids(comparison: &mut Comparison<'_>, stated: &Script, child: &Child) {
    let names = comparison.names;
    let process = &child.process;
    for (field, stated, predicted) in [
        ("script.real-gid", stated.real_gid, process.gid.real),
        ("script.effective-gid", stated.effective_gid, process.gid.effective),
        ("script.saved-gid", stated.saved_gid, process.gid.saved),
    ] {
        if let Some(predicted) = seen_gid(process, predicted) {
            comparison.equal(field, stated.as_ref(), &predicted, |gid| names.group(*gid));
        }
    }
    if let Some(stated) = stated.uid {
        let ids = [process.uid.real, process.uid.effective, process.uid.saved];
        let other = ids.into_iter().filter_map(|id| seen_uid(process, id)).find(|uid| *uid != stated);
        if let Some(other) = other {
            comparison.differ("script.uid", names.user(stated), names.user(other));
        }
    }
    let groups: BTreeSet<Gid> = process.groups.iter().filter_map(|&gid| seen_gid(process, gid)).collect();
    comparison
        .equal("script.groups", stated.groups.as_ref(), &groups, |set| list(set.iter().map(|gid| names.group(*gid))));
    let none = process.capabilities.ambient.is_empty() && process.capabilities.inheritable.is_empty();
    comparison.equal("script.no-capabilities", stated.no_capabilities.as_ref(), &none, bool::to_string);
}

fn start(comparison: &mut Comparison<'_>, stated: &Script, child: &Child) {
    let bytes = |list: &[Vec<u8>]| list.iter().map(|bytes| Bytes(bytes.clone())).collect::<Arguments>();
    let show = |argv: &Arguments| list(argv.iter().map(Bytes::to_text));
    comparison.equal("script.path", stated.path.as_ref(), &Bytes(child.path.clone()), Bytes::to_text);
    comparison.equal("script.argv", stated.argv.as_ref(), &bytes(&child.argv), show);
    let mut env = BTreeMap::new();
    for entry in &child.env {
        let at = entry.iter().position(|&byte| byte == b'=').unwrap_or(entry.len());
        let value = entry.get(at + 1..).unwrap_or_default();
        env.entry(Bytes::from(&entry[..at])).or_insert_with(|| Bytes::from(value));
    }
    comparison.equal("script.env", stated.env.as_ref(), &env, |env| {
        list(env.iter().map(|(name, value)| format!("{name}={value}")))
    });
}

fn room(comparison: &mut Comparison<'_>, stated: &Script, child: &Child) {
    let numbers = |set: &BTreeSet<u32>| list(set.iter().map(u32::to_string));
    let signals = |set: &BTreeSet<u32>| list(set.iter().map(|&signal| signal_name(signal)));
    comparison.equal("script.open-fds", stated.open_fds.as_ref(), &child.descriptors, numbers);
    comparison.equal("script.umask", stated.umask.as_ref(), &child.umask, |umask| format!("{umask:03o}"));
    if let Some(cwd) = &child.cwd {
        comparison.equal("script.cwd", stated.cwd.as_ref(), &Bytes(cwd.clone()), Bytes::to_text);
    }
    comparison.equal("script.ignored-signals", stated.ignored_signals.as_ref(), &child.ignored, signals);
    comparison.equal("script.blocked-signals", stated.blocked_signals.as_ref(), &child.blocked, signals);
    comparison.equal("script.pending-signals", stated.pending_signals.as_ref(), &child.pending, signals);
    let core = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    if let Some(stated) = stated.core_limit
        && child.core_limit != (Some(stated), Some(stated))
    {
        let (soft, hard) = child.core_limit;
        comparison.differ("script.core-limit", stated.to_string(), format!("{} / {}", core(soft), core(hard)));
    }
    comparison.equal("script.no-new-privs", stated.no_new_privs.as_ref(), &child.process.no_new_privs, bool::to_string);
    comparison.equal("script.timers-off", stated.timers_off.as_ref(), &child.timers_off, bool::to_string);
    if let Some(slack) = child.timer_slack_ns {
        comparison.equal("script.timer-slack", stated.timer_slack_ns.as_ref(), &slack, u64::to_string);
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

#[cfg(test)]
mod tests;
