//! What the C library takes away before the subject looks at its environment, against the list of the model.

use crate::fixtures::*;
use lab_invocation::layout::{Content, NodeKind};
use lab_invocation::{Bytes, Invocation};
use lab_model::environment::{GLIBC_UNSECURE, name};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A dynamic program of the host that prints its environment.
const ENV: &str = "/usr/bin/env";

/// The names that are still there when `env`, installed with that mode, looks.
fn left(mode: u32, names: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let mut worker = worker()?;
    let mut layout = layout();
    let program = std::fs::read(ENV).expect("a program of every Linux");
    layout.nodes.push(node("/usr/local/bin/env", OWN_GID, mode, NodeKind::File(Content::Inline(Bytes(program)))));
    lab::backend::libraries::provide(&mut layout, Path::new(ENV)).expect("its libraries are found");
    let env = names.iter().map(|name| Bytes::from(format!("{name}=").as_str())).collect();
    let invocation =
        Invocation { program: "/usr/local/bin/env".into(), argv: ["env".into()].into(), env, ..invocation() };
    let evidence = run(worker.as_mut(), &layout, &invocation);
    let lines = evidence.stdout.bytes.0.split(|byte| *byte == b'\n').filter_map(name);
    let found: BTreeSet<String> = lines.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    Some(found.intersection(names).cloned().collect())
}

/// Whatever in the loader looks like the name of a variable: every name that it could remove is among them.
fn words_of(loader: &Path) -> BTreeSet<String> {
    let file = std::fs::read(loader).expect("the loader of a program that runs");
    let words = file.split(|byte| !byte.is_ascii_uppercase() && !byte.is_ascii_digit() && *byte != b'_');
    let words = words.filter(|word| word.len() > 3 && word[0].is_ascii_uppercase());
    // With these it lists libraries, and starts nothing.
    let lists = |word: &String| word.starts_with("LD_TRACE_") || word == "LD_WARN" || word == "LD_VERBOSE";
    words.map(|word| String::from_utf8_lossy(word).into_owned()).filter(|word| !lists(word)).collect()
}

/// Names which glibc has removed since long before 2.36 and removes still; the list as a whole is that of 2.36.
const EVERY_VERSION: [&str; 8] =
    ["GCONV_PATH", "HOSTALIASES", "LD_AUDIT", "LD_LIBRARY_PATH", "LD_PRELOAD", "LOCPATH", "NLSPATH", "RES_OPTIONS"];

/// What can be known whatever the version.
fn every_version() {
    assert!(EVERY_VERSION.iter().all(|name| GLIBC_UNSECURE.contains(name)), "the model removes less than glibc");
    let names = BTreeSet::from(EVERY_VERSION.map(str::to_owned));
    let Some(secure) = left(0o2755, &names) else { return };
    assert_eq!(secure, BTreeSet::new());
    assert_eq!(left(0o755, &names), Some(names));
}

#[test]
fn glibc_removes_in_secure_mode_what_the_model_says() {
    let Ok(getconf) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else {
        return skip("tools", "there is no getconf(1) of glibc here");
    };
    let version = String::from_utf8_lossy(&getconf.stdout);
    if !version.starts_with("glibc ") {
        return skip("tools", format!("the C library is not glibc: {version}"));
    }
    every_version();
    if !version.starts_with("glibc 2.36") {
        return;
    }
    let libraries = lab::backend::libraries::needed(Path::new(ENV)).expect("its libraries are found");
    let loads = |path: &&PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"));
    let loader = libraries.iter().find(loads).expect("a dynamic program has a loader");
    let listed = BTreeSet::from(GLIBC_UNSECURE.map(str::to_owned));
    let names: BTreeSet<String> = words_of(loader).union(&listed).cloned().collect();
    let Some(secure) = left(0o2755, &names) else { return };
    assert_eq!(names.difference(&secure).cloned().collect::<BTreeSet<_>>(), listed);
    assert!(secure.len() > 5, "the loader has names that it does not remove: {secure:?}");
    // Without the bit nothing is removed.
    assert_eq!(left(0o755, &listed), Some(listed));
}
