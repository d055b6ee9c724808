//! A worker whose cases are run by an agent at the other end of a stream, wherever that is.

use super::client::{self, Client};
use super::{BackendError, Blob, LayoutId, Worker};
use lab_invocation::layout::{Content, Digest, NodeKind};
use lab_invocation::protocol::{Probes, Reply, Request};
use lab_invocation::{Evidence, Invocation, Layout};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

/// How many layouts a worker keeps prepared: each holds copies of its programs in memory.
const KEPT_LAYOUTS: usize = 12;
/// How many programs an agent keeps: more than a run of the suite has, fewer than a record may hold.
const KEPT_PROGRAMS: usize = 8;
/// How long the preparation of a layout may take.
const OPEN_PATIENCE: Duration = Duration::from_secs(30);
/// How much longer than its deadline a case may take: set-up, and clearing away.
pub(super) const RUN_PATIENCE: Duration = Duration::from_secs(20);

/// One agent with its layouts.
pub(super) struct Served {
    pub(super) client: Client,
    /// Least recently used first.
    layouts: Vec<(u32, Layout, Probes)>,
    /// Programs that the agent has, oldest first.
    programs: Vec<Digest>,
    next: u32,
}

impl Served {
    /// An agent that has greeted.
    pub(super) fn new(client: Client) -> Self {
        Self { client, layouts: Vec::new(), programs: Vec::new(), next: 0 }
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

impl Worker for Served {
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
