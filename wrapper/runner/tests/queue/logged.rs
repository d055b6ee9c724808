//! What the log is told of each attempt.

use super::willing;
use crate::support::server::{Answer, Server};
use crate::support::spool::{Spool, counts, ran, runner};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::thread;
use std::time::Duration;

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
fn no_line_of_many_is_lost_where_the_log_is_slow() {
    // More than the kernel keeps for a reader anywhere: unix(7), max_dgram_qlen.
    const MANY: usize = 600;
    let Some(spool) = Spool::new() else { return };
    let log = UnixDatagram::bind("/dev/log").expect("bound");
    fs::set_permissions("/dev/log", Permissions::from_mode(0o666)).expect("mode");
    log.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let recipients: Vec<String> = (0..MANY).map(|number| format!("RPFD:bob{number}")).collect();
    spool.message("A", &format!("Salice\n{}", recipients.join("\n")));
    let reader = thread::spawn(move || {
        let mut entry = [0; 2048];
        let read = || log.recv(&mut entry).inspect(|_| thread::park_timeout(Duration::from_millis(1)));
        std::iter::repeat_with(read).take(MANY).take_while(Result::is_ok).count()
    });
    assert_eq!(ran(runner(&willing().address(), &[])), (Some(0), counts(&[("done", 1)]), String::new()));
    assert_eq!(reader.join().expect("it reads to the end"), MANY);
}
