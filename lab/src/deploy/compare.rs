//! What was seen against what is stated.

use super::accounts::Accounts;
use super::deliver::Delivered;
use crate::problem::Problem;
use crate::scenario::deploy::{Case, Program, Starts};
use lab_invocation::evidence::WitnessReport;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// Each thing that differs, with what was found and what was wanted.
pub(super) fn differences(case: &Case, delivered: &Delivered, accounts: &Accounts) -> Result<Vec<String>, Problem> {
    let mut found = Vec::new();
    compare(&mut found, "fate", &delivered.fate, &case.fate);
    for words in case.says.iter().filter(|words| !delivered.log.contains(words.as_str())) {
        found.push(format!("log: `{words}` is not in\n{}", delivered.log));
    }
    match (&case.starts, delivered.reports.as_slice()) {
        (Starts::Nothing, []) => {}
        (Starts::Program(program), [report]) => {
            let wanted = Given::stated(program, accounts)?;
            found.extend(Given::seen(report).differences(&wanted));
        }
        (Starts::Nothing, reports) => found.push(format!("starts: {} programs, where none is wanted", reports.len())),
        (Starts::Program(_), reports) => found.push(format!("starts: {} programs, where one is wanted", reports.len())),
    }
    Ok(found)
}

/// What a program is given, by numbers.
#[derive(Debug)]
struct Given {
    user: u32,
    group: u32,
    effective_group: u32,
    groups: BTreeSet<u32>,
    args: Vec<String>,
    environment: BTreeSet<String>,
    directory: String,
    umask: String,
    ignored: BTreeSet<String>,
    descriptors: BTreeSet<String>,
}

impl Given {
    fn stated(program: &Program, accounts: &Accounts) -> Result<Self, Problem> {
        let groups = program.groups.iter().map(|name| accounts.gid(name).map(|gid| gid.as_raw()));
        let descriptors = program.descriptors.iter().map(|(number, target)| format!("{number} {target}"));
        Ok(Self {
            user: accounts.user(&program.user)?.0.as_raw(),
            group: accounts.gid(&program.group)?.as_raw(),
            effective_group: accounts.gid(&program.effective_group)?.as_raw(),
            groups: groups.collect::<Result<_, _>>()?,
            args: program.args.clone(),
            environment: program.environment.iter().cloned().collect(),
            directory: program.directory.clone(),
            umask: program.umask.clone(),
            ignored: program.ignored.iter().cloned().collect(),
            descriptors: descriptors.collect(),
        })
    }

    fn seen(report: &WitnessReport) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let descriptor = |open: &lab_invocation::evidence::OpenDescriptor| {
            format!("{} {}", open.number, text(open.target.as_slice()))
        };
        Self {
            user: report.credentials.uid.real.as_raw(),
            group: report.credentials.gid.real.as_raw(),
            effective_group: report.credentials.gid.effective.as_raw(),
            groups: report.credentials.groups.iter().map(|gid| gid.as_raw()).collect(),
            args: report.argv.iter().map(|word| text(word.as_slice())).collect(),
            environment: report.env.iter().map(|entry| name(entry.as_slice())).collect(),
            directory: text(report.cwd.as_slice()),
            umask: format!("{:03o}", report.umask),
            ignored: report.ignored.iter().map(|&number| signal(number)).collect(),
            descriptors: report.descriptors.iter().map(descriptor).collect(),
        }
    }

    fn differences(&self, wanted: &Self) -> Vec<String> {
        let mut found = Vec::new();
        compare(&mut found, "user", &self.user, &wanted.user);
        compare(&mut found, "group", &self.group, &wanted.group);
        compare(&mut found, "effective-group", &self.effective_group, &wanted.effective_group);
        compare(&mut found, "groups", &self.groups, &wanted.groups);
        compare(&mut found, "args", &self.args, &wanted.args);
        compare(&mut found, "environment", &self.environment, &wanted.environment);
        compare(&mut found, "directory", &self.directory, &wanted.directory);
        compare(&mut found, "umask", &self.umask, &wanted.umask);
        compare(&mut found, "ignored", &self.ignored, &wanted.ignored);
        let same =
            |(found, wanted): (&String, &String)| glob::Pattern::new(wanted).is_ok_and(|wanted| wanted.matches(found));
        let lengths = self.descriptors.len() == wanted.descriptors.len();
        if !(lengths && self.descriptors.iter().zip(&wanted.descriptors).all(same)) {
            found.push(format!("descriptors: found {:?}, wanted {:?}", self.descriptors, wanted.descriptors));
        }
        found
    }
}

/// The name in an entry of an environment.
pub(super) fn name(entry: &[u8]) -> String {
    String::from_utf8_lossy(entry.split(|&byte| byte == b'=').next().unwrap_or_default()).into_owned()
}

pub(super) fn compare<T: Debug + PartialEq>(into: &mut Vec<String>, what: &str, found: &T, wanted: &T) {
    if found != wanted {
        into.push(format!("{what}: found {found:?}, wanted {wanted:?}"));
    }
}

#[cfg(test)]
pub(super) mod tests;

/// The names of signal(7), as far as servers ignore them; the number of any other.
fn signal(number: u32) -> String {
    let name = match number {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        10 => "USR1",
        13 => "PIPE",
        15 => "TERM",
        25 => "XFSZ",
        other => return other.to_string(),
    };
    name.to_owned()
}
