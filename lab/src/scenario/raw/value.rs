//! The leaf values of scenario files.

use super::At;
use super::form::{Allow, Form, Never, read};
use lab_invocation::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// Longest byte string that `{ repeat, count }` may make: eight times what Linux takes as one argument (`MAX_ARG_STRLEN`).
const LONGEST: usize = 1 << 20;

/// Bytes: a string, `{ hex = "ff00" }`, `{ repeat = "A", count = 131071 }`, or a list of such parts, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByteString(pub Bytes);

/// One part of a byte string.
struct Part(Bytes);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByteTable {
    hex: Option<String>,
    repeat: Option<String>,
    count: Option<u32>,
}

impl ByteTable {
    fn bytes<E: Error>(self) -> Result<Bytes, E> {
        match (self.hex, self.repeat, self.count) {
            (Some(hex), None, None) => unhex(&hex).map(Bytes).map_err(E::custom),
            (None, Some(unit), Some(count)) => {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                if unit.len().saturating_mul(count) > LONGEST {
                    return Err(E::custom(format!("a byte string may have at most {LONGEST} bytes")));
                }
                Ok(Bytes(unit.into_bytes().repeat(count)))
            }
            _ => Err(E::custom("expected either `hex` alone, or `repeat` and `count` together")),
        }
    }
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let wanted = || format!("\"{text}\" is not hexadecimal: write two digits for each byte, such as \"ff00\"");
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()
        .ok_or_else(wanted)?;
    if !digits.len().is_multiple_of(2) {
        return Err(wanted());
    }
    Ok(digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}

const WANTED: &str = "a string, { hex = \"…\" }, { repeat = \"…\", count = N }, or a list of these";

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allow = Allow { text: true, table: true, ..Allow::default() };
        match read::<_, ByteTable, Never>(deserializer, WANTED, allow)? {
            Form::Text(text) => Ok(Self(text.into())),
            Form::Table(table) => table.bytes().map(Self),
            Form::Number(_) | Form::List(_) => Err(D::Error::custom("expected a string")),
        }
    }
}

impl<'de> Deserialize<'de> for ByteString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allow = Allow { text: true, table: true, list: true, ..Allow::default() };
        match read::<_, ByteTable, Vec<Part>>(deserializer, WANTED, allow)? {
            Form::Text(text) => Ok(Self(text.into())),
            Form::Table(table) => table.bytes().map(Self),
            Form::List(parts) => {
                let bytes: Vec<u8> = parts.into_iter().flat_map(|part| part.0.0).collect();
                if bytes.len() > LONGEST {
                    return Err(D::Error::custom(format!("a byte string may have at most {LONGEST} bytes")));
                }
                Ok(Self(Bytes(bytes)))
            }
            Form::Number(_) => Err(D::Error::custom("expected a string")),
        }
    }
}

impl JsonSchema for ByteString {
    fn schema_name() -> Cow<'static, str> {
        "ByteString".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<ByteTable>();
        let part = json_schema!({ "anyOf": [{ "type": "string" }, table.clone()] });
        json_schema!({ "description": "Bytes", "anyOf": [{ "type": "string" }, table, { "type": "array", "items": part }] })
    }
}

/// A user or group: by name, or by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameOrNumber {
    /// By name.
    Name(String),
    /// By number; the range is checked where the place is known.
    Number(i64),
}

impl<'de> Deserialize<'de> for NameOrNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allow = Allow { text: true, number: true, ..Allow::default() };
        match read::<_, Never, Never>(deserializer, "a name or a number", allow)? {
            Form::Text(name) => Ok(Self::Name(name)),
            Form::Number(number) => Ok(Self::Number(number)),
            Form::Table(never) => match never {},
            Form::List(never) => match never {},
        }
    }
}

impl JsonSchema for NameOrNumber {
    fn schema_name() -> Cow<'static, str> {
        "NameOrNumber".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A user or group, by name or by number",
            "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 0, "maximum": 4_294_967_294_u32 }]
        })
    }
}

/// One name or number, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany(pub Vec<At<NameOrNumber>>);

impl At<OneOrMany> {
    /// The items, each with its place; a single one stands where the whole value stands.
    pub fn items(&self) -> Vec<At<NameOrNumber>> {
        let place = |item: &At<NameOrNumber>| At {
            value: item.value.clone(),
            span: if item.span.is_empty() { self.span.clone() } else { item.span.clone() },
        };
        self.value.0.iter().map(place).collect()
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allow = Allow { text: true, number: true, list: true, ..Allow::default() };
        let whole = |value| Self(vec![At { value, span: 0..0 }]);
        match read::<_, Never, Vec<At<NameOrNumber>>>(deserializer, "a name, a number or a list of them", allow)? {
            Form::Text(name) => Ok(whole(NameOrNumber::Name(name))),
            Form::Number(number) => Ok(whole(NameOrNumber::Number(number))),
            Form::List(list) => Ok(Self(list)),
            Form::Table(never) => match never {},
        }
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<NameOrNumber>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// A mode or a mask: octal digits in a string, `"2755"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Octal(pub u32);

impl<'de> Deserialize<'de> for Octal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WANTED: &str = "octal digits in a string, such as \"2755\" (a TOML number would be decimal)";
        match read::<_, Never, Never>(deserializer, WANTED, Allow { text: true, ..Allow::default() })? {
            Form::Text(text) if !text.is_empty() && text.len() <= 5 => match u32::from_str_radix(&text, 8) {
                Ok(mode) if mode <= 0o7777 => Ok(Self(mode)),
                _ => Err(D::Error::custom(format!("\"{text}\" is not a mode: expected {WANTED}, at most \"7777\""))),
            },
            Form::Text(text) => Err(D::Error::custom(format!("\"{text}\" is not a mode: expected {WANTED}"))),
            Form::Number(_) | Form::Table(_) | Form::List(_) => Err(D::Error::custom(WANTED)),
        }
    }
}

impl JsonSchema for Octal {
    fn schema_name() -> Cow<'static, str> {
        "Octal".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Octal digits", "type": "string", "pattern": "^[0-7]{1,5}$" })
    }
}

/// Standard input: bytes, or `{ kind = "closed" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// A pipe with these bytes.
    Bytes(Bytes),
    /// Something else.
    Kind(StdinKind),
}

/// What standard input is, if not a pipe with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StdinKind {
    /// Closed.
    Closed,
    /// `/dev/null`.
    Null,
    /// `/dev/zero`: never ends.
    Endless,
    /// A pipe that stays open and silent.
    Silent,
    /// A directory.
    Directory,
    /// The writing end of a pipe: reading fails.
    WriteOnly,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StdinTable {
    kind: Option<StdinKind>,
    hex: Option<String>,
    repeat: Option<String>,
    count: Option<u32>,
}

impl<'de> Deserialize<'de> for Stdin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allow = Allow { text: true, table: true, ..Allow::default() };
        match read::<_, StdinTable, Never>(deserializer, "a string, { hex }, { repeat, count } or { kind }", allow)? {
            Form::Text(text) => Ok(Self::Bytes(text.into())),
            Form::Table(StdinTable { kind: Some(kind), hex: None, repeat: None, count: None }) => Ok(Self::Kind(kind)),
            Form::Table(StdinTable { kind: Some(_), .. }) => Err(D::Error::custom("`kind` stands alone")),
            Form::Table(StdinTable { kind: None, hex, repeat, count }) => {
                ByteTable { hex, repeat, count }.bytes().map(Self::Bytes)
            }
            Form::Number(_) | Form::List(_) => Err(D::Error::custom("expected a string")),
        }
    }
}

impl JsonSchema for Stdin {
    fn schema_name() -> Cow<'static, str> {
        "Stdin".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<StdinTable>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}

/// A resource limit: a number, `"unlimited"`, or `{ soft = 0, hard = 4096 }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Soft limit; `None` is infinity.
    pub soft: Option<u64>,
    /// Hard limit; `None` is infinity.
    pub hard: Option<u64>,
}

/// One bound of a limit.
#[derive(Clone, Copy)]
struct Bound(Option<u64>);

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WANTED: &str = "a number, 0 or more, or \"unlimited\"";
        match read::<_, Never, Never>(deserializer, WANTED, Allow { text: true, number: true, ..Allow::default() })? {
            Form::Text(text) if text == "unlimited" => Ok(Self(None)),
            Form::Number(number) => match u64::try_from(number) {
                Ok(number) => Ok(Self(Some(number))),
                Err(_) => Err(D::Error::custom(format!("{number} is not a limit: expected {WANTED}"))),
            },
            Form::Text(text) => Err(D::Error::custom(format!("\"{text}\" is not a limit: expected {WANTED}"))),
            Form::Table(never) => match never {},
            Form::List(never) => match never {},
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    soft: Bound,
    hard: Bound,
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WANTED: &str = "a number, \"unlimited\", or { soft = …, hard = … }";
        let allow = Allow { text: true, number: true, table: true, ..Allow::default() };
        let both = |bound: Option<u64>| Self { soft: bound, hard: bound };
        match read::<_, Bounds, Never>(deserializer, WANTED, allow)? {
            Form::Text(text) if text == "unlimited" => Ok(both(None)),
            Form::Number(number) => u64::try_from(number)
                .map(|number| both(Some(number)))
                .map_err(|_| D::Error::custom(format!("{number} is not a limit: expected {WANTED}"))),
            Form::Table(Bounds { soft, hard }) => Ok(Self { soft: soft.0, hard: hard.0 }),
            Form::Text(text) => Err(D::Error::custom(format!("\"{text}\" is not a limit: expected {WANTED}"))),
            Form::List(never) => match never {},
        }
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let bound = json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "const": "unlimited" }] });
        json_schema!({
            "anyOf": [
                bound,
                {
                    "type": "object",
                    "properties": { "soft": bound, "hard": bound },
                    "required": ["soft", "hard"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

/// What a failing system call returns: an errno name, a number, or `"kill"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallResult {
    /// `EPERM`, or `kill`.
    Name(String),
    /// A value, as if the call had succeeded.
    Value(i64),
}

impl<'de> Deserialize<'de> for CallResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WANTED: &str = "the name of an errno, a number to return, or \"kill\"";
        match read::<_, Never, Never>(deserializer, WANTED, Allow { text: true, number: true, ..Allow::default() })? {
            Form::Text(name) => Ok(Self::Name(name)),
            Form::Number(number) => Ok(Self::Value(number)),
            Form::Table(never) => match never {},
            Form::List(never) => match never {},
        }
    }
}

impl JsonSchema for CallResult {
    fn schema_name() -> Cow<'static, str> {
        "CallResult".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] })
    }
}
