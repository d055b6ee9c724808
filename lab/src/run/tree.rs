//! Where the lab's files are: a checkout, whose programs are built, or a distributed tree, whose programs lie there.

use crate::problem::Problem;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// A place with scenarios and programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A checkout of the project.
    Checkout {
        /// Directory of the workspace's `Cargo.toml`.
        root: PathBuf,
    },
    /// What `just dist` makes: `lab`, `bin/`, `scenarios/`, `SHA256SUMS`.
    Shipped {
        /// Directory of `lab`.
        root: PathBuf,
    },
}

impl Tree {
    /// Finds the tree of this process: next to the executable, else where cargo says, else above the working directory,
    /// else above the executable.
    ///
    /// # Errors
    /// There is none.
    pub fn find() -> Result<Self, Problem> {
        let exe = std::env::current_exe().ok();
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR");
        let cwd = std::env::current_dir().ok();
        Self::find_from(exe.as_deref(), manifest.as_deref(), cwd.as_deref()).ok_or_else(|| {
            Problem::usage("neither a checkout nor a distributed tree was found")
                .found("no directory from here up, and none from the executable up, has scenarios/ and lab/Cargo.toml")
                .cure("run it inside a checkout, or keep the executable in the directory that `just dist` made")
        })
    }

    fn find_from(exe: Option<&Path>, manifest: Option<&OsStr>, cwd: Option<&Path>) -> Option<Self> {
        let beside = exe.and_then(Path::parent);
        if let Some(root) = beside.filter(|dir| dir.join("bin/lab-agent").is_file() && dir.join("scenarios").is_dir()) {
            return Some(Self::Shipped { root: root.to_owned() });
        }
        [manifest.map(Path::new), cwd, beside]
            .into_iter()
            .flatten()
            .flat_map(Path::ancestors)
            .find(|dir| dir.join("lab/Cargo.toml").is_file() && dir.join("scenarios").is_dir())
            .map(|root| Self::Checkout { root: root.to_owned() })
    }

    /// Its directory.
    pub fn root(&self) -> &Path {
        match self {
            Self::Checkout { root } | Self::Shipped { root } => root,
        }
    }

    /// Where the scenario files are.
    pub fn scenarios(&self) -> PathBuf {
        self.root().join("scenarios")
    }
}

/// Name of the list of checksums, in the form of sha256sum(1).
pub const SUMS: &str = "SHA256SUMS";

/// Checks every file of a directory against its `SHA256SUMS`. Gives their number.
///
/// # Errors
/// A file of the list is missing or is different; a file of the directory is not in the list; the list is not of the
/// form, or names a path which leads out of the directory.
pub fn check_sums(dir: &Path) -> Result<usize, Problem> {
    let listed = sums(dir)?;
    let mut present = Vec::new();
    files_below(dir, Path::new(""), &mut present);
    let all = listed.keys().cloned().chain(present).filter(|path| path.as_os_str() != SUMS);
    compare(dir, &listed, &all.collect())?;
    Ok(listed.len())
}

/// Checks some files of a directory against its `SHA256SUMS`.
///
/// # Errors
/// One is missing, is different or is not in the list; the list is not of the form.
pub fn check_files(dir: &Path, files: &BTreeSet<PathBuf>) -> Result<(), Problem> {
    compare(dir, &sums(dir)?, files)
}

fn compare(dir: &Path, listed: &BTreeMap<PathBuf, String>, files: &BTreeSet<PathBuf>) -> Result<(), Problem> {
    let wrong: Vec<String> = files
        .iter()
        .filter_map(|path| match (listed.get(path), fs::read(dir.join(path))) {
            (None, _) => Some(format!("{}: not in the list", path.display())),
            (_, Err(error)) => Some(format!("{}: {error}", path.display())),
            (Some(sum), Ok(bytes)) if hex(&Sha256::digest(&bytes)) == *sum => None,
            _ => Some(format!("{}: different content", path.display())),
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Problem::usage(format!("{}: not as its {SUMS} says", dir.display()))
        .found(wrong.join("\n"))
        .cure("fetch it again: what it would show proves nothing"))
}

/// The list of a directory, by path.
fn sums(dir: &Path) -> Result<BTreeMap<PathBuf, String>, Problem> {
    let list = dir.join(SUMS);
    let text = fs::read_to_string(&list)
        .map_err(|error| Problem::usage(format!("{}: cannot be read", list.display())).found(error))?;
    let mut listed = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let place = || format!("{}, line {number}", list.display());
        let (sum, path) = line
            .split_once("  ")
            .ok_or_else(|| Problem::usage(format!("{}: no checksum, two spaces, path", place())).found(line))?;
        let path = PathBuf::from(path.strip_prefix("./").unwrap_or(path));
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(Problem::usage(format!("{}: the path leads out of the directory", place())).found(line));
        }
        listed.insert(path, sum.to_owned());
    }
    Ok(listed)
}

fn files_below(root: &Path, below: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(root.join(below)) else { return };
    for entry in entries.flatten() {
        let path = below.join(entry.file_name());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files_below(root, &path, into);
        } else {
            into.push(path);
        }
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Tree, check_sums, hex};
    use sha2::{Digest, Sha256};
    use std::fs;

    fn touch(path: &std::path::Path) {
        fs::create_dir_all(path.parent().expect("has a parent")).expect("directory");
        fs::write(path, "x").expect("file");
    }

    #[test]
    fn a_shipped_tree_wins_over_the_checkout_it_lies_in() {
        let dir = tempfile::tempdir().expect("directory");
        let root = dir.path();
        touch(&root.join("lab/Cargo.toml"));
        touch(&root.join("scenarios/identities.toml"));
        let exe = root.join("target/dist/lab");
        assert_eq!(Tree::find_from(Some(&exe), None, None), Some(Tree::Checkout { root: root.to_owned() }));
        touch(&root.join("target/dist/bin/lab-agent"));
        touch(&root.join("target/dist/scenarios/identities.toml"));
        assert_eq!(Tree::find_from(Some(&exe), None, None), Some(Tree::Shipped { root: root.join("target/dist") }));
        assert_eq!(Tree::find_from(None, None, Some(std::path::Path::new("/"))), None);
    }

    #[test]
    fn sums_catch_a_change_a_loss_an_addition_and_a_way_out() {
        let dir = tempfile::tempdir().expect("directory");
        let root = dir.path();
        touch(&root.join("bin/a"));
        let sum = hex(&Sha256::digest(b"x"));
        let list = |text: String| fs::write(root.join("SHA256SUMS"), text).expect("list");
        list(format!("{sum}  ./bin/a\n"));
        assert_eq!(check_sums(root), Ok(1));
        let found = || check_sums(root).expect_err("must be refused").found.expect("says what");
        fs::write(root.join("bin/a"), "y").expect("change");
        assert_eq!(found(), "bin/a: different content");
        touch(&root.join("bin/a"));
        touch(&root.join("b"));
        assert_eq!(found(), "b: not in the list");
        list(format!("{sum}  bin/a\n{sum}  b\n{sum}  c\n"));
        assert!(found().starts_with("c: "), "a missing file is named");
        list(format!("{sum}  ../x\n"));
        assert!(check_sums(root).expect_err("must be refused").what.contains("leads out"));
    }
}
