//! What decides: the wrapper's own decision, or, in tests of the fuzzer, one with a planted fault.

use crate::seal::{self, Section};
use crate::world;
use lab_invocation::attempt::GroupFile;
use lab_invocation::{Attempt, Bytes};
use lab_model::{Outcome, Process};
use std::cell::Cell;
use std::ffi::{CStr, CString};
use wrapper::credentials::{self, Credentials, Gid};
use wrapper::decision::{self, Plan};
use wrapper::policy::{self, Kind, Policy};
use wrapper::refusal::Refusal;
use wrapper::surroundings::{AccountName, Surroundings};

/// One question to a decider: an attempt, as a subject finds it when it has been started.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// What it is sealed with.
    pub policy: Policy<'a>,
    /// Who started it.
    pub credentials: Credentials,
    /// Arguments.
    pub argv: Vec<CString>,
    /// Raw environment.
    pub env: Vec<CString>,
    /// The process, whose group is switched in the end.
    pub process: Process,
    /// What groups are called.
    pub group_file: &'a GroupFile,
}

impl<'a> Case<'a> {
    /// The question of an attempt whose section is `section`; `None` if the wrapper does not take the policy, if a string
    /// contains a NUL, or if nothing is started.
    pub fn new(attempt: &'a Attempt, section: &'a Section) -> Option<Self> {
        let policy = policy::decode(section, seal::kind(&attempt.sealed)).ok()?;
        let process = world::executed(attempt)?;
        let credentials = world::credentials(&process)?;
        let strings = |list: &[Bytes]| list.iter().map(|bytes| CString::new(bytes.0.clone()).ok()).collect();
        let argv: Option<Vec<CString>> = strings(&attempt.invocation.argv.to_vec());
        let env: Option<Vec<CString>> = strings(&attempt.invocation.env);
        Some(Self { policy, credentials, argv: argv?, env: env?, process, group_file: &attempt.group_file })
    }

    /// Mail or CGI.
    pub fn kind(&self) -> Kind {
        self.policy.task.kind()
    }
}

impl Surroundings for Case<'_> {
    fn maps_every_gid(&self) -> bool {
        self.process.namespace.gids.is_full()
    }

    fn name_of(&self, gid: Gid) -> AccountName {
        match self.group_file {
            GroupFile::Unreadable => AccountName::Unreadable,
            GroupFile::Rows(rows) => {
                let row = rows.iter().find(|row| row.gid.as_raw() == gid.as_raw());
                let name = |row: &lab_invocation::attempt::Group| {
                    AccountName::Known(String::from_utf8_lossy(row.name.as_slice()).into_owned())
                };
                row.map_or(AccountName::Nameless, name)
            }
        }
    }
}

/// What came out, as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This is executed.
    Started {
        /// The file.
        program: Vec<u8>,
        /// Its arguments.
        argv: Vec<Vec<u8>>,
        /// Its environment.
        env: Vec<Vec<u8>>,
    },
    /// Nothing is.
    Refused {
        /// Why, in the words of the model.
        reason: Outcome,
        /// Exit status.
        status: u8,
        /// What is said.
        line: Vec<u8>,
    },
}

/// A verdict, and how many arguments and variables were taken from the caller on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The verdict.
    pub verdict: Verdict,
    /// How often an argument was looked at.
    pub arguments: usize,
    /// Likewise a variable.
    pub variables: usize,
}

/// Whatever decides.
pub trait Decider {
    /// Decides.
    fn decide(&self, case: &Case<'_>) -> Answer;
}

/// The wrapper's own decision, and the switch of the group that follows it, with the model in the place of the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Wrapper;

impl Decider for Wrapper {
    fn decide(&self, case: &Case<'_>) -> Answer {
        let (arguments, variables) = (Cell::new(0), Cell::new(0));
        let argv = Counted { left: case.argv.iter(), count: &arguments };
        let env = Counted { left: case.env.iter(), count: &variables };
        let decided = decision::decide(&case.credentials, argv, env, &case.policy, case).and_then(|plan| {
            let mut kernel = world::ModelKernel(case.process.clone());
            credentials::switch_group(&plan.admitted, &mut kernel, case.policy.own, case.policy.trusted)?;
            Ok(plan)
        });
        let verdict = match decided {
            Ok(plan) => started(&plan),
            Err(refusal) => Verdict::Refused {
                reason: reason(&refusal),
                status: refusal.exit_code(case.policy.refusal),
                line: refusal.line(case.kind()).text().to_vec(),
            },
        };
        Answer { verdict, arguments: arguments.get(), variables: variables.get() }
    }
}

fn started(plan: &Plan<'_>) -> Verdict {
    Verdict::Started {
        program: plan.program().to_bytes().to_vec(),
        argv: plan.argv.iter().map(|word| word.to_bytes().to_vec()).collect(),
        env: plan.environment.iter().map(|entry| entry.to_bytes().to_vec()).collect(),
    }
}

/// A refusal in the words of the model.
fn reason(refusal: &Refusal<'_>) -> Outcome {
    match refusal {
        Refusal::Mismatch { name: AccountName::Known(_), .. } => Outcome::Mismatch,
        Refusal::Mismatch { .. } => Outcome::Nameless,
        Refusal::CannotGiveUp { .. } | Refusal::NotSwitched(_) => Outcome::IdsNotSet,
        Refusal::NotStarted { .. } => Outcome::ExecFailed,
        Refusal::NoCommand { .. } => Outcome::Usage,
        Refusal::UnknownCommand { .. } => Outcome::UnknownCommand,
        Refusal::NotSetGroupId { .. } => Outcome::NotPrivileged,
        Refusal::Policy(_) | Refusal::AmbiguousTrust { .. } => Outcome::BadPolicy,
        Refusal::Process(_) => Outcome::UnsafeProcess,
    }
}

/// Strings of the caller, counted as they are looked at; a copy counts in the same place.
#[derive(Clone)]
struct Counted<'a> {
    left: std::slice::Iter<'a, CString>,
    count: &'a Cell<usize>,
}

impl<'a> Iterator for Counted<'a> {
    type Item = &'a CStr;

    fn next(&mut self) -> Option<&'a CStr> {
        let string = self.left.next()?;
        self.count.set(self.count.get() + 1);
        Some(string)
    }
}
