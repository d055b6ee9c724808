//! The process before and after, one piece of furniture at a time.

use super::{LEAST_LIMITS, UnsafeProcess, make_safe, place, raised, step};
use crate::sys::tests::{
    all_signals_are, block_signals, blocked_signals, close, in_child, is_open, open_as, start_timers,
    timers_stand_still,
};
use crate::sys::{Disposition, capabilities, set_capabilities};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, raise};
use nix::sys::stat::{Mode, umask};
use nix::unistd::chdir;
use rstest::rstest;

#[rstest]
#[case::enough(20, 20, Ok(None))]
#[case::more_than_enough(21, 4096, Ok(None))]
#[case::soft_too_low(19, 20, Ok(Some(20)))]
#[case::soft_zero(0, u64::MAX, Ok(Some(20)))]
#[case::hard_too_low(19, 19, Err(UnsafeProcess::Limit { name: "RLIMIT_NOFILE", found: 19, needed: 20 }))]
fn a_limit_is_left_raised_or_refused(
    #[case] soft: u64,
    #[case] hard: u64,
    #[case] expected: Result<Option<u64>, UnsafeProcess>,
) {
    assert_eq!(raised("RLIMIT_NOFILE", soft, hard, 20), expected);
}

#[rstest]
#[case::mail(include_str!("../bin/mail-wrapper.rs"))]
#[case::cgi(include_str!("../bin/cgi-wrapper.rs"))]
fn the_manual_lists_the_limits(#[case] program: &str) {
    let rows = program.lines().filter_map(|line| line.strip_prefix("//! | RLIMIT_"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').take(2).map(str::trim).collect()).collect();
    let limits = LEAST_LIMITS.map(|(_, name, least)| (name.trim_start_matches("RLIMIT_"), least.to_string()));
    let limits: Vec<Vec<&str>> = limits.iter().map(|(name, least)| vec![*name, least.as_str()]).collect();
    assert_eq!(rows, limits);
}

#[test]
fn a_step_that_fails_is_named() {
    assert_eq!(step("try", Ok(1)), Ok(1));
    assert_eq!(step::<()>("try", Err(Errno::EPERM)), Err(UnsafeProcess::Step { what: "try", errno: Errno::EPERM }));
}

/// The working directory, without memory for it.
fn directory_is_root() -> bool {
    nix::sys::stat::stat(".")
        .and_then(|here| nix::sys::stat::stat("/").map(|root| (here, root)))
        .is_ok_and(|(here, root)| (here.st_dev, here.st_ino) == (root.st_dev, root.st_ino))
}

fn set_inheritable(value: u32) -> bool {
    capabilities()
        .map(|words| words.map(|word| crate::sys::CapabilityWord { inheritable: word.permitted & value, ..word }))
        .and_then(|words| set_capabilities(&words))
        .is_ok()
}

#[rstest]
#[case::signals_ignored(
    || crate::sys::dispose_of_signals(Disposition::Default).is_ok(),
    || all_signals_are(Disposition::Ignore)
)]
#[case::signals_unblocked(block_signals, || blocked_signals() == Some(0))]
// A pending SIGTERM would end the child as soon as it is unblocked, were it not discarded.
#[case::pending_signals_discarded(|| block_signals() && raise(Signal::SIGTERM).is_ok(), || blocked_signals() == Some(0))]
#[case::timers(start_timers, timers_stand_still)]
#[case::timer_slack(|| prctl::set_timerslack(7_000_000).is_ok(), || prctl::get_timerslack() == Ok(50_000))]
#[case::death_of_the_parent(
    || prctl::set_pdeathsig(Signal::SIGUSR1).is_ok(),
    || prctl::get_pdeathsig() == Ok(None)
)]
#[case::standard_descriptors_closed(|| close(0) && close(1) && close(2), || (0..3).all(is_open))]
#[case::one_standard_descriptor_closed(|| close(1), || (0..3).all(is_open) && !is_open(3))]
#[case::other_descriptors(|| open_as(3) && open_as(19), || (0..3).all(is_open) && !(3..20).any(is_open))]
#[case::standard_descriptor_closed_below_a_soft_limit(
    || close(0) && setrlimit(Resource::RLIMIT_NOFILE, 0, 1024).is_ok(),
    || is_open(0) && getrlimit(Resource::RLIMIT_NOFILE) == Ok((20, 1024))
)]
#[case::umask(|| umask(Mode::S_IRWXU) != Mode::S_IRWXU, || umask(Mode::empty()).bits() == 0o022)]
#[case::directory(|| chdir("/proc").is_ok() && !directory_is_root(), directory_is_root)]
#[case::inheritable_capabilities(
    || set_inheritable(u32::MAX),
    || capabilities().is_ok_and(|words| words.iter().all(|word| word.inheritable == 0))
)]
#[case::no_inheritable_capabilities(
    || set_inheritable(0),
    || capabilities().is_ok_and(|words| words.iter().all(|word| word.inheritable == 0))
)]
#[case::core(|| true, || getrlimit(Resource::RLIMIT_CORE) == Ok((0, 0)))]
#[case::soft_limit(
    || setrlimit(Resource::RLIMIT_FSIZE, 0, 2 << 20).is_ok(),
    || getrlimit(Resource::RLIMIT_FSIZE) == Ok((1 << 20, 2 << 20))
)]
fn whatever_the_caller_arranged_is_put_back(#[case] arrange: fn() -> bool, #[case] is_back: fn() -> bool) {
    assert!(in_child(|| arrange() && make_safe().is_ok() && is_back()));
}

#[rstest]
#[case::open(0)]
#[case::closed(1)]
fn a_hard_limit_that_is_too_small_is_refused(#[case] closed: i32) {
    let expected = UnsafeProcess::Limit { name: "RLIMIT_NOFILE", found: 0, needed: 20 };
    assert!(in_child(|| {
        (0..closed).all(close)
            && setrlimit(Resource::RLIMIT_NOFILE, 0, 0).is_ok()
            && make_safe().err() == Some(expected)
    }));
}

#[test]
fn a_place_that_cannot_be_used_is_named() {
    assert_eq!(place("/", Ok(())), Ok(()));
    assert_eq!(place("/", Err(Errno::EACCES)), Err(UnsafeProcess::Place { path: "/", errno: Errno::EACCES }));
}
