//! Stage 1: pid 1 of the sandbox's namespaces. Serves the lab's requests one after the other, and never gives up its own
//! ids, so that the kernel's parent-death signal stays in force (a change of credentials clears it).

use crate::case::plan::{Mode, Probe};
use crate::case::{self, Bench};
use crate::cure::{self, UNEXPECTED};
use crate::failure::Failure;
use crate::frame::{self, FrameError};
use crate::host;
use crate::layout::container::{Container, NOSUID_PROBE, Whose};
use crate::layout::home::Home;
use crate::layout::tree::{Blob, Sources};
use crate::layout::{Ground, PROBE, PROBE_GID, Prepared};
use crate::stage0::Unable;
use crate::sweep::Sweeper;
use crate::sys::clone::{Stack, shared};
use crate::sys::{exec, ids};
use lab_invocation::evidence::Stage;
use lab_invocation::layout::Digest;
use lab_invocation::protocol::{Greeting, Hello, Patch, Probes, Reply, Request, Tier, VERSION, WITNESS_SOCKET};
use lab_invocation::{Bytes, Evidence, Gid, Identity, Invocation, Layout, Uid};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::Signal;
use rustix::termios::Winsize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::fd::OwnedFd;
use std::rc::Rc;

/// The sandbox.
struct Sandbox {
    ground: Ground,
    bench: Bench,
    /// The agent's own program file, which is the witness too.
    agent: Vec<u8>,
    programs: HashMap<Digest, Rc<Bytes>>,
    blobs: HashMap<Digest, Blob>,
    layouts: HashMap<u32, Prepared>,
    /// The layout whose namespace this process is in.
    inside: Option<u32>,
}

/// The life of stage 1; its return value is the exit status.
pub(crate) fn main(socket: &OwnedFd, go: OwnedFd, as_root: bool) -> i32 {
    converse(socket, socket, furnish(go, as_root))
}

/// The same in a container that somebody else made, with the lab at the other end of two pipes.
pub(crate) fn contained(from: &OwnedFd, to: &OwnedFd, whose: Whose) -> i32 {
    converse(from, to, furnish_container(whose).map(Some))
}

/// Greets the lab, and serves it to the end of the stream.
fn converse(from: &OwnedFd, to: &OwnedFd, furnished: Result<Option<(Hello, Sandbox)>, Unable>) -> i32 {
    let (hello, mut sandbox) = match furnished {
        Ok(Some(furnished)) => furnished,
        // Stage 0 has ended or has said itself what is wrong.
        Ok(None) => return 1,
        Err(Unable { step, errno, cure }) => {
            let _ = frame::send(to, &Greeting::Unable { step, errno, cure });
            return 1;
        }
    };
    if frame::send(to, &Greeting::Ready(hello)).is_err() {
        return 1;
    }
    loop {
        let reply = match frame::receive(from) {
            Ok(Request::Quit) | Err(FrameError::Closed) => return 0,
            Ok(request) => sandbox.answer(request),
            Err(FrameError::Broken) => return 1,
        };
        if frame::send(to, &reply).is_err() {
            return 1;
        }
    }
}

/// Waits for stage 0, and becomes root of the namespaces. False if stage 0 gave up first.
pub(crate) fn begin(go: &OwnedFd, as_root: bool) -> Result<bool, Unable> {
    let unexpected = |step: &'static str| move |errno| Unable::new(step, errno, UNEXPECTED);
    // Before waiting: if stage 0 dies earlier, the wait sees the end of the stream; if it dies later, this signal comes.
    let tie = || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(unexpected("tie stage 1 to stage 0"))
    };
    tie()?;
    let mut byte = [0];
    match rustix::io::read(go, &mut byte) {
        Ok(1) => {}
        Ok(_) => return Ok(false),
        Err(errno) => return Err(Unable::new("wait for stage 0", errno, UNEXPECTED)),
    }
    if !as_root {
        become_root_inside().map_err(|errno| {
            let cure = cure::of_refusal_inside(errno.raw_os_error(), as_root, cure::apparmor_restricts());
            Unable::new("become root of the user namespace", errno, cure)
        })?;
        tie()?;
    }
    Ok(true)
}

/// Everything before the first request. `None` if stage 0 gave up first.
fn furnish(go: OwnedFd, as_root: bool) -> Result<Option<(Hello, Sandbox)>, Unable> {
    let unexpected = |step: &'static str| move |errno| Unable::new(step, errno, UNEXPECTED);
    if !begin(&go, as_root)? {
        return Ok(None);
    }
    let facts = host::facts();
    let bench = bench(Sweeper::new(go)).map_err(unexpected("prepare the bench"))?;
    let agent = own_program()?;
    rustix::process::umask(rustix::fs::Mode::empty());
    // While the host's /proc is there.
    let apparmor = cure::apparmor_restricts();
    let home = Home::build().map_err(|Failure { step, errno }| {
        let cure = cure::of_refusal_inside(errno, as_root, apparmor);
        Unable { step, errno, cure }
    })?;
    // Few subjects write more to their log than fits; for them it is taken in as it comes.
    let _ = home.set_network_sysctl("unix/max_dgram_qlen", "512");
    Ok(Some(Sandbox::new(Ground::Namespaces(home), bench, agent, facts)))
}

/// Everything before the first request, in a container.
fn furnish_container(whose: Whose) -> Result<(Hello, Sandbox), Unable> {
    let unexpected = |step: &'static str| move |errno| Unable::new(step, errno, UNEXPECTED);
    let cure = "start the lab with Docker's own defaults for containers: root inside, default capabilities";
    // What a case leaves running must become a child of this process.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(unexpected("inherit orphans"))?;
    let bench = bench(Sweeper::alone()).map_err(unexpected("prepare the bench"))?;
    let agent = own_program()?;
    rustix::process::umask(rustix::fs::Mode::empty());
    let container = Container::furnish(&agent, whose).map_err(|Failure { step, errno }| Unable {
        step,
        errno,
        cure: cure.to_owned(),
    })?;
    Ok(Sandbox::new(Ground::Container(container), bench, agent, host::facts()))
}

fn own_program() -> Result<Vec<u8>, Unable> {
    std::fs::read("/proc/self/exe").map_err(|error| {
        let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        Unable::new("read the agent's own program file", errno, UNEXPECTED)
    })
}

fn become_root_inside() -> Result<(), Errno> {
    use rustix::fs::{Gid, Uid};
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)?;
    rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)
}

fn bench(sweeper: Sweeper) -> Result<Bench, Errno> {
    let files = ids::limit(ids::NOFILE)?;
    // Scenarios give subjects descriptors of any number; a soft limit may always be raised to the hard one.
    ids::set_limit(ids::NOFILE, files.1, files.1)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let witnesses = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&witnesses, &SocketAddrUnix::new_abstract_name(WITNESS_SOCKET)?)?;
    rustix::net::listen(&witnesses, 128)?;
    let map = |path| std::fs::read_to_string(path).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO));
    Ok(Bench {
        progress: shared()?,
        stack: Stack::new(128 * 1024),
        witnesses,
        files,
        sweeper,
        buffer: Vec::new(),
        uid_map: map("/proc/self/uid_map")?,
        gid_map: map("/proc/self/gid_map")?,
    })
}

/// What is at hand, from what is mapped.
/// What the map says about the machine.
pub(crate) fn tier(gid_map: &str) -> Tier {
    /// Inode of the first user namespace (PROC_USER_INIT_INO of include/linux/proc_ns.h).
    const FIRST: u64 = 0xEFFF_FFFD;
    let full = gid_map.split_whitespace().eq(["0", "0", "4294967295"]);
    match (full, rustix::fs::stat(c"/proc/self/ns/user").map(|stat| stat.st_ino)) {
        (true, Ok(FIRST)) => Tier::Root,
        (true, _) => Tier::FullMap,
        (false, _) => Tier::SubordinateIds,
    }
}

impl Sandbox {
    fn new(ground: Ground, bench: Bench, agent: Vec<u8>, facts: BTreeMap<String, String>) -> (Hello, Self) {
        let hello = Hello { version: VERSION, tier: tier(&bench.gid_map), facts };
        let (programs, blobs, layouts) = (HashMap::new(), HashMap::new(), HashMap::new());
        (hello, Self { ground, bench, agent, programs, blobs, layouts, inside: None })
    }

    fn answer(&mut self, request: Request) -> Reply {
        let result = match request {
            Request::Program { digest, bytes } => {
                self.programs.insert(digest, Rc::new(bytes.into_owned()));
                Ok(Reply::Done)
            }
            Request::Forget { program } => {
                self.programs.remove(&program);
                Ok(Reply::Done)
            }
            Request::Blob { digest, program, patch } => self.keep(digest, program, patch).map(|()| Reply::Done),
            Request::Open { layout, spec } => self.open(layout, &spec).map(|probes| Reply::Opened { probes }),
            Request::Close { layout } => self.close(layout).map(|()| Reply::Done),
            Request::Run { layout, invocation } => {
                self.run(layout, &invocation, Mode::Case).map(|evidence| Reply::Ran(Box::new(evidence)))
            }
            Request::Shell { layout, invocation, rows, columns } => {
                let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
                self.run(layout, &invocation, Mode::Shell(size)).map(|evidence| Reply::Ran(Box::new(evidence)))
            }
            Request::Listen { patience_ms } => {
                let (reports, unfinished) = case::listen::listen(&self.bench.witnesses, patience_ms);
                Ok(Reply::Heard { reports, unfinished })
            }
            Request::Quit => Ok(Reply::Done),
        };
        result.unwrap_or_else(|Failure { step, errno }| Reply::Failed { step, errno })
    }

    fn keep(&mut self, digest: Digest, program: Digest, patch: Option<Patch>) -> Result<(), Failure> {
        let program = self
            .programs
            .get(&program)
            .ok_or_else(|| Failure::refused(format!("keep blob {digest}: program {program} was not sent")))?;
        self.blobs.insert(digest, Blob { program: Rc::clone(program), patch });
        Ok(())
    }

    fn open(&mut self, number: u32, spec: &Layout) -> Result<Probes, Failure> {
        self.inside = None;
        let sources = Sources { blobs: &self.blobs, agent: &self.agent };
        let prepared = Prepared::new(&self.ground, spec, &sources)?;
        // The lab sends them again for a layout that needs them.
        self.blobs.clear();
        self.layouts.insert(number, prepared);
        self.prove(number)
    }

    fn close(&mut self, number: u32) -> Result<(), Failure> {
        // Its last user must leave the namespace before it can go.
        if self.inside == Some(number) {
            if let Ground::Namespaces(home) = &self.ground {
                home.enter()?;
            }
            self.inside = None;
        }
        self.layouts.remove(&number);
        Ok(())
    }

    fn run(&mut self, number: u32, invocation: &Invocation, mode: Mode) -> Result<Evidence, Failure> {
        let prepared = self
            .layouts
            .get(&number)
            .ok_or_else(|| Failure::refused(format!("run in layout {number}, which is not open")))?;
        if self.inside != Some(number) {
            prepared.enter(&self.agent)?;
            self.inside = Some(number);
        }
        Ok(case::run(&mut self.bench, &self.ground, prepared, &self.agent, invocation, mode))
    }

    /// Starts the set-group-ID probe twice. What it reports, not what was set up, decides.
    fn prove(&mut self, number: u32) -> Result<Probes, Failure> {
        let ids = |uid, gid| {
            Some(Identity {
                uid: Uid::new(uid)?,
                effective_uid: Uid::new(uid)?,
                gid: Gid::new(gid)?,
                effective_gid: Gid::new(gid)?,
                groups: BTreeSet::new(),
            })
        };
        let identity = ids(1_000, 1_000).ok_or_else(|| Failure::refused("make the probe's identity"))?;
        let nosuid = if self.ground.home().is_some() { PROBE } else { NOSUID_PROBE };
        let start = |program: &str| Invocation::quiet(program.into(), identity.clone());
        let positive = self.run(number, &start(PROBE), Mode::Probe(Probe::Positive))?;
        let negative = self.run(number, &start(nosuid), Mode::Probe(Probe::Negative))?;
        for evidence in [&positive, &negative] {
            if let Stage::Setup { step, errno } = &evidence.stage {
                return Err(Failure { step: format!("probe of the layout: {step}"), errno: *errno });
            }
        }
        let gained = |evidence: &Evidence| {
            let [report] = evidence.witness.as_slice() else { return None };
            Some(report.credentials.gid.effective.as_raw() == PROBE_GID)
        };
        Ok(Probes {
            positive: gained(&positive) == Some(true),
            // Silence is not success: without a report it counts as gained, which spoils the layout.
            negative: gained(&negative) != Some(false),
            witness: gained(&positive).is_some() && gained(&negative).is_some(),
        })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The namespaces die with pid 1; nothing else is to be done, and nothing may hold it up.
        exec::exit_now(0)
    }
}
