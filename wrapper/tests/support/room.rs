//! A file system of its own for one test: a mount namespace of the test's thread, which ends with it.
//!
//! `/mnt` is a tmpfs with the installation, `/dev` has four devices and no `log`, and `/etc/group` is ours.

use crate::required;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::{Gid, Uid, geteuid, setgroups, setresgid, setresuid};
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

/// Where the wrapper is installed.
pub(crate) const WRAPPER: &str = "/mnt/mail/mailman";
/// What the policies of the tests have to name as prefix.
pub(crate) const PREFIX: &str = "/mnt/list";

const GROUPS: &str = "root:x:0:\nmail:x:8:\nwww-data:x:33:\nlist:x:38:\nnogroup:x:65534:\n";

/// The room. Not `Send`: the namespace is that of the thread.
pub(crate) struct Room(std::marker::PhantomData<*const ()>);

impl Room {
    /// A room; none for a user who cannot have one, with a word about it.
    ///
    /// # Panics
    /// Where LAB_REQUIRE asks for what is lacking, or a root cannot have what every root has.
    pub(crate) fn new() -> Option<Self> {
        let possible = geteuid().is_root() && unshare(CloneFlags::CLONE_NEWNS).is_ok();
        if !possible {
            let lacking = if geteuid().is_root() { "namespace" } else { "root" };
            required::skip(lacking, "this user cannot have a mount namespace and other ids in it: run as root");
            return None;
        }
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("own propagation");
        mount(Some("tmpfs"), "/mnt", Some("tmpfs"), MsFlags::empty(), Some("mode=755")).expect("tmpfs");
        let room = Self(std::marker::PhantomData);
        room.directory("/mnt/dev", 0o755);
        for (name, minor) in [("null", 3), ("zero", 5), ("full", 7)] {
            let path = format!("/mnt/dev/{name}");
            mknod(path.as_str(), SFlag::S_IFCHR, Mode::empty(), makedev(1, minor)).expect("device");
            fs::set_permissions(&path, Permissions::from_mode(0o666)).expect("mode");
        }
        mount(Some("/mnt/dev"), "/dev", none, MsFlags::MS_BIND, none).expect("bind");
        room.file("/mnt/group", 0o644, GROUPS.as_bytes());
        mount(Some("/mnt/group"), "/etc/group", none, MsFlags::MS_BIND, none).expect("bind");
        for path in ["/mnt/mail", PREFIX, &format!("{PREFIX}/scripts")] {
            room.directory(path, 0o755);
        }
        Some(room)
    }

    /// Makes a directory of root's.
    pub(crate) fn directory(&self, path: &str, mode: u32) {
        fs::create_dir(path).expect("directory");
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode");
    }

    /// Writes a file of root's.
    pub(crate) fn file(&self, path: &str, mode: u32, content: &[u8]) {
        // Written by a child, so that no other thread's child can have it open for writing while it is executed.
        let mut copy =
            Command::new("/bin/sh").arg("-c").arg("cat > \"$0\"").arg(path).stdin(Stdio::piped()).spawn().expect("sh");
        copy.stdin.take().expect("piped").write_all(content).expect("written");
        assert!(copy.wait().expect("waited").success());
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode");
    }

    /// Installs a wrapper, set-group-ID to `list`.
    pub(crate) fn install(&self, wrapper: &[u8]) {
        self.file(WRAPPER, 0o755, wrapper);
        chown(WRAPPER, Some(0), Some(38)).expect("group");
        fs::set_permissions(WRAPPER, Permissions::from_mode(0o2755)).expect("mode");
    }

    /// Writes a script of root's, for the shell.
    pub(crate) fn script(&self, name: &str, text: &str) {
        self.file(&format!("{PREFIX}/scripts/{name}"), 0o755, format!("#!/bin/sh\n{text}\n").as_bytes());
    }

    /// Mounts what is at `path` over itself, with these flags.
    pub(crate) fn remount(&self, path: &str, flags: MsFlags) {
        let none = None::<&str>;
        mount(Some(path), path, none, MsFlags::MS_BIND, none).expect("bind");
        mount(none, path, none, MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags, none).expect("remount");
    }

    /// Mounts a file over another one.
    pub(crate) fn cover(&self, path: &str, with: &str) {
        mount(Some(with), path, None::<&str>, MsFlags::MS_BIND, None::<&str>).expect("bind");
    }

    /// Replaces the group file.
    pub(crate) fn groups(&self, content: &[u8]) {
        OpenOptions::new()
            .write(true)
            .truncate(true)
            .open("/etc/group")
            .expect("ours")
            .write_all(content)
            .expect("written");
    }
}

/// A start of the installed wrapper by a user with these ids and no other groups.
pub(crate) fn wrapper(uid: u32, gid: u32, arguments: &[&str]) -> Command {
    let mut command = Command::new(WRAPPER);
    command.args(arguments).env_clear().stdin(Stdio::null());
    become_user(&mut command, uid, gid);
    command
}

/// After this nothing is added to `command` that needs root.
pub(crate) fn become_user(command: &mut Command, uid: u32, gid: u32) {
    let switch = move || {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        setgroups(&[])?;
        setresgid(gid, gid, gid)?;
        setresuid(uid, uid, uid)?;
        Ok(())
    };
    // SAFETY: the closure makes three system calls; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(switch) };
}

/// Adds a step between fork and exec; they run in the order in which they were added.
pub(crate) fn before_exec(command: &mut Command, step: impl Fn() -> nix::Result<()> + Send + Sync + 'static) {
    // SAFETY: the steps of the tests make system calls; they allocate nothing and take no lock.
    unsafe { command.pre_exec(move || Ok(step()?)) };
}

/// Exit status, standard output and standard error.
pub(crate) fn run(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}
