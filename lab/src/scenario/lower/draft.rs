//! A case being put together: what the subject is sealed with, the tree it stands in, how it is started.

use super::tree::{Tree, parent};
use super::{Context, Plan};
use crate::capability::Capability;
use crate::case::{Group, Kind, Names, Policy, Sealing, Style, Subject};
use crate::scenario::accounts::Accounts;
use crate::scenario::raw;
use crate::scenario::raw::form::At;
use crate::scenario::raw::value::NameOrNumber;
use lab_invocation::invocation::{Descriptor, Stdin};
use lab_invocation::layout::{Content, Mount, NodeKind, Order};
use lab_invocation::{Bytes, Gid, Identity, Invocation, Layout, Uid};
use std::collections::BTreeSet;

/// The prefix where nothing else is said: the lab's own, not that of a distribution.
const PREFIX: &str = "/usr/local/mailman";

/// The commands of Mailman 2.1's mail wrapper.
const COMMANDS: [&str; 10] =
    ["admin", "bounces", "confirm", "join", "leave", "owner", "post", "request", "subscribe", "unsubscribe"];

/// The program that runs every CGI script.
const DRIVER: &str = "driver";

/// Subject and policy, resolved.
pub(super) struct Settings {
    pub(super) subject: Subject,
}

impl Settings {
    /// From `[subject]`, the cell of the matrix and the givens of a case.
    pub(super) fn new(context: &mut Context<'_>, raw: &raw::Subject, plan: &Plan<'_>) -> Option<Self> {
        let kind = match raw.program.value.as_str() {
            "mail-wrapper" => Some(Kind::Mail),
            "cgi-wrapper" => Some(Kind::Cgi),
            _ => {
                context.unknown("program", &raw.program, ["mail-wrapper", "cgi-wrapper"]);
                None
            }
        };
        let own_file = group(context, raw.install.group.as_ref(), "list");
        let owner_file = match &raw.install.owner {
            Some(owner) => context.uid(owner),
            None => Some(Uid::ROOT),
        };
        let seals: Vec<&raw::Seal> =
            std::iter::once(&raw.seal).chain(plan.given.iter().filter_map(|given| given.seal.as_ref())).collect();
        let own = match last(&seals, |seal| seal.own_group.as_ref()) {
            Some(own) => group(context, Some(own), "list"),
            None => own_file.clone(),
        };
        let trusts = trusted(context, raw, plan);
        let owner = owner(context, last(&seals, |seal| seal.owner.as_ref()));
        let prefix = match last(&seals, |seal| seal.prefix.as_ref()) {
            Some(prefix) => context.path(&prefix.value, &prefix.span),
            None => Some(PREFIX.into()),
        };
        let interpreter = match last(&seals, |seal| seal.interpreter.as_ref()) {
            Some(path) if path.value != "none" => {
                let flags = last(&seals, |seal| seal.interpreter_flags.as_ref());
                let flags = flags.map(|flags| flags.iter().map(|flag| flag.0.clone()).collect()).unwrap_or_default();
                Some((context.path(&path.value, &path.span)?, flags))
            }
            _ => None,
        };
        let kind = kind?;
        let commands = match last(&seals, |seal| seal.commands.as_ref()) {
            Some(list) => list.iter().map(|command| command.value.0.clone()).collect(),
            None => COMMANDS.map(Bytes::from).to_vec(),
        };
        let script = match (kind, last(&seals, |seal| seal.cgi_script.as_ref())) {
            (Kind::Cgi, Some(script)) => Some(Bytes::from(script.value.as_str())),
            (Kind::Cgi, None) => Some("listinfo".into()),
            (Kind::Mail, _) => None,
        };
        let prefix = prefix?;
        let path = match &script {
            None => below(&prefix, "mail/mailman".as_bytes()),
            Some(script) => below(&below(&prefix, b"cgi-bin"), &script.0),
        };
        let (own_file, own) = (own_file?, own?);
        let policy = Policy {
            kind,
            trusts: trusts?,
            own,
            owner: owner?,
            prefix,
            interpreter,
            commands: if kind == Kind::Mail { commands } else { Vec::new() },
            script,
            keep: last(&seals, |seal| seal.keep_environment.as_ref())
                .map(|list| list.iter().map(|name| name.value.0.clone()).collect()),
            refusal: match last(&seals, |seal| seal.refusal.as_ref()) {
                Some(raw::Style::Defer) => Style::Defer,
                Some(raw::Style::Mailman) | None => Style::Mailman,
            },
            condition: Sealing::Sound,
        };
        let subject = Subject {
            program: raw.program.value.clone(),
            policy,
            path,
            owner: owner_file?,
            group: own_file.gid,
            mode: raw.install.mode.map_or(0o2755, |mode| mode.0),
            order: Order::default(),
            links: Vec::new(),
        };
        Some(Self { subject })
    }
}

/// The last of several tables that says a thing.
fn last<'a, T>(seals: &[&'a raw::Seal], field: impl Fn(&'a raw::Seal) -> Option<&'a T>) -> Option<&'a T> {
    seals.iter().rev().find_map(|seal| field(seal))
}

/// A group with its name; a number without name is named by its digits.
fn group(context: &mut Context<'_>, raw: Option<&At<NameOrNumber>>, default: &str) -> Option<Group> {
    let gid = match raw {
        Some(raw) => context.gid(raw)?,
        None => match context.accounts.gid(default) {
            Some(gid) => gid,
            None => {
                context.error(&(0..0), format!("no group \"{default}\" in identities.toml"), "it is the default here");
                return None;
            }
        },
    };
    let name = context.accounts.group_name(gid).map_or_else(|| gid.to_string(), str::to_owned);
    Some(Group { gid, name })
}

fn owner(context: &mut Context<'_>, raw: Option<&At<NameOrNumber>>) -> Option<(Uid, String)> {
    let uid = match raw {
        Some(raw) => context.uid(raw)?,
        None => match context.accounts.uid("list") {
            Some(uid) => uid,
            None => {
                context.error(&(0..0), "no user \"list\" in identities.toml", "it is the default owner of the scripts");
                return None;
            }
        },
    };
    Some((uid, context.accounts.user_name(uid).map_or_else(|| uid.to_string(), str::to_owned)))
}

fn trusted(context: &mut Context<'_>, raw: &raw::Subject, plan: &Plan<'_>) -> Option<Group> {
    let from_given = plan.given.iter().rev().find_map(|given| given.trusts.as_ref());
    match from_given.or(plan.trusts.as_ref()).or(raw.trusts.as_ref()) {
        Some(trusts) => group(context, Some(trusts), "mail"),
        None => {
            let title = "nothing says which group the wrapper trusts";
            if !context.reports.iter().any(|report| report.title == title) {
                let report = context.error(&raw.program.span, title, "this subject");
                report.help.push("add `trusts = \"GROUP\"` to [subject], or make `trusts` a dimension".to_owned());
            }
            None
        }
    }
}

/// A case being put together.
pub(super) struct Draft {
    pub(super) subject: Subject,
    pub(super) tree: Tree,
    pub(super) mounts: Vec<Mount>,
    pub(super) fresh: BTreeSet<Bytes>,
    pub(super) invocation: Invocation,
    pub(super) needs: BTreeSet<Capability>,
    /// `None` until something other than the path is asked for.
    pub(super) argv0: Option<Bytes>,
    pub(super) args: Vec<Bytes>,
    /// The whole vector, where a case gives it.
    pub(super) argv: Option<Vec<Bytes>>,
    /// Names of numbers, once the tree is finished.
    pub(super) names: Names,
}

impl Draft {
    pub(super) fn new(accounts: &Accounts, raw: &raw::Subject, settings: Settings, identity: Identity) -> Self {
        let subject = settings.subject;
        let mut invocation = Invocation::quiet(subject.path.clone(), identity);
        for (name, value) in &raw.env.0 {
            set_variable(&mut invocation.env, &name.value.as_str().into(), &value.0);
        }
        let mut draft = Self {
            tree: base_tree(accounts, &subject.policy),
            mounts: Vec::new(),
            fresh: BTreeSet::new(),
            invocation,
            needs: BTreeSet::from([Capability::SetGroupId]),
            argv0: None,
            args: raw.args.iter().flatten().map(|arg| arg.0.clone()).collect(),
            argv: None,
            names: Names::default(),
            subject,
        };
        if let Some(stdin) = &raw.stdin {
            draft.stdin(stdin);
        }
        draft
    }

    /// Sets descriptor 0.
    pub(super) fn stdin(&mut self, stdin: &raw::value::Stdin) {
        use raw::value::{Stdin as Raw, StdinKind};
        self.invocation.stdin = match stdin {
            Raw::Bytes(bytes) => Stdin::Bytes(bytes.clone()),
            Raw::Kind(StdinKind::Closed) => Stdin::Closed,
            Raw::Kind(StdinKind::Null) => Stdin::Null,
            Raw::Kind(StdinKind::Endless) => Stdin::Endless,
            Raw::Kind(StdinKind::Silent) => Stdin::Silent,
            Raw::Kind(StdinKind::Directory) => Stdin::Directory,
            Raw::Kind(StdinKind::WriteOnly) => Stdin::WriteOnly,
        };
    }

    /// Closes or opens a descriptor; a later word about the same one holds.
    pub(super) fn descriptor(&mut self, number: u32, descriptor: Descriptor) {
        self.invocation.descriptors.retain(|(other, _)| *other != number);
        self.invocation.descriptors.push((number, descriptor));
        self.invocation.descriptors.sort_by_key(|(number, _)| *number);
    }

    /// The directory that holds the subject's file.
    pub(super) fn directory(&self) -> Bytes {
        parent(&self.subject.path).unwrap_or_else(|| "/".into())
    }

    /// The file which the wrapper names to the kernel or to its interpreter: the script of the command, or the CGI driver.
    pub(super) fn script(&self) -> Bytes {
        let policy = &self.subject.policy;
        let name = match policy.kind {
            Kind::Cgi => DRIVER.into(),
            Kind::Mail => match self.args.first() {
                Some(command) if policy.commands.contains(command) => command.clone(),
                _ => policy.commands.first().cloned().unwrap_or_default(),
            },
        };
        script_path(policy, &name)
    }

    /// What the wrapper is to execute if it passes on every argument: interpreter and flags, script, and what the
    /// invoker gave after the command, or the one CGI name.
    pub(super) fn command_line(&self) -> Vec<Bytes> {
        let policy = &self.subject.policy;
        let mut line = Vec::new();
        if let Some((path, flags)) = &policy.interpreter {
            line.push(path.clone());
            line.extend(flags.iter().cloned());
        }
        line.push(self.script());
        match &policy.script {
            Some(script) => line.push(script.clone()),
            None => line.extend(self.args.iter().skip(1).cloned()),
        }
        line
    }

    /// Capabilities that follow from what was put together.
    pub(super) fn derive_needs(&mut self) {
        let identity = &self.invocation.identity;
        let subject = &self.subject;
        if !identity.groups.is_empty() {
            self.needs.insert(Capability::SupplementaryGroups);
        }
        if self.mounts.iter().any(|mount| mount.flags != Default::default()) {
            self.needs.insert(Capability::MountFlags);
        }
        let transition = &self.invocation.transition;
        if !transition.unmapped_gids.is_empty() || !transition.unmapped_uids.is_empty() {
            self.needs.insert(Capability::UserNamespace);
        }
        if transition.tracer == Some(lab_invocation::invocation::Tracer::Root) {
            self.needs.insert(Capability::RootTracer);
        }
        let capabilities = &self.invocation.capabilities;
        if !capabilities.kept.is_empty() || !capabilities.ambient.is_empty() || !capabilities.inheritable.is_empty() {
            self.needs.insert(Capability::InvokerCapabilities);
        }
        if !self.invocation.faults.is_empty() {
            self.needs.insert(Capability::SyscallFault);
        }
        if [subject.policy.trusts.gid, subject.policy.own.gid].contains(&Gid::OVERFLOW) {
            self.needs.insert(Capability::FullGidMap);
        }
        let groups = [identity.gid, identity.effective_gid, subject.group, subject.policy.own.gid];
        let users = [identity.uid, identity.effective_uid, subject.owner];
        let large = |number: u32| number > 65_535;
        if groups.into_iter().chain(identity.groups.iter().copied()).any(|gid| large(gid.as_raw()))
            || users.into_iter().any(|uid| large(uid.as_raw()))
        {
            self.needs.insert(Capability::LargeIds);
        }
    }

    /// The finished tree, without the subject's own file.
    pub(super) fn layout(&self) -> Layout {
        Layout {
            nodes: self.tree.clone().into_nodes(),
            mounts: self.mounts.clone(),
            fresh: self.fresh.iter().cloned().collect(),
        }
    }

    /// The finished start.
    pub(super) fn invocation(&self) -> Invocation {
        let mut invocation = self.invocation.clone();
        invocation.argv = match &self.argv {
            Some(argv) => argv.clone(),
            None => {
                let argv0 = self.argv0.clone().unwrap_or_else(|| invocation.program.clone());
                std::iter::once(argv0).chain(self.args.iter().cloned()).collect()
            }
        };
        invocation
    }
}

/// Sets a variable in a raw environment: in place of one of that name, or at the end.
pub(super) fn set_variable(env: &mut Vec<Bytes>, name: &Bytes, value: &Bytes) {
    let mut entry = name.0.clone();
    entry.push(b'=');
    let length = entry.len();
    entry.extend_from_slice(&value.0);
    let key = entry[..length].to_vec();
    match env.iter_mut().find(|other| other.0.starts_with(&key)) {
        Some(other) => *other = Bytes(entry),
        None => env.push(Bytes(entry)),
    }
}

fn script_path(policy: &Policy, name: &Bytes) -> Bytes {
    below(&below(&policy.prefix, b"scripts"), &name.0)
}

/// A path below a directory.
fn below(directory: &Bytes, name: &[u8]) -> Bytes {
    Bytes([&directory.0, b"/".as_slice(), name].concat())
}

/// What every sandbox of a wrapper holds: accounts, the prefix as Mailman's installation makes it, and the witness
/// in place of what the wrapper starts.
fn base_tree(accounts: &Accounts, policy: &Policy) -> Tree {
    let mut tree = Tree::default();
    tree.directory(&"/etc".into(), Uid::ROOT, Gid::ROOT, 0o755);
    tree.text("/etc/group", lines(&accounts.group_lines()));
    tree.text("/etc/passwd", lines(&accounts.passwd_lines()));
    tree.directory(&policy.prefix, Uid::ROOT, policy.own.gid, 0o2775);
    for directory in ["mail", "cgi-bin", "scripts"] {
        tree.directory(&below(&policy.prefix, directory.as_bytes()), Uid::ROOT, policy.own.gid, 0o2775);
    }
    let driver = [Bytes::from(DRIVER)];
    let names: &[Bytes] = if policy.kind == Kind::Mail { &policy.commands } else { &driver };
    for name in names.iter().filter(|name| is_file_name(name)) {
        let (mode, content) = match &policy.interpreter {
            None => (0o755, Content::Witness),
            Some(_) => (0o644, Content::Inline("# read by the interpreter\n".into())),
        };
        tree.put(&script_path(policy, name), policy.owner.0, policy.own.gid, mode, NodeKind::File(content));
    }
    if let Some((path, _)) = &policy.interpreter {
        tree.put(path, Uid::ROOT, Gid::ROOT, 0o755, NodeKind::File(Content::Witness));
    }
    tree
}

fn is_file_name(name: &Bytes) -> bool {
    !name.0.is_empty() && name.0.len() < 256 && !name.0.contains(&b'/') && name.0 != b"." && name.0 != b".."
}

/// Lines as a text.
pub(super) fn lines(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.bytes().chain([b'\n'])).collect()
}
