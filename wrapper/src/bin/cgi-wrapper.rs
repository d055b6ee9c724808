//! Starts a page of the mailing list manager for the web server, with the group of the mailing list manager.

#![deny(unsafe_code)]

use std::process::ExitCode;
use wrapper::policy::{self, Kind};

fn main() -> ExitCode {
    let section = wrapper::sealed_policy!(Kind::Cgi);
    // Nothing can be started yet, whatever the policy says.
    match policy::decode(&section, Kind::Cgi) {
        Err(_) => ExitCode::from(10),
        Ok(_) => ExitCode::from(4),
    }
}
