//! What a wrapper which we did not write must decide, by the rules that its profile gives.

use super::{Refusal, Running};
use crate::decision::{Child, Outcome};
use crate::environment;
use crate::ids::KEEP;
use crate::policy::Group;
use crate::rules::{BitLost, Check, Compare, Environment, Foreign, START_COMMAND, START_REST, Switch, Trusted};
use crate::setid::{Call, Kind};
use crate::{Bytes, show};

pub(super) fn decide(running: &Running<'_>, rules: &Foreign) -> Result<(String, Child), Refusal> {
    let refuse = |outcome, because| {
        let exit = rules.exits.get(&outcome).copied();
        Refusal { outcome, because, exit, exec_error: None }
    };
    if rules.bit_lost == BitLost::Refuses && !running.executed.set_group_id_acted {
        return Err(refuse(Outcome::NotPrivileged, "the set-group-ID bit did not act".to_owned()));
    }
    let mut admitted = "no check asks about the caller".to_owned();
    for check in &rules.checks {
        match check {
            Check::Usage if running.argv.len() < 2 => {
                return Err(refuse(Outcome::Usage, "there is no command".to_owned()));
            }
            Check::Command => {
                let command = running.argv.get(1).cloned().unwrap_or_default();
                if !rules.commands.contains(&command) {
                    let because = format!("{} is not one of the commands", show(&command));
                    return Err(refuse(Outcome::UnknownCommand, because));
                }
            }
            Check::Caller => {
                admitted = caller(running, rules).map_err(|(outcome, because)| refuse(outcome, because))?
            }
            Check::Usage => {}
        }
    }

    let mut process = running.process().clone();
    if rules.switch == Switch::RealToEffective {
        let effective = running.effective_gid();
        process
            .set_id(Kind::Group, &Call::SetRe(effective, KEEP))
            .map_err(|errno| refuse(Outcome::IdsNotSet, format!("setregid({effective}, -1) fails with {errno}")))?;
    }
    let argv = command_line(running, rules);
    let path = argv.first().cloned().unwrap_or_default();
    let env = handed_on(running, rules);
    let executed = running
        .exec_script(&process, &path, argv.iter(), &env)
        .map_err(|errno| refuse(Outcome::ExecFailed, format!("execve of {} fails with {errno}", show(&path))))?;
    Ok((admitted, running.child(executed, path, argv, env)))
}

fn caller(running: &Running<'_>, rules: &Foreign) -> Result<String, (Outcome, String)> {
    let real = running.real_gid();
    let found = running.group(real);
    if rules.always_admitted.iter().any(|range| range.contains(&real)) {
        return Ok(format!("real gid {found} is admitted without a check"));
    }
    let trusted: &[Group] = match &rules.trusted {
        Trusted::Groups(groups) | Trusted::RunTimeFile(Some(groups)) => groups,
        Trusted::RunTimeFile(None) => {
            return Err((Outcome::Nameless, "the file that names the trusted group cannot be read".to_owned()));
        }
    };
    let matches = match rules.compare {
        Compare::Gid => trusted.iter().any(|group| group.gid == real),
        Compare::Name => {
            let Some(name) = running.start.installation.groups.name_of(real) else {
                return Err((Outcome::Nameless, format!("no name is found for the real gid {real}")));
            };
            trusted.iter().any(|group| group.name == name)
        }
    };
    if matches {
        Ok(format!("real gid {found} is trusted"))
    } else {
        let names: Vec<_> = trusted.iter().map(|group| format!("{} {}", group.name, group.gid)).collect();
        Err((Outcome::Mismatch, format!("real gid {found} is not {}", names.join(" or "))))
    }
}

/// What is started, the command and its arguments filled in.
fn command_line(running: &Running<'_>, rules: &Foreign) -> Vec<Bytes> {
    let command = running.argv.get(1).map(Vec::as_slice).unwrap_or_default();
    let mut argv = Vec::new();
    for word in &rules.starts {
        if word == START_REST {
            argv.extend(running.argv.iter().skip(2).cloned());
        } else if let Some(at) = word.windows(START_COMMAND.len()).position(|part| part == START_COMMAND) {
            let (before, after) = (&word[..at], &word[at + START_COMMAND.len()..]);
            argv.push([before, command, after].concat());
        } else {
            argv.push(word.clone());
        }
    }
    argv
}

/// The environment after C library and wrapper have gone over it.
fn handed_on(running: &Running<'_>, rules: &Foreign) -> Vec<Bytes> {
    let is = |names: &[Bytes], entry: &Bytes| {
        environment::name(entry).is_some_and(|name| names.iter().any(|listed| listed == name))
    };
    let kept = running.start.invoker.env.iter().filter(|entry| {
        let removed = running.executed.secure && is(&rules.secure_removes, entry);
        let passes = match &rules.environment {
            Environment::AllBut(names) => !is(names, entry),
            Environment::Only(names) => is(names, entry),
        };
        passes && !removed
    });
    kept.chain(&rules.adds).cloned().collect()
}
