//! What the findings ask of a failed case. Each answer is an observation, or a fact of the case; none is a guess.

use super::bit::{self, Bit};
use crate::case::{Case, Outcome, Style};
use crate::scenario::{accounts, vocabulary};
use crate::verdict::Difference;
use crate::{judge, predict};
use lab_invocation::evidence::{End, WitnessReport};
use lab_invocation::invocation::{Cwd, ScriptEnd, Stdin};
use lab_invocation::{Bytes, Credentials, Evidence, Gid, Invocation};
use lab_model::Outcome as Decided;
use std::collections::BTreeSet;

/// One failed case with everything that was seen of it.
pub(super) struct Facts<'a> {
    /// The case.
    pub(super) case: &'a Case,
    /// What must come out of it.
    pub(super) wanted: Outcome,
    /// The exit status of the refusal that must come, as Mailman numbers them: also where the style makes it 75.
    pub(super) wanted_status: Option<u8>,
    /// What was observed.
    pub(super) evidence: &'a Evidence,
    /// Where that is not what must be.
    pub(super) differences: &'a [Difference],
}

impl<'a> Facts<'a> {
    /// Everything about a failed case.
    pub(super) fn new(case: &'a Case, evidence: &'a Evidence, differences: &'a [Difference]) -> Self {
        let wanted = judge::wanted(case);
        let wanted_status = match (wanted.exit, &case.profile) {
            (Some(TRY_AGAIN), None) => status_of(predict::predict(case, None).decision.outcome),
            // A foreign wrapper numbers its refusals as its profile says; what the case expects has the model's name.
            (exit, Some(_)) => Decided::from_name(&case.expected).map_or(exit, status_of),
            (exit, None) => exit,
        };
        Self { case, wanted, wanted_status, evidence, differences }
    }

    /// The command that opens a shell where the case took place, or runs a command there: paths and accounts of a case are
    /// those of its sandbox, and nothing of the host.
    pub(super) fn in_shell(&self, command: &str) -> String {
        let id = &self.case.id;
        if command.is_empty() { format!("lab shell {id}") } else { format!("lab shell {id} -- {command}") }
    }

    /// The group that the subject was sealed to trust.
    pub(super) fn trusted(&self) -> Gid {
        self.case.subject.policy.trusts.gid
    }

    /// The subject's own group, as it was sealed.
    pub(super) fn own(&self) -> Gid {
        self.case.subject.policy.own.gid
    }

    /// Credentials of the launcher, read back just before exec.
    pub(super) fn invoker(&self) -> Option<&'a Credentials> {
        self.evidence.invoker.credentials.as_ref()
    }

    /// The invoker's real gid, as it was observed.
    pub(super) fn real(&self) -> Option<Gid> {
        self.invoker().map(|credentials| credentials.gid.real)
    }

    /// Whether set-group-ID acted, seen from outside.
    pub(super) fn bit(&self) -> Bit {
        bit::observe(self.case, self.evidence)
    }

    /// The subject's effective gid once it runs: its file's group where the bit acted, else the invoker's.
    pub(super) fn effective_after_exec(&self) -> Option<Gid> {
        bit::effective_after_exec(self.case, self.evidence)
    }

    /// The script's report, if a script started.
    pub(super) fn script(&self) -> Option<&'a WitnessReport> {
        self.evidence.witness.first()
    }

    /// Whether a script started.
    pub(super) fn started(&self) -> bool {
        self.script().is_some() || self.evidence.witness_unfinished > 0
    }

    /// Whether a script started in another process, and the subject itself then ended as a refusal does.
    pub(super) fn refused_after_start(&self) -> bool {
        let own = |exit| self.case.invocation.script_end != ScriptEnd::Exit(exit);
        self.script().is_some_and(|script| !script.same_process)
            && self.exit().is_some_and(|exit| exit != 0 && own(exit))
    }

    /// Whether the subject admitted its caller: a script started, and it did not refuse afterwards.
    pub(super) fn admitted(&self) -> bool {
        self.started() && !self.refused_after_start()
    }

    /// Exit status, if the subject ended by exit.
    pub(super) fn exit(&self) -> Option<u8> {
        match self.evidence.end {
            Some(End::Exited(status)) => Some(status),
            _ => None,
        }
    }

    /// Whether the case wants the script started.
    pub(super) fn wants_start(&self) -> bool {
        wants_start(&self.wanted)
    }

    /// Whether the case wants the subject to refuse, and no script.
    pub(super) fn wants_refusal(&self) -> bool {
        wants_refusal(&self.wanted)
    }

    /// Whether the case wants its caller refused for its group.
    pub(super) fn wants_mismatch(&self) -> bool {
        self.wants_refusal() && matches!(self.wanted_status, Some(2 | 8))
    }

    /// Exit status of the refusal that was seen, as Mailman numbers them; where the style makes them 75, by the words.
    pub(super) fn refusal(&self) -> Option<u8> {
        let status = self.exit().filter(|_| !self.started())?;
        if status != TRY_AGAIN || self.case.subject.policy.refusal != Style::Defer {
            return Some(status);
        }
        let by_words = [
            ("not running set-group-id", 9),
            ("group mismatch", 2),
            ("no name", 8),
            ("give up a group", 3),
            ("switch", 3),
            ("cannot start", 4),
            ("process could not be made safe", 11),
            ("hard limit", 11),
        ];
        by_words.iter().find(|(words, _)| self.says(words)).map(|(_, status)| *status)
    }

    /// Whether the subject refused its caller for its group.
    pub(super) fn refused_for_group(&self) -> bool {
        matches!(self.refusal(), Some(2 | 8))
    }

    /// Whether the subject got past the question who its caller is: a script started, or it refused for something that
    /// comes after: 3, 4, 5 or 6. A usage error may also come too early.
    pub(super) fn came_past_the_caller(&self) -> bool {
        self.admitted() || matches!(self.refusal(), Some(3..=6))
    }

    /// Whether what was seen is an answer about arguments, which a careless wrapper gives before any other question.
    pub(super) fn answered_arguments(&self) -> bool {
        matches!(self.refusal(), Some(5 | 6))
    }

    /// Everything that the subject said: standard error, standard output, log.
    pub(super) fn outputs(&self) -> impl Iterator<Item = (&'static str, &'a Bytes)> {
        let evidence = self.evidence;
        [("standard error", &evidence.stderr.bytes), ("standard output", &evidence.stdout.bytes)]
            .into_iter()
            .chain(evidence.syslog.iter().map(|line| ("syslog", line)))
    }

    /// Whether the subject said this, in any case of letters.
    pub(super) fn says(&self, words: &str) -> bool {
        let wanted = words.to_lowercase();
        self.outputs().any(|(_, bytes)| String::from_utf8_lossy(bytes.as_slice()).to_lowercase().contains(&wanted))
    }

    /// Whether the subject's text names this group: its number stands there as a word, or its name in quotes. A bare
    /// name is not enough: groups are called `mail` and `list`, and so are things in any refusal.
    pub(super) fn names_group(&self, gid: Gid) -> bool {
        let number = gid.to_string();
        let quoted = self.case.names.groups.get(&gid).map(|name| format!("\"{name}\""));
        self.outputs().any(|(_, bytes)| {
            let text = String::from_utf8_lossy(bytes.as_slice());
            text.split(|c: char| !c.is_alphanumeric()).any(|word| word == number)
                || quoted.as_ref().is_some_and(|quoted| text.contains(quoted.as_str()))
        })
    }

    /// The caller's group by the user database, which has no say in what it is.
    pub(super) fn group_by_user(&self) -> Option<Gid> {
        accounts::primary_group(&self.case.layout, self.invoker()?.uid.real)
    }

    /// `list 38`.
    pub(super) fn group(&self, gid: Gid) -> String {
        self.case.names.group(gid)
    }

    /// Groups as a list with names, `none` for an empty one.
    pub(super) fn groups(&self, gids: &[Gid]) -> String {
        if gids.is_empty() {
            return "none".to_owned();
        }
        gids.iter().map(|&gid| self.group(gid)).collect::<Vec<_>>().join(", ")
    }

    /// The invoker's groups in words, for an observation.
    pub(super) fn invoker_text(&self) -> String {
        self.invoker().map_or_else(
            || "not observed".to_owned(),
            |c| {
                format!(
                    "real gid {}, effective gid {}, supplementary groups {}",
                    self.group(c.gid.real),
                    self.group(c.gid.effective),
                    self.groups(&c.groups)
                )
            },
        )
    }

    /// How the subject ended, in words.
    pub(super) fn end_text(&self) -> String {
        match self.evidence.end {
            Some(End::Exited(status)) => format!("exit {status}"),
            Some(End::Signaled { signal, core: true }) => format!("killed by {}, core dumped", signal_text(signal)),
            Some(End::Signaled { signal, core: false }) => format!("killed by {}", signal_text(signal)),
            Some(End::TimedOut) => format!("still running after {} ms", self.case.invocation.deadline_ms),
            None => "did not run".to_owned(),
        }
    }

    /// How the script was told to end, in words.
    pub(super) fn script_end_text(&self) -> String {
        match self.case.invocation.script_end {
            ScriptEnd::Exit(status) => format!("exit {status}"),
            ScriptEnd::Signal(signal) => vocabulary::signal_name(signal),
        }
    }

    /// What became of the script, in words.
    pub(super) fn script_text(&self) -> String {
        match self.evidence.witness.as_slice() {
            [] if self.started() => "the script started, and ended before it could report".to_owned(),
            [] => "the script did not start".to_owned(),
            [one] => format!(
                "the script started as gid {} / {} / {} (real / effective / saved)",
                self.group(one.credentials.gid.real),
                self.group(one.credentials.gid.effective),
                self.group(one.credentials.gid.saved)
            ),
            many => format!("the script started {} times", many.len()),
        }
    }
}

/// EX_TEMPFAIL of sysexits.h.
const TRY_AGAIN: u8 = 75;

/// The exit status of an outcome in the style of Mailman.
const fn status_of(outcome: Decided) -> Option<u8> {
    match outcome {
        Decided::Mismatch => Some(2),
        Decided::IdsNotSet => Some(3),
        Decided::ExecFailed => Some(4),
        Decided::Usage => Some(5),
        Decided::UnknownCommand => Some(6),
        Decided::Nameless => Some(8),
        Decided::NotPrivileged => Some(9),
        Decided::BadPolicy => Some(10),
        Decided::UnsafeProcess => Some(11),
        Decided::Admitted
        | Decided::ExecRefused
        | Decided::EndedBeforeMain
        | Decided::Configured
        | Decided::NotConfigured => None,
    }
}

/// Whether the script has to start.
pub(super) fn wants_start(wanted: &Outcome) -> bool {
    wanted.script.as_ref().and_then(|script| script.started) == Some(true)
}

/// Whether the subject has to refuse, and no script may start.
pub(super) fn wants_refusal(wanted: &Outcome) -> bool {
    let no_script = wanted.script.as_ref().and_then(|script| script.started) == Some(false);
    no_script && wanted.exit != Some(0) && !wanted.ended_before_main
}

/// A signal with its number: `SIGPIPE 13`.
pub(super) fn signal_text(number: u32) -> String {
    match vocabulary::signal_name(number) {
        name if name.starts_with("SIG") => format!("{name} {number}"),
        _ => format!("signal {number}"),
    }
}

/// Signals as a list.
pub(super) fn signals(set: &BTreeSet<u32>) -> String {
    set.iter().map(|&number| signal_text(number)).collect::<Vec<_>>().join(", ")
}

/// What about an invocation is not as a careful mail server leaves it, in words. Arguments count as unusual where there
/// are none, where they are not UTF-8, or where one is longer than a page.
pub(super) fn unusual(invocation: &Invocation) -> Vec<String> {
    let quiet = Invocation::quiet(invocation.program.clone(), invocation.identity.clone());
    let mut list = Vec::new();
    let mut note = |holds: bool, what: String| {
        if holds {
            list.push(what);
        }
    };
    let strings = || invocation.argv.iter().chain(&invocation.env);
    let longest = strings().map(|text| text.0.len()).max().unwrap_or(0);
    let (given, usual) = (&invocation.signals, &quiet.signals);
    note(invocation.argv.is_empty(), "an empty argument vector".to_owned());
    note(strings().any(|text| std::str::from_utf8(&text.0).is_err()), "bytes that are not UTF-8".to_owned());
    note(longest > 4096, format!("a string of {longest} bytes"));
    note(invocation.argv.len() > 64, format!("{} arguments", invocation.argv.len()));
    note(invocation.env != quiet.env, format!("{} environment entries", invocation.env.len()));
    for (number, what) in &invocation.descriptors {
        note(true, format!("descriptor {number} is {what:?}"));
    }
    note(!matches!(invocation.stdin, Stdin::Bytes(_)), format!("standard input is {:?}", invocation.stdin));
    note(invocation.umask != quiet.umask, format!("umask {:03o}", invocation.umask));
    note(
        !matches!(&invocation.cwd, Cwd::Path(path) if path.0 == b"/"),
        format!("working directory {:?}", invocation.cwd),
    );
    for limit in &invocation.limits {
        let soft = limit.soft.map_or_else(|| "unlimited".to_owned(), |soft| soft.to_string());
        let name = vocabulary::name(vocabulary::LIMITS, limit.resource).unwrap_or("unknown");
        note(true, format!("RLIMIT_{} {soft}", name.to_uppercase()));
    }
    note(given.ignored != usual.ignored, format!("ignored signals {}", signals(&given.ignored)));
    note(given.blocked != usual.blocked, format!("blocked signals {}", signals(&given.blocked)));
    note(given.pending != usual.pending, format!("pending signals {}", signals(&given.pending)));
    note(invocation.alarm_seconds.is_some(), "a running alarm".to_owned());
    note(!invocation.processor_timers.is_empty(), "a running timer of processor time".to_owned());
    note(invocation.timer_slack_ns.is_some(), "another timer slack".to_owned());
    note(invocation.scheduling != quiet.scheduling, "another scheduler, nice value or set of processors".to_owned());
    note(invocation.own_process_group, "a process group of its own".to_owned());
    note(invocation.script_end != quiet.script_end, "a script that does not end with 0".to_owned());
    note(invocation.transition != quiet.transition, "process attributes that switch set-group-ID off".to_owned());
    note(invocation.capabilities != quiet.capabilities, "capabilities".to_owned());
    for fault in &invocation.faults {
        note(true, format!("{}(2) made to fail", fault.call));
    }
    list
}
