//! `lab schema`.

use crate::problem::Problem;
use crate::report::output::Output;
use crate::run::exit::Exit;
use crate::schema::{FileKind, schema};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  lab schema > scenario.schema.json
  lab schema --profile > profile.schema.json";

/// Of which kind of file.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Of identities.toml instead of a scenario
    #[arg(long, conflicts_with = "profile")]
    identities: bool,
    /// Of a profile instead of a scenario
    #[arg(long)]
    profile: bool,
}

/// Prints the JSON Schema of a kind of file, for editors.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let kind = match (arguments.identities, arguments.profile) {
        (true, _) => FileKind::Identities,
        (_, true) => FileKind::Profile,
        _ => FileKind::Scenario,
    };
    let text = serde_json::to_string_pretty(&schema(kind))
        .map_err(|error| Problem::internal("the schema cannot be written").found(error))?;
    out.line(text);
    Ok(Exit::Passed)
}
