//! Where the musl target cannot be had, the programs are linked statically with glibc, the user is told, the record says
//! so, and the wrappers are judged as they must be.
//!
//! Cargo and rustup are stood in for by scripts which know no musl target, as on a machine without network whose Rust came
//! from a distribution. What they stand in front of is the real cargo, so that it takes a build of a minute.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Cases in which glibc does otherwise than musl, before main or below the wrapper: it opens a closed standard input for
/// writing, needs more room, and opens files by openat(2) where the case makes open(2) fail.
const OF_THE_LIBRARY: [&str; 11] = [
    "environment/descriptors-closed/closed-0",
    "environment/descriptors-closed/closed-1",
    "environment/descriptors-closed/closed-2",
    "environment/descriptors-closed/closed-0-and-1",
    "environment/descriptors-closed/closed-0-and-2",
    "environment/descriptors-closed/closed-1-and-2",
    "environment/descriptors-closed/closed-0-1-and-2",
    "environment/limits/1-mib-of-address-space",
    "faults/while-refusing/the-group-file-cannot-be-opened-emfile",
    "faults/while-refusing/the-group-file-cannot-be-opened-eio",
    "group-mismatch/overflow-gid/whether-every-gid-is-mapped-cannot-be-found-out",
];

/// Writes a script into a directory.
fn script(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}")).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    path
}

/// The lab on a machine without the musl target.
fn lab(dir: &Path, arguments: &[&str]) -> Output {
    let real = env!("CARGO");
    let rustc = "rustc";
    let cargo = script(
        dir,
        "cargo",
        &format!(
            "case \" $* \" in *-linux-musl*)\n echo \"error[E0463]: can't find crate for \\`std\\`\" >&2; exit 101;;\nesac\n\
             RUSTC='{rustc}' exec '{real}' \"$@\"\n"
        ),
    );
    let no_target =
        format!("case \" $* \" in *-linux-musl*) echo /nonexistent/lib; exit 0;; esac\nexec '{rustc}' \"$@\"\n");
    let rustc = script(dir, "rustc-without-musl", &no_target);
    script(dir, "rustup", "echo 'info: downloading component rust-std' >&2; echo 'error: no network' >&2; exit 1\n");
    let mut path = dir.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .env("PATH", path)
        .env("CARGO", cargo)
        .env("RUSTC", rustc)
        .stdin(Stdio::null())
        .output()
        .expect("the lab starts")
}

#[test]
#[ignore = "builds the programs for another target, which takes a minute; .ci/run asks for it"]
fn without_the_musl_target_the_programs_are_static_all_the_same_and_it_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let record = dir.path().join("record");
    let place = record.to_str().expect("temporary paths are UTF-8");
    let output = lab(dir.path(), &["run", "--record", place, "--record-subject"]);
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(10), "{told}\n{errors}");
    assert!(told.contains("   0 unresolved"), "{told}");
    // Told in full or in short.
    let failed = told.lines().filter_map(|line| line.strip_prefix("FAIL  ")?.split("  ").next());
    let failed: BTreeSet<&str> = failed.collect();
    // All of them: one that passes by now is an exception which nobody needs.
    assert_eq!(failed, BTreeSet::from(OF_THE_LIBRARY), "{told}");
    let notice = "-unknown-linux-musl cannot be had (error: no network): the programs are linked statically with glibc";
    assert!(errors.contains(notice), "{errors}");
    // What was run is what was said: no program interpreter, and another C library.
    let subject = record.join("subjects/mail-wrapper");
    let needed = lab::backend::libraries::needed(&subject).expect("a program");
    assert!(needed.is_empty(), "it is not static: {needed:?}");
    let text = fs::read(&subject).expect("the subject");
    assert!(text.windows(14).any(|part| part == b"GLIBC_TUNABLES"), "it is not linked with glibc");
    let events = fs::read_to_string(record.join("events.jsonl")).expect("events");
    let started = events.lines().next().expect("an event");
    assert!(started.contains(notice), "the record does not say it: {started}");
    // With the usual programs it is another subject, and that is told.
    let usual = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["replay", place])
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("the lab starts");
    let told = String::from_utf8_lossy(&usual.stdout);
    let errors = String::from_utf8_lossy(&usual.stderr);
    assert!(told.contains("changed    programs: the target "), "{told}\n{errors}");
}

#[test]
fn a_target_that_is_there_and_does_not_build_is_no_reason_for_another() {
    let dir = tempfile::tempdir().expect("a directory");
    let cargo = script(dir.path(), "cargo", "echo 'error: expected one of' >&2; exit 101\n");
    let output = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["preflight"])
        .env("NO_COLOR", "1")
        .env("CARGO", cargo)
        .env("RUSTC", script(dir.path(), "rustc", "echo /\n"))
        .stdin(Stdio::null())
        .output()
        .expect("the lab starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("the programs under test do not build") && errors.contains("expected one of"), "{errors}");
    assert!(!errors.contains("glibc"), "{errors}");
}
