//! A case, made one of a foreign wrapper.

use crate::case::{Case, Kind, Script, Sealing, Style};
use crate::predict;
use crate::profile::{Profile, Trusted, Wrapper};
use lab_invocation::layout::{Content, MountKind, Node, NodeKind, Order};
use lab_invocation::{Bytes, Gid, Uid};
use lab_model::Child;
use lab_model::rules::{Compare, Environment};
use std::collections::BTreeMap;

/// Limits under which it depends on loader and C library whether a foreign program starts: FSIZE, DATA, STACK, NOFILE, AS.
const DELICATE: [u32; 5] = [1, 2, 3, 7, 9];

impl Profile {
    /// The case for this wrapper: installed where and how it is, with the outcome that its rules yield.
    ///
    /// # Errors
    /// Why the case cannot be asked of this wrapper: that is no failure, but unsupported.
    pub fn adapt(&self, case: &Case) -> Result<Case, String> {
        adapt(self, case)
    }
}

fn adapt(profile: &Profile, case: &Case) -> Result<Case, String> {
    let program = &case.subject.program;
    let Some(wrapper) = profile.wrappers.get(program) else {
        return Err(format!("the profile {} describes no {program}", profile.name));
    };
    askable(wrapper, case)?;
    let mut case = case.clone();
    install(profile, wrapper, &mut case);
    let prediction = predict::predict(&case, Some(profile));
    if let Some(beyond) = &prediction.beyond {
        return Err(format!("what a foreign wrapper does then is unknown: {beyond}"));
    }
    case.expected = prediction.outcome().to_owned();
    case.outcome = prediction.decisions().into();
    if let (Some(script), Some(child)) = (&mut case.outcome.script, &prediction.decision.child) {
        what_it_starts(script, child, &wrapper.rules.environment);
    }
    case.profile = Some(profile.name.clone());
    Ok(case)
}

/// What is started, with which arguments, and with which variables where the profile lists what is kept: what else comes
/// through depends on what the C library takes away, and that on its version.
fn what_it_starts(script: &mut Script, child: &Child, environment: &Environment) {
    script.path = Some(Bytes(child.path.clone()));
    script.argv = Some(child.argv.iter().map(|word| Bytes(word.clone())).collect());
    let variables: Option<BTreeMap<Bytes, Bytes>> = child
        .env
        .iter()
        .map(|entry| {
            let at = entry.iter().position(|&byte| byte == b'=')?;
            Some((Bytes::from(&entry[..at]), Bytes::from(&entry[at + 1..])))
        })
        .collect();
    // An outcome states each name once.
    script.env = match environment {
        Environment::Only(_) => variables.filter(|variables| variables.len() == child.env.len()),
        Environment::AllBut(_) => None,
    };
}

/// Whether the case can be asked of this wrapper at all.
fn askable(wrapper: &Wrapper, case: &Case) -> Result<(), String> {
    if case.subject.is_tool() {
        return Err("the case asks the tool that seals wrappers, and nobody seals this one".to_owned());
    }
    let policy = &case.subject.policy;
    let (trusts, names) = (policy.trusts.gid, &case.names);
    if let Trusted::Groups(groups) = &wrapper.trusted
        && !groups.iter().any(|(_, gid)| *gid == trusts)
    {
        let trusted: Vec<String> = groups.iter().map(|(name, gid)| format!("{name} {gid}")).collect();
        let trusted = trusted.join(", ");
        return Err(format!("the wrapper was built to trust {trusted}, and the case wants {}", names.group(trusts)));
    }
    let sealed_otherwise = policy.condition != Sealing::Sound
        || policy.refusal != Style::Mailman
        || policy.keep.is_some()
        || policy.interpreter.is_some()
        || (policy.kind == Kind::Mail && policy.commands.len() != 10);
    if sealed_otherwise {
        return Err("the case is about a sealed policy, and this wrapper has none".to_owned());
    }
    if wrapper.rules.compare == Compare::Name && !ordinary_names(case) {
        return Err("how a C library reads these sources of names is its own business".to_owned());
    }
    if case.layout.mounts.iter().any(|mount| matches!(mount.kind, MountKind::IdMapped { .. })) {
        return Err("the case maps the ids of a group which this wrapper does not have".to_owned());
    }
    if case.invocation.limits.iter().any(|limit| DELICATE.contains(&limit.resource)) {
        return Err("the loader and C library of a foreign program may not start under this limit".to_owned());
    }
    Ok(())
}

/// Whether names come from a group file in its usual form (group(5)) and nothing else, so that every C library finds the
/// same ones.
fn ordinary_names(case: &Case) -> bool {
    let ordinary = |line: &[u8]| {
        let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
        let number = fields.get(2).and_then(|number| std::str::from_utf8(number).ok()).unwrap_or_default();
        let digits = number.bytes().all(|byte| byte.is_ascii_digit()) && number.parse::<u32>().is_ok();
        fields.len() == 4 && !fields[0].is_empty() && digits && line.len() < 1024
    };
    case.layout.nodes.iter().all(|node| match (node.path.as_slice(), &node.kind) {
        (b"/etc/group", NodeKind::File(Content::Inline(text))) => {
            let mut lines = text.0.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
            lines.all(ordinary)
        }
        (path, _) => !path.starts_with(b"/etc/nsswitch") && !path.windows(4).any(|part| part == b"nscd"),
    })
}

/// Puts the wrapper in the place of the case's own subject.
fn install(profile: &Profile, wrapper: &Wrapper, case: &mut Case) {
    let (old_path, old_own) = (case.subject.path.clone(), case.subject.policy.own.gid);
    let (own_name, own) = wrapper.group.clone();
    let moved = Moved { from: old_path.clone(), to: wrapper.path.clone() };
    let subject = &mut case.subject;
    let usual = subject.owner == Uid::ROOT && subject.mode == 0o2755;
    if usual {
        (subject.owner, subject.mode) = (wrapper.owner, wrapper.mode);
    }
    if subject.group == old_own {
        subject.group = own;
    }
    subject.path = wrapper.path.clone();
    subject.policy.own = crate::case::Group { gid: own, name: own_name.clone() };
    case.names.groups.entry(own).or_insert(own_name);
    for (name, gid) in &profile.groups {
        case.names.groups.entry(*gid).or_insert_with(|| name.clone());
    }

    let invocation = &mut case.invocation;
    if invocation.program == old_path {
        invocation.program = wrapper.path.clone();
    }
    if invocation.argv.first() == Some(&old_path) {
        invocation.argv.edit(|argv| argv[0] = wrapper.path.clone());
    }
    if invocation.transition.unmapped_gids.remove(&old_own) {
        invocation.transition.unmapped_gids.insert(own);
    }

    for mount in &mut case.layout.mounts {
        moved.apply(&mut mount.at);
        if let MountKind::Bind(place) | MountKind::Overlay(place) = &mut mount.kind {
            moved.apply(place);
        }
    }
    directories(case, &wrapper.path);
    started(wrapper, case);
    if let Trusted::File(path) = &wrapper.trusted {
        directories(case, path);
        let number = format!("{}\n", case.subject.policy.trusts.gid);
        put(case, path, Uid::ROOT, 0o644, NodeKind::File(Content::Inline(number.into())));
    }
    more_groups(profile, case);
}

/// The directory of the subject moves; what lies elsewhere stays.
struct Moved {
    from: Bytes,
    to: Bytes,
}

impl Moved {
    fn apply(&self, path: &mut Bytes) {
        if let (Some(from), Some(to)) = (parent(&self.from), parent(&self.to))
            && *path == from
        {
            *path = to;
        } else if *path == self.from {
            *path = self.to.clone();
        }
    }
}

fn parent(path: &Bytes) -> Option<Bytes> {
    let slash = path.0.iter().rposition(|&byte| byte == b'/')?;
    (slash > 0).then(|| Bytes(path.0[..slash].to_vec()))
}

/// The witness in place of what the wrapper starts, once for each command if the command is part of its path.
fn started(wrapper: &Wrapper, case: &mut Case) {
    let Some(first) = wrapper.rules.starts.first().map(|word| Bytes(word.clone())) else { return };
    let marker = lab_model::rules::START_COMMAND;
    let at = first.0.windows(marker.len()).position(|window| window == marker);
    let paths: Vec<Bytes> = match at {
        None => vec![first],
        Some(at) => {
            let (before, after) = (&first.0[..at], &first.0[at + marker.len()..]);
            wrapper.rules.commands.iter().map(|command| Bytes([before, command, after].concat())).collect()
        }
    };
    for path in paths {
        directories(case, &path);
        put(case, &path, Uid::ROOT, 0o755, NodeKind::File(Content::Witness));
    }
}

/// Adds the directories above a path that are missing.
fn directories(case: &mut Case, path: &Bytes) {
    let Some(above) = parent(path) else { return };
    let known = case.layout.nodes.iter().any(|node| node.path == above);
    let always = lab_invocation::Layout::ALWAYS.iter().any(|always| always.as_bytes() == above.as_slice());
    if !known && !always {
        directories(case, &above);
        put(case, &above, Uid::ROOT, 0o755, NodeKind::Directory);
    }
}

/// Adds a node of root's group, in place of one at the same path.
fn put(case: &mut Case, path: &Bytes, owner: Uid, mode: u32, kind: NodeKind) {
    let node = Node { path: path.clone(), owner, group: Gid::ROOT, mode, kind, order: Order::default() };
    match case.layout.nodes.iter_mut().find(|node| node.path == *path) {
        Some(old) => *old = node,
        None => case.layout.nodes.push(node),
    }
}

/// Adds the profile's groups to a readable group file.
fn more_groups(profile: &Profile, case: &mut Case) {
    let file = case.layout.nodes.iter_mut().find(|node| node.path.0 == b"/etc/group");
    if let Some(Node { kind: NodeKind::File(Content::Inline(text)), .. }) = file
        && !text.0.is_empty()
    {
        for (name, gid) in &profile.groups {
            text.0.extend_from_slice(format!("{name}:x:{gid}:\n").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
