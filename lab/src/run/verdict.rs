//! From what was seen to a verdict. Nothing here does I/O, so that every rule is tested.

use crate::capability::{Capabilities, Capability};
use crate::case::Case;
use crate::verdict::{Difference, Verdict};
use lab_invocation::protocol::Probes;

/// What running a case came to, before its controls and waivers are looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Evidence came in and was compared.
    Compared(Vec<Difference>),
    /// Nothing can be said.
    Nothing {
        /// Why.
        because: String,
    },
}

/// The first need of a case which is not met, as a verdict.
pub fn unsupported(case: &Case, capabilities: &Capabilities) -> Option<Verdict> {
    [Capability::SetGroupId].iter().chain(&case.needs).find_map(|&needs| {
        let because = match capabilities.get(&needs) {
            Some(support) => support.why_not()?,
            None => "the backend does not know it".to_owned(),
        };
        Some(Verdict::Unsupported { needs: Some(needs), because })
    })
}

/// Why a layout proves nothing; `None` if its probes differ as they must.
pub fn unproven(probes: &Probes) -> Option<String> {
    let wrong = match (probes.positive, probes.negative, probes.witness) {
        (true, false, true) => return None,
        (false, ..) => "the set-group-ID probe did not gain its group on an ordinary mount",
        (_, true, _) => "the set-group-ID probe gained its group on a nosuid mount",
        (_, _, false) => "the witness's channel did not deliver",
    };
    Some(format!("the layout does not prove itself: {wrong}"))
}

/// Joins one or two runs of a case: a case that differs is run again, and must differ in the same way.
pub fn joined(first: Seen, second: Option<Seen>) -> Verdict {
    match (first, second) {
        (Seen::Nothing { because }, _) => Verdict::Unresolved { because },
        (Seen::Compared(differences), _) if differences.is_empty() => Verdict::Pass,
        (Seen::Compared(differences), None) => Verdict::Fail { differences },
        (Seen::Compared(first), Some(Seen::Compared(second))) => {
            let fields = |list: &[Difference]| list.iter().map(|each| each.field.clone()).collect::<Vec<_>>();
            if fields(&first) == fields(&second) {
                return Verdict::Fail { differences: first };
            }
            let say = |list: &[Difference]| match fields(list) {
                none if none.is_empty() => "as expected".to_owned(),
                some => format!("different in {}", some.join(", ")),
            };
            Verdict::Unresolved {
                because: format!("two runs disagree: the first was {}, the second {}", say(&first), say(&second)),
            }
        }
        (Seen::Compared(_), Some(Seen::Nothing { because })) => {
            Verdict::Unresolved { because: format!("it differed once and could not be run again: {because}") }
        }
    }
}

/// Takes the controls of the scenario and the waiver of the case into account. `fallen` names a control that did not
/// pass, other than the case itself.
pub fn settled(verdict: Verdict, fallen: Option<&str>, waiver: Option<&str>) -> Verdict {
    let verdict = match (fallen, verdict) {
        (Some(control), Verdict::Pass | Verdict::Fail { .. }) => {
            Verdict::Unresolved { because: format!("its control did not hold: {control}") }
        }
        (_, verdict) => verdict,
    };
    match (waiver, verdict) {
        (Some(reason), Verdict::Fail { differences }) => {
            Verdict::KnownFailure { reason: reason.to_owned(), differences }
        }
        (Some(reason), Verdict::Pass) => Verdict::UnexpectedPass { reason: reason.to_owned() },
        (_, verdict) => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, joined, settled, unproven, unsupported};
    use crate::capability::{Capability, Support};
    use crate::run::sample::case;
    use crate::verdict::{Difference, Verdict};
    use lab_invocation::protocol::Probes;
    use rstest::rstest;
    use std::collections::BTreeMap;

    fn differs(fields: &[&str]) -> Seen {
        let difference = |field: &&str| Difference {
            field: (*field).to_owned(),
            expected: "0".to_owned(),
            observed: "1".to_owned(),
        };
        Seen::Compared(fields.iter().map(difference).collect())
    }

    fn fail() -> Verdict {
        joined(differs(&["exit"]), None)
    }

    fn unresolved() -> Verdict {
        Verdict::Unresolved { because: "x".to_owned() }
    }

    #[rstest]
    #[case(true, false, true, true)]
    #[case(false, false, true, false)]
    #[case(true, true, true, false)]
    #[case(false, true, true, false)]
    #[case(true, false, false, false)]
    fn only_probes_that_differ_prove(
        #[case] positive: bool,
        #[case] negative: bool,
        #[case] witness: bool,
        #[case] proves: bool,
    ) {
        assert_eq!(unproven(&Probes { positive, negative, witness }).is_none(), proves);
    }

    #[test]
    fn a_flaky_case_is_unresolved() {
        assert_eq!(joined(differs(&[]), None), Verdict::Pass);
        assert!(matches!(joined(differs(&["exit"]), Some(differs(&["exit"]))), Verdict::Fail { .. }));
        for second in [differs(&[]), differs(&["stderr"]), Seen::Nothing { because: "gone".to_owned() }] {
            assert!(matches!(joined(differs(&["exit"]), Some(second)), Verdict::Unresolved { .. }));
        }
    }

    #[rstest]
    #[case::pass(Verdict::Pass, false, false, "pass")]
    #[case::fail(fail(), false, false, "fail")]
    #[case::control_fell(Verdict::Pass, true, false, "unresolved")]
    #[case::control_fell_too(fail(), true, false, "unresolved")]
    #[case::waived(fail(), false, true, "known failure")]
    #[case::waived_but_passes(Verdict::Pass, false, true, "unexpected pass")]
    #[case::waived_but_control_fell(Verdict::Pass, true, true, "unresolved")]
    #[case::a_waiver_hides_no_doubt(unresolved(), false, true, "unresolved")]
    fn controls_then_waivers(#[case] verdict: Verdict, #[case] fell: bool, #[case] waived: bool, #[case] word: &str) {
        let settled = settled(verdict, fell.then_some("control"), waived.then_some("reason"));
        assert_eq!(crate::run::words::word(&settled), word);
    }

    #[test]
    fn without_the_set_group_id_bit_nothing_is_judged() {
        let mut capabilities: BTreeMap<_, _> = Capability::ALL.iter().map(|&c| (c, Support::Yes)).collect();
        let mut case = case("a", "b");
        case.needs.insert(Capability::Overlay);
        assert_eq!(unsupported(&case, &capabilities), None);
        for lost in [Capability::Overlay, Capability::SetGroupId] {
            capabilities.insert(lost, Support::No { because: "tried".to_owned(), cure: None });
            let verdict = unsupported(&case, &capabilities);
            assert!(matches!(verdict, Some(Verdict::Unsupported { needs, .. }) if needs == Some(lost)), "{verdict:?}");
        }
        capabilities.clear();
        assert!(unsupported(&case, &capabilities).is_some(), "what was not tried is not there");
    }
}
