//! # The script was started out of its server's reach
//!
//! Session, process group, scheduler, nice value or processors of the script are not the invoker's.
//!
//! ## What happened
//!
//! The launcher noted its own just before exec, the witness noted those that it found. exec hands all
//! of them on, so the subject changed them.
//!
//! ## Why
//!
//! - A wrapper that "becomes a daemon", or puts its child into a session or process group of its
//!   own. A server ends a delivery that takes too long by a signal to the process group (Postfix,
//!   `command_time_limit`): it then kills the wrapper and leaves the script, which delivers the
//!   message that the server believes undelivered, and soon a second time.
//! - A wrapper that raises its own priority, or takes it away from its caller: an administrator's
//!   `nice`, CPUAffinity= or CPUSchedulingPolicy= of the unit no longer holds.
//!
//! ## How to see it
//!
//! `ps -o pid,pgid,sid,ni,cls,args` while the script runs: PGID and SID must be the server's.
//!
//! ## Looks the same but is not
//!
//! - A server that makes the session or the process group before it starts the wrapper, as many do:
//!   the lab compares with what the wrapper was given.
//! - A controlling terminal: it stays the script's terminal too, and that is the caller's own.
//!
//! ## Fixes and their price
//!
//! - Become the script by exec, and call neither setsid(2), setpgid(2) nor setpriority(2). No price:
//!   a wrapper needs none of them.
//!
//! ## Do not
//!
//! - Do not take the terminal away with setsid(2) to keep the script from writing to it: the script
//!   has its caller's uid, and the caller can write there himself.

use super::Finding;
use super::facts::Facts;
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};
use crate::judge::moved;
use lab_invocation::invocation::Scheduling;

const CODE: &str = "out-of-reach";

pub(super) const FINDING: Finding = Finding { code: CODE, file: include_str!("out_of_reach.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    let starts = wanted.script.as_ref().is_some_and(|script| script.started == Some(true));
    starts && (case.invocation.own_process_group || case.invocation.scheduling != Scheduling::default())
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let (given, script) = (facts.evidence.invoker.place?, facts.script()?);
    let changed = moved(given, script.place);
    if changed.is_empty() {
        return None;
    }
    let cause = "The subject left the place among the machine's processes that its invoker had given it.".to_owned();
    let mut diagnosis = Diagnosis::new(CODE, Certainty::Certain, cause);
    for change in changed {
        diagnosis = diagnosis.saw("witness", change);
    }
    Some(diagnosis.remedy(
        "become the script by exec, in the session and process group that were given",
        &["in the wrapper: no setsid(2), setpgid(2), setpriority(2) or sched_setscheduler(2)"],
        "none",
    ))
}
