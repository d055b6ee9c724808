//! The lab's end of an agent: starts it, talks to it, and never waits for it without a limit.

use crate::backend::BackendError;
use lab_invocation::protocol::{Greeting, Hello, MAX_FRAME, Reply, Request, VERSION};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long the agent may take to make its namespaces; newuidmap(1) may ask a directory server.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How long the agent may take to end.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// A running agent.
pub(super) struct Client {
    /// What it said first.
    pub(super) hello: Hello,
    socket: UnixStream,
    /// Whatever the agent runs in: dropping it ends it, if the end of the stream has not.
    _life: Box<dyn Life>,
}

/// What keeps an agent alive; dropping it ends the agent and everything below it.
pub(super) trait Life: Send {}

/// An agent that is a process of this machine.
struct Process(Child);

impl Life for Process {}

impl Drop for Process {
    fn drop(&mut self) {
        // What has not ended by now is killed, which the kernel then does to the rest.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is being done until the agent has greeted.
const START: &str = "start the agent";

impl Client {
    /// Starts it as a process.
    pub(super) fn start(agent: &Path, stderr: Stdio) -> Result<Self, BackendError> {
        let failed = |found: String, cure: Option<String>| BackendError { step: START.to_owned(), found, cure };
        let (ours, theirs) = UnixStream::pair().map_err(|error| failed(format!("no socket pair: {error}"), None))?;
        let spawned = Command::new(agent)
            .arg("serve")
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn();
        let child = spawned.map_err(|error| {
            let cure = "build it with `cargo build --package lab-agent --target x86_64-unknown-linux-musl`";
            failed(format!("{}: {error}", agent.display()), Some(cure.to_owned()))
        })?;
        Self::greeted(ours, Box::new(Process(child)))
    }

    /// Takes over the lab's end of the stream to an agent that was started, and waits for its greeting.
    pub(super) fn greeted(socket: UnixStream, life: Box<dyn Life>) -> Result<Self, BackendError> {
        let failed = |found: String, cure: Option<String>| BackendError { step: START.to_owned(), found, cure };
        // From here on, dropping the client ends the agent.
        let hello = Hello {
            version: 0,
            tier: lab_invocation::protocol::Tier::SubordinateIds,
            facts: std::collections::BTreeMap::new(),
        };
        let mut client = Self { hello, socket, _life: life };
        match client.receive::<Greeting>(START, START_PATIENCE)? {
            Greeting::Ready(hello) if hello.version == VERSION => {
                client.hello = hello;
                Ok(client)
            }
            Greeting::Ready(hello) => {
                let cure = "build the lab and its agent from the same sources";
                Err(failed(
                    format!("it speaks version {} of the protocol, this lab version {VERSION}", hello.version),
                    Some(cure.to_owned()),
                ))
            }
            Greeting::Unable { step, errno, cure } => Err(failed(words(&step, errno), Some(cure))),
        }
    }

    /// One request and its reply. `step` says what it is for.
    pub(super) fn ask(&mut self, request: &Request, step: &str, patience: Duration) -> Result<Reply, BackendError> {
        self.send(request, step)?;
        self.receive(step, patience)
    }

    fn send<T: Serialize>(&mut self, message: &T, step: &str) -> Result<(), BackendError> {
        let failed = |found: String| BackendError { step: step.to_owned(), found, cure: None };
        let frame = postcard::to_extend(message, vec![0; 4])
            .map_err(|error| failed(format!("the request cannot be encoded: {error}")))?;
        let length = frame.len() - 4;
        let prefix = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME);
        let Some(prefix) = prefix else {
            return Err(failed(format!("the request has {length} bytes, at most {MAX_FRAME} can be sent")));
        };
        let mut frame = frame;
        if let Some(place) = frame.first_chunk_mut::<4>() {
            *place = prefix.to_le_bytes();
        }
        self.socket.write_all(&frame).map_err(|error| self.gone(step, &error))
    }

    fn receive<T: DeserializeOwned>(&mut self, step: &str, patience: Duration) -> Result<T, BackendError> {
        let failed = |found: String| BackendError { step: step.to_owned(), found, cure: None };
        self.socket
            .set_read_timeout(Some(patience))
            .map_err(|error| failed(format!("no limit of time can be set: {error}")))?;
        let mut length = [0; 4];
        self.socket.read_exact(&mut length).map_err(|error| self.gone(step, &error))?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_FRAME {
            return Err(failed(format!(
                "the agent announces a message of {length} bytes, at most {MAX_FRAME} are allowed"
            )));
        }
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body).map_err(|error| self.gone(step, &error))?;
        postcard::from_bytes(&body).map_err(|error| failed(format!("the agent's message cannot be read: {error}")))
    }

    fn gone(&self, step: &str, error: &std::io::Error) -> BackendError {
        let found = match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => "the agent has not answered in time".to_owned(),
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => {
                "the agent has ended (was it killed, or out of memory?)".to_owned()
            }
            _ => format!("the agent cannot be reached: {error}"),
        };
        BackendError { step: step.to_owned(), found, cure: None }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // The agent ends when its socket is closed, and everything in its namespaces with it; the end of the stream says
        // that it has. What does not end in time is ended by its life.
        let _ = self.socket.shutdown(Shutdown::Write);
        let _ = self.socket.set_read_timeout(Some(END_PATIENCE));
        let mut rest = [0; 4096];
        while matches!(self.socket.read(&mut rest), Ok(count) if count > 0) {}
    }
}

/// A reply that does not belong to the request, or that says why it was not carried out.
pub(super) fn unexpected(step: &str, reply: &Reply) -> BackendError {
    let found = match reply {
        Reply::Failed { step, errno } => words(step, *errno),
        _ => "the agent gave an answer that belongs to another question".to_owned(),
    };
    BackendError { step: step.to_owned(), found, cure: None }
}

/// A step of the agent with the text of its error number.
pub(super) fn words(step: &str, errno: i32) -> String {
    if errno == 0 { step.to_owned() } else { format!("{step}: {}", std::io::Error::from_raw_os_error(errno)) }
}
