//! Files that are wrong in one place.

use super::{parse, read};
use rstest::rstest;
use std::path::Path;

const SOUND: &str = r#"
title = "t"
why = "w"
source = "s"
[[case]]
name = "control"
control = true
trusts = "mail"
options = { user = "nobody:mail", tmpfs = { "/t" = "exec" } }
exit = 0
says = ["gid="]
"#;

#[rstest]
#[case::sound(SOUND.to_owned(), "")]
#[case::no_control(SOUND.replace("control = true\n", ""), "it has no control")]
#[case::unknown_option(SOUND.replace("user =", "usr ="), "unknown field `usr`")]
#[case::no_cases(SOUND.split("[[case]]").next().expect("a head").to_owned(), "missing field `case`")]
#[case::twice(SOUND.to_owned() + SOUND.split_at(SOUND.find("[[case]]").expect("a case")).1, "two cases are called so")]
#[case::silent(SOUND.replace("\"gid=\"", ""), "`says` names what is written")]
#[case::empty(SOUND.replace("gid=", ""), "`says` names what is written")]
#[case::never_nothing(SOUND.to_owned() + "never = ['']\n", "holds an empty text")]
#[case::status(SOUND.replace("exit = 0", "exit = 256"), "0 to 255")]
fn a_file_that_says_nothing_sound_is_refused(#[case] text: String, #[case] words: &str) {
    let found = parse("a.toml", &text).err().map_or_else(String::new, |problem| problem.to_string());
    assert!(found.contains(words) && found.is_empty() == words.is_empty(), "{found}");
}

#[test]
fn every_file_of_the_project_can_be_read() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/docker");
    let files = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let read: Vec<_> = files.map(|path| read(&path).unwrap_or_else(|problem| panic!("{problem}"))).collect();
    assert_eq!(read.len(), 5);
}
