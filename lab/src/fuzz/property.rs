//! What must hold of every execution, whatever the attempt and whatever the model says: asked of what was observed, in the
//! order of the list. The names are those of the fuzz targets in process (`fuzz/checks/src/properties.rs`), where an
//! execution can be asked the same; a finding is called by the first that does not hold.

use crate::case::{Case, Kind};
use crate::predict::Prediction;
use lab_invocation::evidence::{Capture, End, WitnessReport};
use lab_invocation::invocation::Descriptor;
use lab_invocation::{Bytes, Evidence};
use lab_model::Outcome;
use std::collections::BTreeSet;

/// What a property is asked about.
pub(super) struct Question<'a> {
    pub(super) case: &'a Case,
    pub(super) prediction: &'a Prediction,
    pub(super) evidence: &'a Evidence,
}

/// What it says: `None` where this execution does not exercise it.
type Answer = Option<bool>;

/// One property.
pub(super) struct Property {
    /// Its stable name.
    pub(super) id: &'static str,
    /// Whether it is asked of foreign wrappers too: it supposes nothing of what is sealed.
    pub(super) of_any: bool,
    pub(super) holds: fn(&Question<'_>) -> Answer,
}

/// Everything that is asked of an execution by itself.
pub(super) const PROPERTIES: [Property; 9] = [
    Property { id: "P01", of_any: false, holds: the_real_gid_is_the_trusted_one },
    Property { id: "P02", of_any: false, holds: the_command_is_on_the_list },
    Property { id: "P03", of_any: false, holds: the_environment_is_on_the_list },
    Property { id: "P04", of_any: false, holds: the_arguments_are_those_that_were_given },
    Property { id: "P05", of_any: false, holds: a_refusal_is_one_printable_line },
    Property { id: "P06", of_any: true, holds: the_end_is_a_documented_exit },
    Property { id: "P07", of_any: true, holds: a_refusal_changes_nothing },
    Property { id: "P10", of_any: true, holds: time_and_output_are_bounded },
    Property { id: "P16", of_any: false, holds: the_script_has_three_descriptors },
];

/// The execution is as the model says, verdict, reason and all of what is started: the lab's judge.
pub(super) const MODEL: &str = "P11";
/// The same start comes out the same; asked of some.
pub(super) const AGAIN: &str = "P17";

/// All `PATH` that a script gets: the manual pages, ENVIRONMENT.
const PATH: &[u8] = b"PATH=/usr/bin:/bin";
/// Longest refusal in bytes, its line feed included: the manual pages, DIAGNOSTICS.
const LONGEST: usize = 900;
/// Exit statuses of refusals: the manual pages, EXIT STATUS; 75 where the mail wrapper is sealed to defer.
const REFUSALS: [u8; 9] = [2, 3, 4, 5, 6, 8, 9, 10, 11];

fn script<'a>(question: &Question<'a>) -> Option<&'a WitnessReport> {
    question.evidence.witness.first()
}

/// Ended by itself with a status that is no success, and no script started.
fn refused(question: &Question<'_>) -> Option<u8> {
    let evidence = question.evidence;
    match evidence.end {
        Some(End::Exited(status @ 1..)) if evidence.witness.is_empty() && evidence.witness_unfinished == 0 => {
            Some(status)
        }
        _ => None,
    }
}

/// P01. Whoever is admitted has the trusted gid as real gid; effective, saved and supplementary gids never count.
fn the_real_gid_is_the_trusted_one(question: &Question<'_>) -> Answer {
    script(question)?;
    Some(question.case.invocation.identity.gid == question.case.subject.policy.trusts.gid)
}

/// P02. The command that is started is, byte for byte, one of the sealed list.
fn the_command_is_on_the_list(question: &Question<'_>) -> Answer {
    script(question)?;
    let (policy, argv) = (&question.case.subject.policy, &question.case.invocation.argv);
    (policy.kind == Kind::Mail).then(|| argv.get(1).is_some_and(|asked| policy.commands.contains(asked)))
}

/// P03. The environment is the constant PATH, and of the sealed names at most one entry each, the first that the caller
/// gave, unmodified.
fn the_environment_is_on_the_list(question: &Question<'_>) -> Answer {
    let script = script(question)?;
    let kept = crate::predict::kept(&question.case.subject.policy);
    let given = &question.case.invocation.env;
    let mut names = BTreeSet::new();
    let each = script.env.iter().all(|entry| {
        let entry = entry.as_slice();
        let Some(end) = entry.iter().position(|&byte| byte == b'=') else { return false };
        let name = &entry[..end];
        let first = || {
            given.iter().find(|other| other.as_slice().strip_prefix(name).is_some_and(|rest| rest.starts_with(b"=")))
        };
        names.insert(name)
            && match name {
                b"PATH" => entry == PATH,
                _ => {
                    kept.iter().any(|kept| kept.as_slice() == name)
                        && first().is_some_and(|first| first.as_slice() == entry)
                }
            }
    });
    Some(each && names.contains(b"PATH".as_slice()))
}

/// P04. The arguments after the command reach the script as they were given; a page gets its name and nothing of the
/// caller's.
fn the_arguments_are_those_that_were_given(question: &Question<'_>) -> Answer {
    let script = script(question)?;
    let (policy, given) = (&question.case.subject.policy, &question.case.invocation.argv);
    let (name, rest) = match &policy.script {
        Some(page) => ("driver".into(), vec![page]),
        None => (given.get(1).cloned().unwrap_or_default(), given.iter().skip(2).collect()),
    };
    let path = [policy.prefix.as_slice(), b"/scripts/", name.as_slice()].concat();
    Some(script.argv.iter().eq([&Bytes(path)].into_iter().chain(rest)))
}

/// P05. A refusal is one line of printable ASCII of bounded length, in the system log too; a page is printable text.
fn a_refusal_is_one_printable_line(question: &Question<'_>) -> Answer {
    refused(question)?;
    let evidence = question.evidence;
    let printable =
        |text: &[u8], also: &[u8]| text.iter().all(|byte| matches!(byte, b' '..=b'~') || also.contains(byte));
    let line = |text: &[u8]| text.len() <= LONGEST && printable(text.strip_suffix(b"\n").unwrap_or(text), b"");
    let said = line(evidence.stderr.bytes.as_slice()) && evidence.syslog.iter().all(|text| line(text.as_slice()));
    Some(said && printable(evidence.stdout.bytes.as_slice(), b"\r\n"))
}

/// P06. It ends by exit, and a refusal with a documented status.
fn the_end_is_a_documented_exit(question: &Question<'_>) -> Answer {
    // Before `main` the C library ends it as it likes, and the model says where that may be.
    if question.prediction.beyond.is_some() || question.prediction.decision.outcome == Outcome::EndedBeforeMain {
        return None;
    }
    let own = question.case.profile.is_none();
    match question.evidence.end? {
        End::Signaled { .. } => Some(false),
        End::Exited(status) if own => {
            refused(question)?;
            Some(REFUSALS.contains(&status))
        }
        End::Exited(_) => Some(true),
        End::TimedOut => None,
    }
}

/// P07. A refusal changes no file, save what the invoker itself opened for the subject.
fn a_refusal_changes_nothing(question: &Question<'_>) -> Answer {
    refused(question)?;
    let opened = |path| {
        let descriptors = &question.case.invocation.descriptors;
        descriptors.iter().any(|(_, descriptor)| matches!(descriptor, Descriptor::File(file) if file == path))
    };
    Some(question.evidence.changes.iter().all(|change| opened(&change.path)))
}

/// P10. It ends in time, says little, starts at most one script, and leaves no process.
fn time_and_output_are_bounded(question: &Question<'_>) -> Answer {
    let evidence = question.evidence;
    let end = evidence.end?;
    let short = |capture: &Capture| !capture.truncated();
    let starts = evidence.witness.len() as u64 + u64::from(evidence.witness_unfinished);
    Some(
        end != End::TimedOut
            && short(&evidence.stdout)
            && short(&evidence.stderr)
            && evidence.syslog_total <= evidence.syslog.len() as u64
            && starts <= 1
            && evidence.strays == 0,
    )
}

/// P16. The script gets descriptors 0, 1 and 2, and no other.
fn the_script_has_three_descriptors(question: &Question<'_>) -> Answer {
    let numbers: BTreeSet<u32> = script(question)?.descriptors.iter().map(|descriptor| descriptor.number).collect();
    Some(numbers == BTreeSet::from([0, 1, 2]))
}
