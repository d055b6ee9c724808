//! What is sealed into the queue writer.

use super::{Group, Owner};

/// The policy of a queue: only [`super::decode_queue`] makes one from a section.
///
/// It trusts nobody in particular: any user may run the queue writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePolicy<'s> {
    /// What the queue writer is set-group-ID to, and what owns the directory. Neither root's group nor nobody's.
    pub own: Group<'s>,
    /// Besides root, who may own the directory and those above it: the user who runs the queue.
    pub owner: Owner<'s>,
    /// Absolute path of the directory.
    pub directory: &'s str,
    /// What is too much.
    pub limits: Limits,
}

/// What is too much, or too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a message, header and body.
    pub message_bytes: u64,
    /// Most recipients of a message.
    pub recipients: u64,
    /// Most messages of one user in the queue.
    pub user_messages: u64,
    /// Most bytes of one user's files in the queue.
    pub user_bytes: u64,
    /// Bytes of the file system that a submission must leave to others.
    pub free_bytes: u64,
    /// Seconds after which a submission that has not ended is given up.
    pub deadline_seconds: u64,
}

impl Limits {
    /// What `wrapper-configure` seals where it is not told otherwise: a size as large mail providers take, and the day of
    /// qmail-queue(8).
    pub const DEFAULT: Self = Self {
        message_bytes: 50 << 20,
        recipients: 1000,
        user_messages: 1000,
        user_bytes: 1 << 30,
        free_bytes: 64 << 20,
        deadline_seconds: 86_400,
    };
}

#[cfg(test)]
mod tests;
