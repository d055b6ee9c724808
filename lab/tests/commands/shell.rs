//! `lab shell`: with a script on standard input, with a command, and on a terminal.

use crate::help::{Done, at, lab, run, sandboxes, scenarios, two_cases};
use crate::terminal::{on_a_terminal, read_until};
use std::io::Write;
use std::process::{Command, Stdio};

const CASE: &str = "some/file/second";

/// A terminal that only prints.
const DUMB: [(&str, &str); 2] = [("NO_COLOR", "1"), ("TERM", "dumb")];

/// The lab with these arguments and this standard input.
fn fed(arguments: &[&str], input: &[u8]) -> Done {
    let mut child = lab()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the lab starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("the lab reads it");
    Done::of(child.wait_with_output().expect("it ends"))
}

#[test]
fn a_script_runs_as_the_invoker_beside_the_installed_wrapper() {
    if !sandboxes() {
        return;
    }
    let dir = scenarios(&two_cases("admitted"));
    let place = at(dir.path(), "scenarios");
    let script = b"id -un; id -gn; id -G; umask; stat -c '%U %G %a' /usr/local/mailman/mail/mailman
        echo > /usr/bin/new || echo read-only; echo > /tmp/new && echo writable
        /usr/local/mailman/mail/mailman post announce < /dev/null; echo started $?; exit 7";
    let done = fed(&["shell", "--scenarios", &place, CASE], script).exits(7);
    let lines: Vec<&str> = done.stdout.lines().collect();
    let wanted = ["Debian-exim", "mail", "8", "0077", "root list 2755", "read-only", "writable", "started 0"];
    assert_eq!(lines, wanted, "{}", done.stderr);
    assert!(done.stderr.contains("/usr/bin/new"), "the shell says what it could not: {}", done.stderr);
    assert!(!dir.path().join(".lab").exists() && !done.stderr.contains("recorded"), "{}", done.stderr);
}

#[test]
fn a_command_has_the_invoker_s_ids_and_gives_its_exit_status() {
    if !sandboxes() {
        return;
    }
    let shell = |case: &str, command: &[&str]| {
        let mut arguments = vec!["shell", case, "--"];
        arguments.extend(command);
        run(&arguments)
    };
    // An effective group that a shell would give up at once, were it not told to keep it.
    let borrowed = shell("group-mismatch/mta-identities/borrowed-egid×mail", &["id"]).exits(0);
    borrowed.says("gid=100(users) egid=8(mail)");
    let nameless =
        shell("group-mismatch/mta-identities/nameless-gid×mail", &["grep", "NoNewPrivs", "/proc/self/status"]);
    nameless.exits(0).says("NoNewPrivs:\t0");
    let barred = shell(
        "install/set-group-id-ignored/invoker-has-set-no-new-privs",
        &["grep", "NoNewPrivs", "/proc/self/status"],
    );
    barred.exits(0).says("NoNewPrivs:\t1");
    let nosuid = "install/set-group-id-ignored/file-system-mounted-nosuid";
    shell(nosuid, &["/usr/local/mailman/mail/mailman", "post", "announce"]).exits(9).complains("set-group-ID");
    shell(nosuid, &["no-such-program"]).exits(127).complains("no-such-program");
    shell(nosuid, &["sh", "-c", "kill -TERM $$"]).exits(128 + 15);
    let flood = shell(nosuid, &["head", "-c", "100000", "/dev/zero"]).exits(0);
    assert_eq!(flood.stdout.len(), 65_536);
    flood.complains("only the first 65536 of 100000 bytes of standard output are shown");
}

#[test]
fn an_interpreter_of_the_case_stands_among_the_programs_of_the_host() {
    if !sandboxes() {
        return;
    }
    let case = "cgi/interpreter/control-it-is-there";
    let done =
        fed(&["shell", case], b"test -x /usr/bin/python3 && stat -c %s /usr/bin/python3; id -u; ls /usr/bin | wc -l");
    let done = done.exits(0);
    let numbers: Vec<u64> = done.stdout.lines().map(|line| line.trim().parse().expect("a number")).collect();
    let agent = crate::help::program("lab-agent");
    assert_eq!(numbers[0], agent.metadata().expect("the agent").len(), "the witness, not the host's Python");
    assert!(numbers[2] > 50, "the host's programs are there: {}", done.stdout);
}

#[test]
fn one_case_is_wanted_and_one_that_exists() {
    run(&["shell", "group-mismatch/mta-identities"]).exits(2).complains("it stands for 18 cases");
    let near = run(&["shell", "group-mismatch/mta-identities/postfix-default×mial"]).exits(2);
    near.complains("the nearest is `group-mismatch/mta-identities/postfix-default×mail`");
    run(&["shell", "--help"]).exits(0).says("lab shell group-mismatch/mta-identities/postfix-default×mail -- id");
}

#[test]
fn without_sandboxes_it_says_why_and_what_to_do() {
    if !sandboxes() {
        return;
    }
    let lab = env!("CARGO_BIN_EXE_lab");
    let output = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "sh",
            "-c",
            "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$@\"",
            "sh",
        ])
        .args([lab, "shell", "group-mismatch/mta-identities/postfix-default×mail", "--", "id"])
        .stdin(Stdio::null())
        .output()
        .expect("unshare(1)");
    let done = Done::of(output).exits(11);
    done.complains("its sandbox cannot be made on this machine").complains("`lab preflight` shows");
}

#[test]
fn on_a_terminal_it_is_interactive_and_greets() {
    if !sandboxes() {
        return;
    }
    let (mut child, mut terminal) =
        on_a_terminal(&["shell", "group-mismatch/mta-identities/postfix-default×mail"], &DUMB);
    let greeting = read_until(&mut terminal, "Ctrl-D");
    for text in ["nothing here is recorded", "nobody 65534, group nogroup 65534", "2755, owner root 0, group list 38"] {
        assert!(greeting.contains(text), "`{text}` is missing in: {greeting}");
    }
    assert!(greeting.contains("env -i PATH=/usr/bin:/bin /usr/local/mailman/mail/mailman post announce"), "{greeting}");
    terminal.write_all(b"echo $(id -gn) sum $((6 * 7)) > /dev/tty; exit 5\n").expect("the terminal takes it");
    let shown = read_until(&mut terminal, "nogroup sum 42");
    assert!(shown.contains("nogroup sum 42"), "{shown}");
    read_until(&mut terminal, "nothing that comes");
    assert_eq!(child.wait().expect("it ends").code(), Some(5));
}

/// Processes with this text in their command line.
fn processes(mark: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    entries
        .filter_map(|entry| {
            Some((entry.file_name().into_string().ok()?, std::fs::read(entry.path().join("cmdline")).ok()?))
        })
        .filter(|(_, line)| String::from_utf8_lossy(line).contains(mark))
        .map(|(pid, _)| pid)
        .collect()
}

#[test]
fn nothing_stays_when_it_is_killed() {
    if !sandboxes() {
        return;
    }
    let mark = format!("86399.{}", std::process::id());
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").expect("the mounts").lines().count();
    let before = mounts();
    let (mut child, mut terminal) =
        on_a_terminal(&["shell", "group-mismatch/mta-identities/postfix-default×mail"], &DUMB);
    read_until(&mut terminal, "Ctrl-D");
    terminal
        .write_all(format!("setsid sleep {mark} & sh -c 'echo be\"\"gun; exec sleep $0' {mark}\n").as_bytes())
        .expect("typed");
    let shown = read_until(&mut terminal, "begun");
    assert!(shown.contains("begun") && !processes(&mark).is_empty(), "{shown}");
    child.kill().expect("it can be killed");
    // Everything of the sandbox has the terminal open, by the agent; that reading ends means that they have.
    read_until(&mut terminal, "nothing that comes");
    child.wait().expect("it has ended");
    assert_eq!((processes(&mark), mounts()), (Vec::new(), before));
}
