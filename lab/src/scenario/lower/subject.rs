//! The subject of one case: what the program is sealed with, and how its file is installed.

use super::tree::{below, is_file_name};
use super::{Context, Plan};
use crate::case::{Group, Kind, Policy, Sealing, Style, Subject, TOOL};
use crate::scenario::raw;
use crate::scenario::raw::form::At;
use crate::scenario::raw::value::NameOrNumber;
use lab_invocation::layout::Order;
use lab_invocation::{Bytes, Uid};
use lab_model::policy::MAILMAN_COMMANDS;

/// The prefix where nothing else is said: the lab's own, not that of a distribution.
const PREFIX: &str = "/usr/local/mailman";

/// Group and user of a wrapper where nothing else is said.
const OWN: &str = "list";

/// The CGI script where nothing else is said.
const SCRIPT: &str = "listinfo";

/// The programs which scenarios can name.
/// The tool has no policy; what a mail wrapper would be sealed with says where the prefix is, and whose.
const PROGRAMS: [(&str, Kind); 3] = [("mail-wrapper", Kind::Mail), ("cgi-wrapper", Kind::Cgi), (TOOL, Kind::Mail)];

/// Where the tool is, with the wrappers that it installs beside it.
const TOOL_PATH: &str = "/usr/local/lib/wrappers/wrapper-configure";

/// `[subject]`, the cell of the matrix and the givens of a case, the last one that says a thing holding.
pub(super) fn resolve(context: &mut Context<'_>, raw: &raw::Subject, plan: &Plan<'_>) -> Option<Subject> {
    let kind = PROGRAMS.iter().find(|(name, _)| *name == raw.program.value).map(|(_, kind)| *kind);
    if kind.is_none() {
        context.unknown("program", &raw.program, PROGRAMS.map(|(name, _)| name));
    }
    let seals =
        Seals(std::iter::once(&raw.seal).chain(plan.given.iter().filter_map(|given| given.seal.as_ref())).collect());
    let file_owner = raw.install.owner.as_ref().map_or(Some(Uid::ROOT), |owner| context.uid(owner));
    let file_group = group(context, raw.install.group.as_ref(), &raw.program);
    let policy = policy(context, kind?, &seals, file_group.clone(), raw, plan);
    let (policy, file_group) = (policy?, file_group?);
    let is_tool = raw.program.value == TOOL;
    let path = match &policy.script {
        _ if is_tool => TOOL_PATH.into(),
        None => below(&policy.prefix, b"mail/mailman"),
        Some(script) => below(&below(&policy.prefix, b"cgi-bin"), &script.0),
    };
    Some(Subject {
        program: raw.program.value.clone(),
        policy,
        path,
        owner: file_owner?,
        group: file_group.gid,
        mode: raw.install.mode.map_or(if is_tool { 0o755 } else { 0o2755 }, |mode| mode.0),
        order: Order::default(),
        links: Vec::new(),
    })
}

/// The tables that say what is sealed, in their order.
struct Seals<'a>(Vec<&'a raw::Seal>);

impl<'a> Seals<'a> {
    fn last<T: ?Sized>(&self, field: impl Fn(&'a raw::Seal) -> Option<&'a T>) -> Option<&'a T> {
        self.0.iter().rev().find_map(|seal| field(seal))
    }
}

fn policy(
    context: &mut Context<'_>,
    kind: Kind,
    seals: &Seals<'_>,
    file_group: Option<Group>,
    raw: &raw::Subject,
    plan: &Plan<'_>,
) -> Option<Policy> {
    let own = match seals.last(|seal| seal.own_group.as_ref()) {
        Some(own) => group(context, Some(own), &raw.program),
        None => file_group,
    };
    let owner = owner(context, seals.last(|seal| seal.owner.as_ref()), &raw.program);
    let trusts = trusts(context, raw, plan);
    let prefix = seals.last(|seal| seal.prefix.as_ref());
    let prefix = prefix.map_or(Some(PREFIX.into()), |prefix| context.path(&prefix.value, &prefix.span));
    let interpreter = match seals.last(|seal| seal.interpreter.as_ref()) {
        Some(path) if path.value != "none" => Some((
            context.path(&path.value, &path.span)?,
            seals
                .last(|seal| seal.interpreter_flags.as_ref())
                .into_iter()
                .flatten()
                .map(|flag| flag.0.clone())
                .collect(),
        )),
        _ => None,
    };
    let commands = seals.last(|seal| seal.commands.as_deref()).map(names);
    let (commands, script) = match kind {
        Kind::Mail => (commands.unwrap_or_else(|| MAILMAN_COMMANDS.map(Bytes::from).to_vec()), None),
        Kind::Cgi => (Vec::new(), Some(script(context, seals.last(|seal| seal.cgi_script.as_ref()))?)),
    };
    Some(Policy {
        kind,
        trusts: trusts?,
        own: own?,
        owner: owner?,
        prefix: prefix?,
        interpreter,
        commands,
        script,
        keep: seals.last(|seal| seal.keep_environment.as_deref()).map(names),
        refusal: match seals.last(|seal| seal.refusal.as_ref()) {
            Some(raw::Style::Defer) => Style::Defer,
            Some(raw::Style::Mailman) | None => Style::Mailman,
        },
        condition: Sealing::Sound,
    })
}

fn names(list: &[At<raw::value::ByteString>]) -> Vec<Bytes> {
    list.iter().map(|name| name.value.0.clone()).collect()
}

fn script(context: &mut Context<'_>, raw: Option<&At<String>>) -> Option<Bytes> {
    let Some(raw) = raw else { return Some(SCRIPT.into()) };
    let script = Bytes::from(raw.value.as_str());
    if !is_file_name(&script) {
        context.error(&raw.span, format!("\"{}\" is not the name of a file", raw.value), "this name");
        return None;
    }
    Some(script)
}

/// A group with its name; a number without name is named by its digits.
fn group(context: &mut Context<'_>, raw: Option<&At<NameOrNumber>>, subject: &At<String>) -> Option<Group> {
    let gid = match raw {
        Some(raw) => context.gid(raw)?,
        None => context.gid(&At { value: NameOrNumber::Name(OWN.to_owned()), span: subject.span.clone() })?,
    };
    let name = context.accounts.group_name(gid).map_or_else(|| gid.to_string(), str::to_owned);
    Some(Group { gid, name })
}

fn owner(context: &mut Context<'_>, raw: Option<&At<NameOrNumber>>, subject: &At<String>) -> Option<(Uid, String)> {
    let uid = match raw {
        Some(raw) => context.uid(raw)?,
        None => context.uid(&At { value: NameOrNumber::Name(OWN.to_owned()), span: subject.span.clone() })?,
    };
    Some((uid, context.accounts.user_name(uid).map_or_else(|| uid.to_string(), str::to_owned)))
}

fn trusts(context: &mut Context<'_>, raw: &raw::Subject, plan: &Plan<'_>) -> Option<Group> {
    let from_given = plan.given.iter().rev().find_map(|given| given.trusts.as_ref());
    if let Some(trusts) = from_given.or(plan.trusts.as_ref()).or(raw.trusts.as_ref()) {
        return group(context, Some(trusts), &raw.program);
    }
    if raw.program.value == TOOL {
        // Which group a wrapper will trust is what the tool is asked.
        return group(context, None, &raw.program);
    }
    let title = "nothing says which group the wrapper trusts";
    if !context.reports.iter().any(|report| report.title == title) {
        let report = context.error(&raw.program.span, title, "this subject");
        report.help.push("add `trusts = \"GROUP\"` to [subject], or make `trusts` a dimension".to_owned());
    }
    None
}
