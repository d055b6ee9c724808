//! From the bytes of a section to a [`Policy`]: bounded, and without a way to panic.

use super::value;
use super::{
    BODY_OFFSET, CHECKSUM_OFFSET, Contradiction, Fault, Group, Interpreter, KIND_OFFSET, Kind, LENGTH_OFFSET, MAGIC,
    Owner, Policy, PolicyError, RefusalStyle, SECTION_SIZE, Tag, Task, VERSION, VERSION_OFFSET, checksum,
};

/// Reads the policy of a section.
///
/// # Errors
/// The first thing that is wrong, in the order of the layout: magic, version, kind, length, checksum, what follows the
/// body, records, fields one by one, fields together.
pub fn decode(section: &[u8; SECTION_SIZE], wanted: Kind) -> Result<Policy<'_>, PolicyError> {
    let found = raw_kind(section)?;
    if found != wanted.as_raw() {
        return Err(PolicyError::Kind { found, wanted: Some(wanted) });
    }
    Records::split(body(section)?)?.policy(wanted)
}

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

/// The records of a body, in ascending order of their tags.
struct Records<'s>(Vec<(Tag, &'s [u8])>);

impl<'s> Records<'s> {
    fn split(body: &'s [u8]) -> Result<Self, PolicyError> {
        let mut records: Vec<(Tag, &[u8])> = Vec::new();
        let mut rest = body;
        while let Some((number, after)) = rest.split_first() {
            let cut_short = PolicyError::CutShort { at: body.len() - rest.len() };
            let (length, after) = after.split_first_chunk().ok_or(cut_short)?;
            let (value, after) = after.split_at_checked(u16::from_le_bytes(*length).into()).ok_or(cut_short)?;
            let tag = Tag::from_raw(*number).ok_or(PolicyError::UnknownTag { tag: *number })?;
            if records.last().is_some_and(|(last, _)| *last > tag) {
                return Err(PolicyError::OutOfOrder { tag });
            }
            records.push((tag, value));
            rest = after;
        }
        Ok(Self(records))
    }

    fn policy(&self, kind: Kind) -> Result<Policy<'s>, PolicyError> {
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
        let commands = self.all(Tag::Command, value::script_name)?;
        let script = self.optional(Tag::CgiScript, value::script_name)?;
        let variables = self.all(Tag::Variable, value::variable)?;
        let refusal = self.required(Tag::Refusal, value::refusal)?;
        let task = match (kind, script) {
            (Kind::Mail, Some(_)) => return Err(Contradiction::MailWithCgiScript.into()),
            (Kind::Mail, None) if commands.is_empty() => return Err(missing(Tag::Command)),
            (Kind::Mail, None) => Task::Mail { commands },
            (Kind::Cgi, _) if !commands.is_empty() => return Err(Contradiction::CgiWithCommands.into()),
            (Kind::Cgi, _) if refusal == RefusalStyle::Defer => return Err(Contradiction::CgiDefers.into()),
            (Kind::Cgi, None) => return Err(missing(Tag::CgiScript)),
            (Kind::Cgi, Some(script)) => Task::Cgi { script },
        };
        Ok(Policy { trusted, own, owner, prefix, interpreter, task, variables, refusal })
    }

    fn interpreter(&self) -> Result<Option<Interpreter<'s>>, PolicyError> {
        let flags = self.all(Tag::InterpreterFlag, value::flag)?;
        match self.optional(Tag::Interpreter, value::path)? {
            Some(path) => Ok(Some(Interpreter { path, flags })),
            None if flags.is_empty() => Ok(None),
            None => Err(Contradiction::FlagsWithoutInterpreter.into()),
        }
    }

    fn required<T: PartialEq>(&self, tag: Tag, parse: fn(&'s [u8]) -> Result<T, Fault>) -> Result<T, PolicyError> {
        self.optional(tag, parse)?.ok_or(missing(tag))
    }

    fn optional<T: PartialEq>(
        &self,
        tag: Tag,
        parse: fn(&'s [u8]) -> Result<T, Fault>,
    ) -> Result<Option<T>, PolicyError> {
        Ok(self.all(tag, parse)?.pop())
    }

    /// Every value of that tag, as often as the tag allows.
    fn all<T: PartialEq>(&self, tag: Tag, parse: fn(&'s [u8]) -> Result<T, Fault>) -> Result<Vec<T>, PolicyError> {
        let wrong = |fault| PolicyError::Field { tag, fault };
        let mut values = Vec::new();
        for (_, bytes) in self.0.iter().filter(|(found, _)| *found == tag) {
            if values.len() == tag.limit() {
                return Err(wrong(Fault::TooMany { limit: tag.limit() }));
            }
            let value = parse(bytes).map_err(wrong)?;
            if values.contains(&value) {
                return Err(wrong(Fault::Twice));
            }
            values.push(value);
        }
        Ok(values)
    }
}

fn missing(tag: Tag) -> PolicyError {
    PolicyError::Field { tag, fault: Fault::Missing }
}

impl From<Contradiction> for PolicyError {
    fn from(contradiction: Contradiction) -> Self {
        Self::Contradiction(contradiction)
    }
}
