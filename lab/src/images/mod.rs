//! The images of real servers: one folder of `docker/` each. Their tags are digests of what they are made from, so that
//! only what has changed is built, and an image that was built from something else is never taken for it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`base`] | Debian, from a registry or, where none answers, from its packages |
//! | [`build`] | building one image |
//! | [`verify`] | looking at one from inside |

mod base;
mod build;
mod verify;

pub use verify::{Finding, verify};

use crate::backend::docker::engine::Engine;
use crate::problem::Problem;
use crate::run::tree::hex;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The image that all others are made from.
pub(crate) const BASE: &str = "base";
/// How much of a digest is in a tag.
const TAG: usize = 12;

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Name of its folder.
    pub name: String,
    /// Its repository.
    pub repository: String,
    /// Digest of everything that it is made from.
    pub tag: String,
    /// What it is made from.
    from: String,
    files: Vec<File>,
}

impl Image {
    /// As an engine names it.
    pub fn reference(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }
}

/// A file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    path: PathBuf,
    executable: bool,
    bytes: Vec<u8>,
}

/// Every image of a tree, `base` first. `debian` is the digest of the image that it is made from.
///
/// # Errors
/// A folder cannot be read, or there is no `base`.
pub fn all(root: &Path, debian: &str) -> Result<Vec<Image>, Problem> {
    let home = root.join("docker");
    let unreadable = |path: &Path, error: std::io::Error| {
        Problem::usage(format!("{}: cannot be read", path.display()))
            .found(error)
            .cure("images are built in a checkout")
    };
    let mut folders = BTreeMap::new();
    for entry in fs::read_dir(&home).map_err(|error| unreadable(&home, error))? {
        let path = entry.map_err(|error| unreadable(&home, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        if let Some(name) = name.filter(|_| path.join("Dockerfile").is_file()) {
            folders.insert(name, path);
        }
    }
    let base = folders.remove(BASE).ok_or_else(|| Problem::usage(format!("{}: has no {BASE}", home.display())))?;
    let base = image(BASE, &base, debian)?;
    let from = base.reference();
    let mut images = vec![base];
    for (name, path) in folders {
        images.push(image(&name, &path, &from)?);
    }
    Ok(images)
}

fn image(name: &str, folder: &Path, from: &str) -> Result<Image, Problem> {
    let mut files = Vec::new();
    collect(folder, Path::new(""), &mut files)
        .map_err(|error| Problem::usage(format!("{}: cannot be read", folder.display())).found(error))?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let mut digest = Sha256::new();
    let mut add = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    };
    add(from.as_bytes());
    for file in files.iter().filter(|file| !is_prose(&file.path)) {
        add(file.path.as_os_str().as_encoded_bytes());
        add(&[u8::from(file.executable)]);
        add(&file.bytes);
    }
    let tag = hex(&digest.finalize()).chars().take(TAG).collect();
    Ok(Image { name: name.to_owned(), repository: format!("lab-{name}"), tag, from: from.to_owned(), files })
}

/// What is there to be read: nothing is made from it.
fn is_prose(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "md")
}

fn collect(folder: &Path, below: &Path, files: &mut Vec<File>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(folder, &path, files)?;
        } else {
            let executable = entry.metadata()?.permissions().mode() & 0o111 != 0;
            files.push(File { bytes: fs::read(entry.path())?, path, executable });
        }
    }
    Ok(())
}

/// The engine with the images of a tree, Debian provided.
pub struct Images {
    engine: Engine,
    /// Every image, `base` first.
    pub all: Vec<Image>,
}

impl Images {
    /// Connects with the engine, and provides Debian; `progress` is told what takes time.
    ///
    /// # Errors
    /// There is no engine, or Debian cannot be had.
    pub fn of(root: &Path, progress: &mut dyn FnMut(&str)) -> Result<Self, Problem> {
        let engine = Engine::connect().map_err(problem)?;
        let debian = base::provide(&engine, progress)?;
        Ok(Self { all: all(root, &debian)?, engine })
    }

    /// The images of these names, with `base` before any other; all of them if none is named.
    ///
    /// # Errors
    /// There is no image of a name.
    pub fn named(&self, names: &[String]) -> Result<Vec<Image>, Problem> {
        let known = || self.all.iter().map(|image| image.name.as_str());
        if let Some(stranger) = names.iter().find(|name| known().all(|known| known != name.as_str())) {
            let all: Vec<&str> = known().collect();
            return Err(Problem::usage(format!("there is no image `{stranger}`"))
                .found(format!("the images are {}", all.join(", "))));
        }
        let wanted = |image: &&Image| names.is_empty() || image.name == BASE || names.contains(&image.name);
        Ok(self.all.iter().filter(wanted).cloned().collect())
    }

    /// How many bytes an image has; `None` if it is not there.
    pub fn size(&self, image: &Image) -> Option<u64> {
        let reference = image.reference();
        let found = self.engine.wait("look for an image", self.engine.api.inspect_image(&reference)).ok()?;
        found.size.and_then(|size| u64::try_from(size).ok())
    }

    /// Builds an image unless it is there; whether it was built.
    ///
    /// # Errors
    /// A step of the build fails: its last lines are what was found.
    pub fn build(&self, image: &Image, progress: &mut dyn FnMut(&str)) -> Result<bool, Problem> {
        if self.size(image).is_some() {
            return Ok(false);
        }
        build::build(&self.engine, image, progress).map(|()| true)
    }
}

/// A problem of the engine's.
pub(crate) fn problem(error: crate::backend::BackendError) -> Problem {
    let problem = Problem::unresolved(error.step).found(error.found);
    match error.cure {
        Some(cure) => problem.cure(cure),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::all;
    use std::fs;
    use std::path::Path;

    fn tags(root: &Path) -> Vec<(String, String)> {
        all(root, "sha256:debian").expect("images").into_iter().map(|image| (image.name, image.tag)).collect()
    }

    #[test]
    fn a_tag_changes_with_what_the_image_is_made_from_and_with_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let path = dir.path().join("docker").join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        };
        write("base/Dockerfile", "FROM x");
        write("exim/Dockerfile", "FROM y");
        write("exim/conf/a", "1");
        write("README.md", "no image");
        let before = tags(dir.path());
        assert_eq!(before.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["base", "exim"]);
        write("exim/README.md", "prose");
        assert_eq!(tags(dir.path()), before);
        write("exim/conf/a", "2");
        let after = tags(dir.path());
        assert_eq!(after[0], before[0], "base is not concerned");
        assert_ne!(after[1], before[1]);
        write("base/Dockerfile", "FROM z");
        let last = tags(dir.path());
        assert!(last[0] != after[0] && last[1] != after[1], "all is made from base");
    }
}
