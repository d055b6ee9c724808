//! Sandboxes that are containers of a Docker engine (or of Podman behind Docker's socket). Each worker has one container
//! for each [`shape`] of layout; in it runs `lab-agent contained`, at the other end of one stream, and a case costs no
//! call to the engine.
//!
//! | module | what it holds |
//! |---|---|
//! | [`engine`] | the connection to the engine, and the empty image |
//! | [`owner`] | whose container it is; removing those whose lab is gone |
//! | [`shape`] | what the engine must mount for a layout, and what it cannot |
//! | [`container`] | one container: started, connected, removed |
//! | [`server`] | a container whose files belong to a mail or web server |
//! | [`alone`] | a container in which nothing of the lab runs |
//! | [`worker`] | a worker with its containers |
//!
//! Containers come and go through testcontainers; the stream, which testcontainers lacks, is the API client's below it.

pub(crate) mod alone;
mod container;
pub(crate) mod engine;
mod owner;
pub(crate) mod server;
mod shape;
mod worker;

pub use owner::{sweep, watch};

use super::preflight::{self, Trials};
use super::{Backend, BackendError, Lack, Worker};
use crate::capability::Capabilities;
pub(crate) use container::Settings;
use engine::Engine;
use lab_invocation::layout::MountFlags;
use lab_invocation::{Invocation, Layout};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use worker::Containers;

/// What a container cannot do, a namespace of the lab's own can.
const CURE: &str = "use --backend namespace: an engine's containers get no right to mount or to make namespaces";

/// What the containers of one backend have in common besides their layouts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the run that they belong to.
    pub run: String,
    /// Security options of `docker run`, such as `no-new-privileges`.
    pub security: Vec<String>,
    /// The lab's own program file, which is started once more to clean up if this process is killed. `None` in a program
    /// that is none.
    pub watcher: Option<PathBuf>,
}

impl Options {
    /// Those of a lab: its own program file is the one that this process runs.
    pub fn of_run(run: String) -> Self {
        Self { run, security: Vec::new(), watcher: std::env::current_exe().ok() }
    }
}

/// The container backend.
pub struct Docker {
    settings: Result<Arc<Settings>, BackendError>,
    found: Result<(BTreeMap<String, String>, Capabilities), BackendError>,
}

impl Docker {
    /// Connects with the engine and finds out by trying what a container with the program file `agent` in it can do. That
    /// nothing can be had is no error here: every capability is then missing, for that reason.
    pub fn new(agent: &Path, options: Options) -> Self {
        let settings = settings(agent, options).map(Arc::new);
        let found = settings.clone().and_then(|settings| {
            let mut worker = Containers::new(Arc::clone(&settings));
            let flags = MountFlags { nosuid: true, noexec: false, nodev: true, read_only: false };
            let capabilities = preflight::try_everything(&mut worker, &Trials { flags, cure: Some(CURE) })?;
            let mut facts = worker.facts();
            facts.extend(settings.engine.facts());
            Ok((facts, capabilities))
        });
        Self { settings, found }
    }
}

/// What the containers of one lab have in common.
///
/// # Errors
/// There is no engine, or it refuses.
pub(crate) fn settings(agent: &Path, options: Options) -> Result<Settings, BackendError> {
    let agent = std::fs::read(agent).map_err(|error| BackendError {
        step: "read the agent".to_owned(),
        found: format!("{}: {error}", agent.display()),
        cure: None,
    })?;
    let engine = Engine::connect()?;
    // What an earlier lab left behind when the machine went down would only pile up.
    owner::sweep_with(&engine)?;
    engine.provide_image()?;
    let watcher = options.watcher.as_deref().map(owner::start_watcher).transpose()?;
    Ok(Settings { engine, agent, labels: owner::labels(&options.run), security: options.security, _watcher: watcher })
}

impl Backend for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn capabilities(&self) -> Capabilities {
        match &self.found {
            Ok((_, capabilities)) => capabilities.clone(),
            Err(error) => preflight::nothing(error),
        }
    }

    fn facts(&self) -> BTreeMap<String, String> {
        self.found.as_ref().map(|(facts, _)| facts.clone()).unwrap_or_default()
    }

    fn lacks(&self, layout: &Layout, invocation: &Invocation) -> Option<Lack> {
        let Lack { needs, because } =
            shape::lack_of_layout(layout).or_else(|| shape::lack_of_invocation(invocation))?;
        Some(Lack { needs, because: format!("an engine cannot make {because}; cure: {CURE}") })
    }

    fn worker(&self) -> Result<Box<dyn Worker>, BackendError> {
        let settings = self.settings.clone()?;
        Ok(Box::new(Containers::new(settings)))
    }
}
