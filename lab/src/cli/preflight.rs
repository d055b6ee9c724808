//! `lab preflight`.

use super::common::{self, Place};
use crate::capability::{Capability, Support};
use crate::problem::Problem;
use crate::report::output::{Output, WIDTH};
use crate::report::progress::Progress;
use crate::report::terminal::preflight;
use crate::run::exit::Exit;
use crate::run::session::machine;
use crate::run::tree::Tree;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  lab preflight                 # exit 11 if nothing can be judged here";

/// Of which backend.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
}

/// Says what can be tested on this machine, and why something cannot.
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let tree = Tree::find()?;
    let mut progress = Progress::new(out);
    let programs = common::programs(&tree, &["lab-agent"], &mut progress)?;
    let backend = arguments.place.backend(&programs)?;
    let capabilities = backend.capabilities();
    progress.end();
    let machine = machine(backend.as_ref(), &capabilities, &programs);
    out.line(format_args!("backend {} · {} · {}", machine.backend, machine.kernel, machine.architecture));
    out.text(preflight(&machine, WIDTH));
    for (name, value) in &machine.facts {
        out.line(format_args!("  {name} = {value}"));
    }
    let judges = capabilities.get(&Capability::SetGroupId) == Some(&Support::Yes);
    Ok(if judges { Exit::Passed } else { Exit::Unresolved })
}
