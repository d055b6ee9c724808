//! The connection to the engine, on threads of its own: the lab's workers are plain threads which wait for it.

use crate::backend::BackendError;
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;
use testcontainers::bollard::Docker as Api;
use testcontainers::bollard::body_full;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::query_parameters::CreateImageOptionsBuilder;
use tokio::runtime::Runtime;

/// The image of the sandboxes: nothing at all, so that a layout's tree is all there is. Its tag changes with its content.
pub(crate) const IMAGE: (&str, &str) = ("lab-sandbox", "empty-1");

/// How long the engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection.
pub(crate) struct Engine {
    pub(crate) runtime: Runtime,
    pub(crate) api: Api,
    facts: BTreeMap<String, String>,
}

impl Engine {
    /// Connects with the engine of DOCKER_HOST, or of the usual socket, and agrees with it on a version of the API.
    pub(crate) fn connect() -> Result<Self, BackendError> {
        let step = "connect with the Docker engine";
        let failed =
            |found: String, cure: &str| BackendError { step: step.to_owned(), found, cure: Some(cure.to_owned()) };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("docker")
            .enable_all()
            .build()
            .map_err(|error| failed(error.to_string(), "raise the limit of processes and threads"))?;
        let away = "start Docker (systemctl start docker), or set DOCKER_HOST to its socket; Podman: \
                    systemctl start podman.socket; or use --backend namespace, which needs no engine";
        let connected = runtime.block_on(async {
            let api = Api::connect_with_defaults()?.negotiate_version().await?;
            let version = api.version().await?;
            Ok::<_, Error>((api, version))
        });
        let (api, version) = connected.map_err(|error| failed(words(&error), away))?;
        let said = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
        let facts = BTreeMap::from([
            ("engine".to_owned(), said(version.version)),
            ("engine API".to_owned(), api.client_version().to_string()),
        ]);
        Ok(Self { runtime, api, facts })
    }

    /// What the engine says of itself.
    pub(crate) fn facts(&self) -> BTreeMap<String, String> {
        self.facts.clone()
    }

    /// Makes the empty image if it is not there.
    pub(crate) fn provide_image(&self) -> Result<(), BackendError> {
        let (name, tag) = IMAGE;
        let step = format!("make the empty image {name}:{tag}");
        self.wait(&step, async {
            if self.api.inspect_image(&format!("{name}:{tag}")).await.is_ok() {
                return Ok(());
            }
            let options = CreateImageOptionsBuilder::default().from_src("-").repo(name).tag(tag).build();
            // Two blocks of zeros are the end of a tar archive, and here all of it.
            let mut told = self.api.create_image(Some(options), Some(body_full(vec![0; 1024].into())), None);
            while let Some(news) = told.next().await {
                news?;
            }
            Ok(())
        })
    }

    /// Waits for the engine, but not for ever.
    pub(crate) fn wait<T>(&self, step: &str, what: impl Future<Output = Result<T, Error>>) -> Result<T, BackendError> {
        let failed = |found: String| BackendError { step: step.to_owned(), found, cure: None };
        let answer = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, what).await });
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(failed(words(&error))),
            Err(_) => Err(failed(format!("the engine has not answered within {} s", PATIENCE.as_secs()))),
        }
    }
}

/// An error with all its causes, which the API client leaves to its sources.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}
