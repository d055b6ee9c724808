//! # A core dump could give away what only the group may read
//!
//! The script was started with a core limit above 0, or a core file appeared.
//!
//! ## What happened
//!
//! After the complete switch all of the script's gids are equal, so the kernel treats it as an
//! ordinary, dumpable process. Its uid is still the caller's. The caller may send it SIGSEGV at any
//! time and find its memory in a core file that he owns: list archives, passwords, whatever only the
//! group could read.
//!
//! ## Why
//!
//! RLIMIT_CORE is inherited, and the caller may have raised it. The set-group-ID exec of the wrapper
//! clears the "dumpable" mark, but the exec of the script sets it again, unless real and effective
//! ids still differ.
//!
//! ## How to see it
//!
//! `grep core /proc/PID/limits` of the script: both columns must be 0. By hand, as the caller:
//! `ulimit -c unlimited`, start the wrapper with a slow script, `kill -SEGV` it, look for `core` in
//! the working directory.
//!
//! ## Looks the same but is not
//!
//! - `crashed`: the subject died by itself. A core is then a second finding.
//! - fs.suid_dumpable speaks of processes that are still set-id, not of a script after a complete
//!   switch.
//! - kernel.core_pattern with a pipe (systemd-coredump, apport): the kernel hands the dump to that
//!   handler whatever the limit is, and passes the limit as %c; whether 0 is respected is the
//!   handler's choice. See core(5).
//!
//! ## Fixes and their price
//!
//! - Set RLIMIT_CORE to 0, soft and hard, before exec. The price: no core of a script that really
//!   crashed; run it under its own user to get one.
//!
//! ## Do not
//!
//! - Do not use PR_SET_DUMPABLE in the wrapper instead: exec sets it anew.
//! - Do not keep the real gid different only to stay undumpable: then a shell gives the group up, and
//!   the script can go back.

use super::Finding;
use super::facts::{Facts, signal_text};
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::evidence::{ChangeKind, End};

const CODE: &str = "core-exposed";
/// RLIMIT_CORE of getrlimit(2) on Linux, all architectures.
const RLIMIT_CORE: u32 = 4;

pub(super) const FINDING: Finding = Finding { code: CODE, file: include_str!("core_exposed.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    wanted.script.as_ref().is_some_and(|script| script.core_limit.is_some())
        && case.invocation.limits.iter().any(|limit| limit.resource == RLIMIT_CORE)
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let mut seen = Vec::new();
    let wanted = facts.wanted.script.as_ref().and_then(|script| script.core_limit);
    if let (Some(script), Some(wanted)) = (facts.script(), wanted) {
        for &(_, soft, hard) in script.limits.iter().filter(|(resource, ..)| *resource == RLIMIT_CORE) {
            if soft != Some(wanted) || hard != Some(wanted) {
                seen.push(("witness", format!("RLIMIT_CORE is {} soft and {} hard", limit(soft), limit(hard))));
            }
        }
    }
    if let Some(End::Signaled { signal, core: true }) = facts.evidence.end {
        seen.push(("wait status", format!("{}, and the kernel says that a core was dumped", signal_text(signal))));
    }
    for change in &facts.evidence.changes {
        let name = change.path.0.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        if matches!(change.kind, ChangeKind::Added { .. }) && (name == b"core" || name.starts_with(b"core.")) {
            seen.push(("file tree", format!("{} appeared", change.path)));
        }
    }
    let (_, first) = seen.first()?;
    let cause =
        format!("Memory which only the wrapper's group may read can end in a core file of the caller: {first}.");
    let diagnosis = Diagnosis::new(CODE, Certainty::Certain, cause);
    Some(seen.into_iter().fold(diagnosis, |diagnosis, (source, shows)| diagnosis.saw(source, shows)).remedy(
        "forbid cores before the script starts",
        &["in the wrapper: setrlimit(RLIMIT_CORE, 0, 0) before execve(2)"],
        "a script that really crashes leaves no core; run it under its own user to get one",
    ))
}

fn limit(value: Option<u64>) -> String {
    value.map_or_else(|| "unlimited".to_owned(), |bytes| format!("{bytes} bytes"))
}
