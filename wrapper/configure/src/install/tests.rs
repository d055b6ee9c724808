use super::*;
use crate::accounts::Table;
use crate::fake_program::{mail_values, sealed};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;

/// What has the name of a wrapper when it is to be run is the wrapper, or is not run.
#[test]
fn something_else_under_the_name_is_not_run() {
    let directory = tempfile::tempdir().expect("a directory");
    let accounts = Accounts {
        groups: Table::parse(Path::new("/etc/group"), b""),
        users: Table::parse(Path::new("/etc/passwd"), b""),
    };
    let item = Item { path: directory.path().join("mailman"), values: mail_values(), content: sealed(&mail_values()) };
    fs::write(&item.path, &item.content).expect("written");
    let stat = Stat::of(&item.path).expect("it is there");
    let open: OwnedFd = File::open(directory.path()).expect("it is there").into();
    let prove = || prove_placed(&item, &stat, &open, &accounts);
    // The wrapper of this test has no code, so that the kernel starts nothing.
    assert!(prove().is_ok());

    let witness = directory.path().join("witness");
    let other = directory.path().join("other");
    fs::write(&other, format!("#!/bin/sh\n: > {}\n", shown(&witness))).expect("a script");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).expect("its own file");
    let exchanged = || {
        let error = prove().expect_err("not the same file").to_string();
        assert!(error.contains("something else has that name"), "{error}");
        assert!(!witness.exists());
    };
    fs::rename(&item.path, directory.path().join("kept")).expect("renamed");
    fs::rename(&other, &item.path).expect("renamed");
    exchanged();
    fs::remove_file(&item.path).expect("removed");
    std::os::unix::fs::symlink("kept", &item.path).expect("a link");
    exchanged();
    fs::remove_file(&item.path).expect("removed");
    exchanged();
    fs::rename(directory.path().join("kept"), &item.path).expect("renamed");
    fs::set_permissions(&item.path, fs::Permissions::from_mode(0o6755)).expect("its own file");
    exchanged();
}
