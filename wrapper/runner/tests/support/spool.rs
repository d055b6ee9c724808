//! A queue in a room of its own, with messages in it.

use crate::support::room::{Room, run};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::Mode;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// The queue.
pub(crate) const QUEUE: &str = "/mnt/spool/queue";
/// Its user and its group.
pub(crate) const SMMSP: (u32, u32) = (39, 38);
/// Who submits.
pub(crate) const ALICE: u32 = 1000;

/// A body with everything that a line may be.
pub(crate) const BODY: &[u8] = b"first\n.\n..\n\nlast \0\xff, without a line feed";

/// The queue, empty, with the right owner and mode.
pub(crate) struct Spool(pub(crate) Room);

impl Spool {
    /// None where there is no room.
    pub(crate) fn new() -> Option<Self> {
        let room = Room::new()?;
        nix::sys::stat::umask(Mode::empty());
        let users = b"root:x:0:0::/:\nalice:x:1000:1000::/:\nsmmsp:x:39:38::/:\ntoor:x:40:0::/:\n";
        room.file("/mnt/passwd", 0o644, users);
        room.cover("/etc/passwd", "/mnt/passwd");
        room.directory("/mnt/spool", 0o755);
        room.directory(QUEUE, 0o755);
        chown(QUEUE, Some(SMMSP.0), Some(SMMSP.1)).expect("owner");
        fs::set_permissions(QUEUE, Permissions::from_mode(0o2770)).expect("mode");
        Some(Self(room))
    }

    /// A file of the queue, as its writer makes them.
    pub(crate) fn file(&self, name: &str, content: &[u8]) {
        let path = format!("{QUEUE}/{name}");
        fs::write(&path, content).expect("written");
        chown(&path, Some(ALICE), Some(SMMSP.1)).expect("owner");
        fs::set_permissions(&path, Permissions::from_mode(0o660)).expect("mode");
    }

    /// A message of alice's with that envelope, queued now.
    pub(crate) fn message(&self, id: &str, envelope: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        self.file(&format!("df{id}"), BODY);
        self.file(&format!("qf{id}"), format!("V8\nT{now}\n{envelope}\nH??Subject: {id}\n.\n").as_bytes());
    }

    /// Puts the queue on a file system of few pages.
    pub(crate) fn small(&self) {
        let options = format!("size=64k,mode=2770,uid={},gid={}", SMMSP.0, SMMSP.1);
        mount(Some("tmpfs"), QUEUE, Some("tmpfs"), MsFlags::empty(), Some(options.as_str())).expect("tmpfs");
    }

    /// Leaves no page of it free.
    pub(crate) fn fill(&self) {
        let mut file = fs::File::create(format!("{QUEUE}/filled")).expect("made");
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    /// Names in the queue, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(QUEUE).expect("the queue").flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().expect("text")).collect();
        names.sort_unstable();
        names
    }

    /// What is in a file.
    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(format!("{QUEUE}/{name}")).expect("a file of the queue")).into_owned()
    }

    /// Owner, group and mode of a file.
    pub(crate) fn owner(&self, name: &str) -> (u32, u32, u32) {
        let status = fs::symlink_metadata(format!("{QUEUE}/{name}")).expect("a file of the queue");
        (status.uid(), status.gid(), status.mode() & 0o7777)
    }
}

/// A start of the runner by root, for the queue of the test and a server there.
pub(crate) fn runner(relay: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queue-runner"));
    command.args(["--queue", QUEUE, "--relay", relay, "--host", "lab.test"]);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs it: exit status, the line with the counts, standard error.
pub(crate) fn ran(command: Command) -> (Option<i32>, String, String) {
    let (status, counts, said) = run(command);
    (status, counts.trim_end().trim_start_matches("queue-runner: ").to_owned(), said)
}

/// The line with these counts and no others.
pub(crate) fn counts(wanted: &[(&str, u64)]) -> String {
    let names = ["done", "returned", "kept", "not due", "busy", "put aside", "failed"];
    let count = |name: &&str| wanted.iter().find(|(it, _)| it == name).map_or(0, |(_, count)| *count);
    names.iter().map(|name| format!("{} {name}", count(name))).collect::<Vec<_>>().join(", ")
}
