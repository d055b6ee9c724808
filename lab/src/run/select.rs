//! Which cases run: ids and globs, the failed ones of an earlier run, a slice for one of several machines. A control is
//! added wherever a selected case rests on it.

use crate::case::{Case, CaseId};
use crate::problem::Problem;
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

/// What is to be selected.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Ids, directories of ids, globs; none means everything.
    pub patterns: Vec<String>,
    /// Only these, if given.
    pub only: Option<BTreeSet<CaseId>>,
    /// Only this share, if given.
    pub slice: Option<Slice>,
}

/// Selected cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Places in the suite, ascending.
    pub places: Vec<usize>,
    /// How many of them are controls that were added.
    pub added_controls: usize,
}

/// `slice:m/n`: of the selected cases the m-th, the m+n-th and so on, so that shares are of equal size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// From 1.
    number: usize,
    of: usize,
}

impl FromStr for Slice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.strip_prefix("slice:").and_then(|rest| rest.split_once('/'));
        let numbers = parts.and_then(|(m, n)| Some((m.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((number, of)) if 1 <= number && number <= of => Ok(Self { number, of }),
            _ => Err("slice:M/N is wanted, with M from 1 to N".to_owned()),
        }
    }
}

/// Selects cases.
///
/// # Errors
/// A pattern matches nothing, is no glob, or nothing is left.
pub fn select(cases: &[Arc<Case>], wanted: &Wanted) -> Result<Selected, Problem> {
    let mut places: Vec<usize> = (0..cases.len()).collect();
    if !wanted.patterns.is_empty() {
        let matching = wanted.patterns.iter().map(|pattern| matching(cases, pattern)).collect::<Result<Vec<_>, _>>()?;
        let union: BTreeSet<usize> = matching.into_iter().flatten().collect();
        places = union.into_iter().collect();
    }
    if let Some(only) = &wanted.only {
        places.retain(|&place| only.contains(&cases[place].id));
    }
    if let Some(slice) = wanted.slice {
        places = places.into_iter().skip(slice.number - 1).step_by(slice.of).collect();
    }
    if places.is_empty() {
        return Err(Problem::nothing_selected(format!("none of the {} cases was selected", cases.len())));
    }
    let scenarios: BTreeSet<&str> = places.iter().map(|&place| cases[place].scenario.id.as_str()).collect();
    let mut all: BTreeSet<usize> = places.iter().copied().collect();
    let before = all.len();
    all.extend((0..cases.len()).filter(|&at| cases[at].control && scenarios.contains(cases[at].scenario.id.as_str())));
    Ok(Selected { added_controls: all.len() - before, places: all.into_iter().collect() })
}

/// Whether a pattern selects a case: by its id, by a directory of it, or as a glob over either.
///
/// # Errors
/// It is not a glob.
pub fn selector(pattern: &str) -> Result<impl Fn(&CaseId) -> bool, Problem> {
    let glob = glob::Pattern::new(pattern)
        .map_err(|error| Problem::usage(format!("`{pattern}` is not a glob")).found(error))?;
    let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
    Ok(move |CaseId(id): &CaseId| {
        let below = |prefix: &str| id.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        below(pattern.trim_end_matches('/'))
            || glob.matches_with(id, options)
            || id.match_indices('/').any(|(at, _)| glob.matches_with(&id[..at], options))
    })
}

fn matching(cases: &[Arc<Case>], pattern: &str) -> Result<Vec<usize>, Problem> {
    let selects = selector(pattern)?;
    let found: Vec<usize> = (0..cases.len()).filter(|&place| selects(&cases[place].id)).collect();
    if found.is_empty() {
        let problem = Problem::nothing_selected(format!("`{pattern}` selects none of the {} cases", cases.len()));
        return Err(match nearest(cases, pattern) {
            Some(id) => problem.found(format!("the nearest is {id}")).cure("`lab list` shows them all"),
            None => problem.cure("`lab list` shows them all"),
        });
    }
    Ok(found)
}

/// The scenario or case whose id is most like what was typed.
fn nearest<'a>(cases: &'a [Arc<Case>], typed: &str) -> Option<&'a str> {
    cases
        .iter()
        .flat_map(|case| [case.scenario.id.as_str(), case.id.0.as_str()])
        .map(|id| (similar::TextDiff::from_chars(typed, id).ratio(), id))
        .filter(|(ratio, _)| *ratio > 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::{Selected, Slice, Wanted, select};
    use crate::case::Case;
    use crate::problem::Kind;
    use crate::run::sample::case;
    use rstest::rstest;
    use std::sync::Arc;

    fn suite() -> Vec<Arc<Case>> {
        let mut control = case("install/ignored", "control: the bit works");
        control.control = true;
        vec![
            case("group/mta", "exim-pipe×mail"),
            case("group/mta", "exim-pipe×www-data"),
            control,
            case("install/ignored", "mounted nosuid"),
            case("install/ignored", "no_new_privs"),
        ]
        .into_iter()
        .map(Arc::new)
        .collect()
    }

    fn places(pattern: &[&str], slice: Option<&str>) -> Result<Selected, Kind> {
        let wanted = Wanted {
            patterns: pattern.iter().map(|&text| text.to_owned()).collect(),
            only: None,
            slice: slice.map(|text| text.parse().expect("is a slice")),
        };
        select(&suite(), &wanted).map_err(|problem| problem.kind)
    }

    #[rstest]
    #[case::all(&[], &[0, 1, 2, 3, 4], 0)]
    #[case::directory(&["group"], &[0, 1], 0)]
    #[case::scenario(&["install/ignored"], &[2, 3, 4], 0)]
    #[case::a_case_brings_its_control(&["install/ignored/no_new_privs"], &[2, 4], 1)]
    #[case::spaces(&["install/ignored/mounted nosuid"], &[2, 3], 1)]
    #[case::star_stays_in_its_component(&["*/mta"], &[0, 1], 0)]
    #[case::cells(&["group/*/*×mail"], &[0], 0)]
    #[case::two_stars(&["**/no_new*"], &[2, 4], 1)]
    #[case::union(&["group/mta/*mail", "group/mta/exim*"], &[0, 1], 0)]
    fn what_a_pattern_selects(#[case] patterns: &[&str], #[case] wanted: &[usize], #[case] added: usize) {
        let selected = places(patterns, None).expect("selects");
        assert_eq!((selected.places.as_slice(), selected.added_controls), (wanted, added));
    }

    #[test]
    fn what_selects_nothing_is_told() {
        assert_eq!(places(&["group/mta", "grup/mta"], None), Err(Kind::NothingSelected));
        assert_eq!(places(&["gro"], None), Err(Kind::NothingSelected), "half a name is not a directory");
        assert_eq!(places(&["[", "x"], None), Err(Kind::Usage));
        let wanted = Wanted { patterns: vec!["grup/mta".to_owned()], ..Wanted::default() };
        let found = select(&suite(), &wanted).expect_err("selects nothing").found.expect("a suggestion");
        assert_eq!(found, "the nearest is group/mta");
    }

    #[test]
    fn slices_are_a_partition() {
        let shares: Vec<usize> = (1..=3)
            .flat_map(|m| {
                let selected =
                    places(&["group", "install/ignored/*o*"], Some(&format!("slice:{m}/3"))).expect("selects");
                selected.places.into_iter().filter(|&place| !suite()[place].control)
            })
            .collect();
        let mut sorted = shares.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 3, 4]);
        for bad in ["slice:0/2", "slice:3/2", "hash:1/2", "slice:1", "slice:1/x"] {
            assert!(bad.parse::<Slice>().is_err(), "{bad}");
        }
    }
}
