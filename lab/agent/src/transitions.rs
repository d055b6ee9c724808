//! `lab-agent transitions`: answers questions about the running kernel for `lab model check`. Each answer is made by a
//! throw-away process, inside namespaces of the agent's own; the agent knows nothing of what should come out.
//!
//! | module | what it holds |
//! |---|---|
//! | [`state`] | reaching and reading the state of a process |
//! | [`calls`] | one set*id call from one state |
//! | [`program`] | one start of a program, and the program's report |
//! | [`ground`] | the file and the mounts that are started from |
//! | [`namespaces`] | user namespaces |
//! | [`helper`] | a process that waits |

mod calls;
mod ground;
mod helper;
mod namespaces;
mod program;
mod state;

use crate::Start;
use crate::cure::{self, UNEXPECTED};
use crate::frame::{self, FrameError};
use crate::host;
use crate::stage0::Unable;
use crate::stage1;
use crate::sys::clone::Stack;
use crate::sys::ids;
use ground::Ground;
use lab_invocation::Bytes;
use lab_invocation::protocol::{Greeting, Hello, VERSION};
use lab_invocation::trial::{Answer, Call, CallAnswer, CapabilitySets, Facts, Question, State};
use namespaces::{Map, Namespaces};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::os::fd::{AsFd, OwnedFd};

/// Whether the program was started by a trial, to report what it finds. By path, it is called as the agent is; by
/// descriptor, its path is what execveat(2) makes of that. Paths of scripts and the like come between the words.
pub(crate) fn is_report(start: &Start) -> bool {
    let named = start.exec_path.ends_with(b"/lab-agent") || start.exec_path.starts_with(b"/dev/fd/");
    named && start.argv.contains(&&b"transitions"[..]) && start.argv.last() == Some(&program::WORD)
}

/// Reports; the return value is the exit status.
pub(crate) fn report(start: &Start) -> i32 {
    program::report(start)
}

/// The life of pid 1 inside: answers questions until the lab closes its end. Its return value is the exit status.
pub(crate) fn main(socket: &OwnedFd, go: OwnedFd, as_root: bool) -> i32 {
    let mut agent = match Agent::new(go, as_root) {
        Ok(Some(agent)) => agent,
        // Stage 0 has ended or has said itself what is wrong.
        Ok(None) => return 1,
        Err(Unable { step, errno, cure }) => {
            let _ = frame::send(socket, &Greeting::Unable { step, errno, cure });
            return 1;
        }
    };
    match agent.converse(socket) {
        Ok(()) | Err(FrameError::Closed) => 0,
        Err(FrameError::Broken) => 1,
    }
}

struct Agent {
    own: CapabilitySets,
    stack: Stack,
    ground: Ground,
    namespaces: Namespaces,
    facts: Facts,
}

impl Agent {
    /// Makes the ground for the trials. `None` if stage 0 gave up first.
    fn new(go: OwnedFd, as_root: bool) -> Result<Option<Self>, Unable> {
        let unexpected = |step: &'static str| move |errno| Unable::new(step, errno, UNEXPECTED);
        if !stage1::begin(&go, as_root)? {
            return Ok(None);
        }
        let own = state::read(true).map_err(unexpected("read the agent's own credentials"))?.capabilities;
        let facts = Facts {
            release: Bytes::from(rustix::system::uname().release().to_bytes()),
            capabilities: own,
            stack_unlimited: ids::limit(RLIMIT_STACK).map_err(unexpected("read RLIMIT_STACK"))?.1 == u64::MAX,
            suid_dumpable: host::sysctl("fs.suid_dumpable").and_then(|value| value.parse().ok()),
        };
        let namespaces = Namespaces::new().map_err(unexpected("read the agent's own id maps"))?;
        let ground = Ground::prepare().map_err(|errno| {
            let cure = cure::of_refusal_inside(errno.raw_os_error(), as_root, cure::apparmor_restricts());
            Unable::new("mount a tmpfs and a proc below /tmp", errno, cure)
        })?;
        Ok(Some(Self { own, stack: Stack::new(256 * 1024), ground, namespaces, facts }))
    }

    fn converse(&mut self, socket: &OwnedFd) -> Result<(), FrameError> {
        let hello = Hello { version: VERSION, tier: stage1::tier(self.namespaces.gid_map()), facts: host::facts() };
        frame::send(socket, &Greeting::Ready(hello))?;
        frame::send(socket, &Answer::Facts(self.facts.clone()))?;
        loop {
            let answer = match frame::receive(socket)? {
                Question::Calls { state, calls } => {
                    Answer::Calls(calls::answer(&state, &calls, &self.own, &mut self.stack))
                }
                Question::CallsInNamespace { setgroups, state, calls } => {
                    Answer::Calls(self.in_namespace(setgroups, &state, &calls))
                }
                Question::Exec { trial, then } => {
                    let (ground, namespaces, own, stack) =
                        (&self.ground, &mut self.namespaces, &self.own, &mut self.stack);
                    let (answer, then) = program::answer(&trial, &then, ground, namespaces, own, stack);
                    Answer::Exec { answer, then }
                }
                Question::ExclusiveOpen => {
                    let opened = self.ground.directory().and_then(calls::exclusive_open);
                    Answer::Errno(opened.err().map_or(0, Errno::raw_os_error))
                }
                Question::Quit => return Ok(()),
            };
            frame::send(socket, &answer)?;
        }
    }

    fn in_namespace(&mut self, setgroups: bool, state: &State, calls: &[Call]) -> Vec<CallAnswer> {
        match self.namespaces.get(Map::FirstTwo { setgroups }, self.ground.proc.as_fd(), &mut self.stack) {
            Ok(namespace) => calls::answer_in(namespace, state, calls, &self.own, &mut self.stack),
            Err(stop) => vec![calls::failed(stop); calls.len()],
        }
    }
}

/// Number of a resource limit, alike on every architecture that the lab knows. See getrlimit(2).
const RLIMIT_STACK: u32 = 3;
/// Likewise.
const RLIMIT_NPROC: u32 = 6;

/// Enters a user namespace: setns(2). Whoever does has every capability in it.
fn enter_user_namespace(namespace: &OwnedFd) -> Result<(), Errno> {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::User))
}
