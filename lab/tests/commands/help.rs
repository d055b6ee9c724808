//! What the tests share, and the commands which run nothing.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The lab, as cargo starts it, without colours.
pub(crate) fn lab() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.env("NO_COLOR", "1").env_remove("GITHUB_ACTIONS").stdin(Stdio::null());
    command
}

/// What a command came to.
pub(crate) struct Done {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the lab writes UTF-8");
        Self { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Demands an exit status.
    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Demands a text on standard output.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "`{text}` is missing in:\n{}", self.stdout);
        self
    }

    /// Demands a text on standard error.
    #[track_caller]
    pub(crate) fn complains(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is missing in:\n{}", self.stderr);
        self
    }
}

/// Runs the lab with these arguments.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Done {
    Done::of(lab().args(arguments).output().expect("the lab starts"))
}

/// Whether this machine allows sandboxes.
pub(crate) fn sandboxes() -> bool {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let lacking = FOUND.get_or_init(|| {
        let done = run(&["preflight"]);
        (done.status != Some(0)).then(|| format!("{}{}", done.stdout, done.stderr))
    });
    let Some(lacking) = lacking else { return true };
    crate::required::skip("namespace", lacking);
    false
}

/// A directory whose `scenarios/` has the tree's identities and one file, `some/file.toml`.
pub(crate) fn scenarios(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/identities.toml");
    let place = dir.path().join("scenarios");
    std::fs::create_dir_all(place.join("some")).expect("a directory");
    std::fs::copy(ours, place.join("identities.toml")).expect("identities");
    std::fs::write(place.join("some/file.toml"), text).expect("a scenario");
    dir
}

/// A scenario of two cases; the second states this outcome of a caller whom the wrapper trusts.
pub(crate) fn two_cases(outcome: &str) -> String {
    let mismatch = "[outcome.mismatch]\nexit = 2\nscript = { started = false }\n";
    let other = if outcome == "mismatch" { mismatch } else { "" };
    format!(
        r#"title = "Two cases"
why = "Tests of the commands need some."
[subject]
program = "mail-wrapper"
install = {{ owner = "root", group = "list", mode = "2755" }}
trusts = "mail"
args = ["post", "announce"]
[invoker]
exim-pipe = {{ user = "Debian-exim", group = "mail" }}
[[case]]
name = "control: nothing"
control = true
outcome = "admitted"
[[case]]
name = "second"
given = {{ umask = "077" }}
outcome = "{outcome}"
[outcome.admitted]
exit = 0
script = {{ started = true }}
{other}"#
    )
}

/// Path of a file below a directory, as text.
pub(crate) fn at(dir: &Path, name: &str) -> String {
    dir.join(name).to_str().expect("temporary paths are UTF-8").to_owned()
}

#[test]
fn every_command_has_help_with_a_first_line() {
    let help = run(&["--help"]).exits(0);
    let commands: Vec<&str> = help
        .stdout
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            line.strip_prefix("  ")?.split(' ').next().filter(|word| !word.is_empty() && *word != "help")
        })
        .collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let text = run(&[command, "--help"]).exits(0).stdout;
        assert!(text.starts_with(char::is_uppercase), "{command}: {text}");
    }
}

#[test]
fn a_misspelt_command_is_no_pattern() {
    run(&["relpay"]).exits(2).complains("replay");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = lab().arg("list").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the lab starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert!(line.contains('/'), "{line}");
    Done::of(child.wait_with_output().expect("it ends")).exits(0);
}

#[test]
fn a_full_disk_is_a_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let output = lab().arg("list").stdout(full).output().expect("the lab starts");
    Done::of(output).exits(1).complains("standard output cannot be written");
}

#[test]
fn list_selects_as_run_does() {
    let all = run(&["list"]).exits(0).stdout.lines().count();
    let some = run(&["list", "install"]).exits(0).stdout;
    assert!(some.lines().count() < all && some.lines().all(|line| line.starts_with("install/")), "{some}");
    run(&["list", "instal"]).exits(13).complains("selects none");
    run(&["list", "--by-source", "install"]).exits(0).says("execve(2)");
}

#[test]
fn check_finds_what_the_model_denies() {
    run(&["check"]).exits(0).says("hold together");
    let dir = scenarios(&two_cases("mismatch"));
    let done = run(&["check", "--scenarios", &at(dir.path(), "scenarios")]).exits(2);
    done.complains("is not what must happen").complains("the model says admitted");
}

#[test]
fn a_new_scenario_checks_as_it_is() {
    let dir = scenarios(&two_cases("admitted"));
    let place = at(dir.path(), "scenarios");
    run(&["new", "other/thing", "--scenarios", &place]).exits(0).says("other/thing");
    run(&["check", "--scenarios", &place]).exits(0).says("2 scenarios");
    run(&["new", "other/thing", "--scenarios", &place]).exits(2);
}

#[test]
fn the_schema_is_json() {
    for arguments in [&["schema"][..], &["schema", "--identities"], &["schema", "--profile"]] {
        let text = run(arguments).exits(0).stdout;
        serde_json::from_str::<serde_json::Value>(&text).expect("the schema is JSON");
    }
}

#[test]
fn every_finding_has_a_page() {
    let list = run(&["explain"]).exits(0).stdout;
    for code in list.lines().filter_map(|line| line.split(' ').next()) {
        run(&["explain", code]).exits(0).says("What happened");
    }
    run(&["explain", "no-such-thing"]).exits(2).complains("group-mismatch");
}

#[test]
fn a_broken_scenario_file_is_shown_with_its_place() {
    let dir = scenarios(&two_cases("admitted").replace("outcome = \"admitted\"", "outcom = \"admitted\""));
    let done = run(&["run", "--scenarios", &at(dir.path(), "scenarios")]).exits(2);
    done.complains("some/file.toml").complains("outcom");
}

/// A program of the project, built.
pub(crate) fn program(name: &str) -> PathBuf {
    use lab::run::programs::{PACKAGES, Programs};
    let tree = lab::run::tree::Tree::find().expect("tests run in the checkout");
    let programs = Programs::provide(&tree, PACKAGES, &mut |_| {}).expect("the programs build");
    programs.path(name).expect("it is one of them").to_owned()
}
