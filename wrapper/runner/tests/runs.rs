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
// Not beside this file, where it would be a test program of its own.
#[path = "queue/aside.rs"]
mod aside;
#[path = "queue/logged.rs"]
mod logged;

use nix::errno::Errno;
use nix::unistd::{Gid, setgroups};
use rstest::rstest;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
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
fn what_another_run_has_put_off_meanwhile_is_not_due() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:slow");
    spool.message("B", "Salice\nRPFD:bob");
    let slow = Server::new(|command| if command == "." { Answer::Held } else { Answer::Yes });
    let child = runner(&slow.address(), &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    slow.wait_for_a_message();
    // Times in the queue are whole seconds: this one has to be another than that of the run's begin.
    thread::park_timeout(Duration::from_millis(1100));
    let full = Server::new(|command| match command.contains("bob") {
        true => Answer::Say("452 4.2.2 mailbox full"),
        false => Answer::Yes,
    });
    let wanted = (Some(0), counts(&[("kept", 1), ("busy", 1)]), String::new());
    assert_eq!(ran(runner(&full.address(), &[])), wanted);
    slow.go_on();
    let output = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, format!("queue-runner: {}\n", counts(&[("done", 1), ("not due", 1)])));
    assert!(spool.read("qfB").contains("\nN1\n"), "{}", spool.read("qfB"));
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

#[test]
fn a_sender_who_cannot_be_told_to_the_end_is_not_tried_for_ever() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Sbob\nRPFD:bob");
    let server = Server::new(|command| match command.starts_with("RCPT") {
        true => Answer::Say("451 4.3.0 not now"),
        false => Answer::Yes,
    });
    let (status, counted, said) = ran(runner(&server.address(), &["--return-after", "0"]));
    assert_eq!((status, counted), (Some(0), counts(&[("put aside", 1)])));
    assert!(said.ends_with("; nor can the sender be told: 451 4.3.0 not now\n"), "{said}");
    assert_eq!(spool.names(), ["QfA", "dfA"]);
}

#[rstest]
#[case::small_enough(1024 * 1024 - 12, false)]
#[case::too_large(1024 * 1024 - 11, true)]
fn a_message_that_is_too_large_is_returned_and_stops_no_other(#[case] body: usize, #[case] returned: bool) {
    let Some(spool) = Spool::new() else { return };
    for id in ["A", "B"] {
        spool.message(id, "Salice\nRPFD:bob");
    }
    // "Subject: A", a line feed and an empty line go before it.
    spool.file("dfA", &vec![b'a'; body]);
    let server = willing();
    let returned = u64::from(returned);
    let wanted = counts(&[("done", 2), ("returned", returned)]);
    assert_eq!(ran(runner(&server.address(), &["--largest", "1"])), (Some(0), wanted, String::new()));
    let told =
        server.offered().iter().filter(|it| String::from_utf8_lossy(&it.text).contains("5.3.4 the message")).count();
    assert_eq!(told as u64, returned);
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

#[rstest]
#[case::stranger(1000, "smmsp", 77, "started by uid 1000; only root and the user of the queue, \"smmsp\", may run it")]
#[case::no_such_user(0, "nobody-of-that-name", 67, "there is no user \"nobody-of-that-name\"")]
#[case::root(0, "root", 78, "user \"root\" has root's uid or gid")]
#[case::root_s_group(0, "toor", 78, "user \"toor\" has root's uid or gid")]
#[case::other_user(
    0,
    "alice",
    78,
    "the queue /mnt/spool/queue is not used: /mnt/spool/queue belongs to uid 39, not to root or uid 1000 (alice)"
)]
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
#[case::for_everybody(
    0o2777,
    "the queue /mnt/spool/queue is not used: /mnt/spool/queue has mode 2777, so that everybody can get at the mail in it"
)]
#[case::not_for_its_group(0o2750, "/mnt/spool/queue has mode 2750, so that its group cannot work in it")]
fn a_queue_of_another_mode_is_left_alone(#[case] mode: u32, #[case] wanted: &str) {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    fs::set_permissions(QUEUE, Permissions::from_mode(mode)).expect("mode");
    let (status, _, said) = ran(runner("127.0.0.1:1", &[]));
    assert_eq!((status, said.contains(wanted)), (Some(78), true), "{said}");
}

#[test]
fn what_its_group_is_called_is_told() {
    let Some(spool) = Spool::new() else { return };
    chown(QUEUE, None, Some(8)).expect("group");
    let (status, _, said) = ran(runner("127.0.0.1:1", &[]));
    let wanted = "/mnt/spool/queue belongs to gid 8, not to gid 38 (list); give it to that group with chgrp\n";
    assert_eq!((status, said.ends_with(wanted), spool.names().len()), (Some(78), true, 0), "{said}");
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
