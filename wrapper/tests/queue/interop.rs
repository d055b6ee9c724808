//! What the queue writer wrote, in the hands of sendmail itself.

use crate::support::letters::letters;
use crate::support::queue_seal::{limit, queue};
use crate::support::room::run;
use crate::support::seal::with;
use crate::support::sendmail::{installed_for, sendmail};
use crate::support::server::{Answer, Server};
use crate::support::spool::{QUEUE, Spool, writer};
use rstest::rstest;
use wrapper::policy::Tag;

#[rstest]
#[case::as_root((0, 0))]
#[case::as_the_user_of_the_queue((39, 38))]
fn sendmail_lists_and_delivers_what_is_queued(#[case] (uid, gid): (u32, u32)) {
    let policy = with(queue(), Tag::Recipients, &[&limit(500)]);
    let policy = with(policy, Tag::UserMessages, &[&limit(100)]);
    let policy = with(policy, Tag::UserBytes, &[&limit(1 << 24)]);
    let Some(spool) = Spool::new(policy) else { return };
    if !installed_for(spool.room(), QUEUE) {
        return;
    }
    let letters = letters();
    for (letter, user) in letters.iter().zip([1000, 1001, 1002].into_iter().cycle()) {
        let arguments: Vec<&str> = letter.arguments.iter().map(String::as_str).collect();
        let said = run(writer((user, user), &letter.text(), &arguments));
        assert_eq!(said, (Some(0), String::new(), String::new()), "{}", letter.name);
    }
    let (status, listed, _) = run(sendmail(uid, gid, &["-Ac", "-bp"]));
    assert!(status == Some(0) && listed.contains(&format!("Total requests: {}\n", letters.len())), "{listed}");

    let server = Server::at(25, |_| Answer::Yes);
    // Without -v it would do so later, in a process of its own.
    let (status, said, errors) = run(sendmail(uid, gid, &["-Ac", "-q", "-v"]));
    assert_eq!((status, spool.names()), (Some(0), vec![]), "{said}{errors}");
    let offered = server.offered();
    letters.iter().for_each(|letter| letter.arrived(&offered));
}
