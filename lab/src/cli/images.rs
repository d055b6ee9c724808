//! `lab images`.

use crate::problem::Problem;
use crate::report::output::Output;
use crate::run::exit::Exit;
use clap::{Args, Subcommand};

const BUILD: &str = "\
Examples:
  lab images build              # what is missing or has changed
  lab images build postfix      # one, and what it is made from";

const LIST: &str = "\
Examples:
  lab images list               # also what is not built";

const VERIFY: &str = "\
Examples:
  lab images verify postfix     # owner, mode, mount flags, a probe";

/// The images of mail and web servers, one folder of `docker/` each.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Build what is missing or was made from something else; the first failure ends it
    #[command(after_help = BUILD)]
    Build(Names),
    /// Show each with its tag and size
    #[command(after_help = LIST)]
    List,
    /// Start the set-group-ID probe in each, and say what is not as it must be; exit 11 if something is not
    #[command(after_help = VERIFY)]
    Verify(Names),
}

#[derive(Clone, Debug, Args)]
struct Names {
    /// Folders of docker/ by name; none means all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Builds, lists or looks at images.
#[cfg(feature = "docker")]
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    with_engine::run(arguments, out)
}

/// Says how to get it.
#[cfg(not(feature = "docker"))]
pub(crate) fn run(arguments: &Arguments, _: &mut Output) -> Result<Exit, Problem> {
    match &arguments.command {
        Command::Build(Names { names: _ }) | Command::List | Command::Verify(Names { names: _ }) => {
            Err(super::common::without_containers())
        }
    }
}

#[cfg(feature = "docker")]
mod with_engine {
    use super::{Arguments, Command, Exit, Output, Problem};
    use crate::images::{Images, verify};
    use crate::report::progress::Progress;
    use crate::run::programs::Programs;
    use crate::run::tree::Tree;

    pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
        let tree = Tree::find()?;
        let mut progress = Progress::new(out);
        let images = Images::of(tree.root(), &mut |step| progress.doing(step))?;
        match &arguments.command {
            Command::Build(names) => {
                for image in images.named(&names.names)? {
                    let began = std::time::Instant::now();
                    let built = images.build(&image, &mut |step| progress.doing(step))?;
                    let did = if built { "built" } else { "as it was" };
                    let line = format!("{:<32} {did}, {:.1} s\n", image.reference(), began.elapsed().as_secs_f64());
                    progress.print(out, &line);
                }
                progress.end();
                Ok(Exit::Passed)
            }
            Command::List => {
                progress.end();
                for image in &images.all {
                    let size = images.size(image).map_or_else(|| "not built".to_owned(), megabytes);
                    out.line(format_args!("{:<32} {size}", image.reference()));
                }
                Ok(Exit::Passed)
            }
            Command::Verify(names) => {
                let programs = Programs::provide(&tree, &["lab-agent"], &mut |step| progress.building(step))?;
                let agent = programs.path("lab-agent")?;
                let mut sound = true;
                for image in images.named(&names.names)? {
                    progress.doing(&format!("looking at {}", image.reference()));
                    let mut text = format!("{}\n", image.reference());
                    for finding in verify(agent, &crate::record::name_of_now(), &image)? {
                        sound &= finding.sound;
                        let mark = if finding.sound { '✓' } else { '✗' };
                        text.push_str(&format!("  {mark} {:<22} {}\n", finding.what, finding.found));
                    }
                    progress.print(out, &text);
                }
                progress.end();
                Ok(if sound { Exit::Passed } else { Exit::Unresolved })
            }
        }
    }

    fn megabytes(bytes: u64) -> String {
        format!("{} MB", bytes / 1_000_000)
    }
}
