//! # The set-group-ID bit did not act
//!
//! The kernel started the wrapper without giving it its group. The caller may be the right one; the
//! installation or the caller's surroundings are not.
//!
//! ## What happened
//!
//! execve(2) succeeded, but the wrapper's effective gid is not its own group. A wrapper that looks
//! stops here with exit 9, "not running set-group-ID". One that does not look (Mailman's own) goes on
//! with its caller's rights, and fails later with a misleading "permission denied" from the script.
//!
//! ## Why
//!
//! execve(2) leaves the new gid out silently, for any one of these reasons. From inside they look
//! alike, so the lab finds the cause from outside:
//!
//! - the file lies on a mount with `nosuid` (a container's tmpfs and many /home, /tmp and /var mounts
//!   have it);
//! - the invoker, or a service manager above it, set `no_new_privs` (systemd `NoNewPrivileges=`, and
//!   many sandboxing options which imply it; Docker `--security-opt no-new-privileges`);
//! - the mode has no g+s. Usual: chgrp after chmod, which clears the bit; `docker COPY`; tar, cp or
//!   rsync without -p;
//! - the mode has g+s but no g+x;
//! - the file's group or, less known, its owner is not mapped in the invoker's user namespace;
//! - the invoker is traced by an unprivileged process (strace as the same user);
//! - the invoker shares its file-system attributes with another process (CLONE_FS);
//! - the file is reached through a mount of another mount namespace (`/proc/PID/root/...`);
//! - the bit acted, but the file belongs to another group than the wrapper was sealed for.
//!
//! Since Linux 6.16 a caller who is already a member of the file's group keeps it when traced or
//! sharing.
//!
//! ## How to see it
//!
//! ```text
//! stat -c '%A %U:%G' WRAPPER             -rwxr-sr-x root:list is right
//! findmnt -no OPTIONS -T WRAPPER         nosuid must not be there
//! grep NoNewPrivs /proc/PID/status       of the server: 0 is right
//! cat /proc/PID/gid_map                  0 0 4294967295 where there is no user namespace
//! ```
//!
//! AT_SECURE is no witness: the kernel sets it to 1 for a traced caller although the bit was dropped.
//!
//! ## Looks the same but is not
//!
//! - `group-mismatch`: exit 2; there the bit acted and the caller is another.
//! - Exit 4 or "permission denied" from the script although the bit acted: modes of the files behind
//!   the wrapper.
//! - A caller whose real gid is the wrapper's own group (Exim `group = list`): a lost bit then
//!   changes nothing.
//!
//! ## Fixes and their price
//!
//! - Mount: put the wrapper where set-id programs are honoured, or remount with suid. The price:
//!   every set-id file on that mount acts again; look for others first (`find MOUNT -perm /6000`).
//! - no_new_privs: take the option away from the one service which starts the wrapper. The price:
//!   that service and whatever breaks into it can use every set-id program of the machine again.
//! - Mode and group: chgrp first, then chmod 2755, or `wrapper-configure install`. No price.
//! - User namespace: map the group and the owner of the file. The price: processes inside can act as
//!   them.
//! - Tracer and sharing: trace as root, or not at all. No price.
//!
//! ## Do not
//!
//! - Do not make the wrapper set-user-ID root: the same causes switch that off too, and where they do
//!   not it is worse.
//! - Do not make the mail directories writable for everybody so that the script works without its
//!   group.

use super::Finding;
use super::bit::{Bit, Cause};
use super::facts::Facts;
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};

const CODE: &str = "set-group-id-ignored";

pub(super) const FINDING: Finding =
    Finding { code: CODE, file: include_str!("set_group_id_ignored.rs"), find, shown_by };

fn shown_by(case: &Case, _: &Outcome) -> bool {
    let transition = &case.invocation.transition;
    let subject = &case.subject;
    transition.no_new_privs
        || transition.tracer.is_some()
        || transition.share_fs
        || transition.foreign_mount
        || transition.unmapped_gids.contains(&subject.group)
        || transition.unmapped_uids.contains(&subject.owner)
        || subject.mode & 0o2010 != 0o2010
        || subject.group != subject.policy.own.gid
        || case.layout.mounts.iter().any(|mount| mount.flags.nosuid && subject.path.0.starts_with(&mount.at.0))
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let wants_it_said = facts.wanted_status == Some(9);
    let says_so = facts.refusal() == Some(9);
    let lost_group = facts.script().is_some_and(|script| script.credentials.gid.effective != facts.own());
    let unnoticed = wants_it_said && facts.admitted();
    // Any other refusal comes after the question whether the bit acted.
    let judged_on = wants_it_said && matches!(facts.refusal(), Some(2..=6 | 8));
    let by_text = facts.wants_refusal() && facts.admitted() && lost_group;
    if !(says_so && !wants_it_said || unnoticed || judged_on || by_text || (facts.wants_start() && lost_group)) {
        return None;
    }
    let causes = match facts.bit() {
        Bit::Ignored(causes) => causes,
        Bit::Acted | Bit::Unknown if says_so => Vec::new(),
        Bit::Acted | Bit::Unknown => return None,
    };
    let what = if facts.started() {
        format!("The set-group-ID bit did not act, and the subject went on without noticing: {}", facts.script_text())
    } else if judged_on {
        format!(
            "The set-group-ID bit did not act, and the subject judged its caller without noticing ({})",
            facts.end_text()
        )
    } else {
        "The subject found that its set-group-ID bit did not act".to_owned()
    };
    let mut diagnosis = if causes.is_empty() {
        let cause = format!(
            "{what}. From outside no reason for that was seen: file, mount, process attributes and id maps are as they \
             must be, or could not be looked at."
        );
        Diagnosis::new(CODE, Certainty::Possible, cause)
    } else {
        let because: Vec<String> = causes.iter().map(|cause| cause.because()).collect();
        let each = if causes.len() > 1 { " (each is enough by itself)" } else { "" };
        let certainty = if facts.answered_arguments() { Certainty::Possible } else { Certainty::Certain };
        Diagnosis::new(CODE, certainty, format!("{what}, because {}{each}.", because.join("; and ")))
    };
    for cause in &causes {
        diagnosis = diagnosis.saw(cause.source(), cause.because());
    }
    diagnosis = diagnosis.saw("wait status", facts.end_text());
    if facts.started() || judged_on {
        diagnosis = diagnosis.saw("witness", facts.script_text()).remedy(
            "let the wrapper stop when its effective gid is not its own group",
            &["in the wrapper, before anything else: getegid() == own gid, else exit 9"],
            "none",
        );
    }
    for cause in &causes {
        diagnosis = remedy(diagnosis, facts, *cause);
    }
    Some(diagnosis.then(facts.in_shell(&format!("stat {}", facts.case.subject.path))))
}

fn remedy(diagnosis: Diagnosis, facts: &Facts<'_>, cause: Cause) -> Diagnosis {
    let path = &facts.case.subject.path;
    let own = &facts.case.subject.policy.own.name;
    match cause {
        Cause::NoBit { .. } | Cause::NoGroupExecute { .. } | Cause::WrongGroup { .. } => diagnosis.remedy(
            "give the file its group, then its mode",
            &[&format!("chgrp {own} {path}"), &format!("chmod 2755 {path}")],
            "none; the other order clears the bit again",
        ),
        Cause::Nosuid => diagnosis.remedy(
            "put the wrapper on a mount where set-id programs are honoured",
            &[&format!("findmnt -T {path}"), "mount -o remount,suid THAT-MOUNT, and in /etc/fstab"],
            "every set-id file on that mount acts again",
        ),
        Cause::NoNewPrivs => diagnosis.remedy(
            "start the wrapper from a service without no_new_privs",
            &["systemctl edit SERVICE: NoNewPrivileges=no, and no option that implies it"],
            "whatever breaks into that service can use set-id programs again",
        ),
        Cause::UnmappedGid { .. } | Cause::UnmappedUid { .. } => diagnosis.remedy(
            "map owner and group of the file into the user namespace",
            &["extend uid_map and gid_map, or /etc/subuid and /etc/subgid, and start the container again"],
            "processes inside can act as that user and group",
        ),
        Cause::Tracer => diagnosis.remedy(
            "do not trace the server, or trace it as root",
            &["strace as root: strace -f -p PID"],
            "none",
        ),
        Cause::SharedFs => diagnosis.remedy(
            "start the wrapper from a process that does not share its working directory (CLONE_FS)",
            &["fork(2) before execve(2), as every mail and web server does"],
            "none",
        ),
        Cause::ForeignMount => diagnosis.remedy(
            "start the wrapper by a path of the server's own mount namespace",
            &["do not use /proc/PID/root/..., bind the directory into the namespace"],
            "none",
        ),
    }
}
