use super::*;
use crate::accounts::Table;
use crate::encode::Values;
use crate::fake_program::{mail_values, sealed};
use crate::program::Program;
use rstest::rstest;

fn program(values: &Values) -> Program {
    Program::parse(Path::new("mailman"), sealed(values)).expect("a sealed program")
}

fn accounts(groups: &str) -> Accounts {
    Accounts {
        groups: Table::parse(Path::new("/etc/group"), groups.as_bytes()),
        users: Table::parse(Path::new("/etc/passwd"), b""),
    }
}

/// The wrapper trusts mail 8 and is set-group-ID list 38; nobody may ever be started whom it admits.
#[rstest]
#[case::gids_without_a_row("daemon:x:1:\nmail:x:8:\nlast:x:65533:\n", 0, 0, Caller::Become { uid: 65534, gids: vec![65532, 2] })]
#[case::root_with_another_gid("", 0, 8, Caller::Become { uid: 65534, gids: vec![65533, 1] })]
#[case::ordinary_user("games:x:60:\n", 1000, 60, Caller::Myself { gid: 60 })]
#[case::ordinary_user_of_the_own_group("", 1000, 38, Caller::Myself { gid: 38 })]
fn callers(#[case] groups: &str, #[case] euid: u32, #[case] gid: u32, #[case] wanted: Caller) {
    let program = program(&mail_values());
    let policy = program.policy().expect("sound");
    assert_eq!(choose(&policy, euid, gid, &accounts(groups)), wanted);
}

#[test]
fn whoever_would_be_admitted_starts_nothing() {
    let program = program(&mail_values());
    let policy = program.policy().expect("sound");
    let caller = choose(&policy, 1000, 8, &accounts("mail:x:8:\n"));
    assert!(matches!(&caller, Caller::None(because) if because.contains("trusted group mail 8")), "{caller:?}");
}

/// Exit status and text decide; in style defer the text alone tells one refusal from another.
#[rstest]
#[case::mismatch(RefusalStyle::Mailman, 60, 2, "mail-wrapper: group mismatch: started", "bit-acts")]
#[case::nameless(RefusalStyle::Mailman, 60, 8, "mail-wrapper: gid 60, which has no name", "bit-acts")]
#[case::own_group_shows_nothing(RefusalStyle::Mailman, 38, 2, "mail-wrapper: group mismatch", "refused-only")]
#[case::lost(RefusalStyle::Mailman, 60, 9, "mail-wrapper: not running set-group-ID", "bit-lost")]
#[case::policy(RefusalStyle::Mailman, 60, 10, "mail-wrapper: no sound policy", "policy-refused")]
#[case::policy_in_style_defer(RefusalStyle::Defer, 60, 10, "mail-wrapper: no sound policy", "policy-refused")]
#[case::wrong_usage_of_another_program(RefusalStyle::Mailman, 60, 2, "ls: cannot access", "unexpected")]
#[case::words_of_another_status(RefusalStyle::Mailman, 60, 2, "mail-wrapper: which has no name", "unexpected")]
#[case::a_status_without_words(RefusalStyle::Mailman, 60, 8, "", "unexpected")]
#[case::lost_without_words(RefusalStyle::Mailman, 60, 9, "", "unexpected")]
#[case::another_wrapper(RefusalStyle::Mailman, 60, 2, "cgi-wrapper: group mismatch: started", "unexpected")]
#[case::admitted_but_no_script(RefusalStyle::Mailman, 60, 4, "cannot start", "unexpected")]
#[case::silence_is_no_success(RefusalStyle::Mailman, 60, 0, "", "unexpected")]
#[case::deferred_mismatch(RefusalStyle::Defer, 60, 75, "mail-wrapper: group mismatch: started", "bit-acts")]
#[case::deferred_nameless(RefusalStyle::Defer, 60, 75, "mail-wrapper: which has no name in /etc/group", "bit-acts")]
#[case::deferred_own_group(RefusalStyle::Defer, 38, 75, "mail-wrapper: group mismatch", "refused-only")]
#[case::deferred_lost(RefusalStyle::Defer, 60, 75, "mail-wrapper: not running set-group-ID: (no name)", "bit-lost")]
#[case::deferred_for_another_reason(RefusalStyle::Defer, 60, 75, "mail-wrapper: cannot be made safe", "unexpected")]
#[case::deferred_in_silence(RefusalStyle::Defer, 60, 75, "", "unexpected")]
#[case::try_again_of_another_style(RefusalStyle::Mailman, 60, 75, "group mismatch", "unexpected")]
fn answers(
    #[case] refusal: RefusalStyle,
    #[case] gid: u32,
    #[case] exit: i32,
    #[case] answer: &str,
    #[case] shown: &str,
) {
    let program = program(&Values { refusal, ..mail_values() });
    let policy = program.policy().expect("sound");
    let proof = judge(&policy, gid, "somebody".to_owned(), ExitStatus::from_raw(exit << 8), answer);
    assert_eq!(serde_json::to_value(&proof).expect("JSON")["shown"], shown);
    assert_eq!(proof.holds(), shown == "bit-acts");
    assert_eq!(proof.refutes(), ["bit-lost", "policy-refused", "unexpected"].contains(&shown));
}

#[test]
fn a_wrapper_that_was_killed_proves_nothing() {
    let program = program(&mail_values());
    let policy = program.policy().expect("sound");
    let proof = judge(&policy, 60, "games 60".to_owned(), ExitStatus::from_raw(11), "");
    assert!(proof.refutes() && proof.to_string().contains("signal 11"), "{proof}");
}

/// The answer goes to a terminal, and the program is not trusted yet.
#[test]
fn an_unexpected_answer_is_printed_without_its_control_characters() {
    let proof = ended(1, "\u{1b}[31mred\nsecond line");
    assert!(proof.contains("\\u{1b}[31mred") && !proof.contains("second"), "{proof}");
}

#[test]
fn equal_proofs_are_one_line() {
    let acts = Proof::BitActs { caller: "games 60".to_owned(), exit: 2 };
    let not_run = Proof::NotRun { because: "no reason".to_owned() };
    let proofs = [("/a", &acts), ("/b", &not_run), ("/c", &acts), ("/d", &acts)];
    let lines = summary(proofs.iter().map(|(path, proof)| (Path::new(*path), *proof)));
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].starts_with("proven     /a and 2 others: refuses") && lines[1].starts_with("unproven   /b: not run")
    );
}

#[test]
fn an_answer_that_never_ends_is_waited_for_only_until_the_deadline() {
    let (reader, _writer) = io::pipe().expect("a pipe");
    let begun = Instant::now();
    assert_eq!(read_answer(reader, begun + Duration::from_millis(50)), b"");
    assert!((40..5_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

/// Another file under the same path is not the one that was judged.
#[test]
fn the_open_file_is_run_and_not_what_has_its_path_now() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, witness) = (directory.path().join("program"), directory.path().join("witness"));
    let install = |script: String| {
        let other = directory.path().join("other");
        std::fs::write(&other, script).expect("a file");
        std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("its own file");
        std::fs::rename(&other, &path).expect("renamed");
    };
    std::fs::copy("/bin/sh", &path).expect("a program");
    let opened = Opened::found(&path).expect("it is there");
    install(format!("#!/bin/sh\n: > {}\n", shown(&witness)));
    let mut command = by_descriptor(&opened, &path);
    command.args(["-c", "echo judged"]);
    let started = run(&mut command);
    assert!(matches!(&started, Ok((status, answer)) if status.success() && answer == "judged\n"));
    assert!(!witness.exists());
}

/// The descriptor leads past the directories that a mail server has to go through.
#[rstest]
#[case::all_may_search(0o755, false)]
#[case::only_others_may(0o701, false)]
#[case::others_may_not(0o750, true)]
fn a_wrapper_that_cannot_be_reached_is_found_out(#[case] mode: u32, #[case] wanted: bool) {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("its own");
    std::fs::write(directory.path().join("program"), "").expect("a file");
    let found = barred(&directory.path().join("program"), 65534, 65533);
    assert_eq!(found.is_some_and(|text| text.contains(&shown(directory.path()).to_string())), wanted);
}

#[rstest]
#[case::owner(1, 2, 0o100)]
#[case::owner_may_not_though_others_may(1, 2, 0o011)]
#[case::group(9, 2, 0o010)]
#[case::group_may_not_though_others_may(9, 2, 0o101)]
#[case::others(9, 9, 0o001)]
#[case::others_may_not_though_the_group_may(9, 9, 0o110)]
fn the_first_class_that_fits_counts(#[case] uid: u32, #[case] gid: u32, #[case] mode: u32) {
    let kind = crate::stat::FileKind::Directory;
    let stat = Stat { kind, uid: 1, gid: 2, mode, links: 2, identity: (0, 0) };
    assert_eq!(may_search(&stat, uid, gid), mode.count_ones() == 1);
}
