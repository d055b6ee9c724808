//! Exceptions, which rot loudly: known failures (`scenarios/known-failures.toml`) and capabilities that a machine may
//! lack (`--allow-unsupported`). One that is out of date, matches nothing or is not needed fails the run.

use crate::capability::Capability;
use crate::case::{Case, CaseId};
use crate::problem::Problem;
use serde::Deserialize;
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

/// Cases that are known to fail.
#[derive(Clone, Debug, Default)]
pub struct Waivers {
    by_case: BTreeMap<CaseId, Waiver>,
    complaints: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiver {
    case: CaseId,
    reason: String,
    /// Last day on which it holds.
    until: toml::value::Datetime,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaiverFile {
    #[serde(default)]
    waiver: Vec<Waiver>,
}

impl Waivers {
    /// Reads the file, if there is one. `today` is a date in the form 2026-01-31.
    ///
    /// # Errors
    /// It cannot be read, or is not of the form.
    pub fn read(path: &Path, cases: &[impl Borrow<Case>], today: &str) -> Result<Self, Problem> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &path.display().to_string(), cases, today),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Problem::usage(format!("{}: cannot be read", path.display())).found(error)),
        }
    }

    fn parse(text: &str, name: &str, cases: &[impl Borrow<Case>], today: &str) -> Result<Self, Problem> {
        let file: WaiverFile = toml::from_str(text).map_err(|error| {
            Problem::usage(format!("{name}: not a list of known failures"))
                .found(error)
                .cure("each entry is [[waiver]] with case = \"…\", reason = \"…\", until = 2027-01-31")
        })?;
        let ids: BTreeSet<&CaseId> = cases.iter().map(|case| &case.borrow().id).collect();
        let mut waivers = Self::default();
        for waiver in file.waiver {
            let id = waiver.case.clone();
            let Some(until) = waiver.until.date.map(|date| date.to_string()) else {
                return Err(Problem::usage(format!("{name}: {id}: `until` is not a date"))
                    .found(waiver.until)
                    .cure("write the last day on which it holds, such as 2027-01-31"));
            };
            if waiver.reason.trim().is_empty() {
                return Err(Problem::usage(format!("{name}: {id}: `reason` is empty"))
                    .cure("say why the case fails and what will mend it"));
            }
            if !ids.contains(&id) {
                waivers.complaints.push(format!("{name}: {id}: there is no such case; remove the waiver"));
            } else if until.as_str() < today {
                waivers
                    .complaints
                    .push(format!("{name}: {id}: the waiver ended on {until}; mend the case or renew it"));
            } else if waivers.by_case.insert(id.clone(), waiver).is_some() {
                return Err(Problem::usage(format!("{name}: {id}: waived twice")).cure("remove one of the entries"));
            }
        }
        Ok(waivers)
    }

    /// Why a case is known to fail.
    pub fn reason(&self, id: &CaseId) -> Option<&str> {
        self.by_case.get(id).map(|waiver| waiver.reason.as_str())
    }

    /// Waivers that are stale or match nothing.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }
}

/// Capabilities that may be missing.
#[derive(Clone, Debug)]
pub struct Allowed {
    name: String,
    reasons: BTreeMap<Capability, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowedEntry {
    capability: Capability,
    reason: String,
    /// Kernel which has it: the entry is nothing from there on.
    #[serde(rename = "only-before")]
    only_before: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowedFile {
    #[serde(default)]
    allow: Vec<AllowedEntry>,
}

impl Allowed {
    /// Reads the file. `kernel` is the running one's release, such as `6.18.44-generic`.
    ///
    /// # Errors
    /// It cannot be read, or is not of the form.
    pub fn read(path: &Path, kernel: &str) -> Result<Self, Problem> {
        let name = path.display().to_string();
        let text =
            fs::read_to_string(path).map_err(|error| Problem::usage(format!("{name}: cannot be read")).found(error))?;
        Self::parse(&text, &name, kernel)
    }

    fn parse(text: &str, name: &str, kernel: &str) -> Result<Self, Problem> {
        let file: AllowedFile = toml::from_str(text).map_err(|error| {
            Problem::usage(format!("{name}: not a list of capabilities that may be missing")).found(error).cure(
                "each entry is [[allow]] with capability = \"…\" and reason = \"…\", and only-before = \"6.16\" if newer \
                 kernels have it; `lab preflight` lists the names",
            )
        })?;
        let mut reasons = BTreeMap::new();
        for entry in file.allow {
            if entry.reason.trim().is_empty() {
                return Err(Problem::usage(format!("{name}: {}: `reason` is empty", entry.capability)));
            }
            if let Some(since) = &entry.only_before {
                let Some(since) = version(since) else {
                    return Err(Problem::usage(format!("{name}: {}: `only-before` is no kernel", entry.capability))
                        .found(since)
                        .cure("write the first kernel that has it, such as \"6.16\""));
                };
                // What nobody can date may be old.
                if version(kernel).is_some_and(|running| running >= since) {
                    continue;
                }
            }
            if reasons.insert(entry.capability, entry.reason).is_some() {
                return Err(Problem::usage(format!("{name}: {}: allowed twice", entry.capability)));
            }
        }
        Ok(Self { name: name.to_owned(), reasons })
    }

    /// What of the lacking capabilities is not allowed, and which entries were not needed.
    pub fn complaints(&self, lacking: &BTreeMap<Capability, usize>) -> (Vec<String>, Vec<String>) {
        let missing = lacking
            .iter()
            .filter(|(capability, _)| !self.reasons.contains_key(capability))
            .map(|(capability, cases)| {
                format!("{capability}: {cases} cases lack it, and {} does not allow that", self.name)
            })
            .collect();
        let unused = self
            .reasons
            .keys()
            .filter(|capability| !lacking.contains_key(capability))
            .map(|capability| format!("{}: {capability}: no case lacked it; remove the entry", self.name))
            .collect();
        (missing, unused)
    }
}

/// The first two numbers of a kernel's release.
fn version(release: &str) -> Option<(u32, u32)> {
    let (major, rest) = release.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Allowed, Waivers};
    use crate::capability::Capability;
    use crate::case::CaseId;
    use crate::run::sample::case;
    use rstest::rstest;
    use std::collections::BTreeMap;

    fn waivers(text: &str) -> Result<Waivers, String> {
        Waivers::parse(text, "known-failures.toml", &[case("a/b", "c")], "2026-06-30").map_err(|p| p.to_string())
    }

    #[test]
    fn a_waiver_holds_until_its_last_day() {
        let text = |until: &str| format!("[[waiver]]\ncase = 'a/b/c'\nreason = 'bug'\nuntil = {until}\n");
        let id = CaseId("a/b/c".to_owned());
        let good = waivers(&text("2026-06-30")).expect("is well formed");
        assert_eq!((good.reason(&id), good.complaints().len()), (Some("bug"), 0));
        let stale = waivers(&text("2026-06-29")).expect("is well formed");
        assert_eq!((stale.reason(&id), stale.complaints().len()), (None, 1));
    }

    #[test]
    fn a_waiver_for_no_case_is_a_complaint() {
        let unmatched = waivers("[[waiver]]\ncase = 'a/b/x'\nreason = 'bug'\nuntil = 2026-12-31\n").expect("form");
        assert_eq!(unmatched.complaints(), ["known-failures.toml: a/b/x: there is no such case; remove the waiver"]);
    }

    #[rstest]
    #[case::no_reason("[[waiver]]\ncase = 'a/b/c'\nreason = ' '\nuntil = 2026-12-31", "`reason` is empty")]
    #[case::a_time("[[waiver]]\ncase = 'a/b/c'\nreason = 'r'\nuntil = 12:00:00", "`until` is not a date")]
    #[case::misspelt("[[waiver]]\ncase = 'a/b/c'\nreson = 'r'\nuntil = 2026-12-31", "unknown field `reson`")]
    #[case::twice(
        "[[waiver]]\ncase = 'a/b/c'\nreason = 'r'\nuntil = 2026-12-31\n[[waiver]]\ncase = 'a/b/c'\nreason = 'r'\nuntil = 2026-12-31",
        "waived twice"
    )]
    fn a_bad_waiver_file_is_refused(#[case] text: &str, #[case] says: &str) {
        let problem = waivers(text).expect_err("must be refused");
        assert!(problem.contains(says), "{problem}");
    }

    #[test]
    fn an_allowance_is_needed_and_enough_or_it_complains() {
        let file = Allowed::parse("[[allow]]\ncapability = 'overlay'\nreason = 'old kernel'\n", "allow.toml", "6.1")
            .expect("form");
        let lacking = |list: &[Capability]| list.iter().map(|c| (*c, 1)).collect::<BTreeMap<_, _>>();
        assert_eq!(file.complaints(&lacking(&[Capability::Overlay])), (vec![], vec![]));
        assert_eq!(file.complaints(&lacking(&[])).1.len(), 1);
        let (missing, unused) = file.complaints(&lacking(&[Capability::Overlay, Capability::LargeIds]));
        assert_eq!((missing.len(), unused.len()), (1, 0));
        assert!(Allowed::parse("[[allow]]\ncapability = 'overly'\nreason = 'x'\n", "allow.toml", "6.1").is_err());
    }

    #[test]
    fn an_allowance_for_old_kernels_is_none_for_new_ones() {
        let of = |since: &str, kernel| {
            let text = format!("[[allow]]\ncapability = 'member-rule'\nreason = 'r'\nonly-before = '{since}'\n");
            Allowed::parse(&text, "allow.toml", kernel)
        };
        let lacking = BTreeMap::from([(Capability::MemberRule, 3)]);
        for (kernel, old) in [("5.15.0-91-generic", true), ("6.15.9", true), ("6.16.0", false), ("7.0-rc1", false)] {
            let file = of("6.16", kernel).expect("form");
            assert_eq!(file.complaints(&lacking).0.is_empty(), old, "{kernel}: allowed only where it is old");
            assert_eq!(file.complaints(&BTreeMap::new()).1.is_empty(), !old, "{kernel}: stale only where it is old");
        }
        assert!(of("6.16", "unknown").expect("form").complaints(&lacking).0.is_empty());
        assert!(of("soon", "6.1").is_err());
    }
}
