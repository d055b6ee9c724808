//! Whose text it is, and how that is known.

use super::library::{Library, Pattern, Server};
use super::scan::{Found, Sighting};
use crate::finding::Certainty;

/// The server of a sighting.
#[derive(Debug)]
pub(super) struct Attribution<'l> {
    /// `None`: it cannot be told.
    pub(super) server: Option<&'l Server>,
    pub(super) certainty: Certainty,
    pub(super) because: String,
}

/// Whose text a sighting is from: by its own words, by those of its record, by what else is in the text.
pub(super) fn attribute<'l>(
    library: &'l Library,
    pattern: &Pattern,
    sighting: &Sighting,
    found: &Found,
) -> Attribution<'l> {
    if let Some(id) = &pattern.server {
        let server = library.servers.iter().find(|server| server.id == *id);
        return Attribution { server, certainty: Certainty::Certain, because: "the words are its own".to_owned() };
    }
    let indices =
        |keep: &dyn Fn(usize) -> bool| -> Vec<usize> { (0..library.servers.len()).filter(|&at| keep(at)).collect() };
    let nearby = indices(&|at| sighting.servers & 1 << at != 0);
    let anywhere = indices(&|at| found.traces.contains_key(&at));
    let (among, certainty, place) = if nearby.is_empty() {
        (anywhere, Certainty::Likely, "elsewhere in the text")
    } else {
        (nearby, Certainty::Certain, "in the same record")
    };
    match among.as_slice() {
        [] => none("nothing in the text gives it away".to_owned()),
        [one] => {
            let server = library.servers.get(*one);
            let trace = found.traces.get(one);
            let mark = trace.and_then(|trace| Some((server?.marks.get(trace.mark)?, trace.line)));
            let because = mark.map_or_else(String::new, |(mark, line)| {
                let (says, source) = (mark.says.trim(), &mark.source);
                match certainty {
                    Certainty::Certain => format!("`{says}` {place} [{source}]"),
                    _ => format!("`{says}` in line {line}, and nothing of another server [{source}]"),
                }
            });
            Attribution { server, certainty, because }
        }
        several => {
            let names: Vec<&str> =
                several.iter().filter_map(|&at| library.servers.get(at)).map(|server| server.name.as_str()).collect();
            none(format!("words of {} are {place}", names.join(" and of ")))
        }
    }
}

fn none<'l>(because: String) -> Attribution<'l> {
    Attribution { server: None, certainty: Certainty::Possible, because }
}
