//! JSON Schema of the files, for editors: made from the types which read them, so that both say the same.

use crate::profile::RawProfile;
use crate::scenario::accounts::RawAccounts;
use crate::scenario::raw::Scenario;
use schemars::{Schema, schema_for};

/// A kind of file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileKind {
    /// A scenario.
    #[default]
    Scenario,
    /// `identities.toml`.
    Identities,
    /// A profile of a foreign wrapper.
    Profile,
}

/// The schema of a kind of file.
pub fn schema(kind: FileKind) -> Schema {
    match kind {
        FileKind::Scenario => schema_for!(Scenario),
        FileKind::Identities => schema_for!(RawAccounts),
        FileKind::Profile => schema_for!(RawProfile),
    }
}

#[cfg(test)]
mod tests {
    use super::{FileKind, schema};
    use serde_json::Value;
    use std::path::Path;

    fn properties(schema: &Value, definition: &str) -> Vec<String> {
        let place = if definition.is_empty() { schema } else { &schema["$defs"][definition] };
        let table = place["properties"].as_object().expect("an object type");
        table.keys().cloned().collect()
    }

    /// The keys which the project's own files use are in the schema, and the schema refuses others.
    #[test]
    fn the_schema_knows_every_key_in_use() {
        let schema = serde_json::to_value(schema(FileKind::Scenario)).expect("it is JSON");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["$defs"]["Given"]["additionalProperties"], false);
        let (top, given, outcome) =
            (properties(&schema, ""), properties(&schema, "Given"), properties(&schema, "Outcome"));
        let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        let suite = crate::scenario::load(directory).expect("the scenarios of the project load");
        let mut seen = 0;
        for info in &suite.scenarios {
            let text = std::fs::read_to_string(directory.join(format!("{}.toml", info.id))).expect("it was just read");
            let file: toml::Table = text.parse().expect("it was just read");
            assert!(file.keys().all(|key| top.contains(key)), "{}", info.id);
            let tables = |key: &str| -> Vec<toml::Table> {
                let entries = file.get(key).and_then(toml::Value::as_table);
                entries
                    .into_iter()
                    .flat_map(toml::Table::values)
                    .filter_map(|entry| entry.as_table().cloned())
                    .collect()
            };
            for key in tables("outcome").iter().flat_map(toml::Table::keys) {
                assert!(outcome.contains(key), "{}: {key}", info.id);
            }
            let cases = file.get("case").and_then(toml::Value::as_array).into_iter().flatten();
            let listed = cases.filter_map(|case| case.get("given")?.as_table().cloned());
            for key in
                tables("given").into_iter().chain(listed).flat_map(|given| given.keys().cloned().collect::<Vec<_>>())
            {
                assert!(given.contains(&key), "{}: {key}", info.id);
                seen += 1;
            }
        }
        assert!(seen > 100, "{seen} keys");
    }

    #[test]
    fn every_key_says_what_it_means() {
        for kind in [FileKind::Scenario, FileKind::Identities, FileKind::Profile] {
            let schema = serde_json::to_value(schema(kind)).expect("it is JSON");
            let definitions = schema["$defs"].as_object().into_iter().flat_map(|map| map.iter());
            for (name, table) in definitions.filter(|(name, _)| !["ByteTable", "StdinTable"].contains(&name.as_str())) {
                for (key, value) in table["properties"].as_object().into_iter().flat_map(|map| map.iter()) {
                    assert!(value["description"].is_string(), "{kind:?}: {name}.{key}");
                }
            }
        }
    }
}
