//! Sandboxes of kernel namespaces: one helper process for each worker, `lab-agent serve`, which makes its own namespaces.
//! Nothing has a name outside, so any number of labs run at once; the helper ends with its socket, so nothing is left
//! behind however the lab ends.

mod shell;

pub use shell::shell;

use super::client::Client;
use super::preflight::{self, Trials};
use super::served::Served;
use super::{Backend, BackendError, Worker};
use crate::capability::Capabilities;
use lab_invocation::protocol::{Hello, Tier};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The namespace backend.
#[derive(Debug)]
pub struct Namespace {
    agent: PathBuf,
    found: Result<(Hello, Capabilities), BackendError>,
}

impl Namespace {
    /// Starts one helper from the program file `agent`, and finds out by trying what it can do. That it cannot be started
    /// is no error here: every capability is then missing, for that reason.
    pub fn new(agent: &Path) -> Self {
        let found = start(agent, Stdio::inherit()).and_then(|mut worker| {
            let capabilities = preflight::try_everything(&mut worker, &Trials::default())?;
            Ok((worker.client.hello.clone(), capabilities))
        });
        Self { agent: agent.to_owned(), found }
    }

    /// How much of the kernel's identity machinery is at hand, or why no sandbox can be made.
    ///
    /// # Errors
    /// The reason, with a cure.
    pub fn tier(&self) -> Result<Tier, BackendError> {
        self.found.as_ref().map(|(hello, _)| hello.tier).map_err(Clone::clone)
    }
}

impl Backend for Namespace {
    fn name(&self) -> &'static str {
        "namespace"
    }

    fn capabilities(&self) -> Capabilities {
        match &self.found {
            Ok((_, capabilities)) => capabilities.clone(),
            Err(error) => preflight::nothing(error),
        }
    }

    fn facts(&self) -> BTreeMap<String, String> {
        self.found.as_ref().map(|(hello, _)| hello.facts.clone()).unwrap_or_default()
    }

    fn worker(&self) -> Result<Box<dyn Worker>, BackendError> {
        start(&self.agent, Stdio::inherit()).map(|worker| Box::new(worker) as Box<dyn Worker>)
    }
}

/// Starts a helper, with this as its standard error.
fn start(agent: &Path, stderr: Stdio) -> Result<Served, BackendError> {
    Client::start(agent, stderr).map(Served::new)
}
