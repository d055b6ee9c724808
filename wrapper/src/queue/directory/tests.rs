//! Directories in which others could write, and queues that are full.

use super::{COUNTED_MAX, Count, Full, Queue, Unsound, enough, expected, judge_above, judge_queue};
use crate::policy::{Limits, Owner, QueuePolicy};
use crate::queue::commit::Store;
use crate::sample::LIST;
use nix::errno::Errno;
use nix::sys::stat::{FileStat, fstatat};
use rstest::rstest;
use std::os::unix::fs::symlink;

const OWNER: Owner<'static> = Owner { uid: 39, name: "smmsp" };

fn policy(directory: &str) -> QueuePolicy<'_> {
    QueuePolicy { own: LIST, owner: OWNER, directory, limits: Limits::DEFAULT }
}

fn status(uid: u32, gid: u32, mode: u32) -> FileStat {
    let mut status = fstatat(nix::fcntl::AT_FDCWD, "/", nix::fcntl::AtFlags::empty()).expect("a root");
    (status.st_uid, status.st_gid, status.st_mode) = (uid, gid, 0o040_000 | mode);
    status
}

/// Q12 and Q14.
#[rstest]
#[case::as_installed(39, 38, 0o2770, Ok(()))]
#[case::of_root(0, 38, 0o770, Ok(()))]
#[case::sticky(39, 38, 0o3770, Ok(()))]
#[case::sticky_of_root(0, 38, 0o3770, Err(Unsound::Sticky { uid: 0 }))]
#[case::of_a_stranger(1000, 38, 0o2770, Err(Unsound::Owner { uid: 1000 }))]
#[case::of_another_group(39, 8, 0o2770, Err(Unsound::Group { gid: 8 }))]
#[case::not_writable(39, 38, 0o2750, Err(Unsound::NotGroupWritable { mode: 0o2750 }))]
#[case::not_readable(39, 38, 0o2730, Err(Unsound::NotGroupWritable { mode: 0o2730 }))]
#[case::closed(39, 38, 0o700, Err(Unsound::NotGroupWritable { mode: 0o700 }))]
#[case::searchable_by_all(39, 38, 0o2771, Err(Unsound::WorldAccessible { mode: 0o2771 }))]
#[case::readable_by_all(39, 38, 0o2774, Err(Unsound::WorldAccessible { mode: 0o2774 }))]
#[case::writable_by_all(39, 38, 0o3772, Err(Unsound::WorldAccessible { mode: 0o3772 }))]
fn a_queue_is_its_groups_alone(
    #[case] uid: u32,
    #[case] gid: u32,
    #[case] mode: u32,
    #[case] expected: Result<(), Unsound>,
) {
    assert_eq!(judge_queue(&status(uid, gid, mode), &policy("/q")), expected);
}

/// Q14.
#[rstest]
#[case::of_root(0, 0, 0o755, Ok(()))]
#[case::of_the_owner(39, 38, 0o2750, Ok(()))]
#[case::of_a_stranger(1000, 0, 0o755, Err(Unsound::Owner { uid: 1000 }))]
#[case::group(0, 38, 0o775, Err(Unsound::GroupWritable { gid: 38 }))]
#[case::world(0, 0, 0o757, Err(Unsound::WorldWritable))]
#[case::sticky_world(0, 0, 0o1777, Err(Unsound::WorldWritable))]
fn nobody_else_can_put_another_queue_in_its_place(
    #[case] uid: u32,
    #[case] gid: u32,
    #[case] mode: u32,
    #[case] expected: Result<(), Unsound>,
) {
    assert_eq!(judge_above(&status(uid, gid, mode), &policy("/q")), expected);
}

/// Q15.
#[test]
fn a_users_files_are_counted_and_no_others() {
    let limits = Limits { user_messages: 2, user_bytes: 100, ..Limits::DEFAULT };
    let file = |uid, size| {
        let mut file = status(uid, 38, 0o660);
        file.st_size = size;
        file
    };
    let mut count = Count::default();
    assert_eq!(count.add(b"dfA", &file(1000, 10), 1000, &limits), Ok(()));
    assert_eq!(count.add(b"qfA", &file(1000, 10), 1000, &limits), Ok(()));
    assert_eq!(count.add(b"dfB", &file(1001, 1000), 1000, &limits), Ok(()));
    assert_eq!(count.add(b"dfC", &file(1000, 10), 1000, &limits), Err(Full::Messages { limit: 2 }));
    let mut count = Count::default();
    assert_eq!(count.add(b"dfA", &file(1000, 99), 1000, &limits), Ok(()));
    assert_eq!(count.add(b"tfB", &file(1000, 1), 1000, &limits), Err(Full::Bytes { limit: 100 }));
    let mut count = Count { files: COUNTED_MAX - 1, ..Count::default() };
    assert_eq!(count.add(b"x", &file(1001, 1), 1000, &limits), Ok(()));
    assert_eq!(count.add(b"x", &file(1001, 1), 1000, &limits), Err(Full::Files { limit: COUNTED_MAX }));
}

/// Q15.
#[test]
fn as_much_must_be_free_as_is_said_and_no_more() {
    assert_eq!(enough(100, 100), Ok(()));
    assert_eq!(enough(99, 100), Err(Full::Space { found: 99, wanted: 100 }));
}

/// The calls as they are made, in a directory that belongs to whoever runs the tests.
#[test]
fn the_store_creates_exclusively_and_renames_only_to_a_free_name() {
    let scratch = tempfile::tempdir().expect("a directory");
    let directory = std::fs::File::open(scratch.path()).expect("opened");
    let mut queue = Queue(directory.into());
    let file = queue.create("tfA").expect("created");
    assert_eq!(queue.create("tfA").map(drop), Err(Errno::EEXIST));
    symlink("/nonexistent", scratch.path().join("dfA")).expect("linked");
    assert_eq!(queue.create("dfA").map(drop), Err(Errno::EEXIST));
    queue.set_mode(&file).expect("set");
    let found = queue.status(&file).expect("status");
    assert_eq!((found.mode, found.links), (expected(0, &policy("/q")).mode, 1));
    queue.lock(&file).expect("locked");
    let other = std::fs::File::open(scratch.path().join("tfA")).expect("opened");
    assert_eq!(crate::sys::lock(std::os::fd::AsFd::as_fd(&other)), Err(Errno::EWOULDBLOCK));
    assert_eq!(queue.write(&file, b"text"), Ok(4));
    queue.sync(&file).and_then(|()| queue.sync_directory()).expect("on disk");
    assert_eq!(queue.rename("tfA", "dfA"), Err(Errno::EEXIST));
    queue.rename("tfA", "qfA").expect("renamed");
    assert_eq!(
        (queue.is("qfA", &file), queue.is("dfA", &file), queue.is("tfA", &file)),
        (Ok(true), Ok(false), Ok(false))
    );
    assert_eq!(std::fs::read(scratch.path().join("qfA")).expect("read"), b"text");
    std::fs::hard_link(scratch.path().join("qfA"), scratch.path().join("second")).expect("linked");
    assert_eq!(queue.status(&file).map(|found| found.links), Ok(2));
    queue.empty(&file).expect("emptied");
    assert_eq!(std::fs::read(scratch.path().join("second")).expect("read"), b"");
    queue.remove("qfA").expect("removed");
    assert!(!scratch.path().join("qfA").exists());
}

/// Q1: what has been synced looks like what has not. But a pipe cannot be, and only fsync(2) says so.
#[test]
fn the_store_syncs() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut queue = Queue(reader.into());
    assert_eq!(queue.sync(&writer.into()), Err(Errno::EINVAL));
    assert_eq!(queue.sync_directory(), Err(Errno::EINVAL));
}

/// Q14: what a directory is, before who may do what in it.
#[rstest]
#[case::missing("/nonexistent/queue", "/nonexistent", Unsound::Unreachable(Errno::ENOENT))]
#[case::link_in_the_middle("/proc/self/queue", "/proc/self", Unsound::NotADirectory)]
#[case::file("/etc/passwd", "/etc/passwd", Unsound::NotADirectory)]
#[case::below_a_file("/etc/passwd/queue", "/etc/passwd", Unsound::NotADirectory)]
#[case::for_everybody("/etc", "/etc", Unsound::WorldAccessible { mode: 0o755 })]
#[case::below_a_place_for_everybody("/tmp/queue", "/tmp", Unsound::WorldWritable)]
fn a_path_is_walked_without_links(#[case] path: &str, #[case] at: &str, #[case] fault: Unsound) {
    assert_eq!(Queue::open(&policy(path)).map(drop), Err((at, fault)));
}
