//! `lab model check`: the model's kernel rules against the running kernel. Every transition of a small state space is made
//! in a throw-away process of the agent, and must come out as the model says.
//!
//! | module | what it holds |
//! |---|---|
//! | [`space`] | states and calls |
//! | [`exec_table`] | starts of programs |
//! | [`oracle`] | the model in the words of a trial |
//! | [`kernel`] | the agent, which asks the running kernel |
//! | [`compare`] | both side by side |
//! | [`sendmail`] | what sendmail's test programs assert |
//! | [`text`] | the report |

mod compare;
mod exec_table;
mod kernel;
mod oracle;
mod sendmail;
mod space;
mod text;

pub use compare::{Checked, Mismatch, Section};
pub use kernel::Kernel;
pub use oracle::{Model, Oracle};
pub use sendmail::{Assertion, Program};

use crate::problem::Problem;
use std::path::Path;

/// Compares the model with the kernel, on so many agents at once.
///
/// # Errors
/// The agent cannot be started or ends early; nothing can be tried on this machine.
pub fn check(agent: &Path, workers: usize) -> Result<Checked, Problem> {
    let mut checked = check_each(agent, workers, &[&Model])?;
    checked.pop().ok_or_else(|| Problem::internal("the check gave no result"))
}

/// Asks the kernel once and compares its answers with several oracles; one result for each.
///
/// # Errors
/// As for [`check`].
pub fn check_each(agent: &Path, workers: usize, oracles: &[&dyn Oracle]) -> Result<Vec<Checked>, Problem> {
    compare::check(agent, workers, oracles)
}

/// Runs the assertions of sendmail's test programs and asks the model about each.
///
/// # Errors
/// As for [`check`].
pub fn sendmail_programs(agent: &Path) -> Result<Vec<Program>, Problem> {
    sendmail::run(&mut Kernel::start(agent)?, &Model)
}
