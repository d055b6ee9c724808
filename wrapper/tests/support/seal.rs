//! Makes sections for tests, in the layout that `wrapper::policy` describes: sound ones, and ones with a single defect.

use wrapper::policy::{
    BODY_OFFSET, CHECKSUM_OFFSET, Kind, LENGTH_OFFSET, RefusalStyle, SECTION_SIZE, Tag, checksum, unsealed,
};

/// Commands, as many as a mail wrapper usually has.
pub(crate) const COMMANDS: [&str; 10] =
    ["admin", "bounces", "confirm", "join", "leave", "owner", "post", "request", "subscribe", "unsubscribe"];

/// Variables that a CGI wrapper keeps.
pub(crate) const VARIABLES: [&str; 3] = ["HTTP_COOKIE", "QUERY_STRING", "SERVER_NAME"];

/// The fields of a policy, in the order of the body.
pub(crate) type Records = Vec<(Tag, Vec<u8>)>;

/// What the mail wrapper of a usual installation is sealed with.
pub(crate) fn mail() -> Records {
    let mut records = common();
    records.extend(COMMANDS.map(|command| (Tag::Command, command.into())));
    records.push((Tag::Refusal, vec![RefusalStyle::Mailman.as_raw()]));
    records
}

/// What the CGI wrapper of a usual installation is sealed with.
pub(crate) fn cgi() -> Records {
    let mut records = common();
    records.push((Tag::CgiScript, b"listinfo".to_vec()));
    records.extend(VARIABLES.map(|name| (Tag::Variable, name.into())));
    records.push((Tag::Refusal, vec![RefusalStyle::Mailman.as_raw()]));
    records
}

fn common() -> Records {
    vec![
        (Tag::TrustedGid, number(8)),
        (Tag::TrustedName, b"mail".to_vec()),
        (Tag::OwnGid, number(38)),
        (Tag::OwnName, b"list".to_vec()),
        (Tag::OwnerUid, number(38)),
        (Tag::OwnerName, b"list".to_vec()),
        (Tag::Prefix, b"/usr/local/mailman".to_vec()),
    ]
}

/// A u32 as it stands in a section.
pub(crate) fn number(number: u32) -> Vec<u8> {
    number.to_le_bytes().into()
}

/// Without the fields of that tag, and with these values in their place.
pub(crate) fn with(mut records: Records, tag: Tag, values: &[&[u8]]) -> Records {
    records.retain(|(found, _)| *found != tag);
    records.extend(values.iter().map(|value| (tag, value.to_vec())));
    records.sort_by_key(|(tag, _)| *tag);
    records
}

/// The body of these fields.
pub(crate) fn body(records: &[(Tag, Vec<u8>)]) -> Vec<u8> {
    records.iter().flat_map(|(tag, value)| record(tag.as_raw(), value)).collect()
}

/// One record.
pub(crate) fn record(number: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("tests use short values");
    [&[number][..], &length.to_le_bytes(), value].concat()
}

/// A section with this body and the checksum for it.
pub(crate) fn section(kind: Kind, body: &[u8]) -> [u8; SECTION_SIZE] {
    let mut section = unsealed(kind);
    let length = u32::try_from(body.len()).expect("tests use short bodies");
    section[LENGTH_OFFSET..CHECKSUM_OFFSET].copy_from_slice(&length.to_le_bytes());
    section[CHECKSUM_OFFSET..BODY_OFFSET].copy_from_slice(&checksum(body).to_le_bytes());
    section[BODY_OFFSET..BODY_OFFSET + body.len()].copy_from_slice(body);
    section
}
