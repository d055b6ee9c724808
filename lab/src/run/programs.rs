//! The programs that a run needs. In a checkout cargo builds them, static, and is asked each time: only cargo knows
//! what is fresh.

use crate::problem::Problem;
use crate::run::event::Origin;
use crate::run::tree::{self, SUMS, Tree};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Packages whose programs a run needs.
pub const PACKAGES: &[&str] = &["wrapper", "wrapper-configure", "lab-agent"];

/// Programs by name.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    paths: BTreeMap<String, PathBuf>,
    /// Where they come from.
    pub origin: Option<Origin>,
    /// A directory for what can be made again; none in a distributed tree, which stays as it is.
    pub cache: Option<PathBuf>,
    /// What the user must know: that the programs are not linked as they should be.
    pub notice: Option<String>,
}

/// What another system than Linux is told.
pub(crate) fn linux_only() -> Problem {
    Problem::unresolved("cases run on Linux only")
        .found(std::env::consts::OS)
        .cure("list, check, show and explain work here; run the cases on a Linux machine")
}

impl Programs {
    /// Builds the programs of these packages, or finds them in a distributed tree. `progress` is told each step of a
    /// build that takes time.
    ///
    /// # Errors
    /// Cargo or the compiler fail.
    pub fn provide(tree: &Tree, packages: &[&str], progress: &mut dyn FnMut(&str)) -> Result<Self, Problem> {
        // They are programs for Linux: before minutes of a build that must fail.
        if !cfg!(target_os = "linux") {
            return Err(linux_only());
        }
        match tree {
            Tree::Checkout { root } => build(root, packages, progress),
            Tree::Shipped { root } => shipped(root, packages.contains(&"specimens")),
        }
    }

    /// Where a program is.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn path(&self, name: &str) -> Result<&Path, Problem> {
        self.paths.get(name).map(PathBuf::as_path).ok_or_else(|| {
            let known: Vec<&str> = self.paths.keys().map(String::as_str).collect();
            Problem::usage(format!("there is no program `{name}`"))
                .found(format!("the programs are {}", known.join(", ")))
                .cure("correct `program` in the scenario file, or name a file with --subject NAME=PATH")
        })
    }

    /// Whether there is a program of that name.
    pub fn has(&self, name: &str) -> bool {
        self.paths.contains_key(name)
    }
}

fn shipped(root: &Path, specimens: bool) -> Result<Programs, Problem> {
    let mut paths = BTreeMap::new();
    for dir in ["bin", "specimens"].into_iter().take(if specimens { 2 } else { 1 }) {
        let dir = root.join(dir);
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Problem::internal(format!("{}: cannot be read", dir.display())).found(error)),
        };
        for entry in entries.flatten() {
            if let Ok(name) = entry.file_name().into_string() {
                paths.insert(name, entry.path());
            }
        }
    }
    let mut notice = None;
    if root.join(SUMS).is_file() {
        let wanted: BTreeSet<PathBuf> =
            paths.values().filter_map(|path| Some(path.strip_prefix(root).ok()?.to_owned())).collect();
        tree::check_files(root, &wanted)?;
    } else {
        notice = Some(format!("{} has no {SUMS}: nobody knows whether its programs are whole", root.display()));
    }
    Ok(Programs { paths, origin: Some(Origin::Shipped), cache: None, notice })
}

/// What is needed of cargo's messages. See cargo-build(1), `--message-format`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<MessageTarget>,
    executable: Option<PathBuf>,
    fresh: Option<bool>,
}

#[derive(Deserialize)]
struct MessageTarget {
    name: String,
}

fn build(root: &Path, packages: &[&str], progress: &mut dyn FnMut(&str)) -> Result<Programs, Problem> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arch = std::env::consts::ARCH;
    let musl = format!("{arch}-unknown-linux-musl");
    let failed = match cargo_build(&cargo, root, packages, &musl, false, progress) {
        Ok(paths) => return Ok(programs(paths, None)),
        Err(Failed::Start(problem)) => return Err(problem),
        Err(Failed::Build(text)) => text,
    };
    if target_installed(root, &musl) {
        return Err(broken(&failed));
    }
    progress(&format!("adding the target {musl} with rustup"));
    let rustup = Command::new("rustup").args(["target", "add", &musl]).current_dir(root).output();
    let why = match rustup {
        Ok(output) if output.status.success() => {
            return match cargo_build(&cargo, root, packages, &musl, false, progress) {
                Ok(paths) => Ok(programs(paths, None)),
                Err(Failed::Start(problem)) => Err(problem),
                Err(Failed::Build(text)) => Err(broken(&text)),
            };
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("rustup cannot be started: {error}"),
    };
    let gnu = format!("{arch}-unknown-linux-gnu");
    match cargo_build(&cargo, root, packages, &gnu, true, progress) {
        Ok(paths) => Ok(programs(
            paths,
            Some(format!(
                "the target {musl} cannot be had ({}): the programs are linked statically with glibc instead, which starts \
                 more slowly and reads more of its surroundings before main; cases about closed descriptors, about little \
                 address space and about open(2) made to fail are written for musl, and some of them fail",
                why.lines().last().unwrap_or("no reason given")
            )),
        )),
        Err(Failed::Start(problem)) => Err(problem),
        Err(Failed::Build(text)) => {
            Err(broken(&text).cure(format!("install the target first: rustup target add {musl} (it said: {why})")))
        }
    }
}

fn broken(text: &str) -> Problem {
    Problem::internal("the programs under test do not build")
        .found(text.trim())
        .cure("mend what the compiler says; `cargo build -p wrapper -p lab-agent` shows it again")
}

fn programs(paths: BTreeMap<String, PathBuf>, notice: Option<String>) -> Programs {
    let cache = paths.values().next().and_then(|path| path.parent()).map(|dir| dir.join("lab-cache"));
    Programs { paths, origin: Some(Origin::Built), cache, notice }
}

fn target_installed(root: &Path, target: &str) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(rustc)
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(root)
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .is_some_and(|dir| Path::new(dir.trim()).is_dir())
}

enum Failed {
    Start(Problem),
    Build(String),
}

fn cargo_build(
    cargo: &OsString,
    root: &Path,
    packages: &[&str],
    target: &str,
    static_glibc: bool,
    progress: &mut dyn FnMut(&str),
) -> Result<BTreeMap<String, PathBuf>, Failed> {
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--profile", "lab", "--target", target])
        .args(["--message-format", "json-render-diagnostics"])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if static_glibc {
        command.arg("--config").arg(format!("target.{target}.rustflags=['-C', 'target-feature=+crt-static']"));
    }
    let start = |error: std::io::Error| {
        Failed::Start(
            Problem::internal(format!("{}: cannot be started", Path::new(cargo).display()))
                .found(error)
                .cure("install Rust (rustup.rs), or set CARGO to cargo's path"),
        )
    };
    let mut child = command.spawn().map_err(start)?;
    let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Failed::Start(Problem::internal("cargo was started without pipes")));
    };
    // A full pipe on one side would stop cargo while the other is read.
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        drop(stderr.read_to_end(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut paths = BTreeMap::new();
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        let Some(built) = message.target.filter(|_| message.reason == "compiler-artifact") else { continue };
        if message.fresh == Some(false) {
            progress(&format!("building the programs under test: {}", built.name));
        }
        if let Some(path) = message.executable {
            paths.insert(built.name, path);
        }
    }
    let status = child.wait().map_err(start)?;
    let text = errors.join().unwrap_or_default();
    if status.success() { Ok(paths) } else { Err(Failed::Build(text)) }
}
