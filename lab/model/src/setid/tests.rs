//! One row a rule. Ids are written real/effective/saved/file-system; `-` is [`KEEP`].

use super::{Answer, Call, Kind};
use crate::capability::{CapSet, Capabilities, Securebits};
use crate::ids::{Ids, KEEP};
use crate::namespace::{Extent, IdMap};
use crate::process::{Errno, Process};
use rstest::rstest;

const EPERM: Answer = Err(Errno::EPERM);
const EINVAL: Answer = Err(Errno::EINVAL);
const OK: Answer = Ok(0);

fn ids([real, effective, saved, fs]: [u32; 4]) -> Ids {
    Ids { real, effective, saved, fs }
}

/// A process with these uids and gids and either all capabilities or none.
fn process(id: Ids, capable: bool) -> Process {
    let capabilities = if capable { Capabilities::ROOT } else { Capabilities::NONE };
    Process { uid: id, gid: id, capabilities, ..Process::root() }
}

/// The rules for users and groups are twins, so each row is checked for both.
#[rstest]
// setuid(2)
#[case::set_without_capability_to_real([1, 2, 3, 2], false, Call::Set(1), OK, [1, 1, 3, 1])]
#[case::set_without_capability_to_saved([1, 2, 3, 2], false, Call::Set(3), OK, [1, 3, 3, 3])]
#[case::set_without_capability_to_effective_is_refused([1, 2, 3, 2], false, Call::Set(2), EPERM, [1, 2, 3, 2])]
#[case::set_with_capability_sets_all([1, 2, 3, 2], true, Call::Set(9), OK, [9, 9, 9, 9])]
#[case::set_minus_one([1, 2, 3, 2], true, Call::Set(KEEP), EINVAL, [1, 2, 3, 2])]
// seteuid(3)
#[case::effective_to_saved_and_nothing_else([1, 1, 3, 1], false, Call::SetRes(KEEP, 3, KEEP), OK, [1, 3, 3, 3])]
// setreuid(2)
#[case::re_swap([1, 2, 3, 2], false, Call::SetRe(2, 1), OK, [2, 1, 1, 1])]
#[case::re_real_to_saved_is_refused([1, 2, 3, 2], false, Call::SetRe(3, KEEP), EPERM, [1, 2, 3, 2])]
#[case::re_effective_to_saved([1, 2, 3, 2], false, Call::SetRe(KEEP, 3), OK, [1, 3, 3, 3])]
#[case::re_effective_to_real_keeps_saved([1, 2, 3, 2], false, Call::SetRe(KEEP, 1), OK, [1, 1, 3, 1])]
#[case::re_real_given_moves_saved([1, 2, 3, 2], false, Call::SetRe(1, KEEP), OK, [1, 2, 2, 2])]
#[case::re_any_with_capability([1, 2, 3, 2], true, Call::SetRe(8, 9), OK, [8, 9, 9, 9])]
#[case::re_nothing_given_still_moves_fs([1, 2, 3, 3], false, Call::SetRe(KEEP, KEEP), OK, [1, 2, 3, 2])]
// setresuid(2)
#[case::res_any_of_the_three([1, 2, 3, 2], false, Call::SetRes(3, 1, 2), OK, [3, 1, 2, 1])]
#[case::res_stranger_is_refused([1, 2, 3, 2], false, Call::SetRes(KEEP, KEEP, 4), EPERM, [1, 2, 3, 2])]
#[case::res_fs_is_not_a_choice([1, 2, 3, 4], false, Call::SetRes(4, KEEP, KEEP), EPERM, [1, 2, 3, 4])]
#[case::res_any_with_capability([1, 2, 3, 2], true, Call::SetRes(7, 8, 9), OK, [7, 8, 9, 8])]
#[case::res_same_ids_leave_fs([1, 2, 3, 3], false, Call::SetRes(1, KEEP, 3), OK, [1, 2, 3, 3])]
#[case::res_same_effective_id_moves_fs([1, 2, 3, 3], false, Call::SetRes(KEEP, 2, KEEP), OK, [1, 2, 3, 2])]
#[case::res_full_switch_cannot_be_undone([1, 1, 1, 1], false, Call::SetRes(KEEP, 3, KEEP), EPERM, [1, 1, 1, 1])]
// setfsuid(2)
#[case::fs_any_of_the_four([1, 2, 3, 2], false, Call::SetFs(3), Ok(2), [1, 2, 3, 3])]
#[case::fs_stranger_is_ignored([1, 2, 3, 3], false, Call::SetFs(4), Ok(3), [1, 2, 3, 3])]
#[case::fs_any_with_capability([1, 2, 3, 2], true, Call::SetFs(9), Ok(2), [1, 2, 3, 9])]
#[case::fs_minus_one_only_asks([1, 2, 3, 3], true, Call::SetFs(KEEP), Ok(3), [1, 2, 3, 3])]
fn ids_rule(
    #[case] old: [u32; 4],
    #[case] capable: bool,
    #[case] call: Call,
    #[case] answer: Answer,
    #[case] new: [u32; 4],
) {
    for kind in [Kind::User, Kind::Group] {
        let mut process = process(ids(old), capable);
        let other = process.clone();
        assert_eq!(process.set_id(kind, &call), answer, "{kind:?}");
        let (changed, untouched) = match kind {
            Kind::User => (process.uid, process.gid == other.gid),
            Kind::Group => (process.gid, process.uid == other.uid),
        };
        assert_eq!(changed, ids(new), "{kind:?}");
        assert!(untouched, "{kind:?}: the other kind stays");
    }
}

const FS: CapSet = CapSet::FILE_SYSTEM;
const NOFIX: Securebits = Securebits::NO_SETUID_FIXUP;
const KEEPCAPS: Securebits = Securebits::KEEP_CAPS;
const NONE: CapSet = CapSet::EMPTY;
const ALL: CapSet = CapSet::ALL;

/// capabilities(7), "Effect of user ID changes on capabilities", with permitted and effective afterwards.
#[rstest]
#[case::last_root_id_goes([0, 0, 0, 0], Securebits(0), Call::Set(1), NONE, NONE)]
#[case::last_root_id_goes_but_kept([0, 0, 0, 0], KEEPCAPS, Call::Set(1), ALL, NONE)]
#[case::no_fixup([0, 0, 0, 0], NOFIX, Call::Set(1), ALL, ALL)]
#[case::saved_root_id_stays([0, 0, 0, 0], Securebits(0), Call::SetRes(1, 1, KEEP), ALL, NONE)]
#[case::saved_root_id_stays_without_fixup([0, 0, 0, 0], NOFIX, Call::SetRes(1, 1, KEEP), ALL, ALL)]
#[case::real_root_id_goes([0, 0, 0, 0], Securebits(0), Call::SetRes(1, KEEP, KEEP), ALL, ALL)]
#[case::fs_id_stops_being_root([0, 0, 0, 0], Securebits(0), Call::SetFs(1), ALL, ALL.without(FS))]
#[case::fs_id_stops_being_root_without_fixup([0, 0, 0, 0], NOFIX, Call::SetFs(1), ALL, ALL)]
#[case::refused_call([1, 1, 1, 1], Securebits(0), Call::Set(KEEP), ALL, ALL)]
fn capabilities_from_all(
    #[case] old: [u32; 4],
    #[case] securebits: Securebits,
    #[case] call: Call,
    #[case] permitted: CapSet,
    #[case] effective: CapSet,
) {
    let mut process = Process { uid: ids(old), securebits, ..Process::root() };
    let _ = process.set_id(Kind::User, &call);
    assert_eq!((process.capabilities.permitted, process.capabilities.effective), (permitted, effective));
}

/// The way back: root returns to a process whose capabilities were permitted but not effective.
#[rstest]
#[case::effective_id_becomes_root([1, 1, 0, 1], Securebits(0), Call::SetRes(KEEP, 0, KEEP), ALL)]
#[case::not_without_fixup([1, 1, 0, 1], NOFIX, Call::SetRes(KEEP, 0, KEEP), NONE)]
#[case::fs_id_becomes_root([1, 0, 0, 1], Securebits(0), Call::SetFs(0), FS)]
#[case::fs_id_by_setreuid_is_no_reason([1, 0, 0, 1], Securebits(0), Call::SetRe(KEEP, KEEP), NONE)]
fn capabilities_come_back(
    #[case] old: [u32; 4],
    #[case] securebits: Securebits,
    #[case] call: Call,
    #[case] effective: CapSet,
) {
    let capabilities = Capabilities { permitted: ALL, ..Capabilities::NONE };
    let mut process = Process { uid: ids(old), securebits, capabilities, ..Process::root() };
    process.set_id(Kind::User, &call).expect("allowed");
    assert_eq!(process.capabilities.effective, effective);
}

#[rstest]
#[case::without_keep_caps(Securebits(0))]
#[case::with_keep_caps(KEEPCAPS)]
fn ambient_capabilities_go_with_the_last_root_id(#[case] securebits: Securebits) {
    let capabilities = Capabilities { ambient: CapSet(1), inheritable: CapSet(1), ..Capabilities::ROOT };
    let mut process = Process { securebits, capabilities, ..Process::root() };
    process.set_id(Kind::User, &Call::Set(1)).expect("allowed");
    assert_eq!((process.capabilities.ambient, process.capabilities.inheritable), (NONE, CapSet(1)));
}

#[test]
fn a_change_of_gids_changes_no_capability() {
    let mut process = Process::root();
    process.set_id(Kind::Group, &Call::Set(1)).expect("allowed");
    assert_eq!(process.capabilities, Capabilities::ROOT);
}

/// Inside a namespace that calls the outer 1000 root; see user_namespaces(7).
#[rstest]
#[case::mapped(Call::Set(0), OK, 1000)]
#[case::not_mapped(Call::Set(1000), EINVAL, 1000)]
#[case::not_mapped_among_three(Call::SetRes(0, 7, 0), EINVAL, 1000)]
#[case::fs_reads_as_inside(Call::SetFs(0), Ok(0), 1000)]
fn numbers_are_those_of_the_namespace(#[case] call: Call, #[case] answer: Answer, #[case] after: u32) {
    for kind in [Kind::User, Kind::Group] {
        let mut process = process(Ids::all(1000), true);
        let map = IdMap(vec![Extent { inside: 0, outside: 1000, count: 1 }]);
        (process.namespace.uids, process.namespace.gids) = (map.clone(), map);
        assert_eq!(process.set_id(kind, &call), answer);
        assert_eq!((process.uid, process.gid), (Ids::all(after), Ids::all(after)));
    }
}

#[rstest]
#[case::root_sorts_them(true, true, &[5, 3, 5], OK, &[3, 5, 5])]
#[case::root_drops_all(true, true, &[], OK, &[])]
#[case::nobody_else_drops_any(false, true, &[], EPERM, &[7])]
#[case::not_even_the_same_list(false, true, &[7], EPERM, &[7])]
#[case::denied_by_the_namespace(true, false, &[7], EPERM, &[7])]
#[case::permission_comes_before_the_numbers(false, true, &[KEEP], EPERM, &[7])]
#[case::no_such_number(true, true, &[1, KEEP], EINVAL, &[7])]
#[case::too_many(true, true, &[1; 65_537], EINVAL, &[7])]
fn set_groups(
    #[case] capable: bool,
    #[case] allowed: bool,
    #[case] list: &[u32],
    #[case] answer: Answer,
    #[case] after: &[u32],
) {
    let mut process = Process { groups: vec![7], ..process(Ids::all(0), capable) };
    process.namespace.setgroups = allowed;
    assert_eq!(process.set_groups(list), answer);
    assert_eq!(process.groups, after);
}
