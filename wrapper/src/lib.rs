//! Set-group-ID wrappers that an auditor can read in an hour.
//!
//! A wrapper is set-group-ID to the group of the mailing list manager and asks one question: is the real gid of
//! whoever started it the gid that it was sealed to trust? Both programs are the function [`run`], which calls the modules
//! in this order; what differs between them is in the sealed policy. The third program, which anybody may start, is
//! [`queue::run`]; it begins and ends in the same way. Their manual pages are `src/bin/*.rs`.
//!
//! | module          | what it does                                                                             |
//! |-----------------|------------------------------------------------------------------------------------------|
//! | [`process_state`] | puts back what the caller may have arranged: signals, descriptors, limits, timers, …     |
//! | [`credentials`] | reads who started the process; later takes on the group for good                         |
//! | [`policy`]      | the sealed answer to "whom do I trust, and what may I start?"                             |
//! | [`decision`]    | credentials, arguments, environment, policy → what to execute, or a refusal; does nothing |
//! | [`caller`]      | the part of the decision that makes [`caller::Admitted`], without which nothing is started |
//! | [`environment`] | which variables reach the script                                                         |
//! | [`script`]      | checks the path to script and interpreter, and executes                                  |
//! | [`refusal`]     | every refusal: exit status and text; [`report`] delivers it                               |
//! | [`surroundings`] | what the decision may have to ask: whether every gid is mapped, and                     |
//! | [`group_names`] | what a gid is called, for the text of a refusal                                           |
//! | [`queue`]       | the queue writer                                                                         |
//! | [`sys`]         | everything `unsafe`                                                                      |

#![deny(unsafe_code)]

pub mod caller;
pub mod credentials;
pub mod decision;
pub mod environment;
pub mod group_names;
pub mod policy;
pub mod process_state;
pub mod queue;
pub mod refusal;
pub mod report;
pub mod script;
pub mod surroundings;
pub mod sys;

use credentials::{Credentials, Kernel};
use policy::{Kind, Policy, PolicyError, RefusalStyle, SECTION_SIZE};
use process_state::{SafeProcess, UnsafeProcess};
use refusal::Refusal;
use std::convert::Infallible;

/// The program from beginning to end: it becomes the script, or says why not and gives the exit status for it.
#[must_use]
pub fn run(kind: Kind, section: &[u8; SECTION_SIZE], argv: sys::Strings) -> u8 {
    let safe = process_state::make_safe();
    let policy = policy::decode(section, kind);
    let Err(refusal) = start(safe, &policy, argv);
    report::deliver(&refusal, kind);
    refusal.exit_code(policy.as_ref().map_or(RefusalStyle::Mailman, |policy| policy.refusal))
}

/// Becomes the script, or comes back with the reason why not.
fn start<'p>(
    safe: Result<SafeProcess, UnsafeProcess>,
    policy: &'p Result<Policy<'p>, PolicyError>,
    argv: sys::Strings,
) -> Result<Infallible, Refusal<'p>> {
    // Make the process safe, and see what there is to decide by.
    let safe = safe?;
    let credentials = Credentials::read(&safe)?;
    let policy = policy.as_ref().map_err(|error| *error)?;
    // Decide. The plan holds the proof that the caller is admitted; nothing below can be called without it.
    let plan = decision::decide(&credentials, argv, sys::environment(), policy, &surroundings::System)?;
    // Act.
    let switched = credentials::switch_group(&plan.admitted, &mut Kernel, policy.own, policy.trusted)?;
    let checked = script::check_files(&switched, plan, policy, &script::RealFiles)?;
    Err(script::execute(&checked, policy))
}

// Shared with the tests in `tests/`, which know this crate by its name.
#[cfg(test)]
extern crate self as wrapper;
#[cfg(test)]
#[path = "../tests/support/queue_seal.rs"]
mod queue_seal;
#[cfg(test)]
#[path = "../../lab/tests/support/required.rs"]
mod required;
#[cfg(test)]
mod sample;
#[cfg(test)]
#[path = "../tests/support/seal.rs"]
mod seal;
