use super::{Entry, EntryKind, Files, Mount};
use crate::ids::Ids;
use crate::namespace::IdMap;
use crate::process::{Errno, Process};
use rstest::rstest;

fn entry(kind: EntryKind, owner: u32, group: u32, mode: u32) -> Entry {
    Entry { kind, owner, group, mode }
}

fn tree(entries: &[(&str, Entry)]) -> Files {
    let entries = entries.iter().map(|(path, entry)| (path.as_bytes().to_vec(), entry.clone())).collect();
    Files { entries, mounts: Vec::new() }
}

fn user(uid: u32, gid: u32) -> Process {
    Process::with_ids(Ids::all(uid), Ids::all(gid), [])
}

fn mount(at: &str, shows: Option<&str>) -> Mount {
    let shows = shows.map(|path| path.as_bytes().to_vec());
    Mount { at: at.as_bytes().to_vec(), shows, nosuid: false, noexec: false, shows_group: None }
}

fn link(to: &str) -> EntryKind {
    EntryKind::Symlink(to.as_bytes().to_vec())
}

/// Search and execute permission of path_resolution(7): the first class that fits decides, even if it gives less.
#[rstest]
#[case::owner(0o100, user(1, 9), Ok(()))]
#[case::owner_class_decides_for_the_owner(0o011, user(1, 2), Err(Errno::EACCES))]
#[case::group(0o010, user(9, 2), Ok(()))]
#[case::group_class_decides_for_the_group(0o101, user(9, 2), Err(Errno::EACCES))]
#[case::others(0o001, user(9, 9), Ok(()))]
#[case::others_refused(0o110, user(9, 9), Err(Errno::EACCES))]
#[case::root_needs_one_execute_bit(0o001, Process::root(), Ok(()))]
#[case::root_without_any_execute_bit(0o666, Process::root(), Err(Errno::EACCES))]
fn execute_permission(#[case] mode: u32, #[case] process: Process, #[case] result: Result<(), Errno>) {
    let files = tree(&[("/d/x", entry(EntryKind::Program, 1, 2, mode))]);
    assert_eq!(files.find_program(b"/d/x", &process, false).map(|_| ()), result);
}

#[rstest]
#[case::others_may_search(0o711, user(9, 9), Ok(()))]
#[case::others_may_not(0o770, user(9, 9), Err(Errno::EACCES))]
#[case::supplementary_member_may(0o770, Process::with_ids(Ids::all(9), Ids::all(9), [2]), Ok(()))]
#[case::root_may_always(0o000, Process::root(), Ok(()))]
fn search_permission(#[case] mode: u32, #[case] process: Process, #[case] result: Result<(), Errno>) {
    let files =
        tree(&[("/d", entry(EntryKind::Directory, 1, 2, mode)), ("/d/x", entry(EntryKind::Program, 0, 0, 0o755))]);
    assert_eq!(files.walk(b"/d/x", &process).map(|_| ()), result);
}

#[test]
fn root_of_a_namespace_has_no_rights_over_files_that_it_does_not_map() {
    let files = tree(&[("/d/x", entry(EntryKind::Program, 1, 2, 0o700))]);
    let mut process = Process::root();
    process.namespace.uids = IdMap::full_without([1]);
    assert_eq!(files.find_program(b"/d/x", &process, false).map(|_| ()), Err(Errno::EACCES));
}

#[rstest]
#[case::absolute("/elsewhere/x", Ok(()))]
#[case::relative("../elsewhere/x", Ok(()))]
#[case::beyond_the_root("../../../elsewhere/x", Ok(()))]
#[case::dangling("/nowhere", Err(Errno::ENOENT))]
#[case::itself("/d/link", Err(Errno::ELOOP))]
#[case::through_a_file("/elsewhere/x/y", Err(Errno::ENOTDIR))]
fn links(#[case] target: &str, #[case] result: Result<(), Errno>) {
    let files = tree(&[
        ("/d/link", entry(link(target), 0, 0, 0o777)),
        ("/elsewhere/x", entry(EntryKind::Program, 0, 0, 0o755)),
    ]);
    let walk = files.walk(b"/d/link", &user(1, 1));
    assert_eq!(walk.clone().map(|_| ()), result);
    if let Ok(walk) = walk {
        let met: Vec<_> = walk.steps.iter().map(|step| String::from_utf8_lossy(&step.path).into_owned()).collect();
        assert!(met.starts_with(&["/".into(), "/d".into(), "/d/link".into()]), "{met:?}");
        assert_eq!(met.last().map(String::as_str), Some("/elsewhere/x"));
    }
}

#[rstest]
#[case::nothing_there("/d/new", Ok(()))]
#[case::a_file("/elsewhere/x", Err(Errno::EEXIST))]
#[case::a_link_that_leads_nowhere("/d/link", Err(Errno::EEXIST))]
#[case::below_a_link_that_leads_nowhere("/d/link/new", Err(Errno::ENOENT))]
fn exclusive_creation(#[case] path: &str, #[case] result: Result<(), Errno>) {
    let files = tree(&[
        ("/d/link", entry(link("/nowhere"), 0, 0, 0o777)),
        ("/elsewhere/x", entry(EntryKind::Program, 0, 0, 0o755)),
    ]);
    assert_eq!(files.create_exclusively(path.as_bytes(), &user(1, 1)), result);
}

#[rstest]
#[case::script(EntryKind::Script(b"/bin/sh".to_vec()), Ok(Some(b"/bin/sh".to_vec())))]
#[case::script_without_interpreter(EntryKind::Script(b"/bin/none".to_vec()), Err(Errno::ENOENT))]
#[case::script_that_interprets_itself(EntryKind::Script(b"/d/x".to_vec()), Err(Errno::ELOOP))]
#[case::data(EntryKind::Data, Err(Errno::ENOEXEC))]
#[case::directory(EntryKind::Directory, Err(Errno::EACCES))]
#[case::fifo(EntryKind::Special, Err(Errno::EACCES))]
fn formats(#[case] kind: EntryKind, #[case] result: Result<Option<Vec<u8>>, Errno>) {
    let files = tree(&[("/d/x", entry(kind, 0, 7, 0o2755)), ("/bin/sh", entry(EntryKind::Program, 0, 0, 0o755))]);
    let found = files.find_program(b"/d/x", &user(1, 1), false);
    assert_eq!(found.clone().map(|found| found.interpreter), result);
    if let Ok(found) = found {
        assert_eq!(
            (found.image.mode, found.image.group),
            (0o755, Some(0)),
            "the interpreter's bits count, not the script's"
        );
    }
}

#[test]
fn the_last_mount_over_a_path_decides() {
    let mut files = tree(&[
        ("/lower/x", entry(EntryKind::Program, 0, 2000, 0o2755)),
        ("/upper", entry(EntryKind::Directory, 0, 0, 0o755)),
    ]);
    files.mounts.push(Mount { nosuid: true, ..mount("/lower", None) });
    let nosuid =
        |files: &Files, path: &[u8]| files.find_program(path, &user(1, 1), false).map(|found| found.image.mount.nosuid);
    assert_eq!(nosuid(&files, b"/lower/x"), Ok(true));
    files.mounts.push(mount("/upper", Some("/lower")));
    assert_eq!(nosuid(&files, b"/upper/x"), Ok(false), "an overlay does not inherit nosuid");
    files.mounts.push(Mount { noexec: true, ..mount("/upper", Some("/lower")) });
    assert_eq!(nosuid(&files, b"/upper/x"), Err(Errno::EACCES));
    files.mounts.push(Mount { shows_group: Some((2000, 3000)), ..mount("/upper", Some("/lower")) });
    assert_eq!(files.find_program(b"/upper/x", &user(1, 1), false).map(|found| found.image.group), Ok(Some(3000)));
    assert_eq!(nosuid(&files, b"/upperx"), Err(Errno::ENOENT), "a mount covers whole names");
}
