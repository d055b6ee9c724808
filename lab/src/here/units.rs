//! Settings of a systemd unit that take privilege away, from its files: what `systemctl edit` adds is among them, what was set
//! at run time by other means is not.

use super::{below, saw};
use crate::finding::Observation;
use std::fs;
use std::path::{Path, PathBuf};

/// Where units are, the first before the others.
const PLACES: [&str; 4] =
    ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/// Settings that set no_new_privs, or make files read-only or unreachable: systemd.exec(5).
const SETTINGS: [&str; 22] = [
    "NoNewPrivileges",
    "DynamicUser",
    "User",
    "Group",
    "ProtectSystem",
    "ReadOnlyPaths",
    "InaccessiblePaths",
    "RestrictSUIDSGID",
    "PrivateUsers",
    "PrivateDevices",
    "ProtectKernelTunables",
    "ProtectKernelModules",
    "ProtectKernelLogs",
    "ProtectClock",
    "ProtectHostname",
    "MemoryDenyWriteExecute",
    "RestrictRealtime",
    "RestrictNamespaces",
    "RestrictAddressFamilies",
    "LockPersonality",
    "SystemCallFilter",
    "SystemCallArchitectures",
];

/// What the files of a unit set; `None` if there is no such unit, or it cannot be read.
pub(super) fn settings(root: &Path, unit: &str) -> Option<Observation> {
    // A name, not a path.
    if unit.contains('/') || unit.is_empty() {
        return None;
    }
    let file = PLACES.iter().map(|place| below(root, &Path::new(place).join(unit))).find(|file| file.is_file())?;
    let mut files = vec![file];
    files.extend(PLACES.iter().flat_map(|place| drop_ins(&below(root, &Path::new(place).join(format!("{unit}.d"))))));
    let mut set = Vec::new();
    let mut unread = Vec::new();
    for file in files {
        match fs::read(&file) {
            Ok(text) => set.extend(String::from_utf8_lossy(&text).lines().filter_map(setting)),
            Err(error) => unread.push(format!("{} cannot be read: {error}", file.display())),
        }
    }
    let mut text = if set.is_empty() {
        format!("{unit}: nothing in its files takes privilege away")
    } else {
        format!("{unit}: {}", set.join(", "))
    };
    for unread in unread {
        text.push_str("; ");
        text.push_str(&unread);
    }
    Some(saw("unit files", text))
}

fn drop_ins(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "conf")).collect();
    files.sort();
    files
}

fn setting(line: &str) -> Option<String> {
    let (name, value) = line.split_once('=')?;
    SETTINGS.contains(&name.trim()).then(|| format!("{}={}", name.trim(), value.trim()))
}
