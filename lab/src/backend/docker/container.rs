//! One container, from its start to its removal, and the stream to the agent in it.

use super::engine::{Engine, words};
use crate::backend::BackendError;
use crate::backend::client::{Client, Life};
use futures_util::StreamExt;
use std::collections::{BTreeMap, HashMap};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::process::Child;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use testcontainers::bollard::container::LogOutput;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use testcontainers::bollard::models::{HostConfig, HostConfigLogConfig};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, CopyTargetOptions, GenericImage, ImageExt};
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Where the agent is. Under this name it is the agent; under every other one it is the witness.
const AGENT: &str = "/.lab/lab-agent";
/// Name of the machine inside.
const HOST_NAME: &str = "lab.test";
/// How many processes one container may have.
const PROCESSES: i64 = 512;
/// How long the engine may take to start a container, or to remove one.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the agent may take to end once its stream has.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// What all containers of a backend have in common.
pub(crate) struct Settings {
    pub(crate) engine: Engine,
    /// The agent's program file.
    pub(super) agent: Vec<u8>,
    pub(super) labels: BTreeMap<String, String>,
    /// Security options.
    pub(super) security: Vec<String>,
    /// Removes containers when this process is gone: its standard input ends then.
    pub(super) _watcher: Option<Child>,
}

/// What comes out of the agent.
type Output = Pin<Box<dyn futures_util::Stream<Item = Result<LogOutput, Error>> + Send>>;
/// What goes into it.
type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// What is started.
pub(super) struct What<'a> {
    /// Repository and tag of the image.
    pub(super) image: (&'a str, &'a str),
    /// What the holder starts besides, if there is a server.
    pub(super) server: &'a [String],
    /// What the agent is there for: `contained` or `beside`.
    pub(super) role: &'a str,
    /// What the engine mounts.
    pub(super) tmpfs: HashMap<String, String>,
}

/// Starts a container, and the agent in it.
pub(super) fn start(settings: &Settings, what: &What<'_>) -> Result<Client, BackendError> {
    let failed = |found: String| BackendError {
        step: "start a container".to_owned(),
        found,
        cure: Some(
            "`docker info` shows whether the engine is well and has room; or use --backend namespace".to_owned(),
        ),
    };
    let (ours, theirs) = UnixStream::pair().map_err(|error| failed(format!("no socket pair: {error}")))?;
    theirs.set_nonblocking(true).map_err(|error| failed(error.to_string()))?;
    let runtime = &settings.engine.runtime;
    let started = runtime.block_on(async {
        let begun = async {
            let container = request(settings, what).start().await.map_err(|error| words(&error))?;
            let (output, input) = agent(settings, container.id(), what.role).await.map_err(|error| words(&error))?;
            Ok::<_, String>((container, output, input))
        };
        let begun = tokio::time::timeout(PATIENCE, begun).await;
        let (container, output, input) =
            begun.map_err(|_| format!("it has not started within {} s", PATIENCE.as_secs()))??;
        let theirs = tokio::net::UnixStream::from_std(theirs).map_err(|error| error.to_string())?;
        let (tell, gone) = sync_channel(1);
        tokio::spawn(connect(container, output, input, theirs, tell));
        Ok::<_, String>(gone)
    });
    Client::greeted(ours, Box::new(Container(started.map_err(failed)?)))
}

/// What is asked of the engine.
fn request(settings: &Settings, what: &What<'_>) -> ContainerRequest<GenericImage> {
    let (name, tag) = what.image;
    let tmpfs = what.tmpfs.clone();
    let holder = [AGENT, "hold"].into_iter().map(str::to_owned);
    let mut request = GenericImage::new(name, tag)
        .with_copy_to(CopyTargetOptions::new(AGENT).with_mode(0o755), settings.agent.clone())
        .with_cmd(holder.chain(what.server.iter().cloned()))
        .with_labels(settings.labels.clone())
        .with_hostname(HOST_NAME)
        .with_host_config_modifier(move |host: &mut HostConfig| {
            host.network_mode = Some("none".to_owned());
            host.publish_all_ports = Some(false);
            host.init = Some(true);
            // By the engine, as soon as the holder ends: the lab may be gone by then.
            host.auto_remove = Some(true);
            host.tmpfs = Some(tmpfs.clone());
            host.pids_limit = Some(PROCESSES);
            host.log_config = Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None });
        });
    for option in &settings.security {
        request = request.with_security_opt(option);
    }
    request
}

/// Starts the agent on one stream.
async fn agent(settings: &Settings, container: &str, role: &str) -> Result<(Output, Input), Error> {
    let api = &settings.engine.api;
    let options = CreateExecOptions {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        user: Some("0:0"),
        cmd: Some(vec![AGENT, role]),
        ..Default::default()
    };
    let created = api.create_exec(container, options).await?;
    let wish = StartExecOptions { detach: false, tty: false, output_capacity: Some(64 * 1024) };
    match api.start_exec(&created.id, Some(wish)).await? {
        StartExecResults::Attached { output, input } => Ok((output, input)),
        StartExecResults::Detached => Err(Error::IOError { err: std::io::ErrorKind::NotConnected.into() }),
    }
}

/// Carries bytes between the lab's socket and the agent until either ends, then removes the container.
async fn connect(
    container: ContainerAsync<GenericImage>,
    mut output: Output,
    mut input: Input,
    socket: tokio::net::UnixStream,
    gone: SyncSender<()>,
) {
    let (mut from_lab, mut to_lab) = socket.into_split();
    let down = async move {
        while let Some(Ok(piece)) = output.next().await {
            let carried = match piece {
                LogOutput::StdOut { message } => to_lab.write_all(&message).await,
                // The agent says something there only when it is broken.
                LogOutput::StdErr { message } => std::io::Write::write_all(&mut std::io::stderr(), &message),
                LogOutput::StdIn { .. } | LogOutput::Console { .. } => Err(std::io::ErrorKind::InvalidData.into()),
            };
            if carried.is_err() {
                break;
            }
        }
    };
    let up = async move {
        // The end of the lab's half is the end of the agent's standard input, whatever else happens.
        let _ = tokio::io::copy(&mut from_lab, &mut input).await;
        let _ = input.shutdown().await;
        tokio::time::sleep(END_PATIENCE).await;
    };
    tokio::select! { () = down => {}, () = up => {} }
    // An error says that the engine was faster: it removes the container as soon as the agent has ended.
    let _ = tokio::time::timeout(PATIENCE, container.rm()).await;
    let _ = gone.send(());
}

/// A container; dropping it waits until it is removed, which it is when the stream has ended.
struct Container(Receiver<()>);

impl Life for Container {}

impl Drop for Container {
    fn drop(&mut self) {
        // In vain if the engine is gone; what it left is swept up by a later lab.
        let _ = self.0.recv_timeout(PATIENCE);
    }
}
