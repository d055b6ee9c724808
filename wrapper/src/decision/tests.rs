//! From caller, arguments and environment to what is executed.

use super::{Plan, decide};
use crate::credentials::Credentials;
use crate::policy::{Fault, Interpreter, Policy, PolicyError, Tag, Task};
use crate::refusal::{Refusal, StartFault};
use crate::sample::{Answers, LIST, OWNER, cgi_policy, gid, list, mail_policy, trusted_caller};
use crate::surroundings::AccountName;
use nix::errno::Errno;
use rstest::rstest;
use std::ffi::CStr;

fn decided<'a>(
    caller: Credentials,
    argv: &[&'a CStr],
    environ: &[&'a CStr],
    policy: &'static Policy<'static>,
) -> Result<Plan<'a>, Refusal<'static>> {
    decide(&caller, argv.iter().copied(), environ.iter().copied(), policy, &Answers::new(false, AccountName::Nameless))
}

fn kept(policy: Policy<'static>) -> &'static Policy<'static> {
    Box::leak(Box::new(policy))
}

fn argv<'p>(plan: &'p Plan<'_>) -> Vec<&'p [u8]> {
    plan.argv.iter().map(|word| word.to_bytes()).collect()
}

#[test]
fn mail_without_an_interpreter_executes_the_script() {
    let policy = kept(mail_policy());
    let plan = decided(trusted_caller(), &[c"anything", c"post", c"announce"], &[c"HOME=/"], policy).expect("admitted");
    assert_eq!(plan.program(), c"/usr/local/mailman/scripts/post");
    assert_eq!((plan.interpreter.as_deref(), plan.script.as_c_str()), (None, plan.program()));
    assert_eq!(argv(&plan), [&b"/usr/local/mailman/scripts/post"[..], b"announce"]);
    assert_eq!(plan.environment.iter().map(|entry| entry.to_bytes()).collect::<Vec<_>>(), [b"PATH=/usr/bin:/bin"]);
}

#[test]
fn mail_with_an_interpreter_executes_that() {
    let interpreter = Some(Interpreter { path: "/usr/bin/python3", flags: list(&["-S", "-I"]) });
    let policy = kept(Policy { interpreter, ..mail_policy() });
    let plan = decided(trusted_caller(), &[c"m", c"admin"], &[], policy).expect("admitted");
    assert_eq!(plan.program(), c"/usr/bin/python3");
    assert_eq!(plan.interpreter.as_deref(), Some(c"/usr/bin/python3"));
    assert_eq!(plan.script.as_c_str(), c"/usr/local/mailman/scripts/admin");
    assert_eq!(argv(&plan), [&b"/usr/bin/python3"[..], b"-S", b"-I", b"/usr/local/mailman/scripts/admin"]);
}

#[test]
fn arguments_after_the_command_are_passed_byte_for_byte() {
    let policy = kept(mail_policy());
    let given = [c"m", c"post", c"", c"-C/x", c"\xff\x1b[2J\n", c"a;b|c $(d)", c"../x", c"post"];
    let plan = decided(trusted_caller(), &given, &[], policy).expect("admitted");
    assert_eq!(argv(&plan)[1..], given[2..].iter().map(|word| word.to_bytes()).collect::<Vec<_>>());
    assert_eq!(plan.argv.capacity(), plan.argv.len(), "memory for all of them is asked for at once");
}

#[rstest]
#[case::one_more_argument(&[c"x", c"admin"])]
#[case::words_of_a_query(&[c"x", c"-c", c"../../etc/passwd"])]
#[case::no_argument_at_all(&[])]
fn the_page_is_the_sealed_one_whatever_the_arguments(#[case] given: &[&'static CStr]) {
    let policy = kept(cgi_policy());
    let environ = [c"QUERY_STRING=a", c"PATH_INFO=/admin", c"HTTP_PROXY=http://evil"];
    let plan = decided(trusted_caller(), given, &environ, policy).expect("admitted");
    assert_eq!(plan.program(), c"/usr/bin/python3");
    assert_eq!(plan.script.as_c_str(), c"/usr/local/mailman/scripts/driver");
    let expected = [&b"/usr/bin/python3"[..], b"-S", b"-I", b"/usr/local/mailman/scripts/driver", b"listinfo"];
    assert_eq!(argv(&plan), expected);
    let environment: Vec<&[u8]> = plan.environment.iter().map(|entry| entry.to_bytes()).collect();
    assert_eq!(environment, [&b"PATH=/usr/bin:/bin"[..], b"QUERY_STRING=a"]);
}

#[rstest]
#[case::none_at_all(&[])]
#[case::empty_name(&[c""])]
#[case::name_alone(&[c"mail-wrapper"])]
fn without_a_command_usage_is_told(#[case] given: &[&'static CStr]) {
    let refusal = decided(trusted_caller(), given, &[], kept(mail_policy())).expect_err("refused");
    assert_eq!(refusal, Refusal::NoCommand { commands: &["post", "admin"] });
}

#[rstest]
#[case::unknown(c"leave")]
#[case::empty(c"")]
#[case::upper_case(c"POST")]
#[case::beginning(c"pos")]
#[case::longer(c"poster")]
#[case::blank(c"post ")]
#[case::path(c"/usr/local/mailman/scripts/post")]
#[case::below(c"post/../admin")]
#[case::above(c"../scripts/post")]
#[case::here(c"./post")]
#[case::slash(c"post/")]
#[case::option(c"--help")]
#[case::two_hyphens(c"--")]
#[case::format(c"%s%n%x")]
#[case::not_text(c"\xff\xfe")]
#[case::escape(c"\x1b[2J")]
fn a_command_is_one_of_the_list_byte_for_byte(#[case] asked: &'static CStr) {
    for given in [&[c"m", asked][..], &[c"post", asked, c"post"]] {
        let refusal = decided(trusted_caller(), given, &[], kept(mail_policy())).expect_err("refused");
        assert_eq!(refusal, Refusal::UnknownCommand { commands: &["post", "admin"] });
    }
}

#[test]
fn a_stranger_is_refused_as_such_whatever_its_arguments() {
    let stranger = Credentials { real: gid(4242), ..trusted_caller() };
    for given in [&[c"m", c"post"][..], &[c"m", c"leave"], &[c"m"], &[]] {
        let refusal = decided(stranger, given, &[], kept(mail_policy())).expect_err("refused");
        assert!(matches!(refusal, Refusal::Mismatch { name: AccountName::Nameless, .. }));
    }
}

#[rstest]
#[case::prefix(Policy { prefix: "/usr\0/local", ..cgi_policy() }, Tag::Prefix)]
#[case::page(Policy { task: Task::Cgi { script: "list\0info" }, ..cgi_policy() }, Tag::CgiScript)]
#[case::interpreter(Policy { interpreter: Some(Interpreter { path: "/usr\0", flags: list(&[]) }), ..cgi_policy() }, Tag::Interpreter)]
#[case::flag(
    Policy { interpreter: Some(Interpreter { path: "/usr", flags: list(&["-\0"]) }), ..cgi_policy() },
    Tag::InterpreterFlag
)]
fn a_policy_with_a_nul_starts_nothing(#[case] policy: Policy<'static>, #[case] tag: Tag) {
    let refusal = decided(trusted_caller(), &[], &[], kept(policy)).expect_err("refused");
    assert_eq!(refusal, Refusal::Policy(PolicyError::Field { tag, fault: Fault::Value }));
}

/// Arguments that end the test if anybody looks at them.
#[test]
fn nothing_of_a_stranger_is_looked_at() {
    let untouchable = || std::iter::from_fn(|| -> Option<&CStr> { panic!("looked at") });
    let stranger = Credentials { real: gid(4242), ..trusted_caller() };
    let answers = Answers::new(false, AccountName::Nameless);
    for policy in [mail_policy(), cgi_policy()] {
        let refusal = decide(&stranger, untouchable(), untouchable(), kept(policy), &answers).expect_err("refused");
        assert!(matches!(refusal, Refusal::Mismatch { name: AccountName::Nameless, .. }));
    }
    let environ = [c"QUERY_STRING=a"].into_iter();
    let plan = decide(&trusted_caller(), untouchable(), environ, kept(cgi_policy()), &answers);
    assert_eq!(plan.expect("admitted").argv.len(), 5, "nor the arguments of a page");
}

#[test]
fn arguments_for_which_there_is_no_memory_are_refused() {
    let answers = Answers::new(false, AccountName::Nameless);
    let argv = std::iter::repeat_n(c"post", usize::MAX);
    let refusal = decide(&trusted_caller(), argv, std::iter::empty(), kept(mail_policy()), &answers);
    let fault = StartFault::Exec(Errno::ENOMEM);
    let path = "/usr/local/mailman/scripts/post".into();
    let name = AccountName::Nameless;
    assert_eq!(refusal.expect_err("refused"), Refusal::NotStarted { path, fault, name, owner: OWNER, own: LIST });
}
