//! An attempt in the words of the model, and what the subject finds when it has been started.
//!
//! Only what a decision depends on: the room (descriptors, limits, signals …) is a quiet one, because the wrapper has put
//! it in order before it decides, and every file lies where it should.

use lab_invocation::attempt::{Attempt, GroupFile, Program, Sealed};
use lab_invocation::invocation::Tracer;
use lab_invocation::{Bytes, Identity, Uid};
use lab_model::capability::{CapSet, Capability, Securebits};
use lab_model::exec::{self, Circumstances, Image, Kernel, MountView};
use lab_model::files::{Entry, EntryKind, Files};
use lab_model::group_database::GroupDatabase;
use lab_model::ids::{Ids, KEEP};
use lab_model::namespace::{IdMap, UserNamespace};
use lab_model::policy;
use lab_model::setid::{Call, Kind};
use lab_model::start::{Argv, Installation, Invoker, Room};
use lab_model::{Decision, Process, Rules, Start};
use nix::errno::Errno;
use std::borrow::Cow;
use std::collections::BTreeSet;
use wrapper::credentials::{Credentials, Gid, GroupIds, regains};

/// Where the subject lies. A policy which names this very place has its script or interpreter refused later, by the check of the
const SUBJECT: &[u8] = b"/.subject";

/// What the model says must come out.
pub fn predict(attempt: &Attempt) -> Decision {
    let invoker = invoker(attempt);
    let kernel = kernel(attempt);
    let installation =
        Installation { path: SUBJECT.to_vec(), files: files(attempt), groups: groups(attempt), device_null: true };
    let policy = policy(&attempt.sealed);
    let start =
        Start { installation: &installation, invoker: &invoker, policy: &policy, rules: &Rules::Sealed, kernel };
    lab_model::decide(&start)
}

/// The subject just after exec, by the rules of the model; `None` if it is not started at all.
pub fn executed(attempt: &Attempt) -> Option<Process> {
    let invoker = invoker(attempt);
    let transition = &attempt.invocation.transition;
    let image = Image {
        owner: Some(0),
        group: Some(attempt.sealed.own.gid.as_raw()),
        mode: 0o2755,
        capabilities: None,
        mount: MountView { foreign: transition.foreign_mount, ..MountView::default() },
    };
    let executed = exec::exec(&invoker.process, &image, invoker.circumstances, kernel(attempt)).ok()?;
    Some(executed.process)
}

/// What a process reads about itself.
pub fn credentials(process: &Process) -> Option<Credentials> {
    let seen = |gid: u32| Gid::new(process.namespace.gids.seen(gid));
    let uids = [process.uid.real, process.uid.effective].map(|uid| process.namespace.uids.seen(uid));
    let permitted = u32::try_from(process.capabilities.permitted.0 & u64::from(u32::MAX)).ok()?;
    Some(Credentials {
        real: seen(process.gid.real)?,
        effective: seen(process.gid.effective)?,
        regains: regains(uids, permitted),
    })
}

/// The kernel as the wrapper asks it to switch the group of a process.
#[derive(Clone, Debug)]
pub struct ModelKernel(pub Process);

impl GroupIds for ModelKernel {
    fn set(&mut self, gids: [Option<Gid>; 3]) -> Result<(), Errno> {
        let [real, effective, saved] = gids.map(|gid| gid.map_or(KEEP, Gid::as_raw));
        let answer = self.0.set_id(Kind::Group, &Call::SetRes(real, effective, saved));
        answer.map(drop).map_err(|errno| Errno::from_raw(errno.number()))
    }

    fn get(&self) -> Result<[u32; 3], Errno> {
        let gid = self.0.gid;
        Ok([gid.real, gid.effective, gid.saved].map(|gid| self.0.namespace.gids.seen(gid)))
    }
}

/// The newest one that was compared with the model; for an empty argument vector the last one that delivers it.
fn kernel(attempt: &Attempt) -> Kernel {
    if attempt.invocation.argv.is_empty() { Kernel { major: 5, minor: 17 } } else { Kernel::LATEST }
}

fn raw(bytes: &Bytes) -> Vec<u8> {
    bytes.0.clone()
}

fn policy(sealed: &Sealed) -> policy::Policy {
    let group = |group: &lab_invocation::attempt::Group| policy::Group {
        gid: group.gid.as_raw(),
        name: String::from_utf8_lossy(group.name.as_slice()).into_owned(),
    };
    let interpreter = sealed.interpreter.iter().flat_map(|(path, flags)| std::iter::once(path).chain(flags));
    policy::Policy {
        program: match &sealed.program {
            Program::Mail(commands) => policy::Program::Mail { commands: commands.iter().map(raw).collect() },
            Program::Cgi(page) => policy::Program::Cgi { script: raw(page) },
        },
        trusted: group(&sealed.trusted),
        own: group(&sealed.own),
        owner: sealed.owner.uid.as_raw(),
        prefix: raw(&sealed.prefix),
        interpreter: interpreter.map(raw).collect(),
        keep: sealed.keep.iter().map(raw).collect(),
        style: if sealed.defer { policy::Style::Defer } else { policy::Style::Mailman },
        // Targets ask only about policies that the wrapper takes; whether it should is asked in `policy_section`.
        unsound: None,
    }
}

/// Subject, scripts and interpreter, all as they should be.
fn files(attempt: &Attempt) -> Files {
    let sealed = &attempt.sealed;
    let program = |group, mode| Entry { kind: EntryKind::Program, owner: 0, group, mode };
    let script = |name: &Bytes| [sealed.prefix.as_slice(), b"/scripts/", name.as_slice()].concat();
    let mut files = Files::default();
    let mut add = |path: Vec<u8>| files.entries.insert(path, program(0, 0o755));
    match &sealed.program {
        Program::Mail(commands) => commands.iter().for_each(|command| drop(add(script(command)))),
        Program::Cgi(_) => drop(add(script(&"driver".into()))),
    }
    if let Some((path, _)) = &sealed.interpreter {
        add(raw(path));
    }
    files.entries.insert(SUBJECT.to_vec(), program(sealed.own.gid.as_raw(), 0o2755));
    files
}

fn groups(attempt: &Attempt) -> GroupDatabase {
    match &attempt.group_file {
        GroupFile::Unreadable => GroupDatabase::Unreadable,
        GroupFile::Rows(rows) => {
            let name = |bytes: &Bytes| String::from_utf8_lossy(bytes.as_slice()).into_owned();
            GroupDatabase::Rows(rows.iter().map(|row| (name(&row.name), row.gid.as_raw())).collect())
        }
    }
}

fn invoker(attempt: &Attempt) -> Invoker<'_> {
    let invocation = &attempt.invocation;
    let transition = &invocation.transition;
    // The agent's tracer takes the real ids three times, because ptrace(2) compares them with every id of the tracee.
    let root = invocation.identity.uid == Uid::ROOT;
    let tracer = transition.tracer.map(|tracer| match tracer {
        Tracer::Invoker if !root => exec::Tracer::Unprivileged,
        Tracer::Invoker | Tracer::Root => exec::Tracer::Privileged,
    });
    Invoker {
        process: process(attempt),
        circumstances: Circumstances { tracer, shares_fs: transition.share_fs, over_process_limit: false },
        foreign_mount: transition.foreign_mount,
        argv: Argv(Cow::Borrowed(invocation.argv.runs())),
        env: Cow::Borrowed(Bytes::vectors(&invocation.env)),
        room: Room::quiet(),
    }
}

fn process(attempt: &Attempt) -> Process {
    let invocation = &attempt.invocation;
    let Identity { uid, effective_uid, gid, effective_gid, groups } = &invocation.identity;
    let ids = |real: u32, effective: u32| Ids::new(real, effective, effective);
    let mut process = Process::with_ids(
        ids(uid.as_raw(), effective_uid.as_raw()),
        ids(gid.as_raw(), effective_gid.as_raw()),
        groups.iter().map(|gid| gid.as_raw()),
    );
    let transition = &invocation.transition;
    process.no_new_privs = transition.no_new_privs;
    process.namespace = UserNamespace {
        uids: IdMap::full_without(transition.unmapped_uids.iter().map(|uid| uid.as_raw())),
        gids: IdMap::full_without(transition.unmapped_gids.iter().map(|gid| gid.as_raw())),
        setgroups: true,
    };
    let asked = &invocation.capabilities;
    let (kept, ambient) = (set(&asked.kept), set(&asked.ambient));
    let sets = &mut process.capabilities;
    sets.bounding = sets.bounding.without(set(&asked.bounding_drop));
    // Root has every capability, unless it is said which he keeps: then those alone.
    if !kept.is_empty() || (*uid != Uid::ROOT && *effective_uid != Uid::ROOT) {
        (sets.permitted, sets.effective) = (kept.union(ambient), kept.union(ambient));
    }
    sets.inheritable = sets.inheritable.union(set(&asked.inheritable)).union(ambient);
    sets.ambient = sets.ambient.union(ambient);
    if let Some(bits) = asked.securebits {
        process.securebits = Securebits(bits);
    }
    process
}

/// Numbers beyond the last capability are none.
fn set(numbers: &BTreeSet<u32>) -> CapSet {
    let known = numbers.iter().filter_map(|&number| u8::try_from(number).ok()).map(Capability);
    CapSet::of(&known.filter(|capability| *capability <= Capability::LAST).collect::<Vec<_>>())
}
