//! `lab explain`.

use super::common::session;
use crate::diagnose;
use crate::problem::Problem;
use crate::report::output::Output;
use crate::run::exit::Exit;
use crate::specimens;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  lab explain                   # the findings
  lab explain group-mismatch    # the page of one";

/// Which finding.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A code, as reports print it; without one they are listed
    code: Option<String>,
}

/// Prints the page of a finding.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let Some(code) = &arguments.code else {
        for code in diagnose::codes() {
            let title = diagnose::explain(code).map(|page| page.title).unwrap_or_default();
            out.line(format_args!("{code:<30}  {title}"));
        }
        return Ok(Exit::Passed);
    };
    let Some(page) = diagnose::explain(code) else {
        let codes: Vec<&str> = diagnose::codes().collect();
        return Err(Problem::usage(format!("there is no finding `{code}`"))
            .found(format!("the findings are {}", codes.join(", "))));
    };
    // Where there is no suite, or a broken one, the page is still worth reading.
    let mut checked_by =
        session(None).map(|session| diagnose::checked_by(code, &session.suite.cases)).unwrap_or_default();
    checked_by.extend(specimens::showing(code));
    out.text(page.checked_by(checked_by));
    Ok(Exit::Passed)
}
