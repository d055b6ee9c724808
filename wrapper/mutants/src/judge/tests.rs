use super::{Report, judge};
use crate::outcomes::{Catalogue, Change, Fate, Results};
use crate::survivors::Explained;
use rstest::rstest;

/// A tree of so many mutants, `m0`, `m1` and so on, each on a line of its own.
fn tree(size: usize) -> Catalogue {
    let change = |number| Change { mutant: format!("change {number}"), line: format!("line {number}") };
    Catalogue((0..size).map(|number| (format!("m{number}"), change(number))).collect())
}

fn explained(number: usize) -> Explained {
    Explained { mutant: format!("change {number}"), line: format!("line {number}"), reason: "none can".into() }
}

/// So many mutants in a row with each fate.
fn results(counts: &[(Fate, usize)]) -> Results {
    let fates = counts.iter().flat_map(|(fate, count)| std::iter::repeat_n(*fate, *count));
    Results { fates: (0..).map(|number| format!("m{number}")).zip(fates).collect(), ..Results::default() }
}

fn of(size: usize, entries: &[usize], counts: &[(Fate, usize)], whole: bool) -> Report {
    let entries: Vec<Explained> = entries.iter().copied().map(explained).collect();
    judge(&tree(size), &entries, &results(counts), whole).expect("of the same tree")
}

#[rstest]
#[case::all_noticed(&[], &[(Fate::Caught, 18), (Fate::TimedOut, 2)], 0)]
#[case::explained(&[0], &[(Fate::Survived, 1), (Fate::Caught, 19)], 0)]
#[case::one_survivor(&[], &[(Fate::Survived, 1), (Fate::Caught, 19)], 1)]
#[case::too_many_explained(&[0, 1], &[(Fate::Survived, 2), (Fate::Caught, 18)], 1)]
#[case::what_does_not_compile_does_not_count(&[0], &[(Fate::Survived, 1), (Fate::Caught, 18), (Fate::Unviable, 1)], 1)]
#[case::rotten(&[19], &[(Fate::Caught, 20)], 1)]
#[case::rotten_as_it_does_not_compile(&[19], &[(Fate::Caught, 19), (Fate::Unviable, 1)], 1)]
#[case::of_no_mutant(&[20], &[(Fate::Caught, 20)], 1)]
#[case::one_left(&[], &[(Fate::Caught, 19)], 3)]
#[case::one_left_and_a_survivor(&[], &[(Fate::Survived, 1), (Fate::Caught, 18)], 1)]
#[case::all_left(&[], &[], 2)]
#[case::all_left_but_what_does_not_compile(&[], &[(Fate::Unviable, 2)], 2)]
#[case::all_left_but_one_that_timed_out(&[], &[(Fate::TimedOut, 1)], 3)]
fn whole_runs(#[case] entries: &[usize], #[case] counts: &[(Fate, usize)], #[case] status: u8) {
    let report = of(20, entries, counts, true);
    assert_eq!(report.status(), status, "{report}");
}

#[rstest]
#[case::nothing_to_try(&[], &[], 0)]
#[case::noticed(&[], &[(Fate::Caught, 3)], 0)]
#[case::survivor(&[], &[(Fate::Caught, 3), (Fate::Survived, 1)], 1)]
#[case::no_score_is_asked_of_a_few(&[0], &[(Fate::Survived, 1), (Fate::Caught, 1)], 0)]
#[case::entry_of_a_mutant_not_tried(&[19], &[(Fate::Caught, 3)], 0)]
#[case::entry_of_a_mutant_noticed(&[2], &[(Fate::Caught, 3)], 1)]
#[case::entry_of_no_mutant(&[20], &[(Fate::Caught, 3)], 1)]
fn changes(#[case] entries: &[usize], #[case] counts: &[(Fate, usize)], #[case] status: u8) {
    let report = of(20, entries, counts, false);
    assert_eq!(report.status(), status, "{report}");
}

#[test]
fn a_run_that_was_ended_is_not_finished() {
    let mut ended = results(&[(Fate::Caught, 2)]);
    ended.left.insert("m3".into());
    let report = judge(&tree(20), &[], &ended, false).expect("of the same tree");
    assert_eq!(report.status(), 3);
    assert!(report.to_string().contains("2 judged, 1 left, of 20"), "{report}");
    assert!(report.to_string().ends_with("not finished: nothing is wrong so far\n"), "{report}");
    assert!(!report.to_string().contains("score"), "{report}");
}

#[test]
fn a_run_that_was_ended_before_anything_was_judged_is_an_error() {
    let mut ended = Results::default();
    ended.left.insert("m3".into());
    let report = judge(&tree(20), &[], &ended, false).expect("of the same tree");
    assert_eq!(report.status(), 2);
    assert!(report.to_string().contains("0 judged, 1 left, of 20"), "{report}");
    assert!(report.to_string().contains("\nnothing was judged: "), "{report}");
}

#[test]
fn what_a_time_limit_has_noticed_is_named() {
    let report = of(20, &[], &[(Fate::Caught, 1), (Fate::TimedOut, 2)], false).to_string();
    assert!(report.contains("TIMED OUT m1\n          line 1\nTIMED OUT m2\n          line 2\n"), "{report}");
    assert!(report.contains("killed    3 (1 by a failure, 2 by a time limit)"), "{report}");
}

#[test]
fn nothing_is_not_called_sound() {
    assert!(of(20, &[], &[], false).to_string().ends_with("nothing to judge: what has changed has no mutants\n"));
    assert!(of(20, &[], &[(Fate::Caught, 1)], false).to_string().ends_with("sound\n"));
}

#[test]
fn results_of_another_tree_are_refused() {
    let foreign = results(&[(Fate::Caught, 3)]);
    assert!(judge(&tree(2), &[], &foreign, false).expect_err("refused").contains("`m2`, which is not a mutant"));
}

#[test]
fn an_entry_holds_as_long_as_one_of_its_line_survives() {
    let mut tree = tree(2);
    let first = tree.0["m0"].clone();
    tree.0.insert("m1".into(), first);
    let judged = |fates: &[_]| judge(&tree, &[explained(0)], &results(fates), true).expect("of the same tree");
    assert_eq!(judged(&[(Fate::Survived, 1), (Fate::Caught, 1)]).rotten, [""; 0]);
    assert_eq!(judged(&[(Fate::Caught, 2)]).rotten, ["`change 0` on the line `line 0` does not survive"]);
}

#[test]
fn the_report_names_what_to_do() {
    let report = of(20, &[20], &[(Fate::Survived, 1), (Fate::Caught, 18), (Fate::Unviable, 1)], true).to_string();
    let expected = "\
SURVIVED  m0
          line 0
ROTTEN    there is no mutant `change 20` on a line `line 20`: remove it from the explained survivors
mutants   20 judged, 0 left, of 20 in the tree
viable    19 (1 do not compile)
killed    18 (18 by a failure, 0 by a time limit)
survived  1 (0 explained)
score     94.7 %, at least 95 wanted
not sound: add a test or a scenario that notices each survivor, or explain why none can
";
    assert_eq!(report, expected);
}
