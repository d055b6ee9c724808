//! Values that may be written in more than one form: a name or a number, text or `{ hex = "ff00" }`. Each form is
//! told apart by its TOML type alone, so that the message for a wrong one can say all that is wanted.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

/// A value and its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its place, in bytes.
    pub span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        toml::Spanned::<T>::deserialize(deserializer)
            .map(|spanned| Self { span: spanned.span(), value: spanned.into_inner() })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A table whose keys are names which the file chooses, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T>(pub Vec<(At<String>, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Named<T> {
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(|(name, _)| name.value.as_str())
    }

    /// The entry of that name.
    pub fn get(&self, name: &str) -> Option<&(At<String>, T)> {
        self.0.iter().find(|(key, _)| key.value == name)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                entries.sort_by_key(|(name, _): &(At<String>, T)| name.span.start);
                Ok(Named(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let entry = generator.subschema_for::<T>();
        schemars::json_schema!({ "type": "object", "additionalProperties": entry })
    }
}

/// What TOML type a value has; `Table` and `List` are read further as their own types.
pub(super) enum Form<Table, List> {
    Text(String),
    Number(i64),
    Table(Table),
    List(List),
}

/// A type that no value has: for forms that do not exist.
#[derive(Debug)]
pub(super) enum Never {}

impl<'de> Deserialize<'de> for Never {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("this form does not exist here"))
    }
}

/// Reads a value by its TOML type. `wanted` completes "invalid type: boolean, expected …"; a form whose flag is
/// false is refused with the same message.
pub(super) fn read<'de, D, Table, List>(
    deserializer: D,
    wanted: &'static str,
    allow: Allow,
) -> Result<Form<Table, List>, D::Error>
where
    D: Deserializer<'de>,
    Table: DeserializeOwned,
    List: DeserializeOwned,
{
    deserializer.deserialize_any(ByType { wanted, allow, types: PhantomData })
}

/// Which TOML types a value may have.
#[derive(Clone, Copy, Default)]
pub(super) struct Allow {
    pub(super) text: bool,
    pub(super) number: bool,
    pub(super) table: bool,
    pub(super) list: bool,
}

struct ByType<Table, List> {
    wanted: &'static str,
    allow: Allow,
    types: PhantomData<(Table, List)>,
}

impl<'de, Table: DeserializeOwned, List: DeserializeOwned> Visitor<'de> for ByType<Table, List> {
    type Value = Form<Table, List>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wanted)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if !self.allow.text {
            return Err(E::invalid_type(Unexpected::Str(text), &self));
        }
        Ok(Form::Text(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        if !self.allow.number {
            return Err(E::invalid_type(Unexpected::Signed(number), &self));
        }
        Ok(Form::Number(number))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        if !self.allow.table {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        }
        Table::deserialize(MapAccessDeserializer::new(map)).map(Form::Table)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        if !self.allow.list {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        List::deserialize(SeqAccessDeserializer::new(list)).map(Form::List)
    }
}
