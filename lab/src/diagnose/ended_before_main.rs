//! # The program ended before its own code ran
//!
//! The kernel started the program, but the loader or the C runtime gave up before `main`. The wrapper
//! has decided nothing.
//!
//! ## What happened
//!
//! Under the limits or without the devices which the caller left it, the start-up code could not do
//! its work: it ended by SIGSEGV, SIGABRT or SIGKILL, or with exit 127 and a loader's message. No
//! line of the subject's is to be seen.
//!
//! ## Why
//!
//! - RLIMIT_AS or RLIMIT_DATA too small to map a stack, a library, thread storage.
//! - RLIMIT_STACK of a few KiB: the first function call faults.
//! - RLIMIT_NOFILE of 3 and less: a dynamic program cannot open its libraries ("Error 24", exit 127).
//! - Descriptors 0 to 2 closed where /dev does not exist: both C libraries stop the process on
//!   purpose when they cannot open /dev/null in a set-id start.
//!
//! It is an outcome of its own because it says nothing about the wrapper: nobody was admitted,
//! nothing was lost but the text of a refusal.
//!
//! ## How to see it
//!
//! `readelf -l WRAPPER | grep interpreter` tells a dynamic program from a static one. With the same
//! limits, `prlimit --as=N --stack=M /bin/true` ends in the same way.
//!
//! ## Looks the same but is not
//!
//! - `crashed`: the subject's own code ran, or nothing about the invocation explains it.
//! - Exit 11 of a reference wrapper: `main` did run, and found the limits too small to work in.
//! - execve(2) itself fails (E2BIG, ENOMEM, EAGAIN): then nothing was started at all, and the caller
//!   knows.
//!
//! ## Fixes and their price
//!
//! - Link statically: no loader, less memory, fewer descriptors. The price: the program must be built
//!   again when the C library has a fault.
//! - In a scenario, expect `ended-before-main` for this condition. The price: within it nothing else
//!   is judged but that no script started.
//!
//! ## Do not
//!
//! - Do not count it as a refusal: the next version of the loader may come further.

use super::Finding;
use super::facts::Facts;
use crate::case::Case;
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::evidence::End;
use lab_invocation::invocation::{Descriptor, Stdin};

const CODE: &str = "ended-before-main";
/// SIGABRT, SIGKILL, SIGSEGV.
const SIGNALS: [u32; 3] = [6, 9, 11];
/// RLIMIT_DATA, RLIMIT_STACK, RLIMIT_NOFILE, RLIMIT_AS by their numbers on x86-64 and aarch64, with the soft limit below
/// which start-up code was seen to fail, and some way above.
const SMALL: [(u32, &str, u64); 4] =
    [(2, "RLIMIT_DATA", 1 << 20), (3, "RLIMIT_STACK", 64 << 10), (7, "RLIMIT_NOFILE", 4), (9, "RLIMIT_AS", 16 << 20)];

pub(super) const FINDING: Finding = Finding {
    code: CODE,
    file: include_str!("ended_before_main.rs"),
    find,
    shown_by: |case, _| !tight(case).is_empty(),
};

/// What the invocation takes away from start-up code.
fn tight(case: &Case) -> Vec<String> {
    let invocation = &case.invocation;
    let mut tight = Vec::new();
    for (resource, name, enough) in SMALL {
        let soft = invocation.limits.iter().find(|limit| limit.resource == resource).and_then(|limit| limit.soft);
        if let Some(soft) = soft.filter(|&soft| soft <= enough) {
            tight.push(format!("{name} is {soft}"));
        }
    }
    let closed =
        invocation.descriptors.iter().filter(|(number, what)| *number < 3 && *what == Descriptor::Closed).count()
            + usize::from(invocation.stdin == Stdin::Closed);
    let hidden = |at: &[u8]| matches!(at, b"/dev" | b"/dev/null" | b"/dev/full");
    if closed > 0 && case.layout.mounts.iter().any(|mount| hidden(mount.at.as_slice())) {
        tight.push("a standard descriptor is closed and /dev is not as usual".to_owned());
    }
    tight
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let tight = tight(facts.case);
    let loader = facts.says("error while loading shared libraries") || facts.says("error loading shared librar");
    let silent = facts.outputs().all(|(_, bytes)| bytes.0.is_empty());
    let certainty = match facts.evidence.end? {
        _ if facts.started() || tight.is_empty() || facts.wanted.ended_before_main => return None,
        End::Exited(127) if loader => Certainty::Certain,
        End::Signaled { signal, .. } if SIGNALS.contains(&signal) && silent => Certainty::Likely,
        _ => return None,
    };
    let why = tight.join(", ");
    Some(
        Diagnosis::new(
            CODE,
            certainty,
            format!("The program ended before its own code ran ({}): {why}.", facts.end_text()),
        )
        .saw("wait status", facts.end_text())
        .saw("the invocation, as the lab arranged it", why)
        .saw(
            "standard error",
            if silent { "nothing was written".to_owned() } else { "the loader's message".to_owned() },
        )
        .remedy(
            "link the subject statically",
            &["cargo build --target x86_64-unknown-linux-musl"],
            "it must be built again when the C library has a fault",
        ),
    )
}
