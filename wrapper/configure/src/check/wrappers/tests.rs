use super::*;
use crate::check::testing::installation;
use crate::encode::Values;
use crate::fake_program::{Fake, SECTION_AT, mail_values, sealed};
use rstest::rstest;

fn file(content: Vec<u8>) -> WrapperFile {
    let path = Path::new("/mm/mail/mailman");
    WrapperFile {
        path: path.to_owned(),
        stat: Stat { kind: FileKind::File, uid: 0, gid: 38, mode: 0o2755, links: 1, identity: (0, 0) },
        place: Place::Mail,
        opened: None,
        program: Program::parse(path, content),
        mount: Ok(MountOptions::default()),
    }
}

fn judge(file: &WrapperFile) -> Vec<(Row, String)> {
    let findings = findings(file, &installation(Path::new("/mm")));
    findings.into_iter().map(|finding| (finding.row, finding.found)).collect()
}

#[test]
fn a_sealed_and_installed_wrapper_has_no_finding() {
    assert_eq!(judge(&file(sealed(&mail_values()))), []);
}

#[rstest]
#[case::no_set_group_id(|f: &mut WrapperFile| f.stat.mode = 0o755, &[(Row::MailSetGroupId, "-rwxr-xr-x")])]
#[case::group_cannot_execute(|f: &mut WrapperFile| f.stat.mode = 0o2745, &[(Row::WrapperExecute, "-rwxr-Sr-x")])]
#[case::neither(|f: &mut WrapperFile| f.stat.mode = 0o745, &[(Row::MailSetGroupId, "-rwxr--r-x"), (Row::WrapperExecute, "-rwxr--r-x")])]
#[case::others_cannot_execute(|f: &mut WrapperFile| f.stat.mode = 0o2750, &[(Row::WrapperExecute, "-rwxr-s---")])]
#[case::group_writes(|f: &mut WrapperFile| f.stat.mode = 0o2775, &[(Row::WrapperWritable, "-rwxrwsr-x")])]
#[case::stranger_owns(|f: &mut WrapperFile| f.stat.uid = 1000, &[(Row::WrapperOwner, "owner 1000 (no name)")])]
#[case::second_name(|f: &mut WrapperFile| f.stat.links = 2, &[(Row::WrapperFile, "2 names")])]
#[case::a_link(|f: &mut WrapperFile| f.stat.kind = FileKind::Link, &[(Row::WrapperFile, "a symbolic link")])]
#[case::nosuid(|f: &mut WrapperFile| f.mount = Ok(MountOptions { nosuid: true, noexec: false }), &[(Row::MountOptions, "nosuid")])]
#[case::noexec(|f: &mut WrapperFile| f.mount = Ok(MountOptions { nosuid: false, noexec: true }), &[(Row::MountOptions, "noexec")])]
#[case::mount_unknown(|f: &mut WrapperFile| f.mount = Err(Errno::EACCES), &[(Row::MountOptions, "not known")])]
fn file_and_mount(#[case] change: fn(&mut WrapperFile), #[case] wanted: &[(Row, &str)]) {
    let mut file = file(sealed(&mail_values()));
    change(&mut file);
    let found = judge(&file);
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for ((row, text), (wanted_row, words)) in found.iter().zip(wanted) {
        assert!(row == wanted_row && text.contains(words), "{found:?}");
    }
}

#[rstest]
#[case::not_sealed(Fake::new(Kind::Mail).build(), Row::SealedPolicy, "not sealed")]
#[case::another_program(Fake { section_name: ".other", ..Fake::new(Kind::Mail) }.build(), Row::SealedPolicy, "no section")]
#[case::a_script(b"#!/bin/sh\n".to_vec(), Row::SealedPolicy, "not an ELF program")]
#[case::the_other_wrapper(Fake::new(Kind::Cgi).build(), Row::SealedPolicy, "a cgi-wrapper")]
#[case::other_group(sealed(&Values { own: (8, b"mail".to_vec()), ..mail_values() }), Row::SealedPolicy, "for group mail 8")]
#[case::other_prefix(sealed(&Values { prefix: b"/old".to_vec(), ..mail_values() }), Row::SealedPolicy, "for prefix /old")]
#[case::group_is_gone(
    sealed(&Values { trusted: (9, b"gone".to_vec()), ..mail_values() }), Row::SealedAccount, "no group has that name or number")]
#[case::group_was_renamed(
    sealed(&Values { trusted: (8, b"post".to_vec()), ..mail_values() }), Row::SealedAccount, "8 is now called mail")]
#[case::group_was_renumbered(
    sealed(&Values { trusted: (9, b"mail".to_vec()), ..mail_values() }), Row::SealedAccount, "mail is now 8")]
#[case::number_was_given_away(
    sealed(&Values { trusted: (33, b"mail".to_vec()), ..mail_values() }), Row::SealedAccount, "33 is called www-data")]
#[case::user_was_renumbered(
    sealed(&Values { owner: (40, b"mailman".to_vec()), ..mail_values() }), Row::SealedAccount, "mailman is now 39")]
fn policies(#[case] content: Vec<u8>, #[case] row: Row, #[case] words: &str) {
    let found = judge(&file(content));
    assert!(matches!(found.as_slice(), [(r, text)] if *r == row && text.contains(words)), "{found:?}");
}

#[test]
fn a_damaged_policy_is_reported_with_the_decoders_reason() {
    let mut damaged = sealed(&mail_values());
    damaged[SECTION_AT + 40] ^= 1;
    let found = judge(&file(damaged));
    assert!(matches!(found.as_slice(), [(Row::SealedPolicy, text)] if text.contains("checksum")), "{found:?}");
}

#[rstest]
#[case::not_executable_is_no_program(0o644, &[])]
#[case::executable_is(0o755, &[Row::CgiSetGroupId, Row::SealedPolicy])]
#[case::group_cannot_execute(0o744, &[Row::WrapperExecute, Row::SealedPolicy])]
fn what_is_no_wrapper_in_cgi_bin(#[case] mode: u32, #[case] wanted: &[Row]) {
    let mut file = file(b"Options None\n".to_vec());
    file.place = Place::Page("admin");
    file.stat.mode = mode;
    let rows: Vec<Row> = judge(&file).into_iter().map(|(row, _)| row).collect();
    assert_eq!(rows, wanted);
}

fn page(place: Place, script: &str, trusted: u32) -> WrapperFile {
    let values = Values {
        kind: Kind::Cgi,
        trusted: (trusted, b"somebody".to_vec()),
        commands: Vec::new(),
        cgi_script: Some(script.as_bytes().to_vec()),
        ..mail_values()
    };
    let path = PathBuf::from(format!("/mm/cgi-bin/{script}"));
    WrapperFile { place, program: Program::parse(&path, sealed(&values)), path, ..file(Vec::new()) }
}

#[rstest]
#[case::its_own_name(Place::Page("admin"), None)]
#[case::name_of_another(Place::Page("listinfo"), Some("the page admin"))]
#[case::no_page_at_all(Place::NoPage, Some("a wrapper for the page admin under another name"))]
fn a_page_has_its_name(#[case] place: Place, #[case] found: Option<&str>) {
    let findings = judge(&page(place, "admin", 8));
    let pages: Vec<&str> =
        findings.iter().filter(|(row, _)| *row == Row::CgiPage).map(|(_, found)| found.as_str()).collect();
    assert_eq!(pages, found.into_iter().collect::<Vec<_>>());
}

/// Neither a note of somebody nor a directory of images is a program.
#[rstest]
#[case::note(FileKind::File, 0o644, false)]
#[case::executable(FileKind::File, 0o645, true)]
#[case::set_group_id(FileKind::File, 0o2644, true)]
#[case::link(FileKind::Link, 0o777, true)]
fn what_may_lie_beside_the_pages(#[case] kind: FileKind, #[case] mode: u32, #[case] found: bool) {
    let mut file = file(b"Options None\n".to_vec());
    file.place = Place::NoPage;
    (file.stat.kind, file.stat.mode) = (kind, mode);
    assert_eq!(!judge(&file).is_empty(), found);
}

#[rstest]
#[case::alike(&[33, 33, 33], &[])]
#[case::one_is_odd(&[33, 8, 33], &[("/mm/cgi-bin/b", "trusts somebody 8")])]
#[case::two_are_odd(&[4, 33, 8, 33], &[("/mm/cgi-bin/a", "trusts somebody 4"), ("/mm/cgi-bin/c", "trusts somebody 8")])]
fn all_pages_trust_one_group(#[case] trusted: &[u32], #[case] wanted: &[(&str, &str)]) {
    let pages = ["a", "b", "c", "d"].into_iter().zip(trusted);
    let files = pages.map(|(name, gid)| page(Place::Page("admin"), name, *gid)).collect();
    let odd = Wrappers { files, absent: Vec::new(), troubles: Vec::new() }.odd_groups();
    let found: Vec<_> = odd.iter().map(|f| (f.path.to_str().expect("text"), f.found.as_str())).collect();
    assert_eq!(found, wanted);
}
