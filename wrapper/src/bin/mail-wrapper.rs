//! Starts a mailing list script for the mail server, with the group of the mailing list manager.

#![deny(unsafe_code)]

use std::process::ExitCode;
use wrapper::policy::{self, Kind};

fn main() -> ExitCode {
    let section = wrapper::sealed_policy!(Kind::Mail);
    // Nothing can be started yet, whatever the policy says.
    match policy::decode(&section, Kind::Mail) {
        Err(_) => ExitCode::from(10),
        Ok(_) => ExitCode::from(4),
    }
}
