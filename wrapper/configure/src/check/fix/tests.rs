use super::*;
use crate::check::installation::Named;
use crate::check::testing::installation;
use crate::fake_program::{Fake, mail_values, sealed};
use nix::errno::Errno;
use rstest::rstest;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use tempfile::TempDir;

/// A prefix of whoever runs the test, so that the test needs no privilege.
struct Prefix {
    directory: TempDir,
    installation: Installation,
}

impl Prefix {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().canonicalize().expect("it is there");
        fs::create_dir(root.join("data")).expect("a directory");
        fs::create_dir(root.join("mail")).expect("a directory");
        let mut installation = installation(&root);
        installation.own = Named { id: nix::unistd::getegid().as_raw(), name: "own".to_owned() };
        installation.trusted_owners = vec![nix::unistd::geteuid().as_raw()];
        Self { directory, installation }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.installation.layout.prefix.join(below)
    }

    fn file(&self, below: &str, content: &[u8], mode: u32) -> PathBuf {
        let path = self.path(below);
        fs::write(&path, content).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its own file");
        path
    }

    fn apply(&self, path: &Path, cure: Cure) -> Result<Option<Change>, NotFixed> {
        let finding = self.finding(path, cure);
        apply(&finding, &self.installation)
    }

    fn finding(&self, path: &Path, cure: Cure) -> Finding {
        let stat = Stat::of(path).expect("it is there");
        Finding::mode(Row::AliasFile, path, &stat, String::new(), cure)
    }
}

fn mode(path: &Path) -> u32 {
    Stat::of(path).expect("it is there").mode
}

#[test]
fn bits_are_added_and_taken_away_and_nothing_else() {
    let prefix = Prefix::new();
    let path = prefix.file("data/aliases", b"", 0o641);
    let change = prefix.apply(&path, Cure::Mode { set: 0o020, clear: 0o001 }).expect("mended").expect("changed");
    assert_eq!((change.from.as_str(), change.to.as_str()), ("-rw-r----x 00641", "-rw-rw---- 00660"));
    assert_eq!(prefix.apply(&path, Cure::Mode { set: 0o020, clear: 0o001 }), Ok(None), "nothing is left to do");
    let data = prefix.path("data");
    assert!(prefix.apply(&data, Cure::set(0o070)).is_ok());
    assert_eq!(mode(&data) & 0o070, 0o070);
}

#[test]
fn no_file_becomes_writable_for_others_whatever_a_rule_says() {
    let prefix = Prefix::new();
    let path = prefix.file("data/aliases", b"", 0o640);
    assert!(prefix.apply(&path, Cure::Mode { set: 0o026, clear: 0 }).is_ok());
    assert_eq!(mode(&path), 0o664);
}

#[test]
fn another_file_in_its_place_is_left_alone() {
    let prefix = Prefix::new();
    let path = prefix.file("data/aliases", b"", 0o600);
    let finding = prefix.finding(&path, Cure::set(0o060));
    let other = prefix.file("data/other", b"", 0o600);
    fs::rename(&other, &path).expect("renamed");
    assert_eq!(apply(&finding, &prefix.installation), Err(NotFixed::Replaced));
    assert_eq!(mode(&path), 0o600);
}

/// A link that appears between look and change leads nowhere, neither at the end of the way nor on it.
#[rstest]
#[case::last("data/aliases", Errno::ELOOP)]
#[case::on_the_way("data", Errno::ENOTDIR)]
fn links_are_not_followed(#[case] replaced: &str, #[case] errno: Errno) {
    let prefix = Prefix::new();
    let path = prefix.file("data/aliases", b"", 0o600);
    let finding = prefix.finding(&path, Cure::set(0o060));
    // The link leads to the very file that was judged: only not following it keeps the change away.
    let moved = prefix.path("moved");
    fs::rename(prefix.path(replaced), &moved).expect("renamed");
    symlink(&moved, prefix.path(replaced)).expect("a link");
    assert_eq!(apply(&finding, &prefix.installation), Err(NotFixed::Refused { call: "open", errno }));
    assert_eq!(mode(&path.canonicalize().expect("it is there")) & 0o070, 0);
}

#[test]
fn a_file_with_a_second_name_is_left_alone() {
    let prefix = Prefix::new();
    let path = prefix.file("data/aliases", b"", 0o600);
    fs::hard_link(&path, prefix.path("data/second")).expect("a link");
    assert_eq!(prefix.apply(&path, Cure::set(0o060)), Err(NotFixed::SeveralNames(2)));
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn what_is_neither_file_nor_directory_is_left_to_a_person() {
    let prefix = Prefix::new();
    let path = prefix.path("data/fifo");
    nix::unistd::mkfifo(&path, Mode::from_bits_truncate(0o600)).expect("a FIFO");
    assert_eq!(prefix.apply(&path, Cure::set(0o060)), Err(NotFixed::ByHand), "and opening it does not wait");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn nothing_outside_the_prefix_is_changed() {
    let (prefix, other) = (Prefix::new(), Prefix::new());
    let path = other.file("data/aliases", b"", 0o600);
    assert_eq!(prefix.apply(&path, Cure::set(0o060)), Err(NotFixed::Elsewhere));
    assert_eq!(mode(&path), 0o600);
    let above = prefix.directory.path().parent().expect("above");
    assert_eq!(prefix.apply(above, Cure::set(0o060)), Err(NotFixed::Elsewhere));
}

type Spoil = fn(&mut Prefix, &Path);

/// One thing at a time keeps a wrapper from getting the bit.
#[rstest]
#[case::nothing(|_: &mut Prefix, _: &Path| {}, None)]
#[case::owner(|p: &mut Prefix, _: &Path| p.installation.trusted_owners = vec![u32::MAX - 2], Some("belongs to"))]
#[case::group(|p: &mut Prefix, _: &Path| p.installation.own.id = 4242, Some("belongs to group"))]
#[case::group_writes(|_: &mut Prefix, path: &Path| set(path, 0o775), Some("others than its owner may write"))]
#[case::others_write(|_: &mut Prefix, path: &Path| set(path, 0o757), Some("others than its owner may write"))]
#[case::not_sealed(|p: &mut Prefix, path: &Path| {
    p.file("mail/mailman", &Fake::new(Kind::Mail).build(), 0o755);
    set(path, 0o755);
}, Some("not sealed"))]
#[case::script(|p: &mut Prefix, _: &Path| drop(p.file("mail/mailman", b"#!/bin/sh\n", 0o755)), Some("not an ELF program"))]
fn a_wrapper_gets_the_bit_only_after_proof(#[case] spoil: Spoil, #[case] reason: Option<&str>) {
    let mut prefix = Prefix::new();
    let own = prefix.installation.own.id;
    let name = b"own".to_vec();
    let mut values = mail_values();
    values.own = (own, name);
    values.prefix = prefix.path("").components().collect::<PathBuf>().into_os_string().into_encoded_bytes();
    let groups = format!("own:x:{own}:\nmail:x:8:\n");
    prefix.installation.accounts.groups = crate::accounts::Table::parse(Path::new("/etc/group"), groups.as_bytes());
    let path = prefix.file("mail/mailman", &sealed(&values), 0o755);
    spoil(&mut prefix, &path);
    let before = mode(&path);
    let outcome = prefix.apply(&path, Cure::Wrapper { set: 0o2000 });
    match (outcome, reason) {
        (Ok(Some(_)), None) => assert_eq!(mode(&path), 0o2755),
        (Err(NotFixed::NotProven(text)), Some(words)) => {
            assert!(text.contains(words), "{text}");
            assert_eq!(mode(&path), before);
        }
        (outcome, reason) => panic!("{outcome:?}, where {reason:?} is wanted"),
    }
}

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its own file");
}
