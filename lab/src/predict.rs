//! What the independent model says about a case, and whether the case says the same. A scenario file must not be able
//! to state what the kernel or the wrapper's rules do not yield: [`check`] refuses it.

mod compare;
mod foreign;
mod start;

use crate::case::{self, Case, Script};
use crate::profile::Profile;
use crate::scenario::{Report, Suite};
pub use compare::Contradiction;
use lab_invocation::Bytes;
use lab_invocation::invocation::ScriptEnd;
use lab_model::configure::Answer;
use lab_model::exec::Kernel;
use lab_model::{Decision, Outcome, Rules};

/// What must come out of a case, by the model.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// The decision, with its reason and what the script finds.
    pub decision: Decision,
    /// What the tool must say and write, where the subject is the tool.
    pub tool: Option<Answer>,
    /// Why the model cannot know all: system calls that are made to fail, limits on which the C library and the wrapper
    /// depend. What it says is then what would happen without them; with them a refusal may take its place, but never
    /// an admission that of a refusal.
    pub beyond: Option<String>,
    /// How the script ends, if one starts: exec makes its end the subject's.
    pub script_end: ScriptEnd,
}

impl Prediction {
    /// The outcome's name: `admitted`, `mismatch` …
    pub fn outcome(&self) -> &'static str {
        self.decision.outcome.name()
    }

    /// Whether the script starts.
    pub fn starts(&self) -> bool {
        self.decision.child.is_some()
    }

    /// Exit status: of a refusal, or the script's own; `None` where there is none or the model does not know it.
    pub fn exit(&self) -> Option<u8> {
        match (self.decision.outcome, self.script_end) {
            (Outcome::Admitted, ScriptEnd::Exit(status)) => Some(status),
            (Outcome::Admitted, ScriptEnd::Signal(_)) => None,
            _ => self.decision.exit,
        }
    }

    /// The signal by which the subject ends: its script's.
    pub fn signal(&self) -> Option<u32> {
        match (self.decision.outcome, self.script_end) {
            (Outcome::Admitted, ScriptEnd::Signal(signal)) => Some(signal),
            _ => None,
        }
    }

    /// Decision and ids as an outcome: how the subject ends, whether the script starts, and with which groups. Wording,
    /// environment and process state are left open.
    pub fn decisions(&self) -> case::Outcome {
        let script = match &self.decision.child {
            None => Script { started: Some(false), ..Script::default() },
            Some(child) => {
                let gid = &child.process.gid;
                Script {
                    started: Some(true),
                    real_gid: start::seen_gid(&child.process, gid.real),
                    effective_gid: start::seen_gid(&child.process, gid.effective),
                    saved_gid: start::seen_gid(&child.process, gid.saved),
                    ..Script::default()
                }
            }
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        if let Some(tool) = &self.tool {
            if tool.done { &mut stdout } else { &mut stderr }.clone_from(&tool.says);
        }
        case::Outcome {
            stdout,
            stderr,
            changes: self.tool.as_ref().map(|tool| tool.writes.keys().map(|path| Bytes(path.clone())).collect()),
            exit: self.exit(),
            signal: self.signal(),
            exec_error: self.decision.exec_error,
            ended_before_main: self.decision.outcome == Outcome::EndedBeforeMain,
            script: Some(script),
            ..case::Outcome::default()
        }
    }

    /// Why, as a sentence.
    pub fn because(&self) -> &str {
        &self.decision.because
    }
}

/// Predicts a case by the rules of our own wrappers, or by those of a profile. The kernel is the newest whose rules are
/// known; what older ones do otherwise is a capability (`member-rule`), without which a case is not asked.
pub fn predict(case: &Case, profile: Option<&Profile>) -> Prediction {
    if case.subject.is_tool() {
        return start::tool(case);
    }
    let rules = match profile.and_then(|profile| profile.rules(case)) {
        None => Rules::Sealed,
        Some(foreign) => Rules::Foreign(Box::new(foreign)),
    };
    let installation = start::installation(case);
    let invoker = start::invoker(case);
    let policy = start::policy(&case.subject.policy);
    let start = lab_model::Start {
        installation: &installation,
        invoker: &invoker,
        policy: &policy,
        rules: &rules,
        kernel: Kernel::LATEST,
    };
    let decision = lab_model::decide(&start);
    Prediction { decision, tool: None, beyond: start::beyond(case), script_end: case.invocation.script_end }
}

/// Where a case states something else than the model predicts.
pub fn contradictions(case: &Case, prediction: &Prediction) -> Vec<Contradiction> {
    compare::compare(case, prediction)
}

/// The names of variables that a wrapper sealed like this passes on, where the caller has them.
pub fn kept(policy: &case::Policy) -> Vec<Bytes> {
    start::policy(policy).keep.into_iter().map(Bytes).collect()
}

/// How many cases of a suite the model knows only in part.
pub fn partly_known(suite: &Suite) -> usize {
    suite.cases.iter().filter(|case| start::beyond(case).is_some()).count()
}

/// Compares every case of a suite with its prediction.
pub fn check(suite: &Suite) -> Vec<Report> {
    let mut reports = Vec::new();
    for case in &suite.cases {
        let prediction = predict(case, None);
        let found = contradictions(case, &prediction);
        let (Some(place), false) = (suite.place(&case.id), found.is_empty()) else { continue };
        let title = format!("{}: \"{}\" is not what must happen", case.id, case.expected);
        let mut report = Report::new(&place.source, place.span.clone(), title, "by the model this is another outcome");
        for contradiction in found {
            report = report.help(contradiction.to_string());
        }
        let because = format!("the model says {}: {}", prediction.outcome(), prediction.because());
        let beyond = prediction.beyond.map(|beyond| format!("the model knows only a part of this case: {beyond}"));
        reports.push(report.help(because).maybe_help(beyond));
    }
    reports
}
