//! The running kernel, as the agent asks it.

use crate::problem::Problem;
use lab_invocation::protocol::{Greeting, MAX_FRAME, Tier, VERSION};
use lab_invocation::trial::{Answer, Call, CallAnswer, CapabilitySets, ExecAnswer, ExecTrial, Facts, Question, State};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// One agent that answers questions. Dropped, it ends, and everything that it made ends with it.
pub struct Kernel {
    socket: Option<UnixStream>,
    agent: Child,
    /// How much of the kernel's identity machinery is at hand.
    pub tier: Tier,
    /// What the agent found about the machine.
    pub facts: Facts,
}

impl Kernel {
    /// Starts an agent.
    ///
    /// # Errors
    /// It cannot be started, or nothing can be tried here: then with the cure.
    pub fn start(agent: &Path) -> Result<Self, Problem> {
        let failed = |error: std::io::Error| {
            Problem::internal(format!("{}: the agent cannot be started", agent.display())).found(error)
        };
        let (socket, end) = UnixStream::pair().map_err(failed)?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        let child = Command::new(agent)
            .arg("transitions")
            .stdin(Stdio::from(OwnedFd::from(end)))
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .env_clear()
            .spawn()
            .map_err(failed)?;
        let nothing = Facts {
            release: "".into(),
            capabilities: CapabilitySets::default(),
            stack_unlimited: false,
            suid_dumpable: None,
        };
        let mut kernel = Self { socket: Some(socket), agent: child, tier: Tier::Root, facts: nothing };
        match kernel.receive()? {
            Greeting::Ready(hello) if hello.version == VERSION => kernel.tier = hello.tier,
            Greeting::Ready(_) => return Err(confused()),
            Greeting::Unable { step, errno, cure } => {
                let problem = Problem::unresolved(format!("nothing can be tried on this machine: {step}"));
                let problem = match errno {
                    0 => problem,
                    errno => problem.found(std::io::Error::from_raw_os_error(errno)),
                };
                return Err(problem.cure(cure));
            }
        }
        match kernel.receive()? {
            Answer::Facts(facts) => kernel.facts = facts,
            _ => return Err(confused()),
        }
        Ok(kernel)
    }

    /// Makes calls, each from the same state.
    ///
    /// # Errors
    /// The agent ended or does not keep to the protocol.
    pub fn calls(&mut self, state: State, calls: &[Call]) -> Result<Vec<CallAnswer>, Problem> {
        self.send(&Question::Calls { state, calls: calls.to_vec() })?;
        self.receive_calls(calls.len())
    }

    /// Likewise inside a user namespace that maps 0 and 1 only, and allows setgroups(2) or not.
    ///
    /// # Errors
    /// As for [`Kernel::calls`].
    pub fn calls_in_namespace(
        &mut self,
        setgroups: bool,
        state: State,
        calls: &[Call],
    ) -> Result<Vec<CallAnswer>, Problem> {
        self.send(&Question::CallsInNamespace { setgroups, state, calls: calls.to_vec() })?;
        self.receive_calls(calls.len())
    }

    fn receive_calls(&mut self, count: usize) -> Result<Vec<CallAnswer>, Problem> {
        match self.receive()? {
            Answer::Calls(answers) if answers.len() == count => Ok(answers),
            _ => Err(confused()),
        }
    }

    /// Starts a program, which then makes calls.
    ///
    /// # Errors
    /// As for [`Kernel::calls`].
    pub fn exec(&mut self, trial: ExecTrial, then: &[Call]) -> Result<(ExecAnswer, Vec<CallAnswer>), Problem> {
        self.send(&Question::Exec { trial, then: then.to_vec() })?;
        match self.receive()? {
            Answer::Exec { answer, then } => Ok((answer, then)),
            _ => Err(confused()),
        }
    }

    /// Opens a file exclusively through a symbolic link that leads nowhere; the error number, or 0.
    ///
    /// # Errors
    /// As for [`Kernel::calls`].
    pub fn exclusive_open(&mut self) -> Result<i32, Problem> {
        self.send(&Question::ExclusiveOpen)?;
        match self.receive()? {
            Answer::Errno(errno) => Ok(errno),
            _ => Err(confused()),
        }
    }

    fn send(&mut self, question: &Question) -> Result<(), Problem> {
        let socket = self.socket.as_mut().ok_or_else(confused)?;
        write_frame(socket, question).map_err(ended)
    }

    fn receive<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        let socket = self.socket.as_mut().ok_or_else(confused)?;
        read_frame(socket).map_err(ended)
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        // The agent ends at the end of the stream; there is nobody to tell if it cannot be waited for.
        drop(self.socket.take());
        drop(self.agent.wait());
    }
}

fn confused() -> Problem {
    Problem::internal("the agent gave an answer to another question")
        .cure("build lab and lab-agent from the same source")
}

fn ended(error: std::io::Error) -> Problem {
    Problem::internal("the agent stopped answering").found(error)
}

fn write_frame<T: Serialize>(to: &mut UnixStream, message: &T) -> std::io::Result<()> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(std::io::Error::other)?;
    let length = u32::try_from(frame.len() - 4).map_err(std::io::Error::other)?;
    frame.splice(..4, length.to_le_bytes());
    to.write_all(&frame)
}

fn read_frame<T: DeserializeOwned>(from: &mut UnixStream) -> std::io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_le_bytes(length)).map_err(std::io::Error::other)?;
    if length > MAX_FRAME {
        return Err(std::io::Error::other(format!("a frame of {length} bytes, more than {MAX_FRAME}")));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    postcard::from_bytes(&body).map_err(std::io::Error::other)
}
