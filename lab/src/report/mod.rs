//! What people and other programs read: the terminal, JUnit, JSON lines, the matrix. Everything is made from the
//! events of a run, so a record shows the same as the run did.

pub mod case;
pub mod coverage;
pub(crate) mod failure;
pub(crate) mod fuzz;
pub mod github;
mod grid;
pub(crate) mod incident;
pub mod junit;
pub mod output;
pub mod progress;
pub mod sinks;
pub mod start;
pub mod terminal;
#[cfg(test)]
mod tests;
pub(crate) mod text;
