//! The policy of a queue writer: from options to the section, and from the section to words.

use crate::accounts::{Account, Accounts};
use crate::cli::{Queue, Refusal, Settings};
use crate::encode::{NotAPolicy, option, packed, section};
use crate::groups;
use crate::settings::{Misplaced, tidy};
use serde::Serialize;
use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use wrapper::policy::{Kind, Limits, PolicyError, QueuePolicy, SECTION_SIZE, Tag, decode_queue, value};

/// The section for a queue writer.
///
/// # Errors
/// An option is a wrapper's, names no account that exists, or makes no policy.
pub(crate) fn seal(
    settings: &Settings,
    queue: &Queue,
    accounts: &Accounts,
) -> Result<[u8; SECTION_SIZE], Box<dyn Error>> {
    refuse_others(settings)?;
    let Some(directory) = &queue.queue_directory else {
        return Err(Misplaced::NoQueueDirectory.into());
    };
    let directory = tidy(directory);
    let own = groups::resolve("--with-groupname", settings.with_groupname.as_encoded_bytes(), &accounts.groups)?.row;
    let owner = groups::resolve("--with-username", settings.with_username.as_encoded_bytes(), &accounts.users)?.row;
    let ids = [own.number(), owner.number()].map(u32::to_le_bytes);
    let limits = limits(queue).map(|(tag, limit)| (tag, limit.to_le_bytes()));
    let mut records: Vec<(Tag, &[u8])> = vec![
        (Tag::OwnGid, &ids[0]),
        (Tag::OwnName, own.name()),
        (Tag::OwnerUid, &ids[1]),
        (Tag::OwnerName, owner.name()),
        (Tag::QueueDirectory, &directory),
    ];
    records.extend(limits.iter().map(|(tag, limit)| (*tag, limit.as_slice())));
    let section = section(Kind::Queue, &packed(&records)?)?;
    match decode_queue(&section) {
        Ok(_) => Ok(section),
        Err(error) => {
            let value = match error {
                PolicyError::Field { tag, .. } => {
                    records.iter().find(|(found, _)| *found == tag).map(|(_, value)| *value)
                }
                _ => None,
            };
            let value = value.map(|value| match value::limit::<0, { u64::MAX }>(value) {
                Some(limit) => limit.to_string(),
                None => value.escape_ascii().to_string(),
            });
            Err(NotAPolicy::Refused { error, value, kind: Kind::Queue }.into())
        }
    }
}

/// In the order of their tags.
fn limits(queue: &Queue) -> [(Tag, u64); 6] {
    let default = Limits::DEFAULT;
    [
        (Tag::MessageBytes, queue.message_bytes.unwrap_or(default.message_bytes)),
        (Tag::Recipients, queue.recipients.unwrap_or(default.recipients)),
        (Tag::UserMessages, queue.user_messages.unwrap_or(default.user_messages)),
        (Tag::UserBytes, queue.user_bytes.unwrap_or(default.user_bytes)),
        (Tag::FreeBytes, queue.free_bytes.unwrap_or(default.free_bytes)),
        (Tag::Deadline, queue.deadline.unwrap_or(default.deadline_seconds)),
    ]
}

/// Options that would be sealed into a wrapper.
fn refuse_others(settings: &Settings) -> Result<(), Misplaced> {
    let none = "it trusts every user, starts nothing and has statuses of its own";
    let given = [
        ("--with-mail-gid", settings.with_mail_gid.is_some()),
        ("--with-cgi-gid", settings.with_cgi_gid.is_some()),
        ("--with-python", settings.with_python != "none"),
        ("--command", !settings.commands.is_empty()),
        ("--keep-environment", !settings.keep_environment.is_empty()),
        ("--refusal=defer", settings.refusal == Refusal::Defer),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Misplaced::OtherKind { option, kind: Kind::Queue, instead: none }),
        None => Ok(()),
    }
}

/// Refuses the options of a queue for a wrapper.
///
/// # Errors
/// With the option.
pub(crate) fn refuse_for(kind: Kind, queue: &Queue) -> Result<(), Misplaced> {
    let given = [
        ("--queue-directory", queue.queue_directory.is_some()),
        ("--message-bytes", queue.message_bytes.is_some()),
        ("--recipients", queue.recipients.is_some()),
        ("--user-messages", queue.user_messages.is_some()),
        ("--user-bytes", queue.user_bytes.is_some()),
        ("--free-bytes", queue.free_bytes.is_some()),
        ("--deadline", queue.deadline.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Misplaced::OtherKind { option, kind, instead: "seal a queue-writer with it" }),
        None => Ok(()),
    }
}

/// The policy in a JSON document.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Fields<'a> {
    own: Named<'a>,
    owner: Named<'a>,
    queue_directory: &'a str,
    message_bytes: u64,
    recipients: u64,
    user_messages: u64,
    user_bytes: u64,
    free_bytes: u64,
    deadline: u64,
}

#[derive(Serialize)]
struct Named<'a> {
    id: u32,
    name: &'a str,
}

impl<'a> Fields<'a> {
    /// Of this policy.
    pub(crate) fn of(policy: &QueuePolicy<'a>) -> Self {
        let QueuePolicy { own, owner, directory, limits } = policy;
        Self {
            own: Named { id: own.gid.as_raw(), name: own.name },
            owner: Named { id: owner.uid, name: owner.name },
            queue_directory: directory,
            message_bytes: limits.message_bytes,
            recipients: limits.recipients,
            user_messages: limits.user_messages,
            user_bytes: limits.user_bytes,
            free_bytes: limits.free_bytes,
            deadline: limits.deadline_seconds,
        }
    }
}

/// The policy in words, a line a field.
///
/// # Errors
/// The output cannot be written.
pub(crate) fn write_words(policy: &QueuePolicy<'_>, out: &mut dyn Write) -> io::Result<()> {
    let QueuePolicy { own, owner, directory, limits } = policy;
    let fields: [(Tag, &dyn Display); 9] = [
        (Tag::OwnGid, &format_args!("{} {}", own.name, own.gid)),
        (Tag::OwnerUid, &format_args!("{} {}", owner.name, owner.uid)),
        (Tag::QueueDirectory, directory),
        (Tag::MessageBytes, &limits.message_bytes),
        (Tag::Recipients, &limits.recipients),
        (Tag::UserMessages, &limits.user_messages),
        (Tag::UserBytes, &limits.user_bytes),
        (Tag::FreeBytes, &limits.free_bytes),
        (Tag::Deadline, &limits.deadline_seconds),
    ];
    for (tag, value) in fields {
        let label = format!("compiled in ({}):", option(tag, Kind::Queue));
        writeln!(out, "{label:<34} {value}")?;
    }
    Ok(())
}
