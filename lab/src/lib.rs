//! The lab: starts set-group-ID wrappers under every identity, mount and environment that matters, compares what
//! happened with what an independent model says must happen, explains every difference, records it and replays it.
//!
//! Reading order, each module using only those below it:
//!
//! `cli` → `report` → `record` → `run` → {`backend`, `diagnose`, `judge`} → `predict` → `profile` → `scenario` → [`case`],
//! [`verdict`], [`finding`], [`capability`], [`saying`]
//!
//! Beside the chain: [`fuzz`] makes starts that no file has, on `run` and all below it; [`incident`] says what a pasted text means, [`here`] what this machine shows of it.

#![forbid(unsafe_code)]

pub mod backend;
pub mod capability;
pub mod case;
pub mod cli;
pub mod copy_on_write;
#[cfg(feature = "docker")]
pub mod deploy;
pub mod diagnose;
pub mod finding;
pub mod fuzz;
pub mod here;
#[cfg(feature = "docker")]
pub mod images;
pub mod incident;
pub mod judge;
pub mod model_check;
pub mod predict;
pub mod problem;
pub mod profile;
pub mod record;
pub mod report;
pub mod run;
pub mod saying;
pub mod scenario;
pub mod schema;
pub mod specimens;
pub mod verdict;
