//! What people and other programs read: the terminal, JUnit, JSON lines, the matrix. Everything is made from the
//! events of a run, so a record shows the same as the run did.

pub(crate) mod failure;
mod grid;
pub mod output;
pub mod terminal;
mod text;
