//! Debian's sendmail as a submission program, in a room and a network of its own, for a queue there.

use super::room::{Room, become_user};
use crate::required;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;
use std::fs::{self, Permissions};
use std::net::UdpSocket;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Where Debian has the binary, and where its queue.
const INSTALLED: &str = "/usr/libexec/sendmail/sendmail";
const QUEUE: &str = "/var/spool/mqueue-client";
/// Where the test has it.
const SENDMAIL: &str = "/mnt/sendmail";

const USERS: &[u8] = b"root:x:0:0::/:\nmail:x:8:8::/:\nsmmsp:x:39:38::/:\nalice:x:1000:1000::/:\nbob:x:1001:1001::/:\n\
    carol:x:1002:1002::/:\n";

/// Has sendmail use that queue, with user 39 and group 38; false where it is not there.
pub(crate) fn installed_for(room: &Room, queue: &str) -> bool {
    if !Path::new(INSTALLED).exists() || !Path::new(QUEUE).exists() {
        required::skip("tools", format!("there is no {INSTALLED} with {QUEUE}: install Debian's package sendmail-bin"));
        return false;
    }
    if Command::new("ip").arg("-V").output().is_err() {
        required::skip("tools", "ip(8) does not run, which sets up a loopback: install iproute2");
        return false;
    }
    // Those whom its submit.cf names, and who submit.
    room.file("/mnt/users", 0o644, USERS);
    room.cover("/etc/passwd", "/mnt/users");
    room.groups(b"root:x:0:\nmail:x:8:\nsmmsp:x:38:\nalice:x:1000:\n");
    room.file(SENDMAIL, 0o755, &fs::read(INSTALLED).expect("readable"));
    chown(SENDMAIL, Some(0), Some(38)).expect("group");
    fs::set_permissions(SENDMAIL, Permissions::from_mode(0o2755)).expect("mode");
    room.cover(QUEUE, queue);
    // Where a name cannot be found sendmail waits for a minute.
    room.file("/mnt/hosts", 0o644, b"127.0.0.1 lab.example.org localhost\n");
    room.cover("/etc/hosts", "/mnt/hosts");
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS).expect("a network of its own");
    sethostname("lab.example.org").expect("a name");
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    assert!(up.is_ok_and(|status| status.success()), "ip(8) of iproute2 must set up the loopback");
    room.file("/mnt/resolver", 0o644, b"nameserver 127.0.0.1\n");
    room.cover("/etc/resolv.conf", "/mnt/resolver");
    know_no_name();
    true
}

/// A name server that knows none: sendmail asks for the domain of each address, and without an answer tries later.
fn know_no_name() {
    let socket = UdpSocket::bind("127.0.0.1:53").expect("a port of our own network");
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut query) {
            let Some(answer) = query.get_mut(..length).filter(|query| query.len() > 12) else { continue };
            // RFC 1035, 4.1.1: a response, RCODE 3, and no section but the question.
            answer[2] |= 0x80;
            answer[3] = 3;
            answer[6..12].fill(0);
            let _ = socket.send_to(answer, client);
        }
    });
}

/// A start of sendmail by this user.
pub(crate) fn sendmail(uid: u32, gid: u32, arguments: &[&str]) -> Command {
    let mut command = Command::new(SENDMAIL);
    command.args(arguments).env_clear().stdin(Stdio::null());
    become_user(&mut command, uid, gid);
    command
}
