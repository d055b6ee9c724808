//! Fuzzing the real installed set-group-ID file: each execution is a start that a mutation made, in a sandbox as fresh as a
//! case's, by an invoker of its own; each is judged by the model, by the lab's judge and by properties.
//!
//! | module | what it holds |
//! |---|---|
//! | [`ground`] | the installation of a campaign, and a start in it as a case |
//! | `property` | what must hold of every execution, by the names P01, P02 … |
//! | [`setup`] | a subject by its name, built, sealed and installed |
//! | [`execute`] | one execution: tried, observed, judged |
//! | [`key`] | what makes two findings one |
//! | `shape` | what is new about an execution |
//! | [`campaign`] | the loop: choose, mutate, execute, keep |
//! | [`reduce`] | a finding made small while it stays the same one |
//! | [`store`] | corpus and findings on disk |
//! | [`adopt`] | a finding as a scenario file |
//! | [`prove`] | how soon planted flaws are found |
//!
//! Mutator and text form are those of [`lab_invocation`], which the fuzz targets in process use as well; corpora can be
//! exchanged.

pub mod adopt;
pub mod campaign;
pub mod execute;
pub mod ground;
pub mod key;
mod property;
pub mod prove;
pub mod reduce;
pub mod setup;
mod shape;
pub mod store;

use lab_invocation::tokens::Tokens;
use std::sync::LazyLock;

/// The words that mutations use: the dictionaries of the fuzz targets.
static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let arguments = include_str!("../../fuzz/dict/arguments.dict");
    let variables = include_str!("../../fuzz/dict/variables.dict");
    let values = include_str!("../../fuzz/dict/values.dict");
    // They are part of the program, and a test reads them.
    Tokens::new(arguments, variables, values).unwrap_or_default()
});

#[cfg(test)]
mod tests;
