//! What others may write in or below the prefix, while root installs or checks.

use crate::sandbox::{HOME, inside, wrappers};
use crate::site::{ACCOUNTS, ALICE, LIST, MAIL, Site, found, text};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rstest::rstest;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends the other thread also where an assertion fails, which otherwise would be waited for without end.
struct End<'f>(&'f AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A member of the group changes what is called `mail/mailman` again and again, while root looks at it and runs it.
#[test]
fn nothing_that_a_member_put_there_is_run() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    let (wrapper, other, witness) =
        (site.path("mm/mail/mailman"), site.path("mm/mail/other"), format!("{HOME}/mm/mail/witness"));
    fs::write(&other, format!("#!/bin/sh\n: > {witness}\n")).expect("a script");
    site.set("mm/mail/other", ALICE, LIST, 0o755);
    site.set("mm/mail", 0, LIST, 0o2777);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                let flags = nix::fcntl::RenameFlags::RENAME_EXCHANGE;
                let here = nix::fcntl::AT_FDCWD;
                nix::fcntl::renameat2(here, &wrapper, here, &other, flags).expect("both are there");
            }
        });
        let _end = End(&ended);
        let mut judged = 0;
        for _ in 0..60 {
            let (_, document) = site.check(&["--prove", "--with-username=mailman", "--with-groupname=list"]);
            let proofs = document["proofs"].as_array().expect("a list");
            let acts = |proof: &&serde_json::Value| {
                proof["path"] == wrapper.to_str().expect("text") && proof["shown"] == "bit-acts"
            };
            judged += proofs.iter().filter(acts).count();
            if Path::new(&witness).exists() {
                break;
            }
        }
        assert!(judged > 0 || Path::new(&witness).exists(), "the wrapper was never there when it was looked at");
    });
    assert!(!Path::new(&witness).exists(), "the script of alice was run");
}

/// Names of files go to a terminal and into documents.
#[test]
fn names_below_the_prefix_are_shown_without_their_control_characters() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    let plain = site.check_output(&[]);
    let lines = text(&plain).lines().count();
    let name = OsStr::from_bytes(b"\x1b[31mred\nno problems found in \xff\xc2\x9b");
    fs::write(site.path("mm/data").join(name), "").expect("a file");
    let below = Path::new("mm/data").join(name);
    std::os::unix::fs::chown(site.path("mm/data").join(name), Some(0), Some(MAIL)).expect("root may");
    let output = site.check_output(&[]);
    let shown = r"/wrapper-configure-tests/mm/data/\x1b[31mred\x0ano problems found in \xff\xc2\x9b  [group]";
    assert!(text(&output).contains(shown), "{}", text(&output));
    assert_eq!(text(&output).lines().count(), lines + 3, "one finding has three lines: {}", text(&output));
    assert!(output.stdout.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')), "{}", text(&output));

    let (status, document) = site.check(&[]);
    assert_eq!((status, found(&document).len()), (Some(1), 1));
    let finding = &document["findings"][0];
    let bytes = [HOME.as_bytes(), b"/", below.as_os_str().as_bytes()].concat();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(finding["path-hex"], hex, "{finding:#}");
    assert!(finding["path"].as_str().is_some_and(|path| path.ends_with(r"\xff\xc2\x9b")), "{finding:#}");

    let (status, document) = site.check(&["--fix"]);
    assert_eq!((status, document["changes"][0]["path-hex"].as_str()), (Some(0), Some(hex.as_str())), "{document:#}");

    fs::copy(site.path("mm/mail/mailman"), site.path("").join(name)).expect("a copy");
    let output = Command::new(env!("CARGO_BIN_EXE_wrapper-configure"))
        .args([OsStr::new("show"), name, OsStr::new("--json")])
        .current_dir(HOME)
        .output()
        .expect("it runs");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert!(document["path-hex"].as_str().is_some_and(|hex| hex.starts_with("1b5b")), "{document:#}");
}

type Spoil = fn(&Site);

/// Directories that are there already are held to what the prefix is held to.
#[rstest]
#[case::everybody_may_write_it("writable for everybody", |s: &Site| s.directory("mm/mail", 0, LIST, 0o2777))]
#[case::owner("belongs to alice 1000", |s: &Site| s.directory("mm/mail", ALICE, LIST, 0o2775))]
#[case::group("belongs to group mail 8", |s: &Site| s.directory("mm/cgi-bin", 0, MAIL, 0o2775))]
#[case::closed("at least 02775", |s: &Site| s.directory("mm/cgi-bin", 0, LIST, 0o2700))]
#[case::a_file("is a regular file", |s: &Site| s.file("mm/mail", 0, LIST, 0o2775))]
#[case::prefix_for_everybody("writable for everybody", |s: &Site| s.set("mm", 0, LIST, 0o3777))]
#[case::prefix_of_a_stranger("belongs to alice 1000", |s: &Site| s.set("mm", ALICE, LIST, 0o2775))]
#[case::nosuid("mounted nosuid", |s: &Site| {
    s.directory("mm/mail", 0, LIST, 0o2775);
    for arguments in [&["--bind", "mm/mail", "mm/mail"][..], &["-o", "remount,bind,nosuid", "mm/mail"]] {
        assert!(Command::new("mount").args(arguments).current_dir(HOME).status().expect("mount runs").success());
    }
})]
fn an_unsound_directory_gets_no_wrapper(#[case] words: &str, #[case] spoil: Spoil) {
    if !inside() {
        return;
    }
    let site = Site::new();
    spoil(&site);
    let output = site.install_by(&[], &[]);
    assert!(output.status.code() == Some(1) && text(&output).contains(words), "{}", text(&output));
    for directory in ["mm/mail", "mm/cgi-bin"] {
        assert_eq!(fs::read_dir(site.path(directory)).map_or(0, Iterator::count), 0, "{directory}");
    }
}

/// A run that is killed between the two steps of a replacement leaves the new program under a hidden name.
#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    let mut child = Command::new("true").spawn().expect("it runs");
    let dead = child.id();
    child.wait().expect("it is ours");
    let alive = std::process::id();
    for name in [format!(".mailman.new-{dead}-0"), format!(".mailman.new-{alive}-0"), ".mailman.new-old".to_owned()] {
        fs::copy(site.path("mm/mail/mailman"), site.path("mm/mail").join(&name)).expect("a copy");
        site.set(&format!("mm/mail/{name}"), 0, LIST, 0o2755);
    }
    let output = site.install_by(&[], &["--only=mail"]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(site.names("mm/mail"), [&format!(".mailman.new-{alive}-0"), ".mailman.new-old", "mailman"]);
    assert!(
        text(&output)
            .contains(&format!("removed mm/mail/.mailman.new-{dead}-0").replace("mm/", &format!("{HOME}/mm/")))
    );
}

/// What has a name that is not hidden, by name: which file it is, and what is in it.
fn programs(site: &Site) -> BTreeMap<String, (u64, Vec<u8>)> {
    let names = site.names("mm/cgi-bin").into_iter().filter(|name| !name.starts_with('.'));
    let read = |name: String| {
        let path = site.path("mm/cgi-bin").join(&name);
        let inode = fs::symlink_metadata(&path).expect("it is there").ino();
        (name, (inode, fs::read(&path).expect("it is there")))
    };
    names.map(read).collect()
}

/// Replaces all CGI programs, and kills that at its so manieth change of a name. Whether it had not ended by itself.
fn replaced_until(site: &Site, change: usize) -> bool {
    let watch = Inotify::init(InitFlags::IN_CLOEXEC).expect("an inotify instance");
    let changes = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
    watch.add_watch(&site.path("mm/cgi-bin"), changes).expect("a watch");
    // Closed by its end.
    let (alive, theirs) = std::io::pipe().expect("a pipe");
    let mut child = Command::new(env!("CARGO_BIN_EXE_wrapper-configure"))
        .args(["install", &format!("--from={}", wrappers().display())])
        .args(["--prefix=/wrapper-configure-tests/mm", "--only=cgi"])
        .args(ACCOUNTS)
        .current_dir(HOME)
        .stdout(theirs)
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut seen = 0;
    while seen < change {
        let mut ready = [&watch.as_fd(), &alive.as_fd()].map(|fd| PollFd::new(*fd, PollFlags::POLLIN));
        let count = poll(&mut ready, PollTimeout::from(20_000_u16)).expect("poll");
        assert!(count > 0, "it hangs after {seen} changes of names");
        if ready[0].any() == Some(true) {
            seen += watch.read_events().expect("events").len();
        } else if ready[1].revents().is_some_and(|found| found.contains(PollFlags::POLLHUP)) {
            break;
        } else {
            (&alive).read(&mut [0; 4096]).map(drop).expect("what it says");
        }
    }
    child.kill().expect("it is ours");
    child.wait().expect("it is ours").signal().is_some()
}

/// At no moment of a replacement is there anything under the name but the whole old program or the whole new one, and
/// the next run leaves nothing else.
#[test]
fn killed_while_it_replaces_it_leaves_nothing_that_the_next_run_keeps() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    let whole = programs(&site);
    assert_eq!(whole.len(), 11);
    // Each of them gets a hidden name, and then that of the old one.
    let changes = 2 * whole.len();
    let mut in_the_middle = 0;
    for round in 0..4 * changes {
        if round >= changes && in_the_middle > 0 {
            break;
        }
        let before = programs(&site);
        let killed = replaced_until(&site, round % changes + 1);
        let after = programs(&site);
        assert!(after.keys().eq(whole.keys()), "{:?}", after.keys());
        for (name, (_, content)) in &after {
            assert!(*content == whole[name].1, "{name} is neither the old program nor the new one");
            assert_eq!(site.get(&format!("mm/cgi-bin/{name}")), (0, LIST, 0o2755), "{name}");
        }
        let new = after.iter().filter(|(name, (inode, _))| *inode != before[*name].0).count();
        in_the_middle += usize::from(killed && 0 < new && new < whole.len());
    }
    assert!(in_the_middle > 0, "no kill found some programs replaced and others not");
    assert!(site.install_by(&[], &["--only=cgi"]).status.success());
    assert_eq!(site.names("mm/cgi-bin").len(), 11);
}

/// A database that never ends, or never begins, is no file.
#[rstest]
#[case::fifo("fifo")]
#[case::device("/dev/zero")]
fn a_database_is_a_regular_file(#[case] path: &str) {
    if !inside() {
        return;
    }
    let site = Site::new();
    nix::unistd::mkfifo(&site.path("fifo"), nix::sys::stat::Mode::from_bits_truncate(0o600)).expect("a FIFO");
    let binary = wrappers().join("mail-wrapper");
    let database = format!("--group-file={path}");
    let arguments = ["seal", binary.to_str().expect("text"), "--output=sealed", &database, "--passwd-file=passwd"];
    let output = site.run_by(&["timeout", "20"], &arguments);
    assert!(output.status.code() == Some(1) && text(&output).contains("no regular file"), "{}", text(&output));
}

/// Who is neither root nor Mailman's user owns what the rules of `check` do not let him own.
#[rstest]
#[case::some_member("--with-username=mailman", true)]
#[case::the_user_himself("--with-username=alice", false)]
fn a_member_is_told_what_check_will_say(#[case] user: &str, #[case] noted: bool) {
    if !inside() {
        return;
    }
    let site = Site::new();
    let from = format!("--from={}", wrappers().display());
    let arguments = ["install", &from, "--prefix=/wrapper-configure-tests/mm", "--only=mail", user];
    let accounts = ["--with-groupname=list", "--group-file=group", "--passwd-file=passwd"];
    let member = ["setpriv", "--reuid=1000", "--regid=100", "--groups=38"];
    let output = site.run_by(&member, &[&arguments[..], &accounts].concat());
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(text(&output).contains("note: "), noted, "{}", text(&output));
    assert_eq!(text(&output).contains("--with-username=alice"), noted, "{}", text(&output));
    // The note tells the truth.
    let (_, document) = site.check(&[]);
    assert_eq!(found(&document).iter().any(|(row, _)| row == "wrapper-owner"), noted, "{document:#}");
}

/// Variables that a script's interpreter, or a library, takes for settings.
#[rstest]
#[case("http_proxy", true)]
#[case("Https_Proxy", true)]
#[case("BASH_ENV", true)]
#[case("ENV", true)]
#[case("IFS", true)]
#[case("PERL5LIB", true)]
#[case("LANG", false)]
#[case("REMOTE_ADDR", false)]
fn variables_that_steer_a_script_are_noted(#[case] name: &str, #[case] noted: bool) {
    if !inside() {
        return;
    }
    let site = Site::new();
    let binary = wrappers().join("mail-wrapper");
    let keep = format!("--keep-environment={name}");
    let arguments = ["seal", binary.to_str().expect("text"), "--output=sealed", &keep];
    let output = site.run(&[&arguments[..], &ACCOUNTS].concat());
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(text(&output).contains(&format!("note: --keep-environment={name}: ")), noted, "{}", text(&output));
}
