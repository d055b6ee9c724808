//! Sections for the decoder to read, in the layout that `wrapper::policy` describes.

use lab_invocation::attempt::{Program, Sealed};
use wrapper::policy::{
    BODY_OFFSET, CHECKSUM_OFFSET, KIND_OFFSET, Kind, LENGTH_OFFSET, Policy, RefusalStyle, SECTION_SIZE, Tag, Task,
    checksum, unsealed,
};

/// A section.
pub type Section = [u8; SECTION_SIZE];

/// Records of a body, in order: tag and value.
pub type Records = Vec<(u8, Vec<u8>)>;

/// Which program it is for.
pub fn kind(sealed: &Sealed) -> Kind {
    match sealed.program {
        Program::Mail(_) => Kind::Mail,
        Program::Cgi(_) => Kind::Cgi,
    }
}

/// The section for this policy, sound or not; `None` if it does not fit into one.
pub fn section_of(sealed: &Sealed) -> Option<Section> {
    let mut records = Records::new();
    let mut add = |tag: Tag, value: &[u8]| records.push((tag.as_raw(), value.to_vec()));
    add(Tag::TrustedGid, &sealed.trusted.gid.as_raw().to_le_bytes());
    add(Tag::TrustedName, sealed.trusted.name.as_slice());
    add(Tag::OwnGid, &sealed.own.gid.as_raw().to_le_bytes());
    add(Tag::OwnName, sealed.own.name.as_slice());
    add(Tag::OwnerUid, &sealed.owner.uid.as_raw().to_le_bytes());
    add(Tag::OwnerName, sealed.owner.name.as_slice());
    add(Tag::Prefix, sealed.prefix.as_slice());
    if let Some((path, flags)) = &sealed.interpreter {
        add(Tag::Interpreter, path.as_slice());
        flags.iter().for_each(|flag| add(Tag::InterpreterFlag, flag.as_slice()));
    }
    match &sealed.program {
        Program::Mail(commands) => commands.iter().for_each(|command| add(Tag::Command, command.as_slice())),
        Program::Cgi(page) => add(Tag::CgiScript, page.as_slice()),
    }
    sealed.keep.iter().for_each(|name| add(Tag::Variable, name.as_slice()));
    let style = if sealed.defer { RefusalStyle::Defer } else { RefusalStyle::Mailman };
    add(Tag::Refusal, &[style.as_raw()]);
    section(kind(sealed).as_raw(), &body(&records)?)
}

/// The records of a policy that was decoded.
pub fn records_of(policy: &Policy<'_>) -> Records {
    let mut records = Records::new();
    let mut add = |tag: Tag, value: &[u8]| records.push((tag.as_raw(), value.to_vec()));
    add(Tag::TrustedGid, &policy.trusted.gid.as_raw().to_le_bytes());
    add(Tag::TrustedName, policy.trusted.name.as_bytes());
    add(Tag::OwnGid, &policy.own.gid.as_raw().to_le_bytes());
    add(Tag::OwnName, policy.own.name.as_bytes());
    add(Tag::OwnerUid, &policy.owner.uid.to_le_bytes());
    add(Tag::OwnerName, policy.owner.name.as_bytes());
    add(Tag::Prefix, policy.prefix.as_bytes());
    if let Some(interpreter) = &policy.interpreter {
        add(Tag::Interpreter, interpreter.path.as_bytes());
        interpreter.flags.iter().for_each(|flag| add(Tag::InterpreterFlag, flag.as_bytes()));
    }
    match &policy.task {
        Task::Mail { commands } => commands.iter().for_each(|command| add(Tag::Command, command.as_bytes())),
        Task::Cgi { script } => add(Tag::CgiScript, script.as_bytes()),
    }
    policy.variables.iter().for_each(|name| add(Tag::Variable, name.as_bytes()));
    add(Tag::Refusal, &[policy.refusal.as_raw()]);
    records
}

/// The body of these records; `None` if a value is longer than a record can say.
pub fn body(records: &[(u8, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    for (tag, value) in records {
        body.push(*tag);
        body.extend(u16::try_from(value.len()).ok()?.to_le_bytes());
        body.extend(value);
    }
    Some(body)
}

/// A section with this body and the checksum for it; `None` if it does not fit.
pub fn section(kind: u16, body: &[u8]) -> Option<Section> {
    let mut section = unsealed(Kind::Mail);
    put(&mut section, KIND_OFFSET, &kind.to_le_bytes());
    put(&mut section, LENGTH_OFFSET, &u32::try_from(body.len()).ok()?.to_le_bytes());
    put(&mut section, CHECKSUM_OFFSET, &checksum(body).to_le_bytes());
    (body.len() <= SECTION_SIZE - BODY_OFFSET).then(|| {
        put(&mut section, BODY_OFFSET, body);
        section
    })
}

/// Puts bytes at a place of the section; what would stand behind its end is left out.
pub fn put(section: &mut Section, place: usize, bytes: &[u8]) {
    for (to, from) in section.iter_mut().skip(place).zip(bytes) {
        *to = *from;
    }
}
