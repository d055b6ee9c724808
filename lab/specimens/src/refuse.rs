//! How a specimen refuses.

use crate::{Flaw, start};
use std::io::Write;
use std::process::ExitCode;
use wrapper::policy::{Kind, RefusalStyle};
use wrapper::refusal::Refusal;
use wrapper::report;

/// Says why, and gives the exit status.
pub(crate) fn refuse(refusal: &Refusal<'_>, kind: Kind, style: RefusalStyle, flaw: Flaw) -> ExitCode {
    match (flaw, refusal) {
        (Flaw::EchoesEscapeByte, Refusal::UnknownCommand { .. }) => {
            let argument = start::arguments().into_iter().nth(1).unwrap_or_default();
            say(&[refusal.line(kind).as_bytes(), b", not ", argument.as_bytes()].concat());
        }
        (Flaw::BlocksOnFullPipe, _) => say(refusal.line(kind).as_bytes()),
        (Flaw::WaitsForAName, Refusal::Nameless { .. }) => loop {
            nix::unistd::pause();
        },
        _ => report::deliver(refusal, kind),
    }
    let code = if flaw == Flaw::ExitsZeroOnRefusal { 0 } else { refusal.exit_code(style) };
    ExitCode::from(code)
}

/// For as long as it takes, which is what the honest way takes care not to do.
fn say(line: &[u8]) {
    let _ = std::io::stderr().write_all(&[line, b"\n"].concat());
}
