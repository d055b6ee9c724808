use super::look_below;
use crate::incident::{Answer, explain};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A machine with a lost bit, a nosuid mount, a unit with no_new_privs, and two names for one gid.
fn machine() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |path: &str, text: &str| {
        let at = dir.path().join(path);
        fs::create_dir_all(at.parent().expect("it has one")).expect("a directory");
        fs::write(at, text).expect("a file");
    };
    write("etc/group", "root:x:0:\nlist:x:38:\nnogroup:x:65534:\nnobody:x:65534:\npostdrop:x:120:\n");
    write("etc/passwd", "root:x:0:0::/:/bin/sh\n");
    write("usr/sbin/postdrop", "");
    write("var/spool/postfix/maildrop/x", "");
    write(
        "proc/self/mountinfo",
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
         23 22 0:30 / /var/spool\\040x rw,nosuid - tmpfs tmpfs rw\n\
         24 22 0:31 / /var/spool rw,nosuid,nodev - tmpfs tmpfs rw\n",
    );
    write("usr/lib/systemd/system/app.service", "[Service]\nExecStart=/bin/app\nDynamicUser=yes\n");
    write("etc/systemd/system/app.service.d/more.conf", "[Service]\nNoNewPrivileges = no\n");
    write("etc/systemd/system/app@.service", "[Service]\nExecStart=/bin/app %i\n");
    write("etc/systemd/system/service.d/all.conf", "[Service]\nLockPersonality=yes\n");
    write("run/systemd/system/app@.service.d/more.conf", "[Service]\nUser=app\n");
    write("run/systemd/system/web-.service.d/more.conf", "[Service]\nProtectHome=yes\n");
    write("usr/lib/systemd/system/web-shop.service", "[Service]\nExecStart=/bin/web\n");
    std::os::unix::fs::symlink("usr/lib", dir.path().join("lib")).expect("a link");
    write("usr/lib/systemd/system/postfix.service", "[Service]\nExecStart=/usr/sbin/postfix\n");
    let mode = |path: &str, mode| {
        fs::set_permissions(dir.path().join(path), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode("usr/sbin/postdrop", 0o2745);
    mode("var/spool/postfix/maildrop", 0o1730);
    dir
}

fn shown(root: &Path, text: &str, units: &[&str]) -> Vec<String> {
    let mut answer: Answer = explain(text.as_bytes()).expect("the library can be read");
    let units: Vec<String> = units.iter().map(|&unit| unit.to_owned()).collect();
    look_below(root, &mut answer, &units);
    answer.readings.into_iter().flat_map(|reading| reading.here).map(|seen| seen.shows).collect()
}

#[test]
fn files_mounts_and_units_of_a_queue_program() {
    let machine = machine();
    let text = "postdrop: warning: mail_queue_enter: create file maildrop/1.2: Permission denied";
    let seen = shown(machine.path(), text, &["app.service", "app@x.service", "web-shop.service", "gone.service"]);
    let has = |what: &str| assert!(seen.iter().any(|shows| shows.contains(what)), "{what}: {seen:#?}");
    has("-rwxr-Sr-x");
    has("/usr/sbin/postdrop");
    has("/usr/sbin/postdrop: on / (ext4: rw,relatime), no nosuid");
    has("drwx-wx--T");
    has("/var/spool/postfix/maildrop: on /var/spool (tmpfs: rw,nosuid,nodev), set-id bits are ignored there");
    let exactly = |what: &str| assert!(seen.iter().any(|shows| shows == what), "{what}: {seen:#?}");
    exactly("postfix.service: LockPersonality=yes");
    exactly("app.service: DynamicUser=yes, NoNewPrivileges=no, LockPersonality=yes");
    exactly("app@x.service: LockPersonality=yes, User=app");
    exactly("web-shop.service: LockPersonality=yes, ProtectHome=yes");
    has("gone.service: no such unit file could be read");
}

#[test]
fn groups_and_what_is_not_here() {
    let machine = machine();
    let text = "mail-wrapper: group mismatch: started with real gid 65534 (nogroup), but only gid 8 (mail) is trusted;";
    let seen = shown(machine.path(), text, &[]);
    assert_eq!(
        seen,
        [
            "group mail: no row in the file (a directory service was not asked)",
            "group nogroup: nogroup is gid 65534, which is also nobody"
        ]
    );
    let seen = shown(machine.path(), "Failure to exec script. WANTED gid 38, GOT gid 65534.", &[]);
    let has = |what: &str| assert!(seen.iter().any(|shows| shows.contains(what)), "{what}: {seen:#?}");
    has("group 38: list is gid 38");
    has("group 65534: 2 rows: nogroup is gid 65534, nobody is gid 65534");
    has("not here: /usr/lib/mailman/mail/mailman");
}

#[test]
fn what_cannot_be_read_is_said() {
    let nothing = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(nothing.path().join("usr/sbin")).expect("a directory");
    fs::write(nothing.path().join("usr/sbin/postdrop"), "").expect("a file");
    let text = "postdrop: warning: mail_queue_enter: create file maildrop/1.2: Permission denied";
    let seen = shown(nothing.path(), text, &[]);
    let has = |what: &str| assert!(seen.iter().any(|shows| shows.contains(what)), "{what}: {seen:#?}");
    has("the mount of /usr/sbin/postdrop: No such file");
    has("not here: /var/spool/postfix/maildrop");
    has("name it with --unit");
    let seen = shown(nothing.path(), "Failure to exec script. WANTED gid 38, GOT gid 65534.", &[]);
    assert!(seen.iter().any(|shows| shows.contains("group 38: cannot be read")), "{seen:#?}");
}

#[test]
fn a_unit_of_which_not_all_can_be_read_says_so() {
    let machine = tempfile::tempdir().expect("a directory");
    let units = machine.path().join("etc/systemd/system");
    fs::create_dir_all(&units).expect("a directory");
    fs::write(units.join("sound.service"), "[Service]\n").expect("a file");
    fs::write(units.join("spoilt.service"), "[Service]\n").expect("a file");
    // Root reads every directory; a file in its place nobody can list.
    fs::write(units.join("spoilt.service.d"), "").expect("a file");
    let text = "Failure to exec script. WANTED gid 38, GOT gid 65534.";
    let seen = shown(machine.path(), text, &["sound.service", "spoilt.service"]);
    let of = |unit: &str| seen.iter().find(|shows| shows.starts_with(unit)).map(String::as_str).unwrap_or_default();
    assert_eq!(of("sound"), "sound.service: its files have none of the 31 settings that are looked for");
    let spoilt = of("spoilt");
    assert!(spoilt.contains("31 settings that are looked for; "), "{spoilt}");
    assert!(spoilt.contains("spoilt.service.d cannot be read: Not a directory"), "{spoilt}");
}
