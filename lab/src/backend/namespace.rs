//! Sandboxes of kernel namespaces: one helper process for each worker, `lab-agent serve`, which makes its own namespaces.
//! Nothing has a name outside, so any number of labs run at once; the helper ends with its socket, so nothing is left
//! behind however the lab ends.

mod client;
mod preflight;
mod shell;

pub use shell::shell;

use super::{Backend, BackendError, Blob, LayoutId, Worker};
use crate::capability::Capabilities;
use client::Client;
use lab_invocation::layout::{Content, Digest, NodeKind};
use lab_invocation::protocol::{Hello, Probes, Reply, Request, Tier};
use lab_invocation::{Evidence, Invocation, Layout};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// How many layouts a worker keeps prepared: each holds copies of its programs in memory.
const KEPT_LAYOUTS: usize = 12;
/// How many programs an agent keeps: more than a run of the suite has, fewer than a record may hold.
const KEPT_PROGRAMS: usize = 8;
/// How long the preparation of a layout may take.
const OPEN_PATIENCE: Duration = Duration::from_secs(30);
/// How much longer than its deadline a case may take: set-up, and clearing away.
const RUN_PATIENCE: Duration = Duration::from_secs(20);

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
        let found = NamespaceWorker::start(agent).and_then(|mut worker| {
            let capabilities = preflight::try_everything(&mut worker)?;
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
        NamespaceWorker::start(&self.agent).map(|worker| Box::new(worker) as Box<dyn Worker>)
    }
}

/// One helper with its layouts.
struct NamespaceWorker {
    client: Client,
    /// Least recently used first.
    layouts: Vec<(u32, Layout, Probes)>,
    /// Programs that the agent has, oldest first.
    programs: Vec<Digest>,
    next: u32,
}

impl NamespaceWorker {
    fn start(agent: &Path) -> Result<Self, BackendError> {
        Self::start_with(agent, Stdio::inherit())
    }

    /// With this as the agent's standard error.
    fn start_with(agent: &Path, stderr: Stdio) -> Result<Self, BackendError> {
        Ok(Self { client: Client::start(agent, stderr)?, layouts: Vec::new(), programs: Vec::new(), next: 0 })
    }

    fn send_blobs(&mut self, layout: &Layout, blobs: &dyn Fn(Digest) -> Option<Blob>) -> Result<(), BackendError> {
        let digests: BTreeSet<Digest> = layout
            .nodes
            .iter()
            .filter_map(|node| match node.kind {
                NodeKind::File(Content::Blob(digest)) => Some(digest),
                _ => None,
            })
            .collect();
        for digest in digests {
            let step = "send a file's content to the agent";
            let Blob { program, bytes, patch } = blobs(digest).ok_or_else(|| BackendError {
                step: step.to_owned(),
                found: format!("the layout names content {digest}, which nobody has"),
                cure: None,
            })?;
            if !self.programs.contains(&program) {
                if self.programs.len() >= KEPT_PROGRAMS {
                    let oldest = self.programs.remove(0);
                    self.tell(&Request::Forget { program: oldest }, step)?;
                }
                self.tell(&Request::Program { digest: program, bytes: Cow::Borrowed(&bytes) }, step)?;
                self.programs.push(program);
            }
            self.tell(&Request::Blob { digest, program, patch }, step)?;
        }
        Ok(())
    }

    /// A request whose only answer is that it was done.
    fn tell(&mut self, request: &Request<'_>, step: &str) -> Result<(), BackendError> {
        match self.client.ask(request, step, OPEN_PATIENCE)? {
            Reply::Done => Ok(()),
            other => Err(client::unexpected(step, &other)),
        }
    }

    fn forget_oldest(&mut self) -> Result<(), BackendError> {
        let (oldest, ..) = self.layouts.remove(0);
        self.tell(&Request::Close { layout: oldest }, "give up a layout")
    }
}

impl Worker for NamespaceWorker {
    fn open(
        &mut self,
        layout: &Layout,
        blobs: &dyn Fn(Digest) -> Option<Blob>,
    ) -> Result<(LayoutId, Probes), BackendError> {
        if let Some(at) = self.layouts.iter().position(|(_, known, _)| known == layout) {
            let known = self.layouts.remove(at);
            let answer = (LayoutId(known.0), known.2.clone());
            self.layouts.push(known);
            return Ok(answer);
        }
        if self.layouts.len() >= KEPT_LAYOUTS {
            self.forget_oldest()?;
        }
        self.send_blobs(layout, blobs)?;
        let step = "prepare a layout";
        self.next += 1;
        let number = self.next;
        match self.client.ask(&Request::Open { layout: number, spec: Cow::Borrowed(layout) }, step, OPEN_PATIENCE)? {
            Reply::Opened { probes } => {
                self.layouts.push((number, layout.clone(), probes.clone()));
                Ok((LayoutId(number), probes))
            }
            other => Err(client::unexpected(step, &other)),
        }
    }

    fn run(&mut self, layout: LayoutId, invocation: &Invocation) -> Result<Evidence, BackendError> {
        let step = "run a case";
        if !self.layouts.iter().any(|(number, ..)| *number == layout.0) {
            return Err(BackendError {
                step: step.to_owned(),
                found: format!("layout {} is no longer prepared: {KEPT_LAYOUTS} others were opened since", layout.0),
                cure: None,
            });
        }
        let patience = RUN_PATIENCE + Duration::from_millis(u64::from(invocation.deadline_ms));
        let request = Request::Run { layout: layout.0, invocation: Cow::Borrowed(invocation) };
        match self.client.ask(&request, step, patience)? {
            Reply::Ran(evidence) => Ok(*evidence),
            other => Err(client::unexpected(step, &other)),
        }
    }
}
