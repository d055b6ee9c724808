//! The oracle: what Linux does with ids, and what a wrapper must decide. Pure functions over plain data; no input or
//! output, no dependencies, and no code shared with the programs that it judges.
//!
//! | part | modules |
//! |---|---|
//! | credentials of a process | [`ids`], [`capability`], [`namespace`], [`process`] |
//! | what the kernel does | [`setid`] (set*id calls and setgroups), [`exec`] (execve of a set-id file), [`files`] (path look-up), [`arguments`] (their size) |
//! | what a wrapper decides | [`policy`], [`group_database`], [`rules`] (foreign wrappers as data), [`decide()`], [`decision`] |
//! | what the tool answers that installs one | [`configure`] |
//!
//! Each rule names its source: a manual page with section, or a file and function of the Linux source. `lab model check`
//! compares the kernel rules with the running kernel.

#![forbid(unsafe_code)]

pub mod arguments;
pub mod capability;
pub mod configure;
mod decide;
pub mod decision;
pub mod environment;
pub mod exec;
pub mod files;
pub mod group_database;
pub mod ids;
pub mod namespace;
pub mod policy;
pub mod process;
pub mod rules;
pub mod setid;
pub mod start;

pub use decide::decide;
pub use decision::{Child, Decision, Outcome};
pub use policy::Policy;
pub use process::Process;
pub use rules::Rules;
pub use start::Start;

/// A byte string: paths, arguments and environment entries are bytes for the kernel.
pub type Bytes = Vec<u8>;

/// Bytes for a sentence: what is not printable ASCII appears as an escape.
pub(crate) fn show(bytes: &[u8]) -> std::slice::EscapeAscii<'_> {
    bytes.escape_ascii()
}
