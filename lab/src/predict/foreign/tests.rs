//! The shipped profiles, and the points in which each differs from the others.

use crate::case::Case;
use crate::predict::contradictions;
use crate::profile::Profile;
use crate::scenario::{self, Suite};
use rstest::rstest;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static SUITE: LazyLock<Suite> =
    LazyLock::new(|| scenario::load(&directory()).expect("the scenarios of the project load"));

fn directory() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios")).to_owned()
}

fn profile(name: &str) -> Profile {
    let path = directory().join("profiles").join(format!("{name}.toml"));
    let source = scenario::source(&path).expect("it can be read");
    Profile::read(&source, &SUITE.accounts).unwrap_or_else(|reports| panic!("{}", reports[0]))
}

fn case(id: &str) -> Case {
    SUITE.cases.iter().find(|case| case.id.0 == id).unwrap_or_else(|| panic!("no case {id}")).as_ref().clone()
}

const TABLE: &str = "group-mismatch/mta-identities";
const IGNORED: &str = "install/set-group-id-ignored";

#[rstest]
#[case::upstream("mailman-2.1", "exim-pipe×mail", "admitted", Some(0))]
#[case::upstream_refuses("mailman-2.1", "apache-cgi×mail", "mismatch", Some(2))]
#[case::upstream_wants_a_name("mailman-2.1", "nameless-gid×mail", "nameless", Some(8))]
#[case::suse_has_no_names("suse", "nameless-gid×mail", "mismatch", Some(2))]
#[case::suse_reads_its_file("suse", "apache-cgi×www-data", "admitted", Some(0))]
#[case::fedora_trusts_several("fedora", "exim-pipe×mail", "admitted", Some(0))]
#[case::fedora_refuses("fedora", "apache-cgi×mail", "mismatch", Some(2))]
fn each_decides_by_its_own_rules(
    #[case] name: &str,
    #[case] cell: &str,
    #[case] outcome: &str,
    #[case] exit: Option<u8>,
) {
    let adapted = profile(name).adapt(&case(&format!("{TABLE}/{cell}"))).expect("it can be asked");
    assert_eq!((adapted.expected.as_str(), adapted.outcome.exit), (outcome, exit));
    assert_eq!(adapted.profile.as_deref(), Some(name));
}

#[test]
fn debian_lets_small_numbers_in() {
    let debian = profile("debian");
    let mut exim = case(&format!("{TABLE}/exim-pipe×mail"));
    exim.subject.policy.trusts =
        crate::case::Group { gid: lab_invocation::Gid::new(1).expect("a group"), name: "daemon".into() };
    assert_eq!(debian.adapt(&exim).expect("it can be asked").expected, "admitted", "gid 8 is below 100");
    exim.invocation.identity.gid = lab_invocation::Gid::new(100).expect("a group");
    assert_eq!(debian.adapt(&exim).expect("it can be asked").expected, "mismatch");
    exim.invocation.identity.gid = lab_invocation::Gid::OVERFLOW;
    assert_eq!(debian.adapt(&exim).expect("it can be asked").expected, "admitted", "nogroup");
}

#[test]
fn a_lost_bit_passes_unnoticed_and_the_script_runs_as_the_caller() {
    let adapted =
        profile("suse").adapt(&case(&format!("{IGNORED}/file-system-mounted-nosuid"))).expect("it can be asked");
    let script = adapted.outcome.script.as_ref().expect("it starts");
    assert_eq!(adapted.expected, "admitted");
    assert_eq!(script.effective_gid, lab_invocation::Gid::new(8));
    let mount = &adapted.layout.mounts[0].at;
    assert_eq!(mount, &"/usr/lib/mailman/mail".into(), "the mount went with the file");
}

#[test]
fn what_a_wrapper_was_not_built_for_is_unsupported_with_the_reason() {
    let upstream = profile("mailman-2.1");
    let because = upstream.adapt(&case(&format!("{TABLE}/apache-cgi×www-data"))).expect_err("another group");
    assert_eq!(because, "the wrapper was built to trust mail 8, and the case wants www-data 33");
    let unsealed = SUITE.cases.iter().find(|case| case.subject.policy.condition != crate::case::Sealing::Sound);
    let because = upstream.adapt(unsealed.expect("the project has some")).expect_err("nothing is sealed");
    assert!(because.contains("sealed"), "{because}");
}

#[test]
fn odd_group_files_are_asked_only_of_who_reads_none() {
    let odd = case("group-mismatch/group-file-rows/numbers-which-are-not-this-gid");
    let because = profile("mailman-2.1").adapt(&odd).expect_err("it looks up names");
    assert!(because.contains("C library"), "{because}");
    assert_eq!(profile("suse").adapt(&odd).expect("it compares numbers").expected, "mismatch");
}

/// Under each profile a good part of the suite can be asked; its outcomes are what the model predicts, and both
/// admissions and refusals are among them.
#[rstest]
fn the_suite_can_be_asked(#[values("mailman-2.1", "debian", "fedora", "suse")] name: &str) {
    let profile = profile(name);
    let (mut admitted, mut refused) = (0, 0);
    for adapted in SUITE.cases.iter().filter_map(|case| profile.adapt(case).ok()) {
        let prediction = crate::predict::predict(&adapted, Some(&profile));
        assert_eq!(contradictions(&adapted, &prediction), [], "{}", adapted.id);
        if prediction.starts() { admitted += 1 } else { refused += 1 }
    }
    assert!(admitted > 3 && refused > 3, "{admitted} admitted, {refused} refused");
}

#[test]
fn mistakes_are_shown_with_their_place() {
    let path = directory().join("profiles/debian.toml");
    let sound = std::fs::read_to_string(path).expect("it can be read");
    for (name, from, to) in [
        ("unknown_outcome", "mismatch = 2", "mismtach = 2"),
        ("unknown_group", "[\"daemon\"]", "[\"deamon\"]"),
        ("unknown_program", "wrapper.mail-wrapper", "wrapper.mail-wraper"),
        ("nobody_trusted", "trusted     = [\"daemon\"]\n", ""),
        ("unknown_check", "\"usage\", ", "\"usages\", "),
    ] {
        assert!(sound.contains(from), "{from}");
        let text = sound.replacen(from, to, 1).into_bytes();
        let source = scenario::decoded("scenarios/profiles/debian.toml".into(), text).expect("it is text");
        let reports = Profile::read(&source, &SUITE.accounts).expect_err(name);
        let texts: Vec<String> = reports.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(name, texts.join("\n\n"));
    }
}
