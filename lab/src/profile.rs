//! Wrappers which we did not write, described as data: where they are installed, whom they trust, what they check in
//! which order, what they start. The model predicts from this; the lab then judges decisions and ids, not wording.
//!
//! A profile is TOML (`lab schema --profile`); those of Mailman 2.1 and its distributions are in `scenarios/profiles`.

pub mod draft;
mod raw;

pub use raw::RawProfile;

use crate::case::Case;
use crate::scenario::accounts::Accounts;
use crate::scenario::context::{Context, read_toml};
use crate::scenario::report::{Report, Source};
use lab_invocation::{Bytes, Gid, Uid};
use lab_model::Outcome;
use lab_model::environment::GLIBC_UNSECURE;
use lab_model::policy::Group;
use lab_model::rules::{self, Foreign};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Foreign wrappers, by the programs of the scenarios for which they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What it describes, in one line.
    pub title: String,
    /// Its name: that of its file, without extension.
    pub name: String,
    pub(crate) wrappers: BTreeMap<String, Wrapper>,
    pub(crate) groups: Vec<(String, Gid)>,
}

/// One foreign wrapper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrapper {
    pub(crate) path: Bytes,
    pub(crate) owner: Uid,
    pub(crate) group: (String, Gid),
    pub(crate) mode: u32,
    pub(crate) trusted: Trusted,
    pub(crate) rules: Foreign,
}

/// Whom it trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trusted {
    /// Compiled in.
    Groups(Vec<(String, Gid)>),
    /// The number stands in this file, which the lab writes.
    File(Bytes),
}

impl Profile {
    /// Reads a profile; `accounts` are those of the scenarios.
    ///
    /// # Errors
    /// Every error in it.
    pub fn read(source: &Arc<Source>, accounts: &Accounts) -> Result<Self, Vec<Report>> {
        let raw: RawProfile = read_toml(source).map_err(|report| vec![*report])?;
        let mut accounts = accounts.clone();
        let nobody = Accounts::default();
        let mut context = Context::new(source, &nobody);
        let mut groups = Vec::new();
        for (name, number) in &raw.group.0 {
            if let Some(gid) = context.gid_number(number.value, &number.span) {
                groups.push((name.value.clone(), gid));
            }
        }
        let mut reports = context.reports;
        accounts.groups.extend(groups.iter().map(|(name, gid)| crate::scenario::accounts::Group {
            name: name.clone(),
            gid: *gid,
            members: Vec::new(),
        }));
        let mut context = Context::new(source, &accounts);
        let mut wrappers = BTreeMap::new();
        for (program, wrapper) in &raw.wrapper.0 {
            if !["mail-wrapper", "cgi-wrapper"].contains(&program.value.as_str()) {
                context.unknown("program", program, ["mail-wrapper", "cgi-wrapper"]);
            }
            if let Some(wrapper) = lower(&mut context, wrapper) {
                wrappers.insert(program.value.clone(), wrapper);
            }
        }
        if raw.wrapper.0.is_empty() {
            context.error(&raw.title.span, "the profile describes no wrapper", "add [wrapper.mail-wrapper]");
        }
        reports.append(&mut context.reports);
        if !reports.is_empty() {
            return Err(reports);
        }
        let name = PathBuf::from(&source.path);
        let name = name.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { title: raw.title.value, name, wrappers, groups })
    }

    /// Programs of the scenarios for which it describes a wrapper, each with the path where that is installed.
    pub fn programs(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.wrappers.iter().map(|(program, wrapper)| (program.as_str(), &wrapper.path))
    }

    /// The group that stands first among those which its wrapper of this program trusts; `None` where a file says it.
    pub fn first_trusted(&self, program: &str) -> Option<&str> {
        match &self.wrappers.get(program)?.trusted {
            Trusted::Groups(groups) => groups.first().map(|(name, _)| name.as_str()),
            Trusted::File(_) => None,
        }
    }

    /// Its rules for one case; `None` where it does not describe the program.
    pub fn rules(&self, case: &Case) -> Option<Foreign> {
        let wrapper = self.wrappers.get(&case.subject.program)?;
        let mut rules = wrapper.rules.clone();
        rules.trusted = match &wrapper.trusted {
            Trusted::Groups(groups) => rules::Trusted::Groups(groups.iter().map(group).collect()),
            Trusted::File(_) => {
                let trusts = &case.subject.policy.trusts;
                rules::Trusted::RunTimeFile(Some(vec![group(&(trusts.name.clone(), trusts.gid))]))
            }
        };
        Some(rules)
    }
}

fn group((name, gid): &(String, Gid)) -> Group {
    Group { gid: gid.as_raw(), name: name.clone() }
}

fn lower(context: &mut Context<'_>, raw: &raw::Wrapper) -> Option<Wrapper> {
    let path = context.path(&raw.path.value, &raw.path.span);
    let owner = raw.owner.as_ref().map_or(Some(Uid::ROOT), |owner| context.uid(owner));
    let own = named(context, &raw.group);
    let trusted = match (&raw.trusted, &raw.trusted_file) {
        (list, None) if !list.is_empty() => {
            Some(Trusted::Groups(list.iter().filter_map(|group| named(context, group)).collect()))
        }
        (list, Some(path)) if list.is_empty() => context.path(&path.value, &path.span).map(Trusted::File),
        _ => {
            let report = context.error(&raw.path.span, "nothing says whom the wrapper trusts", "this wrapper");
            report.help.push("write either `trusted = [GROUP, …]` or `trusted-file = PATH`".to_owned());
            None
        }
    };
    if raw.starts.is_empty() || !raw.starts[0].value.starts_with('/') {
        context.error(&raw.path.span, "`starts` must begin with an absolute path", "this wrapper");
    }
    let mut exits = BTreeMap::new();
    for (name, status) in &raw.exit.0 {
        let status = context.number::<u8>(status, "an exit status", 0..256);
        match Outcome::from_name(&name.value) {
            // No profile describes the tool.
            Some(outcome) if !outcome.is_of_the_tool() => exits.extend(status.map(|status| (outcome, status))),
            _ => context.unknown(
                "outcome",
                name,
                Outcome::ALL.iter().filter(|outcome| !outcome.is_of_the_tool()).map(|outcome| outcome.name()),
            ),
        }
    }
    let mut always = Vec::new();
    for range in &raw.always_admitted {
        let from = context.gid_number(range.from.value, &range.from.span);
        let to = context.gid_number(range.to.value, &range.to.span);
        always.extend(from.zip(to).map(|(from, to)| from.as_raw()..=to.as_raw()));
    }
    let bytes = |list: &[crate::scenario::raw::At<String>]| -> Vec<Vec<u8>> {
        list.iter().map(|text| text.value.clone().into_bytes()).collect()
    };
    let environment = match (&raw.environment.all_but, &raw.environment.only) {
        (Some(names), None) => rules::Environment::AllBut(bytes(names)),
        (None, Some(names)) => rules::Environment::Only(bytes(names)),
        _ => {
            context.error(&raw.path.span, "`environment` must say `all-but` or `only`", "this wrapper");
            return None;
        }
    };
    let secure_removes = match raw.libc {
        raw::Libc::Glibc => GLIBC_UNSECURE.iter().map(|name| name.as_bytes().to_vec()).collect(),
        raw::Libc::Other => Vec::new(),
    };
    let rules = Foreign {
        compare: raw.compare.rule(),
        trusted: rules::Trusted::Groups(Vec::new()),
        always_admitted: always,
        checks: raw.checks.iter().map(|check| check.rule()).collect(),
        commands: bytes(&raw.commands),
        bit_lost: raw.bit_lost.rule(),
        switch: raw.switch.rule(),
        starts: bytes(&raw.starts),
        secure_removes,
        environment,
        adds: bytes(&raw.adds),
        exits,
    };
    Some(Wrapper { path: path?, owner: owner?, group: own?, mode: raw.mode.0, trusted: trusted?, rules })
}

fn named(
    context: &mut Context<'_>,
    group: &crate::scenario::raw::At<crate::scenario::raw::value::NameOrNumber>,
) -> Option<(String, Gid)> {
    let gid = context.gid(group)?;
    Some((context.accounts.group_name(gid).map_or_else(|| gid.to_string(), str::to_owned), gid))
}
