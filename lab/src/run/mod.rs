//! Running cases: builds and seals the subjects, selects, hands cases to workers, turns evidence into verdicts and
//! everything into events.

pub mod collect;
pub mod engine;
pub mod event;
pub mod exit;
pub mod in_order;
pub mod interrupt;
pub mod plan;
pub mod programs;
pub mod seal;
pub mod section;
pub mod select;
pub mod session;
pub mod shell;
pub mod tree;
pub mod verdict;
pub mod waiver;
pub mod words;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
