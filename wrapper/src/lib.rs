//! Set-group-ID wrappers that an auditor can read in an hour.
//!
//! `src/bin/mail-wrapper.rs` and `src/bin/cgi-wrapper.rs` are the programs; each reads top to bottom.

#![deny(unsafe_code)]

pub mod credentials;
pub mod policy;

pub mod sys;
