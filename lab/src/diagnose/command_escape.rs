//! # Something else than the allowed script was started
//!
//! The wrapper started a program which its policy does not allow, from a place where it should not
//! look, or which others can change.
//!
//! ## What happened
//!
//! One of three things: a command that is not on the list was obeyed; the program that started is not
//! PREFIX/scripts/COMMAND; or the wrapper had to refuse because the script, or a directory on the way
//! to it, can be written by others, and did not.
//!
//! ## Why
//!
//! - The argument is joined to a directory without being compared with the list: `../bin/x`,
//!   `post/../x`.
//! - The comparison is not exact: a prefix, another case of letters, the part behind the last slash.
//! - The script is looked up by name: execvp(3), `system`, a shell. The caller's PATH then decides.
//! - argv[0], a query string or PATH_INFO chooses the script (CGI).
//! - Owner and mode of what is started are not looked at.
//!
//! ## How to see it
//!
//! The observations name the path by which the witness was executed. By hand: put a program named
//! `post` into /tmp/x, start `PATH=/tmp/x WRAPPER post announce`, and see which one runs.
//!
//! ## Looks the same but is not
//!
//! - Arguments after the command: they are the script's business, and are passed on byte for byte.
//! - `argument-before-caller`: the argument was refused, but too early.
//!
//! ## Fixes and their price
//!
//! - Compare the whole argument with the closed list, and execute a path made of the sealed prefix
//!   and the *listed* name. The price: a new script needs a new policy.
//! - Refuse a script that others can write: nothing on the way but root's, the sealed owner's or the
//!   own group's. The price: an installation with loose modes stops working until `wrapper-configure
//!   check --fix` has been run.
//!
//! ## Do not
//!
//! - Do not remove slashes or dots from the argument and go on: what remains was not what the caller
//!   asked for.

use super::Finding;
use super::facts::{Facts, wants_refusal};
use crate::case::{Case, Kind, Outcome};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::evidence::WitnessReport;

const CODE: &str = "command-escape";

pub(super) const FINDING: Finding = Finding { code: CODE, file: include_str!("command_escape.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    let path_is_judged = wanted.script.as_ref().is_some_and(|script| script.path.is_some());
    let page_is_judged =
        case.subject.policy.kind == Kind::Cgi && wanted.script.as_ref().is_some_and(|script| script.argv.is_some());
    path_is_judged || page_is_judged || (wants_refusal(wanted) && matches!(wanted.exit, Some(4..=6)))
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    let argument = facts.case.invocation.argv.get(1).map_or_else(|| "none".to_owned(), |text| format!("\"{text}\""));
    let (certainty, cause) = match facts.script() {
        Some(script) => (Certainty::Certain, started(facts, script, &argument)?),
        None => (Certainty::Likely, looked_for(facts, &argument)?),
    };
    let ran =
        facts.script().map_or_else(|| facts.script_text(), |script| format!("it was executed as {}", script.exec_path));
    Some(
        Diagnosis::new(CODE, certainty, cause)
            .saw("witness", ran)
            .saw("wait status", facts.end_text())
            .saw("the invocation, as the lab arranged it", format!("the first argument is {argument}"))
            .remedy(
                "start only listed names, by absolute path, after looking at owner and mode",
                &["in the wrapper: exact comparison with the list, execve(2) of PREFIX/scripts/NAME, never execvp(3)"],
                "a new script needs a new policy",
            )
            .then(facts.in_shell(&format!("ls -lanR {}/scripts", facts.case.subject.policy.prefix))),
    )
}

/// What was started and should not have been.
fn started(facts: &Facts<'_>, script: &WitnessReport, argument: &str) -> Option<String> {
    let wanted = facts.wanted.script.as_ref();
    let ran = &script.exec_path;
    if let Some(path) = wanted.and_then(|script| script.path.as_ref()).filter(|&path| path != ran) {
        return Some(format!("The program that started is {ran}; it had to be {path}."));
    }
    // For CGI the page is the script's only argument, and sealed; for mail the arguments are the caller's.
    let page = wanted.and_then(|script| script.argv.as_ref()).and_then(|argv| argv.last());
    if let Some(page) = page.filter(|_| facts.case.subject.policy.kind == Kind::Cgi)
        && script.argv.last() != Some(page)
    {
        let found = script.argv.last().map_or_else(|| "none".to_owned(), |found| format!("\"{found}\""));
        return Some(format!("The page that was asked of {ran} is {found}; it is sealed to be \"{page}\"."));
    }
    if !facts.admitted() || !facts.wants_refusal() {
        return None;
    }
    match facts.wanted_status? {
        4 => Some(format!("{ran} was started, although it had to be refused: {}.", facts.case.expected)),
        5 | 6 => Some(format!("The argument {argument} had to be refused, and {ran} was started for it.")),
        _ => None,
    }
}

/// An argument that had to be refused was taken for a file, which then could not be started.
fn looked_for(facts: &Facts<'_>, argument: &str) -> Option<String> {
    let had_to_be_refused = facts.wants_refusal() && facts.wanted_status == Some(6);
    (had_to_be_refused && facts.refusal() == Some(4)).then(|| {
        format!("The argument {argument} had to be refused; instead it was looked for as a file, which could not be started.")
    })
}
