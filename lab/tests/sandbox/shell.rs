//! A shell inside a sandbox, used through a terminal as a user would.

use crate::fixtures::*;
use lab_invocation::evidence::End;
use lab_invocation::{Bytes, Invocation};
use std::io::Write;
use std::process::{Command, Stdio};

const AGENT: &str = "LAB_AGENT";

#[test]
#[ignore = "started by the next test, on a terminal"]
fn inner() {
    let layout = shell_layout(|_| {});
    let invocation = Invocation { argv: ["sh", "-i"].map(Bytes::from).into(), env: vec!["PS1=".into()], ..shell("") };
    let evidence = lab::backend::namespace::shell(&agent(), &layout, &|_| None, &invocation).expect("a shell");
    assert_eq!(evidence.end, Some(End::Exited(7)));
}

#[test]
fn what_is_typed_reaches_the_shell_and_its_terminal_is_the_controlling_one() {
    if backend().is_none() {
        return;
    }
    let program = std::env::current_exe().expect("this program");
    let command = format!("{} --exact shell::inner --ignored --nocapture", program.display());
    let started = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env(AGENT, agent())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut script) = started else { return skip("tools", "there is no script(1) here to make a terminal") };
    let mut typed = script.stdin.take().expect("a pipe");
    // /dev/tty exists only for a process with a controlling terminal; the sum shows that the shell worked it out.
    typed.write_all(b"echo on the terminal $((6 * 7)) > /dev/tty\nexit 7\n").expect("the terminal takes it");
    let output = script.wait_with_output().expect("it ends");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("on the terminal 42"), "{shown}");
    assert!(output.status.success(), "{shown}");
}

#[test]
fn a_terminal_among_the_descriptors_is_the_controlling_one() {
    let Some(mut worker) = worker() else { return };
    let layout = shell_layout(|_| {});
    let script = "echo x > /dev/tty";
    let without = run(worker.as_mut(), &layout, &shell(script));
    assert_ne!(without.end, Some(End::Exited(0)), "without one there is no /dev/tty");
    let descriptors = vec![(5, lab_invocation::invocation::Descriptor::Terminal)];
    let with = run(worker.as_mut(), &layout, &Invocation { descriptors, ..shell(script) });
    assert_eq!(with.end, Some(End::Exited(0)), "{}", with.stderr.bytes);
}
