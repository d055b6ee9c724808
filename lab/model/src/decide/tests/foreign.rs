use super::{EXIM, LIST, MAIL, Scene, bytes, caller};
use crate::decision::Outcome;
use crate::environment::{GLIBC_UNSECURE, MAILMAN_NAMES};
use crate::group_database::GroupDatabase;
use crate::ids::Ids;
use crate::policy::{Group, MAILMAN_COMMANDS};
use crate::process::Process;
use crate::rules::{BitLost, Check, Compare, Environment, Foreign, Rules, Switch, Trusted};
use rstest::rstest;
use std::collections::BTreeMap;

/// Mailman 2.1.39 as upstream ships it, configured `--with-mail-gid=mail`.
fn mailman() -> Foreign {
    Foreign {
        compare: Compare::Name,
        trusted: Trusted::Groups(vec![Group { gid: MAIL, name: "mail".into() }]),
        always_admitted: Vec::new(),
        checks: vec![Check::Usage, Check::Command, Check::Caller],
        commands: MAILMAN_COMMANDS.map(bytes).to_vec(),
        bit_lost: BitLost::PassesOn,
        switch: Switch::RealToEffective,
        starts: ["/usr/bin/python", "-S", "/p/scripts/{command}", "{rest}"].map(bytes).to_vec(),
        secure_removes: GLIBC_UNSECURE.map(bytes).to_vec(),
        environment: Environment::Only(MAILMAN_NAMES.map(bytes).to_vec()),
        adds: vec![bytes("PYTHONPATH=/p")],
        exits: BTreeMap::from([
            (Outcome::Mismatch, 2),
            (Outcome::IdsNotSet, 3),
            (Outcome::ExecFailed, 4),
            (Outcome::Usage, 5),
            (Outcome::UnknownCommand, 6),
            (Outcome::Nameless, 8),
        ]),
    }
}

fn scene(rules: Foreign) -> Scene {
    Scene { rules: Rules::Foreign(Box::new(rules)), ..Scene::quiet() }
}

/// `facts` of Mailman 2.1's wrappers that were measured with the real program.
#[rstest]
#[case::trusted(|_: &mut Scene| (), Outcome::Admitted, None)]
#[case::another_group(|s: &mut Scene| s.invoker.process = caller(EXIM), Outcome::Mismatch, Some(2))]
#[case::its_own_group(|s: &mut Scene| s.invoker.process = caller(LIST), Outcome::Mismatch, Some(2))]
#[case::root_has_no_pass(|s: &mut Scene| s.invoker.process = Process::root(), Outcome::Mismatch, Some(2))]
#[case::root_with_the_trusted_gid(
    |s: &mut Scene| s.invoker.process = Process::with_ids(Ids::all(0), Ids::all(MAIL), []), Outcome::Admitted, None)]
#[case::no_name(|s: &mut Scene| s.invoker.process = caller(4242), Outcome::Nameless, Some(8))]
#[case::nobody_has_a_name(|s: &mut Scene| s.installation.groups = GroupDatabase::Unreadable, Outcome::Nameless, Some(8))]
#[case::two_names_and_the_other_comes_first(
    |s: &mut Scene| s.installation.groups = GroupDatabase::Rows(vec![("post".into(), MAIL), ("mail".into(), MAIL)]),
    Outcome::Mismatch, Some(2))]
#[case::a_second_row_with_the_trusted_name(|s: &mut Scene| {
    s.installation.groups = GroupDatabase::Rows(vec![("mail".into(), MAIL), ("mail".into(), 666)]);
    s.invoker.process = caller(666);
}, Outcome::Admitted, None)]
#[case::usage_before_caller(|s: &mut Scene| {
    s.invoker.process = caller(EXIM);
    s.invoker.argv.0.to_mut().truncate(1);
}, Outcome::Usage, Some(5))]
#[case::command_before_caller(|s: &mut Scene| {
    s.invoker.process = caller(EXIM);
    s.invoker.argv.0.to_mut()[1].0 = bytes("x");
}, Outcome::UnknownCommand, Some(6))]
#[case::bit_lost_and_passed_on(|s: &mut Scene| s.mount(true, false), Outcome::Admitted, None)]
#[case::interpreter_missing(|s: &mut Scene| { s.installation.files.entries.remove(&bytes("/usr/bin/python")); },
    Outcome::ExecFailed, Some(4))]
#[case::writable_script_is_started(|s: &mut Scene| s.entry("/p/scripts/post").mode = 0o777, Outcome::Admitted, None)]
fn upstream(#[case] change: impl Fn(&mut Scene), #[case] outcome: Outcome, #[case] exit: Option<u8>) {
    let mut scene = scene(mailman());
    change(&mut scene);
    let decision = scene.decide();
    assert_eq!((decision.outcome, decision.exit), (outcome, exit), "{}", decision.because);
}

#[rstest]
#[case::exempt(33, Outcome::Admitted)]
#[case::exempt_though_unnamed(99, Outcome::Admitted)]
#[case::exempt_nogroup(65534, Outcome::Admitted)]
#[case::first_checked(100, Outcome::Nameless)]
#[case::checked(EXIM, Outcome::Mismatch)]
fn debian(#[case] gid: u32, #[case] outcome: Outcome) {
    let mut scene = scene(Foreign { always_admitted: vec![0..=99, 65534..=65534], ..mailman() });
    scene.invoker.process = caller(gid);
    assert_eq!(scene.decide().outcome, outcome);
}

#[rstest]
#[case::listed(EXIM, Outcome::Admitted)]
#[case::also_listed(MAIL, Outcome::Admitted)]
#[case::not_listed(LIST, Outcome::Mismatch)]
fn fedora_trusts_several(#[case] gid: u32, #[case] outcome: Outcome) {
    let trusted = [("mail", MAIL), ("exim", EXIM)].map(|(name, gid)| Group { gid, name: name.into() });
    let mut scene = scene(Foreign { trusted: Trusted::Groups(trusted.to_vec()), ..mailman() });
    scene.invoker.process = caller(gid);
    assert_eq!(scene.decide().outcome, outcome);
}

#[rstest]
#[case::number_matches_without_a_name(Some(4242), 4242, Outcome::Admitted)]
#[case::number_differs(Some(4242), MAIL, Outcome::Mismatch)]
#[case::file_missing(None, MAIL, Outcome::Nameless)]
fn suse_reads_a_number(#[case] file: Option<u32>, #[case] gid: u32, #[case] outcome: Outcome) {
    let groups = file.map(|gid| vec![Group { gid, name: "mail".into() }]);
    let mut scene = scene(Foreign { compare: Compare::Gid, trusted: Trusted::RunTimeFile(groups), ..mailman() });
    scene.invoker.process = caller(gid);
    assert_eq!(scene.decide().outcome, outcome);
}

#[test]
fn a_wrapper_that_notices_a_lost_bit() {
    let mut scene = scene(Foreign { bit_lost: BitLost::Refuses, ..mailman() });
    scene.mount(true, false);
    assert_eq!(scene.decide().outcome, Outcome::NotPrivileged);
}

#[test]
fn the_script_inherits_the_room() {
    let mut scene = scene(mailman());
    scene.invoker.env = ["LD_PRELOAD=/x", "HOST=a", "HOST=b", "HOME=/h", "junk"].map(bytes).to_vec().into();
    scene.invoker.room.umask = 0;
    scene.invoker.room.descriptors.insert(7);
    scene.invoker.room.ignored.insert(13);
    let child = scene.decide().child.expect("admitted");
    assert_eq!(child.process.gid, Ids::all(LIST), "setregid(egid, -1) sets the saved gid too");
    assert_eq!(child.argv, ["/usr/bin/python", "-S", "/p/scripts/post", "announce"].map(bytes));
    assert_eq!(child.env, ["HOST=a", "HOST=b", "PYTHONPATH=/p"].map(bytes), "both duplicates survive");
    assert_eq!((child.umask, child.descriptors.contains(&7), child.ignored.contains(&13)), (0, true, true));
}

#[test]
fn the_older_deny_list_passes_all_but_three_names() {
    let names = ["PYTHONPATH", "PYTHONHOME", "PATH"].map(bytes).to_vec();
    let mut scene = scene(Foreign { environment: Environment::AllBut(names), ..mailman() });
    scene.invoker.env = ["PATH=/x", "IFS=/", "junk", "LD_PRELOAD=/x"].map(bytes).to_vec().into();
    let env = |scene: &Scene| scene.decide().child.expect("admitted").env;
    assert_eq!(env(&scene), ["IFS=/", "junk", "PYTHONPATH=/p"].map(bytes), "glibc removed LD_PRELOAD in secure mode");
    // Where the caller's group is the file's, there is no secure mode.
    scene.invoker.process.gid = Ids::all(LIST);
    scene.rules = match scene.rules {
        Rules::Foreign(rules) => Rules::Foreign(Box::new(Foreign { always_admitted: vec![LIST..=LIST], ..*rules })),
        Rules::Sealed => Rules::Sealed,
    };
    assert_eq!(env(&scene), ["IFS=/", "junk", "LD_PRELOAD=/x", "PYTHONPATH=/p"].map(bytes));
}

#[test]
fn without_the_bit_the_script_has_the_callers_group() {
    let mut scene = scene(mailman());
    scene.mount(true, false);
    assert_eq!(scene.decide().child.expect("admitted").process.gid, Ids::all(MAIL));
}
