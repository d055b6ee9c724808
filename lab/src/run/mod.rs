//! Running cases: builds and seals the subjects, selects, hands cases to workers, turns evidence into verdicts and
//! everything into events.

pub mod event;
pub mod exit;
