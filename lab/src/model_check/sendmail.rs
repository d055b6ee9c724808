//! What sendmail's test programs assert (t_setuid, t_seteuid, t_setreuid, t_setgid, t_dropgid, t_exclopen of its `test`
//! directory, from 1993 to 2013): whether a set-id program can rely on a call. Each is done again by a really installed
//! set-id program, and asked of the model.

use super::compare;
use super::kernel::Kernel;
use super::oracle::{self, Oracle};
use super::text::spell;
use crate::problem::Problem;
use lab_invocation::trial::{
    Call, CallAnswer, CapabilitySets, ExecAnswer, ExecTrial, Groups, State, TrialFile, TrialMount, TrialStart,
};
use lab_model::capability::{CapSet, Capability};
use lab_model::files::{Entry, EntryKind, Files};
use lab_model::ids::KEEP;
use lab_model::process::Process;
use std::collections::BTreeMap;

/// The invoker's uid and gid.
const USER: u32 = 1000;
/// Group of the set-group-ID programs.
const GUEST: u32 = 2000;

/// One test program, or one way to compile it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name, with the calls that it was compiled to use.
    pub name: &'static str,
    /// How it is installed and started.
    pub installed: &'static str,
    /// What it asserts.
    pub assertions: Vec<Assertion>,
}

impl Program {
    /// Whether the running kernel fulfils all of it; `None` if something could not be tried.
    pub fn passes(&self) -> Option<bool> {
        self.assertions.iter().try_fold(true, |all, assertion| Some(all & assertion.kernel?))
    }

    /// Whether kernel and model agree wherever both answer.
    pub fn agrees(&self) -> bool {
        self.assertions.iter().all(|assertion| assertion.kernel.is_none_or(|holds| holds == assertion.model))
    }
}

/// One assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// In words.
    pub text: String,
    /// Whether it holds on the running kernel; `None` if it could not be tried.
    pub kernel: Option<bool>,
    /// Whether it holds by the model.
    pub model: bool,
}

/// A call, what must come of it, and the real and effective id that must be there then.
struct Step {
    call: Call,
    must: Must,
    then: (u32, u32),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    Succeed,
    Fail,
    /// The program does not look at the result.
    Either,
}

/// A program before it was run.
struct Test {
    name: &'static str,
    installed: &'static str,
    mode: u32,
    bounding_without: CapSet,
    steps: Vec<Step>,
}

fn tests() -> Vec<Test> {
    use Must::{Either, Fail, Succeed};
    const ROOT: &str = "set-user-ID root, started by uid 1000";
    const GROUP: &str = "set-group-ID 2000, started by gid 1000";
    let step = |call, must, real, effective| Step { call, must, then: (real, effective) };
    let uid = |name, steps| Test { name, installed: ROOT, mode: 0o4755, bounding_without: CapSet::EMPTY, steps };
    let gid = |name, steps| Test { name, installed: GROUP, mode: 0o2755, bounding_without: CapSet::EMPTY, steps };
    let seteuid = |id| Call::SetResUid(KEEP, id, KEEP);
    let setegid = |id| Call::SetResGid(KEEP, id, KEEP);
    let give_up_uid = || vec![step(Call::SetUid(1), Either, 1, 1), step(Call::SetUid(0), Fail, 1, 1)];
    let regain = || step(Call::SetGid(GUEST), Fail, USER, USER);
    vec![
        uid("t_setuid", give_up_uid()),
        Test {
            name: "t_setuid, CAP_SETUID withheld",
            installed: "likewise, without CAP_SETUID in the bounding set: the Linux capability bug of 2000",
            bounding_without: CapSet::of(&[Capability::SETUID]),
            ..uid("", give_up_uid())
        },
        uid(
            "t_seteuid",
            vec![
                step(seteuid(1), Either, USER, 1),
                step(seteuid(0), Succeed, USER, 0),
                step(seteuid(2), Succeed, USER, 2),
                step(seteuid(0), Succeed, USER, 0),
            ],
        ),
        uid(
            "t_setreuid",
            vec![
                step(Call::SetReUid(0, 1), Succeed, 0, 1),
                step(Call::SetReUid(KEEP, 0), Succeed, 0, 0),
                step(Call::SetReUid(USER, 0), Succeed, USER, 0),
                step(Call::SetReUid(0, 2), Succeed, 0, 2),
                step(Call::SetReUid(KEEP, 0), Succeed, 0, 0),
                step(Call::SetReUid(USER, 0), Succeed, USER, 0),
            ],
        ),
        gid(
            "t_setgid by setgid",
            vec![step(Call::SetGid(GUEST), Either, GUEST, GUEST), step(Call::SetGid(0), Fail, GUEST, GUEST)],
        ),
        gid(
            "t_setgid by setregid",
            vec![step(Call::SetReGid(GUEST, GUEST), Either, GUEST, GUEST), step(Call::SetGid(0), Fail, GUEST, GUEST)],
        ),
        gid("t_dropgid by setgid", vec![step(Call::SetGid(USER), Either, USER, USER), regain()]),
        gid(
            "t_dropgid by setegid",
            vec![step(setegid(USER), Either, USER, USER), step(Call::SetGid(USER), Either, USER, USER), regain()],
        ),
        gid(
            "t_dropgid by setregid",
            vec![
                step(Call::SetReGid(USER, USER), Either, USER, USER),
                step(Call::SetGid(USER), Either, USER, USER),
                regain(),
            ],
        ),
        gid(
            "t_dropgid by setresgid",
            vec![
                step(Call::SetResGid(USER, USER, USER), Either, USER, USER),
                step(Call::SetGid(USER), Either, USER, USER),
                regain(),
            ],
        ),
    ]
}

pub(super) fn run(kernel: &mut Kernel, oracle: &dyn Oracle) -> Result<Vec<Program>, Problem> {
    let mut programs = Vec::new();
    for test in tests() {
        programs.push(one(kernel, oracle, &test)?);
    }
    programs.push(exclusive_open(kernel)?);
    Ok(programs)
}

fn one(kernel: &mut Kernel, oracle: &dyn Oracle, test: &Test) -> Result<Program, Problem> {
    let bounding = CapSet(kernel.facts.capabilities.bounding).without(test.bounding_without).0;
    let ids = [USER; 4];
    let capabilities = CapabilitySets { bounding, ..CapabilitySets::default() };
    let trial = ExecTrial {
        state: State { uid: ids, gid: ids, groups: Groups::new(&[]), capabilities, securebits: 0 },
        no_new_privs: false,
        file: TrialFile { owner: 0, group: GUEST, mode: test.mode, capabilities: None },
        mount: TrialMount::Plain,
        how: TrialStart::Path,
        tracer: None,
        shares_fs: false,
        no_processes: false,
        namespace: None,
    };
    let calls: Vec<Call> = test.steps.iter().map(|step| step.call).collect();
    let (answer, made) = kernel.exec(trial, &calls)?;
    let start = oracle::start(&trial);
    let release = compare::release(&kernel.facts);
    let mut process =
        oracle.exec(&start.process, &start.image, start.circumstances, release).map(|executed| executed.process).ok();

    let groups = test.mode & 0o2000 != 0;
    let expected = if groups { (USER, GUEST) } else { (USER, 0) };
    let ran = match &answer {
        ExecAnswer::Ran(report) => Some(pair(&report.state, groups) == expected),
        ExecAnswer::Setup { .. } | ExecAnswer::Refused { .. } => None,
    };
    let model = process.as_ref().is_some_and(|process| pair(&oracle::state(process), groups) == expected);
    let (real, effective) = expected;
    let mut assertions =
        vec![Assertion { text: format!("starts with real {real}, effective {effective}"), kernel: ran, model }];
    for (number, step) in test.steps.iter().enumerate() {
        let by_kernel = made.get(number).and_then(|answer| match answer {
            CallAnswer::Made { value, after, .. } => Some((*value, pair(after, groups))),
            CallAnswer::Setup { .. } => None,
        });
        let by_model = process.as_mut().map(|process: &mut Process| {
            let value = oracle.call(process, &step.call);
            (value, pair(&oracle::state(process), groups))
        });
        let mut assert = |text: String, holds: &dyn Fn((i64, (u32, u32))) -> bool| {
            assertions.push(Assertion { text, kernel: by_kernel.map(holds), model: by_model.is_some_and(holds) });
        };
        let call = spell(&step.call);
        match step.must {
            Must::Succeed => assert(format!("{call} succeeds"), &|(value, _)| value == 0),
            Must::Fail => assert(format!("{call} fails"), &|(value, _)| value != 0),
            Must::Either => {}
        }
        let (real, effective) = step.then;
        assert(format!("after {call}: real {real}"), &|(_, ids)| ids.0 == real);
        assert(format!("after {call}: effective {effective}"), &|(_, ids)| ids.1 == effective);
    }
    Ok(Program { name: test.name, installed: test.installed, assertions })
}

/// Real and effective id.
fn pair(state: &State, groups: bool) -> (u32, u32) {
    let [real, effective, ..] = if groups { state.gid } else { state.uid };
    (real, effective)
}

fn exclusive_open(kernel: &mut Kernel) -> Result<Program, Problem> {
    let errno = kernel.exclusive_open()?;
    let link = Entry { kind: EntryKind::Symlink(b"nowhere".to_vec()), owner: 0, group: 0, mode: 0o777 };
    let files = Files { entries: BTreeMap::from([(b"/link".to_vec(), link)]), mounts: Vec::new() };
    let model = files.create_exclusively(b"/link", &Process::root()).is_err();
    let text = "open with O_CREAT and O_EXCL fails on a symbolic link that leads nowhere".to_owned();
    let assertions = vec![Assertion { text, kernel: Some(errno != 0), model }];
    Ok(Program { name: "t_exclopen", installed: "started by root", assertions })
}
