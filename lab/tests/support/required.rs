//! Tests that a machine cannot make are skipped, and say so, unless `LAB_REQUIRE` names what they lack: then they fail.
//!
//! `LAB_REQUIRE` is a list with commas. `docker`: a container engine. `namespace`: a sandbox, for whoever runs the tests.
//! `root`: what only root can do, as to become an ordinary user with subordinate ids. `tools`: other programs, as groff(1)
//! or a musl target.
//!
//! One file for the tests of every package, so that the variable has one meaning.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::Write;

/// What can be asked for.
const KNOWN: [&str; 4] = ["docker", "namespace", "root", "tools"];

/// Skips the test of this thread, visibly.
///
/// # Panics
/// `LAB_REQUIRE` names what is lacking, or nothing that is known.
#[track_caller]
pub(crate) fn skip(lacking: &str, reason: impl Display) {
    if let Err(why) = may_lack(lacking, std::env::var_os("LAB_REQUIRE").as_deref()) {
        panic!("{why}, but {reason}");
    }
    let thread = std::thread::current();
    // Not `eprintln!`: of a test that passes nobody would see that, and a skip that nobody sees is taken for a success.
    writeln!(std::io::stderr(), "skipped {}: {reason}", thread.name().unwrap_or("a test"))
        .expect("standard error can be written");
}

fn may_lack(lacking: &str, required: Option<&OsStr>) -> Result<(), String> {
    assert!(KNOWN.contains(&lacking), "{lacking} is none of {KNOWN:?}");
    let required = required.unwrap_or_default().to_string_lossy();
    let names: Vec<&str> = required.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    match names.iter().find(|name| !KNOWN.contains(name)) {
        Some(unknown) => Err(format!("LAB_REQUIRE={required} names \"{unknown}\", which is none of {KNOWN:?}")),
        None if names.contains(&lacking) => Err(format!("LAB_REQUIRE={required}")),
        None => Ok(()),
    }
}

#[test]
fn what_is_required_may_not_be_skipped() {
    let may = |lacking, required: Option<&str>| may_lack(lacking, required.map(OsStr::new));
    assert_eq!(may("namespace", None), Ok(()));
    assert_eq!(may("namespace", Some("")), Ok(()));
    assert_eq!(may("root", Some("namespace")), Ok(()));
    for required in ["namespace", "tools,namespace", "namespace, root"] {
        assert!(may("namespace", Some(required)).is_err_and(|why| why.contains(required)), "{required}");
    }
    // A misspelt name would ask for nothing.
    for required in ["namespaces", "name", "root,namespce"] {
        assert!(may("namespace", Some(required)).is_err_and(|why| why.contains("none of")), "{required}");
    }
}
