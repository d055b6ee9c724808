//! What the namespace backend can do on this machine, found by doing each thing once.

use super::NamespaceWorker;
use crate::backend::{BackendError, Worker};
use crate::capability::{Capabilities, Capability, Support};
use lab_invocation::evidence::Stage;
use lab_invocation::layout::{Content, Layout, Mount, MountFlags, MountKind, Node, NodeKind, Order};
use lab_invocation::{Evidence, Gid, Identity, Invocation, Uid};
use std::collections::BTreeSet;

/// Where the trial layout has its set-group-ID witness.
const WITNESS: &str = "/trial/witness";
/// Group of that file, and another one.
const GROUP: u32 = 2_000;
const OTHER: u32 = 1_000;

/// Tries everything.
///
/// # Errors
/// Not even the plain layout can be opened.
pub(super) fn try_everything(worker: &mut NamespaceWorker) -> Result<Capabilities, BackendError> {
    let mut found = Capabilities::new();
    let plain = layout(None);
    let (layout_id, probes) = worker.open(&plain, &|_| None)?;
    let honoured = if probes.positive && !probes.negative && probes.witness {
        Support::Yes
    } else {
        no(
            "a set-group-ID probe, and the same on a nosuid mount",
            &format!("gained: {} and {}; witness heard: {}", probes.positive, probes.negative, probes.witness),
            "do not run the lab under no_new_privs (systemd NoNewPrivileges, bubblewrap, docker --security-opt no-new-privileges) or strace",
        )
    };
    found.insert(Capability::SetGroupId, honoured);
    let mut attempt = |capability, change: &dyn Fn(&mut Invocation), shows: &dyn Fn(&Evidence) -> bool, cure| {
        let mut invocation = Invocation::quiet(WITNESS.into(), identity(OTHER));
        change(&mut invocation);
        let support = judge(worker.run(layout_id, &invocation), shows, cure);
        found.insert(capability, support);
    };
    attempt(
        Capability::SupplementaryGroups,
        &|invocation| invocation.identity.groups = [1, 7, 65_535].into_iter().filter_map(Gid::new).collect(),
        &|evidence| credentials(evidence, |c| c.groups.iter().map(|g| g.as_raw()).eq([1, 7, 65_535])),
        "run the lab as root, or with subordinate ids",
    );
    attempt(
        Capability::LargeIds,
        &|invocation| invocation.identity = identity(4_000_000_000),
        &|evidence| credentials(evidence, |c| c.gid.real.as_raw() == 4_000_000_000),
        "run the lab as root: subordinate ids end at 65535",
    );
    attempt(
        Capability::FullGidMap,
        &|_| {},
        &|evidence| evidence.invoker.gid_map.split_whitespace().eq(["0", "0", "4294967295"]),
        "run the lab as root: an ordinary user can map 65536 groups only",
    );
    found.insert(Capability::MountFlags, flags(worker));
    for capability in Capability::ALL {
        found.entry(*capability).or_insert_with(|| no("nothing", "this backend does not try it yet", "none"));
    }
    Ok(found)
}

/// Every capability is missing because no sandbox can be made.
pub(super) fn nothing(error: &BackendError) -> Capabilities {
    let cure = error.cure.as_deref().map(|cure| format!("; {cure}")).unwrap_or_default();
    let because = format!("{error}{cure}");
    Capability::ALL.iter().map(|&capability| (capability, Support::No { because: because.clone() })).collect()
}

/// A mount with all four flags must show all four.
fn flags(worker: &mut NamespaceWorker) -> Support {
    let flags = MountFlags { nosuid: true, noexec: false, nodev: true, read_only: true };
    let layout = layout(Some(Mount { at: "/trial".into(), kind: MountKind::Itself, flags }));
    let ran = worker
        .open(&layout, &|_| None)
        .and_then(|(id, _)| worker.run(id, &Invocation::quiet(WITNESS.into(), identity(OTHER))));
    let shows = |evidence: &Evidence| {
        evidence.installed.as_ref().is_some_and(|file| file.mount == flags)
            && credentials(evidence, |c| c.gid.effective.as_raw() == OTHER)
    };
    judge(ran, &shows, "see mount_setattr(2)")
}

fn judge(ran: Result<Evidence, BackendError>, shows: &dyn Fn(&Evidence) -> bool, cure: &str) -> Support {
    match ran {
        Ok(evidence) if shows(&evidence) => Support::Yes,
        Ok(Evidence { stage: Stage::Setup { step, errno }, .. }) => no(&step, &super::client::words("it", errno), cure),
        Ok(evidence) => no("a trial", &format!("the witness does not show it ({:?})", evidence.stage), cure),
        Err(error) => no(&error.step, &error.found, cure),
    }
}

fn no(tried: &str, answer: &str, cure: &str) -> Support {
    Support::No { because: format!("tried {tried}: {answer}; cure: {cure}") }
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
