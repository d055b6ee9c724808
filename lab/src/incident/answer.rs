//! What a text means, as data.

use super::library::{Class, Library, Pattern, Server, Side, Step};
use super::scan::{Found, Sighting};
use super::server::{Attribution, attribute};
use crate::finding::{Certainty, Observation, Remedy};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How far apart, in lines, two statements about one event may stand.
const NEAR: u64 = 12;

/// Groups that processes get who were thought to have no rights at all.
const OPEN_GROUPS: [&str; 9] = ["nobody", "nogroup", "nfsnobody", "daemon", "users", "99", "65534", "100", "1"];

/// The answer to a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    /// What was recognised, group mismatches first, else in the order of the text. Empty: it cannot be told from this text.
    pub readings: Vec<Reading>,
    /// How much was read.
    pub bytes: u64,
    /// How many lines that were.
    pub lines: u64,
    /// What the answer leaves out, if anything.
    pub notes: Vec<String>,
}

/// One thing that was recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reading {
    /// Stable name of the wording.
    pub pattern: String,
    /// Where the wording is from.
    pub source: String,
    /// The text, cleaned.
    pub said: String,
    /// Line of the first time.
    pub line: u64,
    /// How often.
    pub times: u64,
    /// Whether a wrapper refused the real group of its caller.
    pub mismatch: Mismatch,
    /// What happened.
    pub happened: String,
    /// The group that was expected, name or number.
    pub expected: Option<String>,
    /// The group that was found.
    pub found: Option<String>,
    /// Whose text it is.
    pub server: Whose,
    /// Every cause that prints this.
    pub causes: Vec<Candidate>,
    /// How far the text tells the causes apart.
    pub because: Because,
    /// The one command that tells them apart, or that confirms the only one.
    pub tell: Option<String>,
    /// What it must not be taken for.
    pub beware: Option<String>,
    /// What can be done, with the price of each.
    pub remedies: Vec<Remedy>,
    /// The command that plays it.
    pub reproduce: Option<String>,
    /// Files whose owner, mode and mount matter.
    pub files: Vec<String>,
    /// Units whose settings matter.
    pub units: Vec<String>,
    /// What this machine shows; empty unless it was asked for.
    pub here: Vec<Observation>,
}

/// Whose text it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Whose {
    /// `None`: it cannot be told.
    pub name: Option<String>,
    /// How sure that is.
    pub certainty: Certainty,
    /// Why.
    pub because: String,
    /// Where more is to be found.
    pub look: Option<String>,
}

/// One cause of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Candidate {
    /// Stable name.
    pub cause: String,
    /// What kind of cause.
    pub class: Class,
    /// What it is, as the end of "because …".
    pub what: String,
    /// What the command shows if this is it.
    pub shows: Option<String>,
    /// Far less usual than the others.
    pub rare: bool,
    /// The command that plays it.
    pub reproduce: Option<String>,
}

/// How far a text tells its causes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// Nothing else prints this.
    Told,
    /// One cause is usual, the others are rare.
    Usual,
    /// It cannot be told from this text.
    Open,
}

/// Whether a wrapper refused the real group of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mismatch {
    /// The text says so.
    Yes,
    /// It is one of the causes that print this.
    Perhaps,
    /// It is not.
    No,
}

impl Mismatch {
    fn of(causes: &[Candidate]) -> Self {
        let mut usual = causes.iter().filter(|candidate| !candidate.rare);
        let is = |candidate: &Candidate| candidate.class == Class::GroupMismatch;
        if !causes.iter().any(is) {
            Self::No
        } else if usual.all(is) {
            Self::Yes
        } else {
            Self::Perhaps
        }
    }
}

impl Reading {
    /// The kinds of its causes, the rare ones left out.
    pub fn classes(&self) -> BTreeSet<Class> {
        self.causes.iter().filter(|candidate| !candidate.rare).map(|candidate| candidate.class).collect()
    }
}

/// Makes the answer of what was found.
pub(super) fn answer(library: &Library, found: Found) -> Answer {
    let mut readings: Vec<Reading> = found
        .sightings
        .iter()
        .filter(|sighting| !gives_way(library, sighting, &found.sightings))
        .filter_map(|sighting| Some(reading(library, library.patterns.get(sighting.pattern)?, sighting, &found)))
        .collect();
    readings.sort_by_key(|reading| (reading.mismatch, reading.line));
    let mut notes = Vec::new();
    if found.more > 0 {
        notes.push(format!("{} more of the same kinds, with other values, are left out", found.more));
    }
    Answer { readings, bytes: found.bytes, lines: found.lines, notes }
}

/// Whether another sighting says more of the same event.
fn gives_way(library: &Library, sighting: &Sighting, all: &[Sighting]) -> bool {
    let Some(own) = library.patterns.get(sighting.pattern) else { return true };
    all.iter().any(|other| {
        let Some(pattern) = library.patterns.get(other.pattern) else { return false };
        let near = other.first <= sighting.last + NEAR && sighting.first <= other.last + NEAR;
        near && (pattern.absorbs.contains(&own.id) || own.weak && !pattern.weak)
    })
}

fn reading(library: &Library, pattern: &Pattern, sighting: &Sighting, found: &Found) -> Reading {
    let whose = attribute(library, pattern, sighting, found);
    let side = side(pattern, sighting, whose.server);
    let mut values = sighting.holes.clone();
    let option = side.map_or_else(|| "--with-mail-gid or --with-cgi-gid".to_owned(), |side| side.option().to_owned());
    values.insert("option".to_owned(), option);
    let fill = |text: &str| fill(text, &values);
    let causes: Vec<Candidate> = pattern
        .cause
        .iter()
        .filter_map(|candidate| {
            let cause = library.causes.get(&candidate.is)?;
            Some(Candidate {
                cause: cause.id.clone(),
                class: cause.class,
                what: fill(&cause.what),
                shows: candidate.shows.as_deref().map(fill),
                rare: candidate.rare,
                reproduce: cause.lab.as_ref().map(|lab| format!("lab run {lab}")),
            })
        })
        .collect();
    let because = match (causes.len(), causes.iter().filter(|candidate| !candidate.rare).count()) {
        (1, _) => Because::Told,
        (_, 1) => Because::Usual,
        _ => Because::Open,
    };
    let mismatch = causes.iter().any(|candidate| candidate.class == Class::GroupMismatch);
    let of_server = whose.server.filter(|_| mismatch).map(|server| server.lab.as_str());
    let of_causes = pattern.cause.iter().filter(|candidate| !candidate.rare);
    let of_causes = of_causes.filter_map(|candidate| library.causes.get(&candidate.is)?.lab.as_deref());
    let played: Vec<&str> =
        if mismatch { of_server.or(of_causes.clone().next()).into_iter().collect() } else { of_causes.collect() };
    Reading {
        pattern: pattern.id.clone(),
        source: pattern.source.clone(),
        said: sighting.shown.clone(),
        line: sighting.first,
        times: sighting.times,
        mismatch: Mismatch::of(&causes),
        happened: fill(&pattern.happened),
        expected: values.get("expected").cloned(),
        found: values.get("found").cloned(),
        remedies: remedies(library, pattern, &whose, side, mismatch, &values),
        server: Whose {
            name: whose.server.map(|server| server.name.clone()),
            certainty: whose.certainty,
            because: whose.because,
            look: whose.server.map(|server| server.look.clone()),
        },
        causes,
        because,
        tell: pattern.tell.as_deref().map(fill),
        beware: pattern.beware.as_deref().map(fill),
        reproduce: (!played.is_empty()).then(|| format!("lab run {}", played.join(" "))),
        files: pattern.files.iter().map(|file| fill(file)).filter(|file| file.starts_with('/')).collect(),
        units: whose.server.map(|server| server.units.clone()).unwrap_or_default(),
        here: Vec::new(),
    }
}

/// Which wrapper it is about.
fn side(pattern: &Pattern, sighting: &Sighting, server: Option<&Server>) -> Option<Side> {
    let said = sighting.holes.get("wrapper").and_then(|wrapper| match wrapper.as_str() {
        "mail" => Some(Side::Mail),
        "CGI" => Some(Side::Web),
        _ => None,
    });
    said.or(pattern.side).or_else(|| server.map(|server| server.side))
}

/// Those of the server, then those of the wording, then those of each cause.
fn remedies(
    library: &Library,
    pattern: &Pattern,
    whose: &Attribution<'_>,
    side: Option<Side>,
    mismatch: bool,
    values: &BTreeMap<String, String>,
) -> Vec<Remedy> {
    let fits = |step: &&Step| step.side.is_none() || side.is_none() || step.side == side;
    let mut all: Vec<Remedy> = Vec::new();
    let own = whose.server;
    if mismatch {
        let told = values.contains_key("expected");
        let mut values = values.clone();
        values.entry("expected".to_owned()).or_insert_with(|| "THE-TRUSTED-ONE".to_owned());
        let mut of_server: Vec<Remedy> = match own.filter(|server| side.is_none_or(|side| side == server.side)) {
            Some(server) => server.remedy.iter().filter(fits).map(|step| remedy(library, own, step, &values)).collect(),
            None => vec![of_every_server(library, side, &values)],
        };
        if !told {
            of_server.iter_mut().for_each(|remedy| remedy.what.insert_str(0, "if other-group: "));
        }
        all.extend(of_server);
    }
    all.extend(pattern.remedy.iter().filter(fits).map(|step| {
        let remedy = remedy(library, own, step, values);
        if mismatch { widening(remedy, values) } else { remedy }
    }));
    for candidate in &pattern.cause {
        let steps = library.causes.get(&candidate.is).into_iter().flat_map(|cause| &cause.remedy);
        let several = pattern.cause.len() > 1;
        all.extend(steps.filter(fits).map(|step| {
            let mut remedy = remedy(library, own, step, values);
            if several {
                remedy.what = format!("if {}: {}", candidate.is, remedy.what);
            }
            remedy
        }));
    }
    all
}

/// Where the server is not known: the setting of each.
fn of_every_server(library: &Library, side: Option<Side>, values: &BTreeMap<String, String>) -> Remedy {
    let how: Vec<String> = library
        .servers
        .iter()
        .filter(|server| side.is_none_or(|side| side == server.side))
        .filter_map(|server| {
            let step = server.remedy.first()?;
            Some(format!("{}: {}", server.name, fill(step.how.first()?, values)))
        })
        .collect();
    let what =
        fill("let the server start the wrapper as group {expected}; the text does not say which server it is", values);
    Remedy { what, how, price: "trust stays as it is".to_owned() }
}

/// Trust in a group of nobody in particular is trust in everybody.
fn widening(mut remedy: Remedy, values: &BTreeMap<String, String>) -> Remedy {
    let found = values.get("found").map(String::as_str).unwrap_or_default();
    if OPEN_GROUPS.contains(&found) {
        remedy.price = format!(
            "{}; {found} is the group of programs that were thought to have no rights at all, so better not",
            remedy.price
        );
    }
    remedy
}

/// `own` is the server, if it is known: what is for another, `NAME: …`, is left out then.
fn remedy(library: &Library, own: Option<&Server>, step: &Step, values: &BTreeMap<String, String>) -> Remedy {
    let of_another = |how: &&String| {
        let name = how.split_once(": ").map(|(name, _)| name);
        own.is_some_and(|own| library.servers.iter().any(|server| Some(&*server.name) == name && server.id != own.id))
    };
    Remedy {
        what: fill(&step.what, values),
        how: step.how.iter().filter(|how| !of_another(how)).map(|how| fill(how, values)).collect(),
        price: fill(&step.price, values),
    }
}

/// Puts values into `{hole}`s. What has no value stays in capitals, as a name to fill in.
fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match values.get(name) {
            Some(value) => out.push_str(value),
            None => out.push_str(&name.to_uppercase()),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}
