//! The decoder of the sealed section. What it takes has one form only, and is within every bound; what it refuses it
//! refuses with a line.
//!
//! An input is text, so that it can be read, and so that a changed body still has the checksum for it:
//!
//! ```text
//! kind 1
//! record 1 \x08\x00\x00\x00
//! raw \xff
//! version 2
//! ```
//!
//! `record` appends a tag, the length and a value; `raw` appends bytes. `version`, `length`, `checksum` and `after` then put
//! something else into header and padding.

use crate::Finding;
use crate::properties::line_fault;
use crate::seal::{self, Section};
use crate::tally::Tally;
use lab_invocation::Bytes;
use wrapper::policy::{
    BODY_OFFSET, CHECKSUM_OFFSET, Kind, LENGTH_OFFSET, PATH_MAX, Policy, SCRIPT_NAME_MAX, SECTION_SIZE, Task,
    VERSION_OFFSET, decode, kind_of,
};
use wrapper::refusal::Refusal;

pub(super) fn check(data: &[u8], tally: &Tally) -> Result<bool, Finding> {
    let Some(section) = std::str::from_utf8(data).ok().and_then(parse) else { return Ok(false) };
    for kind in [Kind::Mail, Kind::Cgi] {
        match decode(&section, kind) {
            Ok(policy) => {
                sound(&section, kind, &policy)?;
                tally.count("canonical");
                tally.count("sound");
            }
            Err(error) => {
                let line = Refusal::Policy(error).line(kind);
                if let Some(what) = line_fault(line.text()) {
                    return Err(Finding { check: "unsound", what });
                }
                tally.count("unsound");
            }
        }
    }
    Ok(true)
}

fn sound(section: &Section, kind: Kind, policy: &Policy<'_>) -> Result<(), Finding> {
    let broken = |what: String| Err(Finding { check: "sound", what });
    if kind_of(section) != Ok(kind) || policy.task.kind() != kind {
        return broken(format!("taken as a policy for {}: {policy:?}", kind.program()));
    }
    let printable = |text: &&str| !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let (commands, page) = match &policy.task {
        Task::Mail { commands } => (commands.as_slice(), None),
        Task::Cgi { script } => (&[][..], Some(*script)),
    };
    let names = commands.iter().copied().chain(page);
    let mut texts = [policy.trusted.name, policy.own.name, policy.owner.name, policy.prefix].into_iter();
    let path = |path: &str| {
        let mut steps = path.split('/');
        path.len() <= PATH_MAX && steps.next() == Some("") && steps.all(|step| !matches!(step, "" | "." | ".."))
    };
    let name = |name: &str| name.len() <= SCRIPT_NAME_MAX && !name.contains('/') && !name.starts_with(['.', '-']);
    let interpreter = policy.interpreter.as_ref();
    let bounded = texts.all(|text| printable(&text))
        && path(policy.prefix)
        && interpreter.is_none_or(|found| path(found.path) && found.flags.iter().all(|flag| flag.starts_with('-')))
        && names.clone().all(|text| printable(&text) && name(text))
        && names.count() > 0
        && policy.variables.iter().all(|name| !matches!(*name, "PATH" | "HTTP_PROXY") && !name.contains('='))
        && policy.owner.uid != u32::MAX;
    if !bounded {
        return broken(format!("beyond what a policy may say: {policy:?}"));
    }
    let again = seal::body(&seal::records_of(policy)).and_then(|body| seal::section(kind.as_raw(), &body));
    if again.as_ref() != Some(section) {
        return Err(Finding { check: "canonical", what: format!("two sections say {policy:?}") });
    }
    Ok(())
}

fn parse(text: &str) -> Option<Section> {
    let (mut kind, mut body) = (Kind::Mail.as_raw(), Vec::new());
    let mut after: Vec<(usize, Vec<u8>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "kind" => kind = value.parse().ok()?,
            "record" => {
                let (tag, value) = value.split_once(' ').unwrap_or((value, ""));
                body.extend(seal::body(&[(tag.parse().ok()?, Bytes::from_text(value).ok()?.0)])?);
            }
            "raw" => body.extend(Bytes::from_text(value).ok()?.0),
            "version" => after.push((VERSION_OFFSET, value.parse::<u16>().ok()?.to_le_bytes().into())),
            "length" => after.push((LENGTH_OFFSET, value.parse::<u32>().ok()?.to_le_bytes().into())),
            "checksum" => after.push((CHECKSUM_OFFSET, value.parse::<u64>().ok()?.to_le_bytes().into())),
            "after" => after.push((BODY_OFFSET + body.len(), Bytes::from_text(value).ok()?.0)),
            _ => return None,
        }
    }
    if body.len() > SECTION_SIZE - BODY_OFFSET {
        return None;
    }
    let mut section = seal::section(kind, &body)?;
    for (place, bytes) in after {
        seal::put(&mut section, place, &bytes);
    }
    Some(section)
}
