use super::*;
use crate::ids::Ids;
use rstest::rstest;

const GROUP: &[u8] = b"root:x:0:\nmail:x:8:\nlist:x:38:alice\nmail:x:9:\n3proxy:x:40:\nbad:x:012:\n";
const PASSWD: &[u8] = b"root:x:0:0::/:\nlist:x:38:38::/:\nalice:x:1000:100::/:\nbob:x:1001:100::/:\n";

fn words(list: &[&str]) -> Vec<Bytes> {
    list.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn files(mode: u32, mount: Option<(bool, bool)>) -> Files {
    let mut files = Files::default();
    for path in ["/mm", "/mm/mail"] {
        let entry = Entry { kind: EntryKind::Directory, owner: 0, group: 38, mode };
        files.entries.insert(path.into(), entry);
    }
    let mount =
        mount.map(|(nosuid, noexec)| Mount { at: b"/mm".to_vec(), shows: None, nosuid, noexec, shows_group: None });
    files.mounts.extend(mount);
    files
}

/// `path: kind mode owner:group`.
fn written(writes: &BTreeMap<Bytes, Entry>) -> Vec<String> {
    let text = |(path, entry): (&Bytes, &Entry)| {
        let Entry { kind, owner, group, mode } = entry;
        format!("{}: {} {mode:04o} {owner}:{group}", show(path), format!("{kind:?}").to_lowercase())
    };
    writes.iter().map(text).collect()
}

fn ask(argv: &[&str], process: &Process, files: &Files) -> Answer {
    decide(&Run { argv: &words(argv), process, files, group: Some(GROUP), passwd: Some(PASSWD) })
}

#[rstest]
#[case::first("mail list", Some(("mail", 8)))]
#[case::second("other list mail", Some(("list", 38)))]
#[case::first_row_of_a_name("mail", Some(("mail", 8)))]
#[case::number("9", Some(("mail", 9)))]
#[case::name_with_a_digit("3proxy", Some(("3proxy", 40)))]
#[case::a_row_that_cannot_be_used("bad list", Some(("list", 38)))]
#[case::none("other 4242", None)]
#[case::comma("mail,list", None)]
#[case::octal_after_a_good_one("mail 010", None)]
#[case::minus_one("4294967295", None)]
#[case::two_blanks("mail  list", None)]
fn lists(#[case] list: &str, #[case] wanted: Option<(&str, u32)>) {
    let argv = ["x", "seal", "mail-wrapper", "--output=/tmp/o", "--with-groupname=list", "--with-username=list"];
    let option = format!("--with-mail-gid={list}");
    let answer = ask(&[&argv[..], &[&option]].concat(), &Process::root(), &Files::default());
    match wanted {
        Some((name, gid)) => {
            assert_eq!(
                (answer.exit, answer.says, written(&answer.writes)),
                (0, vec![format!("trusts {name} {gid}")], vec!["/tmp/o: program 0755 0:0".to_owned()])
            );
        }
        None => assert!(answer.exit == 1 && !answer.done && answer.writes.is_empty(), "{answer:?}"),
    }
}

#[rstest]
#[case::sound(0o2775, None, &[], None)]
#[case::sticky(0o3775, None, &[], None)]
#[case::no_set_group_id(0o775, None, &[], Some("set-group-ID bit must be set"))]
#[case::closed(0o2770, None, &[], Some("at least 02775"))]
#[case::open(0o2777, None, &[], Some("writable for everybody"))]
#[case::nosuid(0o2775, Some((true, false)), &[], Some("nosuid"))]
#[case::noexec(0o2775, Some((false, true)), &[], Some("noexec"))]
#[case::not_a_member(0o2775, None, &["--with-username=bob"], Some("bob"))]
#[case::elsewhere(0o2775, None, &["--prefix=/nn"], Some("does not exist"))]
fn prefixes(#[case] mode: u32, #[case] mount: Option<(bool, bool)>, #[case] more: &[&str], #[case] says: Option<&str>) {
    let argv = [
        &["x", "install", "--only=mail"][..],
        more,
        &["--prefix=/mm", "--with-groupname=list", "--with-username=list"],
    ];
    let answer = ask(&argv.concat(), &Process::root(), &files(mode, mount));
    match says {
        None => assert_eq!(
            (answer.exit, written(&answer.writes)),
            (0, vec!["/mm/mail/mailman: program 2755 0:38".to_owned()])
        ),
        Some(words) => assert!(answer.exit == 1 && answer.says.iter().any(|text| text == words), "{answer:?}"),
    }
}

#[rstest]
#[case::member(1000, 100, &[38], false, 0, "proven")]
#[case::of_the_trusted_group(1000, 8, &[38], false, 0, "unproven")]
#[case::of_the_own_group(1000, 38, &[], true, 0, "unproven")]
#[case::who_gains_nothing(1000, 100, &[38], true, 1, "WRONG")]
#[case::stranger(1001, 100, &[], false, 1, "Permission denied")]
#[case::owner_without_the_group(1000, 100, &[], false, 1, "left out the set-group-ID bit")]
fn who_installs(
    #[case] uid: u32,
    #[case] gid: u32,
    #[case] groups: &[u32],
    #[case] no_new_privs: bool,
    #[case] exit: u8,
    #[case] says: &str,
) {
    let mut process = Process::with_ids(Ids::all(uid), Ids::all(gid), groups.iter().copied());
    process.no_new_privs = no_new_privs;
    let mut files = files(0o2775, None);
    if uid == 1000 {
        files.entries.values_mut().for_each(|entry| entry.owner = 1000);
    }
    let argv = [
        "x",
        "install",
        "--only=mail",
        "--prefix=/mm",
        "--with-groupname=list",
        "--with-username=list",
        "--with-mail-gid=mail",
    ];
    let answer = ask(&argv, &process, &files);
    assert!(answer.exit == exit && answer.says.iter().any(|text| text == says), "{answer:?}");
}

/// Whoever installs owns what is installed; group and mode are the same for everybody. A directory that is missing is made.
#[rstest]
#[case::root(0, 0o2775, &["/mm/mail/mailman: program 2755 0:38"])]
#[case::member(1000, 0o2775, &["/mm/mail/mailman: program 2755 1000:38"])]
#[case::no_directory_yet(0, 0, &["/mm/mail: directory 2775 0:38", "/mm/mail/mailman: program 2755 0:38"])]
fn what_is_installed(#[case] uid: u32, #[case] directory: u32, #[case] wanted: &[&str]) {
    let mut files = files(0o2775, None);
    if directory == 0 {
        files.entries.remove(b"/mm/mail".as_slice());
    }
    let process = Process::with_ids(Ids::all(uid), Ids::all(0), [38]);
    let argv = ["x", "install", "--only=mail", "--prefix=/mm", "--with-groupname=list", "--with-username=list"];
    assert_eq!(written(&ask(&argv, &process, &files).writes), wanted);
}

#[rstest]
#[case::mine(1000, 100, 0o777, "/d/o: program 0755 1000:100")]
#[case::in_a_directory_of_a_group(1000, 100, 0o2777, "/d/o: program 0755 1000:9")]
fn what_is_sealed(#[case] uid: u32, #[case] gid: u32, #[case] mode: u32, #[case] wanted: &str) {
    let mut files = Files::default();
    files.entries.insert(b"/d".into(), Entry { kind: EntryKind::Directory, owner: 0, group: 9, mode });
    let argv = ["x", "seal", "mail-wrapper", "--output=/d/o", "--with-groupname=list", "--with-username=list"];
    let process = Process::with_ids(Ids::all(uid), Ids::all(gid), []);
    assert_eq!(written(&ask(&argv, &process, &files).writes), [wanted]);
}
