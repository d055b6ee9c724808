//! Where a campaign takes place: one sealed installation, which stays as it is, and what a start in it is as a case of the
//! lab. The subject of a campaign is described by the same text that a scenario file would have, so that a finding can
//! become one.

use crate::capability::{Capabilities, Capability, needed_to_start};
use crate::case::{Case, Kind, Outcome, Policy};
use crate::predict;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::scenario::accounts::{self, Accounts};
use crate::scenario::{Source, Suite};
use lab_invocation::attempt::{Group, GroupFile, Owner, Program, Sealed};
use lab_invocation::deliverable::deliverable;
use lab_invocation::layout::{Content, NodeKind};
use lab_invocation::{Attempt, Bytes, Gid, Identity, Invocation, Uid};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Longest text of an attempt that a campaign tries, in bytes.
pub const LONGEST: usize = 8 << 10;

/// Milliseconds that a subject has at most. A scenario gives it longer; what hangs takes this long each time.
const DEADLINE_MS: u32 = 2_000;

/// The head of the scenario that a campaign is a variation of.
const HEAD: &str = "\
title  = \"An invocation that a fuzzer made\"
why    = \"The subject must do what the model says, however it is started.\"
source = [\"execve(2)\", \"credentials(7)\"]

";

/// Its control.
const CONTROL: &str = "
[[case]]
name    = \"control: the trusted caller\"
control = true
outcome = \"admitted\"

[outcome.admitted]
exit   = 0
script = { started = true }
";

/// An installation.
#[derive(Clone, Debug)]
pub struct Ground {
    /// `[subject]` and `[invoker]` as a scenario file has them.
    pub text: String,
    /// The trusted caller's start, whose admission shows that refusals mean something.
    pub control: Arc<Case>,
    sealed: Sealed,
    group_file: GroupFile,
}

impl Ground {
    /// For a program of the project, or for the wrapper which a profile describes in its place.
    ///
    /// # Errors
    /// There is no such ground, or `identities.toml` lacks what it names.
    pub fn of(program: &str, profile: Option<&Profile>, accounts: &Accounts) -> Result<Self, Problem> {
        let template = match (program, profile) {
            ("mail-wrapper", None) => include_str!("ground/mail-wrapper.toml"),
            ("cgi-wrapper", None) => include_str!("ground/cgi-wrapper.toml"),
            ("mail-wrapper", Some(_)) => include_str!("ground/foreign-mail.toml"),
            ("cgi-wrapper", Some(_)) => include_str!("ground/foreign-cgi.toml"),
            _ => {
                return Err(Problem::usage(format!("there is nothing to fuzz `{program}` with"))
                    .found("a campaign starts a mail wrapper or a CGI wrapper")
                    .cure("name mail-wrapper, cgi-wrapper or a specimen"));
            }
        };
        let trusted = profile.and_then(|profile| profile.first_trusted(program)).unwrap_or("mail");
        let text = template.replace("{trusted}", trusted);
        let mut suite = Suite::new(accounts.clone());
        let source =
            Arc::new(Source { path: "the fuzzer's installation".to_owned(), text: format!("{HEAD}{text}{CONTROL}") });
        suite.add("fuzz/control", &source).map_err(|reports| {
            let found: Vec<String> = reports.iter().map(|report| report.title.clone()).collect();
            Problem::usage("identities.toml lacks what the fuzzer's installation names").found(found.join("\n"))
        })?;
        let control = suite.cases.first().cloned().ok_or_else(|| Problem::internal("the control is missing"))?;
        let sealed = sealed(&control.subject.policy);
        let group_file = group_file(&control);
        Ok(Self { text, control, sealed, group_file })
    }

    /// The attempt of an invocation here.
    pub fn attempt(&self, invocation: Invocation) -> Attempt {
        Attempt { sealed: self.sealed.clone(), group_file: self.group_file.clone(), invocation }
    }

    /// What a campaign starts from: a stranger with the arguments of the trusted caller, so that whatever is found about
    /// trusted callers had to be reached.
    pub fn stranger(&self) -> Attempt {
        let mut attempt = self.attempt((*self.control.invocation).clone());
        let (user, group) = (Uid::new(3001), Gid::new(100));
        if let (Some(uid), Some(gid)) = (user, group) {
            let groups = BTreeSet::from([gid]);
            attempt.invocation.identity = Identity { uid, effective_uid: uid, gid, effective_gid: gid, groups };
        }
        attempt
    }

    /// Puts back what a mutation may not change: what is sealed, who is called what, which file is started.
    pub fn restore(&self, attempt: &mut Attempt) {
        attempt.sealed.clone_from(&self.sealed);
        attempt.group_file.clone_from(&self.group_file);
        let invocation = &mut attempt.invocation;
        invocation.program.clone_from(&self.control.invocation.program);
        invocation.deadline_ms = self.control.invocation.deadline_ms;
    }

    /// Whether an attempt is one of this ground.
    pub fn owns(&self, attempt: &Attempt) -> bool {
        let mut restored = attempt.clone();
        self.restore(&mut restored);
        restored == *attempt
    }

    /// Why an attempt cannot be tried here; `None` if it can.
    pub fn untried(&self, attempt: &Attempt, capabilities: &Capabilities) -> Option<String> {
        if let Err(because) = deliverable(&attempt.invocation) {
            return Some(because.to_string());
        }
        let invocation = &attempt.invocation;
        let mut needs = needed_to_start(invocation);
        if may_need_the_member_rule(invocation) {
            needs.insert(Capability::MemberRule);
        }
        needs.into_iter().find_map(|need| match capabilities.get(&need) {
            Some(support) => support.why_not().map(|why| format!("{need}: {why}")),
            None => Some(format!("{need}: the backend does not know it")),
        })
    }

    /// An attempt as a case whose stated outcome is the model's, as far as that knows it. With a profile it is the foreign
    /// wrapper's.
    ///
    /// # Errors
    /// It cannot be asked of the foreign wrapper, or nothing is known of it.
    pub fn case(&self, attempt: &Attempt, profile: Option<&Profile>) -> Result<Case, String> {
        let mut case = Case { outcome: Outcome::default().into(), ..(*self.control).clone() };
        case.invocation = attempt.invocation.clone().into();
        case.invocation.deadline_ms = DEADLINE_MS;
        case.control = false;
        if let Some(profile) = profile {
            return profile.adapt(&case);
        }
        let prediction = predict::predict(&case, None);
        match &prediction.beyond {
            None => {
                case.expected = prediction.outcome().to_owned();
                case.outcome = prediction.decisions().into();
            }
            Some(beyond) if prediction.decision.outcome == lab_model::Outcome::EndedBeforeMain => {
                return Err(format!("whether it comes to its main, and how it ends, is not known: {beyond}"));
            }
            Some(_) => {}
        }
        Ok(case)
    }
}

/// Whether what happens may depend on a rule that older kernels do not have: see [`Capability::MemberRule`].
pub(super) fn may_need_the_member_rule(invocation: &Invocation) -> bool {
    let transition = &invocation.transition;
    transition.tracer.is_some() || transition.share_fs || !invocation.capabilities.ambient.is_empty()
}

fn sealed(policy: &Policy) -> Sealed {
    let group = |group: &crate::case::Group| Group { gid: group.gid, name: group.name.as_str().into() };
    let (uid, name) = &policy.owner;
    Sealed {
        program: match policy.kind {
            Kind::Mail => Program::Mail(policy.commands.clone()),
            Kind::Cgi => Program::Cgi(policy.script.clone().unwrap_or_default()),
        },
        trusted: group(&policy.trusts),
        own: group(&policy.own),
        owner: Owner { uid: *uid, name: name.as_str().into() },
        prefix: policy.prefix.clone(),
        interpreter: policy.interpreter.clone(),
        keep: predict::kept(policy),
        defer: policy.refusal == crate::case::Style::Defer,
    }
}

fn group_file(case: &Case) -> GroupFile {
    let node = case.layout.nodes.iter().find(|node| node.path == Bytes::from("/etc/group"));
    match node.map(|node| &node.kind) {
        Some(NodeKind::File(Content::Inline(text))) => GroupFile::Rows(
            accounts::rows(text.as_slice())
                .into_iter()
                .filter_map(|(name, gid)| Some(Group { gid: Gid::new(gid)?, name: name.as_str().into() }))
                .collect(),
        ),
        _ => GroupFile::Unreadable,
    }
}
