//! `wrapper-configure` with the real wrappers, real owners and modes, and the kernel's set-group-ID bit.
//!
//! Each test runs in a mount namespace of its own, with a root directory in memory; see `sandbox`.

mod check;
mod examples;
mod hostile;
mod install;
#[path = "../../../../lab/tests/support/required.rs"]
mod required;
mod sandbox;
mod seal;
mod site;
mod starts;
