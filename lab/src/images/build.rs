//! Building one image: its folder goes to the engine as a tar archive, and the engine tells each step.

use super::{Image, is_prose};
use crate::backend::docker::engine::{Engine, words};
use crate::problem::Problem;
use futures_util::StreamExt;
use std::collections::HashMap;
use testcontainers::bollard::body_full;
use testcontainers::bollard::query_parameters::BuildImageOptionsBuilder;

/// How many lines of a failed build are shown.
const SHOWN: usize = 20;

/// Builds it.
pub(super) fn build(engine: &Engine, image: &Image, progress: &mut dyn FnMut(&str)) -> Result<(), Problem> {
    let failed = |what: String| {
        Problem::internal(format!("image {}: cannot be built", image.name))
            .found(what)
            .cure(format!("mend docker/{}, or what the machine lacks; the first failure ends the build", image.name))
    };
    let context = archive(image).map_err(|error| failed(error.to_string()))?;
    let arguments = HashMap::from([("BASE", image.from.as_str())]);
    let digest = [("lab.image", image.name.as_str()), ("lab.made-from", image.tag.as_str())];
    let options = BuildImageOptionsBuilder::default()
        .dockerfile("Dockerfile")
        .t(&image.reference())
        .buildargs(&arguments)
        .labels(&HashMap::from(digest))
        .rm(true)
        .forcerm(true)
        .build();
    engine.runtime.block_on(async {
        let mut told = engine.api.build_image(options, None, Some(body_full(context.into())));
        let mut last: Vec<String> = Vec::new();
        while let Some(news) = told.next().await {
            let news = news.map_err(|error| failed(with(&last, &words(&error))))?;
            if let Some(error) = news.error_detail.and_then(|error| error.message) {
                return Err(failed(with(&last, &error)));
            }
            for line in news.stream.iter().flat_map(|text| text.lines()).filter(|line| !line.trim().is_empty()) {
                if line.starts_with("Step ") {
                    progress(&format!("image {}: {line}", image.name));
                }
                last.push(line.to_owned());
                last.drain(..last.len().saturating_sub(SHOWN));
            }
        }
        Ok(())
    })
}

fn with(lines: &[String], error: &str) -> String {
    lines.iter().map(String::as_str).chain([error]).collect::<Vec<_>>().join("\n")
}

/// The folder. Owners and times are left out, so that the engine finds what it has built before.
fn archive(image: &Image) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in image.files.iter().filter(|file| !is_prose(&file.path)) {
        let mut header = tar::Header::new_ustar();
        header.set_size(file.bytes.len() as u64);
        header.set_mode(if file.executable { 0o755 } else { 0o644 });
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        archive.append_data(&mut header, &file.path, file.bytes.as_slice())?;
    }
    archive.into_inner()
}
