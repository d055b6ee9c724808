//! `lab deploy`.

use crate::problem::Problem;
use crate::report::output::Output;
use crate::run::exit::Exit;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  lab images build postfix && lab deploy postfix-alias";

/// Which scenarios of scenarios/deploy.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Scenarios by name; none means all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Gives real servers messages, and says as whom they started the wrapper.
#[cfg(feature = "docker")]
pub(crate) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    with_engine::run(&arguments.names, out)
}

/// Says how to get it.
#[cfg(not(feature = "docker"))]
pub(crate) fn run(Arguments { names: _ }: &Arguments, _: &mut Output) -> Result<Exit, Problem> {
    Err(super::common::without_containers())
}

#[cfg(feature = "docker")]
mod with_engine {
    use super::{Exit, Output, Problem};
    use crate::cli::common::toml_files;
    use crate::deploy::remedy::Proofs;
    use crate::deploy::{self, Outcome, file};
    use crate::images::Images;
    use crate::report::progress::Progress;
    use crate::run::programs::{PACKAGES, Programs};
    use crate::run::tree::Tree;
    use crate::scenario::DEPLOY;
    use std::path::PathBuf;

    pub(super) fn run(names: &[String], out: &mut Output) -> Result<Exit, Problem> {
        let tree = Tree::find()?;
        let files = chosen(&toml_files(&tree.scenarios().join(DEPLOY)), names)?;
        let mut progress = Progress::new(out);
        let programs = Programs::provide(&tree, PACKAGES, &mut |step| progress.building(step))?;
        let images = Images::of(tree.root(), &mut |step| progress.doing(step))?;
        let (mut failed, mut unresolved, mut passed) = (0, 0, 0);
        let (mut proven, mut tried) = (0, 0);
        for (name, path) in files {
            let file = file::read(&path)?;
            let wanted = std::slice::from_ref(&file.server);
            let Some(image) = images.named(wanted)?.pop() else { continue };
            progress.doing(&format!("deploy/{name}"));
            let outcomes = deploy::run(&programs, &crate::record::name_of_now(), &image, &file)?;
            let fallen = outcomes.iter().any(|outcome| outcome.control && !outcome.differences.is_empty());
            let mut text = format!("deploy/{name}  {}\n", file.title);
            for outcome in &outcomes {
                let sound = outcome.differences.is_empty();
                let verdict = match (sound, fallen && !outcome.control) {
                    (false, _) => "FAIL",
                    (true, true) => "UNRESOLVED",
                    (true, false) => "pass",
                };
                failed += usize::from(!sound);
                unresolved += usize::from(sound && verdict != "pass");
                passed += usize::from(verdict == "pass");
                text.push_str(&format!("  {verdict:<10} {}\n{:13}{}\n", outcome.name, "", identity(outcome)));
                for line in outcome.differences.iter().flat_map(|difference| difference.lines()) {
                    text.push_str(&format!("             {line}\n"));
                }
                if let Some(differences) = &outcome.without_bit {
                    failed += usize::from(!differences.is_empty());
                    passed += usize::from(differences.is_empty());
                    let verdict = if differences.is_empty() { "pass" } else { "FAIL" };
                    text.push_str(&format!(
                        "  {verdict:<10} …and a wrapper that trusts that group: refused, its bit does not act\n"
                    ));
                    for line in differences.iter().flat_map(|difference| difference.lines()) {
                        text.push_str(&format!("             {line}\n"));
                    }
                }
                if let Some(proofs) = &outcome.mismatch {
                    failed += usize::from(!proofs.hold());
                    passed += usize::from(proofs.hold());
                    tried += proofs.tried().count();
                    proven += proofs.tried().filter(|proof| proof.missing.is_empty()).count();
                    text.push_str(&mended(proofs));
                }
            }
            progress.print(out, &text);
        }
        progress.end();
        out.line(format_args!(
            "{passed} pass   {failed} fail   {unresolved} unresolved     {proven} of {tried} remedies proven"
        ));
        Ok(match (failed, unresolved, passed) {
            (1.., _, _) => Exit::Failed,
            (0, 1.., _) | (0, 0, 0) => Exit::Unresolved,
            (0, 0, 1..) => Exit::Passed,
        })
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

    /// What became of a wrapper that trusts another group.
    fn mended(proofs: &Proofs) -> String {
        let verdict = if proofs.hold() { "pass" } else { "FAIL" };
        let mut text = format!("  {verdict:<10} …and a wrapper that trusts {}: refused\n", proofs.trusts);
        let mut add = |line: &str| text.push_str(&format!("             {line}\n"));
        proofs.differences.iter().flat_map(|difference| difference.lines()).for_each(&mut add);
        for (fix, proof) in [("fix A", &proofs.server), ("fix B", &proofs.wrapper), ("defer", &proofs.waits)] {
            let proven = match (proof.possible, proof.missing.is_empty()) {
                (false, _) => "",
                (true, true) => ": proven",
                (true, false) => ": NOT PROVEN",
            };
            add(&format!("{fix}  {}{proven}", proof.what));
            proof.missing.iter().flat_map(|difference| difference.lines()).for_each(&mut add);
        }
        text
    }

    /// As whom the program was started.
    fn identity(outcome: &Outcome) -> String {
        let Some(report) = &outcome.seen else { return "started nothing".to_owned() };
        let who = &report.credentials;
        let groups: Vec<String> = who.groups.iter().map(ToString::to_string).collect();
        format!("uid {} gid {} egid {} groups [{}]", who.uid.real, who.gid.real, who.gid.effective, groups.join(" "))
    }
}
