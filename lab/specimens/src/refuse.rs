//! How a specimen refuses.

use crate::Flaw;
use std::io::Write;
use wrapper::policy::{Kind, RefusalStyle};
use wrapper::refusal::Refusal;
use wrapper::report;
use wrapper::sys::Arguments;

/// Says why, and gives the exit status.
pub(crate) fn refuse(refusal: &Refusal<'_>, kind: Kind, style: RefusalStyle, flaw: Flaw, arguments: Arguments) -> u8 {
    match (flaw, refusal) {
        (Flaw::EchoesEscapeByte, Refusal::UnknownCommand { .. }) => {
            let argument = arguments.to_vec().get(1).copied().unwrap_or_default();
            say(&[refusal.line(kind).as_bytes(), b", not ", argument.to_bytes()].concat());
        }
        (Flaw::RepeatsItsRefusal, _) => (0..1000).for_each(|_| say(refusal.line(kind).as_bytes())),
        (Flaw::BlocksOnFullPipe, _) => say(refusal.line(kind).as_bytes()),
        (Flaw::WaitsForAName, Refusal::Nameless { .. }) => loop {
            nix::unistd::pause();
        },
        _ => report::deliver(refusal, kind),
    }
    if flaw == Flaw::ExitsZeroOnRefusal { 0 } else { refusal.exit_code(style) }
}

/// For as long as it takes, which is what the honest way takes care not to do.
fn say(line: &[u8]) {
    let _ = std::io::stderr().write_all(&[line, b"\n"].concat());
}
