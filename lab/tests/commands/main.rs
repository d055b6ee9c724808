//! The commands, as a user calls them. What needs a sandbox is skipped, visibly, where the machine allows none;
//! `LAB_REQUIRE` makes that a failure; see `required`.

#[path = "../support/chance.rs"]
mod chance;
mod examples;
mod help;
mod killed;
mod pages;
mod record;
mod replay;
#[path = "../support/required.rs"]
mod required;
mod run;
mod shell;
mod terminal;
mod tool;
mod trees;
