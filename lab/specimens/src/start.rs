//! The order of everything, as in `mail-wrapper` and `cgi-wrapper`, with the places where a flaw sits.

use crate::caller::{self, Around};
use crate::switch::CarelessKernel;
use crate::{Flaw, process_state, refuse, sys};
use nix::errno::Errno;
use nix::sys::signal::{Signal, raise};
use nix::unistd::execve;
use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use wrapper::credentials::{self, Credentials};
use wrapper::decision::{self, Plan};
use wrapper::policy::{
    self, BODY_OFFSET, CHECKSUM_OFFSET, Group, Kind, LENGTH_OFFSET, List, Owner, Policy, PolicyError, RefusalStyle,
    SECTION_SIZE, Task,
};
use wrapper::process_state::UnsafeProcess;
use wrapper::refusal::{Refusal, StartFault};
use wrapper::script::{self, Files, RealFiles, Status};
use wrapper::surroundings::AccountName;
use wrapper::sys::{self as wrapper_sys, Disposition, Strings};

/// Runs the specimen with this flaw: becomes the script, or comes back with the exit status.
#[must_use]
pub fn run(kind: Kind, section: &[u8; SECTION_SIZE], flaw: Flaw, arguments: Strings) -> u8 {
    let mut section = *section;
    let safe = process_state::make_safe(flaw);
    overlook_checksum(&mut section, flaw);
    let decoded_as = if flaw == Flaw::AcceptsWrongKind { policy::kind_of(&section).unwrap_or(kind) } else { kind };
    let policy = policy::decode(&section, decoded_as);
    let style = policy.as_ref().map_or(RefusalStyle::Mailman, |policy| policy.refusal);
    match start(safe, policy, flaw, arguments.clone()) {
        Ok(child) => child,
        Err(refusal) => refuse::refuse(&refusal, kind, style, flaw, arguments),
    }
}

/// Makes the checksum right for whatever the body holds.
fn overlook_checksum(section: &mut [u8; SECTION_SIZE], flaw: Flaw) {
    if flaw != Flaw::IgnoresChecksum {
        return;
    }
    let length = section.get(LENGTH_OFFSET..).and_then(|rest| rest.first_chunk()).map_or(0, |&b| u32::from_le_bytes(b));
    let body = section.get(BODY_OFFSET..).and_then(|rest| rest.get(..usize::try_from(length).ok()?));
    let sum = body.map(policy::checksum).unwrap_or_default();
    let found = section.get_mut(CHECKSUM_OFFSET..CHECKSUM_OFFSET + 8);
    found.into_iter().for_each(|bytes| bytes.copy_from_slice(&sum.to_le_bytes()));
}

fn start<'p>(
    safe: Result<(), UnsafeProcess>,
    policy: Result<Policy<'p>, PolicyError>,
    flaw: Flaw,
    arguments: Strings,
) -> Result<u8, Refusal<'p>> {
    safe?;
    let honest = caller::read()?;
    let mut policy = match policy {
        Err(PolicyError::Unsealed) if flaw == Flaw::AcceptsUnsealedPolicy => built_in(honest),
        sealed => sealed?,
    };
    // There may be hundreds of thousands, and little memory: no more than they need.
    let mut argv: Vec<&CStr> = Vec::with_capacity(arguments.clone().count());
    argv.extend(arguments);
    let mut environ: Vec<&CStr> = wrapper_sys::environment().collect();
    let asked = argv.get(1).copied().unwrap_or_default();
    match flaw {
        Flaw::CrashesOnEmptyArgv => {
            std::hint::black_box(argv[0].to_bytes()[0]);
        }
        Flaw::KeepsSecondDuplicate => environ.reverse(),
        Flaw::IgnoresLostBit => policy.own.gid = honest.effective,
        _ => {}
    }
    // For good, because a refusal speaks of it.
    let policy: &'p Policy<'p> = Box::leak(Box::new(policy));
    match flaw {
        Flaw::AcceptsDotDot if asked.to_bytes().contains(&b'/') => ask_for(&mut argv, first_command(policy)),
        Flaw::AcceptsAnyCase => ask_for(&mut argv, asked.to_bytes().to_ascii_lowercase()),
        Flaw::ChecksArgumentsFirst => arguments_only(honest, &argv, policy)?,
        // For more there is no memory twice, and a specimen has one flaw.
        Flaw::StartsThenRefuses if argv.len() < 100_000 => {
            let child = start_early(honest, &argv, &environ, policy);
            let no_process = StartFault::Exec(Errno::EAGAIN);
            // Where no second process can be made, what is left is to start the script as everybody does.
            if !matches!(&child, Err(Refusal::NotStarted { fault, .. }) if *fault == no_process) {
                let decided = decide(honest, &argv, &environ, policy, flaw);
                return decided.and(child).map(end_as);
            }
        }
        _ => {}
    }
    let seen = caller::as_seen_by(flaw, honest, policy)?;
    let mut plan = decide(seen, &argv, &environ, policy, flaw)?;
    match flaw {
        Flaw::CrashesOnNonUtf8 => argv.iter().for_each(|word| assert!(word.to_str().is_ok(), "arguments are text")),
        Flaw::AcceptsDotDot if asked.to_bytes().contains(&b'/') => start_instead(&mut plan, policy, asked),
        Flaw::TakesPageFromQuery if !asked.is_empty() => {
            plan.argv.pop();
            plan.argv.push(Cow::Borrowed(asked));
        }
        Flaw::KeepsUnlistedVariable => {
            let kept = environ.iter().filter(|entry| entry.to_bytes().starts_with(b"PYTHONPATH="));
            plan.environment.extend(kept);
        }
        _ => {}
    }
    let mut kernel = CarelessKernel::new(flaw, honest.real);
    let switched = credentials::switch_group(&plan.admitted, &mut kernel, policy.own, called(honest))?;
    let checked = script::check_files(&switched, plan, policy, &Looks(flaw))?;
    // What has been checked can only be executed as it is: who departs from it decides once more.
    match flaw {
        Flaw::LooksUpScriptInPath => {
            drop(checked);
            let mut unchecked = decide(seen, &argv, &environ, policy, flaw)?;
            unchecked.script = in_path(&environ, asked).unwrap_or(unchecked.script);
            Err(execute(&unchecked, policy, wrapper_sys::dispose_of_signals))
        }
        Flaw::LeavesSigpipeIgnored => {
            drop(checked);
            let plan = decide(seen, &argv, &environ, policy, flaw)?;
            Err(execute(&plan, policy, |disposition| {
                wrapper_sys::dispose_of_signals(disposition).and_then(|()| sys::ignore_sigpipe())
            }))
        }
        // As above.
        Flaw::HidesScriptStatus | Flaw::FlattensScriptStatus if argv.len() < 100_000 => {
            match start_early(honest, &argv, &environ, policy) {
                Err(Refusal::NotStarted { fault: StartFault::Exec(Errno::EAGAIN), .. }) => {
                    Err(script::execute(&checked, policy))
                }
                ended => ended.map(|child| u8::from(flaw == Flaw::FlattensScriptStatus && !child.success())),
            }
        }
        _ => Err(script::execute(&checked, policy)),
    }
}

/// The honest decision, in the surroundings that this specimen sees.
fn decide<'a, 'p>(
    credentials: Credentials,
    argv: &[&'a CStr],
    environ: &[&'a CStr],
    policy: &'p Policy<'p>,
    flaw: Flaw,
) -> Result<Plan<'a>, Refusal<'p>> {
    decision::decide(&credentials, argv.iter().copied(), environ.iter().copied(), policy, &Around(flaw))
}

/// What a wrapper that falls back to defaults would use.
fn built_in(honest: Credentials) -> Policy<'static> {
    let mut commands = List::default();
    for command in
        ["post", "bounces", "admin", "confirm", "join", "leave", "owner", "request", "subscribe", "unsubscribe"]
    {
        // There is room for sixteen.
        let _ = commands.push(command);
    }
    let mail = credentials::Gid::new(8).unwrap_or(honest.real);
    Policy {
        trusted: Group { gid: mail, name: "mail" },
        own: Group { gid: honest.effective, name: "list" },
        owner: Owner { uid: 38, name: "list" },
        prefix: "/usr/local/mailman",
        interpreter: None,
        task: Task::Mail { commands },
        variables: List::default(),
        refusal: RefusalStyle::Mailman,
    }
}

/// A listed command, for one to be put in its place.
fn first_command(policy: &Policy<'_>) -> Vec<u8> {
    match &policy.task {
        Task::Mail { commands } => commands.first().copied().unwrap_or_default().into(),
        Task::Cgi { .. } => Vec::new(),
    }
}

fn ask_for(argv: &mut [&CStr], command: Vec<u8>) {
    if let Some(asked) = argv.get_mut(1) {
        *asked = Box::leak(CString::new(command).unwrap_or_default().into_boxed_c_str());
    }
}

/// Refuses what is wrong with the arguments, whoever the caller is.
fn arguments_only<'p>(honest: Credentials, argv: &[&CStr], policy: &'p Policy<'p>) -> Result<(), Refusal<'p>> {
    match decide(as_trusted(honest, policy), argv, &[], policy, Flaw::TrustsOverflowGid) {
        Err(refusal @ (Refusal::NoCommand { .. } | Refusal::UnknownCommand { .. })) => Err(refusal),
        _ => Ok(()),
    }
}

fn as_trusted(honest: Credentials, policy: &Policy<'_>) -> Credentials {
    Credentials { real: policy.trusted.gid, regains: None, ..honest }
}

/// Starts what the caller asked for below the directory of the scripts.
fn start_instead(plan: &mut Plan<'_>, policy: &Policy<'_>, asked: &CStr) {
    let path = [policy.prefix.as_bytes(), b"/scripts/", asked.to_bytes()].concat();
    let path = CString::new(path).unwrap_or_default();
    if let Some(first) = plan.argv.first_mut() {
        *first = Cow::Owned(path.clone());
    }
    (plan.interpreter, plan.script) = (None, path);
}

/// The way of execvp(3): the caller's PATH decides.
fn in_path(environ: &[&CStr], asked: &CStr) -> Option<CString> {
    let path = environ.iter().find_map(|entry| entry.to_bytes().strip_prefix(b"PATH="))?;
    let found = path.split(|&byte| byte == b':').map(|directory| [directory, b"/", asked.to_bytes()].concat());
    found.filter(|file| Path::new(OsStr::from_bytes(file)).is_file()).find_map(|file| CString::new(file).ok())
}

/// As `script::execute`, for a plan that nobody has checked, and with signals as `dispose` leaves them.
fn execute<'p>(
    plan: &Plan<'_>,
    policy: &Policy<'p>,
    dispose: impl Fn(Disposition) -> Result<(), Errno>,
) -> Refusal<'p> {
    let Err(errno) = dispose(Disposition::Default).and_then(|()| execve(plan.program(), &plan.argv, &plan.environment));
    not_started(plan, policy, errno)
}

/// Starts the script in a child for whoever asks, waits for it, and gives its exit status.
fn start_early<'p>(
    honest: Credentials,
    argv: &[&CStr],
    environ: &[&CStr],
    policy: &'p Policy<'p>,
) -> Result<ExitStatus, Refusal<'p>> {
    let plan = decide(as_trusted(honest, policy), argv, environ, policy, Flaw::None)?;
    let mut kernel = CarelessKernel::new(Flaw::None, honest.real);
    let switched = credentials::switch_group(&plan.admitted, &mut kernel, policy.own, called(honest))?;
    script::check_files(&switched, plan, policy, &RealFiles)?;
    let plan = decide(as_trusted(honest, policy), argv, environ, policy, Flaw::None)?;
    let text = |word: &CStr| OsStr::from_bytes(word.to_bytes()).to_owned();
    let variables = plan.environment.iter().filter_map(|entry| {
        let at = entry.to_bytes().iter().position(|&byte| byte == b'=')?;
        let (name, value) = entry.to_bytes().split_at(at);
        Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value.get(1..)?).to_owned()))
    });
    let arguments = plan.argv.iter().skip(1).map(|word| text(word));
    let mut command = Command::new(text(plan.program()));
    command.args(arguments).env_clear().envs(variables);
    let not_started = |errno| not_started(&plan, policy, errno);
    wrapper_sys::dispose_of_signals(Disposition::Default).map_err(not_started)?;
    let ended = command.status().map_err(|error| not_started(Errno::from_raw(error.raw_os_error().unwrap_or(0))));
    wrapper_sys::dispose_of_signals(Disposition::Ignore).map_err(not_started)?;
    ended
}

/// Ends by the signal that ended the child, or says which status it ended with.
fn end_as(child: ExitStatus) -> u8 {
    if let Some(signal) = child.signal().and_then(|signal| Signal::try_from(signal).ok()) {
        let _ = wrapper_sys::dispose_of_signals(Disposition::Default).map(|()| raise(signal));
    }
    child.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// The group of the caller, which need not be the trusted one here.
const fn called(caller: Credentials) -> Group<'static> {
    Group { gid: caller.real, name: "the caller's" }
}

fn not_started<'p>(plan: &Plan<'_>, policy: &Policy<'p>, errno: Errno) -> Refusal<'p> {
    let path = PathBuf::from(OsStr::from_bytes(plan.program().to_bytes()));
    let fault = StartFault::Exec(errno);
    Refusal::NotStarted { path, fault, name: AccountName::Nameless, owner: policy.owner, own: policy.own }
}

/// The file system, as a specimen looks at it.
struct Looks(Flaw);

impl Files for Looks {
    fn status(&self, path: &Path) -> Result<Status, Errno> {
        let status = RealFiles.status(path)?;
        let blind = self.0 == Flaw::SkipsPathChecks;
        Ok(if blind { Status { uid: 0, gid: 0, mode: 0o755, ..status } } else { status })
    }

    fn link_target(&self, path: &Path) -> Result<PathBuf, Errno> {
        RealFiles.link_target(path)
    }

    fn has_access_list(&self, path: &Path) -> Result<bool, Errno> {
        RealFiles.has_access_list(path)
    }
}
