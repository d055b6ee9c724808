//! The table of what exec does with a root:2000 file of mode 2755, row by row as it was measured on Linux 6.18, and
//! the rules that it does not reach.

use super::{Circumstances, Executed, FileCapabilities, Image, Kernel, MountView, Tracer, exec};
use crate::capability::{CapSet, Capabilities, Capability, Securebits};
use crate::ids::Ids;
use crate::namespace::{Extent, IdMap, UserNamespace};
use crate::process::{Errno, Process};
use rstest::rstest;

const OWN: u32 = 2000;
const GAINED: [u32; 3] = [1000, OWN, OWN];
const IGNORED: [u32; 3] = [1000, 1000, 1000];

/// uid and gid 1000 start a root:2000 file of mode 2755; a test changes one thing.
struct Scene {
    process: Process,
    image: Image,
    circumstances: Circumstances,
    kernel: Kernel,
}

impl Scene {
    fn quiet() -> Self {
        Self {
            process: Process { parent_death_signal: 9, ..Process::with_ids(Ids::all(1000), Ids::all(1000), []) },
            image: Image {
                owner: Some(0),
                group: Some(OWN),
                mode: 0o2755,
                capabilities: None,
                mount: MountView::default(),
            },
            circumstances: Circumstances::default(),
            kernel: Kernel::LATEST,
        }
    }

    fn exec(&self) -> Result<Executed, Errno> {
        exec(&self.process, &self.image, self.circumstances, self.kernel)
    }

    fn member(&mut self) {
        self.process.groups = vec![OWN];
    }

    fn root(&mut self) {
        self.process = Process { gid: Ids::all(1000), parent_death_signal: 9, ..Process::root() };
    }

    fn tracer(&mut self, tracer: Tracer) {
        self.circumstances.tracer = Some(tracer);
    }

    fn map(&mut self, users: IdMap, groups: IdMap) {
        self.process.namespace = UserNamespace { uids: users, gids: groups, setgroups: true };
    }
}

/// Columns: gids afterwards, AT_SECURE, dumpable. PDEATHSIG is kept exactly where nothing changed.
#[rstest]
#[case::baseline(|_: &mut Scene| (), GAINED, true, false)]
#[case::root_invoker(|s: &mut Scene| s.root(), GAINED, true, false)]
#[case::real_gid_is_the_files(|s: &mut Scene| s.process.gid = Ids::all(OWN), [OWN; 3], false, true)]
#[case::supplementary_member(Scene::member, GAINED, true, false)]
#[case::no_new_privs(|s: &mut Scene| s.process.no_new_privs = true, IGNORED, false, true)]
#[case::no_new_privs_member(|s: &mut Scene| { s.member(); s.process.no_new_privs = true; }, IGNORED, false, true)]
#[case::no_new_privs_root(|s: &mut Scene| { s.root(); s.process.no_new_privs = true; }, IGNORED, false, true)]
#[case::nosuid(|s: &mut Scene| s.image.mount.nosuid = true, IGNORED, false, true)]
#[case::nosuid_root(|s: &mut Scene| { s.root(); s.image.mount.nosuid = true; }, IGNORED, false, true)]
#[case::no_group_execute(|s: &mut Scene| s.image.mode = 0o2705, IGNORED, false, true)]
#[case::tracer(|s: &mut Scene| s.tracer(Tracer::Unprivileged), IGNORED, true, true)]
#[case::tracer_member(|s: &mut Scene| { s.member(); s.tracer(Tracer::Unprivileged); }, GAINED, true, false)]
#[case::tracer_root(|s: &mut Scene| s.tracer(Tracer::Privileged), GAINED, true, false)]
#[case::shared_fs(|s: &mut Scene| s.circumstances.shares_fs = true, IGNORED, true, true)]
#[case::shared_fs_member(|s: &mut Scene| { s.member(); s.circumstances.shares_fs = true; }, GAINED, true, false)]
#[case::shared_fs_root(|s: &mut Scene| { s.root(); s.circumstances.shares_fs = true; }, GAINED, true, false)]
#[case::foreign_mount(|s: &mut Scene| s.image.mount.foreign = true, IGNORED, false, true)]
#[case::file_system_of_another_user_namespace(|s: &mut Scene| s.image.mount.foreign_owner = true, IGNORED, false, true)]
#[case::everything_mapped(|s: &mut Scene| s.map(IdMap::full(), IdMap::full()), GAINED, true, false)]
#[case::group_of_file_not_mapped(|s: &mut Scene| s.map(IdMap::full(), IdMap::full_without([OWN])), IGNORED, false, true)]
#[case::owner_of_file_not_mapped(|s: &mut Scene| s.map(IdMap::full_without([0]), IdMap::full()), IGNORED, false, true)]
#[case::gid_of_caller_not_mapped(|s: &mut Scene| s.map(IdMap::full(), IdMap::full_without([1000])), GAINED, true, false)]
#[case::id_mapped_mount_shows_another_group(|s: &mut Scene| s.image.group = Some(3000), [1000, 3000, 3000], true, false)]
#[case::id_mapped_mount_shows_none(|s: &mut Scene| s.image.group = None, IGNORED, false, true)]
#[case::plain_file(|s: &mut Scene| s.image.mode = 0o755, IGNORED, false, true)]
#[case::plain_file_keeps_a_borrowed_gid(
    |s: &mut Scene| { s.image.mode = 0o755; s.process.gid = Ids::new(1000, OWN, 1000); }, GAINED, true, false)]
#[case::plain_file_loses_a_saved_gid(
    |s: &mut Scene| { s.image.mode = 0o755; s.process.gid = Ids::new(1000, 1000, OWN); }, IGNORED, false, true)]
#[case::empty_bounding_set(|s: &mut Scene| s.process.capabilities.bounding = CapSet::EMPTY, GAINED, true, false)]
fn set_group_id(
    #[case] change: impl Fn(&mut Scene),
    #[case] gid: [u32; 3],
    #[case] secure: bool,
    #[case] dumpable: bool,
) {
    let mut scene = Scene::quiet();
    change(&mut scene);
    let uid = scene.process.uid;
    let after = scene.exec().expect("executed");
    assert_eq!(after.process.gid, Ids::new(gid[0], gid[1], gid[2]));
    assert_eq!(after.process.uid, uid, "the bit is about groups");
    assert_eq!((after.secure, after.process.dumpable), (secure, dumpable));
    assert_eq!(after.process.parent_death_signal == 9, !secure && dumpable, "PDEATHSIG");
    assert_eq!(after.stack_limited, secure);
}

#[rstest]
#[case::before(Kernel { major: 6, minor: 15 }, IGNORED)]
#[case::since(Kernel { major: 6, minor: 16 }, GAINED)]
fn the_member_rule(#[case] kernel: Kernel, #[case] gid: [u32; 3]) {
    let mut scene = Scene { kernel, ..Scene::quiet() };
    scene.member();
    scene.tracer(Tracer::Unprivileged);
    assert_eq!(scene.exec().expect("executed").process.gid, Ids::new(gid[0], gid[1], gid[2]));
}

#[rstest]
#[case::both(0o6755, [1000, 0, 0], GAINED)]
#[case::user(0o4755, [1000, 0, 0], IGNORED)]
#[case::user_without_execute_for_the_group(0o6745, [1000, 0, 0], IGNORED)]
fn set_user_id_root(#[case] mode: u32, #[case] uid: [u32; 3], #[case] gid: [u32; 3]) {
    let mut scene = Scene::quiet();
    scene.image.mode = mode;
    let after = scene.exec().expect("executed").process;
    assert_eq!(after.uid, Ids::new(uid[0], uid[1], uid[2]));
    assert_eq!(after.gid, Ids::new(gid[0], gid[1], gid[2]));
    assert_eq!((after.capabilities.permitted, after.capabilities.effective), (CapSet::ALL, CapSet::ALL));
}

#[test]
fn set_user_id_root_without_a_capability_in_the_bounding_set() {
    let mut scene = Scene::quiet();
    scene.image.mode = 0o4755;
    let rest = CapSet::ALL.without(CapSet::of(&[Capability::SETUID]));
    scene.process.capabilities.bounding = rest;
    let after = scene.exec().expect("executed").process;
    assert_eq!((after.uid.effective, after.capabilities.effective), (0, rest));
}

#[rstest]
#[case::root(Ids::all(0), Securebits(0), CapSet::ALL, CapSet::ALL)]
#[case::only_real_root(Ids::new(0, 1, 1), Securebits(0), CapSet::ALL, CapSet::EMPTY)]
#[case::noroot(Ids::all(0), Securebits::NOROOT, CapSet::EMPTY, CapSet::EMPTY)]
#[case::not_root(Ids::all(1), Securebits(0), CapSet::EMPTY, CapSet::EMPTY)]
fn capabilities_of_root(
    #[case] uid: Ids,
    #[case] securebits: Securebits,
    #[case] permitted: CapSet,
    #[case] effective: CapSet,
) {
    let mut scene = Scene::quiet();
    scene.process = Process { uid, securebits: securebits.with(Securebits::KEEP_CAPS), ..Process::root() };
    scene.image.mode = 0o755;
    let after = scene.exec().expect("executed").process;
    assert_eq!((after.capabilities.permitted, after.capabilities.effective), (permitted, effective));
    assert_eq!(after.securebits, securebits, "exec clears KEEP_CAPS");
}

/// An ambient capability passes through a plain exec, and since 6.16 through that of a set-group-ID file whose group
/// the caller belongs to.
#[rstest]
#[case::plain(0o755, &[], true, false)]
#[case::gained(0o2755, &[], false, true)]
#[case::gained_by_a_member(0o2755, &[OWN], true, true)]
fn ambient_capabilities(#[case] mode: u32, #[case] groups: &[u32], #[case] kept: bool, #[case] secure: bool) {
    let ambient = CapSet::of(&[Capability(10)]);
    let mut scene = Scene::quiet();
    scene.image.mode = mode;
    scene.process.groups = groups.to_vec();
    scene.process.capabilities =
        Capabilities { permitted: ambient, inheritable: ambient, ambient, ..Capabilities::NONE };
    let after = scene.exec().expect("executed");
    let left = if kept { ambient } else { CapSet::EMPTY };
    assert_eq!(after.process.capabilities.ambient, left);
    assert_eq!((after.process.capabilities.permitted, after.process.capabilities.effective), (left, left));
    assert_eq!(after.secure, secure);
}

#[rstest]
#[case::gained(false, CapSet::of(&[Capability::SETGID]), true)]
#[case::not_under_no_new_privs(true, CapSet::EMPTY, true)]
fn file_capabilities(#[case] no_new_privs: bool, #[case] gained: CapSet, #[case] secure: bool) {
    let mut scene = Scene::quiet();
    scene.image.mode = 0o755;
    scene.image.capabilities = Some(FileCapabilities {
        permitted: CapSet::of(&[Capability::SETGID]),
        inheritable: CapSet::EMPTY,
        effective: true,
    });
    scene.process.no_new_privs = no_new_privs;
    let after = scene.exec().expect("executed");
    assert_eq!((after.process.capabilities.permitted, after.process.capabilities.effective), (gained, gained));
    assert_eq!(after.secure, secure);
}

#[test]
fn file_capabilities_that_the_bounding_set_withholds() {
    let mut scene = Scene::quiet();
    let permitted = CapSet::of(&[Capability::SETGID]);
    scene.image.capabilities = Some(FileCapabilities { permitted, inheritable: CapSet::EMPTY, effective: true });
    scene.process.capabilities.bounding = CapSet::EMPTY;
    assert_eq!(scene.exec(), Err(Errno::EPERM));
}

#[test]
fn over_the_process_limit() {
    let mut scene = Scene::quiet();
    scene.circumstances.over_process_limit = true;
    assert_eq!(scene.exec(), Err(Errno::EAGAIN));
}

/// Whoever is root only in a namespace of his own gains nothing from a file whose ids it does not map.
#[test]
fn root_of_ones_own_namespace() {
    let mut scene = Scene::quiet();
    let own = || IdMap(vec![Extent { inside: 0, outside: 1000, count: 1 }]);
    scene.map(own(), own());
    let after = scene.exec().expect("executed");
    assert_eq!(after.process.gid, Ids::all(1000));
    assert_eq!(after.process.namespace.gids.seen(after.process.gid.effective), 0);
    assert!(!after.secure);
}

#[rstest]
#[case("6.18.44-generic", Some(Kernel { major: 6, minor: 18 }))]
#[case("5.10", Some(Kernel { major: 5, minor: 10 }))]
#[case("unknown", None)]
fn release(#[case] text: &str, #[case] kernel: Option<Kernel>) {
    assert_eq!(Kernel::parse(text), kernel);
}
