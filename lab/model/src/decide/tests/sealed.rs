use super::{EXIM, LIST, MAIL, Scene, bytes, caller};
use crate::capability::{CapSet, Capability};
use crate::decision::Outcome;
use crate::files::EntryKind;
use crate::group_database::GroupDatabase;
use crate::ids::Ids;
use crate::namespace::IdMap;
use crate::policy::{Program, Style};
use crate::process::Process;
use rstest::rstest;
use std::collections::BTreeSet;

#[rstest]
#[case::trusted(|_: &mut Scene| (), Outcome::Admitted, None)]
#[case::another_group(|s: &mut Scene| s.invoker.process = caller(EXIM), Outcome::Mismatch, Some(2))]
#[case::only_supplementary(|s: &mut Scene| s.invoker.process.gid = Ids::all(EXIM), Outcome::Mismatch, Some(2))]
#[case::only_effective(|s: &mut Scene| s.invoker.process.gid = Ids::new(EXIM, MAIL, MAIL), Outcome::Mismatch, Some(2))]
#[case::own_group_is_not_trusted(|s: &mut Scene| s.invoker.process = caller(LIST), Outcome::Mismatch, Some(2))]
#[case::root(|s: &mut Scene| s.invoker.process = Process::root(), Outcome::Mismatch, Some(2))]
#[case::root_with_the_trusted_gid(
    |s: &mut Scene| s.invoker.process = Process::with_ids(Ids::all(0), Ids::all(MAIL), []), Outcome::IdsNotSet, Some(3))]
#[case::root_that_cannot_have_the_capability(|s: &mut Scene| {
    s.invoker.process = Process::with_ids(Ids::all(0), Ids::all(MAIL), []);
    s.invoker.process.capabilities.bounding = CapSet::ALL.without(CapSet::of(&[Capability::SETGID]));
}, Outcome::IdsNotSet, Some(3))]
#[case::real_uid_root_alone(
    |s: &mut Scene| s.invoker.process = Process::with_ids(Ids::new(0, EXIM, EXIM), Ids::all(MAIL), []),
    Outcome::IdsNotSet, Some(3))]
#[case::no_name(|s: &mut Scene| s.invoker.process = caller(4242), Outcome::Nameless, Some(8))]
#[case::no_database(|s: &mut Scene| {
    s.invoker.process = caller(EXIM);
    s.installation.groups = GroupDatabase::Absent;
}, Outcome::Nameless, Some(8))]
#[case::trusted_without_a_database(|s: &mut Scene| s.installation.groups = GroupDatabase::Unreadable, Outcome::Admitted, None)]
#[case::nosuid(|s: &mut Scene| s.mount(true, false), Outcome::NotPrivileged, Some(9))]
#[case::noexec(|s: &mut Scene| s.mount(false, true), Outcome::ExecRefused, None)]
#[case::no_new_privs(|s: &mut Scene| s.invoker.process.no_new_privs = true, Outcome::NotPrivileged, Some(9))]
#[case::no_group_execute(|s: &mut Scene| s.entry("/p/mail/mailman").mode = 0o2745, Outcome::NotPrivileged, Some(9))]
#[case::chgrp_forgotten(|s: &mut Scene| s.entry("/p/mail/mailman").group = 0, Outcome::NotPrivileged, Some(9))]
#[case::stranger_and_lost_bit(|s: &mut Scene| {
    s.mount(true, false);
    s.invoker.process = caller(EXIM);
}, Outcome::NotPrivileged, Some(9))]
#[case::others_may_not_execute(|s: &mut Scene| s.entry("/p/mail/mailman").mode = 0o2750, Outcome::ExecRefused, None)]
#[case::own_group_trusted(|s: &mut Scene| {
    s.policy.trusted = s.policy.own.clone();
    s.invoker.process = caller(LIST);
}, Outcome::Admitted, None)]
#[case::own_group_trusted_and_lost_bit(|s: &mut Scene| {
    s.policy.trusted = s.policy.own.clone();
    s.invoker.process = caller(LIST);
    s.mount(true, false);
}, Outcome::Admitted, None)]
#[case::unsound_policy(|s: &mut Scene| s.policy.unsound = Some("unsealed".into()), Outcome::BadPolicy, Some(10))]
#[case::unsound_policy_before_lost_bit(|s: &mut Scene| {
    s.policy.unsound = Some("unsealed".into());
    s.mount(true, false);
}, Outcome::BadPolicy, Some(10))]
#[case::overflow_gid_trusted(|s: &mut Scene| {
    s.policy.trusted.gid = 65534;
    s.invoker.process = caller(65534);
}, Outcome::Admitted, None)]
#[case::overflow_gid_trusted_under_a_partial_map(|s: &mut Scene| {
    s.policy.trusted.gid = 65534;
    s.invoker.process = caller(65534);
    s.invoker.process.namespace.gids = IdMap::full_without([4242]);
}, Outcome::BadPolicy, Some(10))]
#[case::unmapped_caller_reads_as_nogroup(|s: &mut Scene| {
    s.invoker.process = caller(4242);
    s.invoker.process.namespace.gids = IdMap::full_without([4242]);
}, Outcome::Mismatch, Some(2))]
#[case::a_hard_limit_too_low(
    |s: &mut Scene| _ = s.invoker.room.limits.insert(7, (Some(3), Some(19))), Outcome::UnsafeProcess, Some(11))]
#[case::a_soft_limit_too_low(
    |s: &mut Scene| _ = s.invoker.room.limits.insert(7, (Some(3), Some(20))), Outcome::Admitted, None)]
#[case::limits_before_the_policy(|s: &mut Scene| {
    s.invoker.room.limits.insert(1, (Some(0), Some(0)));
    s.policy.style = Style::Defer;
    s.policy.unsound = Some("unsealed".into());
}, Outcome::UnsafeProcess, Some(11))]
#[case::no_command(|s: &mut Scene| s.invoker.argv.0.to_mut().truncate(1), Outcome::Usage, Some(5))]
#[case::empty_argv(|s: &mut Scene| s.invoker.argv.0.to_mut().clear(), Outcome::Usage, Some(5))]
#[case::unknown_command(|s: &mut Scene| s.invoker.argv.0.to_mut()[1].0 = bytes("Post"), Outcome::UnknownCommand, Some(6))]
#[case::command_with_a_slash(|s: &mut Scene| s.invoker.argv.0.to_mut()[1].0 = bytes("./post"), Outcome::UnknownCommand, Some(6))]
#[case::caller_before_arguments(|s: &mut Scene| {
    s.invoker.process = caller(EXIM);
    s.invoker.argv.0.to_mut().clear();
}, Outcome::Mismatch, Some(2))]
#[case::capability_before_arguments(|s: &mut Scene| {
    s.invoker.process = Process::with_ids(Ids::all(0), Ids::all(MAIL), []);
    s.invoker.argv.0.to_mut().clear();
}, Outcome::IdsNotSet, Some(3))]
#[case::script_missing(|s: &mut Scene| s.invoker.argv.0.to_mut()[1].0 = bytes("owner"), Outcome::ExecFailed, Some(4))]
#[case::script_not_executable(|s: &mut Scene| s.entry("/p/scripts/post").mode = 0o644, Outcome::ExecFailed, Some(4))]
#[case::script_of_a_stranger(|s: &mut Scene| s.entry("/p/scripts/post").owner = EXIM, Outcome::ExecFailed, Some(4))]
#[case::script_writable_by_all(|s: &mut Scene| s.entry("/p/scripts/post").mode = 0o757, Outcome::ExecFailed, Some(4))]
#[case::script_writable_by_its_group(|s: &mut Scene| s.entry("/p/scripts/post").mode = 0o775, Outcome::Admitted, None)]
#[case::script_writable_by_another_group(|s: &mut Scene| {
    let entry = s.entry("/p/scripts/post");
    (entry.mode, entry.group) = (0o775, MAIL);
}, Outcome::ExecFailed, Some(4))]
#[case::directory_writable_by_all(|s: &mut Scene| s.entry("/p/scripts").mode = 0o1777, Outcome::ExecFailed, Some(4))]
#[case::link_in_the_way(|s: &mut Scene| {
    let script = s.entry("/p/scripts/post").clone();
    s.entry("/p/scripts/post").kind = EntryKind::Symlink(bytes("/tmp/post"));
    s.installation.files.entries.insert(bytes("/tmp/post"), script.clone());
    s.installation.files.entries.insert(bytes("/tmp"), crate::files::Entry {
        kind: EntryKind::Directory, owner: 0, group: 0, mode: 0o1777,
    });
}, Outcome::ExecFailed, Some(4))]
#[case::interpreter_missing(|s: &mut Scene| s.policy.interpreter = vec![bytes("/usr/bin/perl")], Outcome::ExecFailed, Some(4))]
#[case::interpreter_of_a_stranger(|s: &mut Scene| {
    s.policy.interpreter = vec![bytes("/usr/bin/python")];
    s.entry("/usr/bin/python").owner = EXIM;
}, Outcome::ExecFailed, Some(4))]
#[case::interpreter(|s: &mut Scene| s.policy.interpreter = vec![bytes("/usr/bin/python")], Outcome::Admitted, None)]
#[case::arguments_too_large_for_the_kernel(
    |s: &mut Scene| s.invoker.argv = vec![vec![b'a'; 131_072]].into(), Outcome::ExecRefused, None)]
#[case::arguments_too_large_for_the_script(|s: &mut Scene| {
    // With an unlimited stack the subject may be given 6 MiB; secure mode then cuts the stack to 8 MiB, a quarter of which
    // is left for the script.
    s.invoker.room.limits.insert(3, (None, None));
    s.invoker.argv.0.to_mut().push((vec![b'a'; 100_000], 30));
}, Outcome::ExecFailed, Some(4))]
#[case::closed_descriptors_are_repaired(|s: &mut Scene| s.invoker.room.descriptors.clear(), Outcome::Admitted, None)]
#[case::closed_descriptors_without_devices(|s: &mut Scene| {
    s.invoker.room.descriptors.clear();
    s.installation.device_null = false;
}, Outcome::EndedBeforeMain, None)]
#[case::closed_descriptors_without_devices_where_nothing_is_gained(|s: &mut Scene| {
    s.policy.trusted = s.policy.own.clone();
    s.invoker.process = caller(LIST);
    s.invoker.room.descriptors.clear();
    s.installation.device_null = false;
}, Outcome::UnsafeProcess, Some(11))]
#[case::too_few_descriptors_for_the_c_library(
    |s: &mut Scene| _ = s.invoker.room.limits.insert(7, (Some(2), Some(20))), Outcome::EndedBeforeMain, None)]
#[case::too_few_descriptors_where_nothing_is_gained(|s: &mut Scene| {
    s.mount(true, false);
    s.invoker.room.limits.insert(7, (Some(2), Some(20)));
}, Outcome::NotPrivileged, Some(9))]
fn decision(#[case] change: impl Fn(&mut Scene), #[case] outcome: Outcome, #[case] exit: Option<u8>) {
    let mut scene = Scene::quiet();
    change(&mut scene);
    let decision = scene.decide();
    assert_eq!((decision.outcome, decision.exit), (outcome, exit), "{}", decision.because);
    assert_eq!(decision.child.is_some(), outcome == Outcome::Admitted);
    assert_eq!(decision.exec_error.is_some(), outcome == Outcome::ExecRefused);
    assert!(!decision.because.is_empty());
}

#[rstest]
#[case(|s: &mut Scene| s.invoker.process = caller(EXIM), 75)]
#[case(|s: &mut Scene| s.invoker.process = caller(4242), 75)]
#[case(|s: &mut Scene| s.mount(true, false), 75)]
#[case(|s: &mut Scene| s.entry("/p/scripts/post").mode = 0, 75)]
#[case(|s: &mut Scene| s.invoker.argv.0.to_mut().clear(), 5)]
#[case(|s: &mut Scene| s.invoker.argv.0.to_mut()[1].0 = bytes("x"), 6)]
#[case(|s: &mut Scene| s.policy.unsound = Some("damaged".into()), 10)]
fn style_defer(#[case] change: impl Fn(&mut Scene), #[case] exit: u8) {
    let mut scene = Scene::quiet();
    scene.policy.style = Style::Defer;
    change(&mut scene);
    assert_eq!(scene.decide().exit, Some(exit));
}

#[test]
fn the_script_finds_a_fresh_room() {
    let mut scene = Scene::quiet();
    scene.policy.keep = vec![bytes("HOST")];
    let room = &mut scene.invoker.room;
    (room.umask, room.timer, room.timer_slack_ns, room.cwd) = (0o777, true, Some(1), None);
    room.descriptors = BTreeSet::from([0, 7]);
    room.ignored.insert(13);
    room.blocked.insert(15);
    room.pending.insert(15);
    let child = scene.decide().child.expect("admitted");
    assert_eq!(child.process.gid, Ids::all(LIST));
    assert_eq!(child.process.uid, Ids::all(EXIM));
    assert_eq!(child.process.groups, [MAIL], "supplementary groups cannot be dropped");
    assert_eq!(
        (child.path, child.argv),
        (bytes("/p/scripts/post"), ["/p/scripts/post", "announce"].map(bytes).to_vec())
    );
    assert_eq!(child.env, ["PATH=/usr/bin:/bin", "HOST=h"].map(bytes));
    assert_eq!((child.umask, child.cwd, child.descriptors), (0o022, Some(bytes("/")), BTreeSet::from([0, 1, 2])));
    assert!(child.ignored.is_empty() && child.blocked.is_empty() && child.pending.is_empty());
    assert_eq!((child.core_limit, child.timers_off, child.timer_slack_ns), ((Some(0), Some(0)), true, Some(50_000)));
    assert!(!child.secure, "a full switch leaves nothing for the loader to distrust");
}

#[test]
fn an_interpreter_gets_its_flags_before_the_script() {
    let mut scene = Scene::quiet();
    scene.policy.interpreter = ["/usr/bin/python", "-S"].map(bytes).to_vec();
    let child = scene.decide().child.expect("admitted");
    assert_eq!(child.path, bytes("/usr/bin/python"));
    assert_eq!(child.argv, ["/usr/bin/python", "-S", "/p/scripts/post", "announce"].map(bytes));
}

#[test]
fn the_cgi_wrapper_takes_nothing_from_its_arguments() {
    let mut scene = Scene::quiet();
    scene.policy.program = Program::Cgi { script: bytes("listinfo") };
    scene.invoker.argv = ["listinfo", "../../bin/sh"].map(bytes).to_vec().into();
    let child = scene.decide().child.expect("admitted");
    assert_eq!(child.argv, ["/p/scripts/driver", "listinfo"].map(bytes));
    scene.invoker.argv.0.to_mut().clear();
    assert_eq!(scene.decide().outcome, Outcome::Admitted);
}

#[test]
fn inheritable_and_ambient_capabilities_do_not_reach_the_script() {
    let mut scene = Scene::quiet();
    let bind = CapSet::of(&[Capability(10)]);
    let sets = &mut scene.invoker.process.capabilities;
    (sets.permitted, sets.effective, sets.inheritable, sets.ambient) = (bind, bind, bind, bind);
    let sets = scene.decide().child.expect("the caller is trusted").process.capabilities;
    assert_eq!((sets.inheritable, sets.ambient, sets.permitted), (CapSet::EMPTY, CapSet::EMPTY, CapSet::EMPTY));
}
