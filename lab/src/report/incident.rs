//! The answer to a pasted text, for people.

use crate::incident::{Answer, Because, Candidate, Mismatch, Reading};
use crate::report::failure::{called, fix};
use crate::report::text::{BAD, DOUBT, HEAD, counted, labelled, paint};
use std::fmt::Write as _;

/// How much of a text is quoted, in characters.
const QUOTED: usize = 400;

/// The text. `lab` is how the program is called.
pub(crate) fn incident(answer: &Answer, lab: &str, width: usize) -> String {
    let mut out = String::new();
    for (number, reading) in answer.readings.iter().enumerate() {
        let again = answer.readings.iter().take(number).any(|other| other.pattern == reading.pattern);
        if number > 0 {
            out.push('\n');
        }
        out.push_str(&one(reading, again, lab, width));
    }
    if answer.readings.is_empty() {
        let _ = writeln!(out, "{}", paint(DOUBT, "It cannot be told from this text"));
        let read = format!(
            "{}; nothing that a wrapper, a queue program or a server is known to say",
            counted(usize::try_from(answer.lines).unwrap_or(usize::MAX), "line")
        );
        out.push_str(&labelled("read", &read, width));
        out.push_str(&labelled("look at", LOOK, width));
    }
    for note in &answer.notes {
        out.push_str(&labelled("note", note, width));
    }
    out
}

/// What to paste instead.
const LOOK: &str = "the wrapper's own line in syslog (facility mail, `Mailman mail-wrapper`, `Mailman cgi-wrapper`, \
                    `mail-wrapper`, `cgi-wrapper`), the server's line of the same second, and the whole bounce with its \
                    transcript";

/// `again`: the same wording with other values came before, and what it means was said there.
fn one(reading: &Reading, again: bool, lab: &str, width: usize) -> String {
    let (kind, style) = match reading.mismatch {
        Mismatch::Yes => ("GROUP MISMATCH", BAD),
        Mismatch::Perhaps => ("PERHAPS A GROUP MISMATCH", DOUBT),
        Mismatch::No => ("NO GROUP MISMATCH", DOUBT),
    };
    let place = if reading.times > 1 {
        format!("line {}, {} times", reading.line, reading.times)
    } else {
        format!("line {}", reading.line)
    };
    let mut out = format!("{}  {} ({place})\n", paint(style, kind), paint(HEAD, &reading.pattern));
    out.push_str(&labelled("said", &shortened(&reading.said), width));
    out.push_str(&labelled("happened", &reading.happened, width));
    for (label, group) in [("expected", &reading.expected), ("found", &reading.found)] {
        if let Some(group) = group {
            out.push_str(&labelled(label, &format!("group {group}"), width));
        }
    }
    // A program that no server starts has none.
    if reading.server.name.is_some() || reading.mismatch != Mismatch::No {
        out.push_str(&labelled("server", &server(reading), width));
    }
    for observation in &reading.here {
        out.push_str(&labelled("here", &format!("{} [{}]", observation.shows, observation.source), width));
    }
    if again {
        return out;
    }
    causes(&mut out, reading, width);
    if let Some(beware) = &reading.beware {
        out.push_str(&labelled("beware", beware, width));
    }
    for (remedy, letter) in reading.remedies.iter().zip('A'..='Z') {
        out.push('\n');
        fix(&mut out, letter, remedy, width);
    }
    out.push('\n');
    if let Some(command) = &reading.reproduce {
        out.push_str(&labelled("reproduce", &called(command, lab), width));
    }
    out.push_str(&labelled("wording", &reading.source, width));
    out
}

fn server(reading: &Reading) -> String {
    let whose = &reading.server;
    match &whose.name {
        Some(name) => format!("{name} ({}): {}", whose.certainty, whose.because),
        None => format!("cannot be told from this text: {}", whose.because),
    }
}

fn causes(out: &mut String, reading: &Reading, width: usize) {
    let how = match reading.because {
        Because::Told => "the text says it",
        Because::Usual => "the first is usual, and the text does not rule out the others",
        Because::Open => "cannot be told from this text",
    };
    match reading.causes.as_slice() {
        [only] => out.push_str(&labelled("why", &format!("{} ({how}): {}", only.cause, only.what), width)),
        several => {
            out.push_str(&labelled("why", &format!("{how}; one of these:"), width));
            for candidate in several {
                out.push_str(&labelled("", &candidate_line(candidate), width));
            }
        }
    }
    let Some(tell) = &reading.tell else { return };
    let label = if reading.causes.len() > 1 { "tell apart" } else { "confirm" };
    out.push_str(&labelled(label, tell, width));
    for candidate in reading.causes.iter().filter(|_| reading.causes.len() > 1) {
        if let Some(shows) = &candidate.shows {
            out.push_str(&labelled("", &format!("→ {shows}: {}", candidate.cause), width));
        }
    }
    if let Some(look) = &reading.server.look {
        out.push_str(&labelled("look at", look, width));
    }
}

fn candidate_line(candidate: &Candidate) -> String {
    let rare = if candidate.rare { ", rare" } else { "" };
    format!("{}{rare}: {}", candidate.cause, candidate.what)
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= QUOTED {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(QUOTED).collect::<String>())
}
