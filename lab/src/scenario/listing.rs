//! Which cases prove which rule.

use crate::case::Case;
use std::collections::{BTreeMap, BTreeSet};

/// What proves a rule: whole scenarios, and single cases of others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Scenarios which name the rule, with the number of their cases.
    pub scenarios: BTreeMap<String, usize>,
    /// Cases which name it, by id.
    pub cases: BTreeSet<String>,
}

/// Rules by name, each with what proves it among these cases.
pub fn by_source<'a>(cases: impl IntoIterator<Item = &'a Case>) -> BTreeMap<String, Proofs> {
    let mut rules: BTreeMap<String, Proofs> = BTreeMap::new();
    for case in cases {
        for source in &case.scenario.sources {
            *rules.entry(source.clone()).or_default().scenarios.entry(case.scenario.id.clone()).or_default() += 1;
        }
        for source in &case.sources {
            rules.entry(source.clone()).or_default().cases.insert(case.id.0.clone());
        }
    }
    rules
}

/// The rules as text: a line for each, and below it what proves it.
pub fn by_source_text(rules: &BTreeMap<String, Proofs>) -> String {
    let mut text = String::new();
    for (rule, proofs) in rules {
        text.push_str(rule);
        text.push('\n');
        for (scenario, count) in &proofs.scenarios {
            let cases = if *count == 1 { "1 case".to_owned() } else { format!("{count} cases") };
            text.push_str(&format!("    {scenario}  {cases}\n"));
        }
        for case in &proofs.cases {
            text.push_str(&format!("    {case}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{by_source, by_source_text};
    use crate::run::sample::case;

    #[test]
    fn rules_of_files_are_counted_and_rules_of_cases_are_named() {
        let mut cases = [case("install/one", "a"), case("install/one", "b"), case("install/two", "c")];
        cases[1].sources.push("execve(2)".into());
        insta::assert_snapshot!("by_source", by_source_text(&by_source(&cases)));
    }
}
