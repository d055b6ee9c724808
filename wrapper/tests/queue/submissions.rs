//! The queue writer as it is installed: started by anybody, in hostile rooms, and interrupted.

use crate::support::queue_seal::{limit, queue};
use crate::support::room::{before_exec, run};
use crate::support::seal::with;
use crate::support::spool::{MESSAGE, QUEUE, Spool, USER, writer};
use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;
use rstest::rstest;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Stdio;
use wrapper::policy::Tag;

#[rstest]
#[case::umask_0(Mode::empty())]
#[case::umask_077(Mode::from_bits_truncate(0o077))]
#[case::umask_0777(Mode::from_bits_truncate(0o777))]
fn a_message_of_an_ordinary_user_is_queued(#[case] mask: Mode) {
    // Q1, Q6, Q11, Q13.
    let Some(spool) = Spool::new(queue()) else { return };
    let mut command = writer(USER, MESSAGE, &["-i", "-f", "root", "bob@example.org"]);
    before_exec(&mut command, move || {
        umask(mask);
        Ok(())
    });
    assert_eq!(run(command), (Some(0), String::new(), String::new()));
    let [data, control] = spool.message();
    for name in [&data, &control] {
        let file = fs::metadata(format!("{QUEUE}/{name}")).expect("there");
        assert_eq!((file.mode(), file.uid(), file.gid(), file.nlink()), (0o100_660, 1000, 38, 1), "{name}");
    }
    assert_eq!(spool.read(&data), &MESSAGE[MESSAGE.len() - 36..]);
    let text = String::from_utf8(spool.read(&control)).expect("ASCII");
    let id = &control[2..];
    assert!(text.starts_with("V8\nT") && text.ends_with("\n.\n"), "{text}");
    for record in [
        "\nSroot\n",
        "\nF8s\n",
        "\nrRFC822; bob@example.org\nRPFD:bob@example.org\nH??Received: ",
        "(queue-writer, started by uid 1000)\n\tid ",
        "\nH??Subject: hello\n\tthere\nH??Date: ",
        "\nH??From: root\n",
        "\n$_alice@localhost\n",
    ] {
        assert!(text.contains(record), "{record} in {text}");
    }
    assert!(text.contains(&format!("id {id}; ")) && id.len() <= 18 && !text.contains("carol"), "{text}");
}

#[test]
fn what_is_queued_is_logged_with_its_id() {
    let Some(spool) = Spool::new(queue()) else { return };
    let log = UnixDatagram::bind("/dev/log").expect("bound");
    fs::set_permissions("/dev/log", Permissions::from_mode(0o666)).expect("mode");
    log.set_nonblocking(true).expect("set");
    assert_eq!(run(writer(USER, b"Message-Id: <a@b>\n\n", &["bob"])).0, Some(0));
    let mut entry = [0; 2048];
    let length = log.recv(&mut entry).expect("one entry");
    let id = spool.message()[1][2..].to_owned();
    let expected = format!("<22>queue-writer: {id}: from=<alice>, uid=1000, size=18, nrcpts=1, msgid=<a@b>");
    assert_eq!(String::from_utf8_lossy(&entry[..length]), expected);
    let (status, _, said) = run(writer(USER, b"", &["-C/etc/passwd", "bob"]));
    let length = log.recv(&mut entry).expect("one entry");
    assert_eq!(
        (status, said.as_str()),
        (Some(64), "queue-writer: there is no option -C; the manual page has those there are\n")
    );
    assert_eq!(String::from_utf8_lossy(&entry[..length]), format!("<19>{}", said.trim_end()));
}

#[test]
fn environment_limits_and_directory_change_nothing() {
    // Q8, Q6.
    let Some(spool) = Spool::new(queue()) else { return };
    let quiet = spool.queued(writer(USER, MESSAGE, &["bob"]));
    let mut command = writer(USER, MESSAGE, &["bob"]);
    for name in ["NAME", "TZ", "USER", "LOGNAME", "HOME", "MAILHOST", "HOSTNAME", "PATH", "LD_LIBRARY_PATH", "LANG"] {
        command.env(name, "evil\nRPFD:eve");
    }
    command.current_dir("/proc/self/fdinfo").arg0("newaliases");
    before_exec(&mut command, || {
        setrlimit(Resource::RLIMIT_FSIZE, 0, 1 << 20)?;
        setrlimit(Resource::RLIMIT_NOFILE, 12, 64)
    });
    assert_eq!(spool.queued(command), quiet);
}

#[rstest]
fn closed_descriptors_are_no_files_of_the_queue(
    #[values(0, 1, 2, 3, 4, 5, 6, 7)] closed: u8,
    #[values(1000, 38)] gid: u32,
) {
    // Q7. With gid 38, the queue's own, AT_SECURE is 0 and no C library opens anything.
    let Some(spool) = Spool::new(queue()) else { return };
    let mut command = writer((1000, gid), MESSAGE, &["-i", "bob"]);
    before_exec(&mut command, move || {
        for descriptor in (0..3).filter(|descriptor| closed & (1 << descriptor) != 0) {
            // SAFETY: nothing in the child uses the standard descriptors before the exec.
            Errno::result(unsafe { libc::close(descriptor) })?;
        }
        Ok(())
    });
    let (status, ..) = run(command);
    if closed & 1 == 0 {
        assert_eq!(status, Some(0));
        let [data, control] = spool.message();
        assert_eq!(spool.read(&data), &MESSAGE[MESSAGE.len() - 36..]);
        assert!(spool.read(&control).ends_with(b"\n.\n"));
    } else {
        assert_eq!((status, spool.names()), (Some(66), vec![]));
    }
}

#[test]
fn an_empty_message_is_one_that_somebody_meant() {
    // Q7.
    let Some(spool) = Spool::new(queue()) else { return };
    let mut command = writer(USER, b"", &["bob"]);
    command.stdin(Stdio::null());
    assert_eq!(run(command).0, Some(0));
    assert_eq!(spool.read(&spool.message()[0]), b"");
    spool.clear();
    for (how, status) in [(File::options().read(true).write(true).open("/dev/null"), 66), (File::open("/mnt"), 66)] {
        let mut command = writer(USER, b"", &["bob"]);
        command.stdin(how.expect("opened"));
        let (found, _, said) = run(command);
        assert_eq!((found, spool.names()), (Some(status), vec![]), "{said}");
    }
}

/// What ends a submission whose caller does not ignore it.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// A submission in the middle of its message: what has been written does not fit into a pipe, so that some has been read.
fn in_the_middle(arguments: &[&str], ignored: Option<Signal>) -> (std::process::Child, std::process::ChildStdin) {
    let mut command = writer(USER, b"", arguments);
    before_exec(&mut command, move || {
        for ending in ENDING {
            // Whoever runs the tests may ignore some, as nohup(1) does.
            let handler = if ignored == Some(ending) { SigHandler::SigIgn } else { SigHandler::SigDfl };
            // SAFETY: neither handler runs code.
            unsafe { signal(ending, handler) }?;
        }
        Ok(())
    });
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"Subject: x\n\n").expect("taken");
    input.write_all(&[b'x'; 70_000]).expect("taken");
    (child, input)
}

#[rstest]
fn a_signal_before_the_commit_leaves_nothing(
    #[values(Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM)] signal: Signal,
) {
    // Q3.
    let Some(spool) = Spool::new(queue()) else { return };
    let (child, input) = in_the_middle(&["bob"], None);
    kill(Pid::from_raw(child.id().cast_signed()), signal).expect("sent");
    let ended = child.wait_with_output().expect("ended");
    drop(input);
    assert_eq!((ended.status.code(), spool.names()), (Some(75), vec![]));
    assert!(String::from_utf8_lossy(&ended.stderr).contains(&format!("ended by {signal}")));
}

#[test]
fn a_signal_that_the_caller_ignores_ends_nothing() {
    // Q3.
    let Some(spool) = Spool::new(queue()) else { return };
    let (mut child, mut input) = in_the_middle(&["bob"], Some(Signal::SIGHUP));
    let pid = Pid::from_raw(child.id().cast_signed());
    for signal in [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGPIPE, Signal::SIGXCPU] {
        kill(pid, signal).expect("sent");
    }
    input.write_all(b"end\n").expect("taken");
    drop(input);
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    assert!(spool.read(&spool.message()[0]).ends_with(b"xend\n"));
}

#[test]
fn a_process_that_is_killed_leaves_no_message() {
    // Q4.
    let Some(spool) = Spool::new(queue()) else { return };
    for signal in [Signal::SIGKILL, Signal::SIGALRM] {
        let (mut child, _input) = in_the_middle(&["bob"], None);
        kill(Pid::from_raw(child.id().cast_signed()), signal).expect("sent");
        assert_eq!(child.wait().expect("ended").signal(), Some(signal as i32));
        assert!(spool.names().iter().all(|name| name.starts_with("df")), "{:?}", spool.names());
    }
}

#[test]
fn a_submission_that_does_not_end_is_ended() {
    // Q16.
    let Some(spool) = Spool::new(with(queue(), Tag::Deadline, &[&limit(1)])) else { return };
    let (child, input) = in_the_middle(&["bob"], None);
    let ended = child.wait_with_output().expect("ended");
    drop(input);
    assert_eq!((ended.status.code(), spool.names()), (Some(75), vec![]));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("before its deadline"));
}

#[test]
fn a_submission_shows_its_memory_to_nobody() {
    // Q18. A caller of the queue's own group, for whom the kernel does nothing.
    let Some(_spool) = Spool::new(queue()) else { return };
    let mut command = writer((1000, 38), b"", &["bob"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("started");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"\n").expect("taken");
    input.write_all(&[b'x'; 70_000]).expect("taken");
    // The files of a process that may not be dumped are root's: proc(5).
    let owner = fs::metadata(format!("/proc/{}/mem", child.id())).expect("there").uid();
    drop(input);
    assert_eq!((owner, child.wait().expect("ended").code()), (0, Some(0)));
}
