//! What the user sees for each kind of mistake in a scenario file, and that no mistake at all ends in a panic.

use lab::profile::Profile;
use lab::scenario::{Report, Source, Suite, accounts::Accounts};
use lab_invocation::random::Random;
use rstest::{Context, rstest};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

const SOUND: &str = r#"title = "Only the trusted group is admitted"
why   = "Anybody else is a stranger."

[subject]
program = "mail-wrapper"
install = { owner = "root", group = "list", mode = "2755" }
trusts  = "mail"
args    = ["post", "announce"]

[invoker]
exim     = { user = "Debian-exim", group = "mail" }
stranger = { user = "alice", group = "users" }

[[case]]
name    = "control: the trusted group"
invoker = "exim"
control = true
outcome = "admitted"

[[case]]
name    = "a stranger"
invoker = "stranger"
given   = { umask = "077" }
outcome = "mismatch"

[outcome.admitted]
exit   = 0
script = { started = true, effective-gid = "list" }

[outcome.mismatch]
exit   = 2
stderr = ["{trusts}", "{invoker.group}"]
script = { started = false }
"#;

const MATRIX: &str = r#"title = "A table"
why   = "It is read by eye."

[subject]
program = "mail-wrapper"
args    = ["post", "announce"]

[invoker]
exim     = { user = "Debian-exim", group = "mail" }
stranger = { user = "alice", group = "users" }

[matrix]
trusts   = [ "mail",     "www-data" ]

[matrix.invoker]
exim     = [ "admitted", "mismatch" ]
stranger = [ "mismatch", "mismatch" ]

[outcome.admitted]
exit   = 0
script = { started = true }

[outcome.mismatch]
exit   = 2
script = { started = false }
"#;

const TOOL: &str = r#"title = "The tool"
why   = "It is no wrapper."

[subject]
program = "wrapper-configure"
args    = ["seal", "/usr/local/lib/wrappers/mail-wrapper", "--output=/tmp/sealed", "--with-mail-gid=mail", "--with-username=list", "--with-groupname=list"]

[invoker]
root    = { user = "root", group = "root" }

[given.elsewhere]
cwd     = "/tmp"

[[case]]
name    = "control: as it is"
control = true
outcome = "sealed"

[[case]]
name    = "in another directory"
given   = ["elsewhere"]
outcome = "sealed"

[[case]]
name    = "with a narrow mask"
given   = { umask = "077" }
outcome = "sealed"

[outcome.sealed]
exit    = 0
stdout  = ["trusts mail 8"]
"#;

fn scenarios() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios")).to_owned()
}

static ACCOUNTS: LazyLock<Accounts> =
    LazyLock::new(|| lab::scenario::load(&scenarios()).expect("the scenarios of the project load").accounts);

/// Everything that is wrong with a text.
fn wrong(path: &str, bytes: Vec<u8>) -> Vec<Report> {
    let source = match lab::scenario::decoded(path.to_owned(), bytes) {
        Ok(source) => source,
        Err(report) => return vec![*report],
    };
    let mut suite = Suite::new(ACCOUNTS.clone());
    match suite.add("test/file", &source) {
        Ok(()) => lab::predict::check(&suite),
        Err(reports) => reports,
    }
}

fn shown(reports: &[Report]) -> String {
    reports.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

#[rstest]
#[case(SOUND)]
#[case(MATRIX)]
#[case(TOOL)]
fn the_files_of_this_test_are_sound(#[case] text: &str) {
    assert_eq!(shown(&wrong("sound.toml", text.into())), "");
}

#[rstest]
#[case::unknown_key("umask = ", "umaks = ")]
#[case::unknown_key_of_the_file("[[case]]\nname    = \"a str", "[[cases]]\nname    = \"a str")]
#[case::unknown_outcome(r#"outcome = "mismatch""#, r#"outcome = "mismtach""#)]
#[case::unknown_group(r#"group = "users""#, r#"group = "user""#)]
#[case::unknown_user(r#"user = "alice""#, r#"user = "alicia-the-unknown""#)]
#[case::unknown_invoker(r#"invoker = "stranger""#, r#"invoker = "strangers""#)]
#[case::unknown_program("mail-wrapper", "mail-wraper")]
#[case::unknown_placeholder("{trusts}", "{trust}")]
#[case::open_brace("{trusts}", "{trusts")]
#[case::unknown_signal(r#"umask = "077""#, r#"ignored-signals = ["SIGPIP"]"#)]
#[case::signal_that_cannot_be_ignored(r#"umask = "077""#, r#"ignored-signals = ["SIGKILL"]"#)]
#[case::unknown_limit(r#"umask = "077""#, "limits = { nofiles = 3 }")]
#[case::soft_above_hard(r#"umask = "077""#, "limits = { nofile = { soft = 4, hard = 3 } }")]
#[case::unknown_word(r#"umask = "077""#, r#"mount = ["nosiud"]"#)]
#[case::unknown_error(r#"umask = "077""#, r#"syscall = { call = "setresgid", result = "EPREM" }"#)]
#[case::unknown_capability("control = true", "control = true\nneeds = [\"overlai\"]")]
#[case::unknown_directory(r#"umask = "077""#, r#"cwd = "removed""#)]
#[case::path_with_dots(r#"umask = "077""#, r#"cwd = "/tmp/../etc""#)]
#[case::decimal_mode("mode = \"2755\"", "mode = 2755")]
#[case::mode_out_of_range("mode = \"2755\"", "mode = \"8755\"")]
#[case::descriptor_out_of_range(r#"umask = "077""#, "closed-fds = [-1]")]
#[case::descriptor_without_path(r#"umask = "077""#, r#"open-fds = [{ fd = 3, on = "file" }]"#)]
#[case::minus_one(r#"group = "users""#, "group = 4294967295")]
#[case::number_below_zero(r#"group = "users""#, "group = -1")]
#[case::exit_out_of_range("exit   = 2", "exit   = 256")]
#[case::not_hexadecimal(r#"umask = "077""#, r#"args = [{ hex = "f" }]"#)]
#[case::too_long(r#"umask = "077""#, r#"args = [{ repeat = "long", count = 4294967295 }]"#)]
#[case::too_long_together(
    r#"umask = "077""#,
    r#"more-args = { each = { repeat = "A", count = 1000 }, count = 100000 }"#
)]
#[case::two_names(r#"name    = "a stranger""#, r#"name    = "Control: the trusted group!""#)]
#[case::no_control("control = true\n", "")]
#[case::no_invoker_said("invoker = \"exim\"\n", "")]
#[case::unused_outcome("outcome = \"mismatch\"", "outcome = \"admitted\"")]
#[case::refusals_only("started = true, effective-gid = \"list\"", "started = false")]
#[case::nothing_is_asked(
    "exit   = 2\nstderr = [\"{trusts}\", \"{invoker.group}\"]\nscript = { started = false }",
    "stderr = [\"x\"]"
)]
#[case::two_ends("exit   = 2", "exit   = 2\nexec-error = \"ENOEXEC\"")]
#[case::empty_text("\"{trusts}\"", "\"\"")]
#[case::no_title("\"Only the trusted group is admitted\"", "\" \"")]
#[case::no_why("why   = \"Anybody else is a stranger.\"\n", "")]
#[case::no_trusted_group("trusts  = \"mail\"\n", "")]
#[case::no_interpreter(r#"umask = "077""#, r#"interpreter = "missing""#)]
#[case::no_such_file(r#"umask = "077""#, r#"files = { "/etc/gruop" = { kind = "absent" } }"#)]
#[case::new_file_without_kind(r#"umask = "077""#, r#"files = { "/etc/motd" = { mode = "600" } }"#)]
#[case::database_twice(r#"umask = "077""#, r#"group-database = { text = "", append = ["a:x:1:"] }"#)]
#[case::database_unchanged(r#"umask = "077""#, "group-database = {}")]
#[case::not_what_the_model_says(r#"outcome = "mismatch""#, r#"outcome = "admitted" # "mismatch""#)]
#[case::exit_that_the_model_denies("exit   = 2", "exit   = 8")]
#[case::not_toml("[outcome.admitted]", "[outcome.admitted")]
#[case::wrong_type("control = true", "control = \"yes\"")]
fn each_mistake_is_shown_with_its_place_and_its_cure(
    #[context] context: Context,
    #[case] from: &str,
    #[case] to: &str,
) {
    assert!(SOUND.contains(from), "the sound file has no {from}");
    let text = SOUND.replacen(from, to, 1);
    let name = context.description.expect("every row has a name");
    insta::assert_snapshot!(name, shown(&wrong("scenarios/test/file.toml", text.into())));
}

#[rstest]
#[case::ragged_row(r#"[ "mismatch", "mismatch" ]"#, r#"[ "mismatch" ]"#)]
#[case::unknown_row("stranger = [", "strangers = [")]
#[case::column_twice(r#""www-data" ]"#, r#""mail" ]"#)]
#[case::no_columns("trusts   = [ \"mail\",     \"www-data\" ]\n", "")]
#[case::unused_invoker("stranger = [ \"mismatch\", \"mismatch\" ]\n", "")]
#[case::unused_given("[matrix]\n", "[given.nosuid]\nmount = [\"nosuid\"]\n\n[matrix]\n")]
#[case::unknown_cell(r#"[ "mismatch", "mismatch" ]"#, r#"[ "mismatch", "refused" ]"#)]
fn each_mistake_in_a_table_is_shown(#[context] context: Context, #[case] from: &str, #[case] to: &str) {
    assert!(MATRIX.contains(from), "the sound file has no {from}");
    let text = MATRIX.replacen(from, to, 1);
    let name = context.description.expect("every row has a name");
    insta::assert_snapshot!(name, shown(&wrong("scenarios/test/table.toml", text.into())));
}

#[rstest]
#[case::tool_trusts("args ", "trusts  = \"mail\"\nargs ")]
#[case::tool_trusts_in_a_given(r#"cwd     = "/tmp""#, "trusts  = \"mail\"")]
#[case::tool_trusts_in_a_case(r#"umask = "077""#, r#"trusts = "mail""#)]
#[case::tool_trusts_in_a_table(
    "[[case]]\n",
    "[matrix]\ntrusts = [\"mail\"]\ninvoker = { root = [\"sealed\"] }\n\n[[case]]\n"
)]
#[case::tool_policy_in_a_given(r#"cwd     = "/tmp""#, "policy  = \"damaged\"")]
#[case::tool_policy_in_a_case(r#"umask = "077""#, r#"policy = "damaged""#)]
#[case::tool_script("exit    = 0", "exit    = 0\nscript  = { started = false }")]
fn what_says_nothing_of_the_tool_is_shown(#[context] context: Context, #[case] from: &str, #[case] to: &str) {
    assert!(TOOL.contains(from), "the sound file has no {from}");
    let text = TOOL.replacen(from, to, 1);
    let name = context.description.expect("every row has a name");
    insta::assert_snapshot!(name, shown(&wrong("scenarios/test/tool.toml", text.into())));
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_line() {
    let reports = wrong("scenarios/test/file.toml", b"title = \"x\"\nwhy = \"\xff\"\n".to_vec());
    insta::assert_snapshot!("not_utf_8", shown(&reports));
}

#[test]
fn an_unreadable_directory_is_named() {
    let reports = lab::scenario::load(Path::new("/nonexistent")).expect_err("there is none");
    insta::assert_snapshot!("no_directory", shown(&reports));
}

/// The bytes with one of them changed.
fn changed(chance: &mut Random, sound: &[u8]) -> Vec<u8> {
    let at = chance.below(sound.len());
    changed_at(at, chance, sound)
}

fn changed_at(at: usize, chance: &mut Random, sound: &[u8]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    bytes[at] = u8::try_from(chance.below(256)).expect("a byte");
    bytes
}

/// One byte changed, anywhere: a clear error or a valid file, never a panic.
#[test]
fn one_changed_byte_never_panics() {
    // A fixed seed, so that a failure comes again.
    let mut chance = Random::new(1);
    let suite = lab::scenario::load(&scenarios()).expect("the scenarios of the project load");
    let (mut tried, mut refused) = (0, 0);
    for info in &suite.scenarios {
        let path = scenarios().join(format!("{}.toml", info.id));
        let sound = std::fs::read(&path).expect("it was read a moment ago");
        for _ in 0..24 {
            let reports = wrong("changed.toml", changed(&mut chance, &sound));
            assert!(reports.iter().all(|report| !report.title.is_empty() && !report.to_string().is_empty()));
            refused += usize::from(!reports.is_empty());
            tried += 1;
        }
    }
    assert!(refused > tried / 10, "{refused} of {tried} were refused: the changes are not seen");
}

/// The same of each byte of every scenario file.
#[test]
#[ignore = "half a minute optimised, and many times that otherwise: .ci/run has it, with --profile lab"]
fn each_byte_changed_never_panics() {
    let suite = lab::scenario::load(&scenarios()).expect("the scenarios of the project load");
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(info) = suite.scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
            let path = scenarios().join(format!("{}.toml", info.id));
            let sound = std::fs::read(&path).expect("it was read a moment ago");
            let mut chance = Random::new(1);
            for at in 0..sound.len() {
                let reports = wrong("changed.toml", changed_at(at, &mut chance, &sound));
                assert!(reports.iter().all(|report| !report.title.is_empty() && !report.to_string().is_empty()));
            }
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
}

/// One byte of a file that asks a real server, for each such file.
#[test]
fn one_changed_byte_of_a_deploy_scenario_never_panics() {
    let mut chance = Random::new(1);
    let (mut refused, mut tried) = (0, 0);
    for entry in std::fs::read_dir(scenarios().join("deploy")).expect("the project has them") {
        let sound = std::fs::read(entry.expect("an entry").path()).expect("a file");
        for _ in 0..40 {
            let changed = changed(&mut chance, &sound);
            // What is no text is refused before.
            if let Ok(text) = std::str::from_utf8(&changed) {
                let problem = lab::scenario::deploy::parse("changed.toml", text).err();
                assert!(problem.iter().all(|problem| problem.to_string().contains("changed.toml: cannot be used")));
                refused += usize::from(problem.is_some());
                tried += 1;
            }
        }
    }
    assert!(refused > tried / 10, "{refused} of {tried} were refused: the changes are not seen");
}

#[rstest]
#[case("identities.toml")]
#[case("profiles/mailman-2.1.toml")]
#[case("profiles/debian.toml")]
#[case("profiles/fedora.toml")]
#[case("profiles/suse.toml")]
fn one_changed_byte_of_what_scenarios_rest_on_never_panics(#[case] name: &str) {
    let mut chance = Random::new(1);
    let sound = std::fs::read(scenarios().join(name)).expect("the project has it");
    let mut refused = 0;
    for _ in 0..200 {
        let Ok(source) = lab::scenario::decoded(name.to_owned(), changed(&mut chance, &sound)) else {
            refused += 1;
            continue;
        };
        let reports = if name == "identities.toml" {
            Accounts::read(&source).err()
        } else {
            Profile::read(&source, &ACCOUNTS).err()
        };
        let reports = reports.unwrap_or_default();
        assert!(reports.iter().all(|report| !report.to_string().is_empty()));
        refused += usize::from(!reports.is_empty());
    }
    assert!(refused > 20, "{refused} of 200 were refused: the changes are not seen");
}

#[test]
fn a_report_with_a_wrong_place_is_still_shown() {
    let source = Arc::new(Source { path: "x.toml".into(), text: "é = 1".into() });
    for span in [0..1, 1..2, 5..900, 900..901, 3..3] {
        assert!(Report::new(&source, span, "wrong", "here").to_string().contains("wrong"));
    }
}
