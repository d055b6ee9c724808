//! Policies of a queue, as `seal` makes those of the wrappers.

use super::seal::{Records, number};
use wrapper::policy::Tag;

/// What the queue writer of the tests is sealed with: small limits, so that they are reached.
pub(crate) fn queue() -> Records {
    vec![
        (Tag::OwnGid, number(38)),
        (Tag::OwnName, b"list".to_vec()),
        (Tag::OwnerUid, number(39)),
        (Tag::OwnerName, b"smmsp".to_vec()),
        (Tag::QueueDirectory, b"/mnt/spool/queue".to_vec()),
        (Tag::MessageBytes, limit(100_000)),
        (Tag::Recipients, limit(5)),
        (Tag::UserMessages, limit(3)),
        (Tag::UserBytes, limit(300_000)),
        (Tag::FreeBytes, limit(65_536)),
        (Tag::Deadline, limit(60)),
    ]
}

/// A limit of a queue as it stands in a section.
pub(crate) fn limit(limit: u64) -> Vec<u8> {
    limit.to_le_bytes().into()
}
