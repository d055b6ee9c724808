//! What sendmail submitted, in the hands of the runner. The other way round is in `wrapper/tests/queue/interop.rs`.

#![cfg(target_os = "linux")]

#[path = "../../../lab/tests/support/required.rs"]
mod required;
mod support {
    #[path = "../../../tests/support/letters.rs"]
    pub(crate) mod letters;
    #[path = "../../../tests/support/room.rs"]
    #[allow(dead_code, reason = "the tests of the wrappers use the rest")]
    pub(crate) mod room;
    #[path = "../../../tests/support/sendmail.rs"]
    pub(crate) mod sendmail;
    #[allow(dead_code, reason = "the other tests of the runner use the rest")]
    pub(crate) mod server;
    #[allow(dead_code, reason = "the other tests of the runner use the rest")]
    pub(crate) mod spool;
}

use std::io::{Seek, Write};
use support::letters::{Letter, letters};
use support::room::run;
use support::sendmail::{installed_for, sendmail};
use support::server::{Answer, Server};
use support::spool::{QUEUE, Spool, counts, ran, runner};

fn submit(letter: &Letter, user: u32) {
    let mut arguments: Vec<&str> = vec!["-odq"];
    arguments.extend(letter.arguments.iter().map(String::as_str));
    let mut command = sendmail(user, user, &arguments);
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(&letter.text()).expect("written");
    file.rewind().expect("at its beginning");
    command.stdin(file);
    assert_eq!(run(command), (Some(0), String::new(), String::new()), "{}", letter.name);
}

#[test]
fn what_sendmail_submitted_arrives_as_it_was_written() {
    let Some(spool) = Spool::new() else { return };
    if !installed_for(&spool.0, QUEUE) {
        return;
    }
    let letters = letters();
    let wanted = u64::try_from(letters.len()).expect("few");
    for (letter, user) in letters.iter().zip([1000, 1001, 1002].into_iter().cycle()) {
        submit(letter, user);
    }
    // At first there is no server; then each waits once, for one of those whom it is for.
    assert_eq!(ran(runner("127.0.0.1:1", &[])).0, Some(75));
    let busy = Server::new(|command| if command == "." { Answer::Say("451 4.3.2 later") } else { Answer::Yes });
    assert_eq!(ran(runner(&busy.address(), &[])), (Some(0), counts(&[("kept", wanted)]), String::new()));
    let (status, listed, _) = run(sendmail(0, 0, &["-Ac", "-bp"]));
    assert!(status == Some(0) && listed.contains(&format!("Total requests: {wanted}\n")), "{listed}");
    assert_eq!(listed.matches("(451 4.3.2 later)").count(), letters.len(), "{listed}");

    let server = Server::new(|_| Answer::Yes);
    assert_eq!(ran(runner(&server.address(), &["--all"])), (Some(0), counts(&[("done", wanted)]), String::new()));
    assert_eq!(spool.names(), [""; 0]);
    let offered = server.offered();
    letters.iter().for_each(|letter| letter.arrived(&offered));
}
