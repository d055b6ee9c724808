//! Cases that ask `wrapper-configure`: shown, replayed, and asked of another file.

use crate::help::{at, program, run, sandboxes};

const CASES: &str = "configure/prefix";
const MEMBER: &str = "configure/prefix/a-member-of-the-group";

/// `--subject` for a file in the tool's place.
fn in_its_place(name: &str) -> String {
    format!("wrapper-configure={}", program(name).display())
}

#[test]
fn a_recorded_case_of_the_tool_is_shown_as_what_it_is() {
    if !sandboxes() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let record = at(dir.path(), "record");
    run(&["run", CASES, "--record", &record]).exits(0).says("17 pass   0 fail");
    let shown = run(&["show", &format!("{record}/{MEMBER}")]).exits(0).says(&format!("PASS  {MEMBER}"));
    let shown = shown.says("subject    wrapper-configure\n").says("tool, by execve(2)").says("is new, mode 102755");
    let shown = shown.says("argv       /usr/local/lib/wrappers/wrapper-configure install --only=mail");
    // It has no policy and judges no caller.
    for wrong in ["which trusts", "the trusted group", "wrapper, by execve(2)"] {
        assert!(!shown.stdout.contains(wrong), "`{wrong}` is said of the tool:\n{}", shown.stdout);
    }
}

#[test]
fn recorded_cases_of_the_tool_are_replayed_with_this_tool_and_with_another() {
    if !sandboxes() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let (with, without, other) = (at(dir.path(), "with"), at(dir.path(), "without"), at(dir.path(), "other"));
    let (sound, no_tool) = (in_its_place("wrapper-configure"), in_its_place("cgi-wrapper"));
    run(&["run", CASES, "--record", &without]).exits(0);
    run(&["run", CASES, "--record", &with, "--record-subject", "--subject", &sound]).exits(0);
    for record in [&with, &without] {
        let same = run(&["replay", record]).exits(0).says("17 reproduced   0 gone   0 different   0 unresolved");
        assert!(!same.stdout.contains("changed"), "{}", same.stdout);
        run(&["replay", record, "--subject", &sound]).exits(0).says("17 reproduced");
        let one = run(&["replay", &format!("{record}/{MEMBER}"), "--subject", &no_tool]).exits(10);
        let one = one.says(&format!("DIFFERENT  {MEMBER}")).says("now        exit 10, ");
        one.says("changed    subject wrapper-configure: sha256 ").says("0 reproduced   0 gone   1 different");
    }
    // What failed is what was recorded with it, and goes with today's tool.
    run(&["run", CASES, "--record", &other, "--record-subject", "--subject", &no_tool]).exits(11).says("1 fail");
    let control = format!("{other}/{CASES}/control-root-in-a-prefix-as-mailman-wants-it");
    run(&["replay", &control]).exits(0).says("1 reproduced");
    run(&["replay", &control, "--subject", &sound]).exits(10).says("GONE  ").says("0 reproduced   1 gone");
}
