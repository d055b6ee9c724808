//! From values to the bytes of a policy section. The decoder of the wrappers has the last word: what it would refuse
//! is never written.

use std::fmt;
use wrapper::policy::{
    BODY_MAX, BODY_OFFSET, CHECKSUM_OFFSET, Kind, LENGTH_OFFSET, PolicyError, RefusalStyle, SECTION_SIZE, Tag,
    checksum, decode, unsealed, value,
};

/// What is to be sealed, resolved but not yet judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Values {
    /// Which program it is for.
    pub(crate) kind: Kind,
    /// Group which may start it.
    pub(crate) trusted: (u32, Vec<u8>),
    /// Group which its file belongs to.
    pub(crate) own: (u32, Vec<u8>),
    /// User who may own scripts, besides root.
    pub(crate) owner: (u32, Vec<u8>),
    /// Directory above `scripts`.
    pub(crate) prefix: Vec<u8>,
    /// Interpreter with its flags.
    pub(crate) interpreter: Option<(Vec<u8>, Vec<Vec<u8>>)>,
    /// Mail: commands.
    pub(crate) commands: Vec<Vec<u8>>,
    /// CGI: the script.
    pub(crate) cgi_script: Option<Vec<u8>>,
    /// Kept environment names.
    pub(crate) variables: Vec<Vec<u8>>,
    /// Exit statuses.
    pub(crate) refusal: RefusalStyle,
}

/// Values that are no policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAPolicy {
    /// Together they do not fit.
    TooLong {
        /// Bytes of the body.
        found: usize,
    },
    /// The wrapper would refuse it.
    Refused {
        /// Its reason.
        error: PolicyError,
        /// The value at fault, escaped, where it is one.
        value: Option<String>,
        /// The kind, which decides how options are called.
        kind: Kind,
    },
}

impl fmt::Display for NotAPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => write!(
                f,
                "the policy has {found} bytes, at most {BODY_MAX} fit; name fewer or shorter commands, variables or paths"
            ),
            Self::Refused { error, value, kind } => {
                let option = match error {
                    PolicyError::Field { tag, .. } => option(*tag, *kind),
                    _ => "the policy",
                };
                match value {
                    Some(value) => write!(f, "{option}={value}")?,
                    None => write!(f, "{option}")?,
                }
                write!(f, ": no wrapper would accept this policy: {error}")
            }
        }
    }
}

impl std::error::Error for NotAPolicy {}

/// The option which sets a field.
pub(crate) const fn option(tag: Tag, kind: Kind) -> &'static str {
    match tag {
        Tag::TrustedGid | Tag::TrustedName => match kind {
            Kind::Mail => "--with-mail-gid",
            Kind::Cgi => "--with-cgi-gid",
            Kind::Queue => "the policy",
        },
        Tag::OwnGid | Tag::OwnName => "--with-groupname",
        Tag::OwnerUid | Tag::OwnerName => "--with-username",
        Tag::Prefix => "--prefix",
        Tag::Interpreter => "--with-python",
        Tag::InterpreterFlag => "--interpreter-flag",
        Tag::Command => "--command",
        Tag::CgiScript => "--cgi-script",
        Tag::Variable => "--keep-environment",
        Tag::Refusal => "--refusal",
        Tag::QueueDirectory => "--queue-directory",
        Tag::MessageBytes => "--message-bytes",
        Tag::Recipients => "--recipients",
        Tag::UserMessages => "--user-messages",
        Tag::UserBytes => "--user-bytes",
        Tag::FreeBytes => "--free-bytes",
        Tag::Deadline => "--deadline",
    }
}

/// The section which holds these values.
///
/// # Errors
/// The wrapper which is to read them would refuse them, or they do not fit.
pub(crate) fn encode(values: &Values) -> Result<[u8; SECTION_SIZE], NotAPolicy> {
    let section = section(values.kind, &body(values)?)?;
    match decode(&section, values.kind) {
        Ok(_) => Ok(section),
        Err(error) => Err(NotAPolicy::Refused { error, value: culprit(values, error), kind: values.kind }),
    }
}

/// The section of that kind with this body.
///
/// # Errors
/// It does not fit.
pub(crate) fn section(kind: Kind, body: &[u8]) -> Result<[u8; SECTION_SIZE], NotAPolicy> {
    let too_long = || NotAPolicy::TooLong { found: body.len() };
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= BODY_MAX).ok_or_else(too_long)?;
    let mut section = unsealed(kind);
    section[LENGTH_OFFSET..CHECKSUM_OFFSET].copy_from_slice(&length.to_le_bytes());
    section[CHECKSUM_OFFSET..BODY_OFFSET].copy_from_slice(&checksum(body).to_le_bytes());
    section[BODY_OFFSET..BODY_OFFSET + body.len()].copy_from_slice(body);
    Ok(section)
}

/// The first value of the field which the decoder found fault with, that is faulty by itself.
fn culprit(values: &Values, error: PolicyError) -> Option<String> {
    let PolicyError::Field { tag, .. } = error else { return None };
    let fails = |parse: fn(&[u8]) -> bool, values: &[Vec<u8>]| values.iter().find(|value| !parse(value)).cloned();
    let one = std::slice::from_ref;
    let interpreter = || values.interpreter.as_ref();
    let value = match tag {
        Tag::TrustedName => fails(|v| value::name(v).is_some(), one(&values.trusted.1)),
        Tag::OwnName => fails(|v| value::name(v).is_some(), one(&values.own.1)),
        Tag::OwnerName => fails(|v| value::name(v).is_some(), one(&values.owner.1)),
        Tag::Prefix => fails(|v| value::path(v).is_some(), one(&values.prefix)),
        Tag::Interpreter => interpreter().map(|(path, _)| path.clone()),
        Tag::InterpreterFlag => interpreter().and_then(|(_, flags)| fails(|v| value::flag(v).is_some(), flags)),
        Tag::Command => fails(|v| value::script_name(v).is_some(), &values.commands),
        Tag::CgiScript => values.cgi_script.clone(),
        Tag::Variable => fails(|v| value::variable(v).is_some(), &values.variables),
        Tag::TrustedGid
        | Tag::OwnGid
        | Tag::OwnerUid
        | Tag::Refusal
        | Tag::QueueDirectory
        | Tag::MessageBytes
        | Tag::Recipients
        | Tag::UserMessages
        | Tag::UserBytes
        | Tag::FreeBytes
        | Tag::Deadline => None,
    };
    value.map(|value| value.escape_ascii().to_string())
}

/// Records in ascending order of their tags.
fn body(values: &Values) -> Result<Vec<u8>, NotAPolicy> {
    let mut records: Vec<(Tag, &[u8])> = Vec::new();
    let numbers = [values.trusted.0, values.own.0, values.owner.0].map(u32::to_le_bytes);
    let refusal = [values.refusal.as_raw()];
    records.push((Tag::TrustedGid, &numbers[0]));
    records.push((Tag::TrustedName, &values.trusted.1));
    records.push((Tag::OwnGid, &numbers[1]));
    records.push((Tag::OwnName, &values.own.1));
    records.push((Tag::OwnerUid, &numbers[2]));
    records.push((Tag::OwnerName, &values.owner.1));
    records.push((Tag::Prefix, &values.prefix));
    if let Some((path, flags)) = &values.interpreter {
        records.push((Tag::Interpreter, path));
        records.extend(flags.iter().map(|flag| (Tag::InterpreterFlag, flag.as_slice())));
    }
    records.extend(values.commands.iter().map(|command| (Tag::Command, command.as_slice())));
    records.extend(values.cgi_script.iter().map(|script| (Tag::CgiScript, script.as_slice())));
    records.extend(values.variables.iter().map(|variable| (Tag::Variable, variable.as_slice())));
    records.push((Tag::Refusal, &refusal));

    packed(&records)
}

/// The body of these records, which are in the order of their tags.
///
/// # Errors
/// A value, or all together, do not fit.
pub(crate) fn packed(records: &[(Tag, &[u8])]) -> Result<Vec<u8>, NotAPolicy> {
    let found = records.iter().map(|(_, value)| 3 + value.len()).sum();
    let mut body = Vec::new();
    for (tag, value) in records {
        let length = u16::try_from(value.len()).map_err(|_| NotAPolicy::TooLong { found })?;
        body.push(tag.as_raw());
        body.extend(length.to_le_bytes());
        body.extend(*value);
    }
    if body.len() > BODY_MAX { Err(NotAPolicy::TooLong { found }) } else { Ok(body) }
}

#[cfg(test)]
mod tests;
