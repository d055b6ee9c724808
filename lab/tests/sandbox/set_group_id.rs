//! Whether the set-group-ID bit acts: every cause for which the kernel ignores it, each against the control in which it is
//! honoured. Rows of the table are those of credentials(7), execve(2) and user_namespaces(7).

use crate::fixtures::*;
use lab_invocation::evidence::{End, Stage};
use lab_invocation::invocation::{Tracer, Transition};
use lab_invocation::layout::{Layout, MountFlags, MountKind, Order};
use lab_invocation::{Evidence, Gid, Invocation};
use rstest::rstest;

const KEPT: [u32; 3] = [GID, GID, GID];
const GAINED: [u32; 3] = [GID, OWN_GID, OWN_GID];

/// Real, effective and saved gid as the witness had them.
fn gids(evidence: &Evidence) -> [u32; 3] {
    let gid = report(evidence).credentials.gid;
    [gid.real, gid.effective, gid.saved].map(Gid::as_raw)
}

fn with(transition: Transition) -> Invocation {
    Invocation { transition, ..invocation() }
}

#[test]
fn an_ordinary_mount_honours_the_bit() {
    let Some(mut worker) = worker() else { return };
    let evidence = run(worker.as_mut(), &layout(), &invocation());
    assert_eq!(gids(&evidence), GAINED);
    assert_eq!(report(&evidence).credentials.gid.fs.as_raw(), OWN_GID);
    assert_eq!(evidence.end, Some(End::Exited(0)));
    assert!(report(&evidence).secure, "AT_SECURE is set where the ids differ");
    let installed = evidence.installed.expect("the program is there");
    assert_eq!((installed.owner, installed.group, installed.mode, installed.links), (uid(0), gid(OWN_GID), 0o2755, 1));
}

#[rstest]
#[case::an_ordinary_one(MountFlags::default(), GAINED)]
#[case::nosuid(MountFlags { nosuid: true, ..MountFlags::default() }, KEPT)]
#[case::nosuid_and_read_only(MountFlags { nosuid: true, read_only: true, ..MountFlags::default() }, KEPT)]
#[case::nodev(MountFlags { nodev: true, ..MountFlags::default() }, GAINED)]
fn a_mount(#[case] flags: MountFlags, #[case] expected: [u32; 3]) {
    let Some(mut worker) = worker() else { return };
    let evidence = run(worker.as_mut(), &layout_with(MountKind::Itself, flags), &invocation());
    assert_eq!(gids(&evidence), expected);
    let installed = evidence.installed.as_ref().expect("the program is there");
    assert_eq!(installed.mount.nosuid, flags.nosuid, "the launcher saw the flag");
    assert_eq!((installed.group.as_raw(), installed.mode), (OWN_GID, 0o2755), "the file itself has the bit");
}

#[test]
fn a_noexec_mount_refuses_execution_which_is_a_result() {
    let Some(mut worker) = worker() else { return };
    let flags = MountFlags { noexec: true, ..MountFlags::default() };
    let evidence = run(worker.as_mut(), &layout_with(MountKind::Itself, flags), &invocation());
    assert_eq!(evidence.stage, Stage::Exec { errno: nix_errno::EACCES });
    assert_eq!((evidence.end, evidence.witness.len()), (None, 0));
}

/// Numbers of errno(3) that the tests name.
mod nix_errno {
    pub(super) const ENOENT: i32 = 2;
    pub(super) const EACCES: i32 = 13;
}

#[test]
fn a_missing_program_is_a_result() {
    let Some(mut worker) = worker() else { return };
    let evidence =
        run(worker.as_mut(), &layout(), &Invocation { program: "/usr/local/bin/absent".into(), ..invocation() });
    assert_eq!(evidence.stage, Stage::Exec { errno: nix_errno::ENOENT });
    assert_eq!(evidence.installed, None);
}

#[rstest]
#[case::no_new_privs(Transition { no_new_privs: true, ..Transition::default() }, KEPT)]
#[case::traced_by_the_invoker(Transition { tracer: Some(Tracer::Invoker), ..Transition::default() }, KEPT)]
#[case::traced_by_root(Transition { tracer: Some(Tracer::Root), ..Transition::default() }, GAINED)]
#[case::shared_file_system_attributes(Transition { share_fs: true, ..Transition::default() }, KEPT)]
#[case::foreign_mount(Transition { foreign_mount: true, ..Transition::default() }, KEPT)]
#[case::by_descriptor(Transition { by_descriptor: true, ..Transition::default() }, GAINED)]
#[case::gid_of_the_file_unmapped(Transition { unmapped_gids: [gid(OWN_GID)].into(), ..Transition::default() }, KEPT)]
#[case::owner_of_the_file_unmapped(Transition { unmapped_uids: [uid(0)].into(), ..Transition::default() }, KEPT)]
#[case::another_gid_unmapped(Transition { unmapped_gids: [gid(77)].into(), ..Transition::default() }, GAINED)]
#[case::own_gid_unmapped(Transition { unmapped_gids: [gid(GID)].into(), ..Transition::default() }, [65_534, OWN_GID, OWN_GID])]
fn a_transition(#[case] transition: Transition, #[case] expected: [u32; 3]) {
    let Some(mut worker) = worker() else { return };
    let evidence = run(worker.as_mut(), &layout(), &with(transition.clone()));
    assert_eq!(gids(&evidence), expected);
    assert_eq!(evidence.end, Some(End::Exited(0)));
    assert_eq!(evidence.strays, 0, "neither tracer nor sharer is taken for the subject's");
    assert_eq!(evidence.invoker.no_new_privs, transition.no_new_privs);
    assert_eq!(report(&evidence).no_new_privs, transition.no_new_privs);
    assert_eq!(evidence.invoker.traced, transition.tracer.is_some());
    let unmapped = !transition.unmapped_gids.is_empty() || !transition.unmapped_uids.is_empty();
    let plain = run(worker.as_mut(), &layout(), &invocation());
    assert_eq!(
        evidence.invoker.gid_map != plain.invoker.gid_map || evidence.invoker.uid_map != plain.invoker.uid_map,
        unmapped
    );
}

#[test]
fn an_unmapped_invoker_is_seen_as_the_overflow_user() {
    let Some(mut worker) = worker() else { return };
    let transition = Transition { unmapped_uids: [uid(UID)].into(), ..Transition::default() };
    let evidence = run(worker.as_mut(), &layout(), &with(transition));
    assert_eq!(report(&evidence).credentials.uid.real.as_raw(), 65_534);
    assert_eq!(gids(&evidence), GAINED);
}

#[test]
fn a_member_of_the_group_keeps_it_under_a_tracer_since_6_16() {
    let Some(mut worker) = worker() else { return };
    let release = backend().and_then(|backend| lab::backend::Backend::facts(backend).remove("kernel.osrelease"));
    let mut numbers = release.iter().flat_map(|text| text.split(['.', '-'])).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let mut member = with(Transition { tracer: Some(Tracer::Invoker), ..Transition::default() });
    member.identity.groups.insert(gid(OWN_GID));
    let expected = if version >= (6, 16) { GAINED } else { KEPT };
    assert_eq!(gids(&run(worker.as_mut(), &layout(), &member)), expected);
}

#[rstest]
#[case::group_cannot_execute(0o2745, Order::ChownThenChmod, 0o2745)]
#[case::chmod_before_chown(0o2755, Order::ChmodThenChown, 0o755)]
fn a_file(#[case] mode: u32, #[case] order: Order, #[case] seen: u32) {
    let Some(mut worker) = worker() else { return };
    let mut layout = layout();
    let program = layout.nodes.last_mut().expect("the program");
    (program.mode, program.order) = (mode, order);
    let evidence = run(worker.as_mut(), &layout, &invocation());
    assert_eq!(gids(&evidence), KEPT);
    assert_eq!(evidence.installed.expect("the program is there").mode, seen);
}

#[test]
fn an_overlay_forgets_the_nosuid_of_its_lower_layer() {
    let Some(mut worker) = worker() else { return };
    let flags = MountFlags { nosuid: true, ..MountFlags::default() };
    let mut layout = layout_with(MountKind::Itself, flags);
    layout.nodes.push(directory("/over", 0o755));
    layout.mounts.push(mount("/over", MountKind::Overlay("/usr/local/bin".into()), MountFlags::default()));
    assert_eq!(gids(&run(worker.as_mut(), &layout, &invocation())), KEPT, "the lower layer itself");
    let over = Invocation { program: "/over/program".into(), ..invocation() };
    assert_eq!(gids(&run(worker.as_mut(), &layout, &over)), GAINED, "through the overlay");
}

#[test]
fn an_id_mapped_mount_decides_the_group() {
    let Some(mut worker) = worker() else { return };
    let kind = MountKind::IdMapped { from: gid(OWN_GID), to: gid(77) };
    let evidence = run(worker.as_mut(), &layout_with(kind, MountFlags::default()), &invocation());
    assert_eq!(gids(&evidence), [GID, 77, 77]);
    assert_eq!(evidence.installed.expect("the program is there").group, gid(77));
}

#[rstest]
#[case::on_a_fresh_directory(MountFlags::default(), GAINED)]
#[case::on_a_fresh_nosuid_one(MountFlags { nosuid: true, ..MountFlags::default() }, KEPT)]
fn a_mount_of_the_case(#[case] flags: MountFlags, #[case] expected: [u32; 3]) {
    let Some(mut worker) = worker() else { return };
    let layout = Layout { fresh: vec!["/usr/local/bin".into()], ..layout_with(MountKind::Itself, flags) };
    let evidence = run(worker.as_mut(), &layout, &invocation());
    assert_eq!(gids(&evidence), expected);
    assert_eq!(evidence.changes, [], "nothing was changed");
}
