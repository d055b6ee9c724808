//! Settings of a systemd unit that take privilege away, from its files: what `systemctl edit` adds is among them, what was set
//! at run time by other means is not.

use super::{below, saw};
use crate::finding::Observation;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where units are, the first before the others.
const PLACES: [&str; 4] =
    ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/// Settings that set no_new_privs, take capabilities or groups away, or make files read-only or unreachable: systemd.exec(5).
const SETTINGS: [&str; 31] = [
    "NoNewPrivileges",
    "DynamicUser",
    "User",
    "Group",
    "SupplementaryGroups",
    "CapabilityBoundingSet",
    "SecureBits",
    "ProtectSystem",
    "ProtectHome",
    "ReadOnlyPaths",
    "InaccessiblePaths",
    "NoExecPaths",
    "TemporaryFileSystem",
    "RestrictSUIDSGID",
    "RestrictFileSystems",
    "PrivateUsers",
    "PrivateDevices",
    "ProtectControlGroups",
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
    "SystemCallLog",
    "SystemCallArchitectures",
];

/// What the files of a unit set; `None` if there is no such unit.
pub(super) fn settings(root: &Path, unit: &str) -> Option<Observation> {
    // A name, not a path.
    if unit.contains('/') || unit.is_empty() {
        return None;
    }
    let places = places(root);
    let names = [Some(unit.to_owned()), template(unit)];
    let file = names.iter().flatten().flat_map(|name| places.iter().map(move |place| place.join(name)));
    let file = file.into_iter().find(|file| file.is_file())?;
    let mut files = vec![file];
    let mut unread = Vec::new();
    for place in &places {
        for name in drop_in_directories(unit) {
            match drop_ins(&place.join(name)) {
                Ok(more) => files.extend(more),
                Err(said) => unread.push(said),
            }
        }
    }
    let mut set = Vec::new();
    for file in files {
        match fs::read(&file) {
            Ok(text) => set.extend(String::from_utf8_lossy(&text).lines().filter_map(setting)),
            Err(error) => unread.push(format!("{} cannot be read: {error}", file.display())),
        }
    }
    let mut text = if set.is_empty() {
        format!("{unit}: its files have none of the {} settings that are looked for", SETTINGS.len())
    } else {
        format!("{unit}: {}", set.join(", "))
    };
    for unread in unread {
        text.push_str("; ");
        text.push_str(&unread);
    }
    Some(saw("unit files", text))
}

/// Where this machine has units: on many, one of the places is a link to another.
fn places(root: &Path) -> Vec<PathBuf> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for place in PLACES {
        let place = below(root, Path::new(place));
        let place = place.canonicalize().unwrap_or(place);
        if !seen.contains(&place) {
            seen.push(place);
        }
    }
    seen
}

/// The template of an instance: systemd.unit(5), DESCRIPTION.
fn template(unit: &str) -> Option<String> {
    let (name, rest) = unit.split_once('@')?;
    Some(format!("{name}@.{}", rest.rsplit_once('.')?.1))
}

/// Names of the directories whose files are added to a unit: its own, its template's, those of each beginning of its name
/// that ends with a hyphen, and that of its type. systemd.unit(5), DESCRIPTION.
fn drop_in_directories(unit: &str) -> Vec<String> {
    let (name, kind) = unit.rsplit_once('.').unwrap_or((unit, "service"));
    let mut names = vec![format!("{unit}.d")];
    names.extend(template(unit).map(|template| format!("{template}.d")));
    names.extend(name.match_indices('-').map(|(at, _)| format!("{}.{kind}.d", &name[..=at])));
    names.push(format!("{kind}.d"));
    names
}

/// Its files; an error in words where it is there and cannot be read.
fn drop_ins(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let unread = |error: io::Error| format!("{} cannot be read: {error}", dir.display());
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unread(error)),
    };
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(unread)?;
    files.retain(|path| path.extension().is_some_and(|end| end == "conf"));
    files.sort();
    Ok(files)
}

fn setting(line: &str) -> Option<String> {
    let (name, value) = line.split_once('=')?;
    SETTINGS.contains(&name.trim()).then(|| format!("{}={}", name.trim(), value.trim()))
}
