//! Backends: where cases take place. Scenarios name capabilities, never backends.

mod client;
#[cfg(feature = "docker")]
pub mod docker;
pub mod libraries;
pub mod namespace;
mod preflight;
mod served;

use crate::capability::{Capabilities, Capability};
use crate::problem::Problem;
use lab_invocation::layout::Digest;
use lab_invocation::protocol::{Patch, Probes};
use lab_invocation::{Bytes, Evidence, Invocation, Layout};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A kind of sandbox.
pub trait Backend: Send + Sync {
    /// Its name on the command line and in reports.
    fn name(&self) -> &'static str;

    /// What it can do on this machine, found by trying.
    fn capabilities(&self) -> Capabilities;

    /// Facts of the machine that change what a run proves: names and values.
    fn facts(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Why it cannot make this layout or start this invocation, beyond what its capabilities say; asked before anything
    /// is tried.
    fn lacks(&self, _layout: &Layout, _invocation: &Invocation) -> Option<Lack> {
        None
    }

    /// A worker of its own for each thread.
    ///
    /// # Errors
    /// The helper process cannot be started.
    fn worker(&self) -> Result<Box<dyn Worker>, BackendError>;
}

/// What a backend cannot make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The capability that covers it, if one does.
    pub needs: Option<Capability>,
    /// What is wanted, why it cannot be had, and what would help.
    pub because: String,
}

/// Runs cases one after the other. Dropping it destroys every sandbox that it made.
pub trait Worker: Send {
    /// Prepares a layout, or finds it prepared, and proves it with probes. `blobs` gives the file of a digest which
    /// the layout names.
    ///
    /// # Errors
    /// The sandbox cannot be made.
    fn open(
        &mut self,
        layout: &Layout,
        blobs: &dyn Fn(Digest) -> Option<Blob>,
    ) -> Result<(LayoutId, Probes), BackendError>;

    /// Starts a subject in a fresh sandbox of that layout.
    ///
    /// # Errors
    /// The sandbox itself failed, so that nothing was observed; a step of the set-up which failed is evidence.
    fn run(&mut self, layout: LayoutId, invocation: &Invocation) -> Result<Evidence, BackendError>;
}

/// A file of a layout: a program, and where the file differs from it.
#[derive(Clone, Debug)]
pub struct Blob {
    /// SHA-256 of the program.
    pub program: Digest,
    /// The program.
    pub bytes: Arc<Bytes>,
    /// The policy that is sealed into it; `None` for a program as it is.
    pub patch: Option<Patch>,
}

impl Blob {
    /// The program with its policy in it; `None` if that lies beyond its end.
    pub fn whole(&self) -> Option<Vec<u8>> {
        let mut bytes = self.bytes.0.clone();
        if let Some(patch) = &self.patch {
            let at = usize::try_from(patch.at).ok()?;
            let end = at.checked_add(patch.bytes.0.len())?;
            bytes.get_mut(at..end)?.copy_from_slice(&patch.bytes.0);
        }
        Some(bytes)
    }
}

/// A layout which a worker has prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayoutId(pub u32);

/// The backend failed: a fault of the lab or of the machine, never a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendError {
    /// What was being done.
    pub step: String,
    /// What was found.
    pub found: String,
    /// What would cure it, where that is known.
    pub cure: Option<String>,
}

impl BackendError {
    /// Adds to a problem what was found and what would cure it.
    pub(crate) fn explains(self, problem: Problem) -> Problem {
        let problem = problem.found(&self);
        match self.cure {
            Some(cure) => problem.cure(cure),
            None => problem,
        }
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.found)
    }
}

impl std::error::Error for BackendError {}
