//! # A refusal repeats what the caller wrote
//!
//! Bytes that the caller chose came back in the refusal: on standard error, in the log, or in a page.
//!
//! ## What happened
//!
//! The subject refused, and its text contains an argument, the program name or an environment value
//! of its caller.
//!
//! ## Why
//!
//! It is tempting to say what was wrong by repeating it. But the caller of a refused start is a
//! stranger, and the text goes where he cannot write himself: a terminal which obeys escape
//! sequences, a log whose lines he can then forge with a line break, a bounce to a third person, a
//! web page that runs his script. A `%s` in the wrong place makes it worse: Mailman 2.0 beta 3 and 4
//! handed it to a format string (CVE-2000-0701).
//!
//! ## How to see it
//!
//! Start the wrapper with a recognisable argument and look for it: `WRAPPER $'x\033[31mEVIL\nline'
//! 2>&1 | cat -v`, and in the mail log.
//!
//! ## Looks the same but is not
//!
//! - Group names and numbers: they come from the policy and from /etc/group, which the caller cannot
//!   write.
//! - What the *script* prints: it runs for a caller who was admitted.
//!
//! ## Fixes and their price
//!
//! - Print nothing of the caller's: name the kind of thing that is wrong and what is allowed. The
//!   price: the administrator has to find the command in the server's own log, which has it.
//!
//! ## Do not
//!
//! - Do not escape instead. What is dangerous depends on who reads it, and the next reader is another
//!   one.

use super::Finding;
use super::facts::{Facts, wants_refusal};
use crate::case::{Case, Outcome};
use crate::finding::{Certainty, Diagnosis};
use lab_invocation::Bytes;

const CODE: &str = "caller-text-echoed";
/// Shorter pieces may stand in any text by chance.
const RECOGNISABLE: usize = 4;

pub(super) const FINDING: Finding = Finding { code: CODE, file: include_str!("caller_text_echoed.rs"), find, shown_by };

fn shown_by(case: &Case, wanted: &Outcome) -> bool {
    wants_refusal(wanted) && !chosen(case).is_empty()
}

/// What the caller chose and no honest refusal would say: its place and its bytes.
fn chosen(case: &Case) -> Vec<(String, Vec<u8>)> {
    let policy = &case.subject.policy;
    let honest: Vec<&[u8]> = [case.subject.path.as_slice(), policy.prefix.as_slice()]
        .into_iter()
        .chain(policy.commands.iter().map(Bytes::as_slice))
        .chain(policy.script.iter().map(Bytes::as_slice))
        .chain(case.names.groups.values().map(String::as_bytes))
        .chain(case.names.users.values().map(String::as_bytes))
        .collect();
    let arguments = case.invocation.argv.iter().enumerate().map(|(at, text)| (format!("argv[{at}]"), text.as_slice()));
    let quiet = lab_invocation::Invocation::quiet(Bytes::default(), case.invocation.identity.clone());
    let variables = case.invocation.env.iter().filter(|entry| !quiet.env.contains(entry)).map(|entry| {
        let at = entry.0.iter().position(|&byte| byte == b'=').map_or(0, |at| at + 1);
        (format!("environment entry {}", Bytes::from(&entry.0[..at])), &entry.0[at..])
    });
    let mut pieces = Vec::new();
    for (place, text) in arguments.chain(variables) {
        // What was captured of an output is bounded, and the beginning of a piece tells as much.
        let text = &text[..text.len().min(4096)];
        if text.len() > 1 && text.iter().any(|byte| !(b' '..=b'~').contains(byte)) {
            pieces.push((place.clone(), text.to_vec()));
        }
        for piece in text.split(|byte| byte.is_ascii_control()) {
            let is_word = !honest.iter().any(|honest| contains(honest, piece));
            if piece.len() >= RECOGNISABLE && is_word {
                pieces.push((place.clone(), piece.to_vec()));
            }
        }
    }
    pieces
}

fn find(facts: &Facts<'_>) -> Option<Diagnosis> {
    if facts.started() || !facts.wants_refusal() {
        return None;
    }
    let mut echoes: Vec<(&'static str, String)> = Vec::new();
    for (place, piece) in chosen(facts.case) {
        for (source, bytes) in facts.outputs().filter(|(_, bytes)| contains(bytes.as_slice(), &piece)) {
            let raw = bytes.0.iter().any(|&byte| byte < 0x20 && byte != b'\n' && byte != b'\r');
            let raw = if raw { ", with control bytes" } else { "" };
            let shown: String = Bytes(piece.clone()).to_text().chars().take(60).collect();
            echoes.push((source, format!("contains {shown:?} of {place}{raw}")));
        }
    }
    let (source, first) = echoes.first()?;
    let cause = format!("The refusal repeats what its caller wrote: {source} {first}.");
    // With another refusal than the one that must come, the echo may be a consequence of what went wrong before.
    let status = facts.differences.iter().any(|difference| difference.field == "exit");
    let certainty = if status { Certainty::Possible } else { Certainty::Certain };
    let diagnosis = Diagnosis::new(CODE, certainty, cause);
    Some(echoes.into_iter().fold(diagnosis, |diagnosis, (source, shows)| diagnosis.saw(source, shows)).remedy(
        "print nothing that the caller chose",
        &["in the wrapper: refusal texts made of constants, group names and numbers only"],
        "the administrator finds the command in the server's own log",
    ))
}

fn contains(text: &[u8], piece: &[u8]) -> bool {
    piece.is_empty() || text.windows(piece.len()).any(|window| window == piece)
}
