//! Every refusal as its reader sees it, and the exit statuses which the manual pages promise.

use super::named::{SHOWN_MAX, Shortened};
use super::{LINE_MAX, Refusal, StartFault, SwitchFault};
use crate::credentials::Regains;
use crate::policy::{COMMANDS_MAX, Group, Kind, NAME_MAX, Owner, PATH_MAX, PolicyError, RefusalStyle, SCRIPT_NAME_MAX};
use crate::process_state::UnsafeProcess;
use crate::report::page::written;
use crate::sample::{LIST, MAIL, OWNER, gid};
use crate::surroundings::AccountName;
use nix::errno::Errno;
use rstest::rstest;
use std::collections::BTreeSet;
use std::path::Path;

const NOGROUP: Group<'static> = Group { gid: gid(65534), name: "nogroup" };
const COMMANDS: &[&str] = &["admin", "bounces", "confirm", "post"];

/// What a fault's user or group is called here.
fn named(fault: StartFault) -> AccountName {
    match fault {
        StartFault::Owner { .. } => AccountName::Known("annette".into()),
        StartFault::GroupWritable { gid: 50 } => AccountName::Known("staff".into()),
        _ => AccountName::Nameless,
    }
}

/// Each by the name of its snapshot.
fn every() -> Vec<(&'static str, Refusal<'static>)> {
    let not_started = |path: &str, fault| {
        let name = named(fault);
        Refusal::NotStarted { path: path.into(), fault, name, owner: OWNER, own: LIST }
    };
    let mismatch = |found, name| Refusal::Mismatch { found: gid(found), name, trusted: MAIL };
    let script = "/usr/local/mailman/scripts/post";
    vec![
        ("group_mismatch", mismatch(65534, AccountName::Known("nogroup".into()))),
        ("nameless", mismatch(4242, AccountName::Nameless)),
        ("names_unreadable", mismatch(4242, AccountName::Unreadable)),
        ("root", Refusal::CannotGiveUp { how: Regains::Root, trusted: MAIL }),
        ("cap_setgid", Refusal::CannotGiveUp { how: Regains::Capability, trusted: MAIL }),
        ("ids_unread", Refusal::NotSwitched(SwitchFault::Unread(Errno::EPERM))),
        ("switch_refused", Refusal::NotSwitched(SwitchFault::Refused { own: LIST, errno: Errno::EPERM })),
        (
            "switch_other_ids",
            Refusal::NotSwitched(SwitchFault::Other { own: LIST, given_up: MAIL, found: [8, 38, 4242] }),
        ),
        ("switch_regained", Refusal::NotSwitched(SwitchFault::Regained { own: LIST, given_up: MAIL })),
        ("script_missing", not_started(script, StartFault::Unreachable(Errno::ENOENT))),
        ("script_unreachable", not_started("/usr/local/mailman", StartFault::Unreachable(Errno::EACCES))),
        ("script_of_stranger", not_started(script, StartFault::Owner { uid: 1000 })),
        ("script_group_writable", not_started("/usr/local", StartFault::GroupWritable { gid: 50 })),
        ("script_group_writable_nameless", not_started("/usr/local", StartFault::GroupWritable { gid: 4242 })),
        ("script_world_writable", not_started(script, StartFault::WorldWritable)),
        ("script_access_list", not_started("/usr/local/mailman", StartFault::AccessList)),
        ("script_below_a_file", not_started("/usr/local/mailman", StartFault::NotADirectory)),
        ("script_no_file", not_started(script, StartFault::NotAFile)),
        ("script_not_executable", not_started(script, StartFault::Exec(Errno::EACCES))),
        ("script_without_interpreter", not_started(script, StartFault::Exec(Errno::ENOENT))),
        ("script_of_no_format", not_started(script, StartFault::Exec(Errno::ENOEXEC))),
        ("script_arguments_too_long", not_started(script, StartFault::Exec(Errno::E2BIG))),
        ("script_no_memory", not_started(script, StartFault::Exec(Errno::ENOMEM))),
        ("script_too_many_processes", not_started(script, StartFault::Exec(Errno::EAGAIN))),
        ("script_being_written", not_started(script, StartFault::Exec(Errno::ETXTBSY))),
        ("script_not_executed", not_started(script, StartFault::Exec(Errno::EIO))),
        ("no_command", Refusal::NoCommand { commands: COMMANDS }),
        ("unknown_command", Refusal::UnknownCommand { commands: COMMANDS }),
        ("bit_lost", Refusal::NotSetGroupId { found: gid(8), name: AccountName::Known("mail".into()), own: LIST }),
        ("bit_lost_nameless", Refusal::NotSetGroupId { found: gid(4242), name: AccountName::Nameless, own: LIST }),
        ("bit_lost_no_names", Refusal::NotSetGroupId { found: gid(8), name: AccountName::Unreadable, own: LIST }),
        ("unsealed", Refusal::Policy(PolicyError::Unsealed)),
        ("ambiguous_trust", Refusal::AmbiguousTrust { trusted: NOGROUP }),
        ("step_failed", Refusal::Process(UnsafeProcess::Step { what: "cancel timers", errno: Errno::EPERM })),
        ("place_missing", Refusal::Process(UnsafeProcess::Place { path: "/dev/null", errno: Errno::ENOENT })),
        (
            "limit_too_small",
            Refusal::Process(UnsafeProcess::Limit { name: "RLIMIT_FSIZE", found: 4096, needed: 1_048_576 }),
        ),
    ]
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("ASCII")
}

#[test]
fn every_refusal_of_the_mail_wrapper() {
    for (name, refusal) in every() {
        let [status, deferred] = [RefusalStyle::Mailman, RefusalStyle::Defer].map(|style| refusal.exit_code(style));
        let line = refusal.line(Kind::Mail);
        let text = format!("exit {status}, deferring {deferred}\n{}", text(line.diagnostic()));
        insta::assert_snapshot!(format!("mail_{name}"), text);
    }
}

#[test]
fn every_refusal_of_the_cgi_wrapper() {
    let of_mail = |name: &str| name.ends_with("_command");
    for (name, refusal) in every().into_iter().filter(|(name, _)| !of_mail(name)) {
        let line = refusal.line(Kind::Cgi);
        let status = refusal.exit_code(RefusalStyle::Mailman);
        let page = text(&written(&line)).replace("\r\n", "\n");
        insta::assert_snapshot!(format!("cgi_{name}"), format!("exit {status}\n{page}"));
    }
}

/// The first columns of the table below `# EXIT STATUS`, as numbers.
fn table(program: &str, columns: usize) -> BTreeSet<Vec<u8>> {
    let section = program.split("//! # EXIT STATUS\n").nth(1).expect("a section with that heading");
    let section = section.split("//! # ").next().expect("something");
    let rows = section.lines().filter_map(|line| line.strip_prefix("//! |"));
    let number = |cell: &str| cell.trim().parse().ok();
    let rows: Vec<_> = rows.filter_map(|row| row.split('|').take(columns).map(number).collect()).collect();
    let set: BTreeSet<Vec<u8>> = rows.iter().cloned().collect();
    assert_eq!((set.len(), set.iter().all(|row| row.len() == columns)), (rows.len(), true), "no row is there twice");
    set
}

#[test]
fn the_manual_of_the_mail_wrapper_lists_its_exit_statuses() {
    let styles = [RefusalStyle::Mailman, RefusalStyle::Defer];
    let statuses = every().iter().map(|(_, refusal)| styles.map(|style| refusal.exit_code(style)).to_vec()).collect();
    assert_eq!(table(include_str!("../bin/mail-wrapper.rs"), 2), statuses);
}

#[test]
fn the_manual_of_the_cgi_wrapper_lists_its_exit_statuses() {
    let of_mail = |refusal: &Refusal<'_>| matches!(refusal, Refusal::NoCommand { .. } | Refusal::UnknownCommand { .. });
    let refusals = every().into_iter().filter(|(_, refusal)| !of_mail(refusal));
    let statuses = refusals.map(|(_, refusal)| vec![refusal.exit_code(RefusalStyle::Mailman)]).collect();
    assert_eq!(table(include_str!("../bin/cgi-wrapper.rs"), 1), statuses);
}

#[test]
fn a_table_that_lacks_a_row_is_noticed() {
    let program = include_str!("../bin/mail-wrapper.rs");
    let row = program.lines().find(|line| line.starts_with("//! | 9 ")).expect("a row");
    assert_ne!(table(&program.replace(row, "//!"), 2), table(program, 2));
}

/// A test that forgets a variant would also forget its status.
#[test]
fn every_means_every() {
    let name = |refusal: &Refusal<'_>| match refusal {
        Refusal::Mismatch { name: AccountName::Known(_), .. } => 0,
        Refusal::Mismatch { name: AccountName::Nameless, .. } => 1,
        Refusal::Mismatch { name: AccountName::Unreadable, .. } => 2,
        Refusal::CannotGiveUp { .. } => 3,
        Refusal::NotSwitched(_) => 4,
        Refusal::NotStarted { .. } => 5,
        Refusal::NoCommand { .. } => 6,
        Refusal::UnknownCommand { .. } => 7,
        Refusal::NotSetGroupId { .. } => 8,
        Refusal::Policy(_) => 9,
        Refusal::AmbiguousTrust { .. } => 10,
        Refusal::Process(_) => 11,
    };
    let variants: BTreeSet<u8> = every().iter().map(|(_, refusal)| name(refusal)).collect();
    assert_eq!(variants, (0..12).collect());
}

#[test]
fn the_longest_names_fit_into_a_line() {
    let leak = |byte: &str, length| -> &'static str { Box::leak(byte.repeat(length).into_boxed_str()) };
    let most = gid(u32::MAX - 1);
    let group = Group { gid: most, name: leak("g", NAME_MAX) };
    let owner = Owner { uid: u32::MAX - 1, name: leak("o", NAME_MAX) };
    let name = || "n".repeat(NAME_MAX);
    let commands: &'static [&'static str] = Box::leak(Box::new([leak("c", SCRIPT_NAME_MAX); COMMANDS_MAX]));
    let path = format!("/{}", "p".repeat(PATH_MAX - 1));
    let script = |fault| {
        let name = AccountName::Known(name());
        Refusal::NotStarted { path: path.clone().into(), fault, name, owner, own: group }
    };
    let refusals = [
        Refusal::Mismatch { found: most, name: AccountName::Known(name()), trusted: group },
        Refusal::Mismatch { found: most, name: AccountName::Nameless, trusted: group },
        Refusal::Mismatch { found: most, name: AccountName::Unreadable, trusted: group },
        Refusal::CannotGiveUp { how: Regains::Capability, trusted: group },
        Refusal::NotSwitched(SwitchFault::Other { own: group, given_up: group, found: [most.as_raw(); 3] }),
        Refusal::NotSwitched(SwitchFault::Refused { own: group, errno: Errno::EPERM }),
        Refusal::NotSwitched(SwitchFault::Regained { own: group, given_up: group }),
        script(StartFault::Unreachable(Errno::ENAMETOOLONG)),
        script(StartFault::Owner { uid: u32::MAX }),
        script(StartFault::GroupWritable { gid: u32::MAX }),
        script(StartFault::AccessList),
        Refusal::NoCommand { commands },
        Refusal::UnknownCommand { commands },
        Refusal::NotSetGroupId { found: most, name: AccountName::Known(name()), own: group },
        Refusal::AmbiguousTrust { trusted: group },
    ];
    for refusal in refusals {
        for kind in [Kind::Mail, Kind::Cgi] {
            let line = refusal.line(kind);
            assert!(line.text().len() < LINE_MAX, "cut: {}", text(line.text()));
        }
    }
}

/// Beginning and end of the path, and the whole of what is wrong with it.
#[rstest]
#[case::that_of_a_policy(SHOWN_MAX, SHOWN_MAX)]
#[case::one_byte_more(SHOWN_MAX + 1, SHOWN_MAX / 2 + 3 + SHOWN_MAX / 3)]
#[case::target_of_a_link(4095, SHOWN_MAX / 2 + 3 + SHOWN_MAX / 3)]
fn a_long_path_is_cut_and_not_the_sentence(#[case] length: usize, #[case] shown: usize) {
    use std::os::unix::ffi::OsStringExt;
    let mut path = b"/\x1b[2J\n\xff".to_vec();
    path.resize(length - 4, b'x');
    path.extend(b"post");
    let path = std::ffi::OsString::from_vec(path).into();
    let (fault, name) = (StartFault::WorldWritable, AccountName::Nameless);
    let line = Refusal::NotStarted { path, fault, name, owner: OWNER, own: LIST }.line(Kind::Mail);
    let line = text(line.text());
    assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    let (head, tail) = ("mail-wrapper: cannot start the script: ", " can be written by everybody; take that away with");
    let (path, _) = line.strip_prefix(head).and_then(|rest| rest.split_once(tail)).expect("both");
    assert!(path.starts_with("/?[2J??xxx") && path.ends_with("xxxpost"), "{path}");
    assert_eq!(path.len(), shown);
}

#[test]
fn a_refusal_has_900_bytes_with_its_line_feed_and_no_more() {
    let commands: &'static [&'static str] = Box::leak(vec!["c"; 500].into_boxed_slice());
    let line = Refusal::NoCommand { commands }.line(Kind::Mail);
    assert_eq!((line.text().len(), line.diagnostic().len()), (LINE_MAX, 900));
}

#[test]
fn a_path_is_shown_whole_if_a_policy_can_have_it_and_shortened_beyond() {
    let longest = format!("/{}/scripts/{}", "p".repeat(PATH_MAX - 1), "s".repeat(SCRIPT_NAME_MAX));
    assert_eq!(Shortened(Path::new(&longest)).to_string(), longest);
    let shortened = Shortened(Path::new(&format!("{longest}s"))).to_string();
    assert!(shortened.len() < longest.len() && shortened.contains("..."), "{shortened}");
}
