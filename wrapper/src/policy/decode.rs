//! From the bytes of a section to a [`Policy`]: bounded, and without a way to panic.

use super::value;
use super::{
    BODY_OFFSET, CHECKSUM_OFFSET, Fault, Full, Group, Interpreter, KIND_OFFSET, Kind, LENGTH_OFFSET, Limits, List,
    MAGIC, Owner, Policy, PolicyError, QueuePolicy, RefusalStyle, SECTION_SIZE, Tag, Task, VERSION, VERSION_OFFSET,
    checksum,
};
use crate::credentials::Gid;

/// Reads the policy of a section that is for a wrapper.
///
/// # Errors
/// The first thing that is wrong, in the order of the layout: magic, version, kind, length, checksum, what follows the
/// body, records, fields one by one, fields together. A queue's, whatever it is, is none of these policies.
pub fn decode(section: &[u8; SECTION_SIZE], wanted: Kind) -> Result<Policy<'_>, PolicyError> {
    records(section, wanted)?.policy(wanted)
}

/// Reads the policy of a section that is for the queue writer.
///
/// # Errors
/// As [`decode`].
pub fn decode_queue(section: &[u8; SECTION_SIZE]) -> Result<QueuePolicy<'_>, PolicyError> {
    records(section, Kind::Queue)?.queue_policy()
}

fn records(section: &[u8; SECTION_SIZE], wanted: Kind) -> Result<Records<'_>, PolicyError> {
    let found = raw_kind(section)?;
    if found != wanted.as_raw() {
        return Err(PolicyError::Kind { found, wanted: Some(wanted) });
    }
    Records::check(body(section)?)
}

/// Largest limit in bytes: a TiB.
const BYTES_MAX: u64 = 1 << 40;
/// Largest limit of messages or recipients. A user's messages are two files each, and the queue writer counts 20,000.
const COUNT_MAX: u64 = 10_000;
/// Longest deadline: a week.
const DEADLINE_MAX: u64 = 604_800;

/// The kind of policy that a section holds or, unsealed, wants.
///
/// # Errors
/// If the section has another magic or version, or an unknown kind.
pub fn kind_of(section: &[u8; SECTION_SIZE]) -> Result<Kind, PolicyError> {
    let found = raw_kind(section)?;
    Kind::from_raw(found).ok_or(PolicyError::Kind { found, wanted: None })
}

fn raw_kind(section: &[u8; SECTION_SIZE]) -> Result<u16, PolicyError> {
    if !section.starts_with(&MAGIC) {
        return Err(PolicyError::Magic);
    }
    match u16::from_le_bytes(bytes_at(section, VERSION_OFFSET)) {
        VERSION => Ok(u16::from_le_bytes(bytes_at(section, KIND_OFFSET))),
        found => Err(PolicyError::Version { found }),
    }
}

/// The body, whole and nothing after it.
fn body(section: &[u8; SECTION_SIZE]) -> Result<&[u8], PolicyError> {
    let length = u32::from_le_bytes(bytes_at(section, LENGTH_OFFSET));
    if length == 0 {
        return Err(PolicyError::Unsealed);
    }
    let too_long = PolicyError::TooLong { found: length };
    let length = usize::try_from(length).map_err(|_| too_long)?;
    let (_, rest) = section.split_at(BODY_OFFSET);
    let (body, padding) = rest.split_at_checked(length).ok_or(too_long)?;
    if checksum(body) != u64::from_le_bytes(bytes_at(section, CHECKSUM_OFFSET)) {
        return Err(PolicyError::Checksum);
    }
    if padding.iter().any(|byte| *byte != 0) {
        return Err(PolicyError::Padding);
    }
    Ok(body)
}

/// `N` bytes of the header, which has them: every caller names a constant offset.
fn bytes_at<const N: usize>(section: &[u8; SECTION_SIZE], offset: usize) -> [u8; N] {
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(section.iter().skip(offset)) {
        *to = *from;
    }
    bytes
}

/// The records of a body, each whole and of a known kind, in ascending order of their tags.
#[derive(Clone, Copy)]
struct Records<'s>(&'s [u8]);

impl<'s> Records<'s> {
    fn check(body: &'s [u8]) -> Result<Self, PolicyError> {
        let mut last = None;
        let mut rest = body;
        while !rest.is_empty() {
            let unsound = PolicyError::Record { at: body.len() - rest.len() };
            let (number, _, after) = split_record(rest).ok_or(unsound)?;
            let tag = Tag::from_raw(number).filter(|tag| last <= Some(*tag)).ok_or(unsound)?;
            (last, rest) = (Some(tag), after);
        }
        Ok(Self(body))
    }

    /// The values of one tag.
    fn of(self, tag: Tag) -> impl Iterator<Item = &'s [u8]> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (number, value, after) = split_record(rest)?;
            rest = after;
            Some((number, value))
        })
        .filter_map(move |(number, value)| (number == tag.as_raw()).then_some(value))
    }

    fn policy(self, kind: Kind) -> Result<Policy<'s>, PolicyError> {
        let trusted = Group {
            gid: self.required(Tag::TrustedGid, value::gid)?,
            name: self.required(Tag::TrustedName, value::name)?,
        };
        let own =
            Group { gid: self.required(Tag::OwnGid, value::gid)?, name: self.required(Tag::OwnName, value::name)? };
        let owner =
            Owner { uid: self.required(Tag::OwnerUid, value::uid)?, name: self.required(Tag::OwnerName, value::name)? };
        let prefix = self.required(Tag::Prefix, value::path)?;
        let interpreter = self.interpreter()?;
        let commands = self.list(Tag::Command, value::script_name)?;
        let script = self.optional(Tag::CgiScript, value::script_name)?;
        let variables = self.list(Tag::Variable, value::variable)?;
        let refusal = self.required(Tag::Refusal, value::refusal)?;
        let task = match (kind, script) {
            (Kind::Mail, Some(_)) => return Err(field(Tag::CgiScript, Fault::OutOfPlace)),
            (Kind::Mail, None) if commands.is_empty() => return Err(field(Tag::Command, Fault::Missing)),
            (Kind::Mail, None) => Task::Mail { commands },
            (Kind::Cgi, _) if !commands.is_empty() => return Err(field(Tag::Command, Fault::OutOfPlace)),
            (Kind::Cgi, _) if refusal == RefusalStyle::Defer => return Err(field(Tag::Refusal, Fault::OutOfPlace)),
            (Kind::Cgi, None) => return Err(field(Tag::CgiScript, Fault::Missing)),
            (Kind::Cgi, Some(script)) => Task::Cgi { script },
            (Kind::Queue, _) => return Err(PolicyError::Kind { found: kind.as_raw(), wanted: None }),
        };
        self.without(|tag| tag >= Tag::QueueDirectory)?;
        Ok(Policy { trusted, own, owner, prefix, interpreter, task, variables, refusal })
    }

    fn queue_policy(self) -> Result<QueuePolicy<'s>, PolicyError> {
        let own =
            Group { gid: self.required(Tag::OwnGid, value::gid)?, name: self.required(Tag::OwnName, value::name)? };
        let owner =
            Owner { uid: self.required(Tag::OwnerUid, value::uid)?, name: self.required(Tag::OwnerName, value::name)? };
        let directory = self.required(Tag::QueueDirectory, value::path)?;
        let limits = Limits {
            message_bytes: self.required(Tag::MessageBytes, value::limit::<1, BYTES_MAX>)?,
            recipients: self.required(Tag::Recipients, value::limit::<1, COUNT_MAX>)?,
            user_messages: self.required(Tag::UserMessages, value::limit::<1, COUNT_MAX>)?,
            user_bytes: self.required(Tag::UserBytes, value::limit::<1, BYTES_MAX>)?,
            free_bytes: self.required(Tag::FreeBytes, value::limit::<0, BYTES_MAX>)?,
            deadline_seconds: self.required(Tag::Deadline, value::limit::<1, DEADLINE_MAX>)?,
        };
        self.without(|tag| {
            let common = matches!(tag, Tag::OwnGid | Tag::OwnName | Tag::OwnerUid | Tag::OwnerName);
            !common && tag < Tag::QueueDirectory
        })?;
        if own.gid.as_raw() == 0 || own.gid == Gid::OVERFLOW {
            return Err(field(Tag::OwnGid, Fault::OutOfPlace));
        }
        if owner.uid == Gid::OVERFLOW.as_raw() {
            return Err(field(Tag::OwnerUid, Fault::OutOfPlace));
        }
        Ok(QueuePolicy { own, owner, directory, limits })
    }

    /// No field of another kind of policy.
    fn without(self, foreign: fn(Tag) -> bool) -> Result<(), PolicyError> {
        let found = Tag::ALL.into_iter().find(|tag| foreign(*tag) && self.of(*tag).next().is_some());
        found.map_or(Ok(()), |tag| Err(field(tag, Fault::OutOfPlace)))
    }

    fn interpreter(self) -> Result<Option<Interpreter<'s>>, PolicyError> {
        let flags = self.list(Tag::InterpreterFlag, value::flag)?;
        match self.optional(Tag::Interpreter, value::path)? {
            Some(path) => Ok(Some(Interpreter { path, flags })),
            None if flags.is_empty() => Ok(None),
            None => Err(field(Tag::InterpreterFlag, Fault::OutOfPlace)),
        }
    }

    fn required<T>(self, tag: Tag, parse: fn(&'s [u8]) -> Option<T>) -> Result<T, PolicyError> {
        self.optional(tag, parse)?.ok_or(field(tag, Fault::Missing))
    }

    fn optional<T>(self, tag: Tag, parse: fn(&'s [u8]) -> Option<T>) -> Result<Option<T>, PolicyError> {
        let mut values = self.of(tag);
        let Some(value) = values.next() else { return Ok(None) };
        match (parse(value), values.next()) {
            (None, _) => Err(field(tag, Fault::Value)),
            (_, Some(_)) => Err(field(tag, Fault::TooMany { limit: 1 })),
            (sound, None) => Ok(sound),
        }
    }

    fn list<const N: usize>(
        self,
        tag: Tag,
        parse: fn(&'s [u8]) -> Option<&'s str>,
    ) -> Result<List<'s, N>, PolicyError> {
        let mut list = List::default();
        for bytes in self.of(tag) {
            let text = parse(bytes).ok_or(field(tag, Fault::Value))?;
            if list.contains(&text) {
                return Err(field(tag, Fault::Twice));
            }
            list.push(text).map_err(|Full| field(tag, Fault::TooMany { limit: N }))?;
        }
        Ok(list)
    }
}

/// Number, value and what comes after the first record.
fn split_record(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (number, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    Some((*number, value, rest))
}

const fn field(tag: Tag, fault: Fault) -> PolicyError {
    PolicyError::Field { tag, fault }
}
