//! The pages of the commands, as their reader sees them; what differs between machines and moments has a placeholder.

use crate::help::{Done, at, lab, run, sandboxes};
use crate::terminal::{on_a_terminal, read_until};
use std::path::Path;
use std::process::Command;

/// A refused start.
const CASE: &str = "group-mismatch/mta-identities/exim-pipe×nogroup";

/// A page without what the moment, the machine and the place of the test put into it.
fn page(text: &str, dir: &Path) -> String {
    // Within cargo it tells how to call it there.
    let text = text.replace(dir.to_str().expect("UTF-8"), "DIR").replace("cargo lab replay", "lab replay");
    // What the machine can do and cannot is told in lines that begin so, and go on with an indent.
    let mut of_machine = false;
    let lines = text.lines().filter(|line| {
        of_machine = line.starts_with("  preflight ")
            || line.starts_with("  without ")
            || line.contains(" = ")
            || of_machine && line.starts_with("             ");
        !of_machine
    });
    let lines: Vec<String> = lines.map(words).collect();
    lines.join("\n")
}

/// A line with its words as far apart as they were, those of the moment replaced.
fn words(line: &str) -> String {
    let number = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.') && !text.is_empty();
    let mut before = "";
    let mut written = String::new();
    for word in line.split(' ') {
        let bare = word.trim_end_matches(',');
        let replaced = match before {
            _ if bare.strip_suffix('s').is_some_and(|seconds| number(seconds) && seconds.contains('.')) => "TIME",
            _ if number(bare) && line.trim_start().starts_with("time ") => "TIME",
            "Linux" => "KERNEL",
            "run" | "in" if bare.len() == 3 && line.contains("lab 0.1.0") | line.contains("recorded in") => "RUN",
            "recorded" if bare.starts_with("20") => "MOMENT",
            _ => bare,
        };
        written.push_str(replaced);
        written.push_str(&word[bare.len()..]);
        written.push(' ');
        if !word.is_empty() {
            before = word;
        }
    }
    written.trim_end().to_owned()
}

#[test]
fn pages_for_which_nothing_is_run() {
    let nowhere = Path::new("/no/such/directory");
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help_run", &["run", "--help"]),
        ("list", &["list", "install/nosuid-mount"]),
        ("list_by_source", &["list", "--by-source", "install/nosuid-mount"]),
        ("explain", &["explain"]),
    ] {
        insta::assert_snapshot!(format!("page_{name}"), page(&run(arguments).exits(0).stdout, nowhere));
    }
    // It counts what is in the tree.
    let check = run(&["check"]).exits(0).stdout;
    let words =
        check.split_inclusive([' ', '\n']).map(|word| if word.trim_end().parse::<u32>().is_ok() { "N " } else { word });
    insta::assert_snapshot!("page_check", page(&words.collect::<String>(), nowhere));
}

#[test]
fn pages_about_runs_and_records() {
    if !sandboxes() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let [old, new] = ["old", "new"].map(|name| at(dir.path(), name));
    let case = format!("{old}/{CASE}");
    // The second run has a case that the first has not, and the other way round.
    run(&["run", CASE, "install/nosuid-mount/control-no-flags", "--record", &old]).exits(0);
    run(&["run", CASE, "group-mismatch/mta-identities/exim-pipe×mail", "--record", &new]).exits(0);
    for (name, arguments) in [
        ("preflight", &["preflight"][..]),
        ("show_run", &["show", &old]),
        ("show_case", &["show", &case]),
        ("replay", &["replay", &case]),
        ("diff", &["diff", &old, &new]),
    ] {
        // Which is what a script asks `diff` for.
        let done = run(arguments).exits(if name == "diff" { 10 } else { 0 });
        insta::assert_snapshot!(format!("page_{name}"), page(&done.stdout, dir.path()));
    }
}

/// The lab with less than the capabilities of its caller, where that is root.
fn without(capability: &str, arguments: &[&str]) -> Done {
    let lab = env!("CARGO_BIN_EXE_lab");
    let mut command = Command::new("setpriv");
    command.arg(format!("--bounding-set=-{capability}")).arg(lab).args(arguments).env("NO_COLOR", "1");
    Done::of(command.output().expect("setpriv(1)"))
}

#[test]
fn what_is_required_and_missing_ends_the_run_before_a_case() {
    if !sandboxes() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        return crate::required::skip("root", "only root has capabilities to do without");
    }
    for (capability, lacking, cure) in
        [("setpcap", "invoker-capabilities", "cap_setpcap"), ("sys_ptrace", "root-tracer", "CAP_SYS_PTRACE")]
    {
        let done = without(capability, &["run", "install/nosuid-mount", "--require", lacking]).exits(11);
        let done = done.complains("a required capability is not here");
        let done = done.complains(&format!("{lacking}: tried ")).complains(cure).complains("leave it out of --require");
        assert_eq!(done.stdout, "", "no case was run");
    }
    // What is not required is only missed by the cases that need it.
    let without_it = without("setpcap", &["run", "install/capabilities"]).exits(0);
    without_it.says(" unsupported ").says("0 unresolved");
}

/// What a watcher sees is drawn over in place, in colours unless they are not wanted; a pipe gets neither.
#[test]
fn progress_and_colours_are_for_a_terminal_only() {
    if !sandboxes() {
        return;
    }
    const ESCAPE: char = '\x1b';
    let arguments = ["run", "install/nosuid-mount"];
    let terminal = |no_colour: &str| {
        let (mut child, mut terminal) = on_a_terminal(&arguments, &[("TERM", "xterm"), ("NO_COLOR", no_colour)]);
        let shown = read_until(&mut terminal, "nothing that comes");
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{shown}");
        shown
    };
    let colours = |shown: &str| shown.contains("\x1b[32m") || shown.contains("\x1b[1m");
    let (coloured, plain) = (terminal(""), terminal("1"));
    // indicatif(1) erases the line before it draws it again.
    assert!(coloured.contains("\x1b[2K") && colours(&coloured), "{coloured:?}");
    assert!(coloured.contains("running ") && plain.contains("running "), "{plain:?}");
    assert!(!colours(&plain), "{plain:?}");
    let mut piped = lab();
    let piped =
        Done::of(piped.args(arguments).env_remove("NO_COLOR").env("TERM", "xterm").output().expect("it starts"));
    let piped = piped.exits(0);
    assert!(!piped.stdout.contains(ESCAPE) && !piped.stderr.contains(ESCAPE), "{}{}", piped.stdout, piped.stderr);
    assert!(!piped.stdout.contains("running ") && !piped.stderr.contains("running "), "{}", piped.stderr);
}
