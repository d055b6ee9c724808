//! Debian: the one image that is not of this project. Pulled; or, where no registry answers, made by mmdebstrap(1) from
//! Debian's packages and imported under the same name.

use crate::backend::docker::engine::{Engine, words};
use crate::problem::Problem;
use futures_util::StreamExt;
use std::process::{Command, Stdio};
use testcontainers::bollard::body_full;
use testcontainers::bollard::query_parameters::{CreateImageOptions, CreateImageOptionsBuilder};

/// Its name.
const NAME: (&str, &str) = ("debian", "bookworm-slim");
/// What the slim image leaves out as well.
const LEFT_OUT: [&str; 4] = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"];

/// Provides it, and returns the digest of its content.
pub(super) fn provide(engine: &Engine, progress: &mut dyn FnMut(&str)) -> Result<String, Problem> {
    if let Some(digest) = digest(engine) {
        return Ok(digest);
    }
    let (name, tag) = NAME;
    progress(&format!("pulling {name}:{tag}"));
    let options = CreateImageOptionsBuilder::default().from_image(name).tag(tag).build();
    if let Err(refused) = create(engine, options, None) {
        progress(&format!("no registry answers: making {name}:{tag} of Debian's packages"));
        let tree = debootstrap(&refused)?;
        let changes = vec!["CMD [\"bash\"]".to_owned(), "LABEL lab.made-by=mmdebstrap".to_owned()];
        let options = CreateImageOptionsBuilder::default().from_src("-").repo(name).tag(tag).changes(changes).build();
        create(engine, options, Some(tree)).map_err(|found| missing("cannot be imported").found(found))?;
    }
    digest(engine).ok_or_else(|| missing("is not there, although the engine said that it has it"))
}

fn missing(what: &str) -> Problem {
    let (name, tag) = NAME;
    Problem::unresolved(format!("image {name}:{tag} {what}"))
}

fn digest(engine: &Engine) -> Option<String> {
    let (name, tag) = NAME;
    engine.wait("look for Debian", engine.api.inspect_image(&format!("{name}:{tag}"))).ok()?.id
}

fn create(engine: &Engine, options: CreateImageOptions, tree: Option<Vec<u8>>) -> Result<(), String> {
    engine.runtime.block_on(async {
        let mut told = engine.api.create_image(Some(options), tree.map(|tree| body_full(tree.into())), None);
        while let Some(news) = told.next().await {
            if let Some(error) = news.map_err(|error| words(&error))?.error_detail {
                return Err(error.message.unwrap_or_default());
            }
        }
        Ok(())
    })
}

/// A tree of Debian's packages, as a tar archive.
fn debootstrap(refused: &str) -> Result<Vec<u8>, Problem> {
    let (_, tag) = NAME;
    let release = tag.split('-').next().unwrap_or(tag);
    let mut command = Command::new("mmdebstrap");
    command.args(["--variant=minbase", "--format=tar", "--quiet"]);
    command.args(LEFT_OUT.iter().map(|path| format!("--dpkgopt=path-exclude={path}")));
    let output = command.args([release, "-"]).stdin(Stdio::null()).output();
    let without = |found: String| {
        missing("cannot be had").found(format!("the registry: {refused}\nmmdebstrap: {found}")).cure(
            "let the engine reach a registry, or install mmdebstrap (apt-get install mmdebstrap) and run this as root, \
             or import such an image under that name",
        )
    };
    let output = output.map_err(|error| without(error.to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(without(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
