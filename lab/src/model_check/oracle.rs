//! The model, asked in the words of a trial. [`Oracle`] is a trait so that a test can put a wrong model in its place and
//! see that the check notices.

use lab_invocation::trial::{
    self, Call, CapabilitySets, ExecTrial, State, TrialMount, TrialNamespace, TrialStart, TrialTracer,
};
use lab_model::capability::{CapSet, Capabilities, Securebits};
use lab_model::exec::{Circumstances, Executed, FileCapabilities, Image, Kernel, MountView, Tracer};
use lab_model::files::{Entry, EntryKind, Files, Mount};
use lab_model::ids::Ids;
use lab_model::namespace::{Extent, IdMap, UserNamespace};
use lab_model::process::Errno;
use lab_model::setid::{self, Kind};
use lab_model::{Process, exec};
use std::collections::BTreeMap;

/// Says what must come out.
pub trait Oracle: Sync {
    /// What a call returns (a negative error number if it fails); `process` becomes what it is afterwards.
    fn call(&self, process: &mut Process, call: &Call) -> i64;

    /// What exec makes of a process.
    ///
    /// # Errors
    /// The error number of execve(2).
    fn exec(
        &self,
        process: &Process,
        image: &Image,
        circumstances: Circumstances,
        kernel: Kernel,
    ) -> Result<Executed, Errno>;
}

/// The model itself.
pub struct Model;

impl Oracle for Model {
    fn call(&self, process: &mut Process, call: &Call) -> i64 {
        let answer = match *call {
            Call::SetGroups(ref groups) => process.set_groups(groups.as_slice()),
            _ => {
                let (kind, call) = set_id(call);
                process.set_id(kind, &call)
            }
        };
        answer.map_or_else(|errno| -i64::from(errno.number()), i64::from)
    }

    fn exec(
        &self,
        process: &Process,
        image: &Image,
        circumstances: Circumstances,
        kernel: Kernel,
    ) -> Result<Executed, Errno> {
        exec::exec(process, image, circumstances, kernel)
    }
}

/// A call of a trial in the model's words; setgroups(2), which is none of these, becomes a call that changes nothing.
pub(super) fn set_id(call: &Call) -> (Kind, setid::Call) {
    match *call {
        Call::SetUid(id) => (Kind::User, setid::Call::Set(id)),
        Call::SetReUid(real, effective) => (Kind::User, setid::Call::SetRe(real, effective)),
        Call::SetResUid(real, effective, saved) => (Kind::User, setid::Call::SetRes(real, effective, saved)),
        Call::SetFsUid(id) => (Kind::User, setid::Call::SetFs(id)),
        Call::SetGid(id) => (Kind::Group, setid::Call::Set(id)),
        Call::SetReGid(real, effective) => (Kind::Group, setid::Call::SetRe(real, effective)),
        Call::SetResGid(real, effective, saved) => (Kind::Group, setid::Call::SetRes(real, effective, saved)),
        Call::SetFsGid(id) => (Kind::Group, setid::Call::SetFs(id)),
        Call::SetGroups(_) => (Kind::Group, setid::Call::SetFs(u32::MAX)),
    }
}

/// A state in the model's words.
pub(super) fn process(state: &State, namespace: UserNamespace) -> Process {
    let sets = &state.capabilities;
    Process {
        uid: ids(state.uid),
        gid: ids(state.gid),
        groups: state.groups.as_slice().to_vec(),
        capabilities: Capabilities {
            permitted: CapSet(sets.permitted),
            effective: CapSet(sets.effective),
            inheritable: CapSet(sets.inheritable),
            ambient: CapSet(sets.ambient),
            bounding: CapSet(sets.bounding),
        },
        securebits: Securebits(state.securebits),
        no_new_privs: false,
        dumpable: true,
        parent_death_signal: 0,
        namespace,
    }
}

/// A process of the model as it would read itself.
pub(super) fn state(process: &Process) -> State {
    let (uids, gids) = (&process.namespace.uids, &process.namespace.gids);
    let four = |ids: Ids, map: &IdMap| [ids.real, ids.effective, ids.saved, ids.fs].map(|id| map.seen(id));
    let groups: Vec<u32> = process.groups.iter().map(|&gid| gids.seen(gid)).collect();
    let sets = &process.capabilities;
    State {
        uid: four(process.uid, uids),
        gid: four(process.gid, gids),
        groups: trial::Groups::new(&groups),
        capabilities: CapabilitySets {
            permitted: sets.permitted.0,
            effective: sets.effective.0,
            inheritable: sets.inheritable.0,
            ambient: sets.ambient.0,
            bounding: sets.bounding.0,
        },
        securebits: process.securebits.0,
    }
}

fn ids([real, effective, saved, fs]: [u32; 4]) -> Ids {
    Ids { real, effective, saved, fs }
}

/// The namespace that maps 0 and 1 only.
pub(super) fn first_two(setgroups: bool) -> UserNamespace {
    let map = || IdMap(vec![Extent { inside: 0, outside: 0, count: 2 }]);
    UserNamespace { uids: map(), gids: map(), setgroups }
}

/// A start of a program in the model's words.
pub(super) struct Start {
    /// The process just before.
    pub process: Process,
    /// The file.
    pub image: Image,
    /// What else decides.
    pub circumstances: Circumstances,
    /// Why the file cannot be executed at all: permission, or a noexec mount.
    pub refused: Option<Errno>,
}

/// Translates a trial.
pub(super) fn start(trial: &ExecTrial) -> Start {
    let namespace = match trial.namespace {
        None => UserNamespace::initial(),
        Some(TrialNamespace::Without { uid, gid }) => {
            UserNamespace { uids: IdMap::full_without(uid), gids: IdMap::full_without(gid), setgroups: true }
        }
        Some(TrialNamespace::OwnIdsOnly) => {
            let [uid, gid] = [trial.state.uid[0], trial.state.gid[0]]
                .map(|outside| IdMap(vec![Extent { inside: 0, outside, count: 1 }]));
            UserNamespace { uids: uid, gids: gid, setgroups: false }
        }
    };
    let mut process = process(&trial.state, namespace);
    process.no_new_privs = trial.no_new_privs;
    process.parent_death_signal = trial::DEATH_SIGNAL;
    let file = &trial.file;
    let mut group = Some(file.group);
    let mut mount = MountView::default();
    match trial.mount {
        TrialMount::Plain | TrialMount::Noexec | TrialMount::OverlayOfNosuid => {}
        TrialMount::Nosuid | TrialMount::NosuidOverlay => mount.nosuid = true,
        TrialMount::Foreign => mount.foreign = true,
        TrialMount::OtherUserNamespace => mount.foreign_owner = true,
        TrialMount::IdMapped { from, to } => group = (file.group == from).then_some(to),
    }
    let capabilities = file.capabilities.map(|(permitted, inheritable, effective)| FileCapabilities {
        permitted: CapSet(permitted),
        inheritable: CapSet(inheritable),
        effective,
    });
    let tracer = trial.tracer.map(|tracer| match tracer {
        TrialTracer::Privileged => Tracer::Privileged,
        TrialTracer::Unprivileged => Tracer::Unprivileged,
    });
    // It is counted where the real uid changes, which root's does not here: execve(2), EAGAIN.
    let over_process_limit = trial.no_processes && trial.state.uid[0] != 0;
    let refused = permission(&process, trial, group).err();
    let image = match trial.how {
        TrialStart::Format { credentials: false } => INTERPRETER,
        _ => Image { owner: Some(file.owner), group, mode: file.mode, capabilities, mount },
    };
    Start {
        process,
        refused,
        image,
        circumstances: Circumstances { tracer, shares_fs: trial.shares_fs, over_process_limit },
    }
}

/// What starts a file whose own bits do not count: `Documentation/admin-guide/binfmt-misc.rst`, flag C.
const INTERPRETER: Image = Image {
    owner: Some(0),
    group: Some(0),
    mode: 0o755,
    capabilities: None,
    mount: MountView { nosuid: false, foreign: false, foreign_owner: false },
};

/// Execute permission of the file, which the mount shows with this group.
fn permission(process: &Process, trial: &ExecTrial, group: Option<u32>) -> Result<(), Errno> {
    let path = b"/program".to_vec();
    // A group without a mapping is nobody's: no process has the number -1.
    let group = group.unwrap_or(u32::MAX);
    let entry = Entry { kind: EntryKind::Program, owner: trial.file.owner, group, mode: trial.file.mode };
    let noexec = trial.mount == TrialMount::Noexec;
    let mount = Mount { at: path.clone(), shows: None, nosuid: false, noexec, shows_group: None };
    let files = Files { entries: BTreeMap::from([(path.clone(), entry)]), mounts: vec![mount] };
    files.find_program(&path, process, false).map(drop)
}
