//! The queue writer: mail of any user, into a directory that only a group can write.
//!
//! The function [`run`] is the program. Its manual page is `src/bin/queue-writer.rs`, which says for each promise, Q1 to
//! Q19, what keeps it.
//!
//! | module           | what it does                                                                    |
//! |------------------|---------------------------------------------------------------------------------|
//! | [`command_line`] | arguments → what the caller asks for                                            |
//! | [`directory`]    | opens the queue, if nobody else can change it; its files, one call each         |
//! | [`input`]        | standard input, the signals that end a submission, and its deadline             |
//! | [`message`]      | the header and the body, piece by piece; [`text`] finds their lines             |
//! | [`head`]         | lines of the header → fields                                                    |
//! | [`address`]      | what may be an address                                                          |
//! | [`envelope`]     | request, header and facts → sender, recipients, header; does nothing            |
//! | [`control`]      | envelope → text of the control file, in which no record can begin unasked       |
//! | [`id`]           | names and dates                                                                 |
//! | [`commit`]       | the steps, in the order that is the promise; makes [`commit::Committed`]        |
//! | [`refusal`]      | every refusal: exit status and text                                             |

pub mod address;
pub mod command_line;
pub mod commit;
pub mod control;
pub mod directory;
pub mod envelope;
pub mod head;
pub mod id;
pub mod input;
pub mod message;
pub mod refusal;
pub mod text;

use crate::credentials::{self, Credentials, Kernel};
use crate::policy::{self, Group, Kind, PolicyError, QueuePolicy, SECTION_SIZE};
use crate::process_state::{self, SafeProcess, UnsafeProcess};
use crate::refusal::{Line, Refusal, SwitchFault};
use crate::surroundings::{AccountName, Surroundings, System};
use crate::{group_names, report, sys};
use commit::{Committed, Plan, STEPS};
use control::Summary;
use directory::Queue;
use envelope::{Envelope, Facts, MessageFault, NotComposed};
use input::StandardInput;
use message::Message;
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::SigSet;
use nix::unistd;
use refusal::QueueRefusal;
use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use text::Lines;

/// The program from beginning to end: it queues a message, or says why not; the exit status.
#[must_use]
pub fn run(_: Kind, section: &[u8; SECTION_SIZE], argv: sys::Strings) -> u8 {
    // The only question before the process is safe, because then its answer is gone.
    let heeded = input::heeded();
    let safe = process_state::make_safe();
    let policy = policy::decode_queue(section);
    let ended = submit(safe, heeded, &policy, argv);
    let (line, status) = match &ended {
        Ok(queued) => (queued.line(), 0),
        Err(refusal) => (refusal.line(), refusal.exit_code()),
    };
    // What is told comes after the last use of the group: a descriptor can be a file that asks who writes to it.
    let dropped = give_up_group(policy.as_ref().ok().map(|policy| policy.own));
    report::log(&line);
    match (dropped, ended) {
        (Err(fault), _) => report::log(&QueueRefusal::Start(Refusal::NotSwitched(fault)).line()),
        (_, Err(_)) => report::tell(&line),
        (_, Ok(_)) => {}
    }
    status
}

/// Gives up the group, whoever the caller is.
fn give_up_group(own: Option<Group<'_>>) -> Result<credentials::Dropped, SwitchFault<'_>> {
    let found = Credentials::of_process().map_err(SwitchFault::Unread)?;
    // Without a policy nobody has said which group is its own: whichever it has been given.
    let own = own.unwrap_or(Group { gid: found.effective, name: "this program's" });
    let caller = Group { gid: found.real, name: "the caller's" };
    credentials::give_up_group(&mut Kernel, own, caller, found.regains)
}

/// A message that is in the queue, for the log.
struct Queued {
    committed: Committed,
    envelope: Envelope,
    facts: Facts,
}

impl Queued {
    fn line(&self) -> Line {
        let Self { committed, envelope, facts } = self;
        let (id, text) = (committed.id(), String::from_utf8_lossy);
        let mut line = Line::information();
        // Writing to a `Line` does not fail, and nothing but printable ASCII gets in.
        let _ = write!(
            line,
            "{}: {id}: from=<{}>, uid={}, size={}, nrcpts={}, msgid={}",
            Kind::Queue.program(),
            text(envelope.sender.as_ref().map_or(b"", address::Address::as_bytes)),
            facts.uid,
            committed.bytes(),
            envelope.recipients.len(),
            text(&envelope.message_id().unwrap_or_default()),
        );
        line
    }
}

/// Proof that the set-group-ID bit acted, and no other: files are the caller's, and of the queue's group.
struct Raised {
    uid: u32,
}

/// Puts a message into the queue, or comes back with the reason why not.
fn submit<'p>(
    safe: Result<SafeProcess, UnsafeProcess>,
    heeded: Result<SigSet, Errno>,
    policy: &'p Result<QueuePolicy<'p>, PolicyError>,
    argv: sys::Strings,
) -> Result<Queued, QueueRefusal<'p>> {
    let start = QueueRefusal::Start;
    // Make the process safe, and see what there is to decide by.
    let safe = safe.map_err(|fault| start(fault.into()))?;
    let heeded = step("read the dispositions of signals", heeded)?;
    keep_to_itself()?;
    let credentials = Credentials::read(&safe).map_err(start)?;
    let policy = policy.as_ref().map_err(|error| start((*error).into()))?;
    let uids = unistd::getresuid().map_err(|errno| start(Refusal::NotSwitched(SwitchFault::Unread(errno))))?;
    let raised = check_bit(policy, &credentials, [uids.real, uids.effective].map(unistd::Uid::as_raw), &System)?;
    // Decide what can be decided before a byte is read.
    let limits = policy.limits;
    let request = command_line::parse(argv, limits.recipients).map_err(QueueRefusal::Usage)?;
    let input = StandardInput::new(&safe, heeded, limits.deadline_seconds).map_err(QueueRefusal::Input)?;
    let mut queue = Queue::open(policy).map_err(|(path, fault)| QueueRefusal::Directory { path, fault, policy })?;
    queue.room(raised.uid, &limits).map_err(QueueRefusal::Full)?;
    // Decide the rest.
    let mut message = Message::new(input, Lines::new(request.ignore_dots));
    let head = message.head()?;
    let plan = decide(&raised, policy, request, &head, facts(&raised)).map_err(QueueRefusal::NotComposed)?;
    // Act.
    match commit::perform(&plan, &mut queue, &mut message) {
        Ok(committed) => Ok(Queued { committed, envelope: plan.envelope, facts: plan.facts }),
        Err(fault) => Err(QueueRefusal::NotCommitted(fault)),
    }
}

fn step<'p, T>(what: &'static str, done: Result<T, Errno>) -> Result<T, QueueRefusal<'p>> {
    done.map_err(|errno| QueueRefusal::Start(UnsafeProcess::Step { what, errno }.into()))
}

/// No memory of it for the caller, whose process it is, and as large a file as the caller may have.
fn keep_to_itself<'p>() -> Result<(), QueueRefusal<'p>> {
    // It is so already, unless the caller's real gid is the queue's.
    step("forbid dumps", prctl::set_dumpable(false))?;
    let (_, hard) = step("read the limits", getrlimit(Resource::RLIMIT_FSIZE))?;
    step("raise a soft limit", setrlimit(Resource::RLIMIT_FSIZE, hard, hard))
}

/// Q14: without its group the program can write nowhere, and there is nowhere else to write.
fn check_bit<'p>(
    policy: &QueuePolicy<'p>,
    credentials: &Credentials,
    [real, effective]: [u32; 2],
    surroundings: &impl Surroundings,
) -> Result<Raised, QueueRefusal<'p>> {
    if credentials.effective != policy.own.gid {
        let (found, own) = (credentials.effective, policy.own);
        let name = surroundings.name_of(found);
        return Err(QueueRefusal::Start(Refusal::NotSetGroupId { found, name, own }));
    }
    if real == effective { Ok(Raised { uid: real }) } else { Err(QueueRefusal::SetUserId { real, effective }) }
}

/// From what was asked and written to what is done: data in, data out.
fn decide(
    raised: &Raised,
    policy: &QueuePolicy<'_>,
    request: command_line::Request,
    head: &[u8],
    facts: Facts,
) -> Result<Plan, NotComposed> {
    let fields = head::fields(head).map_err(MessageFault::from)?;
    let mut summary = Summary::default();
    summary.add(head);
    Ok(Plan {
        envelope: envelope::compose(request, fields, &facts, policy.limits.recipients)?,
        facts,
        head: summary,
        limits: policy.limits,
        expected: directory::expected(raised.uid, policy),
        steps: &STEPS,
    })
}

fn facts(raised: &Raised) -> Facts {
    let user = match group_names::name_of_user(raised.uid) {
        AccountName::Known(name) => Some(name).filter(|name| envelope::is_user_name(name)),
        AccountName::Nameless | AccountName::Unreadable => None,
    };
    let host = unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    Facts {
        uid: raised.uid,
        user,
        host: host.filter(|name| envelope::is_host_name(name)),
        moment: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO),
        pid: std::process::id(),
    }
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
