//! A row for every answer to every question about the caller.

use super::check_caller;
use crate::credentials::{Credentials, Regains};
use crate::policy::{Group, Policy};
use crate::refusal::Refusal;
use crate::sample::{Answers, LIST, MAIL, gid, mail_policy, trusted_caller};
use crate::surroundings::AccountName;
use rstest::rstest;

const NOGROUP: Group<'static> = Group { gid: gid(65534), name: "nogroup" };

fn known(name: &str) -> AccountName {
    AccountName::Known(name.to_owned())
}

/// What comes out, and what was asked on the way.
fn check(
    policy: &Policy<'static>,
    credentials: Credentials,
    answers: &Answers,
) -> (Option<Refusal<'static>>, Vec<&'static str>) {
    let refusal = check_caller(policy, &credentials, answers).err();
    (refusal, answers.asked.borrow().clone())
}

#[test]
fn the_trusted_gid_is_admitted_without_a_question() {
    assert_eq!(check(&mail_policy(), trusted_caller(), &Answers::none()), (None, vec![]));
}

#[test]
fn the_own_group_may_be_the_trusted_one() {
    let policy = Policy { trusted: LIST, ..mail_policy() };
    let caller = Credentials { real: LIST.gid, ..trusted_caller() };
    assert_eq!(check(&policy, caller, &Answers::none()), (None, vec![]));
}

#[rstest]
#[case::another_group(33, known("www-data"))]
#[case::root_group(0, known("root"))]
#[case::own_group(38, known("list"))]
#[case::another_number_of_that_name(9, known("mail"))]
#[case::trusted_plus_65536(65544, known("far"))]
#[case::nameless(4242, AccountName::Nameless)]
#[case::no_group_file(33, AccountName::Unreadable)]
fn any_other_real_gid_is_refused(#[case] real: u32, #[case] name: AccountName) {
    let expected = Refusal::Mismatch { found: gid(real), name: name.clone(), trusted: MAIL };
    let caller = Credentials { real: gid(real), ..trusted_caller() };
    let (refusal, asked) = check(&mail_policy(), caller, &Answers::new(false, name));
    assert_eq!((refusal, asked), (Some(expected), vec!["group name"]));
}

#[rstest]
#[case::bit_lost(8, known("mail"))]
#[case::nameless(4242, AccountName::Nameless)]
#[case::unreadable(8, AccountName::Unreadable)]
fn a_bit_that_did_not_act_is_noticed_before_the_caller(#[case] effective: u32, #[case] name: AccountName) {
    let expected = Refusal::NotSetGroupId { found: gid(effective), name: name.clone(), own: LIST };
    for real in [8, 33] {
        let caller = Credentials { real: gid(real), effective: gid(effective), regains: Some(Regains::Root) };
        let (refusal, asked) = check(&mail_policy(), caller, &Answers::new(false, name.clone()));
        assert_eq!((refusal, asked), (Some(expected.clone()), vec!["group name"]));
    }
}

#[rstest]
#[case::root(Regains::Root)]
#[case::capability(Regains::Capability)]
fn a_trusted_caller_that_could_take_a_group_back_is_refused(#[case] how: Regains) {
    let caller = Credentials { regains: Some(how), ..trusted_caller() };
    let expected = Refusal::CannotGiveUp { how, trusted: MAIL };
    assert_eq!(check(&mail_policy(), caller, &Answers::none()), (Some(expected), vec![]));
}

#[test]
fn a_stranger_hears_of_the_group_first_whatever_it_could_take_back() {
    let caller = Credentials { real: gid(0), regains: Some(Regains::Root), ..trusted_caller() };
    let (refusal, _) = check(&mail_policy(), caller, &Answers::new(false, known("root")));
    assert!(matches!(refusal, Some(Refusal::Mismatch { .. })));
}

#[test]
fn the_gid_that_stands_for_the_unmapped_is_trusted_only_where_there_are_none() {
    let policy = Policy { trusted: NOGROUP, ..mail_policy() };
    let caller = Credentials { real: NOGROUP.gid, ..trusted_caller() };
    let mapped = Answers::new(true, AccountName::Nameless);
    assert_eq!(check(&policy, caller, &mapped), (None, vec!["gid map"]));
    let partly = Answers::new(false, AccountName::Nameless);
    let expected = Refusal::AmbiguousTrust { trusted: NOGROUP };
    assert_eq!(check(&policy, caller, &partly), (Some(expected.clone()), vec!["gid map"]));
    // It is a matter of the policy, and so comes before the bit.
    let lost = Credentials { real: gid(33), effective: gid(33), regains: None };
    assert_eq!(check(&policy, lost, &Answers::none()).0, Some(expected));
}
