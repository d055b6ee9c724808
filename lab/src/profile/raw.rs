//! The form of a profile.

use crate::scenario::raw::value::{NameOrNumber, Octal};
use crate::scenario::raw::{At, Named};
use lab_model::rules;
use schemars::JsonSchema;
use serde::Deserialize;

/// Wrappers which we did not write.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawProfile {
    /// What it describes, in one line.
    pub title: At<String>,
    /// Where its facts are written.
    #[serde(default)]
    pub source: Vec<At<String>>,
    /// Groups which its machines have and the scenarios' accounts lack, with their numbers.
    #[serde(default)]
    pub group: Named<At<i64>>,
    /// The wrappers, by the program of the scenarios for which each stands: mail-wrapper, cgi-wrapper.
    pub wrapper: Named<Wrapper>,
}

/// A wrapper which we did not write.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Wrapper {
    /// Where it is installed, on the host and in the sandbox.
    pub path: At<String>,
    /// Owner of its file; root if absent.
    pub owner: Option<At<NameOrNumber>>,
    /// Group of its file, to which it is set-group-ID.
    pub group: At<NameOrNumber>,
    /// Mode of its file.
    pub mode: Octal,
    /// Whether it compares names or numbers.
    pub compare: Compare,
    /// Trusted groups which are compiled in.
    #[serde(default)]
    pub trusted: Vec<At<NameOrNumber>>,
    /// Or a file that holds the number of the trusted group when it starts; the lab writes it.
    pub trusted_file: Option<At<String>>,
    /// Real gids that are admitted without a look at anything else.
    #[serde(default)]
    pub always_admitted: Vec<Range>,
    /// What it checks, in this order.
    pub checks: Vec<Check>,
    /// The commands that it knows.
    #[serde(default)]
    pub commands: Vec<At<String>>,
    /// What it does when the set-group-ID bit did not act.
    pub bit_lost: BitLost,
    /// What becomes of the group ids before the script starts.
    pub switch: Switch,
    /// What it starts: an argument vector, in which {command} is the first argument and a word {rest} all further ones.
    /// The witness stands in place of the first word.
    pub starts: Vec<At<String>>,
    /// The C library, which cleans the environment in secure mode.
    pub libc: Libc,
    /// Which variables it hands on.
    pub environment: Environment,
    /// Entries which it adds to the environment.
    #[serde(default)]
    pub adds: Vec<At<String>>,
    /// Exit status of each refusal, by the outcome's name.
    pub exit: Named<At<i64>>,
}

/// Numbers from one to another, both included.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Range {
    /// First.
    pub from: At<i64>,
    /// Last.
    pub to: At<i64>,
}

/// Variables that are handed on: one of the two.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Environment {
    /// Every variable but these.
    pub all_but: Option<Vec<At<String>>>,
    /// These.
    pub only: Option<Vec<At<String>>>,
}

macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident = $rule:ty { $($(#[doc = $word_doc:literal])+ $word:ident,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[doc = $word_doc])+ $word,)+ }

        impl $name {
            /// The model's word for it.
            pub(super) const fn rule(self) -> $rule {
                match self { $(Self::$word => <$rule>::$word),+ }
            }
        }
    };
}

words! {
    /// How a trusted caller is told.
    Compare = rules::Compare {
        /// By the name which the group database has for the real gid.
        Name,
        /// By the real gid itself.
        Gid,
    }
}

words! {
    /// A check.
    Check = rules::Check {
        /// There is a first argument.
        Usage,
        /// The first argument is a known command.
        Command,
        /// The caller is trusted.
        Caller,
    }
}

words! {
    /// What happens when the set-group-ID bit did not act.
    BitLost = rules::BitLost {
        /// Nothing: the script runs with the caller's group.
        PassesOn,
        /// It refuses.
        Refuses,
    }
}

words! {
    /// What becomes of the group ids.
    Switch = rules::Switch {
        /// setregid(getegid(), -1): real and saved become the effective one.
        RealToEffective,
        /// Nothing.
        Nothing,
    }
}

/// A C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Libc {
    /// The GNU one: it removes LD_PRELOAD and its like in secure mode.
    Glibc,
    /// One that removes nothing.
    Other,
}
