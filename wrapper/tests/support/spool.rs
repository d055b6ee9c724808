//! A queue in a room of its own, with the queue writer installed for it.

use super::binary;
use super::room::{Room, run, wrapper};
use super::seal::{Records, body, section};
use std::fs::{self, Permissions};
use std::io::{Seek, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use wrapper::policy::Kind;

/// The directory that the policies of the tests name.
pub(crate) const QUEUE: &str = "/mnt/spool/queue";

/// Alice: uid and gid.
pub(crate) const USER: (u32, u32) = (1000, 1000);

/// A message with a body of 36 bytes.
pub(crate) const MESSAGE: &[u8] =
    b"Subject: hello\n\tthere\nBcc: carol@example.org\n\nfirst\n.\nlast \0\xff, without a line feed";

/// The queue, empty, with the right owner and mode.
pub(crate) struct Spool(Room);

impl Spool {
    /// With a queue writer of that policy; none where there is no room.
    pub(crate) fn new(records: Records) -> Option<Self> {
        let room = Room::new()?;
        let program = Path::new(env!("CARGO_BIN_EXE_queue-writer"));
        room.install(&binary::sealed(program, Kind::Queue, &section(Kind::Queue, &body(&records))));
        room.file("/mnt/passwd", 0o644, b"root:x:0:0::/:\nalice:x:1000:1000::/:\n");
        room.cover("/etc/passwd", "/mnt/passwd");
        room.directory("/mnt/spool", 0o755);
        room.directory(QUEUE, 0o755);
        chown(QUEUE, Some(39), Some(38)).expect("owner");
        fs::set_permissions(QUEUE, Permissions::from_mode(0o2770)).expect("mode");
        Some(Self(room))
    }

    /// The room.
    pub(crate) const fn room(&self) -> &Room {
        &self.0
    }

    /// Names in the queue, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entry =
            |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name().into_string().expect("text");
        let mut names: Vec<String> = fs::read_dir(QUEUE).into_iter().flatten().map(entry).collect();
        names.sort_unstable();
        names
    }

    /// Data and control file of the one message, and nothing else.
    pub(crate) fn message(&self) -> [String; 2] {
        let names: [String; 2] = self.names().try_into().expect("two files");
        let [data, control] = &names;
        assert_eq!((&data[..2], &control[..2], &data[2..]), ("df", "qf", &control[2..]));
        names
    }

    /// What is in one.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(format!("{QUEUE}/{name}")).expect("a file of the queue")
    }

    /// Runs a submission that must succeed, and takes the message out: data and control file without what differs between
    /// two of the same text.
    pub(crate) fn queued(&self, command: Command) -> (Vec<u8>, String) {
        assert_eq!(run(command), (Some(0), String::new(), String::new()));
        let [data, control] = self.message();
        let (body, text) = (self.read(&data), String::from_utf8(self.read(&control)).expect("ASCII"));
        self.clear();
        let text = text.replace(&control[2..], "ID");
        let same =
            |line: &&str| !line.starts_with('T') && !line.starts_with("\tid ID; ") && !line.starts_with("H??Date: ");
        (body, text.lines().filter(same).collect::<Vec<_>>().join("\n"))
    }

    /// Removes every message.
    pub(crate) fn clear(&self) {
        for name in self.names() {
            fs::remove_file(format!("{QUEUE}/{name}")).expect("removed");
        }
    }
}

/// A start by a user with these ids, with this on standard input.
pub(crate) fn writer((uid, gid): (u32, u32), message: &[u8], arguments: &[&str]) -> Command {
    let mut command = wrapper(uid, gid, arguments);
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(message).expect("written");
    file.rewind().expect("at its beginning");
    command.stdin(file);
    command
}
