//! Set-group-ID wrappers that an auditor can read in an hour.
//!
//! A wrapper is set-group-ID to the group of the mailing list manager and asks one question: is the real gid of
//! whoever started it the gid that it was sealed to trust? Begin with `src/bin/mail-wrapper.rs`; its `main` calls the
//! modules in this order:
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
//! | [`sys`]         | everything `unsafe`                                                                      |

#![deny(unsafe_code)]

pub mod caller;
pub mod credentials;
pub mod decision;
pub mod environment;
pub mod group_names;
pub mod policy;
pub mod process_state;
pub mod refusal;
pub mod report;
pub mod script;
pub mod surroundings;
pub mod sys;

// Shared with the tests in `tests/`, which know this crate by its name.
#[cfg(test)]
extern crate self as wrapper;
#[cfg(test)]
mod sample;
#[cfg(test)]
#[path = "../tests/support/seal.rs"]
mod seal;
