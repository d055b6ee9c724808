//! A case being put together: the subject, the tree it stands in, how it is started.

use super::tree::{self, Tree, parent};
use crate::capability::{Capability, needed_to_start};
use crate::case::{Kind, Names, Subject};
use crate::scenario::accounts::Accounts;
use crate::scenario::raw;
use lab_invocation::invocation::{Descriptor, Stdin};
use lab_invocation::layout::{Mount, MountFlags, NodeKind};
use lab_invocation::{Arguments, Bytes, Gid, Identity, Invocation, Layout, Uid};
use std::collections::BTreeSet;

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
    pub(super) args: Arguments,
    /// The whole vector, where a case gives it.
    pub(super) argv: Option<Arguments>,
    /// Names of numbers, once the tree is finished.
    pub(super) names: Names,
}

impl Draft {
    pub(super) fn new(accounts: &Accounts, raw: &raw::Subject, subject: Subject, identity: Identity) -> Self {
        let mut invocation = Invocation::quiet(subject.path.clone(), identity);
        for (name, value) in &raw.env.0 {
            set_variable(&mut invocation.env, &name.value.as_str().into(), &value.0);
        }
        // The tool writes there.
        let fresh = subject.is_tool().then(|| subject.policy.prefix.clone());
        let mut draft = Self {
            tree: tree::base(accounts, &subject.policy),
            mounts: Vec::new(),
            fresh: fresh.into_iter().collect(),
            invocation,
            needs: BTreeSet::from([Capability::SetGroupId]),
            argv0: None,
            args: raw.args.iter().flatten().map(|arg| arg.0.clone()).collect(),
            argv: None,
            names: Names::default(),
            subject,
        };
        if draft.subject.is_tool()
            && let Some(above) = parent(&draft.subject.path)
        {
            draft.tree.directory(&above, Uid::ROOT, Gid::ROOT, 0o755);
        }
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

    /// The directory that holds the subject's file; of the tool, the one that it installs into.
    pub(super) fn directory(&self) -> Bytes {
        if self.subject.is_tool() {
            return self.subject.policy.prefix.clone();
        }
        parent(&self.subject.path).unwrap_or_else(|| "/".into())
    }

    /// The file which the wrapper names to the kernel or to its interpreter: the script of the command, or the CGI driver.
    pub(super) fn script(&self) -> Bytes {
        let policy = &self.subject.policy;
        let name = match policy.kind {
            Kind::Cgi => tree::DRIVER.into(),
            Kind::Mail => match self.args.first() {
                Some(command) if policy.commands.contains(command) => command.clone(),
                _ => policy.commands.first().cloned().unwrap_or_default(),
            },
        };
        tree::script_path(policy, &name)
    }

    /// What the wrapper is to execute if it passes on every argument: interpreter and flags, script, and what the
    /// invoker gave after the command, or the one CGI name.
    pub(super) fn command_line(&self) -> Arguments {
        let policy = &self.subject.policy;
        let mut line = Arguments::default();
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
        self.needs.extend(needed_to_start(&self.invocation));
        if self.mounts.iter().any(|mount| mount.flags != MountFlags::default()) {
            self.needs.insert(Capability::MountFlags);
        }
        let subject = &self.subject;
        let policy = &subject.policy;
        if [policy.trusts.gid, policy.own.gid].contains(&Gid::OVERFLOW) {
            self.needs.insert(Capability::FullGidMap);
        }
        let groups = [subject.group, policy.own.gid, policy.trusts.gid].map(Gid::as_raw);
        let users = [subject.owner, policy.owner.0].map(Uid::as_raw);
        let files = self.tree.owners().flat_map(|(uid, gid)| [uid.as_raw(), gid.as_raw()]);
        if groups.into_iter().chain(users).chain(files).any(|number| number > 65_535) {
            self.needs.insert(Capability::LargeIds);
        }
    }

    /// The finished tree, without the subject's own file.
    pub(super) fn layout(&self) -> Layout {
        // A mount of the case's own covers the tool's prefix, or takes it away: then there is nothing to write.
        let prefix = &self.subject.policy.prefix;
        let gone = |path: &Bytes| {
            let is_directory = self.tree.get(path).is_some_and(|node| node.kind == NodeKind::Directory);
            self.subject.is_tool()
                && path == prefix
                && (!is_directory || self.mounts.iter().any(|mount| mount.at == *path))
        };
        Layout {
            nodes: self.tree.clone().into_nodes(),
            mounts: self.mounts.clone(),
            fresh: self.fresh.iter().filter(|path| !gone(path)).cloned().collect(),
        }
    }

    /// The subject, and the finished start.
    pub(super) fn finish(self) -> (Subject, Invocation) {
        let Self { subject, mut invocation, argv, argv0, args, .. } = self;
        invocation.argv = argv.unwrap_or_else(|| {
            let mut argv = Arguments::from([argv0.unwrap_or_else(|| invocation.program.clone())]);
            args.runs().iter().for_each(|(word, count)| argv.repeat(word.clone().into(), *count));
            argv
        });
        (subject, invocation)
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
