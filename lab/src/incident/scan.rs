//! Finds the library's wordings in cleaned text: one pass for all their beginnings, then each is read where it begins.

use super::clean::{Cleaner, squeezed};
use super::library::{Library, library};
use super::text::Text;
use super::wording::Match;
use crate::problem::Problem;
use aho_corasick::AhoCorasick;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How much cleaned text is kept before it is searched, in bytes.
const WINDOW: usize = 256 << 10;
/// Longest match, in bytes, generously: what begins before this much of the end of a window waits for the next.
const REACH: usize = 8 << 10;
/// How many different events of one pattern are told apart. More are counted.
pub(super) const DIFFERENT: usize = 12;

/// An event: a wording with its values, seen once or more.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    /// Index of the pattern.
    pub(super) pattern: usize,
    /// Names and values of its holes, at the first time.
    pub(super) holes: BTreeMap<String, String>,
    /// The text, at the first time.
    pub(super) shown: String,
    /// Lines of the first and last time.
    pub(super) first: u64,
    pub(super) last: u64,
    /// Where the last one ended: another wording of the same pattern may read the same words.
    last_end: u64,
    pub(super) times: u64,
    /// Servers that the record of the first time gives away, as bits.
    pub(super) servers: u16,
}

/// Where a server gave itself away for the first time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace {
    pub(super) mark: usize,
    pub(super) line: u64,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) sightings: Vec<Sighting>,
    /// By index of the server.
    pub(super) traces: BTreeMap<usize, Trace>,
    /// Events beyond [`DIFFERENT`].
    pub(super) more: u64,
    pub(super) bytes: u64,
    pub(super) lines: u64,
}

/// What a literal is the beginning of.
#[derive(Clone, Copy, Debug)]
enum Target {
    Wording { pattern: usize, wording: usize },
    Mark { server: usize, mark: usize },
}

/// Literals, and what each means.
#[derive(Debug)]
struct Literals {
    automaton: AhoCorasick,
    targets: Vec<Vec<Target>>,
}

impl Literals {
    fn new(literals: BTreeMap<Vec<u8>, Vec<Target>>) -> Result<Self, Problem> {
        let (literals, targets): (Vec<_>, Vec<_>) = literals.into_iter().unzip();
        let automaton = AhoCorasick::new(&literals)
            .map_err(|error| Problem::internal("the library of wordings cannot be searched for").found(error))?;
        Ok(Self { automaton, targets })
    }

    /// Every occurrence of every literal, with its beginning.
    fn occurrences(&self, text: &[u8], mut seen: impl FnMut(usize, Target)) {
        for found in self.automaton.find_overlapping_iter(text) {
            for &target in &self.targets[found.pattern().as_usize()] {
                seen(found.start(), target);
            }
        }
    }
}

/// Takes bytes, finds events.
#[derive(Debug)]
pub(super) struct Scanner {
    library: &'static Library,
    in_text: Literals,
    in_front: Literals,
    cleaner: Cleaner,
    text: Text,
    found: Found,
    /// By index of the pattern.
    sightings: Vec<Vec<Sighting>>,
    /// The last long matches, to drop what lies within them.
    covered: Vec<(u64, u64)>,
}

impl Scanner {
    pub(super) fn new() -> Result<Self, Problem> {
        let library = library()?;
        let (mut in_text, mut in_front) = (BTreeMap::new(), BTreeMap::new());
        for (pattern, entry) in library.patterns.iter().enumerate() {
            for (wording, says) in entry.says.iter().enumerate() {
                let targets: &mut Vec<Target> = in_text.entry(says.anchor.clone()).or_default();
                targets.push(Target::Wording { pattern, wording });
            }
        }
        for (server, entry) in library.servers.iter().enumerate() {
            for (mark, says) in entry.marks.iter().enumerate() {
                let place = if says.envelope { &mut in_front } else { &mut in_text };
                place.entry(squeezed(says.says.as_bytes())).or_default().push(Target::Mark { server, mark });
            }
        }
        Ok(Self {
            library,
            in_text: Literals::new(in_text)?,
            in_front: Literals::new(in_front)?,
            cleaner: Cleaner::default(),
            text: Text::default(),
            found: Found::default(),
            sightings: vec![Vec::new(); library.patterns.len()],
            covered: Vec::new(),
        })
    }

    /// Takes more of the input.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.found.bytes += bytes.len() as u64;
        // A part as large as a window would need as much memory as it is large.
        for part in bytes.chunks(WINDOW / 4) {
            let (in_front, traces) = (&self.in_front, &mut self.found.traces);
            self.cleaner.push(part, &mut self.text, &mut |front, text| note(in_front, traces, front, text));
            if self.text.bytes().len() >= WINDOW {
                self.search(self.text.bytes().len() - REACH);
            }
        }
    }

    /// Takes the end of the input.
    pub(super) fn finish(mut self) -> Found {
        let (in_front, traces) = (&self.in_front, &mut self.found.traces);
        self.cleaner.finish(&mut self.text, &mut |front, text| note(in_front, traces, front, text));
        self.search(self.text.bytes().len());
        self.found.lines = self.text.lines_begun();
        self.found.sightings = self.sightings.into_iter().flatten().collect();
        self.found
    }

    /// Searches the window, takes what begins before `until`, and forgets that part.
    fn search(&mut self, until: usize) {
        let mut matches: Vec<(Match, usize, usize)> = Vec::new();
        let (library, text, in_text) = (self.library, &self.text, &self.in_text);
        let mut marks: Vec<(usize, usize, usize)> = Vec::new();
        in_text.occurrences(text.bytes(), |start, target| match target {
            _ if start >= until => {}
            Target::Mark { server, mark } => marks.push((start, server, mark)),
            Target::Wording { pattern, wording } => {
                let entry = &library.patterns[pattern];
                let read = entry.says[wording].read(text, start);
                let fits = |read: &Match| {
                    entry.conditions.iter().all(|condition| {
                        read.holes.iter().any(|(name, value)| *name == condition.hole && condition.admits(value))
                    })
                };
                if let Some(read) = read.filter(fits) {
                    matches.push((read, pattern, wording));
                }
            }
        });
        for (start, server, mark) in marks {
            let line = self.text.line_of(start);
            self.found.traces.entry(server).or_insert(Trace { mark, line });
            if let Some(record) = self.text.record_of(start) {
                record.servers |= 1 << server;
            }
        }
        // The longest of those that begin at one place comes first, and what lies within one that came before is part of it.
        matches.sort_by_key(|(read, pattern, wording)| (read.start, Reverse(read.end), *pattern, *wording));
        for (read, pattern, wording) in matches {
            self.take(read, pattern, wording);
        }
        self.text.forget(until);
        let before = self.text.absolute(0);
        self.covered.retain(|&(_, end)| end > before);
    }

    fn take(&mut self, read: Match, pattern: usize, wording: usize) {
        let (start, end) = (self.text.absolute(read.start), self.text.absolute(read.end));
        // Of the same length it may be another pattern's reading of the same words.
        let within = |&(from, to): &(u64, u64)| from <= start && end <= to && to - from > end - start;
        if self.covered.iter().any(within) {
            return;
        }
        self.covered.retain(|&(_, to)| to > start);
        self.covered.push((start, end));
        let line = self.text.line_of(read.start);
        let says = &self.library.patterns[pattern].says[wording];
        let own = &mut self.sightings[pattern];
        let same = |sighting: &&mut Sighting| {
            let mut holes = read.holes.iter();
            holes.all(|(name, value)| !says.distinguishes(name) || sighting.holes.get(name) == Some(value))
        };
        if let Some(sighting) = own.iter_mut().find(same) {
            sighting.times += u64::from(sighting.last_end <= start);
            sighting.last = line;
            sighting.last_end = end;
            return;
        }
        if own.len() >= DIFFERENT {
            self.found.more += 1;
            return;
        }
        let servers = self.text.record_of(read.start).map_or(0, |record| record.servers);
        let shown = self.text.shown(read.start, read.end, true);
        let holes = read.holes.into_iter().collect();
        own.push(Sighting { pattern, holes, shown, first: line, last: line, last_end: end, times: 1, servers });
    }
}

/// Notes the servers that the front of a line gives away.
fn note(in_front: &Literals, traces: &mut BTreeMap<usize, Trace>, front: &[u8], text: &mut Text) {
    let front = squeezed(front);
    let line = text.lines_begun();
    in_front.occurrences(&front, |_, target| {
        if let Target::Mark { server, mark } = target {
            traces.entry(server).or_insert(Trace { mark, line });
            text.belongs_to(1 << server);
        }
    });
}
