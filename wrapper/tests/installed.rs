//! The programs as they are installed: set-group-ID, started by strangers and by the trusted group, in hostile rooms.

#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "tests start the programs, and those of a system")]

#[path = "../../lab/tests/support/required.rs"]
mod required;
mod support {
    pub(crate) mod binary;
    pub(crate) mod letters;
    pub(crate) mod queue_seal;
    pub(crate) mod room;
    pub(crate) mod seal;
    pub(crate) mod sendmail;
    // Of the queue's runner, whose tests need one more than these.
    #[path = "../../runner/tests/support/server.rs"]
    #[allow(dead_code, reason = "the tests of the runner use the rest")]
    pub(crate) mod server;
    pub(crate) mod spool;
}
// Not beside this file, where each would be a test program of its own.
#[path = "queue/interop.rs"]
mod queue_interop;
#[path = "queue/refusals.rs"]
mod queue_refusals;
#[path = "queue/submissions.rs"]
mod queue_submissions;

use nix::mount::MsFlags;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, raise, signal, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, dup2_raw};
use rstest::rstest;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use support::room::{PREFIX, Room, before_exec, run, wrapper};
use support::seal::{Records, body, cgi, mail, number, section, with};
use support::{binary, room};
use wrapper::policy::{Kind, Tag};

/// An ordinary user whose group is the trusted one, `mail`.
const TRUSTED: (u32, u32) = (1000, 8);

fn program(kind: Kind) -> &'static Path {
    Path::new(match kind {
        Kind::Mail => env!("CARGO_BIN_EXE_mail-wrapper"),
        Kind::Cgi => env!("CARGO_BIN_EXE_cgi-wrapper"),
        Kind::Queue => env!("CARGO_BIN_EXE_queue-writer"),
    })
}

/// A room with a wrapper of that policy, apart from the prefix.
fn installed(kind: Kind, records: Records) -> Option<Room> {
    let room = Room::new()?;
    let records = with(records, Tag::Prefix, &[PREFIX.as_bytes()]);
    room.install(&binary::sealed(program(kind), kind, &section(kind, &body(&records))));
    room.script("post", "echo started \"$@\"");
    Some(room)
}

fn trusted(arguments: &[&str]) -> Command {
    wrapper(TRUSTED.0, TRUSTED.1, arguments)
}

#[test]
fn the_trusted_group_starts_the_script() {
    let Some(_room) = installed(Kind::Mail, mail()) else { return };
    let (status, out, err) = run(trusted(&["post", "announce", "a b"]));
    assert_eq!((status, out.as_str(), err.as_str()), (Some(0), "started announce a b\n", ""));
}

#[rstest]
#[case::mismatch(33, &["post"], 2, "group mismatch: started with real gid 33 (www-data)")]
#[case::own_group(38, &["post"], 2, "real gid 38 (list)")]
#[case::nameless(4242, &["post"], 8, "real gid 4242, which has no name")]
#[case::stranger_with_a_bad_command(33, &["evil"], 2, "group mismatch")]
#[case::no_command(8, &[], 5, "no command")]
#[case::unknown_command(8, &["../post"], 6, "unknown command")]
#[case::script_is_missing(8, &["leave"], 4, "/mnt/list/scripts/leave does not exist")]
fn refusals(#[case] gid: u32, #[case] arguments: &[&str], #[case] expected: i32, #[case] said: &str) {
    let Some(_room) = installed(Kind::Mail, mail()) else { return };
    let (status, out, err) = run(wrapper(1000, gid, arguments));
    assert_eq!((status, out.as_str()), (Some(expected), ""), "{err}");
    assert!(err.starts_with("mail-wrapper: ") && err.contains(said), "{err}");
    assert_eq!(err.matches('\n').count(), 1, "{err}");
    let deferred = with(mail(), Tag::Refusal, &[b"\x02"]);
    let Some(_room) = installed(Kind::Mail, deferred) else { return };
    let (status, ..) = run(wrapper(1000, gid, arguments));
    assert_eq!(status, Some(if matches!(expected, 5 | 6) { expected } else { 75 }));
}

#[test]
fn root_is_refused_even_in_the_trusted_group() {
    let Some(_room) = installed(Kind::Mail, mail()) else { return };
    let (status, _, err) = run(wrapper(0, 8, &["post"]));
    assert_eq!(status, Some(3), "{err}");
    assert!(err.contains("root cannot give up a group"), "{err}");
}

#[test]
fn a_wrapper_whose_bit_is_ignored_says_so() {
    let Some(room) = installed(Kind::Mail, mail()) else { return };
    let mut command = Command::new(room::WRAPPER);
    command.arg("post").env_clear();
    before_exec(&mut command, nix::sys::prctl::set_no_new_privs);
    room::become_user(&mut command, 1000, 8);
    let (status, _, err) = run(command);
    assert_eq!(status, Some(9), "{err}");
    assert!(err.contains("the effective gid is 8 (mail), not gid 38 (list)"), "{err}");

    room.remount("/mnt/mail", MsFlags::MS_NOSUID);
    let (status, _, err) = run(trusted(&["post"]));
    assert_eq!(status, Some(9), "{err}");
}

#[test]
fn an_unsealed_wrapper_refuses_everybody() {
    let Some(room) = Room::new() else { return };
    for kind in [Kind::Mail, Kind::Cgi] {
        room.install(&std::fs::read(program(kind)).expect("built"));
        for (uid, gid) in [(0, 0), (1000, 8), (1000, 33), (1000, 38)] {
            let (status, ..) = run(wrapper(uid, gid, &["post"]));
            assert_eq!(status, Some(10));
        }
    }
}

#[test]
fn a_policy_of_the_other_kind_is_refused() {
    let Some(room) = Room::new() else { return };
    let other = section(Kind::Cgi, &body(&cgi()));
    room.install(&binary::sealed(program(Kind::Mail), Kind::Mail, &other));
    let (status, _, err) = run(trusted(&["post"]));
    assert_eq!(status, Some(10));
    assert!(err.contains("it is for cgi-wrapper, not for mail-wrapper"), "{err}");
}

#[test]
fn the_trusted_group_may_be_the_own_one_with_and_without_the_bit() {
    let records = with(mail(), Tag::TrustedGid, &[&number(38)]);
    let Some(room) = installed(Kind::Mail, records) else { return };
    let (status, out, _) = run(wrapper(1000, 38, &["post"]));
    assert_eq!((status, out.as_str()), (Some(0), "started\n"));
    room.remount("/mnt/mail", MsFlags::MS_NOSUID);
    let (status, out, _) = run(wrapper(1000, 38, &["post"]));
    assert_eq!((status, out.as_str()), (Some(0), "started\n"));
    let (status, ..) = run(trusted(&["post"]));
    assert_eq!(status, Some(9));
}

#[rstest]
#[case::no_regular_file(None)]
#[case::nonsense(Some(&b"\xff\n::::\n\0"[..]))]
fn without_names_a_stranger_is_refused_and_the_trusted_group_is_not(#[case] groups: Option<&[u8]>) {
    let Some(room) = installed(Kind::Mail, mail()) else { return };
    match groups {
        Some(content) => room.groups(content),
        None => room.cover("/etc/group", "/dev/null"),
    }
    let (status, _, err) = run(wrapper(1000, 33, &["post"]));
    assert_eq!(status, Some(8), "{err}");
    let (status, ..) = run(trusted(&["post"]));
    assert_eq!(status, Some(0));
}

/// What a script finds, a line each.
const LOOK: &str = r#"
umask
pwd -P
tr '\0' '\n' < /proc/$$/environ
grep -E '^(Uid|Gid|Groups|SigBlk|SigIgn|SigPnd|ShdPnd|CapInh|CapAmb|NoNewPrivs):' /proc/$$/status | tr '\t' ' '
read slack < /proc/self/timerslack_ns; echo $slack
ulimit -Hc
for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done
"#;

#[test]
fn a_script_cannot_tell_a_hostile_room_from_a_quiet_one() {
    let Some(room) = installed(Kind::Mail, mail()) else { return };
    room.script("post", LOOK);
    let (status, quiet, err) = run(trusted(&["post"]));
    assert_eq!((status, err.as_str()), (Some(0), ""));
    // The shell itself has the script open as descriptor 10 and the directory as 3.
    insta::assert_snapshot!("what_a_script_finds", quiet);

    let mut command = trusted(&["post"]);
    command
        .env("LD_PRELOAD", "/tmp/x.so")
        .env("PATH", "/tmp")
        .env("IFS", "/")
        .env("ENV", "/tmp/evil")
        .env("BASH_ENV", "/x");
    before_exec(&mut command, || {
        umask(Mode::empty());
        chdir("/proc/self/fdinfo")?;
        for descriptor in 3..20 {
            // SAFETY: nothing in the child owns these numbers, and the exec closes none.
            std::mem::forget(unsafe { dup2_raw(std::io::stdin(), descriptor) }?);
        }
        for each in Signal::iterator().filter(|each| !matches!(each, Signal::SIGKILL | Signal::SIGSTOP)) {
            // SAFETY: SIG_IGN runs no code.
            unsafe { signal(each, SigHandler::SigIgn) }?;
        }
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None)?;
        // SAFETY: SIG_DFL runs no code, and the signal is blocked.
        unsafe { signal(Signal::SIGTERM, SigHandler::SigDfl) }?;
        raise(Signal::SIGTERM)?;
        nix::sys::prctl::set_timerslack(4_000_000_000)?;
        nix::sys::prctl::set_pdeathsig(Signal::SIGUSR1)?;
        setrlimit(Resource::RLIMIT_CORE, u64::MAX, u64::MAX).or(Ok(()))
    });
    let (status, hostile, err) = run(command);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert_eq!(hostile, quiet);
}

#[test]
fn a_soft_limit_that_is_too_small_is_raised() {
    let Some(room) = installed(Kind::Mail, mail()) else { return };
    room.script("post", "ulimit -Sf; ulimit -Sn; ulimit -Hn");
    let mut command = trusted(&["post"]);
    before_exec(&mut command, || {
        setrlimit(Resource::RLIMIT_FSIZE, 0, 1 << 20)?;
        setrlimit(Resource::RLIMIT_NOFILE, 19, 64)
    });
    // The shell counts blocks of 512 bytes.
    assert_eq!(run(command), (Some(0), "2048\n20\n64\n".into(), String::new()));
}

#[test]
fn closed_standard_descriptors_are_open_for_the_script() {
    let Some(room) = installed(Kind::Mail, with(mail(), Tag::TrustedGid, &[&number(38)])) else { return };
    room.script(
        "post",
        "exec > /mnt/found; readlink /proc/$$/fd/0; readlink /proc/$$/fd/2; ls -l /proc/$$/fd/0 | cut -c1-10",
    );
    room.file("/mnt/found", 0o666, b"");
    // Group 38, which is the own one, so that no C library repairs anything: AT_SECURE is 0.
    let mut command = wrapper(1000, 38, &["post"]);
    before_exec(&mut command, || {
        for descriptor in 0..3 {
            // SAFETY: nothing in the child uses the standard descriptors before the exec.
            nix::errno::Errno::result(unsafe { libc::close(descriptor) })?;
        }
        Ok(())
    });
    let (status, ..) = run(command);
    assert_eq!(status, Some(0));
    let found = std::fs::read_to_string("/mnt/found").expect("written");
    assert_eq!(found, "/dev/null\n/dev/null\nlrwx------\n");
}

#[test]
fn an_alarm_of_the_caller_does_not_reach_the_script() {
    let Some(room) = installed(Kind::Mail, mail()) else { return };
    room.script("post", "sleep 1.3; echo alive");
    let mut command = trusted(&["post"]);
    before_exec(&mut command, || {
        nix::unistd::alarm::set(1);
        Ok(())
    });
    assert_eq!(run(command), (Some(0), "alive\n".into(), String::new()));
}

#[test]
fn process_group_session_and_priority_stay_as_the_server_made_them() {
    let Some(room) = installed(Kind::Mail, mail()) else { return };
    // proc_pid_stat(5): after the name state, parent, group, session; the nice value is field 19.
    room.script("post", "read line < /proc/$$/stat; set -- ${line##*)}; echo $(($3 == $$)) $4 ${17}");
    let mut command = trusted(&["post"]);
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    before_exec(&mut command, || {
        // SAFETY: the call takes numbers: this process, and the lowest priority.
        nix::errno::Errno::result(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) }).map(drop)
    });
    let session = nix::unistd::getsid(None).expect("a session");
    assert_eq!(run(command), (Some(0), format!("1 {session} 19\n"), String::new()));
}

#[test]
fn the_end_of_the_script_is_the_end_of_the_wrapper() {
    use std::os::unix::process::ExitStatusExt;
    let Some(room) = installed(Kind::Mail, mail()) else { return };
    room.script("post", "exit \"$1\"");
    for status in [0, 1, 75, 255] {
        assert_eq!(run(trusted(&["post", &status.to_string()])).0, Some(status));
    }
    room.script("post", "kill -s \"$1\" $$");
    for (name, number) in [("TERM", 15), ("KILL", 9), ("PIPE", 13)] {
        assert_eq!(trusted(&["post", name]).status().expect("started").signal(), Some(number), "{name}");
    }
}

#[test]
fn a_refusal_is_logged_before_it_is_said() {
    let Some(_room) = installed(Kind::Mail, mail()) else { return };
    let log = UnixDatagram::bind("/dev/log").expect("bound");
    std::fs::set_permissions("/dev/log", std::os::unix::fs::PermissionsExt::from_mode(0o666)).expect("mode");
    let (status, _, err) = run(wrapper(1000, 33, &["post", "\x1b[2J\nforged: line"]));
    assert_eq!(status, Some(2));
    let mut entry = [0; 2048];
    log.set_nonblocking(true).expect("set");
    let length = log.recv(&mut entry).expect("one entry");
    assert_eq!(String::from_utf8_lossy(&entry[..length]), format!("<19>{}", err.trim_end()));
    assert!(log.recv(&mut entry).is_err(), "one entry only");
}

#[test]
fn a_log_that_takes_nothing_and_a_full_pipe_hold_nothing_up() {
    let Some(_room) = installed(Kind::Mail, mail()) else { return };
    let log = UnixDatagram::bind("/dev/log").expect("bound");
    std::fs::set_permissions("/dev/log", std::os::unix::fs::PermissionsExt::from_mode(0o666)).expect("mode");
    let filler = UnixDatagram::unbound().expect("socket");
    filler.set_nonblocking(true).expect("set");
    while filler.send_to(&[0; 512], "/dev/log").is_ok() {}
    let (_reader, mut writer) = std::io::pipe().expect("pipe");
    // 64 KiB: pipe(7).
    writer.write_all(&[0; 65536]).expect("fits");
    let mut command = wrapper(1000, 33, &["post"]);
    command.stderr(writer);
    let start = Instant::now();
    let status = command.status().expect("started");
    assert_eq!(status.code(), Some(2));
    assert!(start.elapsed() < Duration::from_secs(5));
    drop(log);
}

#[rstest]
#[case::file_size(Resource::RLIMIT_FSIZE, "RLIMIT_FSIZE", &[0, 1, 4096, (1 << 20) - 1])]
#[case::descriptors(Resource::RLIMIT_NOFILE, "RLIMIT_NOFILE", &[10, 19])]
#[case::address_space(Resource::RLIMIT_AS, "RLIMIT_AS", &[16 << 20, (64 << 20) - 4096])]
#[case::data(Resource::RLIMIT_DATA, "RLIMIT_DATA", &[4 << 20, (32 << 20) - 4096])]
#[case::stack(Resource::RLIMIT_STACK, "RLIMIT_STACK", &[128 << 10, (256 << 10) - 4096])]
fn a_hard_limit_that_is_too_small_is_named(
    #[case] resource: Resource,
    #[case] name: &str,
    #[case] limits: &'static [u64],
) {
    let Some(_room) = installed(Kind::Mail, mail()) else { return };
    for limit in limits {
        // A stranger hears it too: it comes before the caller is looked at.
        for gid in [8, 33] {
            let mut command = wrapper(1000, gid, &["post"]);
            before_exec(&mut command, move || setrlimit(resource, *limit, *limit));
            let (status, _, err) = run(command);
            assert_eq!(status, Some(11), "{limit}: {err}");
            assert!(err.contains(&format!("{name} is {limit}, but at least ")), "{err}");
        }
    }
}

#[test]
fn the_cgi_wrapper_starts_its_page_and_refuses_as_one() {
    let Some(room) = installed(Kind::Cgi, cgi()) else { return };
    room.script("driver", "echo \"$0 $@\"; tr '\\0' '\\n' < /proc/$$/environ | sort");
    let environment = [("QUERY_STRING", "a=<b>"), ("HTTP_PROXY", "evil"), ("PATH", "/x"), ("SERVER_NAME", "lists")];
    let mut command = trusted(&["-c", "evil"]);
    command.envs(environment);
    let (status, out, _) = run(command);
    assert_eq!(status, Some(0));
    assert_eq!(out, "/mnt/list/scripts/driver listinfo\nPATH=/usr/bin:/bin\nQUERY_STRING=a=<b>\nSERVER_NAME=lists\n");
    let mut command = wrapper(1000, 33, &[]);
    command.envs(environment);
    let (status, out, err) = run(command);
    assert_eq!((status, err.as_str()), (Some(2), ""));
    assert!(out.starts_with("Status: 403 Forbidden\r\nContent-Type: text/html"), "{out}");
    assert!(out.contains("started with real gid 33 (www-data)") && out.ends_with("</html>\n"), "{out}");
}

#[rstest]
#[case::script("/mnt/list/scripts/post", 0o757, "can be written by everybody")]
#[case::directory("/mnt/list/scripts", 0o777, "can be written by everybody")]
#[case::prefix("/mnt/list", 0o775, "can be written by gid 0")]
#[case::not_executable("/mnt/list/scripts/post", 0o644, "cannot be executed: Permission denied")]
fn what_others_can_change_is_not_executed(#[case] path: &str, #[case] mode: u32, #[case] said: &str) {
    let Some(_room) = installed(Kind::Mail, mail()) else { return };
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("mode");
    let (status, out, err) = run(trusted(&["post"]));
    assert_eq!((status, out.as_str()), (Some(4), ""), "{err}");
    assert!(err.contains(path) && err.contains(said), "{err}");
}

#[test]
fn after_a_failed_exec_a_closed_pipe_is_no_signal() {
    let Some(room) = installed(Kind::Mail, mail()) else { return };
    room.file("/mnt/list/scripts/post", 0o644, b"");
    let (reader, writer) = std::io::pipe().expect("pipe");
    drop(reader);
    let mut command = trusted(&["post"]);
    command.stderr(writer);
    assert_eq!(command.status().expect("started").code(), Some(4));
}
