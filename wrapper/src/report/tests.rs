//! Readers that listen, and readers that do not.

use super::{deliver, offer, to_syslog, to_syslog_in_turn};
use crate::policy::Kind;
use crate::refusal::Refusal;
use crate::sys::tests::{Scratch, duplicate_as, in_child};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

#[test]
fn a_pipe_with_room_gets_the_text() {
    let (mut reader, writer) = std::io::pipe().expect("pipe");
    offer(writer.as_fd(), b"refused\n");
    drop(writer);
    let mut got = String::new();
    reader.read_to_string(&mut got).expect("read");
    assert_eq!(got, "refused\n");
}

#[test]
fn a_full_pipe_is_given_up_after_a_second_and_stays_as_it_was() {
    let (_reader, mut writer) = std::io::pipe().expect("pipe");
    let flags = fcntl(&writer, FcntlArg::F_GETFL).expect("flags");
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK)).expect("non-blocking");
    while writer.write(&[0; 4096]).is_ok() {}
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::from_bits_retain(flags))).expect("blocking again");

    let start = Instant::now();
    offer(writer.as_fd(), b"refused\n");
    assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&start.elapsed()));
    assert_eq!(fcntl(&writer, FcntlArg::F_GETFL).expect("flags"), flags);
}

#[test]
fn nobody_at_the_other_end_is_no_harm() {
    let (reader, writer) = std::io::pipe().expect("pipe");
    drop(reader);
    // The test process ignores SIGPIPE, as `make_safe` does.
    offer(writer.as_fd(), b"refused\n");
}

#[test]
fn a_mail_server_is_told_on_standard_error_and_a_web_server_on_standard_output() {
    let refusal = Refusal::NoCommand { commands: &["post"] };
    for (kind, descriptor, begins) in [(Kind::Mail, 2, "mail-wrapper: "), (Kind::Cgi, 1, "Status: 403 Forbidden\r\n")] {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        assert!(in_child(|| {
            let done = duplicate_as(&writer, descriptor);
            deliver(&refusal, kind);
            done
        }));
        drop(writer);
        let mut got = String::new();
        reader.read_to_string(&mut got).expect("read");
        assert!(got.starts_with(begins) && got.contains("no command"), "{got}");
    }
}

#[test]
fn syslog_gets_one_datagram_and_is_not_waited_for() {
    let place = Scratch::new("log");
    std::fs::remove_file(&place.0).expect("there");
    assert!(to_syslog(&place.0, b"entry").is_err(), "nobody there");
    let log = UnixDatagram::bind(&place.0).expect("bound");
    to_syslog(&place.0, b"<19>entry").expect("sent");
    let mut entry = [0; 64];
    assert_eq!(log.recv(&mut entry).map(|length| entry[..length].to_vec()).expect("received"), b"<19>entry");
    let start = Instant::now();
    while to_syslog(&place.0, b"<19>entry").is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10), "its queue never fills");
    }
}

#[test]
fn a_line_of_many_waits_for_its_turn_but_not_for_ever() {
    let place = Scratch::new("turn");
    std::fs::remove_file(&place.0).expect("there");
    assert!(to_syslog_in_turn(&place.0, b"entry").is_err(), "nobody there");
    let log = UnixDatagram::bind(&place.0).expect("bound");
    let limit = Instant::now() + Duration::from_secs(10);
    while to_syslog(&place.0, b"<19>entry").is_ok() {
        assert!(Instant::now() < limit, "its queue never fills");
    }
    let start = Instant::now();
    assert!(to_syslog_in_turn(&place.0, b"lost").is_err(), "nobody reads");
    assert!((Duration::from_millis(900)..Duration::from_secs(10)).contains(&start.elapsed()), "{:?}", start.elapsed());
    let reader = std::thread::spawn(move || {
        let mut entry = [0; 64];
        while log.recv(&mut entry).expect("received") != 5 {}
    });
    to_syslog_in_turn(&place.0, b"entry").expect("sent once there is room");
    reader.join().expect("it has come");
}
