//! `lab run`, killed at random moments: what is left can be read as cut off, and goes.

use crate::help::{Done, program, sandboxes, scenarios, two_cases};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often it is killed.
const ROUNDS: u32 = 100;

/// A distributed tree with the project's scenarios: nothing is built in it, so that the kill falls into the run.
fn tree() -> tempfile::TempDir {
    let tree = scenarios(&two_cases("admitted"));
    let (root, ours) = (tree.path(), Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios"));
    fs::create_dir(root.join("scenarios/install")).expect("a directory");
    for file in fs::read_dir(ours.join("install")).expect("scenarios").map(|entry| entry.expect("an entry")) {
        fs::copy(file.path(), root.join("scenarios/install").join(file.file_name())).expect("a scenario");
    }
    for folder in ["bin", "work", "tmp"] {
        fs::create_dir(root.join(folder)).expect("a directory");
    }
    fs::copy(env!("CARGO_BIN_EXE_lab"), root.join("lab")).expect("the lab");
    for name in ["lab-agent", "wrapper-configure", "mail-wrapper", "cgi-wrapper"] {
        fs::copy(program(name), root.join("bin").join(name)).expect("a program");
    }
    tree
}

fn lab(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(root.join("lab"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("TMPDIR", root.join("tmp"))
        .current_dir(root.join("work"))
        .stdin(Stdio::null());
    command
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Processes whose program lies in the tree.
fn processes(root: &Path) -> Vec<String> {
    let pids = names(Path::new("/proc")).into_iter().filter(|name| name.parse::<u32>().is_ok());
    pids.filter(|pid| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.starts_with(root))).collect()
}

/// Waits until a process has ended, but not for ever.
fn end_of(pid: &str) {
    let pid = pid.parse().ok().and_then(Pid::from_raw).expect("a process number");
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let limit = Timespec { tv_sec: 10, tv_nsec: 0 };
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)).expect("it can be waited for");
}

#[test]
fn what_is_left_of_killed_runs_is_readable_and_goes() {
    if !sandboxes() {
        return;
    }
    let (tree, mut chance) = (tree(), crate::chance::seeded());
    let root = tree.path();
    let runs = root.join("work/.lab/runs");
    let start = Instant::now();
    Done::of(lab(root, &["run"]).output().expect("the lab starts")).exits(0);
    let whole = u64::try_from(start.elapsed().as_micros()).expect("not for ages");
    let mut cut_off = 0;
    for round in 0..ROUNDS {
        let before = names(&runs);
        // Every agent keeps the lab's standard error, so its end is the end of them all.
        let (mut ours, theirs) = UnixStream::pair().expect("a socket pair");
        let mut victim = lab(root, &["run", "--junit", "lab.xml"])
            .stdout(Stdio::null())
            .stderr(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .expect("the lab starts");
        let moment = Duration::from_micros(1 + chance.next() % whole);
        ours.set_read_timeout(Some(moment)).expect("a limit of time");
        let mut said = Vec::new();
        // Either the moment has come, or the run has ended before.
        drop(ours.read_to_end(&mut said));
        victim.kill().expect("it can be killed");
        victim.wait().expect("it ends");
        ours.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit of time");
        let all_gone = ours.read_to_end(&mut said);
        // What the lab was starting to seal a wrapper has pipes of its own, and ends with its work.
        for pid in processes(root) {
            end_of(&pid);
        }
        let left = processes(root);
        assert!(all_gone.is_ok() && left.is_empty(), "round {round}, killed after {moment:?}: left {left:?}");
        assert_eq!(names(&root.join("tmp")), [""; 0], "round {round}: no temporary file");
        let report = fs::read_to_string(root.join("work/lab.xml")).unwrap_or_default();
        assert!(report.is_empty() || report.trim_end().ends_with("</testsuites>"), "round {round}: half a report");
        for run in names(&runs).into_iter().filter(|run| !before.contains(run)) {
            let record = runs.join(&run);
            let whole = record.join("SHA256SUMS").is_file();
            if whole || fs::metadata(record.join("events.jsonl")).map_or(0, |events| events.len()) == 0 {
                continue;
            }
            let shown = Done::of(lab(root, &["show", &run]).output().expect("the lab starts")).exits(0);
            shown.complains("this record was cut off");
            cut_off += 1;
        }
    }
    assert!(cut_off > ROUNDS / 10, "the kills came while cases ran: {cut_off} of {ROUNDS}");
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("the mounts can be read");
    assert!(!mounts.contains(root.to_str().expect("UTF-8")), "no mount is left");
    // What was claimed a moment before the kill is an empty directory, and looks like a lab that is about to begin.
    let old = std::time::SystemTime::now() - Duration::from_secs(7_200);
    for run in names(&runs).iter().map(|run| runs.join(run)).filter(|run| names(run).len() <= 1) {
        fs::File::open(run).and_then(|dir| dir.set_modified(old)).expect("a time");
    }
    Done::of(lab(root, &["run", "install"]).output().expect("the lab starts")).exits(0);
    let left: Vec<String> =
        names(&runs).into_iter().filter(|run| !runs.join(run).join("SHA256SUMS").is_file()).collect();
    assert!(left.len() <= 1, "at most one that was cut off is kept: {left:?}");
    assert_eq!(names(&root.join("work")).len(), 2, "records and the report");
}
