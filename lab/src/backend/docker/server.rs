//! A container of an image in which a mail or web server runs, with the agent beside it.

use super::container::{self, Settings, What};
use super::shape;
use crate::backend::client::unexpected;
use crate::backend::served::{RUN_PATIENCE, Served};
use crate::backend::{BackendError, Blob, LayoutId, Worker};
use lab_invocation::evidence::WitnessReport;
use lab_invocation::layout::Digest;
use lab_invocation::protocol::{Probes, Reply, Request};
use lab_invocation::{Evidence, Invocation, Layout};
use std::time::Duration;

/// The container.
pub(crate) struct Server(Served);

impl Server {
    /// Starts one of an image, with or without what the image is there to run, to which what it `serves` is given as arguments, and
    /// with a directory that is mounted nosuid, if one is named.
    pub(crate) fn start(
        settings: &Settings,
        image: (&str, &str),
        serves: Option<&[String]>,
        nosuid: Option<&str>,
    ) -> Result<Self, BackendError> {
        let (name, tag) = image;
        let engine = &settings.engine;
        let reference = format!("{name}:{tag}");
        let look = engine.api.inspect_image(&reference);
        let found = engine.wait(&format!("look for image {reference}"), look).map_err(|error| BackendError {
            cure: Some(format!("lab images build {}", name.trim_start_matches("lab-"))),
            ..error
        })?;
        let command = found.config.and_then(|config| config.cmd).unwrap_or_default();
        let server = serves.map(|more| [&command, more].concat()).unwrap_or_default();
        let tmpfs = nosuid.map(shape::nosuid).into_iter().chain([shape::own()]).collect();
        let what = What { image, server: &server, role: "beside", tmpfs };
        container::start(settings, &what).map(|client| Self(Served::new(client)))
    }

    /// Puts the files of a layout among the server's, and proves that the set-group-ID bit acts.
    pub(crate) fn put(&mut self, layout: &Layout) -> Result<(LayoutId, Probes), BackendError> {
        self.put_with(layout, &|_| None)
    }

    /// The same of a layout which names files by their digest.
    pub(crate) fn put_with(
        &mut self,
        layout: &Layout,
        blobs: &dyn Fn(Digest) -> Option<Blob>,
    ) -> Result<(LayoutId, Probes), BackendError> {
        self.0.open(layout, blobs)
    }

    /// Starts a program that is there.
    pub(crate) fn run(&mut self, layout: LayoutId, invocation: &Invocation) -> Result<Evidence, BackendError> {
        self.0.run(layout, invocation)
    }

    /// Waits for a witness which the server starts; none if it has started none in time. Also how many were not heard out.
    pub(crate) fn listen(&mut self, patience: Duration) -> Result<(Vec<WitnessReport>, u32), BackendError> {
        let step = "listen for a witness";
        let patience_ms = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        match self.0.client.ask(&Request::Listen { patience_ms }, step, patience + RUN_PATIENCE)? {
            Reply::Heard { reports, unfinished } => Ok((reports, unfinished)),
            other => Err(unexpected(step, &other)),
        }
    }
}
