//! The form of scenario files, as serde reads it and as the JSON Schema for editors shows it: one source for both.
//! Nothing here knows what a name means; that is found out in `lower`, where the place of each value is still known.

pub mod condition;
pub mod form;
pub mod given;
pub mod outcome;
pub mod value;

pub use form::{At, Named};
pub use given::{Given, GivenRef};
pub use outcome::{Outcome, Script};

use form::{Allow, Form, Never, read};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use value::{ByteString, NameOrNumber, Octal, OneOrMany, Stdin};

/// A scenario: one question, and the cases which answer it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// One line: the question.
    pub title: At<String>,
    /// Why anybody should care: a case which nobody can justify is not kept.
    pub why: At<String>,
    /// The rules which this file proves, with where they are written: "execve(2)", "Mailman FAQ 4.47".
    #[serde(default)]
    pub source: Vec<At<String>>,
    /// The program under test, how it is sealed, installed and called.
    pub subject: Subject,
    /// Who starts it, by names of this file.
    #[serde(default)]
    pub invoker: Named<At<Invoker>>,
    /// Conditions with a name, for the columns or rows of a matrix and for cases.
    #[serde(default)]
    pub given: Named<Given>,
    /// A truth table.
    pub matrix: Option<At<Matrix>>,
    /// A list of cases.
    #[serde(default)]
    pub case: Vec<At<Case>>,
    /// What can happen, by names of this file.
    #[serde(default)]
    pub outcome: Named<Outcome>,
}

/// The program under test.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subject {
    /// mail-wrapper, cgi-wrapper, or wrapper-configure, the tool that seals and installs them: its directory holds both,
    /// and it may write below the prefix and /tmp.
    pub program: At<String>,
    /// How its file is installed; the default is root:list 2755.
    #[serde(default)]
    pub install: Install,
    /// The group which it is sealed to trust; the matrix may say it instead.
    pub trusts: Option<At<NameOrNumber>>,
    /// What else it is sealed with.
    #[serde(default)]
    pub seal: Seal,
    /// Arguments after argv[0].
    pub args: Option<Vec<ByteString>>,
    /// Standard input.
    pub stdin: Option<Stdin>,
    /// Environment of the invoker besides PATH.
    #[serde(default)]
    pub env: Named<ByteString>,
}

/// How the subject's file is installed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Install {
    /// Owner of the file.
    pub owner: Option<At<NameOrNumber>>,
    /// Group of the file, which is also the group that the wrapper is sealed to run as.
    pub group: Option<At<NameOrNumber>>,
    /// Mode of the file.
    pub mode: Option<Octal>,
}

/// What the subject is sealed with: the arguments of `wrapper-configure seal`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Seal {
    /// The group which it believes to run as, where that is not the group of its file.
    pub own_group: Option<At<NameOrNumber>>,
    /// The user who, besides root, may own the scripts.
    pub owner: Option<At<NameOrNumber>>,
    /// `--prefix`.
    pub prefix: Option<At<String>>,
    /// Path of the interpreter; `"none"` starts the script itself, which is the default.
    pub interpreter: Option<At<String>>,
    /// Flags of the interpreter.
    pub interpreter_flags: Option<Vec<ByteString>>,
    /// Allowed commands of the mail wrapper; the default is Mailman's ten.
    pub commands: Option<Vec<At<ByteString>>>,
    /// The one script of a CGI wrapper.
    pub cgi_script: Option<At<String>>,
    /// Environment names that are kept; the default is the program's own list.
    pub keep_environment: Option<Vec<At<ByteString>>>,
    /// Exit codes of refusals.
    pub refusal: Option<Style>,
}

/// Exit codes of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// Mailman's own codes.
    Mailman,
    /// 75 where an administrator can repair the cause.
    Defer,
}

/// Who starts the subject: the name of an identity of `identities.toml`, or a table.
#[derive(Clone, Debug)]
pub enum Invoker {
    /// By name.
    Named(String),
    /// In full.
    Table(Identity),
}

/// The ids of a process.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Identity {
    /// Real user.
    pub user: At<NameOrNumber>,
    /// Real group.
    pub group: At<NameOrNumber>,
    /// Supplementary groups; none if absent.
    pub supplementary: Option<At<OneOrMany>>,
    /// Effective group, where another set-group-ID program is the invoker.
    pub effective: Option<At<NameOrNumber>>,
    /// Effective user, where another set-user-ID program is the invoker.
    pub effective_user: Option<At<NameOrNumber>>,
}

/// A truth table. One of the three is a list and goes across; another one is a table and goes down: each of its lines
/// names an expected outcome for each column.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Matrix {
    /// Groups which the wrapper is sealed to trust.
    pub trusts: Option<At<Axis>>,
    /// Names of `[given.NAME]` tables.
    pub given: Option<At<Axis>>,
    /// Names of `[invoker]`.
    pub invoker: Option<At<Axis>>,
}

/// One dimension of a truth table.
#[derive(Clone, Debug)]
pub enum Axis {
    /// Across.
    Columns(Vec<At<NameOrNumber>>),
    /// Down, each with its outcomes.
    Rows(Named<At<Vec<At<String>>>>),
}

/// One case of a list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Name, unique in the file.
    pub name: At<String>,
    /// If this case fails, its siblings prove nothing.
    #[serde(default)]
    pub control: bool,
    /// What is different: a table, or a list of names of `[given.NAME]` tables.
    pub given: Option<GivenRef>,
    /// Which `[invoker]` starts it; needed where the file has several.
    pub invoker: Option<At<String>>,
    /// Name of the expected outcome.
    pub outcome: At<String>,
    /// Capabilities that cannot be derived from `given`.
    #[serde(default)]
    pub needs: Vec<At<String>>,
    /// Rules which this case proves, besides those of the file.
    #[serde(default)]
    pub source: Vec<At<String>>,
}

impl<'de> Deserialize<'de> for Invoker {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allow = Allow { text: true, table: true, ..Allow::default() };
        match read::<_, Identity, Never>(deserializer, "the name of an identity, or { user = …, group = … }", allow)?
        {
            Form::Text(name) => Ok(Self::Named(name)),
            Form::Table(identity) => Ok(Self::Table(identity)),
            Form::Number(_) | Form::List(_) => Err(D::Error::custom("expected an identity")),
        }
    }
}

impl JsonSchema for Invoker {
    fn schema_name() -> Cow<'static, str> {
        "Invoker".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Identity>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}

impl<'de> Deserialize<'de> for Axis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allow = Allow { table: true, list: true, ..Allow::default() };
        match read::<_, Named<At<Vec<At<String>>>>, Vec<At<NameOrNumber>>>(
            deserializer,
            "a list (columns) or a table of lists (rows)",
            allow,
        )? {
            Form::List(columns) => Ok(Self::Columns(columns)),
            Form::Table(rows) => Ok(Self::Rows(rows)),
            Form::Text(_) | Form::Number(_) => Err(D::Error::custom("expected a list or a table")),
        }
    }
}

impl JsonSchema for Axis {
    fn schema_name() -> Cow<'static, str> {
        "Axis".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let column = generator.subschema_for::<NameOrNumber>();
        json_schema!({
            "anyOf": [
                { "description": "Columns", "type": "array", "items": column },
                {
                    "description": "Rows: an outcome for each column",
                    "type": "object",
                    "additionalProperties": { "type": "array", "items": { "type": "string" } }
                }
            ]
        })
    }
}
