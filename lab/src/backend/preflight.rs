//! What a backend can do on this machine, found by doing each thing once.

use crate::backend::{BackendError, Worker};
use crate::capability::{Capabilities, Capability, Support};
use lab_invocation::evidence::Stage;
use lab_invocation::invocation::{Fault, FaultResult, Tracer};
use lab_invocation::layout::{Content, Layout, Mount, MountFlags, MountKind, Node, NodeKind, Order};
use lab_invocation::protocol::Probes;
use lab_invocation::{Evidence, Gid, Identity, Invocation, Uid};
use std::collections::BTreeSet;

/// Where the trial layout has its set-group-ID witness.
const WITNESS: &str = "/trial/witness";
/// Group of that file.
const GROUP: u32 = 2_000;
/// Another group.
const OTHER: u32 = 3_000;
/// User and group of the invoker.
const CALLER: u32 = 1_000;
/// Number of capabilities(7).
const CAP_NET_BIND_SERVICE: u32 = 10;
const CAP_SYS_CHROOT: u32 = 18;
/// Of linux/securebits.h.
const SECBIT_NO_CAP_AMBIENT_RAISE: u32 = 1 << 6;

/// How the trials of one backend differ from those of another.
pub(super) struct Trials {
    /// Flags of the mount that is tried.
    pub(super) flags: MountFlags,
    /// What helps where something is missing; `None` for what helps a machine.
    pub(super) cure: Option<&'static str>,
}

impl Default for Trials {
    fn default() -> Self {
        Self { flags: MountFlags { nosuid: true, noexec: false, nodev: true, read_only: true }, cure: None }
    }
}

/// Tries everything.
///
/// # Errors
/// Not even the plain layout can be opened.
pub(super) fn try_everything(worker: &mut dyn Worker, trials: &Trials) -> Result<Capabilities, BackendError> {
    let (_, probes) = worker.open(&layout(None), &|_| None)?;
    let mut found = Capabilities::new();
    for &capability in Capability::ALL {
        found.insert(capability, attempt(worker, capability, &probes, trials));
    }
    Ok(found)
}

/// Tries one thing, and believes only what the witness, the launcher or the subject's file shows.
fn attempt(worker: &mut dyn Worker, capability: Capability, probes: &Probes, trials: &Trials) -> Support {
    let trial = |worker: &mut dyn Worker,
                 mount: Option<(MountKind, MountFlags)>,
                 change: &dyn Fn(&mut Invocation),
                 shows: &dyn Fn(&Evidence) -> bool,
                 cure: &str| trial(worker, mount, change, shows, trials.cure.unwrap_or(cure));
    let as_root = "run the lab as root, or as a user with subordinate ids";
    match capability {
        Capability::SetGroupId => honoured(probes),
        Capability::SupplementaryGroups => {
            let groups = [1, 7, 65_535];
            let change = |i: &mut Invocation| i.identity.groups = groups.into_iter().filter_map(Gid::new).collect();
            let shows = |e: &Evidence| credentials(e, |c| c.groups.iter().map(|gid| gid.as_raw()).eq(groups));
            trial(worker, None, &change, &shows, as_root)
        }
        Capability::MountFlags => {
            let flags = trials.flags;
            let shows = |e: &Evidence| {
                let file = e.installed.as_ref();
                file.is_some_and(|file| file.mount == flags) && credentials(e, |c| c.gid.effective.as_raw() == CALLER)
            };
            trial(worker, Some((MountKind::Itself, flags)), &|_| {}, &shows, "mount_setattr(2) needs Linux 5.12")
        }
        Capability::UserNamespace => {
            let change = |i: &mut Invocation| i.transition.unmapped_gids = Gid::new(GROUP).into_iter().collect();
            let shows = |e: &Evidence| credentials(e, |c| c.gid.effective.as_raw() == CALLER) && maps_less(e);
            trial(worker, None, &change, &shows, "sysctl user.max_user_namespaces=10000")
        }
        Capability::FullGidMap => {
            let shows = |e: &Evidence| e.invoker.gid_map.split_whitespace().eq(["0", "0", "4294967295"]);
            trial(worker, None, &|_| {}, &shows, "run the lab as root: an ordinary user can map 65536 groups only")
        }
        Capability::LargeIds => {
            let large = 4_000_000_000;
            let shows = |e: &Evidence| credentials(e, |c| c.gid.real.as_raw() == large && c.uid.real.as_raw() == large);
            let cure = "run the lab as root: subordinate ids end at 65535 here";
            trial(worker, None, &|i| i.identity = identity(large), &shows, cure)
        }
        Capability::IdMappedMounts => {
            let (Some(from), Some(to)) = (Gid::new(GROUP), Gid::new(OTHER)) else {
                return no("group numbers", "none", "none");
            };
            let shows = |e: &Evidence| credentials(e, |c| c.gid.effective == to);
            let mount = (MountKind::IdMapped { from, to }, MountFlags::default());
            trial(worker, Some(mount), &|_| {}, &shows, "id-mapped mounts of tmpfs need Linux 6.3")
        }
        Capability::Overlay => {
            let mount = (MountKind::Overlay("/trial".into()), MountFlags::default());
            let shows = |e: &Evidence| credentials(e, |c| c.gid.effective.as_raw() == GROUP);
            trial(worker, Some(mount), &|_| {}, &shows, "modprobe overlay; in a user namespace it needs Linux 5.11")
        }
        Capability::SyscallFault => {
            // The witness reports the process number that it was told.
            let fault = Fault { call: "getpid".to_owned(), nth: 0, result: FaultResult::Value(4_242) };
            let change = |i: &mut Invocation| i.faults = vec![fault.clone()];
            let shows = |e: &Evidence| {
                credentials(e, |c| c.gid.effective.as_raw() == GROUP) && e.witness.iter().all(|w| w.pid == 4_242)
            };
            trial(
                worker,
                None,
                &change,
                &shows,
                "give the lab CAP_SYS_PTRACE, by which the agent takes over the filter's listener; seccomp(2) user notification needs Linux 5.5 and CONFIG_SECCOMP_FILTER",
            )
        }
        Capability::InvokerCapabilities => {
            // The last two need CAP_SETPCAP of the lab, the first that its bounding set has what is given.
            let change = |i: &mut Invocation| {
                i.capabilities.inheritable = [CAP_NET_BIND_SERVICE].into();
                i.capabilities.bounding_drop = [CAP_SYS_CHROOT].into();
                i.capabilities.securebits = Some(SECBIT_NO_CAP_AMBIENT_RAISE);
            };
            let shows = |e: &Evidence| {
                e.witness.iter().any(|w| {
                    let [inheritable, _, _, bounding, _] = w.capabilities;
                    inheritable == 1 << CAP_NET_BIND_SERVICE
                        && bounding & 1 << CAP_SYS_CHROOT == 0
                        && w.securebits == SECBIT_NO_CAP_AMBIENT_RAISE
                })
            };
            let cure = "give the lab's own bounding set cap_setpcap and cap_net_bind_service";
            trial(worker, None, &change, &shows, cure)
        }
        Capability::MemberRule => {
            let change = |i: &mut Invocation| {
                i.identity.groups = Gid::new(GROUP).into_iter().collect();
                i.transition.tracer = Some(Tracer::Invoker);
            };
            let shows = |e: &Evidence| e.invoker.traced && credentials(e, |c| c.gid.effective.as_raw() == GROUP);
            trial(worker, None, &change, &shows, "the rule came with Linux 6.16")
        }
        Capability::RootTracer => {
            let change = |i: &mut Invocation| i.transition.tracer = Some(Tracer::Root);
            let shows = |e: &Evidence| e.invoker.traced && credentials(e, |c| c.gid.effective.as_raw() == GROUP);
            trial(
                worker,
                None,
                &change,
                &shows,
                "give the lab CAP_SYS_PTRACE; sysctl kernel.yama.ptrace_scope=1 (3 forbids all tracing)",
            )
        }
    }
}

/// What the layout's own probes say.
fn honoured(probes: &Probes) -> Support {
    if probes.positive && !probes.negative && probes.witness {
        return Support::Yes;
    }
    no(
        "a set-group-ID probe, and the same on a nosuid mount",
        &format!("gained its group: {} and {}; witness heard: {}", probes.positive, probes.negative, probes.witness),
        "do not start the lab under no_new_privs (systemd NoNewPrivileges, bubblewrap, docker --security-opt no-new-privileges) or strace",
    )
}

/// Every capability is missing because no sandbox can be made.
pub(super) fn nothing(error: &BackendError) -> Capabilities {
    let support = Support::No { because: error.to_string(), cure: error.cure.clone() };
    Capability::ALL.iter().map(|&capability| (capability, support.clone())).collect()
}

/// Runs the installed witness in the trial layout, with one thing changed.
fn trial(
    worker: &mut dyn Worker,
    mount: Option<(MountKind, MountFlags)>,
    change: &dyn Fn(&mut Invocation),
    shows: &dyn Fn(&Evidence) -> bool,
    cure: &str,
) -> Support {
    let mut invocation = Invocation::quiet(WITNESS.into(), identity(CALLER));
    change(&mut invocation);
    let layout = layout(mount.map(|(kind, flags)| Mount { at: "/trial".into(), kind, flags }));
    let ran = worker.open(&layout, &|_| None).and_then(|(id, _)| worker.run(id, &invocation));
    judge(ran, shows, cure)
}

/// Whether the invoker's map leaves out something that the sandbox's own has.
fn maps_less(evidence: &Evidence) -> bool {
    evidence.invoker.gid_map.lines().count() > 1
}

fn judge(ran: Result<Evidence, BackendError>, shows: &dyn Fn(&Evidence) -> bool, cure: &str) -> Support {
    match ran {
        Ok(evidence) if shows(&evidence) => Support::Yes,
        Ok(Evidence { stage: Stage::Setup { step, errno }, .. }) => {
            let answer =
                if errno == 0 { "it failed".into() } else { std::io::Error::from_raw_os_error(errno).to_string() };
            no(&step, &answer, cure)
        }
        Ok(evidence) => no("a trial", &format!("the witness does not show it ({:?})", evidence.stage), cure),
        Err(error) => no(&error.step, &error.found, cure),
    }
}

fn no(tried: &str, answer: &str, cure: &str) -> Support {
    Support::No { because: format!("tried {tried}: {answer}"), cure: Some(cure.to_owned()) }
}

fn credentials(evidence: &Evidence, shows: impl Fn(&lab_invocation::Credentials) -> bool) -> bool {
    matches!(evidence.witness.as_slice(), [report] if shows(&report.credentials))
}

fn identity(number: u32) -> Identity {
    let (uid, gid) = (Uid::new(number).unwrap_or(Uid::OVERFLOW), Gid::new(number).unwrap_or(Gid::OVERFLOW));
    Identity { uid, effective_uid: uid, gid, effective_gid: gid, groups: BTreeSet::new() }
}

fn layout(mount: Option<Mount>) -> Layout {
    let node = |path: &str, group, mode, kind| Node {
        path: path.into(),
        owner: Uid::ROOT,
        group: Gid::new(group).unwrap_or(Gid::ROOT),
        mode,
        kind,
        order: Order::default(),
    };
    Layout {
        nodes: vec![
            node("/trial", 0, 0o755, NodeKind::Directory),
            node(WITNESS, GROUP, 0o2755, NodeKind::File(Content::Witness)),
        ],
        mounts: mount.into_iter().collect(),
        fresh: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Capability, Probes, Trials, attempt};
    use crate::backend::{BackendError, Blob, LayoutId, Worker};
    use crate::run::sample::evidence;
    use lab_invocation::evidence::{End, Stage};
    use lab_invocation::layout::Digest;
    use lab_invocation::{Evidence, Invocation, Layout};

    /// Where the agent may not look into another process.
    struct WithoutPtrace;

    impl Worker for WithoutPtrace {
        fn open(&mut self, _: &Layout, _: &dyn Fn(Digest) -> Option<Blob>) -> Result<(LayoutId, Probes), BackendError> {
            Ok((LayoutId(0), Probes { positive: true, negative: false, witness: true }))
        }

        fn run(&mut self, _: LayoutId, _: &Invocation) -> Result<Evidence, BackendError> {
            let stage = Stage::Setup { step: "install the system call filter".to_owned(), errno: 1 };
            Ok(Evidence { stage, witness: Vec::new(), ..evidence(End::Exited(0)) })
        }
    }

    #[test]
    fn what_needs_ptrace_names_it_in_the_cure() {
        for capability in [Capability::SyscallFault, Capability::RootTracer] {
            let probes = Probes { positive: true, negative: false, witness: true };
            let found = format!("{:?}", attempt(&mut WithoutPtrace, capability, &probes, &Trials::default()));
            assert!(found.contains("give the lab CAP_SYS_PTRACE"), "{found}");
        }
    }
}
