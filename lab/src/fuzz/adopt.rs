//! A finding as a scenario file. Its expected outcome is the model's, and the file is read back: it must be the same start
//! that was found, stated as the model says, or it is not written.

use super::ground::{Ground, may_need_the_member_rule};
use super::setup;
use super::store::Found;
use crate::case::{Case, Outcome};
use crate::predict;
use crate::problem::Problem;
use crate::scenario::accounts::Accounts;
use crate::scenario::vocabulary::{CAPABILITIES, LIMITS, PROCESSOR_TIMERS, SIGNALS};
use crate::scenario::{Source, Suite};
use lab_invocation::invocation::{Cwd, Descriptor, Invocation, Stdin, Tracer};
use lab_invocation::{Bytes, Gid};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

/// The text of a scenario with this id for a finding.
///
/// # Errors
/// The finding belongs to another installation, or something about its start cannot be said in a scenario.
pub fn scenario(found: &Found, id: &str, accounts: &Accounts) -> Result<String, Problem> {
    let program = setup::program(&found.key.subject)?;
    let ground = Ground::of(&program, None, accounts)?;
    let cannot = |what: &str| Problem::usage(format!("{}: {what}", found.path.display()));
    if !ground.owns(&found.attempt) {
        return Err(cannot("was found in another installation than campaigns have now"));
    }
    let case = ground.case(&found.attempt, None).map_err(|because| cannot(&because))?;
    let prediction = predict::predict(&case, None);
    if let Some(beyond) = &prediction.beyond {
        return Err(cannot("the model does not know what must happen").found(beyond));
    }
    let invocation = &found.attempt.invocation;
    let given = given(invocation, accounts).ok_or_else(|| cannot("a scenario cannot say this start"))?;
    let text = text(found, &ground, invocation, &given, prediction.outcome(), &prediction.decisions(), accounts);
    let source = Arc::new(Source { path: format!("{id}.toml"), text: text.clone() });
    let mut suite = Suite::new(accounts.clone());
    suite.add(id, &source).map_err(|reports| {
        let titles: Vec<&str> = reports.iter().map(|report| report.title.as_str()).collect();
        Problem::internal(format!("{}: the scenario that was made of it is none", found.path.display()))
            .found(titles.join("\n"))
    })?;
    let same = |case: &&Arc<Case>| !case.control && *case.invocation == *invocation;
    if !suite.cases.iter().any(|case| same(&case)) {
        return Err(cannot("a scenario cannot say this start exactly"));
    }
    if let Some(report) = predict::check(&suite).into_iter().next() {
        return Err(Problem::internal("the scenario that was made contradicts the model").found(report.title));
    }
    Ok(text)
}

fn text(
    found: &Found,
    ground: &Ground,
    invocation: &Invocation,
    given: &str,
    outcome: &str,
    decisions: &Outcome,
    accounts: &Accounts,
) -> String {
    let key = &found.key;
    let mut text = format!(
        "title  = \"{}: {}, found by fuzzing\"\n\
         why    = \"\"\"\nA campaign found a start for which the subject did not do what it must ({}).\n\
         The outcome below is the model's.\n\"\"\"\nsource = [\"lab fuzz\"]\n\n",
        key.property,
        key.diagnosis.replace('-', " "),
        key.field
    );
    text.push_str(&ground.text);
    let identity = &invocation.identity;
    let group = |gid: Gid| match accounts.group_name(gid) {
        Some(name) => quoted(name),
        None => gid.to_string(),
    };
    let user = |uid| match accounts.user_name(uid) {
        Some(name) => quoted(name),
        None => uid.to_string(),
    };
    let _ = write!(text, "found   = {{ user = {}, group = {}", user(identity.uid), group(identity.gid));
    if identity.effective_uid != identity.uid {
        let _ = write!(text, ", effective-user = {}", user(identity.effective_uid));
    }
    if identity.effective_gid != identity.gid {
        let _ = write!(text, ", effective = {}", group(identity.effective_gid));
    }
    if !identity.groups.is_empty() {
        let groups: Vec<String> = identity.groups.iter().map(|&gid| group(gid)).collect();
        let _ = write!(text, ", supplementary = [{}]", groups.join(", "));
    }
    text.push_str(" }\n");
    // Where the found start is admitted too, both have one outcome.
    let admitted = "admitted";
    text.push_str("\n[[case]]\nname    = \"control: the trusted caller\"\ncontrol = true\ninvoker = \"trusted\"\n");
    let _ = writeln!(text, "outcome = \"{admitted}\"");
    text.push_str("\n[[case]]\nname    = \"as it was found\"\ninvoker = \"found\"\n");
    if may_need_the_member_rule(invocation) {
        text.push_str("needs   = [\"member-rule\"]\n");
    }
    let _ = writeln!(text, "outcome = \"{outcome}\"\n{given}");
    let _ = writeln!(text, "\n[outcome.{admitted}]\nexit   = 0\nscript = {{ started = true }}");
    if outcome != admitted {
        let _ = writeln!(text, "\n[outcome.{outcome}]");
        if let Some(exit) = decisions.exit {
            let _ = writeln!(text, "exit   = {exit}");
        }
        let started = decisions.script.as_ref().and_then(|script| script.started).unwrap_or(false);
        let _ = writeln!(text, "script = {{ started = {started} }}");
    }
    text
}

/// `[case.given]`, each line what the start does differently from a quiet room; `None` where a scenario has no word for it.
fn given(invocation: &Invocation, accounts: &Accounts) -> Option<String> {
    let quiet = Invocation::quiet(invocation.program.clone(), invocation.identity.clone());
    let mut lines = vec![
        format!("argv = {}", list(invocation.argv.iter().map(bytes))),
        format!("env-raw = {}", list(invocation.env.iter().map(bytes))),
    ];
    let mut closed = Vec::new();
    match &invocation.stdin {
        stdin if *stdin == quiet.stdin => {}
        Stdin::Bytes(text) => lines.push(format!("stdin = {}", bytes(text))),
        Stdin::Closed => closed.push("0".to_owned()),
        Stdin::Null => lines.push("stdin = { kind = \"null\" }".to_owned()),
        Stdin::Endless => lines.push("stdin = { kind = \"endless\" }".to_owned()),
        Stdin::Silent => lines.push("stdin = { kind = \"silent\" }".to_owned()),
        Stdin::Directory => lines.push("stdin = { kind = \"directory\" }".to_owned()),
        Stdin::WriteOnly => lines.push("stdin = { kind = \"write-only\" }".to_owned()),
    }
    let mut open = Vec::new();
    for (number, descriptor) in &invocation.descriptors {
        match descriptor {
            Descriptor::Closed => closed.push(number.to_string()),
            other => open.push(format!("{{ fd = {number}, on = \"{}\" }}", kind(other)?)),
        }
    }
    lines.extend((!closed.is_empty()).then(|| format!("closed-fds = [{}]", closed.join(", "))));
    lines.extend((!open.is_empty()).then(|| format!("open-fds = [{}]", open.join(", "))));
    if invocation.umask != quiet.umask {
        lines.push(format!("umask = \"{:03o}\"", invocation.umask));
    }
    match &invocation.cwd {
        cwd if *cwd == quiet.cwd => {}
        Cwd::Path(path) => lines.push(format!("cwd = {}", quoted(std::str::from_utf8(path.as_slice()).ok()?))),
        Cwd::Deleted => lines.push("cwd = \"deleted\"".to_owned()),
        Cwd::Unreadable => lines.push("cwd = \"unreadable\"".to_owned()),
    }
    let mut limits = Vec::new();
    for limit in &invocation.limits {
        let bound = |bound: Option<u64>| bound.map_or("\"unlimited\"".to_owned(), |bound| bound.to_string());
        let name = word(LIMITS, limit.resource)?;
        limits.push(format!("{name} = {{ soft = {}, hard = {} }}", bound(limit.soft), bound(limit.hard)));
    }
    lines.extend((!limits.is_empty()).then(|| format!("limits = {{ {} }}", limits.join(", "))));
    let signals = &invocation.signals;
    for (key, set) in [
        ("ignored-signals", &signals.ignored),
        ("blocked-signals", &signals.blocked),
        ("pending-signals", &signals.pending),
    ] {
        lines.extend(words(key, SIGNALS, set)?);
    }
    lines.extend(invocation.alarm_seconds.map(|seconds| format!("alarm = {seconds}")));
    lines.extend(words("processor-timers", PROCESSOR_TIMERS, &invocation.processor_timers)?);
    lines.extend(invocation.timer_slack_ns.map(|slack| format!("timer-slack = {slack}")));
    let transition = &invocation.transition;
    for (key, set) in [
        ("no-new-privs", transition.no_new_privs),
        ("share-fs", transition.share_fs),
        ("foreign-mount", transition.foreign_mount),
        ("by-descriptor", transition.by_descriptor),
    ] {
        lines.extend(set.then(|| format!("{key} = true")));
    }
    lines.extend(transition.tracer.map(|tracer| {
        let who = match tracer {
            Tracer::Invoker => "invoker",
            Tracer::Root => "root",
        };
        format!("tracer = \"{who}\"")
    }));
    let gids = transition.unmapped_gids.iter().map(|&gid| accounts.group_name(gid).map_or(gid.to_string(), quoted));
    lines.extend((!transition.unmapped_gids.is_empty()).then(|| format!("unmapped-gid = {}", list(gids))));
    let capabilities = &invocation.capabilities;
    for (key, set) in [
        ("bounding-drop", &capabilities.bounding_drop),
        ("kept-capabilities", &capabilities.kept),
        ("inheritable-capabilities", &capabilities.inheritable),
        ("ambient-capabilities", &capabilities.ambient),
    ] {
        lines.extend(words(key, CAPABILITIES, set)?);
    }
    Some(format!("[case.given]\n{}", lines.join("\n")))
}

fn kind(descriptor: &Descriptor) -> Option<&'static str> {
    Some(match descriptor {
        Descriptor::Socket => "socket",
        Descriptor::FullPipe => "full-pipe",
        Descriptor::BrokenPipe => "broken-pipe",
        Descriptor::Epoll => "epoll",
        Descriptor::Memory => "memory",
        Descriptor::Full => "full",
        Descriptor::NonBlocking => "non-blocking",
        Descriptor::Process => "process",
        Descriptor::Terminal => "terminal",
        Descriptor::Closed | Descriptor::File(_) | Descriptor::Directory(_) => return None,
    })
}

/// The word of a number in a vocabulary.
fn word(vocabulary: &[(&'static str, u32)], number: u32) -> Option<&'static str> {
    vocabulary.iter().find(|(_, known)| *known == number).map(|(word, _)| *word)
}

/// A line for a set of numbers; `Some(None)` for an empty one, `None` where one has no word.
fn words(key: &str, vocabulary: &[(&'static str, u32)], set: &BTreeSet<u32>) -> Option<Option<String>> {
    let named: Vec<String> = set.iter().map(|&number| word(vocabulary, number).map(quoted)).collect::<Option<_>>()?;
    Some((!named.is_empty()).then(|| format!("{key} = [{}]", named.join(", "))))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Text where it is plain, hexadecimal where it is not.
fn bytes(bytes: &Bytes) -> String {
    match std::str::from_utf8(bytes.as_slice()) {
        Ok(text) if !text.chars().any(char::is_control) => quoted(text),
        _ => format!("{{ hex = \"{}\" }}", crate::run::tree::hex(bytes.as_slice())),
    }
}
