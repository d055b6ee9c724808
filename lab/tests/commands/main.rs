//! The commands, as a user calls them. What needs a sandbox is skipped, visibly, where the machine allows none;
//! `LAB_REQUIRE=namespace` makes that a failure.

mod examples;
mod help;
mod killed;
mod record;
mod replay;
mod run;
mod shell;
mod tool;
mod trees;
