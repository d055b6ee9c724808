//! When a message is tried, and what becomes of it.

use super::{Schedule, is_due, settle};
use crate::control::Control;
use crate::relay::Fate;
use rstest::rstest;
use std::time::Duration;

fn control(text: &str) -> Control {
    Control::parse(format!("V8\n{text}\n.\n").as_bytes()).expect("a control file")
}

#[rstest]
#[case::never_tried(0, 1000, 1000, true)]
#[case::once_and_too_soon(1, 1000, 1299, false)]
#[case::once(1, 1000, 1300, true)]
#[case::twice_and_too_soon(2, 1000, 1599, false)]
#[case::twice(2, 1000, 1600, true)]
#[case::seven_times_and_too_soon(7, 1000, 15_399, false)]
#[case::seven_times(7, 1000, 15_400, true)]
#[case::very_often(u64::MAX, 1000, 15_400, true)]
#[case::the_clock_was_set_back(3, 1000, 999, true)]
fn delays_double_up_to_four_hours(#[case] attempts: u64, #[case] tried: u64, #[case] now: u64, #[case] due: bool) {
    let control = control(&format!("K{tried}\nN{attempts}\nSa\nRPFD:b"));
    assert_eq!(is_due(&control, now), due);
}

fn deferred() -> Fate {
    Fate::Deferred("450 later".into())
}

fn failed() -> Fate {
    Fate::Failed("550 no".into())
}

#[rstest]
#[case::delivered("Sa", Fate::Delivered, 0, [0, 0, 0])]
#[case::deferred("Sa", deferred(), 99, [1, 0, 0])]
#[case::expired("Sa", deferred(), 100, [0, 1, 0])]
#[case::failed("Sa", failed(), 0, [0, 1, 0])]
#[case::failed_with_nobody_to_tell("S<>", failed(), 0, [0, 0, 1])]
#[case::expired_with_nobody_to_tell("S<>", deferred(), 100, [0, 0, 1])]
fn one_recipient(#[case] sender: &str, #[case] fate: Fate, #[case] age: u64, #[case] wanted: [usize; 3]) {
    let control = control(&format!("T1000\n{sender}\nRPFD:b"));
    let schedule = Schedule { return_after: Duration::from_secs(100) };
    let settled = settle(&control, vec![fate], 1000 + age, schedule);
    assert_eq!([settled.wait.len(), settled.give_back.len(), settled.nobody_to_tell.len()], wanted);
}

#[test]
fn each_recipient_has_a_fate_of_its_own() {
    let control = control("T1000\nSa\nRPFD:b\nRPND:quiet\nRPNF:c\nRPFD:d");
    let schedule = Schedule { return_after: Duration::from_secs(100) };
    let settled = settle(&control, vec![Fate::Delivered, failed(), failed(), deferred()], 1000, schedule);
    assert_eq!(settled.wait, [(3, "450 later".to_owned())]);
    // The second asked not to be told.
    assert_eq!(settled.give_back, [(2, "550 no".to_owned())]);
    assert!(settled.nobody_to_tell.is_empty());
}

#[test]
fn a_message_that_does_not_say_when_it_was_queued_does_not_expire() {
    let settled =
        settle(&control("Sa\nRPFD:b"), vec![deferred()], 1 << 40, Schedule { return_after: Duration::from_secs(100) });
    assert_eq!(settled.wait.len(), 1);
}
