//! The runner as it is started: by root, on a queue of its own, with a server that answers as it is told.

#![cfg(target_os = "linux")]

#[path = "../../../lab/tests/support/required.rs"]
mod required;
mod support {
    #[path = "../../../tests/support/room.rs"]
    #[allow(dead_code, reason = "the tests of the wrappers use the rest")]
    pub(crate) mod room;
    pub(crate) mod server;
    pub(crate) mod spool;
}

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::mount::MsFlags;
use nix::sys::stat::Mode;
use nix::unistd::{Gid, mkfifo, setgroups};
use rstest::rstest;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use support::room::{become_user, before_exec};
use support::server::{Answer, Server};
use support::spool::{ALICE, BODY, QUEUE, SMMSP, Spool, counts, ran, runner};

fn willing() -> Server {
    Server::new(|_| Answer::Yes)
}

#[test]
fn a_message_arrives_as_it_was_written_and_leaves_the_queue() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nrRFC822; bob@example.org\nRPFD:bob@example.org\nRPFD:carol");
    spool.file("dfleft", b"of a submission that did not end");
    spool.file("tfleft", b"V8\n");
    let server = willing();
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("done", 1)]), String::new()));
    assert_eq!(spool.names(), ["dfleft", "tfleft"]);
    let offered = server.offered();
    let [message] = offered.as_slice() else { panic!("{offered:?}") };
    assert_eq!(message.from, "MAIL FROM:<alice@lab.test> BODY=8BITMIME");
    assert_eq!(message.to, ["RCPT TO:<bob@example.org>", "RCPT TO:<carol@lab.test>"]);
    // SMTP knows no last line without an end.
    assert_eq!(message.text, [b"Subject: A\n\n", BODY, b"\n"].concat());
}

#[test]
fn who_is_refused_for_now_waits_and_gets_it_later() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob\nrRFC822; carol\nRPFD:carol");
    let full = Server::new(|command| match command.contains("carol") {
        true => Answer::Say("452 4.2.2 mailbox full"),
        false => Answer::Yes,
    });
    assert_eq!(ran(runner(&full.address(), &[])), (Some(0), counts(&[("kept", 1)]), String::new()));
    assert_eq!((full.offered().len(), spool.names()), (1, vec!["dfA".to_owned(), "qfA".to_owned()]));
    // Written by its user, with no more of root's: the body says who submitted it.
    assert_eq!(spool.owner("qfA"), (SMMSP.0, SMMSP.1, 0o660));
    assert_eq!(spool.owner("dfA"), (ALICE, SMMSP.1, 0o660));
    let control = spool.read("qfA");
    assert!(control.contains("\nN1\nM452 4.2.2 mailbox full\n") && !control.contains("bob"), "{control}");
    let server = willing();
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("not due", 1)]), String::new()));
    assert_eq!(ran(runner(&server.address(), &["--all"])), (Some(0), counts(&[("done", 1)]), String::new()));
    assert_eq!(server.offered().into_iter().flat_map(|it| it.to).collect::<Vec<_>>(), ["RCPT TO:<carol@lab.test>"]);
    assert_eq!(spool.names(), [""; 0]);
}

#[rstest]
#[case::sender("MAIL")]
#[case::recipient("RCPT TO:<bob")]
#[case::data("DATA")]
fn of_what_is_refused_for_good_the_sender_is_told(#[case] refused: &'static str) {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    let server = match refused {
        "MAIL" => Server::new(|command| match command.starts_with("MAIL FROM:<a") {
            true => Answer::Say("550 5.7.1 not you"),
            false => Answer::Yes,
        }),
        "DATA" => Server::new(|command| {
            // Only the message has eight bits; the notification is accepted.
            static BEFORE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
            match command == "." && !BEFORE.swap(true, std::sync::atomic::Ordering::SeqCst) {
                true => Answer::Say("554 5.7.1 not this"),
                false => Answer::Yes,
            }
        }),
        _ => Server::new(|command| match command.starts_with("RCPT TO:<bob") {
            true => Answer::Say("550 5.1.1 not here"),
            false => Answer::Yes,
        }),
    };
    let wanted = counts(&[("done", 1), ("returned", 1)]);
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), wanted, String::new()));
    assert_eq!(spool.names(), [""; 0]);
    let offered = server.offered();
    let [notification] = offered.as_slice() else { panic!("{offered:?}") };
    assert_eq!(
        (notification.from.as_str(), &notification.to[..]),
        ("MAIL FROM:<>", &["RCPT TO:<alice@lab.test>".into()][..])
    );
    let text = String::from_utf8_lossy(&notification.text);
    assert!(text.contains("\nFinal-Recipient: rfc822; bob\nAction: failed\nStatus: 5."), "{text}");
}

#[test]
fn a_sender_who_cannot_be_told_now_is_told_later() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob\nRPFD:carol");
    let later = Server::new(|command| match command {
        "RCPT TO:<bob@lab.test>" => Answer::Say("550 5.1.1 not here"),
        "RCPT TO:<alice@lab.test>" => Answer::Say("451 4.3.0 not now"),
        _ => Answer::Yes,
    });
    assert_eq!(ran(runner(&later.address(), &[])), (Some(0), counts(&[("kept", 1)]), String::new()));
    let control = spool.read("qfA");
    assert!(control.contains("\nRPFD:bob\n") && !control.contains("carol"), "{control}");
}

#[test]
fn one_refused_message_leaves_the_session_to_the_next() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:full");
    spool.message("B", "Salice\nRPFD:closing");
    spool.message("C", "Salice\nRPFD:bob");
    let server = Server::new(|command| match command {
        "RCPT TO:<full@lab.test>" => Answer::Say("452 4.2.2 mailbox full"),
        "RCPT TO:<closing@lab.test>" => Answer::Say("421 4.3.2 closing down"),
        _ => Answer::Yes,
    });
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("done", 1), ("kept", 2)]), String::new()));
    assert!(spool.read("qfA").contains("\nM452 ") && spool.read("qfB").contains("\nM421 "));
}

#[test]
fn each_attempt_is_logged_with_who_submitted_it() {
    let Some(spool) = Spool::new() else { return };
    let log = UnixDatagram::bind("/dev/log").expect("bound");
    fs::set_permissions("/dev/log", Permissions::from_mode(0o666)).expect("mode");
    log.set_nonblocking(true).expect("set");
    spool.message("A", "Sroot\nRPFD:bob\nRPFD:carol");
    let server = Server::new(|command| match command.contains("carol") {
        true => Answer::Say("452 4.2.2 mailbox full"),
        false => Answer::Yes,
    });
    assert_eq!(ran(runner(&server.address(), &[])).0, Some(0));
    let entries = std::iter::from_fn(|| {
        let mut entry = [0; 2048];
        let length = log.recv(&mut entry).ok()?;
        Some(String::from_utf8_lossy(&entry[..length]).into_owned())
    });
    let entries: Vec<String> = entries.map(|entry| entry.replace("delay=1", "delay=0")).collect();
    let entry = |to, stat| format!("<22>queue-runner: A: to=<{to}>, ctladdr=uid 1000, delay=0, stat={stat}");
    assert_eq!(entries, [entry("bob", "Sent"), entry("carol", "Deferred: 452 4.2.2 mailbox full")]);
}

#[test]
fn a_root_that_cannot_be_given_up_is_found_out() {
    // capabilities(7): with this bit the capabilities of root stay when the uids change.
    const SECBIT_NO_SETUID_FIXUP: libc::c_ulong = 1 << 2;
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    let mut command = runner("127.0.0.1:1", &[]);
    before_exec(&mut command, || {
        // SAFETY: the call takes a number, and changes nothing but the securebits of the child.
        Errno::result(unsafe { libc::prctl(libc::PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) }).map(drop)
    });
    let (status, counted, said) = ran(command);
    assert_eq!((status, counted.as_str()), (Some(71), ""));
    assert!(said.starts_with("queue-runner: giving up root for good, tried by setresuid(2), did not do"), "{said}");
}

#[test]
fn what_was_tried_for_too_long_is_returned() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    let server = Server::new(|command| match command.contains("bob") {
        true => Answer::Say("450 4.2.0 later"),
        false => Answer::Yes,
    });
    let wanted = counts(&[("done", 1), ("returned", 1)]);
    assert_eq!(ran(runner(&server.address(), &["--return-after", "0"])), (Some(0), wanted, String::new()));
    let text =
        server.offered().into_iter().map(|it| String::from_utf8_lossy(&it.text).into_owned()).collect::<String>();
    assert!(text.contains("; the last time: 450 4.2.0 later"), "{text}");
}

#[rstest]
#[case::no_sender("S<>", "put aside as QfA: 550 5.1.1 not here")]
#[case::sender_not_accepted(
    "Sbob",
    "put aside as QfA: 550 5.1.1 not here; nor can the sender be told: 550 5.1.1 not here"
)]
fn what_can_be_told_to_nobody_is_kept_for_somebody_to_look_at(#[case] sender: &str, #[case] said: &str) {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", &format!("{sender}\nRPFD:bob"));
    let server = Server::new(|command| match command.starts_with("RCPT") {
        true => Answer::Say("550 5.1.1 not here"),
        false => Answer::Yes,
    });
    let wanted = (Some(0), counts(&[("put aside", 1)]), format!("queue-runner: A: {said}\n"));
    assert_eq!(ran(runner(&server.address(), &[])), wanted);
    assert_eq!(spool.names(), ["QfA", "dfA"]);
    assert!(spool.read("QfA").contains("\nRPFD:bob\n"));
}

#[rstest]
#[case::when_it_has_the_message(".")]
#[case::before("RCPT")]
fn a_server_that_goes_away_loses_nothing(#[case] at: &str) {
    let Some(spool) = Spool::new() else { return };
    for id in ["A", "B"] {
        spool.message(id, "Salice\nRPFD:bob");
    }
    let server = match at {
        "." => Server::new(|command| if command == "." { Answer::Close } else { Answer::Yes }),
        _ => Server::new(|command| if command.starts_with("RCPT") { Answer::Close } else { Answer::Yes }),
    };
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("kept", 2)]), String::new()));
    assert_eq!(spool.names(), ["dfA", "dfB", "qfA", "qfB"]);
}

#[test]
fn without_a_server_everything_stays_as_it_was() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    let before = (spool.read("qfA"), spool.owner("qfA"));
    let (status, counted, said) = ran(runner("127.0.0.1:1", &[]));
    assert_eq!((status, counted), (Some(75), counts(&[])));
    assert!(
        said.starts_with("queue-runner: the mail server at 127.0.0.1:1 cannot be reached: Connection refused"),
        "{said}"
    );
    assert_eq!((spool.read("qfA"), spool.owner("qfA")), before);
}

#[test]
fn a_runner_that_is_killed_while_the_server_has_the_message_loses_nothing() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    let silent = Server::new(|command| if command == "." { Answer::Never } else { Answer::Yes });
    let mut command = runner(&silent.address(), &[]);
    before_exec(&mut command, || setgroups(&[Gid::from_raw(0), Gid::from_raw(8)]));
    let mut child = command.spawn().expect("started");
    silent.wait_for_a_message();
    // It is the user of the queue in every respect, and keeps no directory in use.
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("there");
    for line in ["Uid:\t39\t39\t39\t39", "Gid:\t38\t38\t38\t38", "Groups:\t38 ", "CapEff:\t0000000000000000"] {
        assert!(status.lines().any(|found| found == line), "{line} in {status}");
    }
    assert_eq!(fs::read_link(format!("/proc/{}/cwd", child.id())).expect("there"), Path::new("/"));
    // Meanwhile it is nobody else's.
    let server = willing();
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("busy", 1)]), String::new()));
    child.kill().expect("killed");
    child.wait().expect("waited");
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("done", 1)]), String::new()));
    assert_eq!(server.offered().len(), 1);
}

#[test]
fn an_envelope_that_was_being_written_when_the_machine_stopped_is_no_hindrance() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    spool.file("tfA", b"V8\nSali");
    let later = Server::new(|command| if command.starts_with("RCPT") { Answer::Say("450 later") } else { Answer::Yes });
    assert_eq!(ran(runner(&later.address(), &[])), (Some(0), counts(&[("kept", 1)]), String::new()));
    assert_eq!(spool.names(), ["dfA", "qfA"]);
    // And one that was committed by a second name.
    fs::hard_link(format!("{QUEUE}/qfA"), format!("{QUEUE}/tfA")).expect("linked");
    let server = willing();
    assert_eq!(ran(runner(&server.address(), &["--all"])), (Some(0), counts(&[("done", 1)]), String::new()));
    assert_eq!(spool.names(), [""; 0]);
}

fn path(name: &str) -> String {
    format!("{QUEUE}/{name}")
}

#[test]
fn where_nothing_could_be_taken_out_nothing_is_delivered() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    spool.0.remount(QUEUE, MsFlags::MS_RDONLY);
    let server = willing();
    let said = "queue-runner: the queue cannot be written: Read-only file system; nothing was delivered, since it could not \
                be taken out of the queue\n";
    assert_eq!(ran(runner(&server.address(), &[])), (Some(74), counts(&[]), said.to_owned()));
    assert_eq!((server.offered(), spool.names()), (vec![], vec!["dfA".to_owned(), "qfA".to_owned()]));
}

/// Only some have it, and there is no room to write down who.
#[rstest]
#[case::some_have_it("carol", &[("put aside", 1)], "QfA", "put aside as QfA: the server has it, at least for some, and the queue \
    cannot be changed: No space left on device; the log says who has it")]
#[case::the_sender_was_told("bob", &[("returned", 1), ("put aside", 1)], "QfA", "put aside as QfA: the server has it, at least for some, and the \
    queue cannot be changed: No space left on device; the log says who has it")]
#[case::nobody_has_it("o", &[("failed", 1)], "qfA", "left as it is: No space left on device; it is tried again by the next run")]
fn a_full_disk_delivers_nothing_twice(
    #[case] later: &'static str,
    #[case] counted: &[(&str, u64)],
    #[case] name: &str,
    #[case] said: &str,
) {
    let Some(spool) = Spool::new() else { return };
    spool.small();
    spool.message("A", "Salice\nRPFD:bob\nRPFD:carol");
    spool.fill();
    let server = match later {
        "carol" => {
            Server::new(|command| if command.contains("carol") { Answer::Say("450 later") } else { Answer::Yes })
        }
        "bob" => Server::new(|command| match command {
            "RCPT TO:<bob@lab.test>" => Answer::Say("550 5.1.1 not here"),
            "RCPT TO:<carol@lab.test>" => Answer::Say("450 later"),
            _ => Answer::Yes,
        }),
        _ => Server::new(|command| if command.starts_with("RCPT") { Answer::Say("450 later") } else { Answer::Yes }),
    };
    let (status, found, told) = ran(runner(&server.address(), &[]));
    assert_eq!((found, told.lines().next()), (counts(counted), Some(format!("queue-runner: A: {said}").as_str())));
    assert_eq!(status, Some(if name == "QfA" { 0 } else { 75 }));
    let mut names = [name, "dfA", "filled"];
    names.sort_unstable();
    assert_eq!(spool.names(), names);
    assert!(spool.read(name).contains("\nRPFD:bob\nRPFD:carol\n"));
}

/// Each makes a message that is none of the one called `B`.
#[rstest]
#[case::no_sender("qf: it has no sender, line S", |s: &Spool| s.file("qfB", b"V8\nRPFD:bob\n.\n"))]
#[case::truncated("qf: its last line, a dot, is missing", |s: &Spool| s.file("qfB", b"V8\nSalice\n"))]
#[case::empty("qf: its first line is not V8", |s: &Spool| s.file("qfB", b""))]
#[case::no_body("df is missing", |_: &Spool| fs::remove_file(path("dfB")).expect("removed"))]
#[case::symbolic_link("qf is no regular file", |s: &Spool| {
    s.file("elsewhere", b"V8\nSalice\nRPFD:bob\n.\n");
    fs::remove_file(path("qfB")).expect("removed");
    symlink("elsewhere", path("qfB")).expect("linked");
})]
#[case::body_by_symbolic_link("df is no regular file", |_: &Spool| {
    fs::remove_file(path("dfB")).expect("removed");
    symlink("/etc/passwd", path("dfB")).expect("linked");
})]
#[case::fifo("qf is no regular file", |_: &Spool| {
    fs::remove_file(path("qfB")).expect("removed");
    mkfifo(path("qfB").as_str(), Mode::from_bits_truncate(0o660)).expect("made");
})]
#[case::directory("df is no regular file", |_: &Spool| {
    fs::remove_file(path("dfB")).expect("removed");
    fs::create_dir(path("dfB")).expect("made");
})]
#[case::second_name("qf has more than one name", |_: &Spool| {
    fs::hard_link(path("qfB"), path("other")).expect("linked");
})]
#[case::second_name_of_the_body("df has more than one name", |_: &Spool| {
    fs::hard_link(path("dfB"), "/mnt/spool/other").expect("linked");
})]
#[case::other_owner("qf belongs to uid 1001, df to uid 1000: nobody can say who submitted it", |_: &Spool| {
    chown(path("qfB"), Some(1001), None).expect("owner");
})]
#[case::other_group("df belongs to group 1000, not to the queue's", |_: &Spool| {
    chown(path("dfB"), None, Some(1000)).expect("group");
    fs::set_permissions(path("dfB"), Permissions::from_mode(0o664)).expect("mode");
})]
#[case::writable("qf has mode 0662: others may write it", |_: &Spool| {
    fs::set_permissions(path("qfB"), Permissions::from_mode(0o662)).expect("mode");
})]
#[case::unreadable("qf cannot be read: Permission denied", |_: &Spool| {
    fs::set_permissions(path("qfB"), Permissions::from_mode(0o600)).expect("mode");
})]
fn one_bad_message_stops_no_other(#[case] why: &str, #[case] spoil: fn(&Spool)) {
    // Q19.
    let Some(spool) = Spool::new() else { return };
    for id in ["A", "B", "C"] {
        spool.message(id, "Salice\nRPFD:bob");
    }
    spoil(&spool);
    let server = willing();
    let said =
        format!("queue-runner: B: put aside as QfB: {why}; look at it, and give it back its name or remove it\n");
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("done", 2), ("put aside", 1)]), said));
    let subjects: Vec<_> = server.offered().into_iter().map(|it| it.text[..10].to_vec()).collect();
    assert_eq!(subjects, [b"Subject: A", b"Subject: C"]);
    assert!(spool.names().contains(&"QfB".to_owned()), "{:?}", spool.names());
    // It is looked at once only.
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[]), String::new()));
}

#[test]
fn a_message_that_is_locked_is_not_waited_for() {
    let Some(spool) = Spool::new() else { return };
    for id in ["A", "B"] {
        spool.message(id, "Salice\nRPFD:bob");
    }
    let file = File::open(path("qfA")).expect("open");
    let locked = Flock::lock(file, FlockArg::LockExclusiveNonblock).expect("locked");
    let server = willing();
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("done", 1), ("busy", 1)]), String::new()));
    drop(locked);
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("done", 1)]), String::new()));
}

#[test]
fn what_was_put_aside_before_is_not_written_over() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "RPFD:bob");
    spool.file("QfA", b"another");
    let (status, counted, said) = ran(runner(&willing().address(), &[]));
    assert_eq!((status, counted), (Some(75), counts(&[("failed", 1)])));
    assert!(said.starts_with("queue-runner: A: cannot be put aside as QfA: File exists"), "{said}");
    assert_eq!(spool.read("QfA"), "another");
}

#[rstest]
#[case::stranger(1000, "smmsp", 77, "started by uid 1000; only root and the user of the queue, \"smmsp\", may run it")]
#[case::no_such_user(0, "nobody-of-that-name", 67, "there is no user \"nobody-of-that-name\"")]
#[case::root(0, "root", 78, "user \"root\" has root's uid or gid")]
#[case::root_s_group(0, "toor", 78, "user \"toor\" has root's uid or gid")]
#[case::other_user(0, "alice", 78, "/mnt/spool/queue belongs to uid 39; it must belong to root or alice")]
fn who_may_not_run_it_is_told(#[case] uid: u32, #[case] user: &str, #[case] status: i32, #[case] wanted: &str) {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    let mut command = runner("127.0.0.1:1", &["--user", user]);
    become_user(&mut command, uid, uid);
    let (ended, counted, said) = ran(command);
    assert_eq!((ended, counted.as_str()), (Some(status), ""));
    assert!(said.starts_with(&format!("queue-runner: {wanted}")), "{said}");
    assert_eq!(spool.names(), ["dfA", "qfA"]);
}

#[test]
fn the_user_of_the_queue_may_run_it() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    let server = willing();
    let mut command = runner(&server.address(), &[]);
    become_user(&mut command, SMMSP.0, SMMSP.1);
    assert_eq!(ran(command), (Some(0), counts(&[("done", 1)]), String::new()));
}

#[rstest]
#[case::for_everybody(0o2777, "has mode 2777; others must have no access to it")]
#[case::not_for_its_group(0o2750, "has mode 2750; its group must read, write and search it")]
fn a_queue_of_another_mode_is_left_alone(#[case] mode: u32, #[case] wanted: &str) {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    fs::set_permissions(QUEUE, Permissions::from_mode(mode)).expect("mode");
    let (status, _, said) = ran(runner("127.0.0.1:1", &[]));
    assert_eq!((status, said.contains(wanted)), (Some(78), true), "{said}");
}

#[rstest]
#[case::relative(&["--queue", "spool"])]
#[case::upwards(&["--queue", "/var/../spool"])]
#[case::name_of_a_server(&["--relay", "localhost:25"])]
#[case::unknown(&["--once-more"])]
fn a_wrong_command_line_is_64(#[case] arguments: &[&str]) {
    let (status, counted, said) = ran({
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_queue-runner"));
        command.args(arguments);
        command
    });
    assert_eq!((status, counted.as_str()), (Some(64), ""));
    assert!(said.starts_with("error: "), "{said}");
}
