//! Whatever is killed, and however often cases are run, nothing is left behind.

use crate::fixtures::*;
use lab::backend::namespace::Namespace;
use lab::backend::{Backend, Blob};
use lab::run::programs::Programs;
use lab_invocation::Bytes;
use lab_invocation::evidence::End;
use lab_invocation::layout::{Content, Digest, Layout, NodeKind};
use lab_invocation::protocol::Greeting;
use sha2::{Digest as _, Sha256};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Tells the victim which agent to use, and under which name its subjects are found.
const VICTIM: &str = "LAB_TEST_VICTIM";

/// The agent under a name of its own, by which its processes can be told from everybody else's.
fn own_agent(directory: &tempfile::TempDir) -> PathBuf {
    let path = directory.path().join("lab-agent");
    std::fs::copy(agent(), &path).expect("the agent can be copied");
    path
}

/// Processes whose program file or command line has `mark` in it.
fn processes(mark: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc can be read");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let marked = pids.filter(|pid| {
        let exe = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        exe.to_string_lossy().contains(mark) || String::from_utf8_lossy(&line).contains(mark)
    });
    marked.filter(|pid| *pid != std::process::id()).collect()
}

/// The mounts of this namespace on the directories over which the agent mounts its first root for a moment.
fn mounts() -> Vec<String> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").expect("the mounts can be read");
    let anchors = ["/tmp", "/run", "/mnt", "/var", "/usr"];
    table
        .lines()
        .filter(|line| line.split(' ').nth(4).is_some_and(|at| anchors.contains(&at)))
        .map(str::to_owned)
        .collect()
}

#[test]
#[ignore = "started, and killed, by the next test"]
fn victim() {
    let Some(mark) = std::env::var_os(VICTIM) else { return };
    let mark = mark.to_string_lossy().into_owned();
    let backend = Namespace::new(&PathBuf::from(&mark).join("lab-agent"));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut worker = backend.worker().expect("a worker");
                for round in 0u64.. {
                    run(worker.as_mut(), &layout(), &invocation());
                    let script = format!("(setsid sleep 1000 &) ; exec sleep 0.0{} # {mark}", round % 10);
                    run(worker.as_mut(), &shell_layout(|_| {}), &shell(&script));
                }
            });
        }
    });
}

#[test]
fn a_hundred_kills_at_random_moments_leave_nothing() {
    if backend().is_none() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let agent = own_agent(&directory);
    let mark = directory.path().to_string_lossy().into_owned();
    let before = mounts();
    let mut chance = crate::chance::seeded();
    let mut found_running = 0;
    for round in 0..100 {
        // Every process of the agent keeps the victim's standard error, so its end is the end of them all.
        let (mut ours, theirs) = UnixStream::pair().expect("a socket pair");
        let mut victim = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "robust::victim", "--ignored", "--nocapture"])
            .env(VICTIM, directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .expect("the victim starts");
        let moment = Duration::from_micros(1 + chance.next() % 120_000);
        ours.set_read_timeout(Some(moment)).expect("a limit of time");
        let mut said = Vec::new();
        let early = ours.read_to_end(&mut said).is_ok();
        assert!(!early, "the victim ended by itself: {}", String::from_utf8_lossy(&said));
        found_running += usize::from(!processes(agent.to_str().expect("a path")).is_empty());
        victim.kill().expect("it can be killed");
        victim.wait().expect("it ends");
        ours.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit of time");
        let all_gone = ours.read_to_end(&mut said);
        let left = processes(&mark);
        assert!(all_gone.is_ok() && left.is_empty(), "round {round}, killed after {moment:?}: left {left:?}");
    }
    assert!(found_running > 50, "the kills came while agents ran: {found_running} of 100");
    assert_eq!(mounts(), before, "no mount is left");
    let files = std::fs::read_dir(directory.path()).expect("the directory").count();
    assert_eq!(files, 1, "no file is left but the agent itself");
}

#[test]
fn an_agent_that_is_killed_is_an_error_and_no_hang() {
    if backend().is_none() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let agent = own_agent(&directory);
    let backend = Namespace::new(&agent);
    let mut worker = backend.worker().expect("a worker");
    run(worker.as_mut(), &layout(), &invocation());
    let running = processes(agent.to_str().expect("a path"));
    assert_eq!(running.len(), 2, "stage 0 and stage 1");
    let pids: Vec<String> = running.iter().map(u32::to_string).collect();
    let killed = Command::new("kill").arg("-9").args(&pids).status().expect("kill(1) can be started");
    assert!(killed.success());
    let (id, _) = worker.open(&layout(), &|_| None).expect("the layout is known");
    let error = worker.run(id, &invocation()).expect_err("nobody is there");
    assert_eq!(error.step, "run a case");
    assert!(error.found.contains("the agent has ended"), "{error}");
    drop(worker);
    assert!(processes(agent.to_str().expect("a path")).is_empty(), "dropping the worker reaps what is left");
}

/// What a process has: open descriptors, resident kilobytes, bytes which it and its children have written to disks.
#[derive(Debug)]
struct Size {
    open: usize,
    resident: u64,
    written: u64,
}

fn size(pid: u32) -> Size {
    let number = |file: &str, name: &str| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the agent's state");
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a line").to_owned();
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    };
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the agent's descriptors").count();
    Size { open, resident: number("status", "VmRSS:"), written: number("io", "write_bytes:") }
}

/// The mail wrapper, as it is built: unsealed, it refuses everybody.
fn refusing() -> (Layout, Blob) {
    let tree = lab::run::tree::Tree::find().expect("tests run in the checkout");
    let programs = Programs::provide(&tree, &["wrapper"], &mut |_| {}).expect("the wrapper builds");
    let wrapper = Bytes(std::fs::read(programs.path("mail-wrapper").expect("it is built")).expect("it can be read"));
    let mut layout = layout();
    let program = Digest(Sha256::digest(wrapper.as_slice()).into());
    for node in layout.nodes.iter_mut().filter(|node| node.path == PROGRAM.into()) {
        node.kind = NodeKind::File(Content::Blob(program));
    }
    (layout, Blob { program, bytes: Arc::new(wrapper), patch: None })
}

#[test]
fn ten_thousand_refused_runs_leave_disk_descriptors_processes_and_memory_as_they_were() {
    if backend().is_none() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let agent = own_agent(&directory);
    let backend = Namespace::new(&agent);
    let mut worker = backend.worker().expect("a worker");
    let (refusing, wrapper) = refusing();
    // Both kinds of launcher, and more layouts than a worker keeps.
    let mut cases = |rounds: u32| {
        for round in 0..rounds {
            let mut layout = refusing.clone();
            layout.nodes.push(node(
                "/number",
                0,
                0o644,
                NodeKind::File(Content::Inline((round % 20).to_string().into())),
            ));
            let mut invocation = invocation();
            invocation.transition.share_fs = round % 7 == 0;
            let (id, _) = worker.open(&layout, &|_| Some(wrapper.clone())).expect("the layout opens");
            for _ in 0..100 {
                let evidence = worker.run(id, &invocation).expect("a case");
                assert_eq!(evidence.end, Some(End::Exited(10)), "an unsealed wrapper refuses");
                assert!(evidence.witness.is_empty() && evidence.syslog_total == 1, "{evidence:#?}");
            }
        }
    };
    cases(25);
    let pids = processes(agent.to_str().expect("a path"));
    let before: Vec<_> = pids.iter().map(|&pid| size(pid)).collect();
    cases(100);
    assert_eq!(processes(agent.to_str().expect("a path")), pids, "the same two processes");
    for (&pid, before) in pids.iter().zip(before) {
        let after = size(pid);
        // Up to a batch of descriptors waits to be swept up.
        assert!(after.open <= before.open + 32, "descriptors: {before:?}, then {after:?}");
        let bounded = after.resident <= before.resident + 2_048 && after.resident < 16 * 1_024;
        assert!(bounded, "kilobytes: {before:?}, then {after:?}");
        assert_eq!(after.written, before.written, "a sandbox is in memory, and its cases with it");
    }
    let files = std::fs::read_dir(directory.path()).expect("the directory").count();
    assert_eq!(files, 1, "no file but the agent itself");
}

/// What an agent says first when it is started with these ids.
fn greeting(agent: &Path, uid: u32, path: &str) -> Greeting {
    let (mut ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut child = Command::new(agent)
        .arg("serve")
        .env("PATH", path)
        .uid(uid)
        .gid(uid)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()
        .expect("the agent starts");
    ours.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit of time");
    let mut length = [0; 4];
    ours.read_exact(&mut length).expect("a greeting");
    let mut frame = vec![0; usize::try_from(u32::from_le_bytes(length)).expect("a length")];
    ours.read_exact(&mut frame).expect("the whole greeting");
    drop(ours);
    child.wait().expect("it ends");
    postcard::from_bytes(&frame).expect("a greeting")
}

/// An agent that everybody may start, and its directory; `None`, with a printed reason, for an ordinary user, who can
/// start it as himself only.
fn agent_for_others() -> Option<(tempfile::TempDir, PathBuf)> {
    if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) != 0) {
        skip("root", "only root can become somebody else");
        return None;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let agent = own_agent(&directory);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), mode).expect("everybody may start the agent");
    Some((directory, agent))
}

#[test]
fn a_user_without_newuidmap_is_told_what_to_install() {
    let Some((_directory, agent)) = agent_for_others() else { return };
    let ranges = std::fs::read_to_string("/etc/subuid").unwrap_or_default();
    let users = std::fs::read_to_string("/etc/passwd").expect("users");
    let ordinary = users.lines().find_map(|line| {
        let [name, _, uid, ..] = line.split(':').collect::<Vec<_>>()[..] else { return None };
        let uid: u32 = uid.parse().ok().filter(|uid| *uid != 0)?;
        let enough = |range: &str| range.split(':').nth(2).and_then(|count| count.parse().ok()) >= Some(65_535);
        ranges.lines().any(|range| range.split(':').next() == Some(name) && enough(range)).then_some(uid)
    });
    let Some(uid) = ordinary else { return skip("root", "no ordinary user has subordinate ids here") };
    let Greeting::Unable { step, cure, .. } = greeting(&agent, uid, "/nonexistent") else {
        panic!("without newuidmap there is no sandbox for user {uid}")
    };
    let possible = ["newuidmap was not found", "clone(2)"];
    assert!(possible.iter().any(|start| step.starts_with(start)), "{step}");
    assert!(cure.contains("package uidmap") || cure.contains("sysctl"), "{cure}");
}

#[test]
fn a_user_without_subordinate_ids_is_told_what_to_do() {
    let Some((_directory, agent)) = agent_for_others() else { return };
    let Greeting::Unable { step, cure, .. } = greeting(&agent, 3_999_999, "/usr/bin:/bin") else {
        panic!("a user whom no file names cannot have a sandbox")
    };
    let possible = ["/etc/subuid has no line for 3999999", "read /etc/subuid", "clone(2)"];
    assert!(possible.iter().any(|start| step.starts_with(start)), "{step}");
    assert!(cure.contains("usermod --add-subuids 100000-165535") || cure.contains("sysctl"), "{cure}");
}

#[test]
fn a_script_that_is_left_running_is_heard() {
    let Some(mut worker) = worker() else { return };
    let layout: Layout = shell_layout(|layout| layout.nodes.push(witness("/script", 0, 0o755)));
    let evidence = run(worker.as_mut(), &layout, &shell("/script & exit 2"));
    assert_eq!((evidence.witness.len(), evidence.strays), (1, 0), "{evidence:#?}");
    assert!(!evidence.witness[0].same_process);
}

#[test]
fn what_is_left_and_stands_still_is_killed_and_reported() {
    let Some(mut worker) = worker() else { return };
    let layout: Layout = shell_layout(|layout| layout.nodes.push(witness("/script", 0, 0o755)));
    let evidence = run(worker.as_mut(), &layout, &shell("sh -c 'kill -STOP $$; exec /script' & exit 2"));
    let seen = (evidence.end, evidence.witness.len(), evidence.witness_unfinished, evidence.strays);
    assert_eq!(seen, (Some(End::Exited(2)), 0, 0, 1), "{evidence:#?}");
}
