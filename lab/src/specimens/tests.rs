//! The judgement over specimens: that it can be lost.

use super::{Caught, Exit, Row, Specimen, all, exit};
use crate::capability::Capability;
use crate::case::CaseId;
use crate::finding::{Certainty, Diagnosis};
use crate::verdict::{Difference, Verdict};
use rstest::rstest;
use std::collections::BTreeSet;

fn specimen(diagnosis: Option<&str>) -> Specimen {
    Specimen {
        name: "a-specimen".into(),
        flaw: "It does something wrong.".into(),
        program: "mail-wrapper".into(),
        diagnosis: diagnosis.map(str::to_owned),
        also: Vec::new(),
        needs: BTreeSet::new(),
        not_by_input: None,
        cases: Vec::new(),
    }
}

fn fail() -> Verdict {
    let difference = Difference { field: "exit".into(), expected: "exit 2".into(), observed: "exit 0".into() };
    Verdict::Fail { differences: vec![difference] }
}

/// Codes with a question mark are possible, the others certain.
fn row(diagnosis: Option<&str>, cases: &[(&str, Verdict, &[&str])]) -> Row {
    let mut row = Row::new(specimen(diagnosis));
    for (id, verdict, codes) in cases {
        let diagnoses: Vec<Diagnosis> = codes
            .iter()
            .map(|code| match code.strip_suffix('?') {
                Some(code) => Diagnosis::new(code, Certainty::Possible, "perhaps".into()),
                None => Diagnosis::new(code, Certainty::Certain, "so".into()),
            })
            .collect();
        row.take(&CaseId((*id).into()), verdict, &diagnoses);
    }
    row
}

const UNRESOLVED: &str = "its control did not hold: a/control";

#[rstest]
#[case::caught_for_its_flaw(Some("crashed"), &[("a/1", fail(), &["crashed"][..]), ("a/2", Verdict::Pass, &[])], true)]
#[case::caught_by_its_control(Some("crashed"), &[("a/control", fail(), &["crashed"][..]), ("a/2", Verdict::Unresolved { because: UNRESOLVED.into() }, &[])], true)]
#[case::not_failed(Some("crashed"), &[("a/1", Verdict::Pass, &[][..])], false)]
#[case::failed_for_another_reason(Some("crashed"), &[("a/1", fail(), &["timed-out"][..])], false)]
#[case::failed_for_another_reason_too(Some("crashed"), &[("a/1", fail(), &["crashed"][..]), ("a/2", fail(), &["undiagnosed"])], false)]
#[case::another_was_called_certain(Some("crashed"), &[("a/1", fail(), &["timed-out", "crashed"][..])], false)]
#[case::another_is_possible_too(Some("crashed"), &[("a/1", fail(), &["crashed"][..]), ("a/2", fail(), &["timed-out?", "crashed?"])], true)]
#[case::it_never_came_first(Some("crashed"), &[("a/1", fail(), &["timed-out?", "crashed?"][..])], false)]
#[case::failed_without_diagnosis(Some("crashed"), &[("a/1", fail(), &[][..])], false)]
#[case::nothing_ran(Some("crashed"), &[], false)]
#[case::sound(None, &[("a/1", Verdict::Pass, &[][..])], true)]
#[case::sound_but_failed(None, &[("a/1", Verdict::Pass, &[][..]), ("a/2", fail(), &["crashed"])], false)]
#[case::sound_but_not_judged(None, &[("a/1", Verdict::Pass, &[][..]), ("a/2", Verdict::Unresolved { because: "two runs disagree".into() }, &[])], false)]
#[case::sound_but_nothing_ran(None, &[], false)]
fn a_specimen_is_caught_only_for_its_flaw(
    #[case] diagnosis: Option<&str>,
    #[case] cases: &[(&str, Verdict, &[&str])],
    #[case] caught: bool,
) {
    let row = row(diagnosis, cases);
    assert_eq!(row.caught() == Caught::Yes, caught, "{row}");
    assert_eq!(exit(&[row]), if caught { Exit::Passed } else { Exit::Failed });
}

#[test]
fn what_cannot_be_shown_here_is_not_caught() {
    let lacking = Verdict::Unsupported { needs: Some(Capability::SyscallFault), because: "no root".into() };
    let mut row = row(Some("privilege-not-dropped"), &[("a/1", lacking, &[]), ("a/2", Verdict::Pass, &[])]);
    let escaped = Caught::No { because: "no case failed".into() };
    assert_eq!(row.caught(), escaped, "its row excuses nothing");
    row.specimen.needs = [Capability::LargeIds].into();
    assert_eq!(row.caught(), escaped, "the machine has what its row says it needs");
    row.specimen.needs = [Capability::LargeIds, Capability::SyscallFault].into();
    assert_eq!(row.caught(), Caught::NotHere { needs: [Capability::SyscallFault].into() });
    assert_eq!((exit(std::slice::from_ref(&row)), exit(&[])), (Exit::Unresolved, Exit::Unresolved));
    row.take(
        &CaseId("a/3".into()),
        &fail(),
        &[Diagnosis::new("privilege-not-dropped", Certainty::Certain, "so".into())],
    );
    let because = "it failed a/3 without syscall-fault, which its row says it needs".to_owned();
    assert_eq!(row.caught(), Caught::No { because });
}

#[test]
fn where_nothing_runs_the_sound_one_has_not_failed() {
    let lacking = |name| {
        (name, Verdict::Unsupported { needs: Some(Capability::SetGroupId), because: "no sandbox".into() }, &[][..])
    };
    let nothing = row(None, &[lacking("a/1"), lacking("a/2")]);
    assert_eq!(nothing.caught(), Caught::NotHere { needs: [Capability::SetGroupId].into() }, "{nothing}");
    assert_eq!(exit(&[nothing]), Exit::Unresolved);
    let failed = row(None, &[lacking("a/1"), ("a/2", fail(), &["crashed"])]);
    assert_eq!(exit(&[failed]), Exit::Failed, "one that ran speaks against it");
}

#[test]
fn the_table_as_it_is_read() {
    let caught = row(Some("crashed"), &[("a/2", fail(), &["crashed"]), ("a/1", fail(), &["crashed"])]);
    let escaped = row(Some("crashed"), &[("a/1", fail(), &["crashed"]), ("b/7", fail(), &["undiagnosed"])]);
    let sound = row(None, &[("a/1", Verdict::Pass, &[])]);
    insta::assert_snapshot!("table_of_specimens", format!("{caught}\n{escaped}\n{sound}"));
}

#[test]
fn the_shipped_table_has_more_than_the_twenty_two_and_a_sound_one_of_each_program() {
    let specimens = all().expect("the table is sound");
    let (flawed, sound): (Vec<_>, Vec<_>) = specimens.iter().partition(|specimen| specimen.diagnosis.is_some());
    assert!(flawed.len() >= 22, "{}", flawed.len());
    let programs = |of: &[&Specimen]| of.iter().map(|specimen| specimen.program.clone()).collect::<BTreeSet<_>>();
    assert_eq!(programs(&sound), programs(&flawed), "a program without a sound specimen proves nothing");
    assert!(sound.iter().all(|specimen| specimen.cases.is_empty()), "a sound one has to pass every case");
}
