//! Queues in which others could write, queues that are full, and other things that the queue writer refuses.

use crate::support::queue_seal::{limit, queue};
use crate::support::room::{Room, become_user, before_exec, run, wrapper};
use crate::support::seal::{number, with};
use crate::support::spool::{MESSAGE, QUEUE, Spool, USER, writer};
use nix::mount::{MsFlags, mount};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use rstest::rstest;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use wrapper::policy::Tag;
use wrapper::refusal::Line;
use wrapper::report;

#[rstest]
#[case::another_group(|| chown(QUEUE, None, Some(8)), "belongs to gid 8, not to gid 38 (list)")]
#[case::another_owner(|| chown(QUEUE, Some(1000), None), "belongs to uid 1000, not to root or uid 39 (smmsp)")]
#[case::not_for_its_group(|| mode(QUEUE, 0o2750), "has mode 2750, so that its group cannot work in it")]
#[case::for_everybody(|| mode(QUEUE, 0o2777), "has mode 2777, so that everybody can get at the mail")]
#[case::searchable(|| mode(QUEUE, 0o2771), "has mode 2771, so that everybody can get at the mail")]
#[case::missing(|| fs::remove_dir(QUEUE), "does not exist")]
#[case::link(|| fs::rename(QUEUE, "/mnt/spool/q").and_then(|()| link("q", QUEUE)), "is a symbolic link or a file")]
#[case::link_above(|| fs::rename("/mnt/spool", "/mnt/s").and_then(|()| link("s", "/mnt/spool")), "/mnt/spool is a symbolic")]
#[case::file(|| fs::remove_dir(QUEUE).and_then(|()| fs::write(QUEUE, "")), "is a symbolic link or a file")]
#[case::above_for_everybody(|| mode("/mnt/spool", 0o1777), "/mnt/spool can be written by everybody")]
#[case::above_for_a_group(|| mode("/mnt/spool", 0o775), "/mnt/spool can be written by gid 0")]
#[case::above_of_a_stranger(|| chown("/mnt/spool", Some(1000), None), "/mnt/spool belongs to uid 1000")]
#[case::far_above(|| mode("/mnt", 0o777), "/mnt can be written by everybody")]
fn a_queue_that_others_could_write_is_refused(#[case] damage: fn() -> std::io::Result<()>, #[case] said: &str) {
    // Q14.
    let Some(_spool) = Spool::new(queue()) else { return };
    damage().expect("damaged");
    for uid in [USER, (0, 0)] {
        let (status, _, found) = run(writer(uid, MESSAGE, &["bob"]));
        assert_eq!(status, Some(78), "{found}");
        assert!(found.contains(said), "{found}");
    }
}

fn mode(path: &str, mode: u32) -> std::io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn link(to: &str, path: &str) -> std::io::Result<()> {
    std::os::unix::fs::symlink(to, path)
}

/// Q17: what a process had at its end can be seen until it is waited for.
#[rstest]
#[case::without_a_policy(true, 78)]
#[case::refused(false, 64)]
fn whoever_is_refused_is_told_without_the_group(#[case] unsealed: bool, #[case] status: i32) {
    let Some(spool) = Spool::new(queue()) else { return };
    if unsealed {
        spool.room().install(&fs::read(env!("CARGO_BIN_EXE_queue-writer")).expect("built"));
    }
    let mut command = wrapper(1000, 8, &["-bp"]);
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).expect("ended");
    let seen = fs::read_to_string(format!("/proc/{pid}/status")).expect("not yet waited for");
    assert!(seen.lines().any(|line| line == "Gid:\t8\t8\t8\t8"), "{seen}");
    assert_eq!(child.wait().expect("waited").code(), Some(status));
}

#[test]
fn without_its_group_it_writes_nowhere() {
    // Q14. A member of the group could.
    let Some(spool) = Spool::new(queue()) else { return };
    let mut command = wrapper(1000, 8, &["bob"]);
    before_exec(&mut command, nix::sys::prctl::set_no_new_privs);
    let (status, _, said) = run(command);
    assert_eq!((status, spool.names()), (Some(78), vec![]));
    assert!(said.contains("not running set-group-ID: the effective gid is 8 (mail), not gid 38 (list)"), "{said}");
}

#[test]
fn others_cannot_look_into_the_queue() {
    // Q12.
    let Some(spool) = Spool::new(queue()) else { return };
    assert_eq!(run(writer(USER, MESSAGE, &["bob"])).0, Some(0));
    let control = format!("{QUEUE}/{}", spool.message()[1]);
    for (program, arguments) in [("ls", vec![QUEUE]), ("cat", vec![&*control]), ("touch", vec!["/mnt/spool/queue/x"])] {
        for (uid, gid, may) in [(1000, 1000, false), (1001, 1001, false), (1001, 38, true)] {
            let mut command = Command::new(program);
            command.args(&arguments).stderr(Stdio::null()).stdout(Stdio::null());
            become_user(&mut command, uid, gid);
            assert_eq!(command.status().expect("started").success(), may, "{program} {uid} {gid}");
        }
    }
}

#[test]
fn there_is_an_end_to_what_one_user_has() {
    // Q15. Three messages, and another user's do not count.
    let Some(spool) = Spool::new(queue()) else { return };
    for (uid, expected) in [(1000, 0), (1000, 0), (1000, 0), (1000, 75), (1001, 0)] {
        let (status, _, said) = run(writer((uid, 1000), MESSAGE, &["-f<>", "bob"]));
        assert_eq!(status, Some(expected), "{said}");
    }
    assert_eq!(spool.names().len(), 8);
    spool.clear();
    let body = vec![b'\n'; 100_002];
    let (status, _, said) = run(writer(USER, &body, &["bob"]));
    assert_eq!((status, spool.names()), (Some(65), vec![]), "{said}");
    let (status, _, said) = run(writer(USER, b"To: a, b, c, d, e, f\n", &["-t"]));
    assert_eq!((status, spool.names()), (Some(65), vec![]), "{said}");
    assert_eq!(run(writer(USER, b"To: a, b, c, d, e\n", &["-t"])).0, Some(0));
}

#[rstest]
#[case::blocks("size=65536,mode=2770,uid=39,gid=38")]
#[case::no_inode("nr_inodes=1,mode=2770,uid=39,gid=38")]
#[case::one_inode("nr_inodes=2,mode=2770,uid=39,gid=38")]
fn on_a_full_disk_nothing_is_queued_and_nothing_left(#[case] options: &str) {
    // Q2, Q15.
    let Some(spool) = Spool::new(with(queue(), Tag::FreeBytes, &[&limit(0)])) else { return };
    mount(Some("tmpfs"), QUEUE, Some("tmpfs"), MsFlags::empty(), Some(options)).expect("tmpfs");
    let (status, _, said) = run(writer(USER, &[b'\n'; 90_000], &["bob"]));
    assert_eq!((status, spool.names()), (Some(75), vec![]), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
}

#[test]
fn room_that_must_stay_free_stays_so() {
    // Q15.
    let Some(spool) = Spool::new(with(queue(), Tag::FreeBytes, &[&limit(1 << 40)])) else { return };
    let (status, _, said) = run(writer(USER, MESSAGE, &["bob"]));
    assert_eq!((status, spool.names()), (Some(75), vec![]), "{said}");
    assert!(said.contains("1099511627776 must stay so"), "{said}");
}

#[test]
fn a_file_larger_than_the_callers_limit_is_not_queued() {
    // Q15.
    let Some(spool) = Spool::new(with(queue(), Tag::MessageBytes, &[&limit(8 << 20)])) else { return };
    let mut command = writer(USER, &vec![b'\n'; 3 << 20], &["bob"]);
    before_exec(&mut command, || setrlimit(Resource::RLIMIT_FSIZE, 2 << 20, 2 << 20));
    let (status, _, said) = run(command);
    assert_eq!((status, spool.names()), (Some(75), vec![]), "{said}");
    // The soft limit alone is no limit.
    let mut command = writer(USER, &vec![b'\n'; 1 << 17], &["bob"]);
    before_exec(&mut command, || setrlimit(Resource::RLIMIT_FSIZE, 1, 2 << 20));
    assert_eq!(run(command).0, Some(0));
}

#[test]
fn many_at_once_have_names_of_their_own() {
    // Q5.
    let records = with(queue(), Tag::UserMessages, &[&limit(1000)]);
    let Some(spool) = Spool::new(with(records, Tag::UserBytes, &[&limit(1 << 30)])) else { return };
    let bodies: Vec<String> = (0..60).map(|number| format!("\n{number}")).collect();
    let children: Vec<_> =
        bodies.iter().map(|body| writer(USER, body.as_bytes(), &["bob"]).spawn().expect("started")).collect();
    for mut child in children {
        assert_eq!(child.wait().expect("ended").code(), Some(0));
    }
    let mut found: Vec<Vec<u8>> =
        spool.names().iter().filter(|name| name.starts_with("df")).map(|name| spool.read(name)).collect();
    let mut expected: Vec<Vec<u8>> = bodies.iter().map(|body| body.as_bytes()[1..].to_vec()).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(spool.names().len(), 120);
}

#[rstest]
#[case::no_arguments(USER, &[], 64, "no recipient")]
#[case::smtp(USER, &["-bs"], 64, "-bs is not for this program")]
#[case::line_feed(USER, &["bob\nRPFD:eve"], 65, "recipient argument 1 has a control character")]
#[case::line_feed_in_the_sender(USER, &["-f", "a\nRPFD:eve", "bob"], 65, "the sender has a control character")]
#[case::no_name((4242, 4242), &["bob"], 67, "uid 4242 has no name")]
fn refusals(#[case] user: (u32, u32), #[case] arguments: &[&str], #[case] expected: i32, #[case] said: &str) {
    let Some(spool) = Spool::new(queue()) else { return };
    let mut command = writer(user, MESSAGE, arguments);
    command.arg0("");
    let (status, _, found) = run(command);
    assert_eq!((status, spool.names()), (Some(expected), vec![]), "{found}");
    assert!(found.contains(said), "{found}");
}

#[test]
fn root_and_those_without_a_name_can_send_mail() {
    let Some(spool) = Spool::new(queue()) else { return };
    for (user, arguments) in [((0, 0), &["bob"][..]), ((4242, 4242), &["-f", "<>", "bob"])] {
        assert_eq!(run(writer(user, MESSAGE, arguments)).0, Some(0));
        let file = fs::metadata(format!("{QUEUE}/{}", spool.message()[1])).expect("there");
        assert_eq!((file.mode(), file.uid(), file.gid()), (0o100_660, user.0, 38));
        spool.clear();
    }
}

#[test]
fn a_policy_that_is_not_sound_is_no_queue() {
    let Some(spool) = Spool::new(with(queue(), Tag::OwnGid, &[&number(0)])) else { return };
    let (status, _, said) = run(writer(USER, MESSAGE, &["bob"]));
    assert_eq!((status, spool.names()), (Some(78), vec![]), "{said}");
    assert!(said.contains("no sound policy is sealed into it"), "{said}");
}

#[test]
fn a_line_of_many_reaches_the_log_as_any_other() {
    let Some(_room) = Room::new() else { return };
    let log = UnixDatagram::bind("/dev/log").expect("bound");
    log.set_nonblocking(true).expect("set");
    let mut line = Line::information();
    write!(line, "queue-runner: a line").expect("a line takes it");
    let told = |how: fn(&Line)| {
        how(&line);
        let mut entry = [0; 2048];
        log.recv(&mut entry).map(|length| String::from_utf8_lossy(&entry[..length]).into_owned()).expect("an entry")
    };
    assert_eq!(told(report::log_in_turn), "<22>queue-runner: a line");
    assert_eq!(told(report::log), "<22>queue-runner: a line");
}
