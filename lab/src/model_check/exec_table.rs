//! The table of starts: invokers × files × what can keep set-id bits from acting.

use lab_invocation::trial::{
    CapabilitySets, ExecTrial, Groups, State, TrialFile, TrialMount, TrialNamespace, TrialStart, TrialTracer,
};
use lab_model::capability::{CapSet, Capability, Securebits};

/// Real and effective id of an ordinary invoker.
const CALLER: u32 = 1000;
/// Group of the file.
const OWN: u32 = 2000;
/// A group or user of nobody.
const OTHER: u32 = 3000;
/// See capabilities(7).
const SYS_PTRACE: Capability = Capability(19);

/// One row, with a name for messages.
pub(super) struct Row {
    /// Invoker, file and circumstances in words.
    pub name: String,
    /// What is tried.
    pub trial: ExecTrial,
}

impl Row {
    /// Why an agent with these capabilities cannot make it, if so. A tracer without CAP_SYS_PTRACE is one without privilege,
    /// root or not: the kernel would answer another question.
    pub(super) fn beyond(&self, all: &CapabilitySets) -> Option<&'static str> {
        let able = CapSet(all.effective).contains(SYS_PTRACE);
        (self.trial.tracer == Some(TrialTracer::Privileged) && !able)
            .then_some("could not trace with privilege: the lab has no CAP_SYS_PTRACE")
    }
}

/// Every row, for processes that have at most the capabilities `all`.
pub(super) fn rows(all: &CapabilitySets) -> Vec<Row> {
    let mut rows = Vec::new();
    let plain = Trial::default();
    for invoker in invokers(all) {
        for file in files() {
            for (name, trial) in steered(&invoker) {
                rows.push(row(&invoker, &file, name, trial));
            }
        }
        for file in files().into_iter().filter(|file| file.in_short_list) {
            for (name, mount) in mounts() {
                rows.push(row(&invoker, &file, name, Trial { mount, ..plain }));
            }
            for (name, how) in
                [("as interpreter of a script", TrialStart::Script), ("by descriptor", TrialStart::Descriptor)]
            {
                rows.push(row(&invoker, &file, name, Trial { how, ..plain }));
            }
            for (name, how) in formats() {
                let namespace = Some(TrialNamespace::Without { uid: None, gid: None });
                rows.push(row(&invoker, &file, name, Trial { how, namespace, ..plain }));
            }
            rows.push(row(&invoker, &file, "over RLIMIT_NPROC", Trial { no_processes: true, ..plain }));
            for (name, namespace) in namespaces() {
                for no_new_privs in [false, true] {
                    rows.push(row(&invoker, &file, name, Trial { namespace: Some(namespace), no_new_privs, ..plain }));
                }
            }
        }
    }
    rows
}

fn row(invoker: &Invoker, file: &File, name: &str, trial: Trial) -> Row {
    let Trial { no_new_privs, mount, how, tracer, shares_fs, no_processes, namespace } = trial;
    let mut state = invoker.state;
    if namespace == Some(TrialNamespace::OwnIdsOnly) {
        // Whoever makes a user namespace is all-powerful in it; it has no other group, and no way to change that.
        state.capabilities = CapabilitySets {
            permitted: state.capabilities.bounding,
            effective: state.capabilities.bounding,
            inheritable: 0,
            ambient: 0,
            ..state.capabilities
        };
        state.securebits = 0;
    }
    let also = if no_new_privs && namespace.is_some() { " with no_new_privs" } else { "" };
    Row {
        name: format!("{}, {}, {name}{also}", invoker.name, file.name),
        trial: ExecTrial {
            state,
            no_new_privs,
            file: file.file,
            mount,
            how,
            tracer,
            shares_fs,
            no_processes,
            namespace,
        },
    }
}

/// What a row adds to invoker and file.
#[derive(Clone, Copy)]
struct Trial {
    no_new_privs: bool,
    mount: TrialMount,
    how: TrialStart,
    tracer: Option<TrialTracer>,
    shares_fs: bool,
    no_processes: bool,
    namespace: Option<TrialNamespace>,
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            no_new_privs: false,
            mount: TrialMount::Plain,
            how: TrialStart::Path,
            tracer: None,
            shares_fs: false,
            no_processes: false,
            namespace: None,
        }
    }
}

struct Invoker {
    name: &'static str,
    state: State,
}

/// Real, effective and saved id.
const fn ids(real: u32, effective: u32, saved: u32) -> [u32; 4] {
    [real, effective, saved, effective]
}

fn invokers(all: &CapabilitySets) -> Vec<Invoker> {
    let nothing = CapabilitySets { bounding: all.bounding, ..CapabilitySets::default() };
    let root = CapabilitySets { permitted: all.permitted, effective: all.permitted, ..nothing };
    let raw = CapSet::of(&[Capability::MKNOD]).0;
    let ambient = CapabilitySets { permitted: raw, effective: raw, inheritable: raw, ambient: raw, ..nothing };
    let state = |uid, gid, groups: &[u32], capabilities| State {
        uid,
        gid,
        groups: Groups::new(groups),
        capabilities,
        securebits: 0,
    };
    let (caller, caller_group) = (ids(CALLER, CALLER, CALLER), ids(CALLER, CALLER, CALLER));
    let zero = ids(0, 0, 0);
    let user = |name, gid, groups: &[u32]| Invoker { name, state: state(caller, gid, groups, nothing) };
    let rooted = |name, uid, capabilities, securebits: Securebits| Invoker {
        name,
        state: State { securebits: securebits.0, ..state(uid, caller_group, &[], capabilities) },
    };
    vec![
        user("a user", caller_group, &[]),
        user("a member of the file's group", caller_group, &[OWN]),
        user("a user whose real gid is the file's", ids(OWN, OWN, OWN), &[]),
        user("a user with the file's group borrowed", ids(CALLER, OWN, OWN), &[]),
        user("a user with another group borrowed", ids(CALLER, OTHER, OTHER), &[]),
        user("a user with the file's group saved", ids(CALLER, CALLER, OWN), &[]),
        user("a user whose file-system gid is the file's", [CALLER, CALLER, OWN, OWN], &[]),
        Invoker {
            name: "a user with another user borrowed",
            state: state(ids(CALLER, OTHER, OTHER), caller_group, &[], nothing),
        },
        Invoker {
            name: "a user without bounding set",
            state: state(caller, caller_group, &[], CapabilitySets::default()),
        },
        Invoker { name: "a user with an ambient capability", state: state(caller, caller_group, &[], ambient) },
        Invoker { name: "a member with an ambient capability", state: state(caller, caller_group, &[OWN], ambient) },
        Invoker { name: "a user with all capabilities", state: state(caller, caller_group, &[], root) },
        Invoker { name: "root of group 0", state: state(zero, zero, &[], root) },
        rooted("root", zero, root, Securebits::default()),
        rooted("root with KEEP_CAPS", zero, root, Securebits::KEEP_CAPS),
        rooted("root with NOROOT", zero, root, Securebits::NOROOT),
        rooted("root without capabilities", zero, nothing, Securebits::default()),
        rooted("root without bounding set", zero, CapabilitySets { bounding: 0, ..root }, Securebits::default()),
        rooted("real uid 0 alone", ids(0, CALLER, CALLER), nothing, Securebits::default()),
        rooted("effective uid 0 alone", ids(CALLER, 0, 0), root, Securebits::default()),
    ]
}

struct File {
    name: &'static str,
    file: TrialFile,
    /// Tried with every mount and namespace as well.
    in_short_list: bool,
}

fn files() -> Vec<File> {
    let file = |name, mode, in_short_list| File {
        name,
        file: TrialFile { owner: 0, group: OWN, mode, capabilities: None },
        in_short_list,
    };
    let set_gid = CapSet::of(&[Capability::SETGID]).0;
    let with = |name, mode, capabilities, in_short_list| {
        let mut file = file(name, mode, in_short_list);
        file.file.capabilities = Some(capabilities);
        file
    };
    let raw = CapSet::of(&[Capability::MKNOD]).0;
    vec![
        file("mode 755", 0o755, false),
        file("mode 2755", 0o2755, true),
        file("mode 2705", 0o2705, false),
        file("mode 2745", 0o2745, false),
        file("mode 2750", 0o2750, false),
        file("mode 4755", 0o4755, true),
        file("mode 6755", 0o6755, false),
        File {
            name: "mode 4755 of another user",
            file: TrialFile { owner: OTHER, group: OWN, mode: 0o4755, capabilities: None },
            in_short_list: false,
        },
        with("mode 755 with cap_setgid+ep", 0o755, (set_gid, 0, true), true),
        with("mode 755 with cap_setgid+p", 0o755, (set_gid, 0, false), false),
        with("mode 755 with cap_mknod+ei", 0o755, (0, raw, true), false),
        with("mode 6755 with cap_setgid+ep", 0o6755, (set_gid, 0, true), false),
    ]
}

/// Who or what steers a process across exec. A tracer without capabilities cannot trace a process that has some.
fn steered(invoker: &Invoker) -> Vec<(&'static str, Trial)> {
    let plain = Trial::default();
    let mut steered = vec![
        ("undisturbed", plain),
        ("with no_new_privs", Trial { no_new_privs: true, ..plain }),
        ("sharing its working directory", Trial { shares_fs: true, ..plain }),
        ("with no_new_privs, sharing its working directory", Trial { no_new_privs: true, shares_fs: true, ..plain }),
        ("traced by root", Trial { tracer: Some(TrialTracer::Privileged), ..plain }),
    ];
    if invoker.state.capabilities.permitted == 0 {
        let tracer = Some(TrialTracer::Unprivileged);
        steered.push(("traced by its like", Trial { tracer, ..plain }));
        steered.push(("with no_new_privs, traced by its like", Trial { tracer, no_new_privs: true, ..plain }));
    }
    steered
}

fn mounts() -> Vec<(&'static str, TrialMount)> {
    vec![
        ("on a nosuid mount", TrialMount::Nosuid),
        ("on a noexec mount", TrialMount::Noexec),
        ("on a mount of another mount namespace", TrialMount::Foreign),
        ("on a file system of another user namespace", TrialMount::OtherUserNamespace),
        ("on an id-mapped mount", TrialMount::IdMapped { from: OWN, to: OTHER }),
        ("on an id-mapped mount that lacks its group", TrialMount::IdMapped { from: OTHER, to: OTHER }),
        ("on an overlay of a nosuid mount", TrialMount::OverlayOfNosuid),
        ("on a nosuid overlay", TrialMount::NosuidOverlay),
    ]
}

fn formats() -> [(&'static str, TrialStart); 2] {
    [
        ("in a format whose interpreter counts", TrialStart::Format { credentials: false }),
        ("in a format with the flag C", TrialStart::Format { credentials: true }),
    ]
}

fn namespaces() -> Vec<(&'static str, TrialNamespace)> {
    let without = |uid, gid| TrialNamespace::Without { uid, gid };
    vec![
        ("in a user namespace with everything mapped", without(None, None)),
        ("in a user namespace without the file's group", without(None, Some(OWN))),
        ("in a user namespace without the file's owner", without(Some(0), None)),
        ("in a user namespace without the caller's group", without(None, Some(CALLER))),
        ("in a user namespace of its own ids only", TrialNamespace::OwnIdsOnly),
    ]
}

#[cfg(test)]
mod tests {
    use super::{SYS_PTRACE, rows};
    use lab_invocation::trial::CapabilitySets;
    use lab_model::capability::CapSet;

    #[test]
    fn a_tracer_with_privilege_is_beyond_an_agent_that_has_none() {
        let every = CapabilitySets { permitted: u64::MAX, effective: u64::MAX, ..CapabilitySets::default() };
        let tracing = CapSet::of(&[SYS_PTRACE]).0;
        let fewer = CapabilitySets { effective: every.effective & !tracing, ..every };
        let rows = rows(&every);
        assert!(rows.iter().all(|row| row.beyond(&every).is_none()));
        let beyond = rows.iter().filter(|row| row.beyond(&fewer).is_some());
        let traced = rows.iter().filter(|row| row.name.ends_with("traced by root"));
        let names = |row: &super::Row| row.name.clone();
        let traced: Vec<String> = traced.map(names).collect();
        assert!(!traced.is_empty());
        assert_eq!(beyond.map(names).collect::<Vec<_>>(), traced);
    }
}
