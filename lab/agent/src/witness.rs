//! The witness: stands where a wrapper starts its script, and reports what it was given. It looks at everything first,
//! reads standard input, only then opens a socket, and last of all tries to become whom it should not be able to become.

use crate::challenge::Challenge;
use crate::layout::CHALLENGE;
use crate::sys::{exec, ids, place, signals};
use crate::{Start, frame};
use lab_invocation::evidence::{Capture, IdKind, OpenDescriptor, Regained, WitnessReport};
use lab_invocation::ids::Ids;
use lab_invocation::invocation::ScriptEnd;
use lab_invocation::protocol::WITNESS_SOCKET;
use lab_invocation::{Bytes, Credentials, Gid, Uid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, RawDir};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::thread::{CapabilitySet, CapabilitySets, capability_is_in_ambient_set, capability_is_in_bounding_set};
use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};

/// How much standard input is read at most, in bytes.
const STDIN_LIMIT: u64 = 16 * 1024 * 1024;
/// How long a silent standard input is waited for.
const STDIN_PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// Exit status of a witness that could not report: the lab then lacks a report, and says so.
const CANNOT_REPORT: i32 = 125;
/// Exit status of a witness that outlived the signal by which it was to end.
const CANNOT_END: i32 = 124;

/// What a web server is answered: a header, without which it would report a fault of the script, and a text to know it by.
const PAGE: &[u8] = b"Content-Type: text/plain\r\n\r\nThe witness was here.\n";

/// The life of the witness; its return value is the exit status.
pub(crate) fn testify(start: &Start) -> i32 {
    let Ok(mut report) = look(start) else { return CANNOT_REPORT };
    if !(start.was_closed)(0) {
        report.stdin = read_stdin();
    }
    // Before the socket, which then has a number that is free without closing anything more.
    let challenge = read_challenge().ok().and_then(|bytes| Challenge::parse(&bytes));
    // Once connected, stage 1 knows that a script was started, whatever happens next.
    let (Ok(socket), Some(challenge)) = (connect(), challenge) else { return CANNOT_REPORT };
    report.regained = regain(&report.credentials, &challenge);
    if frame::send(&socket, &report).is_err() {
        return CANNOT_REPORT;
    }
    // RFC 3875, 4.1.12: every web server sets it for a script, and the wrapper hands it on.
    let of_web = report.env.iter().any(|entry| entry.as_slice().starts_with(b"REQUEST_METHOD="));
    if challenge.answers && of_web {
        // Whether it came is for the server to say.
        let _ = rustix::io::write(rustix::stdio::stdout(), PAGE);
    }
    match challenge.end {
        ScriptEnd::Exit(status) => i32::from(status),
        ScriptEnd::Signal(signal) => end_by(signal).map_or(CANNOT_REPORT, |()| CANNOT_END),
    }
}

/// Sends itself a signal with its default effect.
fn end_by(signal: u32) -> Result<(), Errno> {
    // SIGKILL can be neither ignored nor blocked, so that to change that is an error.
    let _ = signals::set_ignored(signal, false);
    signals::set_mask(0)?;
    signals::send(rustix::process::getpid(), signal)
}

/// Everything that can be seen without changing anything.
fn look(start: &Start) -> Result<WitnessReport, Errno> {
    let old = rustix::process::umask(Mode::empty());
    rustix::process::umask(old);
    let sets = rustix::thread::capabilities(None)?;
    let (bounding, ambient) = capability_masks(&sets);
    let pending = signals::pending()?;
    Ok(WitnessReport {
        pid: rustix::process::getpid().as_raw_nonzero().get().unsigned_abs(),
        // Stage 1 knows.
        same_process: false,
        exec_path: start.exec_path.into(),
        argv: start.argv.iter().map(|&bytes| bytes.into()).collect(),
        env: start.env.iter().map(|&bytes| bytes.into()).collect(),
        credentials: credentials()?,
        regained: Vec::new(),
        descriptors: descriptors(start.was_closed),
        umask: old.bits(),
        cwd: cwd(),
        ignored: (1..=signals::LAST).filter(|&signal| signals::is_ignored(signal) == Ok(true)).collect(),
        blocked: members(signals::mask()?),
        pending: members(pending),
        limits: (0..ids::LIMITS)
            .filter_map(|resource| {
                let (soft, hard) = ids::limit(resource).ok()?;
                let finite = |value| (value != libc::RLIM64_INFINITY).then_some(value);
                Some((resource, finite(soft), finite(hard)))
            })
            .collect(),
        place: place::place()?,
        timers_us: [signals::timer_us(0)?, signals::timer_us(1)?, signals::timer_us(2)?],
        timer_slack_ns: rustix::thread::current_timer_slack()?,
        capabilities: [sets.inheritable.bits(), sets.permitted.bits(), sets.effective.bits(), bounding, ambient],
        securebits: rustix::thread::capabilities_secure_bits()?.bits(),
        no_new_privs: rustix::thread::no_new_privs()?,
        secure: start.secure,
        dumpable: dumpable()?,
        stdin: Capture::default(),
    })
}

fn credentials() -> Result<Credentials, Errno> {
    let count = ids::groups(&[])?;
    let room: Vec<AtomicU32> = (0..count).map(|_| AtomicU32::new(0)).collect();
    let count = ids::groups(&room)?;
    let numbers = room.iter().take(count).map(|number| number.load(Ordering::Relaxed));
    let groups = numbers.map(Gid::new).collect::<Option<Vec<_>>>().ok_or(Errno::OVERFLOW)?;
    Ok(Credentials { uid: ids::user_ids()?, gid: ids::group_ids()?, groups })
}

/// Bounding and ambient set, up to the last capability that this kernel knows. What is not both permitted and
/// inheritable cannot be ambient.
fn capability_masks(sets: &CapabilitySets) -> (u64, u64) {
    let may_be_ambient = sets.permitted & sets.inheritable;
    let (mut bounding, mut ambient) = (0, 0);
    for number in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << number);
        let Ok(bound) = capability_is_in_bounding_set(one) else { break };
        bounding |= u64::from(bound) << number;
        if may_be_ambient.intersects(one) {
            ambient |= u64::from(capability_is_in_ambient_set(one).unwrap_or(false)) << number;
        }
    }
    (bounding, ambient)
}

fn dumpable() -> Result<u32, Errno> {
    use rustix::process::DumpableBehavior;
    Ok(match rustix::process::dumpable_behavior()? {
        DumpableBehavior::NotDumpable => 0,
        DumpableBehavior::Dumpable => 1,
        _ => 2,
    })
}

fn members(mask: u64) -> BTreeSet<u32> {
    (1..=signals::LAST).filter(|signal| mask & (1 << (signal - 1)) != 0).collect()
}

/// Target of /proc/self/cwd. getcwd(2) says the same of a directory that exists and can be reached, and costs less.
fn cwd() -> Bytes {
    let reachable = rustix::process::getcwd(Vec::new()).ok().filter(|path| path.to_bytes().starts_with(b"/"));
    let link = || rustix::fs::readlinkat(CWD, c"/proc/self/cwd", Vec::new());
    reachable.map_or_else(link, Ok).map(|path| path.into_bytes().into()).unwrap_or_default()
}

/// All open descriptors that the program was started with: from /proc, or, where there is none, by asking for each number up to the hard limit.
fn descriptors(was_closed: fn(RawFd) -> bool) -> Vec<OpenDescriptor> {
    let numbers = listed_descriptors().unwrap_or_else(|_| {
        let (_, hard) = ids::limit(ids::NOFILE).unwrap_or((1024, 1024));
        (0..RawFd::try_from(hard.min(65_536)).unwrap_or(65_536)).collect()
    });
    let open = numbers.into_iter().filter(|&number| !was_closed(number)).filter_map(|number| {
        let flags = exec::status_flags(number).ok()?;
        let access = flags & libc::O_ACCMODE;
        Some(OpenDescriptor { number: number.unsigned_abs(), target: target(number), access: access.unsigned_abs() })
    });
    open.collect()
}

fn listed_descriptors() -> Result<Vec<RawFd>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(c"/proc/self/fd", flags, Mode::empty())?;
    let mut numbers = Vec::new();
    let mut buffer = Vec::with_capacity(2048);
    let mut entries = RawDir::new(directory.as_fd(), buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let number = entry.file_name().to_str().ok().and_then(|name| name.parse::<RawFd>().ok());
        numbers.extend(number.filter(|&number| number != directory.as_raw_fd()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// What a descriptor refers to, as /proc/self/fd/N has it; inode numbers of pipes and sockets are left out so that records
/// compare. To ask for the file system of those two costs less than to have the kernel make an entry in /proc.
fn target(number: RawFd) -> Bytes {
    /// Magic numbers of include/uapi/linux/magic.h.
    const PIPEFS: u64 = 0x5049_5045;
    const SOCKFS: u64 = 0x534F_434B;
    match exec::file_system(number) {
        Ok(PIPEFS) => "pipe".into(),
        Ok(SOCKFS) => "socket".into(),
        _ => {
            let link = rustix::fs::readlinkat(CWD, format!("/proc/self/fd/{number}"), Vec::new());
            link.map(|path| path.into_bytes().into()).unwrap_or_default()
        }
    }
}

/// Standard input, bounded in size and in patience.
fn read_stdin() -> Capture {
    let mut capture = Capture::default();
    let mut chunk = [0; 8 * 1024];
    let stdin = rustix::stdio::stdin();
    while capture.total < STDIN_LIMIT {
        let mut wait = [PollFd::new(&stdin, PollFlags::IN)];
        if !matches!(poll(&mut wait, Some(&STDIN_PATIENCE)), Ok(1)) {
            break;
        }
        let Ok(count) = rustix::io::read(stdin, &mut chunk) else { break };
        if count == 0 {
            break;
        }
        capture.total += count as u64;
        let room = Capture::LIMIT - capture.bytes.0.len();
        capture.bytes.0.extend_from_slice(chunk.get(..room.min(count)).unwrap_or_default());
    }
    capture
}

/// Connects to stage 1.
fn connect() -> Result<OwnedFd, Errno> {
    let socket =
        with_room(|| rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None))?;
    rustix::net::connect(&socket, &SocketAddrUnix::new_abstract_name(WITNESS_SOCKET)?)?;
    Ok(socket)
}

fn read_challenge() -> Result<Vec<u8>, Errno> {
    let file = with_room(|| rustix::fs::open(CHALLENGE, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()))?;
    let mut bytes = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        match rustix::io::read(&file, &mut chunk)? {
            0 => return Ok(bytes),
            count => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
}

/// Opens something; where no further descriptor may be opened, the standard ones, which have been looked at, give way.
fn with_room(open: impl Fn() -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    for number in 0..3 {
        match open() {
            Err(Errno::MFILE) => exec::close(number),
            other => return other,
        }
    }
    open()
}

/// Tries to become everybody whom it could have been. Each success is undone before the next attempt, as far as possible.
fn regain(own: &Credentials, challenge: &Challenge) -> Vec<Regained> {
    let mut regained = Vec::new();
    // Groups first: a regained uid 0 would bring back every group.
    for gid in candidates(&own.gid, &challenge.gids) {
        if set_gid(gid).is_ok() {
            let number = gid.as_raw();
            regained.push(Regained { kind: IdKind::Gid, number, call: format!("setresgid(-1, {number}, -1)") });
            let _ = set_gid(own.gid.effective);
        }
    }
    for uid in candidates(&own.uid, &challenge.uids) {
        if set_uid(uid).is_ok() {
            let number = uid.as_raw();
            regained.push(Regained { kind: IdKind::Uid, number, call: format!("setresuid(-1, {number}, -1)") });
            let _ = set_uid(own.uid.effective);
        }
    }
    regained
}

/// Its own ids and those of the challenge, without the one as which it runs.
fn candidates<T: Copy + Ord>(own: &Ids<T>, challenge: &BTreeSet<T>) -> BTreeSet<T> {
    let all = [own.real, own.saved].into_iter().chain(challenge.iter().copied());
    all.filter(|&id| id != own.effective).collect()
}

fn set_gid(gid: Gid) -> Result<(), Errno> {
    rustix::thread::set_thread_res_gid(None, rustix::fs::Gid::from_raw(gid.as_raw()), None)
}

fn set_uid(uid: Uid) -> Result<(), Errno> {
    rustix::thread::set_thread_res_uid(None, rustix::fs::Uid::from_raw(uid.as_raw()), None)
}
