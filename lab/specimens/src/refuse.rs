//! How a specimen refuses.

use crate::Flaw;
use std::io::Write;
use wrapper::policy::{Kind, RefusalStyle};
use wrapper::refusal::Refusal;
use wrapper::report;
use wrapper::surroundings::AccountName;
use wrapper::sys::Strings;

/// Says why, and gives the exit status.
pub(crate) fn refuse(refusal: &Refusal<'_>, kind: Kind, style: RefusalStyle, flaw: Flaw, mut arguments: Strings) -> u8 {
    match (flaw, refusal) {
        (Flaw::EchoesEscapeByte, Refusal::UnknownCommand { .. }) => {
            let argument = arguments.nth(1).unwrap_or_default();
            // To say too much is another specimen's flaw.
            let shown = Some(argument.to_bytes()).filter(|shown| shown.len() <= 100_000).unwrap_or_default();
            say(&[refusal.line(kind).text(), b", not ", shown].concat());
        }
        (Flaw::RepeatsItsRefusal, _) => (0..1000).for_each(|_| say(refusal.line(kind).text())),
        (Flaw::BlocksOnFullPipe, _) => say(refusal.line(kind).text()),
        (Flaw::WaitsForAName, Refusal::Mismatch { name: AccountName::Nameless, .. }) => loop {
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
