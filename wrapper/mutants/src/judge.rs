//! Whether the results are good enough, and the report that says why not.

use crate::outcomes::{Catalogue, Change, Fate, Results};
use crate::survivors::Explained;
use std::fmt;

/// The least share of the viable mutants that the tests have to notice, in per cent. Explained survivors do not count as
/// noticed, so that explaining is no way to a good score.
const LEAST: usize = 95;

/// What came out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Mutants of the tree.
    all: usize,
    /// Mutants that were to be judged, and were not.
    left: usize,
    unviable: usize,
    caught: usize,
    /// Noticed by a time limit: by name, because a slow machine looks the same.
    timed_out: Vec<Named>,
    /// Survivors with an entry.
    explained: usize,
    /// Survivors without an entry.
    unexplained: Vec<Named>,
    /// What is wrong with entries.
    rotten: Vec<String>,
    /// Whether these are to be the results of all mutants.
    whole: bool,
}

/// Name of a mutant, and the line that it changes.
type Named = (String, String);

/// Compares results with what is explained.
///
/// # Errors
/// The results are of another tree.
pub(crate) fn judge(
    all: &Catalogue,
    explained: &[Explained],
    results: &Results,
    whole: bool,
) -> Result<Report, String> {
    let mut report = Report { all: all.0.len(), whole, ..Report::default() };
    if let Some(name) = results.fates.keys().chain(&results.left).find(|name| !all.0.contains_key(*name)) {
        return Err(format!(
            "there is a result of `{name}`, which is not a mutant of this tree: run cargo-mutants again"
        ));
    }
    report.left = if whole { report.all - results.fates.len() } else { results.left.len() };
    for (name, fate) in &results.fates {
        let named = || (name.clone(), all.0[name].line.clone());
        match fate {
            Fate::Unviable => report.unviable += 1,
            Fate::Caught => report.caught += 1,
            Fate::TimedOut => report.timed_out.push(named()),
            Fate::Survived if explained.iter().any(|entry| names(entry, &all.0[name])) => report.explained += 1,
            Fate::Survived => report.unexplained.push(named()),
        }
    }
    report.rotten = explained.iter().filter_map(|entry| rotten(entry, all, results)).collect();
    Ok(report)
}

fn names(entry: &Explained, change: &Change) -> bool {
    (&entry.mutant, &entry.line) == (&change.mutant, &change.line)
}

/// What is wrong with an entry, as far as the results tell.
fn rotten(entry: &Explained, all: &Catalogue, results: &Results) -> Option<String> {
    let mut named = all.0.iter().filter(|(_, change)| names(entry, change)).map(|(name, _)| name).peekable();
    let Explained { mutant, line, .. } = entry;
    if named.peek().is_none() {
        return Some(format!("there is no mutant `{mutant}` on a line `{line}`"));
    }
    // A line can have the same change twice, as in `a == b && c == d`: the entry is needed as long as one survives.
    let fates: Option<Vec<Fate>> = named.map(|name| results.fates.get(name).copied()).collect();
    let noticed = fates?.into_iter().all(|fate| fate != Fate::Survived);
    noticed.then(|| format!("`{mutant}` on the line `{line}` does not survive"))
}

impl Report {
    fn killed(&self) -> usize {
        self.caught + self.timed_out.len()
    }

    fn survived(&self) -> usize {
        self.explained + self.unexplained.len()
    }

    fn viable(&self) -> usize {
        self.killed() + self.survived()
    }

    /// Whether there was something to judge, and no program of it has met a judge. A green run would say the contrary.
    fn has_nothing_judged(&self) -> bool {
        self.left > 0 && self.viable() == 0
    }

    fn is_too_low(&self) -> bool {
        self.whole && self.left == 0 && self.killed() * 100 < LEAST * self.viable()
    }

    /// Exit status of the program: see its top comment.
    pub(crate) fn status(&self) -> u8 {
        if !self.unexplained.is_empty() || !self.rotten.is_empty() || self.is_too_low() {
            1
        } else if self.has_nothing_judged() {
            2
        } else if self.left > 0 {
            3
        } else {
            0
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, left, unviable, caught, timed_out, explained, .. } = self;
        for (word, mutants) in [("SURVIVED ", &self.unexplained), ("TIMED OUT", timed_out)] {
            for (name, line) in mutants {
                writeln!(f, "{word} {name}\n          {line}")?;
            }
        }
        for entry in &self.rotten {
            writeln!(f, "ROTTEN    {entry}: remove it from the explained survivors")?;
        }
        let judged = unviable + self.viable();
        writeln!(f, "mutants   {judged} judged, {left} left, of {all} in the tree")?;
        writeln!(f, "viable    {} ({unviable} do not compile)", self.viable())?;
        let limits = timed_out.len();
        writeln!(f, "killed    {} ({caught} by a failure, {limits} by a time limit)", self.killed())?;
        writeln!(f, "survived  {} ({explained} explained)", self.survived())?;
        // What the first judge has let pass is among those left: without them a score would flatter.
        if let (0, Some(tenths)) = (left, (self.killed() * 1000).checked_div(self.viable())) {
            write!(f, "score     {}.{} %", tenths / 10, tenths % 10)?;
            writeln!(f, "{}", if self.whole { format!(", at least {LEAST} wanted") } else { String::new() })?;
        }
        f.write_str(match self.status() {
            0 if judged == 0 => "nothing to judge: what has changed has no mutants\n",
            0 => "sound\n",
            2 => "nothing was judged: give the run more time, or find out why no mutant met a judge\n",
            3 => "not finished: nothing is wrong so far\n",
            _ if self.unexplained.is_empty() => "not sound\n",
            _ => "not sound: add a test or a scenario that notices each survivor, or explain why none can\n",
        })
    }
}

#[cfg(test)]
mod tests;
