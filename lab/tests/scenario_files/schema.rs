//! As much of JSON Schema as the schemas of the lab use. It refuses keywords that it does not know, so that a schema which
//! says more than it can judge fails here and is not half believed.

use lab::schema::{FileKind, schema};
use rstest::rstest;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A key of a table, or a word that may stand as a value, with the type that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word {
    of: String,
    word: String,
}

impl Word {
    pub(crate) fn new(of: &str, word: &str) -> Self {
        // Types that are used in two ways have two definitions, numbered.
        Self { of: of.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(), word: word.to_owned() }
    }
}

/// Keywords which say nothing that could be judged.
const SILENT: [&str; 6] = ["$schema", "$defs", "title", "description", "default", "format"];

/// The schema of a kind of file.
pub(crate) struct Schema {
    root: Value,
}

impl Schema {
    pub(crate) fn of(kind: FileKind) -> Self {
        Self { root: serde_json::to_value(schema(kind)).expect("it is JSON") }
    }

    /// The words of a file; an error says where it is not as the schema wants it.
    pub(crate) fn words(&self, text: &str) -> Result<BTreeSet<Word>, String> {
        let value: Value = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut words = BTreeSet::new();
        self.judge(&self.root, &value, "", "", &mut words)?;
        Ok(words)
    }

    /// Every word that there is.
    pub(crate) fn all(&self) -> BTreeSet<Word> {
        let mut all = BTreeSet::new();
        collect(&self.root, "", &mut all);
        for (name, definition) in self.definitions() {
            collect(definition, name, &mut all);
        }
        all
    }

    fn definitions(&self) -> &Map<String, Value> {
        self.root["$defs"].as_object().expect("definitions")
    }

    fn judge(
        &self,
        schema: &Value,
        value: &Value,
        of: &str,
        at: &str,
        words: &mut BTreeSet<Word>,
    ) -> Result<(), String> {
        let Value::Object(schema) = schema else {
            return if schema == &Value::Bool(false) { Err(format!("{at}: not allowed")) } else { Ok(()) };
        };
        for (keyword, wanted) in schema {
            let no = |what: &str| Err(format!("{at}: {value} is not {what} {wanted}"));
            match keyword.as_str() {
                "$ref" => {
                    let name = wanted.as_str().and_then(|path| path.strip_prefix("#/$defs/")).expect("a definition");
                    self.judge(&self.definitions()[name], value, name, at, words)?;
                }
                "anyOf" | "oneOf" => {
                    let fits: Vec<BTreeSet<Word>> = array(wanted)
                        .iter()
                        .filter_map(|one| {
                            let mut more = BTreeSet::new();
                            self.judge(one, value, of, at, &mut more).is_ok().then_some(more)
                        })
                        .collect();
                    if fits.is_empty() || (keyword == "oneOf" && fits.len() > 1) {
                        return no("one of");
                    }
                    words.extend(fits.into_iter().flatten());
                }
                "type" if !types(wanted).iter().any(|name| is(value, name)) => return no("of type"),
                "const" if value != wanted => return no("the word"),
                "const" => _ = value.as_str().map(|word| words.insert(Word::new(of, word))),
                "pattern" => {
                    assert_eq!(wanted, "^[0-7]{1,5}$", "a pattern which this test does not know");
                    let octal =
                        |text: &str| (1..=5).contains(&text.len()) && text.bytes().all(|c| (b'0'..=b'7').contains(&c));
                    if value.as_str().is_some_and(|text| !octal(text)) {
                        return no("of the form");
                    }
                }
                "minimum" if value.as_f64() < wanted.as_f64() && value.is_number() => return no("at least"),
                "maximum" if value.as_f64() > wanted.as_f64() && value.is_number() => return no("at most"),
                "required" if value.is_object() && array(wanted).iter().any(|key| value.get(text(key)).is_none()) => {
                    return no("with all of");
                }
                "items" => {
                    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.judge(wanted, item, "", &format!("{at}[{number}]"), words)?;
                    }
                }
                "properties" | "additionalProperties" => {}
                "type" | "minimum" | "maximum" | "required" => {}
                silent => assert!(SILENT.contains(&silent), "a keyword which this test does not know: {silent}"),
            }
        }
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for (key, item) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{key}");
            if let Some(property) = properties.get(key) {
                words.insert(Word::new(of, key));
                self.judge(property, item, "", &at, words)?;
            } else if let Some(others) = schema.get("additionalProperties") {
                self.judge(others, item, "", &at, words)?;
            }
        }
        Ok(())
    }
}

fn collect(schema: &Value, of: &str, all: &mut BTreeSet<Word>) {
    for (keyword, wanted) in schema.as_object().into_iter().flatten() {
        match keyword.as_str() {
            "properties" => {
                for (key, property) in wanted.as_object().into_iter().flatten() {
                    all.insert(Word::new(of, key));
                    collect(property, "", all);
                }
            }
            "const" => _ = wanted.as_str().map(|word| all.insert(Word::new(of, word))),
            "anyOf" | "oneOf" => array(wanted).iter().for_each(|one| collect(one, of, all)),
            "items" | "additionalProperties" => collect(wanted, "", all),
            _ => {}
        }
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn types(wanted: &Value) -> Vec<&str> {
    wanted.as_array().map_or_else(|| vec![text(wanted)], |list| list.iter().map(text).collect())
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("a type which this test does not know: {other}"),
    }
}

/// Each keyword by itself: what it lets through, and what it does not.
#[rstest]
#[case::minimum(json!({ "minimum": 2 }), json!(2), json!(1))]
#[case::maximum(json!({ "maximum": 2 }), json!(2), json!(3))]
#[case::constant(json!({ "const": "a" }), json!("a"), json!("b"))]
#[case::types(json!({ "type": ["string", "null"] }), json!(null), json!(1))]
#[case::pattern(json!({ "pattern": "^[0-7]{1,5}$" }), json!("0755"), json!("0800"))]
#[case::required(json!({ "required": ["a"] }), json!({ "a": 1 }), json!({ "b": 1 }))]
#[case::items(json!({ "items": { "minimum": 2 } }), json!([2, 3]), json!([2, 1]))]
#[case::any_of(json!({ "anyOf": [{ "const": 1 }, { "type": "integer" }] }), json!(1), json!("a"))]
#[case::one_of_none(json!({ "oneOf": [{ "const": 1 }, { "const": 2 }] }), json!(1), json!(3))]
#[case::one_of_two(json!({ "oneOf": [{ "const": 1 }, { "type": "integer" }] }), json!(2), json!(1))]
#[case::closed(json!({ "properties": { "a": {} }, "additionalProperties": false }), json!({ "a": 1 }), json!({ "b": 1 }))]
#[case::property(json!({ "properties": { "a": { "maximum": 2 } } }), json!({ "a": 2 }), json!({ "a": 3 }))]
fn a_keyword_refuses_what_it_is_there_for(#[case] root: Value, #[case] sound: Value, #[case] unsound: Value) {
    let schema = Schema { root };
    let judge = |value| schema.judge(&schema.root, value, "", "", &mut BTreeSet::new());
    judge(&sound).unwrap_or_else(|why| panic!("{why}"));
    judge(&unsound).expect_err("it is not as the schema wants it");
}
