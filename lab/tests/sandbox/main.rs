//! The namespace backend against the real kernel: that a condition which a case asks for is really in force is seen from
//! inside, by the witness.
//!
//! Needs root, or an ordinary user with subordinate ids. Without, the tests are skipped, and say so; `LAB_REQUIRE`
//! turns that into a failure; see `required`.

#[path = "../support/chance.rs"]
mod chance;
mod evidence;
mod faults;
mod fixtures;
mod preflight;
mod regain;
#[path = "../support/required.rs"]
mod required;
mod robust;
mod room;
mod secure_mode;
mod set_group_id;
mod shell;
mod unruly;
