//! Whether the set-group-ID bit acted, decided from outside the subject: file, mount, process attributes, id maps.
//! The rules are those of execve(2) and inode(7); "acted" means that the subject's effective gid is its file's group.

use crate::case::Case;
use lab_invocation::invocation::Tracer;
use lab_invocation::{Evidence, Gid, Uid};

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bit {
    /// Every condition held, each by an observation.
    Acted,
    /// At least one did not; each of these is enough by itself.
    Ignored(Vec<Cause>),
    /// The launcher did not come so far that it could be seen.
    Unknown,
}

/// Why the kernel left the group out, or gave another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Mode without g+s.
    NoBit {
        /// The mode that was seen.
        mode: u32,
    },
    /// g+s without g+x: the old mark of mandatory locking, not set-group-ID.
    NoGroupExecute {
        /// The mode that was seen.
        mode: u32,
    },
    /// The bit acts, but the file belongs to another group than the sealed one.
    WrongGroup {
        /// The file's group.
        found: Gid,
    },
    /// Mount with nosuid.
    Nosuid,
    /// The invoker had `no_new_privs`.
    NoNewPrivs,
    /// The file's group has no number in the invoker's user namespace.
    UnmappedGid {
        /// The group.
        gid: Gid,
    },
    /// The file's owner has none; it counts for set-group-ID too.
    UnmappedUid {
        /// The owner.
        uid: Uid,
    },
    /// An unprivileged process traced the invoker across exec.
    Tracer,
    /// The invoker shared its file-system attributes with a living process.
    SharedFs,
    /// The file was reached through a mount of another mount namespace.
    ForeignMount,
}

/// Looks at everything that decides.
pub(super) fn observe(case: &Case, evidence: &Evidence) -> Bit {
    let (Some(file), Some(credentials)) = (&evidence.installed, &evidence.invoker.credentials) else {
        return Bit::Unknown;
    };
    let mut causes = Vec::new();
    if file.mode & 0o2000 == 0 {
        causes.push(Cause::NoBit { mode: file.mode });
    } else if file.mode & 0o0010 == 0 {
        causes.push(Cause::NoGroupExecute { mode: file.mode });
    }
    if file.mount.nosuid {
        causes.push(Cause::Nosuid);
    }
    if evidence.invoker.no_new_privs {
        causes.push(Cause::NoNewPrivs);
    }
    // Inside a namespace that does not map it, stat(2) shows the overflow number: the layout knows the true one.
    let (owner, group) = (case.subject.owner, case.subject.group);
    let gid_is_mapped = maps(&evidence.invoker.gid_map, group.as_raw());
    if gid_is_mapped == Some(false) {
        causes.push(Cause::UnmappedGid { gid: group });
    }
    if maps(&evidence.invoker.uid_map, owner.as_raw()) == Some(false) {
        causes.push(Cause::UnmappedUid { uid: owner });
    }
    // Since Linux 6.16 a member of the file's group keeps it when traced or sharing; before, it loses it too. The
    // release is not part of the evidence, so nothing is claimed for a member.
    let member = credentials.groups.contains(&file.group) || credentials.gid.effective == file.group;
    // CAP_SETUID, number 7, keeps it too: `cap_bprm_creds_from_file` of the kernel.
    let capable = credentials.uid.effective == Uid::ROOT || case.invocation.capabilities.kept.contains(&7);
    let keeps = member || capable;
    let transition = &case.invocation.transition;
    if evidence.invoker.traced && transition.tracer != Some(Tracer::Root) && !keeps {
        causes.push(Cause::Tracer);
    }
    if transition.share_fs && !keeps {
        causes.push(Cause::SharedFs);
    }
    if transition.foreign_mount {
        causes.push(Cause::ForeignMount);
    }
    if causes.is_empty() && gid_is_mapped != Some(false) && file.group != case.subject.policy.own.gid {
        causes.push(Cause::WrongGroup { found: file.group });
    }
    if causes.is_empty() { Bit::Acted } else { Bit::Ignored(causes) }
}

/// The subject's effective gid once it runs; `None` where that was not observed.
pub(super) fn effective_after_exec(case: &Case, evidence: &Evidence) -> Option<Gid> {
    let group_of_file = evidence.installed.as_ref().map(|file| file.group);
    match observe(case, evidence) {
        Bit::Unknown => None,
        Bit::Acted => group_of_file,
        Bit::Ignored(causes) => match causes.as_slice() {
            [Cause::WrongGroup { found }] => Some(*found),
            _ => evidence.invoker.credentials.as_ref().map(|credentials| credentials.gid.effective),
        },
    }
}

/// Whether a text of user_namespaces(7) maps this inside number; `None` if the text was not observed or is no map.
fn maps(map: &str, number: u32) -> Option<bool> {
    let mut seen = None;
    for line in map.lines() {
        let mut fields = line.split_whitespace().map(|field| field.parse::<u64>().ok());
        let (Some(Some(inside)), Some(Some(_)), Some(Some(count))) = (fields.next(), fields.next(), fields.next())
        else {
            return None;
        };
        let hit = (inside..inside.saturating_add(count)).contains(&u64::from(number));
        seen = Some(seen.unwrap_or(false) || hit);
    }
    seen
}

impl Cause {
    /// What it is, as the end of "because …".
    pub(super) fn because(self) -> String {
        match self {
            Self::NoBit { mode } => format!("the file's mode is {mode:04o}: the set-group-ID bit is not there"),
            Self::NoGroupExecute { mode } => {
                format!(
                    "the file's mode is {mode:04o}: without group-execute the kernel does not take g+s as set-group-ID"
                )
            }
            Self::WrongGroup { found } => format!("the file belongs to group {found}, not to the sealed own group"),
            Self::Nosuid => "the file lies on a mount with nosuid".to_owned(),
            Self::NoNewPrivs => "the invoker had set no_new_privs".to_owned(),
            Self::UnmappedGid { gid } => {
                format!("group {gid} of the file is not mapped in the invoker's user namespace")
            }
            Self::UnmappedUid { uid } => format!(
                "owner {uid} of the file is not mapped in the invoker's user namespace, which counts for set-group-ID too"
            ),
            Self::Tracer => "an unprivileged process traced the invoker across exec".to_owned(),
            Self::SharedFs => {
                "the invoker shared its file-system attributes (CLONE_FS) with a living process".to_owned()
            }
            Self::ForeignMount => "the file was reached through a mount of another mount namespace".to_owned(),
        }
    }

    /// Where that was seen.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::NoBit { .. } | Self::NoGroupExecute { .. } | Self::WrongGroup { .. } => "stat of the subject's file",
            Self::Nosuid => "statvfs of the subject's file",
            Self::NoNewPrivs => "NoNewPrivs in the launcher's /proc/self/status",
            Self::UnmappedGid { .. } => "the launcher's /proc/self/gid_map",
            Self::UnmappedUid { .. } => "the launcher's /proc/self/uid_map",
            Self::Tracer => "TracerPid in the launcher's /proc/self/status",
            Self::SharedFs | Self::ForeignMount => "the invocation, as the lab arranged it",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::maps;

    #[test]
    fn a_map_is_read_by_its_inside_column() {
        let all = "         0          0 4294967295\n";
        assert_eq!(maps(all, 38), Some(true));
        assert_eq!(maps(all, u32::MAX - 1), Some(true));
        let hole = "0 0 38\n39 39 4294967256\n";
        assert_eq!((maps(hole, 37), maps(hole, 38), maps(hole, 39)), (Some(true), Some(false), Some(true)));
    }

    #[test]
    fn what_was_not_observed_is_not_claimed() {
        assert_eq!(maps("", 38), None);
        assert_eq!(maps("no map", 38), None);
    }
}
