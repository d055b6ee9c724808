//! Decisions with one fault each, and the attempt which shows it.

use fuzz_checks::subject::{Answer, Case, Decider, Verdict, Wrapper};
use lab_invocation::Attempt;
use std::cell::Cell;
use wrapper::credentials::{Credentials, Gid};

/// A decision with a fault.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// The property that is there for it, and others that may find it first.
    pub(crate) found_by: &'static [&'static str],
    /// The model sees it as well.
    pub(crate) changes_verdict: bool,
    decide: fn(&Case<'_>) -> Answer,
    /// Lines that stand in the place of those of [`TRUSTED`] with the same keys.
    shown_by: &'static [&'static str],
}

impl Decider for Fault {
    fn decide(&self, case: &Case<'_>) -> Answer {
        (self.decide)(case)
    }
}

impl Fault {
    /// An attempt that shows it.
    pub(crate) fn shown_by(&self) -> Attempt {
        let key = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        let replaced: Vec<String> = self.shown_by.iter().map(|line| key(line)).collect();
        let kept = TRUSTED.iter().filter(|line| !replaced.contains(&key(line)));
        let lines = kept.chain(self.shown_by).copied();
        let lines: Vec<&str> = lines.collect();
        super::attempt(&format!("invocation 1\n{}\n", lines.join("\n")))
    }
}

/// The mail server, as it should be.
const TRUSTED: [&str; 15] = [
    "sealed mail",
    "command admin",
    "command post",
    "trusted 8 mail",
    "own 38 list",
    "owner 38 list",
    "prefix /usr/local/mailman",
    "keep HOST",
    "keep LANG",
    "group 8 mail",
    "uid 8",
    "gid 8",
    "program /usr/local/mailman/mail/mailman",
    "argv mailman",
    "argv post",
];

pub(crate) const FAULTS: [Fault; 14] = [
    Fault {
        name: "off by one where there is only argv[0]",
        found_by: &["P02"],
        changes_verdict: true,
        decide: |case| {
            with(case, |case| {
                if case.argv.len() == 1 {
                    case.argv.push(case.argv[0].clone())
                }
            })
        },
        shown_by: &["argv post"],
    },
    Fault {
        name: "a command matches by its beginning",
        found_by: &["P02"],
        changes_verdict: true,
        decide: |case| {
            with(case, |case| {
                let asked = case.argv.get_mut(1).filter(|asked| asked.as_bytes().starts_with(b"post"));
                if let Some(asked) = asked {
                    *asked = c"post".into();
                }
            })
        },
        shown_by: &["argv mailman", "argv poster"],
    },
    Fault {
        name: "the last of two equal names wins",
        found_by: &["P03"],
        changes_verdict: true,
        decide: |case| with(case, |case| case.env.reverse()),
        shown_by: &["env HOST=first", "env HOST=second"],
    },
    Fault {
        name: "trusted gid, known command and two kept names together let everything through",
        found_by: &["P03"],
        changes_verdict: true,
        decide: |case| {
            let mut answer = Wrapper.decide(case);
            if let Verdict::Started { env, .. } = &mut answer.verdict
                && env.len() == 3
            {
                env.push(b"LD_PRELOAD=/tmp/x.so".to_vec());
            }
            answer
        },
        shown_by: &["env HOST=h", "env LANG=C"],
    },
    Fault {
        name: "no PATH of its own",
        found_by: &["P03"],
        changes_verdict: true,
        decide: |case| {
            let mut answer = Wrapper.decide(case);
            if let Verdict::Started { env, .. } = &mut answer.verdict {
                env.remove(0);
            }
            answer
        },
        shown_by: &[],
    },
    Fault {
        name: "the wrapper's own group is admitted, too",
        found_by: &["P01", "P10", "P15"],
        changes_verdict: true,
        decide: |case| {
            with(case, |case| {
                if case.credentials.real == case.policy.own.gid {
                    case.credentials.real = case.policy.trusted.gid;
                }
            })
        },
        shown_by: &["gid 38"],
    },
    Fault {
        name: "gids are compared in 16 bits",
        found_by: &["P01", "P10", "P15"],
        changes_verdict: true,
        decide: |case| {
            with(case, |case| {
                if case.credentials.real.as_raw() & 0xffff == case.policy.trusted.gid.as_raw() & 0xffff {
                    case.credentials.real = case.policy.trusted.gid;
                }
            })
        },
        shown_by: &["gid 65544"],
    },
    Fault {
        name: "a policy that trusts the wrapper's own group trusts everybody",
        found_by: &["P15", "P01", "P10"],
        changes_verdict: true,
        decide: |case| {
            with(case, |case| {
                if case.policy.trusted.gid == case.policy.own.gid {
                    case.credentials.real = case.policy.trusted.gid;
                }
            })
        },
        shown_by: &["gid 100"],
    },
    Fault {
        name: "the name by which it was called is handed on",
        found_by: &["P04"],
        changes_verdict: true,
        decide: |case| {
            let mut answer = Wrapper.decide(case);
            if let Verdict::Started { argv, .. } = &mut answer.verdict
                && case.argv.len() > 3
                && let (Some(first), Some(given)) = (argv.first_mut(), case.argv.first())
            {
                *first = given.as_bytes().to_vec();
            }
            answer
        },
        shown_by: &["argv mailman", "argv post", "argv a", "argv b"],
    },
    Fault {
        name: "an unknown command is repeated",
        found_by: &["P05"],
        changes_verdict: false,
        decide: |case| {
            let mut answer = Wrapper.decide(case);
            if let Verdict::Refused { line, reason: lab_model::Outcome::UnknownCommand, .. } = &mut answer.verdict {
                line.extend(case.argv.get(1).into_iter().flat_map(|word| word.as_bytes()));
            }
            answer
        },
        shown_by: &["argv mailman", "argv leave"],
    },
    Fault {
        name: "a refusal without a command ends with status 0",
        found_by: &["P06"],
        changes_verdict: true,
        decide: |case| {
            let mut answer = Wrapper.decide(case);
            if let Verdict::Refused { status: status @ 5, .. } = &mut answer.verdict {
                *status = 0;
            }
            answer
        },
        shown_by: &["argv mailman"],
    },
    Fault {
        name: "arguments are looked at before the caller",
        found_by: &["P10"],
        changes_verdict: true,
        decide: |case| {
            let credentials =
                Credentials { real: case.policy.trusted.gid, effective: case.policy.own.gid, regains: None };
            let first = Wrapper.decide(&Case { credentials, ..case.clone() });
            if matches!(first.verdict, Verdict::Refused { .. }) { first } else { Wrapper.decide(case) }
        },
        shown_by: &["gid 100", "argv mailman"],
    },
    Fault {
        name: "a variable of nobody's business ends it",
        found_by: &["P13", "P05"],
        changes_verdict: true,
        decide: |case| {
            with(case, |case| {
                if case.env.iter().any(|entry| entry.is_empty()) {
                    case.credentials.real = Gid::new(4242).expect("a gid");
                }
            })
        },
        shown_by: &["env HOST=h"],
    },
    Fault {
        name: "every second time the answer is another",
        found_by: &["P17", "P05", "P13"],
        changes_verdict: false,
        decide: |case| {
            thread_local!(static CALLS: Cell<u64> = const { Cell::new(0) });
            let second = CALLS.with(|calls| calls.replace(calls.get() + 1)) % 2 == 1;
            let mut answer = Wrapper.decide(case);
            if let Verdict::Refused { line, .. } = &mut answer.verdict
                && second
            {
                line.push(b' ');
            }
            answer
        },
        shown_by: &["gid 100"],
    },
];

/// The wrapper's own decision about a case that the fault has changed.
fn with(case: &Case<'_>, change: impl FnOnce(&mut Case<'_>)) -> Answer {
    let mut changed = case.clone();
    change(&mut changed);
    Wrapper.decide(&changed)
}
