//! A container in which nothing of the lab runs: what it is there for is what the engine starts.

use super::container::Settings;
use super::engine::words;
use crate::backend::BackendError;
use futures_util::StreamExt;
use std::time::Duration;
use testcontainers::bollard::body_full;
use testcontainers::bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use testcontainers::bollard::query_parameters::{
    BuildImageOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder,
    UploadToContainerOptionsBuilder,
};

/// How long it may run.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the image of a case is built before that is given up.
const ATTEMPTS: usize = 4;
/// How many processes it may have.
const PROCESSES: i64 = 64;

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its exit status.
    pub(crate) exit: i64,
    /// What was written, to standard output and to standard error.
    pub(crate) output: String,
}

/// What is started.
pub(crate) struct Alone<'a> {
    pub(crate) image: &'a str,
    /// A tar archive of what is put there before the start.
    pub(crate) files: Option<Vec<u8>>,
    pub(crate) command: Vec<String>,
    pub(crate) user: Option<String>,
    /// Options of the engine, to which come: no network, few processes, a log.
    pub(crate) host: HostConfig,
}

impl Settings {
    /// Starts a container, waits for its end, and removes it.
    pub(crate) fn run_alone(&self, what: Alone<'_>) -> Result<Ended, BackendError> {
        let api = &self.engine.api;
        let log = HostConfigLogConfig { typ: Some("json-file".to_owned()), config: None };
        let host = HostConfig {
            network_mode: Some("none".to_owned()),
            pids_limit: Some(PROCESSES),
            log_config: Some(log),
            ..what.host
        };
        let body = ContainerCreateBody {
            image: Some(what.image.to_owned()),
            cmd: Some(what.command),
            user: what.user,
            labels: Some(self.labels.clone().into_iter().collect()),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        };
        let step = "run a container by itself";
        let made = self.engine.wait(step, api.create_container(None, body))?;
        let ended = self.engine.wait(step, async {
            if let Some(files) = what.files {
                let at = UploadToContainerOptionsBuilder::default().path("/").build();
                api.upload_to_container(&made.id, Some(at), body_full(files.into())).await?;
            }
            api.start_container(&made.id, None).await?;
            // Waiting fails for any status but 0, and an inspection afterwards knows each.
            let end = tokio::time::timeout(PATIENCE, api.wait_container(&made.id, None).next()).await.is_ok();
            let wish = LogsOptionsBuilder::default().stdout(true).stderr(true).build();
            let mut output = Vec::new();
            let mut logs = api.logs(&made.id, Some(wish));
            while let Some(piece) = logs.next().await {
                output.extend_from_slice(&piece?.into_bytes());
            }
            let state = api.inspect_container(&made.id, None).await?.state;
            let exit = state.filter(|_| end).and_then(|state| state.exit_code);
            Ok((exit, String::from_utf8_lossy(&output).into_owned()))
        });
        // What stays all the same is swept up by the watcher.
        let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let removed = self.engine.wait(step, api.remove_container(&made.id, Some(force)));
        let (exit, output) = ended?;
        removed?;
        let exit = exit.ok_or_else(|| BackendError {
            step: step.to_owned(),
            found: format!("it has not ended within {} s: {output}", PATIENCE.as_secs()),
            cure: None,
        })?;
        Ok(Ended { exit, output })
    }

    /// The beginning of a Dockerfile above an image, with the labels of this lab: each layer has them from there on, so that
    /// what a killed lab leaves of a build is known for its own.
    pub(crate) fn dockerfile_from(&self, image: &str) -> String {
        let labels: String = self.labels.iter().map(|(key, value)| format!(" {key}={value:?}")).collect();
        format!("FROM {image}\nLABEL{labels}\n")
    }

    /// Builds an image of a tar archive with a Dockerfile, does something with it, and removes it.
    pub(crate) fn with_image<T>(
        &self,
        name: &str,
        context: &[u8],
        then: impl FnOnce(&str) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        // An engine can fail over what goes from its store while it builds: another case's image.
        let mut built = self.build(name, context);
        for _ in 1..ATTEMPTS {
            if built.is_ok() {
                break;
            }
            built = self.build(name, context);
        }
        built?;
        let done = then(name);
        let force = RemoveImageOptionsBuilder::default().force(true).build();
        // What stays all the same has the labels of this lab, and is swept up when that is gone.
        let _ = self.engine.wait("remove the image of a case", self.engine.api.remove_image(name, Some(force), None));
        done
    }

    fn build(&self, name: &str, context: &[u8]) -> Result<(), BackendError> {
        let failed = |found: String| BackendError { step: "build the image of a case".to_owned(), found, cure: None };
        // Layers that two cases shared would go with the first of them.
        let options = BuildImageOptionsBuilder::default()
            .dockerfile("Dockerfile")
            .t(name)
            .nocache(true)
            .rm(true)
            .forcerm(true)
            .build();
        self.engine.runtime.block_on(async {
            let mut told = self.engine.api.build_image(options, None, Some(body_full(context.to_vec().into())));
            while let Some(news) = told.next().await {
                let news = news.map_err(|error| failed(words(&error)))?;
                if let Some(error) = news.error_detail.and_then(|error| error.message) {
                    return Err(failed(error));
                }
            }
            Ok(())
        })
    }
}
