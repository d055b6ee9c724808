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
  lab images build && lab deploy --junit deploy.xml        # a report for CI
  lab deploy docker/user docker/options                    # an engine's own options";

/// Which scenarios of scenarios/deploy and scenarios/docker.
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
    /// Write all verdicts as JSON lines
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Gives real servers messages and requests, and says as whom they started the wrapper; and what an engine's options do to it.
#[cfg(feature = "docker")]
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    with_engine::run(arguments, out)
}

/// Says how to get it.
#[cfg(not(feature = "docker"))]
pub(crate) fn run(
    Arguments { names: _, jobs: _, junit: _, json: _ }: &Arguments,
    _: &mut Output,
) -> Result<Exit, Problem> {
    Err(super::common::without_containers())
}

#[cfg(feature = "docker")]
mod with_engine {
    use super::{Arguments, Exit, Output, Problem};
    use crate::cli::common::{jobs, toml_files};
    use crate::deploy;
    use crate::deploy::judged::Judged;
    use crate::images::{BASE, Image, Images};
    use crate::problem::Kind;
    use crate::report::progress::Progress;
    use crate::run::in_order::in_order;
    use crate::run::programs::{PACKAGES, Programs};
    use crate::run::tree::Tree;
    use crate::scenario::deploy as deploy_scenario;
    use crate::scenario::{DEPLOY, DOCKER, engine};
    use std::io::Write as _;
    use std::path::{Path, PathBuf};

    pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
        let tree = Tree::find()?;
        let folders = [DEPLOY, DOCKER].map(|folder| (folder, toml_files(&tree.scenarios().join(folder))));
        let files = chosen(&folders, &arguments.names)?;
        let files: Vec<(String, File)> = files.into_iter().map(File::read).collect::<Result<_, Problem>>()?;
        // Better told before the run than after.
        let mut junit = arguments.junit.as_deref().map(create).transpose()?;
        let mut json = arguments.json.as_deref().map(create).transpose()?;
        let mut progress = Progress::new(out);
        let programs = Programs::provide(&tree, PACKAGES, &mut |step| progress.building(step))?;
        let images = Images::of(tree.root(), &mut |step| progress.doing(step))?;
        let image = |(id, file): (String, File)| {
            let name = file.image();
            let image = images.named(&[name.to_owned()])?.pop();
            let image = image.ok_or_else(|| Problem::usage(format!("there is no image {name}")))?;
            Ok(Order { id, file, image })
        };
        let orders: Vec<Order> = files.into_iter().map(image).collect::<Result<_, Problem>>()?;
        let run = crate::record::name_of_now();
        let mut judged = Judged::new(&run);
        // A file can name what only its container has not.
        let mut usage = None;
        progress.cases(orders.len());
        let ask = |order: &Order| match &order.file {
            File::Server(file) => deploy::run(&programs, &run, &order.image, file),
            File::Engine(file) => deploy::engine::run(&programs, &run, &order.image, file),
        };
        // What one server does not let judge says nothing of the next.
        in_order(&orders, jobs(arguments.jobs), &ask, &mut |order, (outcomes, problem)| {
            progress.step(0);
            progress.print(out, &judged.take(&order.id, order.file.title(), &outcomes, problem.as_ref()));
            usage = usage.take().or(problem.filter(|problem| problem.kind == Kind::Usage));
        })?;
        progress.end();
        out.line(format_args!("{}", judged.summary()));
        let exit = judged.exit();
        if let (Some(file), Some(path)) = (&mut junit, &arguments.junit) {
            write(file, path, judged.junit().map_err(std::io::Error::other))?;
        }
        if let (Some(file), Some(path)) = (&mut json, &arguments.json) {
            write(file, path, Ok(judged.json()))?;
        }
        usage.map_or(Ok(exit), Err)
    }

    /// A scenario of a server, or of the engine itself.
    enum File {
        Server(deploy_scenario::File),
        Engine(engine::File),
    }

    impl File {
        fn read((folder, name, path): (&str, String, PathBuf)) -> Result<(String, Self), Problem> {
            let file = if folder == DOCKER {
                Self::Engine(engine::read(&path)?)
            } else {
                Self::Server(deploy_scenario::read(&path)?)
            };
            Ok((format!("{folder}/{name}"), file))
        }

        fn title(&self) -> &str {
            match self {
                Self::Server(file) => &file.title,
                Self::Engine(file) => &file.title,
            }
        }

        fn image(&self) -> &str {
            match self {
                Self::Server(file) => &file.server,
                Self::Engine(_) => BASE,
            }
        }
    }

    /// One scenario with the image of its server.
    struct Order {
        id: String,
        file: File,
        image: Image,
    }

    fn write(file: &mut std::fs::File, path: &Path, text: std::io::Result<String>) -> Result<(), Problem> {
        let written = text.and_then(|text| file.write_all(text.as_bytes()));
        written.map_err(|error| Problem::internal(format!("{}: cannot be written", path.display())).found(error))
    }

    fn create(path: &Path) -> Result<std::fs::File, Problem> {
        std::fs::File::create(path)
            .map_err(|error| Problem::usage(format!("{}: cannot be made", path.display())).found(error))
    }

    /// The files that are asked for, by their name alone or with that of their folder.
    fn chosen<'a>(
        folders: &[(&'a str, Vec<PathBuf>)],
        names: &[String],
    ) -> Result<Vec<(&'a str, String, PathBuf)>, Problem> {
        let stem = |path: &PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
        let of = |(folder, files): &(&'a str, Vec<PathBuf>)| {
            let folder = *folder;
            files.iter().filter_map(|path| Some((folder, stem(path)?, path.clone()))).collect::<Vec<_>>()
        };
        let all: Vec<(&str, String, PathBuf)> = folders.iter().flat_map(of).collect();
        let is = |(folder, name, _): &(&str, String, PathBuf), asked: &String| {
            asked == name || asked.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) == Some(name)
        };
        if let Some(stranger) = names.iter().find(|asked| !all.iter().any(|file| is(file, asked))) {
            let known: Vec<String> = all.iter().map(|(folder, name, _)| format!("{folder}/{name}")).collect();
            return Err(Problem::nothing_selected(format!("there is no scenario {stranger} that needs an engine"))
                .found(format!("there are {}", known.join(", "))));
        }
        let wanted = |file: &(&str, String, PathBuf)| names.is_empty() || names.iter().any(|asked| is(file, asked));
        let chosen: Vec<_> = all.into_iter().filter(wanted).collect();
        if chosen.is_empty() {
            return Err(Problem::nothing_selected("there are no deploy scenarios"));
        }
        Ok(chosen)
    }
}
