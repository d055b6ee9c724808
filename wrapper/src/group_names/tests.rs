//! Group files, sound and otherwise.

use super::{MOST, Row, find, look_up, name_of};
use crate::policy::NAME_MAX;
use crate::sample::gid;
use crate::surroundings::AccountName;
use crate::sys::tests::Scratch;
use nix::sys::stat::Mode;
use rstest::rstest;
use std::io::{self, Read};
use std::path::Path;

fn known(name: &str) -> AccountName {
    AccountName::Known(name.to_owned())
}

#[rstest]
#[case::one_row("mail:x:8:\n", known("mail"))]
#[case::among_others("root:x:0:\nmail:x:8:alice,bob\nlist:x:38:\n", known("mail"))]
#[case::no_end_of_line("root:x:0:\nmail:x:8:", known("mail"))]
#[case::no_members_field("mail:x:8\n", known("mail"))]
#[case::no_members_field_at_the_end("mail:x:8", known("mail"))]
#[case::first_of_two_names("post:x:8:\nmail:x:8:\n", known("post"))]
#[case::one_name_for_two_gids("mail:x:9:\nmail:x:8:\n", known("mail"))]
#[case::leading_zeros("mail:x:008:\n", known("mail"))]
#[case::empty_password("mail::8:\n", known("mail"))]
#[case::absent("root:x:0:\n", AccountName::Nameless)]
#[case::empty("", AccountName::Nameless)]
#[case::empty_lines("\n\n:\n::\n:::\n", AccountName::Nameless)]
#[case::gid_among_members("root:x:0:8:8\n", AccountName::Nameless)]
#[case::gid_as_name("8:x:0:\n", AccountName::Nameless)]
#[case::gid_as_password("a:8:0:\n", AccountName::Nameless)]
#[case::longer_gid("mail:x:88:\nmail:x:80:\n", AccountName::Nameless)]
#[case::digits_of_the_password("mail:1:8:\n", known("mail"))]
#[case::no_gid("mail:x::\n", AccountName::Nameless)]
#[case::blank_before("mail:x: 8:\n", AccountName::Nameless)]
#[case::letter_after("mail:x:8a:\n", AccountName::Nameless)]
#[case::sign("mail:x:+8:\n", AccountName::Nameless)]
#[case::too_large("mail:x:18446744073709551624:\n", AccountName::Nameless)]
#[case::plus_2_to_32("mail:x:4294967304:\n", AccountName::Nameless)]
#[case::no_name(":x:8:\n", AccountName::Nameless)]
#[case::comment("#mail:x:8:\n", AccountName::Nameless)]
#[case::included("+mail:x:8:\n", AccountName::Nameless)]
#[case::excluded("-mail:x:8:\n", AccountName::Nameless)]
#[case::broken_row_before("mail:x:8a:\nmail2:x:8:\n", known("mail2"))]
#[case::unprintable("m\x1b[2Jil\u{e9}:x:8:\n", known("m?[2Jil??"))]
#[case::blank_and_tilde("a ~b:x:8:\n", known("a ~b"))]
fn the_first_row_with_the_gid_names_it(#[case] file: &str, #[case] expected: AccountName) {
    assert_eq!(find(file.as_bytes(), gid(8)).expect("readable"), expected);
    // One byte at a time: rows do not care where a read ends.
    assert_eq!(find(Slowly(file.as_bytes()), gid(8)).expect("readable"), expected);
}

struct Slowly<'f>(&'f [u8]);

impl Read for Slowly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(&mut buffer[..1])
    }
}

#[rstest]
#[case::just_fits(64, "n".repeat(64))]
#[case::one_too_many(65, format!("{}...", "n".repeat(61)))]
#[case::a_whole_page(100_000, format!("{}...", "n".repeat(61)))]
fn a_long_name_is_cut(#[case] length: usize, #[case] expected: String) {
    let file = format!("{}:x:8:\n", "n".repeat(length));
    assert_eq!(find(file.as_bytes(), gid(8)).expect("readable"), known(&expected));
}

#[test]
fn a_file_that_is_too_large_is_read_no_further() {
    let rows = io::repeat(b'\n').take(MOST - 9);
    assert_eq!(find(rows.chain(&b"mail:x:8:\n"[..]), gid(8)).expect("readable"), known("mail"));
    let rows = io::repeat(b'\n').take(MOST);
    assert_eq!(find(rows.chain(&b"mail:x:8:\n"[..]), gid(8)).expect("readable"), AccountName::Unreadable);
    assert_eq!(find(io::repeat(b'x'), gid(8)).expect("readable"), AccountName::Unreadable);
    assert_eq!(find(io::repeat(b':'), gid(8)).expect("readable"), AccountName::Unreadable);
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::IsADirectory.into())
    }
}

#[test]
fn an_error_is_not_the_end_of_the_file() {
    assert!(find(b"root:x:0:\n".chain(Broken), gid(8)).is_err());
}

#[test]
fn the_system_calls_gid_0_root() {
    assert_eq!(name_of(gid(0)), known("root"));
    assert_eq!(name_of(gid(4_294_967_294)), AccountName::Nameless);
}

#[test]
fn only_a_regular_file_is_read_and_nothing_else_is_waited_for() {
    for path in ["/dev/null", "/", "/proc/self/nowhere"] {
        assert_eq!(look_up(Path::new(path), gid(8)), AccountName::Unreadable, "{path}");
    }
    let fifo = Scratch::new("fifo");
    std::fs::remove_file(&fifo.0).expect("there");
    nix::unistd::mkfifo(&fifo.0, Mode::S_IRWXU).expect("made");
    assert_eq!(look_up(&fifo.0, gid(8)), AccountName::Unreadable);
    let file = Scratch::new("group");
    std::fs::write(&file.0, "mail:x:8:\n").expect("written");
    assert_eq!(look_up(&file.0, gid(8)), known("mail"));
}

#[test]
fn memory_is_taken_once_and_not_for_each_row() {
    let mut row = Row::default();
    let name = "n".repeat(NAME_MAX);
    for byte in name.bytes().chain(*b":x:1:\nshort") {
        assert_eq!(row.take(byte, gid(2)), None);
    }
    assert_eq!(row.name, b"short");
    assert!(row.name.capacity() >= NAME_MAX);
}
