//! What scenario files may say, tried on small files: each form gives what it promises, and its misuse is refused.

use lab::case::{Case, Outcome, Script};
use lab::copy_on_write::CopyOnWrite;
use lab::scenario::{self, Source, Suite};
use lab_invocation::Bytes;
use rstest::rstest;
use std::path::Path;
use std::sync::Arc;

const HEAD: &str = r#"
title = "A question"
why = "A reason."
subject = { program = "mail-wrapper", trusts = "mail", args = ["post", "announce", "more"] }
invoker = { mail = { user = "alice", group = "mail" } }
"#;

fn read(text: &str) -> Result<Vec<Arc<Case>>, String> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/identities.toml"));
    let identities = scenario::source(path).expect("identities.toml");
    let mut suite = Suite::default();
    suite.accounts = scenario::accounts::Accounts::read(&identities).expect("identities");
    let source = Arc::new(Source { path: "test.toml".to_owned(), text: format!("{HEAD}{text}") });
    match suite.add("test", &source) {
        Ok(()) => Ok(suite.cases),
        Err(reports) => Err(reports.iter().map(ToString::to_string).collect()),
    }
}

fn one(case: &str, outcome: &str) -> Result<Case, String> {
    let text = format!("[[case]]\nname = \"a\"\ncontrol = true\noutcome = \"o\"\n{case}\n[outcome.o]\n{outcome}\n");
    read(&text).map(|cases| cases[0].as_ref().clone())
}

fn outcome_of(case: &str, outcome: &str) -> CopyOnWrite<Outcome> {
    one(case, outcome).expect("a sound case").outcome
}

fn script_of(case: &str, script: &str) -> Script {
    outcome_of(case, &format!("script = {{ started = true, {script} }}")).script.clone().expect("a script")
}

#[rstest]
#[case::parts(r#"["a", { hex = "ff" }, { repeat = "bc", count = 2 }]"#, b"a\xffbcbc")]
#[case::no_part("[]", b"")]
#[case::one_text(r#""a""#, b"a")]
fn a_byte_string_may_be_a_list_of_parts(#[case] written: &str, #[case] bytes: &[u8]) {
    let case = one(&format!("given = {{ args = [\"post\", {written}] }}"), "exit = 0").expect("a sound case");
    assert_eq!(case.invocation.argv.last(), Some(&Bytes::from(bytes)));
}

#[rstest]
#[case::parts_in_parts(r#"given = { args = [["a", ["b"]]] }"#, "expected a string")]
#[case::parts_too_long(
    r#"given = { args = [[{ repeat = "a", count = 1000000 }, { repeat = "a", count = 1000000 }]] }"#,
    "at most 1048576 bytes"
)]
#[case::too_many_groups("given = { more-groups = { from = 1, count = 65001 } }", "out of range")]
#[case::too_many_arguments(r#"given = { more-args = { each = "a", count = 700001 } }"#, "out of range")]
fn a_form_without_meaning_is_refused(#[case] case: &str, #[case] message: &str) {
    let error = one(case, "exit = 0").expect_err("refused");
    assert!(error.contains(message), "{error}");
}

#[test]
fn more_arguments_follow_those_of_the_file() {
    let case = one(r#"given = { more-args = { each = "x", count = 3 } }"#, "exit = 0").expect("a sound case");
    let argv: Vec<String> = case.invocation.argv.iter().skip(1).map(Bytes::to_text).collect();
    assert_eq!(argv, ["post", "announce", "more", "x", "x", "x"]);
}

#[test]
fn what_was_in_a_directory_goes_when_a_link_takes_its_place() {
    let case = one(
        r#"given = { files = { "/usr/local/mailman/scripts" = { kind = "symlink", content = "/elsewhere" } } }"#,
        "exit = 0",
    );
    let layout = case.expect("a sound case").layout;
    let scripts = layout.nodes.iter().filter(|node| node.path.to_text().starts_with("/usr/local/mailman/scripts"));
    assert_eq!(scripts.count(), 1);
}

#[test]
fn more_groups_are_consecutive_and_join_those_of_the_invoker() {
    let case = one("given = { more-groups = { from = 10000, count = 3 } }", "exit = 0").expect("a sound case");
    let groups: Vec<u32> = case.invocation.identity.groups.iter().map(|gid| gid.as_raw()).collect();
    assert_eq!(groups, [10000, 10001, 10002]);
}

#[test]
fn arguments_as_given_are_those_after_the_command() {
    let script = script_of(r#"given = { args = ["owner", "a b", ""] }"#, "args-as-given = true");
    let argv: Vec<String> = script.argv.expect("argv").iter().map(Bytes::to_text).collect();
    assert_eq!(argv, ["/usr/local/mailman/scripts/owner", "a b", ""]);
}

#[test]
fn arguments_as_given_and_argv_contradict_each_other() {
    let outcome = r#"script = { started = true, args-as-given = true, argv = ["x"] }"#;
    let error = one("", outcome).expect_err("refused");
    assert!(error.contains("the same thing twice"), "{error}");
}

#[test]
fn the_environment_as_given_has_the_constant_path_and_the_first_of_duplicates() {
    let script = script_of(r#"given = { env-raw = ["A=1", "PATH=/tmp", "A=2", "noequals"] }"#, "env-as-given = true");
    let env: Vec<(String, String)> =
        script.env.expect("env").iter().map(|(name, value)| (name.to_text(), value.to_text())).collect();
    assert_eq!(env, [("A".to_owned(), "1".to_owned()), ("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
}

#[test]
fn what_must_not_be_said_is_taken_as_it_stands() {
    let outcome = outcome_of("", "exit = 0\nsays-nothing-of = [\"{x\", { hex = \"9b\" }]");
    assert_eq!(outcome.says_nothing_of, [Bytes::from("{x"), Bytes(vec![0x9b])]);
}

#[test]
fn nothing_can_be_silent_about_the_empty_text() {
    let error = one("", r#"says-nothing-of = [""]"#).expect_err("refused");
    assert!(error.contains("every output contains the empty text"), "{error}");
}
