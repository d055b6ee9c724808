//! Containers: the same scenarios, the same verdicts; and nothing is left behind.
//!
//! Needs a Docker engine. Without, the tests are skipped, and say so; `docker` in LAB_REQUIRE turns that into a failure.

#[path = "support/required.rs"]
mod required;

use lab::backend::docker::{Docker, Options};
use lab::backend::{Backend, Worker};
use lab::capability::{Capability, Support};
use lab::run::programs::{PACKAGES, Programs};
use lab::run::select::{Wanted, select};
use lab::run::session::{Given, Session, plan};
use lab_invocation::evidence::{End, Stage};
use rstest::rstest;
use rustix::event::{Timespec, poll};
use std::fs::File;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a container may outlive its lab.
const AFTERLIFE: Duration = Duration::from_secs(5);
/// How long an engine may take to start the first container.
const START: Duration = Duration::from_secs(60);

fn lab(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the lab starts")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(arguments).env("NO_COLOR", "1").env_remove("GITHUB_ACTIONS").stdin(Stdio::null());
    // Inside the checkout, but apart from the records of its user.
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether there is an engine; where none is, the reason is printed.
fn engine() -> bool {
    if docker(&["version", "--format", "{{.Server.Version}}"]).is_some() {
        return true;
    }
    required::skip("docker", "`docker version` does not reach an engine");
    false
}

/// Containers of one lab, or of all.
fn containers(owner: Option<u32>) -> Vec<String> {
    let label = owner.map_or_else(|| "label=lab.owner.pid".to_owned(), |pid| format!("label=lab.owner.pid={pid}"));
    let listed = docker(&["ps", "--all", "--quiet", "--filter", &label]).expect("the engine lists containers");
    listed.lines().map(str::to_owned).collect()
}

/// Waits until something holds, but not for longer than that; whether it does.
fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !holds() {
        if Instant::now() > end {
            return false;
        }
        let pause = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        poll(&mut [], Some(&pause)).expect("time passes");
    }
    true
}

/// Not only verdicts: all that was observed, of every case that an engine can make.
#[test]
fn containers_and_namespaces_observe_the_same() {
    if !engine() {
        return;
    }
    let output = lab(&["run", "--backend", "both"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let last = text.lines().last().unwrap_or_default();
    let same = last.strip_prefix("0 diverge   ").and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    assert!(same.is_some_and(|same| same > 1000), "{last}");
    assert!(last.contains("syscall-fault") && !last.contains("in neither"), "{last}");
}

#[test]
fn a_broken_wrapper_is_failed_there() {
    if !engine() {
        return;
    }
    let output = lab(&["specimens", "sound", "checks-supplementary-groups", "--backend", "docker"]);
    let table = String::from_utf8_lossy(&output.stdout);
    // What an engine cannot make is left open, and says so; nothing that was run may differ.
    assert!(matches!(output.status.code(), Some(0 | 11)), "{table}\n{}", String::from_utf8_lossy(&output.stderr));
    for (name, word) in [("sound", "passes"), ("checks-supplementary-groups", "caught")] {
        let line = table.lines().find(|line| line.starts_with(name));
        assert!(line.is_some_and(|line| line.contains(word)), "{name} is not shown as `{word}`:\n{table}");
    }
}

#[test]
fn a_container_on_a_nosuid_mount_makes_the_wrapper_refuse() {
    if !engine() {
        return;
    }
    let output = lab(&["run", "install/nosuid-mount", "--backend", "docker", "--json", "-"]);
    let events = String::from_utf8_lossy(&output.stdout);
    let mut cases = events.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let case = cases.find(|event| event["id"] == "install/nosuid-mount/nosuid");
    let case = case.unwrap_or_else(|| panic!("no such case in:\n{events}"));
    assert_eq!(case["verdict"]["verdict"], "pass", "{case}");
    assert_eq!(case["evidence"]["installed"]["mount"]["nosuid"], true, "the mount itself was seen: {case}");
    assert_eq!(case["evidence"]["end"]["exited"], 9, "{case}");
}

#[test]
fn no_new_privileges_for_the_container_is_named_and_makes_the_wrapper_refuse() {
    if !engine() {
        return;
    }
    let session = Session::open(None).expect("the tree's scenarios");
    let programs = Programs::provide(&session.tree, PACKAGES, &mut |_| {}).expect("programs");
    let security = vec!["no-new-privileges".to_owned()];
    let agent = programs.path("lab-agent").expect("the agent");
    let backend = Docker::new(agent, Options { run: "no-new-privileges".to_owned(), security, watcher: None });
    let support = backend.capabilities().remove(&Capability::SetGroupId);
    let Some(Support::No { cure: Some(cure), .. }) = support else { panic!("the bit cannot act there: {support:?}") };
    assert!(cure.contains("no-new-privileges"), "the cure names it: {cure}");

    let patterns = vec!["install/nosuid-mount".to_owned()];
    let selected = select(&session.suite.cases, &Wanted { patterns, only: None, slice: None }).expect("cases");
    let cases = session.cases(&selected, None);
    let (plan, _) = plan(cases, &programs, &Given::new(), None).expect("a plan");
    let control = plan.cases.iter().find(|planned| planned.case.control);
    let planned = control.expect("a control, in which the caller is admitted");
    let mut worker: Box<dyn Worker> = backend.worker().expect("a worker");
    let layout = &plan.setting(planned).layout;
    let (id, probes) = worker.open(layout, &|digest| plan.subjects.blob(digest)).expect("the layout");
    assert!(!probes.positive && probes.witness, "the layout shows that it cannot judge: {probes:?}");
    let evidence = worker.run(id, &planned.case.invocation).expect("it runs");
    assert_eq!((&evidence.stage, evidence.end), (&Stage::Ran, Some(End::Exited(9))), "{evidence:#?}");
    assert!(evidence.witness.is_empty(), "the script was not started");
    let said = String::from_utf8_lossy(evidence.stderr.bytes.as_slice()).into_owned();
    assert!(said.contains("not running set-group-ID"), "{said}");
}

/// What connects a lab with the engine, until it is cut: for that lab the engine is then gone.
struct Cable {
    path: PathBuf,
    /// Both ends of each connection.
    open: Arc<Mutex<Vec<UnixStream>>>,
}

impl Cable {
    fn new(path: PathBuf) -> Self {
        let listener = UnixListener::bind(&path).expect("a socket");
        let open = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&open);
        // Ends with the test: once the socket's name is gone, nothing comes any more.
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let host = std::env::var_os("DOCKER_HOST").unwrap_or_default();
                let named = host.to_str().and_then(|host| host.strip_prefix("unix://"));
                let far = UnixStream::connect(named.unwrap_or("/var/run/docker.sock")).expect("the engine's socket");
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) = (from.try_clone().expect("a copy"), to.try_clone().expect("a copy"));
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
                shared.lock().expect("no panic").extend([near, far]);
            }
        });
        Self { path, open }
    }

    fn cut(&self) {
        std::fs::remove_file(&self.path).expect("its name goes");
        for end in self.open.lock().expect("no panic").iter() {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

/// What was running is unresolved, and so is what could not be started any more: nothing of it passes, and nothing waits.
#[test]
fn an_engine_that_goes_in_mid_run_leaves_cases_unresolved() {
    if !engine() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let cable = Cable::new(dir.path().join("engine.sock"));
    let (out, complaints) = (dir.path().join("out"), dir.path().join("complaints"));
    let mut victim = command(&["run", "--backend", "docker"])
        .env("DOCKER_HOST", format!("unix://{}", cable.path.display()))
        .stdout(File::create(&out).expect("a file"))
        .stderr(File::create(&complaints).expect("a file"))
        .spawn()
        .expect("the lab starts");
    assert!(within(START, || !containers(Some(victim.id())).is_empty()), "it has not started a container");
    cable.cut();
    let pid = victim.id();
    let in_time = within(START, || victim.try_wait().is_ok_and(|end| end.is_some()));
    if !in_time {
        victim.kill().expect("it can be killed");
    }
    let status = victim.wait().expect("it ends").code();
    let read = |path| std::fs::read_to_string(path).expect("what it wrote");
    let (text, complaints) = (read(&out), read(&complaints));
    assert_eq!(status, Some(11), "{text}\n{complaints}");
    let counts = text.lines().rfind(|line| line.contains(" unresolved ")).unwrap_or_default();
    assert!(!counts.contains(" 0 unresolved"), "{text}");
    assert!(!complaints.contains("panicked"), "{complaints}");
    // What was starting without its agent has nobody to end it, and the watcher has no engine either: the next lab sweeps.
    let swept = lab(&["clean"]);
    assert!(swept.status.success(), "{}", String::from_utf8_lossy(&swept.stderr));
    assert!(within(AFTERLIFE, || containers(Some(pid)).is_empty()), "its containers are gone");
}

#[test]
fn a_killed_lab_leaves_no_container() {
    if !engine() {
        return;
    }
    // In the time in which containers start, and in that in which they are used.
    for pause in [0, 0, 50, 150, 400, 900] {
        let mut victim = command(&["run", "group-mismatch", "--backend", "docker"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the lab starts");
        let pid = victim.id();
        assert!(within(START, || !containers(Some(pid)).is_empty()), "it has not started a container");
        let moment = Timespec { tv_sec: 0, tv_nsec: pause * 1_000_000 };
        poll(&mut [], Some(&moment)).expect("time passes");
        assert!(matches!(victim.try_wait(), Ok(None)), "it was killed while it ran");
        victim.kill().expect("it can be killed");
        victim.wait().expect("it ends");
        // The engine may still be making one: nothing must come afterwards either.
        let limit = Instant::now() + AFTERLIFE;
        assert!(within(AFTERLIFE, || containers(Some(pid)).is_empty()), "{pause} ms: {:?}", containers(Some(pid)));
        within(limit.saturating_duration_since(Instant::now()), || false);
        assert_eq!(containers(Some(pid)), [""; 0], "{pause} ms");
    }
}

/// As whom: what the witness itself reported, of some cases that differ.
#[rstest]
#[case::postfix("postfix", "postfix-alias", 10, 12, &["uid 2001 gid 2001 egid 2001 groups [2001]", "uid 3001 gid 3001 egid 2001 groups [3001]"])]
#[case::sendmail("sendmail", "sendmail-prog", 19, 20, &["uid 8 gid 2001 egid 2001 groups [2001]", "uid 3001 gid 2001 egid 2001 groups [2001 2004]"])]
#[case::postfix_include("postfix", "postfix-include", 14, 14, &["uid 65534 gid 65534 egid 2001 groups [65534]", "uid 3001 gid 3001 egid 2001 groups [3001]"])]
#[case::postfix_pipe("postfix", "postfix-pipe", 10, 12, &["uid 38 gid 38 egid 2001 groups [38]"])]
#[case::postfix_addresses("postfix", "postfix-addresses", 14, 6, &["uid 2001 gid 2001 egid 2001 groups [2001]"])]
#[case::postfix_default_privs("postfix", "postfix-default-privs", 5, 3, &["uid 2001 gid 2001 egid 2001 groups [2001]", "uid 3001 gid 3001 egid 2001 groups [3001]"])]
#[case::postfix_luser_relay("postfix", "postfix-luser-relay", 5, 3, &["uid 65534 gid 65534 egid 2001 groups [65534]"])]
#[case::postfix_unknown_450("postfix", "postfix-unknown-450", 3, 3, &["uid 65534 gid 65534 egid 2001 groups [65534]"])]
#[case::postfix_newaliases("postfix", "postfix-newaliases", 5, 3, &["uid 2001 gid 2001 egid 2001 groups [2001]", "uid 65534 gid 65534 egid 2001 groups [65534]"])]
#[case::postfix_commands("postfix", "postfix-commands", 5, 3, &["uid 3001 gid 3001 egid 2001 groups [3001]"])]
#[case::sendmail_smrsh("sendmail", "sendmail-smrsh", 12, 8, &["uid 8 gid 8 egid 2001 groups [8]", "uid 3001 gid 3001 egid 2001 groups [2004 3001]"])]
#[case::sendmail_as_mailman("sendmail", "sendmail-as-mailman", 4, 3, &["uid 2001 gid 2001 egid 2001 groups [2001 2004]"])]
#[case::sendmail_as_daemon("sendmail", "sendmail-as-daemon", 4, 3, &["uid 1 gid 1 egid 2001 groups [1]"])]
#[case::opensmtpd("opensmtpd", "opensmtpd-alias", 11, 12, &["uid 100 gid 101 egid 2001 groups [101]", "uid 2001 gid 2001 egid 2001 groups [2001]"])]
#[case::apache("apache2", "apache-cgid", 8, 4, &["uid 33 gid 33 egid 2001 groups [33]"])]
#[case::apache_prefork("apache2", "apache-prefork", 7, 4, &["uid 33 gid 33 egid 2001 groups [33]"])]
#[case::apache_group("apache2", "apache-group", 2, 2, &["uid 33 gid 2003 egid 2001 groups [2003]"])]
#[case::apache_member("apache2", "apache-member", 3, 2, &["uid 33 gid 33 egid 2001 groups [33 2001]"])]
#[case::apache_suexec("apache2", "apache-suexec", 3, 2, &["uid 2001 gid 2003 egid 2001 groups [2003 2004]"])]
#[case::lighttpd("lighttpd", "lighttpd-cgi", 5, 2, &["uid 33 gid 33 egid 2001 groups [33]"])]
#[case::nginx("nginx", "nginx-fcgiwrap", 6, 4, &["uid 33 gid 33 egid 2001 groups [33]"])]
#[case::exim("exim4", "exim-pipe", 23, 20, &["uid 2001 gid 2001 egid 2001 groups []", "uid 2001 gid 2001 egid 2001 groups [2001 2004]"])]
#[case::postfix_no_new_privs("postfix", "postfix-no-new-privs", 2, 0, &["uid 65534 gid 65534 egid 65534"])]
#[case::postfix_nosuid("postfix", "postfix-nosuid", 2, 0, &["uid 65534 gid 65534 egid 65534"])]
#[case::sendmail_no_new_privs("sendmail", "sendmail-no-new-privs", 2, 0, &["uid 8 gid 8 egid 8"])]
#[case::sendmail_nosuid("sendmail", "sendmail-nosuid", 2, 0, &["uid 8 gid 8 egid 8"])]
#[case::opensmtpd_no_new_privs("opensmtpd", "opensmtpd-no-new-privs", 2, 0, &["uid 100 gid 101 egid 101"])]
#[case::opensmtpd_nosuid("opensmtpd", "opensmtpd-nosuid", 2, 0, &["uid 100 gid 101 egid 101"])]
#[case::exim_no_new_privs("exim4", "exim-no-new-privs", 4, 0, &["uid 100 gid 102 egid 102 groups [102]"])]
#[case::exim_nosuid("exim4", "exim-nosuid", 2, 0, &["uid 3001 gid 3001 egid 3001"])]
#[case::postfix_exit_status("postfix", "postfix-exit-status", 4, 0, &["71 75 ABRT KILL SEGV TERM not-executable missing"])]
#[case::postfix_pipe_exit_status("postfix", "postfix-pipe-exit-status", 4, 0, &["71 75 ABRT KILL SEGV TERM not-executable missing"])]
#[case::exim_exit_status("exim4", "exim-exit-status", 4, 0, &["73 75"])]
#[case::sendmail_exit_status("sendmail", "sendmail-exit-status", 4, 0, &["71 74 75"])]
#[case::opensmtpd_exit_status("opensmtpd", "opensmtpd-exit-status", 4, 0, &["71 75 unread-large"])]
#[case::engine_user("base", "docker/user", 9, 0, &["exit 2", "exit 8"])]
#[case::engine_options("base", "docker/options", 8, 0, &["exit 9", "exit 126"])]
#[case::engine_image("base", "docker/image", 4, 0, &["exit 9"])]
#[case::engine_seccomp("base", "docker/seccomp", 4, 0, &["exit 9"])]
#[case::engine_init("base", "docker/init", 5, 0, &["exit 143"])]
fn a_server_starts_the_wrapper_as_its_scenario_says(
    #[case] image: &str,
    #[case] scenario: &str,
    #[case] cases: usize,
    #[case] proven: usize,
    #[case] identities: &[&str],
) {
    if !engine() {
        return;
    }
    for arguments in [&["images", "build", image][..], &["images", "verify", image], &["deploy", scenario]] {
        let output = lab(arguments);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{arguments:?}:\n{text}\n{}", String::from_utf8_lossy(&output.stderr));
        if arguments[0] == "deploy" {
            let summary = format!("{cases} pass   0 fail   0 unresolved     {proven} of {proven} remedies proven");
            assert_eq!(text.lines().last(), Some(summary.as_str()), "{text}");
            assert!(identities.iter().all(|identity| text.contains(identity)), "{text}");
        }
    }
}

/// Layers of an image that was being built, too.
#[test]
fn a_lab_that_is_killed_while_it_builds_leaves_no_image() {
    if !engine() {
        return;
    }
    assert!(lab(&["images", "build", "base"]).status.success(), "the image below");
    let silent = || Stdio::null();
    let mut victim = command(&["deploy", "docker/image"]).stdout(silent()).stderr(silent()).spawn().expect("it starts");
    let label = format!("label=lab.owner.pid={}", victim.id());
    let images = || docker(&["images", "--all", "--quiet", "--filter", &label]);
    assert!(within(START, || images().is_some_and(|found| !found.is_empty())), "it has not begun to build");
    victim.kill().expect("it can be killed");
    victim.wait().expect("it ends");
    // Longer than for a container: the engine may finish a step first, and the watcher looks for ten seconds.
    assert!(within(3 * AFTERLIFE, || images().is_some_and(|found| found.is_empty())), "{:?}", images());
}

#[test]
fn what_a_dead_lab_has_left_is_swept_and_nothing_else() {
    if !engine() {
        return;
    }
    // A run makes the image, and shows that it removes its own.
    let output = lab(&["preflight", "--backend", "docker"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    let host = format!("lab.owner.host={}", host.trim());
    let create = |more: &[&str]| {
        let labels = ["create", "--label", "lab.run=left", "--label", "lab.owner.pid=4294967295", "--label"];
        let arguments: Vec<&str> = labels.iter().chain(more).copied().chain(["lab-sandbox:empty-1", "x"]).collect();
        docker(&arguments).expect("a container")
    };
    let stranger = create(&["lab.owner.host=another-machine"]);
    // An image has a copy of its container's labels. These come first: any lab may sweep up the container of a dead one.
    let images = ["lab-case:left", "lab-case:strangers"];
    let label = format!("LABEL {host}");
    for commit in [&["--change", &label, &stranger, images[0]][..], &[&stranger, images[1]]] {
        // An engine fails over an image that another test removes meanwhile.
        assert!(within(AFTERLIFE, || docker(&[&["commit"], commit].concat()).is_some()), "{commit:?}");
    }
    let ours = create(&[&host]);
    let output = lab(&["clean"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let left = docker(&["ps", "--all", "--quiet", "--no-trunc"]).expect("the engine lists containers");
    let kept = images.map(|name| docker(&["image", "inspect", name]).is_some());
    docker(&["rm", "--force", &stranger, &ours]);
    docker(&["rmi", "--force", images[1]]);
    assert_eq!(kept, [false, true], "images");
    assert!(text.contains("removed a container of run left"), "{text}");
    assert!(!left.contains(&ours), "it is gone");
    assert!(left.contains(&stranger), "another machine's is not ours to judge");
}
