//! A shell inside a case's sandbox, on the user's terminal.

use crate::backend::client::unexpected;
use crate::backend::served::RUN_PATIENCE;
use crate::backend::{BackendError, Blob, Worker};
use lab_invocation::layout::Digest;
use lab_invocation::protocol::{Reply, Request};
use lab_invocation::{Evidence, Invocation, Layout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::borrow::Cow;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Starts `invocation`, a shell, in `layout`, connects it with the user's terminal, and returns when it ends. What it
/// shows is no evidence of a case and is never recorded as such.
///
/// # Errors
/// There is no terminal, or no sandbox can be made, or the layout is refused.
pub fn shell(
    agent: &Path,
    layout: &Layout,
    blobs: &dyn Fn(Digest) -> Option<Blob>,
    invocation: &Invocation,
) -> Result<Evidence, BackendError> {
    let step = "run a shell";
    let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|error| BackendError {
        step: step.to_owned(),
        found: format!("there is no terminal: /dev/tty: {error}"),
        cure: Some("start it from a terminal".to_owned()),
    })?;
    let failed = |what: &str, error: &dyn std::fmt::Display| BackendError {
        step: step.to_owned(),
        found: format!("{what}: {error}"),
        cure: None,
    };
    let for_agent = terminal.try_clone().map_err(|error| failed("the terminal cannot be shared", &error))?;
    let mut worker = super::start(agent, Stdio::from(for_agent))?;
    let (id, _) = worker.open(layout, blobs)?;
    let size = tcgetwinsize(&terminal).map_err(|errno| failed("the size of the terminal", &errno))?;
    let request =
        Request::Shell { layout: id.0, invocation: Cow::Borrowed(invocation), rows: size.ws_row, columns: size.ws_col };
    let raw = Raw::new(&terminal).map_err(|errno| failed("the terminal cannot be made raw", &errno))?;
    let patience = Duration::from_millis(u64::from(invocation.deadline_ms)) + RUN_PATIENCE;
    let reply = worker.client.ask(&request, step, patience);
    drop(raw);
    match reply? {
        Reply::Ran(evidence) => Ok(*evidence),
        other => Err(unexpected(step, &other)),
    }
}

/// A terminal in raw mode: every key goes to the shell's own terminal, which does what keys do. Dropping it puts the
/// terminal back.
struct Raw<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Raw<'a> {
    fn new(terminal: &'a File) -> Result<Self, rustix::io::Errno> {
        let before = tcgetattr(terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(terminal, OptionalActions::Now, &raw)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        // If the terminal is gone, there is nothing to put back.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
