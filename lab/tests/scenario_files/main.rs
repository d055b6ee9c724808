//! Every file of the project, one test each: it loads, is what the schema for editors says, and states what the model
//! predicts. And the other way round: there is no word which no file uses.

mod schema;

use lab::scenario::accounts::Accounts;
use lab::scenario::{self, Report, Suite};
use lab::scenario::{DEPLOY, DOCKER, PROFILES};
use lab::schema::FileKind;
use rstest::rstest;
use schema::{Schema, Word};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Words which a file may spell out though they are what holds without them.
const DEFAULTS: &[(&str, &str)] = &[("Sealing", "sound"), ("InstallOrder", "chown-then-chmod")];

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"))
}

fn text(reports: &[Report]) -> String {
    let texts: Vec<String> = reports.iter().map(ToString::to_string).collect();
    texts.join("\n\n")
}

fn source(path: &Path) -> Arc<scenario::Source> {
    scenario::source(path).unwrap_or_else(|report| panic!("{report}"))
}

/// A suite with the accounts of the project and nothing else.
fn empty() -> Suite {
    let mut suite = Suite::default();
    suite.accounts =
        Accounts::read(&source(&directory().join("identities.toml"))).unwrap_or_else(|all| panic!("{}", text(&all)));
    suite
}

#[rstest]
fn a_scenario_states_what_the_model_predicts(
    #[files("../scenarios/*/*.toml")]
    #[exclude("profiles/|deploy/|docker/")]
    path: PathBuf,
) {
    let source = source(&path);
    let mut suite = empty();
    let id = path.strip_prefix(directory().canonicalize().expect("a directory")).expect("it is below");
    let added = suite.add(id.with_extension("").to_str().expect("UTF-8"), &source);
    added.unwrap_or_else(|reports| panic!("{}", text(&reports)));
    assert!(!suite.cases.is_empty(), "it asks nothing");
    let reports = lab::predict::check(&suite);
    assert!(reports.is_empty(), "{}", text(&reports));
    Schema::of(FileKind::Scenario).words(&source.text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
}

#[rstest]
fn a_profile_is_what_its_schema_says(#[files("../scenarios/profiles/*.toml")] path: PathBuf) {
    let source = source(&path);
    lab::profile::Profile::read(&source, &empty().accounts).unwrap_or_else(|reports| panic!("{}", text(&reports)));
    Schema::of(FileKind::Profile).words(&source.text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
}

#[test]
fn the_identities_are_what_their_schema_says() {
    let text = &source(&directory().join("identities.toml")).text;
    Schema::of(FileKind::Identities).words(text).unwrap_or_else(|why| panic!("{why}"));
}

#[rstest]
#[case::unknown_key("[given]\nx = { umaks = \"022\" }")]
#[case::unknown_word("[given]\nx = { script = \"mising\" }")]
#[case::wrong_type("[given]\nx = { umask = true }")]
#[case::not_octal("[given]\nx = { umask = \"089\" }")]
#[case::number_for_a_truth_value("[outcome.o]\nscript = { started = 1 }")]
#[case::limit_below_zero("[given]\nx = { limits = { core = -1 } }")]
#[case::count_below_zero("[given]\nx = { args = [{ repeat = \"A\", count = -1 }] }")]
#[case::group_below_zero("[given]\nx = { group = -1 }")]
#[case::group_that_means_unchanged("[given]\nx = { group = 4294967295 }")]
fn what_the_schema_does_not_allow_is_refused(#[case] rest: &str) {
    let head = "title = \"t\"\nwhy = \"w\"\nsubject = { program = \"mail-wrapper\" }\n";
    let schema = Schema::of(FileKind::Scenario);
    schema.words(head).expect("the head alone is sound");
    schema.words(&format!("{head}{rest}")).expect_err("it is not");
    schema.words("title = \"t\"\n").expect_err("more is required");
}

/// What is refused above is refused for what is wrong with it: the same with what may stand there is sound.
#[rstest]
#[case::truth_value("[outcome.o]\nscript = { started = true }")]
#[case::limit("[given]\nx = { limits = { core = 0 } }")]
#[case::count("[given]\nx = { args = [{ repeat = \"A\", count = 0 }] }")]
#[case::least_group("[given]\nx = { group = 0 }")]
#[case::greatest_group("[given]\nx = { group = 4294967294 }")]
#[case::word("[given]\nx = { script = \"missing\" }")]
#[case::octal("[given]\nx = { umask = \"077\" }")]
fn what_the_schema_allows_is_accepted(#[case] rest: &str) {
    let head = "title = \"t\"\nwhy = \"w\"\nsubject = { program = \"mail-wrapper\" }\n";
    Schema::of(FileKind::Scenario).words(&format!("{head}{rest}")).unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn every_word_is_used_by_a_file() {
    let schema = Schema::of(FileKind::Scenario);
    let mut used: BTreeSet<Word> = BTreeSet::new();
    for entry in glob::glob(&format!("{}/*/*.toml", directory().display())).expect("a glob") {
        let path = entry.expect("a path");
        let other = |folder: &Path| [PROFILES, DEPLOY, DOCKER].iter().any(|name| folder.ends_with(name));
        if !path.parent().is_some_and(other) {
            used.extend(schema.words(&source(&path).text).expect("other tests say what is wrong"));
        }
    }
    let defaults = DEFAULTS.iter().map(|&(of, word)| Word::new(of, word));
    used.extend(defaults);
    let unused: Vec<Word> = schema.all().difference(&used).cloned().collect();
    assert!(unused.is_empty(), "no scenario needs these; use them, or take them out: {unused:?}");
}
