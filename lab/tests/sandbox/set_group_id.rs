//! Whether the set-group-ID bit acts.

use crate::fixtures::*;
use lab_invocation::evidence::End;
use lab_invocation::layout::{MountFlags, MountKind};

#[test]
fn an_ordinary_mount_honours_the_bit() {
    let Some(mut worker) = worker() else { return };
    let evidence = run(worker.as_mut(), &layout(), &invocation());
    let gid = report(&evidence).credentials.gid;
    assert_eq!(
        (gid.real.as_raw(), gid.effective.as_raw(), gid.saved.as_raw(), gid.fs.as_raw()),
        (GID, OWN_GID, OWN_GID, OWN_GID)
    );
    assert_eq!(evidence.end, Some(End::Exited(0)));
    assert!(report(&evidence).secure, "AT_SECURE is set where the ids differ");
}

#[test]
fn a_nosuid_mount_ignores_it() {
    let Some(mut worker) = worker() else { return };
    let flags = MountFlags { nosuid: true, ..MountFlags::default() };
    let evidence = run(worker.as_mut(), &layout_with(MountKind::Itself, flags), &invocation());
    let gid = report(&evidence).credentials.gid;
    assert_eq!((gid.real.as_raw(), gid.effective.as_raw(), gid.saved.as_raw()), (GID, GID, GID));
    let installed = evidence.installed.as_ref().expect("the program is there");
    assert!(installed.mount.nosuid, "the launcher saw the flag");
    assert_eq!((installed.group.as_raw(), installed.mode), (OWN_GID, 0o2755), "the file itself has the bit");
    assert!(!report(&evidence).secure);
}
