//! What a campaign leaves on disk is whole, however it ends.

use super::ground;
use crate::fuzz::key::Key;
use crate::fuzz::store::{Store, finding, findings};
use std::fs;

fn key() -> Key {
    "P01 / mail-wrapper / effective-only / mismatch / exit".parse().expect("a key")
}

#[test]
fn what_was_kept_is_taken_up_and_what_was_cut_off_is_not() {
    let home = tempfile::tempdir().expect("a directory for the test");
    let ground = ground("mail-wrapper");
    let store = Store::open(home.path(), "mail-wrapper").expect("it is new");
    store.keep(&ground.stranger()).expect("it can be written");
    let other = super::ground("cgi-wrapper").stranger();
    store.keep(&other).expect("it can be written");
    let corpus = home.path().join("mail-wrapper/corpus");
    fs::write(corpus.join(".writing-x"), "invocation 1\nuid").expect("it can be written");
    assert!(Store::open(home.path(), "mail-wrapper").is_err(), "it is held");
    drop(store);
    let store = Store::open(home.path(), "mail-wrapper").expect("nobody holds it");
    assert_eq!(fs::read_dir(&corpus).expect("it is there").count(), 2, "what was cut off is gone");
    let (attempts, strange) = store.load(&ground).expect("it can be read");
    assert_eq!((attempts, strange), (vec![ground.stranger()], 1));
}

#[test]
fn of_each_finding_the_smallest_is_kept_and_read_back() {
    let home = tempfile::tempdir().expect("a directory for the test");
    let store = Store::open(home.path(), "mail-wrapper").expect("it is new");
    let small = ground("mail-wrapper").stranger();
    let mut large = small.clone();
    large.invocation.argv.push("more".into());
    store.found(&key(), &large).expect("it can be written");
    let path = store.found(&key(), &small).expect("it can be written");
    assert_eq!(store.found(&key(), &large), Ok(path.clone()), "the larger one changes nothing");
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(name.starts_with("P01-mail-wrapper-effective-only-exit-") && name.ends_with(".inv"), "{name}");
    let all = findings(home.path()).expect("it can be read");
    assert_eq!(all.iter().map(|found| (&found.key, &found.attempt)).collect::<Vec<_>>(), [(&key(), &small)]);
    fs::write(&path, "invocation 1\n").expect("it can be written");
    assert!(finding(&path).is_err());
}
