//! Policies of a queue, and what is none.

use super::{Limits, QueuePolicy};
use crate::credentials::Gid;
use crate::policy::{Fault, Group, Kind, Owner, PolicyError, Tag, decode, decode_queue};
use crate::queue_seal::{limit, queue};
use crate::seal::{Records, body, mail, number, section, with};
use rstest::rstest;

fn error(records: &Records) -> PolicyError {
    decode_queue(&section(Kind::Queue, &body(records))).expect_err("must be refused")
}

#[test]
fn a_policy_of_a_queue_is_read_whole() {
    let sealed = section(Kind::Queue, &body(&queue()));
    let expected = QueuePolicy {
        own: Group { gid: Gid::new(38).expect("a gid"), name: "list" },
        owner: Owner { uid: 39, name: "smmsp" },
        directory: "/mnt/spool/queue",
        limits: Limits {
            message_bytes: 100_000,
            recipients: 5,
            user_messages: 3,
            user_bytes: 300_000,
            free_bytes: 65_536,
            deadline_seconds: 60,
        },
    };
    assert_eq!(decode_queue(&sealed), Ok(expected));
}

#[test]
fn no_single_changed_bit_of_it_goes_unnoticed() {
    let sound = section(Kind::Queue, &body(&queue()));
    for byte in 0..sound.len() {
        for bit in 0..8 {
            let mut damaged = sound;
            damaged[byte] ^= 1 << bit;
            assert!(decode_queue(&damaged).is_err(), "bit {bit} of byte {byte}");
        }
    }
}

#[rstest]
fn each_field_of_a_queue_must_be_there_once(
    #[values(
        Tag::OwnGid,
        Tag::OwnName,
        Tag::OwnerUid,
        Tag::OwnerName,
        Tag::QueueDirectory,
        Tag::MessageBytes,
        Tag::Recipients,
        Tag::UserMessages,
        Tag::UserBytes,
        Tag::FreeBytes,
        Tag::Deadline
    )]
    tag: Tag,
) {
    let found = queue().into_iter().find(|(found, _)| *found == tag).expect("it has one").1;
    let wrong = |fault| PolicyError::Field { tag, fault };
    assert_eq!(error(&with(queue(), tag, &[])), wrong(Fault::Missing));
    assert_eq!(error(&with(queue(), tag, &[&found, &found])), wrong(Fault::TooMany { limit: 1 }));
}

#[rstest]
#[case::message(Tag::MessageBytes, 1, 1 << 40)]
#[case::recipients(Tag::Recipients, 1, 10_000)]
#[case::messages(Tag::UserMessages, 1, 10_000)]
#[case::bytes(Tag::UserBytes, 1, 1 << 40)]
#[case::free(Tag::FreeBytes, 0, 1 << 40)]
#[case::deadline(Tag::Deadline, 1, 604_800)]
fn limits_have_limits(#[case] tag: Tag, #[case] least: u64, #[case] most: u64) {
    let read = |value: u64| decode_queue(&section(Kind::Queue, &body(&with(queue(), tag, &[&limit(value)])))).is_ok();
    assert!(read(least) && read(most) && !read(most + 1));
    assert!(least == 0 || !read(least - 1));
    assert_eq!(error(&with(queue(), tag, &[&number(1)])), PolicyError::Field { tag, fault: Fault::Value });
    assert!(tag.rule().ends_with(&format!("{least} to {most}")), "{}", tag.rule());
}

/// Root's group owns much of a system, and nobody's number stands for all that are not mapped.
#[rstest]
#[case::group_of_root(Tag::OwnGid, 0)]
#[case::group_of_nobody(Tag::OwnGid, 65534)]
#[case::nobody(Tag::OwnerUid, 65534)]
fn a_queue_has_a_group_and_an_owner_of_its_own(#[case] tag: Tag, #[case] id: u32) {
    let fault = PolicyError::Field { tag, fault: Fault::OutOfPlace };
    assert_eq!(error(&with(queue(), tag, &[&number(id)])), fault);
}

#[test]
fn fields_of_the_other_kind_are_refused() {
    let foreign = |tag| PolicyError::Field { tag, fault: Fault::OutOfPlace };
    for (tag, value) in mail().into_iter().filter(|(tag, _)| !(Tag::OwnGid..=Tag::OwnerName).contains(tag)) {
        assert_eq!(error(&with(queue(), tag, &[&value])), foreign(tag));
    }
    for (tag, value) in queue().into_iter().filter(|(tag, _)| *tag >= Tag::QueueDirectory) {
        let records = with(mail(), tag, &[&value]);
        assert_eq!(decode(&section(Kind::Mail, &body(&records)), Kind::Mail), Err(foreign(tag)));
    }
}

#[test]
fn a_policy_is_for_one_program() {
    let of_queue = section(Kind::Queue, &body(&queue()));
    let of_mail = section(Kind::Mail, &body(&mail()));
    assert_eq!(decode(&of_queue, Kind::Mail), Err(PolicyError::Kind { found: 3, wanted: Some(Kind::Mail) }));
    assert_eq!(decode_queue(&of_mail), Err(PolicyError::Kind { found: 1, wanted: Some(Kind::Queue) }));
    assert!(decode(&of_queue, Kind::Queue).is_err());
}

/// The numbers of `wrapper-configure seal`.
#[test]
fn limits_that_nobody_has_said() {
    let said = Limits {
        message_bytes: 52_428_800,
        recipients: 1000,
        user_messages: 1000,
        user_bytes: 1_073_741_824,
        free_bytes: 67_108_864,
        deadline_seconds: 86_400,
    };
    assert_eq!(Limits::DEFAULT, said);
}
