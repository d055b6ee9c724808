//! # The script was started, and then the caller was refused
//!
//! The wrapper refused its caller, but the script had already run.
//!
//! ## What happened
//!
//! The witness reported a start from another process than the wrapper's own, and the wrapper itself
//! ended with a refusal. To the server it looks as if nothing had happened; the list has the message,
//! and the sender a bounce.
//!
//! ## Why
//!
//! The wrapper forks a child for the script and checks in the parent; or it checks twice, the second
//! time too late; or a helper which it starts early is the thing that should have waited.
//!
//! ## How to see it
//!
//! Both observations together: an exit status of a refusal, and a report of the witness. The tree of
//! the script's directory may have changed although the exit status says "refused".
//!
//! ## Looks the same but is not
//!
//! - The script itself ends with 2: then the wrapper's own process became the script, and nothing was
//!   refused.
//! - `false-success`: the other way round; nothing ran, and 0 was reported.
//!
//! ## Fixes and their price
//!
//! - Decide first, in the same process, and let the exec demand the proof of the decision. No price.
//!
//! ## Do not
//!
//! - Do not kill the child when the check fails: what it did until then is done.

use super::Finding;
use super::facts::{Facts, wants_refusal};
use crate::finding::{Certainty, Diagnosis};

const CODE: &str = "started-before-decision";

pub(super) const FINDING: Finding = Finding {
    code: CODE,
    file: include_str!("started_before_decision.rs"),
    find,
    shown_by: |_, wanted| wants_refusal(wanted),
};

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    if !facts.wants_refusal() || !facts.refused_after_start() {
        return None;
    }
    let pid = facts.script()?.pid;
    let cause =
        format!("The subject refused ({}), but the script had been started, as process {pid}.", facts.end_text());
    Some(
        Diagnosis::new(CODE, Certainty::Certain, cause)
            .saw("wait status", facts.end_text())
            .saw("witness", format!("{}, in another process than the subject's", facts.script_text()))
            .remedy(
                "decide before anything is started",
                &["in the wrapper: no fork; exec takes the decision's proof as its argument"],
                "none",
            ),
    )
}
