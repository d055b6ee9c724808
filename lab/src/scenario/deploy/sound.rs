//! Cases that can be read, and would prove nothing.

use super::{Case, Fate, File, Form, GROUP, SENDER, Starts};

/// What would make a case say nothing, or something else than it seems to.
pub(super) fn refuse_unsound(file: &File, case: &Case) -> Result<(), &'static str> {
    let lost = case.mismatch.as_ref().map(|mismatch| &mismatch.says);
    let says = [Some(&case.says), lost, case.without_bit.as_ref().map(|without| &without.says)];
    let unnoticed = case.mismatch.as_ref().and_then(|mismatch| mismatch.unnoticed.as_ref());
    let beside = unnoticed.into_iter().flat_map(|unnoticed| [&unnoticed.logs, &unnoticed.never]);
    let anew = case.mismatch.as_ref().and_then(|mismatch| mismatch.refused_anew.as_ref());
    if anew.is_some_and(|anew| anew.logs.is_empty()) || anew.is_some() && unnoticed.is_none() {
        return Err(
            "`refused-anew` has something in `logs`, and is for what is `unnoticed`: a server that says why tells it itself",
        );
    }
    let beside = beside.chain(anew.map(|anew| &anew.logs));
    let shown = case.shows.as_ref().map(|shows| &shows.says);
    if says.into_iter().flatten().chain(beside).chain(shown).flatten().any(String::is_empty) {
        return Err("an empty text in `says` is in every log");
    }
    if case.shows.as_ref().is_some_and(|shows| shows.script.is_empty() || shows.says.is_empty()) {
        return Err("`shows` has something to do, and says what comes of it");
    }
    let sent = case.mismatch.as_ref().is_some_and(|mismatch| mismatch.fate == Fate::Sent);
    if sent != unnoticed.is_some() || unnoticed.is_some_and(|unnoticed| unnoticed.logs.is_empty()) {
        return Err("a lost message that is `sent` is `unnoticed`, with what the log says beside it, and no other is");
    }
    if case.to == SENDER {
        return Err("`to` is who sends the messages, so that what comes back to him would be taken for the message");
    }
    let Starts::Program(program) = &case.starts else { return Ok(()) };
    if case.mismatch.as_ref().is_some_and(|mismatch| mismatch.trusts == program.group) {
        return Err("`trusts` is the group that the server has, so that there is no mismatch");
    }
    if file.carrier.is_some() && (program.group == GROUP || program.effective_group != program.group) {
        return Err("on a `carrier` the effective group is the real one, and another than the wrapper's own");
    }
    Ok(())
}

/// Of a file that asks for the ends of a program: that it does so of a mail server, completely, and of nothing else.
pub(super) fn refuse_ends(file: &File) -> Result<(), String> {
    let Some(ends) = &file.ends else { return Ok(()) };
    if file.form == Form::Web {
        return Err("`ends` is for a mail server: a web server goes by what the program prints".to_owned());
    }
    if file.carrier.is_some() || file.cases.iter().any(|case| case.mismatch.is_some()) {
        return Err(
            "with `ends` there is no `carrier` and no `mismatch`, whose messages would wait beside these".to_owned()
        );
    }
    if file.cases.iter().any(|case| case.control && case.starts == Starts::Nothing) {
        return Err("with `ends` the control starts a program".to_owned());
    }
    ends.check()
}
