//! Every call that can fail, failing in every way, and what is left then.

mod disk;

use super::{Committed, Fault, NotCommitted, Owned, Part, Plan, STEPS, Step, TRIES, perform};
use crate::policy::Limits;
use crate::queue::control::Summary;
use crate::queue::envelope::MessageFault;
use crate::queue::id::id;
use crate::queue::message::tests::Pieces;
use crate::queue::message::{Message, Stop};
use crate::queue::sample::{envelope, facts};
use crate::queue::text::Lines;
use disk::{Disk, Failing};
use nix::errno::Errno;
use rstest::rstest;

pub(in crate::queue) use disk::OWNED;

/// A disk that works.
pub(in crate::queue) fn disk() -> Disk {
    Disk::new(None)
}

/// Two pieces, so that there is a write in the middle of a body.
const BODY: &[u8] = b"first\n.\0\xff\nlast, without a line feed";

fn plan() -> Plan {
    Plan {
        envelope: envelope(),
        facts: facts(),
        head: Summary { bytes: 15, eight_bits: false },
        limits: Limits::DEFAULT,
        expected: OWNED,
        steps: &STEPS,
    }
}

fn submit(plan: &Plan, disk: &mut Disk) -> Result<Committed, NotCommitted> {
    let mut message = Message::new(Pieces::new(BODY, 20), Lines::new(true));
    assert_eq!(message.head().map(|head| head.len()), Ok(0));
    perform(plan, disk, &mut message)
}

/// What holds of every submission, however it ended.
fn check(disk: &Disk, ended: &Result<Committed, NotCommitted>, how: &str) {
    assert_eq!(disk.broken, None, "{how}");
    assert!(disk.planted_is_untouched(), "{how}");
    match ended {
        // Q1.
        Ok(committed) => {
            assert_eq!(disk.deliverable(), [committed.id()], "{how}");
            assert!(disk.is_whole(committed.id()), "{how}");
            assert_eq!(disk.names, disk.names_on_disk, "{how}: names are not on disk");
            let data = &disk.inodes[disk.names[&format!("df{}", committed.id())]];
            assert_eq!((&data.content[..], committed.bytes()), (BODY, 15 + BODY.len() as u64), "{how}");
        }
        // Q2, and what cannot be helped is said.
        Err(NotCommitted { left: false, .. }) => assert_eq!(disk.deliverable(), [""; 0], "{how}"),
        Err(NotCommitted { left: true, .. }) => {}
    }
}

#[test]
fn a_message_is_queued() {
    let mut disk = Disk::new(None);
    let ended = submit(&plan(), &mut disk);
    assert!(ended.is_ok(), "{ended:?}");
    check(&disk, &ended, "without a fault");
    assert_eq!(disk.names.len(), 2, "nothing else is left");
}

/// Q1, Q2, Q4 and Q15: at every call, every error, once, once although it was done, and for ever.
#[test]
fn whatever_fails_nothing_is_promised_that_does_not_hold() {
    let mut disk = Disk::new(None);
    submit(&plan(), &mut disk).expect("queued");
    let calls = disk.calls;
    assert!(calls >= STEPS.len(), "{calls}");
    let mut left = 0;
    for place in 0..calls {
        for errno in [Errno::EIO, Errno::ENOSPC, Errno::EDQUOT, Errno::EINTR, Errno::EROFS] {
            for failing in [Failing::Once(errno), Failing::OnceAfter(errno), Failing::Always(errno)] {
                let mut disk = Disk::new(Some((place, failing)));
                let ended = submit(&plan(), &mut disk);
                let how = format!("{failing:?} at call {place}: {ended:?}");
                assert!(ended.is_err(), "{how}");
                check(&disk, &ended, &how);
                let is_left = matches!(ended, Err(NotCommitted { left: true, .. }));
                match failing {
                    // One fault can always be taken back, and leaves no file behind.
                    Failing::Once(_) => assert!(!is_left && disk.names.is_empty(), "{how}: {:?}", disk.names),
                    Failing::OnceAfter(_) => assert!(!is_left, "{how}"),
                    Failing::Always(_) | Failing::Short => left += usize::from(is_left),
                }
            }
        }
    }
    // On a disk that dies between commit and report nothing can be taken back.
    assert!(left > 0, "{left}");
}

/// Q1: a short write is no error.
#[test]
fn a_short_write_goes_on() {
    let mut whole = Disk::new(None);
    submit(&plan(), &mut whole).expect("queued");
    let mut short = 0;
    for place in 0..whole.calls {
        let mut disk = Disk::new(Some((place, Failing::Short)));
        let ended = submit(&plan(), &mut disk);
        assert!(ended.is_ok(), "{ended:?}");
        check(&disk, &ended, "short");
        short += usize::from(disk.calls > whole.calls);
    }
    // Two pieces of the body, and the control file.
    assert_eq!(short, 3);
}

/// Q3: at the last call, and while the body is read, whatever stops a submission leaves nothing.
#[rstest]
#[case::signal(Stop::Signal(libc::SIGTERM))]
#[case::deadline(Stop::Deadline)]
#[case::read_error(Stop::Failed(Errno::EIO))]
fn a_submission_that_is_stopped_leaves_nothing(#[case] stop: Stop) {
    for source in
        [Pieces { end: Err(stop), ..Pieces::new(BODY, 20) }, Pieces { last_call: Err(stop), ..Pieces::new(BODY, 20) }]
    {
        let mut disk = Disk::new(None);
        let mut message = Message::new(source, Lines::new(true));
        message.head().expect("read");
        let ended = perform(&plan(), &mut disk, &mut message);
        assert_eq!(ended, Err(NotCommitted { fault: Fault::Stop(stop), left: false }));
        assert!(disk.names.is_empty(), "{:?}", disk.names);
    }
}

/// Q5: nothing that is there is overwritten, and another name is found where there is one.
#[test]
fn a_name_that_is_taken_is_left_alone() {
    let name = |prefix: &str, sequence| format!("{prefix}{}", id(facts().moment, sequence, facts().pid));
    let mut disk = Disk::new(None);
    for sequence in 0..TRIES - 1 {
        disk.plant(&name("df", sequence));
    }
    let ended = submit(&plan(), &mut disk);
    assert_eq!(ended.as_ref().map(Committed::id), Ok(&id(facts().moment, TRIES - 1, facts().pid)[..]));
    check(&disk, &ended, "the last try");

    disk.plant(&name("df", TRIES - 1));
    let mut disk = Disk::new(None);
    (0..TRIES).for_each(|sequence| disk.plant(&name("df", sequence)));
    let ended = submit(&plan(), &mut disk);
    assert_eq!(ended, Err(NotCommitted { fault: Fault::NoFreeName, left: false }));
    check(&disk, &ended, "no try left");

    for (prefix, step) in [("tf", Step::Create(Part::Control)), ("qf", Step::Commit)] {
        for failing in (0..40).map(|place| (place, Failing::Once(Errno::EIO))).map(Some).chain([None]) {
            let mut disk = Disk::new(failing);
            disk.plant(&name(prefix, 0));
            let ended = submit(&plan(), &mut disk);
            check(&disk, &ended, prefix);
            if failing.is_none() {
                let fault = Fault::Step { step, errno: Errno::EEXIST };
                assert_eq!(ended, Err(NotCommitted { fault, left: false }));
                assert_eq!(disk.names.len(), 1, "{:?}", disk.names);
            }
        }
    }
}

/// Q6.
#[rstest]
#[case::owner(Owned { uid: 65534, ..OWNED })]
#[case::group(Owned { gid: 1000, ..OWNED })]
#[case::links(Owned { links: 2, ..OWNED })]
fn a_file_that_is_not_the_callers_is_not_used(#[case] found: Owned) {
    let mut disk = Disk::new(None);
    disk.status = found;
    let fault = Fault::Other { found, wanted: OWNED };
    assert_eq!(submit(&plan(), &mut disk), Err(NotCommitted { fault, left: false }));
    assert!(disk.names.is_empty());
}

/// Q15.
#[test]
fn a_message_has_at_most_as_many_bytes_as_the_policy_says() {
    let whole = 15 + BODY.len() as u64;
    for (message_bytes, queued) in [(whole, true), (whole - 1, false), (1, false)] {
        let mut disk = Disk::new(None);
        let plan = Plan { limits: Limits { message_bytes, ..Limits::DEFAULT }, ..plan() };
        let ended = submit(&plan, &mut disk);
        assert_eq!((ended.is_ok(), disk.names.is_empty()), (queued, !queued), "{ended:?}");
        if let Err(NotCommitted { fault, .. }) = ended {
            assert_eq!(fault, Fault::Message(MessageFault::TooLarge { limit: message_bytes }));
        }
    }
}

/// The test of the tests: a plan that lacks a step, or has two in the wrong order, breaks a promise that is looked at.
#[test]
fn every_step_and_its_place_matter() {
    let noticed = |steps: Vec<Step>| {
        let plan = Plan { steps: Box::leak(steps.into_boxed_slice()), ..plan() };
        let mut disk = Disk::new(None);
        let ended = submit(&plan, &mut disk);
        ended.is_err() || std::panic::catch_unwind(|| check(&disk, &ended, "changed")).is_err()
    };
    assert!(!noticed(STEPS.to_vec()));
    for at in 0..STEPS.len() {
        let mut steps = STEPS.to_vec();
        let removed = steps.remove(at);
        // These two are promises to people who are there; the tests above ask for them.
        if !matches!(removed, Step::LastCall | Step::Check(_)) {
            assert!(noticed(steps), "without {removed:?} at {at}");
        }
    }
    for (early, late) in [(4, 13), (10, 13), (11, 13), (8, 13), (13, 14)] {
        let mut steps = STEPS.to_vec();
        steps.swap(early, late);
        assert!(noticed(steps), "{early} and {late} swapped");
    }
}
