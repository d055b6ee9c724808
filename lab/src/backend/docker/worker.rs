//! A worker with one container for each shape of layout.

use super::container::{self, Settings, What};
use super::engine::IMAGE;
use super::shape::Shape;
use crate::backend::served::Served;
use crate::backend::{BackendError, Blob, LayoutId, Worker};
use lab_invocation::layout::Digest;
use lab_invocation::protocol::Probes;
use lab_invocation::{Evidence, Invocation, Layout};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many containers a worker keeps.
const KEPT: usize = 4;

/// The containers.
pub(super) struct Containers {
    settings: Arc<Settings>,
    /// Least recently used first.
    kept: Vec<Kept>,
    next: u32,
}

struct Kept {
    shape: Shape,
    served: Served,
    /// Layouts by this worker's number for them; each container's agent has its own.
    layouts: BTreeMap<u32, LayoutId>,
}

impl Containers {
    /// None yet: what the first layout needs decides what is started.
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self { settings, kept: Vec::new(), next: 0 }
    }

    /// What the agents say of the machine.
    pub(super) fn facts(&self) -> BTreeMap<String, String> {
        self.kept.iter().flat_map(|kept| kept.served.client.hello.facts.clone()).collect()
    }

    /// The container of a shape, started if there is none.
    fn of(&mut self, shape: Shape) -> Result<&mut Kept, BackendError> {
        let kept = match self.kept.iter().position(|kept| kept.shape == shape) {
            Some(at) => self.kept.remove(at),
            None => {
                if self.kept.len() >= KEPT {
                    self.kept.remove(0);
                }
                let what = What { image: IMAGE, server: &[], role: "contained", tmpfs: shape.tmpfs() };
                let served = Served::new(container::start(&self.settings, &what)?);
                Kept { shape, served, layouts: BTreeMap::new() }
            }
        };
        self.kept.push(kept);
        let last = self.kept.len() - 1;
        Ok(&mut self.kept[last])
    }
}

impl Worker for Containers {
    fn open(
        &mut self,
        layout: &Layout,
        blobs: &dyn Fn(Digest) -> Option<Blob>,
    ) -> Result<(LayoutId, Probes), BackendError> {
        self.next += 1;
        let number = self.next;
        let kept = self.of(Shape::of(layout)?)?;
        let (id, probes) = kept.served.open(layout, blobs)?;
        let known = kept.layouts.iter().find_map(|(number, known)| (*known == id).then_some(*number));
        let number = known.unwrap_or(number);
        kept.layouts.insert(number, id);
        Ok((LayoutId(number), probes))
    }

    fn run(&mut self, layout: LayoutId, invocation: &Invocation) -> Result<Evidence, BackendError> {
        let found = self.kept.iter_mut().find_map(|kept| Some((*kept.layouts.get(&layout.0)?, &mut kept.served)));
        let (id, served) = found.ok_or_else(|| BackendError {
            step: "run a case".to_owned(),
            found: format!("layout {} is no longer prepared: its container made room for another", layout.0),
            cure: None,
        })?;
        served.run(id, invocation)
    }
}
