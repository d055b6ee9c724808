use super::*;
use crate::check::installation::Named;
use crate::check::testing::installation;
use crate::stat::Stat;
use rstest::rstest;

const DIRECTORY: Stat = Stat { kind: FileKind::Directory, uid: 0, gid: 38, mode: 0o2775, links: 2, identity: (0, 0) };
const FILE: Stat = Stat { kind: FileKind::File, uid: 0, gid: 38, mode: 0o664, links: 1, identity: (0, 0) };

fn judge(path: &str, stat: Stat, web: Option<u32>) -> Vec<Finding> {
    let mut installation = installation(Path::new("/mm"));
    installation.web = web.map(|id| Named { id, name: "www-data".to_owned() });
    findings(&Node { path: Path::new("/mm").join(path), stat }, &installation)
}

/// What is as it should be, or more than asked for where the rule says "at least".
#[rstest]
#[case::prefix("", DIRECTORY)]
#[case::directory("Mailman", DIRECTORY)]
#[case::queue("qfiles/in", Stat { mode: 0o2770, ..DIRECTORY })]
#[case::database("archives/private/test/database", Stat { mode: 0o2770, ..DIRECTORY })]
#[case::private_closed("archives/private", Stat { mode: 0o2770, ..DIRECTORY })]
#[case::python("Mailman/Utils.py", Stat { mode: 0o644, ..FILE })]
#[case::python_by_name_only("Mailman/py", Stat { mode: 0o600, ..FILE })]
#[case::plain_file_may_be_closed("data/sitelist.cfg", Stat { mode: 0o600, ..FILE })]
#[case::password("data/adm.pw", Stat { mode: 0o640, ..FILE })]
#[case::list("lists/test/config.pck", Stat { mode: 0o660, ..FILE })]
#[case::list_file_elsewhere("backup/lists/test/config.pck", Stat { mode: 0o600, ..FILE })]
#[case::alias_database("data/aliases.db", Stat { uid: 39, mode: 0o660, ..FILE })]
#[case::link("archives/public/test", Stat { kind: FileKind::Link, gid: 0, mode: 0o777, ..FILE })]
#[case::wrapper("mail/mailman", Stat { mode: 0o2755, ..FILE })]
#[case::cgi("cgi-bin/admin", Stat { mode: 0o2755, ..FILE })]
#[case::set_group_id_without_execute_is_locking("data/lock", Stat { mode: 0o2664, ..FILE })]
fn nothing_to_find(#[case] path: &str, #[case] stat: Stat) {
    assert_eq!(judge(path, stat, None), []);
}

#[rstest]
#[case::prefix("", Stat { mode: 0o775, ..DIRECTORY }, Row::TopDirectory, Cure::set(0o2000))]
#[case::logs("logs", Stat { mode: 0o2755, ..DIRECTORY }, Row::TopDirectory, Cure::set(0o020))]
#[case::directory("Mailman", Stat { mode: 0o2750, ..DIRECTORY }, Row::Directory, Cure::set(0o025))]
#[case::queue("qfiles/in", Stat { mode: 0o700, ..DIRECTORY }, Row::Directory, Cure::set(0o2070))]
#[case::not_a_queue_only_because_of_its_name("qfiles2", Stat { mode: 0o2770, ..DIRECTORY }, Row::Directory, Cure::set(0o005))]
#[case::list_archive_is_not_its_database(
    "archives/private/test", Stat { mode: 0o2770, ..DIRECTORY }, Row::Directory, Cure::set(0o005))]
#[case::group_of_a_file("bin/withlist", Stat { gid: 8, ..FILE }, Row::Group, Cure::Group(38))]
#[case::group_of_a_directory("lists", Stat { gid: 4242, ..DIRECTORY }, Row::Group, Cure::Group(38))]
#[case::python("Mailman/Utils.py", Stat { mode: 0o640, ..FILE }, Row::PythonFile, Cure::set(0o004))]
#[case::compiled("Mailman/Utils.pyc", Stat { mode: 0o600, ..FILE }, Row::PythonFile, Cure::set(0o044))]
#[case::article(
    "archives/private/test/database/2024-article", Stat { mode: 0o640, ..FILE }, Row::Article, Cure::set(0o020))]
#[case::private_readable(
    "archives/private", Stat { mode: 0o2774, ..DIRECTORY }, Row::PrivateReadable, Cure::clear(0o004))]
#[case::database(
    "archives/private/test/database", Stat { mode: 0o2775, ..DIRECTORY }, Row::PrivateDatabase, Cure::clear(0o007))]
#[case::mailbox(
    "archives/private/test.mbox/test.mbox", Stat { mode: 0o644, ..FILE }, Row::PrivateMailbox, Cure::set(0o020))]
#[case::list("lists/test/config.pck", Stat { mode: 0o600, ..FILE }, Row::ListFile, Cure::set(0o060))]
#[case::requests("lists/test/request.pck", Stat { mode: 0o640, ..FILE }, Row::ListFile, Cure::set(0o020))]
#[case::password(
    "data/adm.pw", Stat { mode: 0o2644, ..FILE }, Row::PasswordFile, Cure::Mode { set: 0, clear: 0o2004 })]
#[case::creator_without_administrator(
    "data/creator.pw", Stat { mode: 0o600, ..FILE }, Row::PasswordFile, Cure::set(0o040))]
#[case::aliases("data/aliases", Stat { mode: 0o644, ..FILE }, Row::AliasFile, Cure::set(0o020))]
#[case::virtual_database(
    "data/virtual-mailman.db", Stat { uid: 39, mode: 0o640, ..FILE }, Row::AliasFile, Cure::set(0o020))]
#[case::owner_of_aliases("data/aliases.db", Stat { uid: 0, mode: 0o660, ..FILE }, Row::AliasOwner, Cure::Owner(39))]
#[case::everybody_writes_a_file("bin/withlist", Stat { mode: 0o666, ..FILE }, Row::WorldWritable, Cure::clear(0o002))]
#[case::everybody_writes_a_directory("lists", Stat { mode: 0o3777, ..DIRECTORY }, Row::WorldWritable, Cure::clear(0o002))]
#[case::set_user_id("cgi-bin/private", Stat { mode: 0o6755, ..FILE }, Row::SetUserId, Cure::clear(0o4000))]
#[case::old_page("cgi-bin/admin.old", Stat { mode: 0o2755, ..FILE }, Row::StraySetGroupId, Cure::clear(0o2000))]
#[case::old_wrapper("mail/mailman.old", Stat { mode: 0o2755, ..FILE }, Row::StraySetGroupId, Cure::clear(0o2000))]
fn found(#[case] path: &str, #[case] stat: Stat, #[case] row: Row, #[case] cure: Cure) {
    let found: Vec<(Row, Cure)> =
        judge(path, stat, None).into_iter().map(|finding| (finding.row, finding.cure)).collect();
    assert_eq!(found, [(row, cure)]);
}

/// Nobody reads private archives through a directory that only its owner, the web server, may search.
#[rstest]
#[case::user_of_the_web_server_not_known(None, 0, 0o2771, &[(Row::PrivateSearchable, false)])]
#[case::owner_first(Some(33), 0, 0o2771, &[(Row::PrivateOwner, true), (Row::PrivateSearchable, false)])]
#[case::then_the_others(Some(33), 33, 0o2771, &[(Row::PrivateSearchable, true)])]
#[case::done(Some(33), 33, 0o2770, &[])]
#[case::closed_to_the_web_server_too(Some(33), 0, 0o2770, &[(Row::PrivateOwner, true)])]
fn private_archives(#[case] web: Option<u32>, #[case] uid: u32, #[case] mode: u32, #[case] wanted: &[(Row, bool)]) {
    let found: Vec<(Row, bool)> = judge("archives/private", Stat { uid, mode, ..DIRECTORY }, web)
        .into_iter()
        .map(|finding| (finding.row, !matches!(finding.cure, Cure::ByHand(_))))
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_device_is_reported_but_never_changed() {
    let findings = judge("data/pipe", Stat { kind: FileKind::Other, mode: 0o666, ..FILE }, None);
    assert!(
        matches!(findings.as_slice(), [Finding { row: Row::WorldWritable, cure: Cure::ByHand(_), .. }]),
        "{findings:?}"
    );
}

#[test]
fn variable_data_may_have_a_prefix_of_its_own() {
    let mut installation = installation(Path::new("/usr/lib/mailman"));
    installation.layout.var_prefix = "/var/lib/mailman".into();
    let at = |path: &str| {
        let node = Node { path: path.into(), stat: Stat { mode: 0o600, ..FILE } };
        findings(&node, &installation).into_iter().map(|finding| finding.row).collect::<Vec<_>>()
    };
    assert_eq!(at("/var/lib/mailman/lists/test/config.pck"), [Row::ListFile]);
    assert_eq!(at("/usr/lib/mailman/lists/test/config.pck"), []);
}
