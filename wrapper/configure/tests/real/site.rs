//! A site: accounts, a prefix, and the commands of an administrator.

use crate::sandbox::{HOME, wrappers};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) const MAILMAN: u32 = 39;
pub(crate) const LIST: u32 = 38;
pub(crate) const WWW_DATA: u32 = 33;
pub(crate) const MAIL: u32 = 8;
pub(crate) const ALICE: u32 = 1000;

const GROUP: &str = "root:x:0:\nmail:x:8:\nwww-data:x:33:\nlist:x:38:alice\nusers:x:100:\n";
const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/false\nmailman:x:39:38::/:/bin/false\n\
                      alice:x:1000:100::/:/bin/sh\n";

/// What the wrappers start.
const SCRIPTS: [&str; 11] =
    ["admin", "bounces", "confirm", "driver", "join", "leave", "owner", "post", "request", "subscribe", "unsubscribe"];

/// Files in the directory of the tests.
pub(crate) struct Site;

impl Site {
    /// Accounts, and a prefix as Mailman's manual has it made.
    pub(crate) fn new() -> Self {
        let site = Self;
        fs::write(site.path("group"), GROUP).expect("a file");
        fs::write(site.path("passwd"), PASSWD).expect("a file");
        site.directory("mm", 0, LIST, 0o2775);
        site
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        Path::new(HOME).join(below)
    }

    pub(crate) fn directory(&self, below: &str, uid: u32, gid: u32, mode: u32) {
        fs::create_dir(self.path(below)).expect("a directory");
        self.set(below, uid, gid, mode);
    }

    pub(crate) fn file(&self, below: &str, uid: u32, gid: u32, mode: u32) {
        fs::write(self.path(below), below).expect("a file");
        self.set(below, uid, gid, mode);
    }

    /// Owner and group first: chown(2) clears set-group-ID.
    pub(crate) fn set(&self, below: &str, uid: u32, gid: u32, mode: u32) {
        let path = self.path(below);
        chown(&path, Some(uid), Some(gid)).expect("root may");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("root may");
    }

    /// Owner, group and mode.
    pub(crate) fn get(&self, below: &str) -> (u32, u32, u32) {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::symlink_metadata(self.path(below)).expect("it is there");
        (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
    }

    /// Every name below a directory, sorted.
    pub(crate) fn names(&self, below: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(below))
            .expect("it is there")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// `wrapper-configure`, in the directory of the tests, started by what `before` says.
    pub(crate) fn run_by(&self, before: &[&str], arguments: &[&str]) -> Output {
        let mut words = before.to_vec();
        words.push(env!("CARGO_BIN_EXE_wrapper-configure"));
        words.extend(arguments);
        Command::new(words[0]).args(&words[1..]).current_dir(HOME).env_remove("COLUMNS").output().expect("it runs")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_by(&[], arguments)
    }

    /// `install` with the accounts of the site.
    pub(crate) fn install_by(&self, before: &[&str], more: &[&str]) -> Output {
        let from = format!("--from={}", wrappers().display());
        let mut arguments = vec!["install", &from, "--prefix=/wrapper-configure-tests/mm"];
        arguments.extend(ACCOUNTS);
        arguments.extend(more);
        self.run_by(before, &arguments)
    }

    /// An installation without anything to find.
    pub(crate) fn installed() -> Self {
        let site = Self::new();
        let output = site.install_by(&[], &[]);
        assert!(output.status.success(), "{}", text(&output));
        for (below, mode) in [
            ("mm/scripts", 0o2775),
            ("mm/Mailman", 0o2775),
            ("mm/lists", 0o2775),
            ("mm/lists/test", 0o2775),
            ("mm/logs", 0o2775),
            ("mm/data", 0o2775),
            ("mm/qfiles", 0o2770),
            ("mm/qfiles/in", 0o2770),
            ("mm/archives", 0o2775),
            ("mm/archives/private", 0o2770),
            ("mm/archives/private/test", 0o2775),
            ("mm/archives/private/test/database", 0o2770),
            ("mm/archives/private/test.mbox", 0o2775),
            ("mm/bin", 0o2775),
        ] {
            site.directory(below, 0, LIST, mode);
        }
        for (below, mode) in [
            ("mm/Mailman/Utils.py", 0o644),
            ("mm/lists/test/config.pck", 0o660),
            ("mm/data/adm.pw", 0o640),
            ("mm/data/creator.pw", 0o640),
            ("mm/data/aliases", 0o660),
            ("mm/archives/private/test/database/2024-article", 0o660),
            ("mm/archives/private/test.mbox/test.mbox", 0o660),
            ("mm/bin/python", 0o755),
        ] {
            site.file(below, 0, LIST, mode);
        }
        fs::write(site.path("mm/bin/python"), b"\x7fELF").expect("what looks like a program");
        for script in SCRIPTS {
            let below = format!("mm/scripts/{script}");
            site.file(&below, 0, LIST, 0o755);
            fs::write(site.path(&below), "#!/wrapper-configure-tests/mm/bin/python -S\n").expect("a script");
        }
        site.file("mm/data/aliases.db", MAILMAN, LIST, 0o660);
        site.set("mm/archives/private", WWW_DATA, LIST, 0o2770);
        site
    }

    /// `check --json`, and its exit status.
    pub(crate) fn check(&self, more: &[&str]) -> (Option<i32>, Value) {
        let output = self.check_output(&[&["--json"], more].concat());
        let document =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output)));
        (output.status.code(), document)
    }

    pub(crate) fn check_output(&self, more: &[&str]) -> Output {
        let databases = ["check", "mm", "--group-file=group", "--passwd-file=passwd", "--web-user=www-data"];
        self.run(&[&databases, more].concat())
    }
}

/// Settings of the site.
pub(crate) const ACCOUNTS: [&str; 4] =
    ["--with-username=mailman", "--with-groupname=list", "--group-file=group", "--passwd-file=passwd"];

/// What a person sees: exit status, standard output, standard error.
pub(crate) fn text(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let status = output.status.code().map_or_else(|| output.status.to_string(), |code| format!("exit {code}"));
    let separator = if out.is_empty() || err.is_empty() { "" } else { "--- standard error\n" };
    format!("{out}{separator}{err}{status}\n")
}

/// Pairs of rule and path, relative to the directory of the tests.
pub(crate) fn found(document: &Value) -> Vec<(String, String)> {
    pairs(&document["findings"])
}

pub(crate) fn changed(document: &Value) -> Vec<(String, String)> {
    pairs(&document["changes"])
}

fn pairs(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let below =
        |path: String| path.strip_prefix(HOME).map_or(path.clone(), |path| path.trim_start_matches('/').to_owned());
    list.as_array().expect("a list").iter().map(|one| (text(&one["row"]), below(text(&one["path"])))).collect()
}
