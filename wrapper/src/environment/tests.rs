//! What reaches the script.

use super::for_script;
use rstest::rstest;
use std::ffi::CStr;

#[rstest]
#[case::nothing(&[], &[], &[])]
#[case::not_kept(&[c"HOME=/tmp", c"LD_PRELOAD=/tmp/x"], &[], &[])]
#[case::kept(&[c"A=1", c"B=2"], &["B"], &[c"B=2"])]
#[case::in_the_order_of_the_policy(&[c"A=1", c"B=2"], &["B", "A"], &[c"B=2", c"A=1"])]
#[case::absent(&[c"A=1"], &["B"], &[])]
#[case::first_of_two(&[c"A=1", c"A=2"], &["A"], &[c"A=1"])]
#[case::empty_value(&[c"A="], &["A"], &[c"A="])]
#[case::value_with_equals(&[c"A=b=c"], &["A"], &[c"A=b=c"])]
#[case::value_of_any_bytes(&[c"A=\xff\x1b\n"], &["A"], &[c"A=\xff\x1b\n"])]
#[case::no_equals(&[c"A", c"A=1"], &["A"], &[c"A=1"])]
#[case::only_no_equals(&[c"A"], &["A"], &[])]
#[case::no_name(&[c"=A", c"=A=1"], &["A"], &[])]
#[case::empty_entry(&[c""], &["A"], &[])]
#[case::longer_name(&[c"AB=1"], &["A"], &[])]
#[case::shorter_name(&[c"A=1"], &["AB"], &[])]
#[case::other_case(&[c"a=1"], &["A"], &[])]
fn only_what_the_policy_names(
    #[case] given: &[&'static CStr],
    #[case] kept: &[&str],
    #[case] expected: &[&'static CStr],
) {
    let mut whole = vec![c"PATH=/usr/bin:/bin"];
    whole.extend(expected);
    assert_eq!(for_script(given.iter().copied(), kept), whole);
}

#[test]
fn path_is_the_constant_whatever_the_caller_had() {
    assert_eq!(for_script([c"PATH=/tmp", c"PATH=/evil"].into_iter(), &[]), [c"PATH=/usr/bin:/bin"]);
}
