//! Messages that are none, messages that somebody else has, and a queue that cannot be changed.

use super::willing;
use crate::support::server::{Answer, Server};
use crate::support::spool::{QUEUE, Spool, counts, ran, runner};
use nix::fcntl::{Flock, FlockArg};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rstest::rstest;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::time::{Duration, SystemTime};

fn path(name: &str) -> String {
    format!("{QUEUE}/{name}")
}

/// Of a regular file: to read a FIFO would wait for a writer.
fn content(name: &str) -> Option<Vec<u8>> {
    fs::symlink_metadata(path(name)).ok().filter(fs::Metadata::is_file).and_then(|_| fs::read(path(name)).ok())
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
#[case::empty_for_long("qf: its first line is not V8", |s: &Spool| {
    s.file("qfB", b"");
    let long_ago = SystemTime::now() - Duration::from_secs(601);
    File::options().write(true).open(path("qfB")).and_then(|file| file.set_modified(long_ago)).expect("a time");
})]
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
    let spoilt = [content("qfB"), content("dfB")];
    let server = willing();
    let said =
        format!("queue-runner: B: put aside as QfB: {why}; look at it, and give it back its name or remove it\n");
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("done", 2), ("put aside", 1)]), said));
    let subjects: Vec<_> = server.offered().into_iter().map(|it| it.text[..10].to_vec()).collect();
    assert_eq!(subjects, [b"Subject: A", b"Subject: C"]);
    assert!(spool.names().contains(&"QfB".to_owned()), "{:?}", spool.names());
    assert_eq!([content("QfB"), content("dfB")], spoilt, "nothing of it is removed or changed");
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
fn an_envelope_that_sendmail_has_just_created_is_its_own() {
    // It creates, locks and writes, in this order.
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    spool.file("qfA", b"");
    assert_eq!(ran(runner(&willing().address(), &[])), (Some(0), counts(&[("busy", 1)]), String::new()));
    assert_eq!(spool.names(), ["dfA", "qfA"]);
}

#[test]
fn a_name_without_an_id_is_told_and_left_alone() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    let strange = ["qf", "qf1234567890123456789", "qfa b"];
    strange.iter().for_each(|name| spool.file(name, b"V8\nSalice\nRPFD:bob\n.\n"));
    let said = "queue-runner: -: 3 names begin with qf and go on with what is no id of 1 to 18 letters and digits: left \
                alone; give them another name, or remove them";
    let (status, counted, told) = ran(runner(&willing().address(), &[]));
    assert_eq!((status, counted), (Some(75), counts(&[("done", 1), ("failed", 3)])));
    assert_eq!(told.lines().next(), Some(said));
    assert_eq!(spool.names(), strange);
}

#[test]
fn a_name_without_an_id_is_told_although_the_server_cannot_be_reached() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    spool.file("qf", b"V8\n");
    let (status, counted, told) = ran(runner("127.0.0.1:1", &[]));
    assert_eq!((status, counted), (Some(75), counts(&[("failed", 1)])));
    assert!(told.starts_with("queue-runner: -: 1 names begin with qf"), "{told}");
}

#[test]
fn what_a_killed_runner_tried_to_write_is_taken_away() {
    let Some(spool) = Spool::new() else { return };
    spool.file("tfrunner", b"");
    assert_eq!(ran(runner("127.0.0.1:1", &[])), (Some(0), counts(&[]), String::new()));
    assert_eq!(spool.names(), [""; 0]);
}

#[test]
fn a_body_that_cannot_be_removed_is_told_and_nothing_arrives_twice() {
    let Some(spool) = Spool::new() else { return };
    spool.message("A", "Salice\nRPFD:bob");
    // unlink(2): EBUSY for what is a mount point.
    let body = path("dfA");
    mount(Some(body.as_str()), body.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>).expect("bound");
    let server = willing();
    let said = "queue-runner: A: out of the queue, and dfA stays: Device or resource busy; remove it\n";
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[("done", 1)]), said.to_owned()));
    assert_eq!(ran(runner(&server.address(), &[])), (Some(0), counts(&[]), String::new()));
    assert_eq!((server.offered().len(), spool.names()), (1, vec!["dfA".to_owned()]));
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
