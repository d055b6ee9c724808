//! `lab deploy`.

use crate::problem::Problem;
use crate::report::output::Output;
use crate::run::exit::Exit;
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  lab images build postfix && lab deploy postfix-alias
  lab images build && lab deploy --junit deploy.xml        # a report for CI";

/// Which scenarios of scenarios/deploy.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Scenarios by name; none means all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// How many servers at a time [default: two for each processor, since they mostly wait]
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Write JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Gives real servers messages and requests, and says as whom they started the wrapper.
#[cfg(feature = "docker")]
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    with_engine::run(arguments, out)
}

/// Says how to get it.
#[cfg(not(feature = "docker"))]
pub(crate) fn run(Arguments { names: _, jobs: _, junit: _ }: &Arguments, _: &mut Output) -> Result<Exit, Problem> {
    Err(super::common::without_containers())
}

#[cfg(feature = "docker")]
mod with_engine {
    use super::{Arguments, Exit, Output, Problem};
    use crate::cli::common::{jobs, toml_files};
    use crate::deploy;
    use crate::deploy::judged::Judged;
    use crate::images::{Image, Images};
    use crate::problem::Kind;
    use crate::report::progress::Progress;
    use crate::run::in_order::in_order;
    use crate::run::programs::{PACKAGES, Programs};
    use crate::run::tree::Tree;
    use crate::scenario::DEPLOY;
    use crate::scenario::deploy::{File, read};
    use std::io::Write as _;
    use std::path::{Path, PathBuf};

    pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
        let tree = Tree::find()?;
        let chosen = chosen(&toml_files(&tree.scenarios().join(DEPLOY)), &arguments.names)?;
        let read = |(name, path): (String, PathBuf)| Ok((name, read(&path)?));
        let files: Vec<(String, File)> = chosen.into_iter().map(read).collect::<Result<_, Problem>>()?;
        // Better told before the run than after.
        let mut junit = arguments.junit.as_deref().map(create).transpose()?;
        let mut progress = Progress::new(out);
        let programs = Programs::provide(&tree, PACKAGES, &mut |step| progress.building(step))?;
        let images = Images::of(tree.root(), &mut |step| progress.doing(step))?;
        let image = |(name, file): (String, File)| {
            let image = images.named(std::slice::from_ref(&file.server))?.pop();
            let image = image.ok_or_else(|| Problem::usage(format!("there is no image {}", file.server)))?;
            Ok(Order { name, file, image })
        };
        let orders: Vec<Order> = files.into_iter().map(image).collect::<Result<_, Problem>>()?;
        let run = crate::record::name_of_now();
        let mut judged = Judged::new(&run);
        // A file can name what only its container has not.
        let mut usage = None;
        progress.cases(orders.len());
        let ask = |order: &Order| deploy::run(&programs, &run, &order.image, &order.file);
        // What one server does not let judge says nothing of the next.
        in_order(&orders, jobs(arguments.jobs), &ask, &mut |order, (outcomes, problem)| {
            progress.step(0);
            progress.print(out, &judged.take(&order.name, &order.file.title, &outcomes, problem.as_ref()));
            usage = usage.take().or(problem.filter(|problem| problem.kind == Kind::Usage));
        })?;
        progress.end();
        out.line(format_args!("{}", judged.summary()));
        let exit = judged.exit();
        if let (Some(file), Some(path)) = (&mut junit, &arguments.junit) {
            let written =
                judged.junit().map_err(std::io::Error::other).and_then(|text| file.write_all(text.as_bytes()));
            written
                .map_err(|error| Problem::internal(format!("{}: cannot be written", path.display())).found(error))?;
        }
        usage.map_or(Ok(exit), Err)
    }

    /// One scenario with its server.
    struct Order {
        name: String,
        file: File,
        image: Image,
    }

    fn create(path: &Path) -> Result<std::fs::File, Problem> {
        std::fs::File::create(path)
            .map_err(|error| Problem::usage(format!("{}: cannot be made", path.display())).found(error))
    }

    fn chosen(files: &[PathBuf], names: &[String]) -> Result<Vec<(String, PathBuf)>, Problem> {
        let named = files.iter().filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path.clone())));
        let all: Vec<(String, PathBuf)> = named.collect();
        if let Some(stranger) = names.iter().find(|name| all.iter().all(|(known, _)| known != *name)) {
            let known: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Problem::nothing_selected(format!("there is no scenario deploy/{stranger}"))
                .found(format!("there are {}", known.join(", "))));
        }
        let chosen: Vec<_> = all.into_iter().filter(|(name, _)| names.is_empty() || names.contains(name)).collect();
        if chosen.is_empty() {
            return Err(Problem::nothing_selected("there are no deploy scenarios"));
        }
        Ok(chosen)
    }
}
