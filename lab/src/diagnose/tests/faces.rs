//! Near misses and other faces of the findings: who must not get a code, and who must get it as well.

use super::{MISMATCH, render};
use crate::case::{Kind, Sealing, Style};
use crate::diagnose::fixtures::*;
use crate::finding::Certainty;
use lab_invocation::evidence::{End, OpenDescriptor};
use lab_invocation::invocation::{Limit, ScriptEnd, Tracer};
use rstest::rstest;

/// Near misses: what was done, and the code which must not be given for it.
#[rstest]
#[case::refusal_of_a_stranger_is_right("group-mismatch", |f: &mut Failure| { f.must_refuse("mismatch", 2); f.caller(USERS); f.refused(2, MISMATCH); })]
#[case::trusted_caller_refused("group-mismatch", |f: &mut Failure| f.refused(2, MISMATCH))]
#[case::other_exit_status("group-mismatch", |f: &mut Failure| { f.caller(USERS); f.refused(6, "unknown command"); })]
#[case::script_itself_exits_2("group-mismatch", |f: &mut Failure| { f.caller(USERS); f.evidence.end = Some(End::Exited(2)); })]
#[case::member_whose_real_gid_is_trusted("supplementary-only", |f: &mut Failure| { f.must_refuse("usage", 5); f.member_of(&[MAIL]); })]
#[case::stranger_who_is_no_member("supplementary-only", |f: &mut Failure| { f.must_refuse("mismatch", 2); f.caller(USERS); f.member_of(&[33]); })]
#[case::refusal_that_names_only_the_trusted_group("effective-only", |f: &mut Failure| f.refused(2, "group mismatch: mail 8"))]
#[case::refusal_that_names_both("effective-only", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.refused(2, "group mismatch: users 100 for list 38");
})]
#[case::stranger_admitted_where_own_group_is_not_trusted("effective-only", |f: &mut Failure| { f.must_refuse("mismatch", 2); f.caller(USERS); })]
#[case::bit_acted("set-group-id-ignored", |f: &mut Failure| f.must_refuse("mismatch", 2))]
#[case::lost_bit_was_noticed_as_it_must("set-group-id-ignored", |f: &mut Failure| {
    f.must_refuse("not-privileged", 9); f.file().mount.nosuid = true; f.refused(9, "not running set-group-ID");
})]
#[case::root_traces("set-group-id-ignored", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.evidence.invoker.traced = true;
    f.case.invocation.transition.tracer = Some(Tracer::Root);
})]
#[case::member_is_traced("set-group-id-ignored", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.member_of(&[LIST]); f.evidence.invoker.traced = true;
})]
#[case::trusted_caller_started_where_usage_is_wanted("wrong-comparison", |f: &mut Failure| f.must_refuse("usage", 5))]
#[case::stranger_refused("wrong-comparison", |f: &mut Failure| { f.caller(USERS); f.refused(2, MISMATCH); })]
#[case::member_admitted("wrong-comparison", |f: &mut Failure| { f.must_refuse("mismatch", 2); f.caller(USERS); f.member_of(&[MAIL]); })]
#[case::own_group_named_as_found("wrong-comparison", |f: &mut Failure| f.refused(2, "group mismatch: list 38, not mail 8"))]
#[case::stranger_refused_whose_user_has_the_trusted_group("wrong-comparison", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.user_database("Debian-exim:x:101:8::/:\n");
    f.refused(2, "group mismatch: started with real gid 38 (list), but only gid 8 (mail) is trusted");
})]
#[case::stranger_refused_whose_user_has_another_group("wrong-comparison", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.user_database("Debian-exim:x:101:33::/:\n");
    f.refused(2, "group mismatch: started with real gid 100 (users)");
})]
#[case::refused_for_another_reason("wrong-comparison", |f: &mut Failure| f.refused(4, "cannot execute"))]
#[case::bit_was_lost("privilege-not-dropped", |f: &mut Failure| { f.file().mount.nosuid = true; f.without_the_bit(); })]
#[case::ids_are_right("privilege-not-dropped", |f: &mut Failure| f.script().umask = 0)]
#[case::ids_are_not_judged("privilege-not-dropped", |f: &mut Failure| {
    f.case.outcome.script = None; f.script().credentials.gid.real = gid(MAIL);
})]
#[case::it_stays_where_it_was_put("out-of-reach", |f: &mut Failure| f.script().umask = 0)]
#[case::the_place_was_not_read("out-of-reach", |f: &mut Failure| {
    f.evidence.invoker.place = None; f.script().place.session = 7;
})]
#[case::the_script_ended_so_and_the_wrapper_too("false-success", |f: &mut Failure| {
    f.case.invocation.script_end = ScriptEnd::Exit(75); f.evidence.end = Some(End::Exited(75));
})]
#[case::the_script_ended_with_0("false-success", |f: &mut Failure| f.script().same_process = false)]
#[case::it_became_the_script("altered-status", |f: &mut Failure| {
    f.case.invocation.script_end = ScriptEnd::Exit(75); f.evidence.end = Some(End::Exited(1));
})]
#[case::it_waited_and_told_the_status("altered-status", |f: &mut Failure| {
    f.case.invocation.script_end = ScriptEnd::Exit(75); f.script().same_process = false; f.evidence.end = Some(End::Exited(75));
})]
#[case::it_waited_and_told_the_signal("altered-status", |f: &mut Failure| {
    f.case.invocation.script_end = ScriptEnd::Signal(15); f.script().same_process = false;
    f.evidence.end = Some(End::Signaled { signal: 15, core: false });
})]
#[case::it_hid_a_failure("altered-status", |f: &mut Failure| {
    f.case.invocation.script_end = ScriptEnd::Exit(75); f.script().same_process = false;
})]
#[case::it_refused_afterwards("altered-status", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.script().same_process = false; f.evidence.end = Some(End::Exited(2));
})]
#[case::just_the_three("leaked-descriptor", |f: &mut Failure| f.script().umask = 0)]
#[case::descriptors_are_not_judged("leaked-descriptor", |f: &mut Failure| {
    f.case.outcome.script = None;
    f.script().descriptors.push(OpenDescriptor { number: 7, target: "/etc/shadow".into(), access: 2 });
})]
#[case::script_is_admitted_after_a_refusal("supplementary-only", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.member_of(&[MAIL]);
    f.script().same_process = false; f.evidence.end = Some(End::Exited(2));
})]
#[case::the_trusted_gid_has_no_name("nameless-gid", |f: &mut Failure| {
    f.case.names.groups.remove(&gid(MAIL)); f.refused(8, "no name");
})]
#[case::the_callers_gid_has_a_name("nameless-gid", |f: &mut Failure| { f.caller(USERS); f.refused(8, "no name"); })]
#[case::nameless_was_expected("nameless-gid", |f: &mut Failure| {
    f.must_refuse("nameless", 8); f.caller(4242); f.refused(8, "no name");
})]
#[case::another_status("nameless-gid", |f: &mut Failure| { f.caller(4242); f.refused(2, MISMATCH); })]
#[case::a_name_is_missing("leaked-environment", |f: &mut Failure| f.script().env.clear())]
#[case::environment_is_not_judged("leaked-environment", |f: &mut Failure| {
    f.case.outcome.script = None; f.script().env.push("X=1".into());
})]
#[case::what_is_not_judged("inherited-process-attributes", |f: &mut Failure| {
    f.case.outcome.script = None; f.script().umask = 0o077; f.case.invocation.umask = 0o077;
})]
#[case::everything_reset("inherited-process-attributes", |f: &mut Failure| {
    f.case.invocation.umask = 0; f.case.invocation.signals.ignored.insert(13); f.script().env.push("X=1".into());
})]
#[case::killed_by_a_signal_nobody_sent("inherited-process-attributes", |f: &mut Failure| f.ended(End::Signaled { signal: 15, core: false }))]
#[case::core_limit_is_zero("core-exposed", |f: &mut Failure| f.script().umask = 0)]
#[case::core_limit_is_not_judged("core-exposed", |f: &mut Failure| {
    f.case.outcome.script = None; f.script().limits = vec![(4, None, None)];
})]
#[case::crash_without_a_core("core-exposed", |f: &mut Failure| f.ended(End::Signaled { signal: 11, core: false }))]
#[case::refusal_names_a_listed_command("caller-text-echoed", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.refused(1, "allowed: admin, bounces, post, request");
})]
#[case::refusal_names_a_group_that_is_an_argument("caller-text-echoed", |f: &mut Failure| {
    f.must_refuse("unknown-command", 6); f.case.invocation.argv.edit(|argv| argv[1] = "users".into()); f.refused(2, MISMATCH);
})]
#[case::script_prints_its_argument("caller-text-echoed", |f: &mut Failure| {
    f.must_refuse("usage", 5); f.evidence.stdout.bytes = "announce".into();
})]
#[case::trusted_caller_with_a_bad_command("argument-before-caller", |f: &mut Failure| {
    f.must_refuse("unknown-command", 6); f.refused(5, "usage");
})]
#[case::stranger_refused_for_its_group("argument-before-caller", |f: &mut Failure| {
    f.must_refuse("nameless", 8); f.caller(4242); f.refused(2, MISMATCH);
})]
#[case::the_listed_script_started("command-escape", |f: &mut Failure| f.script().umask = 0)]
#[case::stranger_started_the_listed_script("command-escape", |f: &mut Failure| { f.must_refuse("mismatch", 2); f.caller(USERS); })]
#[case::refused_with_another_status("false-success", |f: &mut Failure| { f.must_refuse("mismatch", 2); f.caller(USERS); f.refused(1, ""); })]
#[case::script_started_and_ended_0("false-success", |f: &mut Failure| f.must_refuse("mismatch", 2))]
#[case::wrapper_became_the_script("started-before-decision", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.evidence.end = Some(End::Exited(2));
})]
#[case::wrapper_waited_for_its_script("started-before-decision", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.script().same_process = false;
})]
#[case::policy_refused_but_otherwise("bad-policy-accepted", |f: &mut Failure| {
    f.must_refuse("bad-policy", 10); f.case.subject.policy.condition = Sealing::Damaged; f.refused(1, "");
})]
#[case::crashed_on_a_bad_policy("bad-policy-accepted", |f: &mut Failure| {
    f.must_refuse("bad-policy", 10); f.case.subject.policy.condition = Sealing::OverLong;
    f.ended(End::Signaled { signal: 11, core: false });
})]
#[case::stack_too_small_to_start("crashed", |f: &mut Failure| {
    f.case.invocation.limits = vec![Limit { resource: 3, soft: Some(4096), hard: Some(4096) }];
    f.ended(End::Signaled { signal: 11, core: false });
})]
#[case::pending_signal_struck("crashed", |f: &mut Failure| {
    f.case.invocation.signals.pending.insert(15); f.ended(End::Signaled { signal: 15, core: false });
})]
#[case::exit_101_without_a_panic("crashed", |f: &mut Failure| f.refused(101, "no such thing"))]
#[case::slow_but_ended("timed-out", |f: &mut Failure| f.evidence.run_us = 4_900_000)]
#[case::crash_with_usual_limits("ended-before-main", |f: &mut Failure| f.ended(End::Signaled { signal: 11, core: false }))]
#[case::it_spoke_before_it_died("ended-before-main", |f: &mut Failure| {
    f.case.invocation.limits = vec![Limit { resource: 3, soft: Some(8192), hard: Some(8192) }];
    f.refused(0, "thread 'main' panicked at src/main.rs"); f.evidence.end = Some(End::Signaled { signal: 6, core: false });
})]
#[case::it_refused_for_its_limits("ended-before-main", |f: &mut Failure| {
    f.case.invocation.limits = vec![Limit { resource: 9, soft: Some(1 << 20), hard: Some(1 << 20) }];
    f.refused(11, "RLIMIT_AS is too small");
})]
#[case::sealed_page_was_run("command-escape", |f: &mut Failure| f.case.subject.policy.kind = Kind::Cgi)]
#[case::mail_arguments_are_the_callers("command-escape", |f: &mut Failure| f.script().argv.push("more".into()))]
#[case::script_is_missing("command-escape", |f: &mut Failure| f.refused(4, "cannot start the script"))]
fn what_looks_the_same_does_not_get_the_code(#[case] code: &str, #[case] bend: fn(&mut Failure)) {
    let mut failure = Failure::admitted();
    bend(&mut failure);
    let found = failure.diagnose();
    assert!(found.iter().all(|diagnosis| diagnosis.code != code), "{}", render(&found));
    assert!(!found.is_empty(), "a failed case has at least the honest answer");
}

/// Other faces of the same codes.
#[rstest]
#[case::a_script_that_failed("false-success", |f: &mut Failure| {
    f.case.invocation.script_end = ScriptEnd::Exit(75); f.script().same_process = false;
})]
#[case::a_signal_that_became_a_status("altered-status", |f: &mut Failure| {
    f.case.invocation.script_end = ScriptEnd::Signal(9); f.script().same_process = false; f.evidence.end = Some(End::Exited(137));
})]
#[case::a_success_that_became_a_failure("altered-status", |f: &mut Failure| {
    f.script().same_process = false; f.evidence.end = Some(End::Exited(1));
})]
#[case::another_process_group("out-of-reach", |f: &mut Failure| f.script().place.process_group = 7)]
#[case::stranger_refused_for_the_wrappers_own_group("effective-only", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.refused(2, "group mismatch: list 38, not mail 8");
})]
#[case::stranger_admitted_where_own_group_is_trusted("effective-only", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.case.subject.policy.trusts.gid = gid(LIST);
})]
#[case::lost_bit_and_the_caller_judged("set-group-id-ignored", |f: &mut Failure| {
    f.must_refuse("not-privileged", 9); f.file().mode = 0o755; f.caller(USERS); f.refused(2, MISMATCH);
})]
#[case::stranger_by_16_bits("wrong-comparison", |f: &mut Failure| { f.must_refuse("mismatch", 2); f.caller(65544); })]
#[case::stranger_by_prefix("wrong-comparison", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(4242); f.case.names.groups.insert(gid(4242), "mailman".into());
})]
#[case::own_group_admitted("wrong-comparison", |f: &mut Failure| { f.must_refuse("mismatch", 2); f.caller(LIST); })]
#[case::trusted_gid_without_a_name("wrong-comparison", |f: &mut Failure| {
    f.case.names.groups.remove(&gid(MAIL)); f.refused(8, "no name for gid 8");
})]
#[case::mailman_built_for_another_group("group-mismatch", |f: &mut Failure| {
    f.refused(2, "Group mismatch error.  Mailman expected the mail\nwrapper script to be executed as group \"nogroup\", but");
})]
#[case::mismatch_with_status_75("group-mismatch", |f: &mut Failure| {
    f.case.subject.policy.refusal = Style::Defer; f.caller(USERS); f.refused(75, MISMATCH);
})]
#[case::runtime_ignores_sigpipe("inherited-process-attributes", |f: &mut Failure| { f.script().ignored.insert(13); })]
#[case::pending_signal_struck("inherited-process-attributes", |f: &mut Failure| {
    f.case.invocation.signals.pending.insert(15); f.ended(End::Signaled { signal: 15, core: false });
})]
#[case::path_taken_for_a_file("command-escape", |f: &mut Failure| {
    f.must_refuse("unknown-command", 6); f.case.invocation.argv.edit(|argv| argv[1] = "../x".into()); f.refused(4, "cannot start the script");
})]
#[case::page_from_the_query("command-escape", |f: &mut Failure| {
    f.case.subject.policy.kind = Kind::Cgi; f.script().argv.edit(|argv| argv[1] = "admin".into());
})]
#[case::unsound_policy_judges("bad-policy-accepted", |f: &mut Failure| {
    f.must_refuse("no-policy", 10); f.case.subject.policy.condition = Sealing::Damaged; f.refused(2, MISMATCH);
})]
#[case::root_was_not_refused("privilege-not-dropped", |f: &mut Failure| f.must_refuse("cannot-drop", 3))]
#[case::second_of_two("leaked-environment", |f: &mut Failure| {
    f.case.invocation.env = vec!["PATH=/usr/bin:/bin".into(), "PATH=/tmp".into()];
    f.script().env = vec!["PATH=/tmp".into()];
})]
#[case::descriptor_missing("leaked-descriptor", |f: &mut Failure| { f.script().descriptors.remove(0); })]
#[case::rust_panic("crashed", |f: &mut Failure| f.refused(101, "thread 'main' panicked at src/main.rs:1:1"))]
#[case::loader_gave_up("ended-before-main", |f: &mut Failure| {
    f.case.invocation.limits = vec![Limit { resource: 7, soft: Some(3), hard: Some(3) }];
    f.refused(127, "error while loading shared libraries: libc.so.6: Error 24");
})]
#[case::root_was_asked_for_a_script("privilege-not-dropped", |f: &mut Failure| {
    f.must_refuse("cannot-drop", 3); f.refused(4, "cannot start the script");
})]
#[case::cut_number_in_the_refusal("wrong-comparison", |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(65636); f.refused(2, "group mismatch: real gid 100 (users)");
})]
#[case::own_group_named_to_a_trusted_caller_with_a_bad_command("effective-only", |f: &mut Failure| {
    f.must_refuse("unknown-command", 6); f.refused(2, "group mismatch: real gid 38 (list)");
})]
#[case::room_not_made_safe("inherited-process-attributes", |f: &mut Failure| f.must_refuse("unsafe-process", 11))]
fn the_same_code_has_other_faces(#[case] code: &str, #[case] bend: fn(&mut Failure)) {
    let mut failure = Failure::admitted();
    bend(&mut failure);
    let found = failure.diagnose();
    assert_eq!(found.first().map(|diagnosis| diagnosis.code.as_str()), Some(code), "{}", render(&found));
}

/// The mistake is told by its name, not as one that nobody knows.
#[rstest]
#[case::trusted_group_of_the_user_alone(|f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.user_database("Debian-exim:x:101:8::/:\n");
})]
#[case::group_of_the_user_in_the_refusal(|f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.user_database("Debian-exim:x:101:33::/:\nx:x:101:8::/:\n");
    f.refused(2, "group mismatch: started with real gid 33 (www-data)");
})]
#[case::trusted_caller_refused_for_the_group_of_the_user(|f: &mut Failure| {
    f.user_database("Debian-exim:x:101:33::/:\n");
    f.refused(2, "group mismatch: started with real gid 33 (www-data), but only gid 8 (mail) is trusted");
})]
fn a_group_from_the_user_database_is_told_as_such(#[case] bend: fn(&mut Failure)) {
    let mut failure = Failure::admitted();
    bend(&mut failure);
    let found = failure.diagnose();
    let first = found.first().expect("a finding");
    assert!(first.code == "wrong-comparison" && first.cause.contains("by the user database"), "{}", render(&found));
}

/// Where several mistakes would do the same, each is named and none is more than possible.
#[rstest]
#[case::member_whose_group_has_the_trusted_name(&["supplementary-only", "wrong-comparison"], |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(4008); f.member_of(&[MAIL]);
    f.case.names.groups.insert(gid(4008), "mail".into());
})]
#[case::member_where_own_group_is_trusted(&["supplementary-only", "effective-only"], |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.member_of(&[LIST]); f.case.subject.policy.trusts.gid = gid(LIST);
})]
#[case::root_asked_for_arguments(&["argument-before-caller", "privilege-not-dropped"], |f: &mut Failure| {
    f.must_refuse("cannot-drop", 3); f.refused(6, "unknown command");
})]
#[case::member_asked_for_arguments(&["argument-before-caller", "supplementary-only"], |f: &mut Failure| {
    f.must_refuse("mismatch", 2); f.caller(USERS); f.member_of(&[MAIL]); f.refused(5, "usage");
})]
#[case::lost_bit_and_asked_for_arguments(&["set-group-id-ignored", "argument-before-caller"], |f: &mut Failure| {
    f.must_refuse("not-privileged", 9); f.file().mode = 0o755; f.refused(6, "unknown command");
})]
#[case::bad_policy_and_asked_for_arguments(&["bad-policy-accepted", "argument-before-caller"], |f: &mut Failure| {
    f.must_refuse("no-policy", 10); f.case.subject.policy.condition = Sealing::Unsealed; f.refused(6, "unknown command");
})]
fn what_fits_several_mistakes_is_called_possible(#[case] codes: &[&str], #[case] bend: fn(&mut Failure)) {
    let mut failure = Failure::admitted();
    bend(&mut failure);
    let found = failure.diagnose();
    assert_eq!(found.iter().map(|diagnosis| diagnosis.code.as_str()).collect::<Vec<_>>(), codes, "{}", render(&found));
    assert!(found.iter().all(|diagnosis| diagnosis.certainty == Certainty::Possible), "{}", render(&found));
}
