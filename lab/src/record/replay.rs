//! What became of a recorded case when it was run again.

use crate::judge::moved;
use crate::run::event::{CaseFinished, Started};
use crate::run::verdict::Seen;
use crate::run::words::{lack, observed};
use crate::verdict::{Difference, Verdict};
use lab_invocation::Evidence;
use lab_invocation::evidence::{InvokerState, Place};

/// How a replay ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// The same happened again.
    Reproduced,
    /// It failed then, and does not fail now.
    Gone,
    /// Something else happened.
    Different,
    /// It could not be run, or not be judged.
    Unresolved,
}

impl Ending {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reproduced => "REPRODUCED",
            Self::Gone => "GONE",
            Self::Different => "DIFFERENT",
            Self::Unresolved => "UNRESOLVED",
        }
    }
}

/// A case that was run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// How it ended.
    pub ending: Ending,
    /// What was recorded.
    pub was: String,
    /// What happened now.
    pub now: String,
    /// Observations which are not the same, judged or not.
    pub differs: Vec<&'static str>,
}

/// Compares a recorded case with a fresh run of it. `then` is what the recorded evidence comes to.
pub fn compare(recorded: &CaseFinished, then: &Seen, fresh: &CaseFinished) -> Replayed {
    let differs = match (&recorded.evidence, &fresh.evidence) {
        (Some(old), Some(new)) => differing(old, new),
        _ => Vec::new(),
    };
    let ending = match (then, &fresh.verdict) {
        (_, Verdict::Unresolved { .. } | Verdict::Unsupported { .. }) | (Seen::Nothing { .. }, _) => Ending::Unresolved,
        (Seen::Compared(old), verdict) => {
            let new: &[Difference] = match verdict {
                Verdict::Fail { differences } | Verdict::KnownFailure { differences, .. } => differences,
                _ => &[],
            };
            let decided = !differs.contains(&"end") && !differs.contains(&"start of the script");
            match (old.is_empty(), new.is_empty()) {
                (false, true) => Ending::Gone,
                _ if old == new && decided => Ending::Reproduced,
                _ => Ending::Different,
            }
        }
    };
    let now = match &fresh.verdict {
        Verdict::Unresolved { because } => because.clone(),
        Verdict::Unsupported { needs, because } => lack(*needs, because),
        _ => seen(fresh),
    };
    let was = match then {
        Seen::Compared(_) => seen(recorded),
        Seen::Nothing { because } => because.clone(),
    };
    Replayed { ending, was, now, differs }
}

fn seen(case: &CaseFinished) -> String {
    case.evidence.as_ref().map_or_else(|| "nothing".to_owned(), observed)
}

/// Names of the observations that differ, times and process numbers left out.
fn differing(old: &Evidence, new: &Evidence) -> Vec<&'static str> {
    let witness = |evidence: &Evidence| {
        let mut reports = evidence.witness.clone();
        for report in &mut reports {
            report.pid = 0;
            report.place = Place::default();
        }
        reports
    };
    let invoker = |evidence: &Evidence| InvokerState { place: None, ..evidence.invoker.clone() };
    // Of both places only how they differ is the subject's doing: the rest is where a lab was started, and on what.
    let moves = |evidence: &Evidence| -> Vec<_> {
        let scripts = evidence.witness.iter();
        scripts.map(|script| evidence.invoker.place.map_or_else(Vec::new, |place| moved(place, script.place))).collect()
    };
    [
        ("stage", old.stage == new.stage),
        ("end", old.end == new.end),
        ("start of the script", old.witness.len() == new.witness.len()),
        ("standard output", old.stdout == new.stdout),
        ("standard error", old.stderr == new.stderr),
        ("syslog", old.syslog == new.syslog),
        ("report of the script", witness(old) == witness(new)),
        ("state of the invoker", invoker(old) == invoker(new)),
        ("place among processes", moves(old) == moves(new)),
        ("installed file", old.installed == new.installed),
        ("changed files", old.changes == new.changes),
        ("stray processes", old.strays == new.strays),
    ]
    .into_iter()
    .filter_map(|(name, same)| (!same).then_some(name))
    .collect()
}

/// What is not as it was when the record was made, apart from the subjects.
pub fn surroundings(old: &Started, new: &Started) -> Vec<String> {
    let mut changed = Vec::new();
    let mut compare = |what: &str, old: &str, new: &str| {
        if old != new {
            changed.push(format!("{what}: {old}, now {new}"));
        }
    };
    compare("lab", &old.lab, &new.lab);
    let (then, now) = (&old.machine, &new.machine);
    compare("backend", &then.backend, &now.backend);
    compare("kernel", &then.kernel, &now.kernel);
    compare("architecture", &then.architecture, &now.architecture);
    for name in then.facts.keys().chain(now.facts.keys().filter(|name| !then.facts.contains_key(*name))) {
        let value = |facts: &std::collections::BTreeMap<String, String>| {
            facts.get(name).cloned().unwrap_or_else(|| "not there".to_owned())
        };
        compare(name, &value(&then.facts), &value(&now.facts));
    }
    changed.extend(super::diff::capabilities(then, now));
    changed
}

#[cfg(test)]
mod tests {
    use super::{Ending, compare};
    use crate::run::event::CaseFinished;
    use crate::run::sample::{evidence, finished};
    use crate::run::verdict::Seen;
    use crate::verdict::{Difference, Verdict};
    use lab_invocation::evidence::{End, Place};
    use rstest::rstest;

    fn differences(observed: &str) -> Vec<Difference> {
        vec![Difference { field: "exit".to_owned(), expected: "0".to_owned(), observed: observed.to_owned() }]
    }

    fn case(status: u8) -> CaseFinished {
        let mut case = finished("a/b", "c", Verdict::Pass);
        case.evidence = Some(evidence(End::Exited(status)));
        if status != 0 {
            case.verdict = Verdict::Fail { differences: differences(&status.to_string()) };
        }
        case
    }

    fn then(status: u8) -> Seen {
        Seen::Compared(if status == 0 { Vec::new() } else { differences(&status.to_string()) })
    }

    #[rstest]
    #[case::passes_again(0, 0, Ending::Reproduced)]
    #[case::fails_again(2, 2, Ending::Reproduced)]
    #[case::fails_no_more(2, 0, Ending::Gone)]
    #[case::fails_now(0, 2, Ending::Different)]
    #[case::fails_otherwise(2, 3, Ending::Different)]
    fn endings(#[case] old: u8, #[case] new: u8, #[case] ending: Ending) {
        assert_eq!(compare(&case(old), &then(old), &case(new)).ending, ending);
    }

    #[test]
    fn what_could_not_be_run_is_unresolved() {
        let lost = finished("a/b", "c", Verdict::Unresolved { because: "the helper is gone".to_owned() });
        let replayed = compare(&case(0), &then(0), &lost);
        assert_eq!((replayed.ending, replayed.now.as_str()), (Ending::Unresolved, "the helper is gone"));
    }

    #[test]
    fn times_and_process_numbers_are_no_difference_but_bytes_are() {
        let mut new = case(0);
        let evidence = new.evidence.as_mut().expect("evidence");
        evidence.run_us += 1000;
        evidence.witness[0].pid += 1;
        let place = Place { session: 7, process_group: 7, nice: 5, policy: 0, processors: 64 };
        (evidence.invoker.place, evidence.witness[0].place) = (Some(place), place);
        assert_eq!(compare(&case(0), &then(0), &new).differs, Vec::<&str>::new());
        new.evidence.as_mut().expect("evidence").witness[0].place.nice = 0;
        assert_eq!(compare(&case(0), &then(0), &new).differs, ["place among processes"]);
        new.evidence.as_mut().expect("evidence").witness[0].place.nice = 5;
        new.evidence.as_mut().expect("evidence").stderr.bytes = "x".into();
        let replayed = compare(&case(0), &then(0), &new);
        assert_eq!((replayed.ending, replayed.differs.as_slice()), (Ending::Reproduced, ["standard error"].as_slice()));
    }
}
