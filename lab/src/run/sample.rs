//! A case, its evidence and its end, for tests of this crate.

use crate::case::{Case, CaseId, Group, Kind, Names, Outcome, Policy, ScenarioInfo, Script, Sealing, Style, Subject};
use crate::run::event::CaseFinished;
use crate::verdict::Verdict;
use lab_invocation::evidence::{Capture, End, InvokerState, Place, Stage, WitnessReport};
use lab_invocation::ids::Ids;
use lab_invocation::layout::Order;
use lab_invocation::{Credentials, Evidence, Gid, Identity, Invocation, Layout, Uid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A case of this scenario: `nobody:mail` starts a mail wrapper which trusts `mail`, and is admitted.
pub(crate) fn case(scenario: &str, name: &str) -> Case {
    let gid = |number| Gid::new(number).expect("is a group");
    let uid = |number| Uid::new(number).expect("is a user");
    let group = |number, name: &str| Group { gid: gid(number), name: name.to_owned() };
    let path = lab_invocation::Bytes::from("/usr/local/mailman/mail/mailman");
    Case {
        id: CaseId(format!("{scenario}/{name}")),
        name: name.to_owned(),
        sources: Vec::new(),
        scenario: Arc::new(ScenarioInfo {
            id: scenario.to_owned(),
            title: format!("Title of {scenario}"),
            why: "Because.".to_owned(),
            sources: vec!["mailman.md A3".to_owned()],
            matrix: None,
        }),
        cell: None,
        control: false,
        needs: BTreeSet::new(),
        subject: Subject {
            program: "mail-wrapper".to_owned(),
            policy: Policy {
                kind: Kind::Mail,
                trusts: group(8, "mail"),
                own: group(38, "list"),
                owner: (uid(38), "list".to_owned()),
                prefix: "/usr/local/mailman".into(),
                interpreter: None,
                commands: vec!["post".into()],
                script: None,
                keep: None,
                refusal: Style::Mailman,
                condition: Sealing::Sound,
            },
            path: path.clone(),
            owner: Uid::ROOT,
            group: gid(38),
            mode: 0o2755,
            order: Order::ChownThenChmod,
            links: Vec::new(),
        },
        layout: Layout::default().into(),
        invocation: Invocation::quiet(
            path,
            Identity {
                uid: uid(65534),
                effective_uid: uid(65534),
                gid: gid(8),
                effective_gid: gid(8),
                groups: BTreeSet::new(),
            },
        )
        .into(),
        expected: "admitted".to_owned(),
        outcome: Outcome {
            exit: Some(0),
            script: Some(Script { started: Some(true), ..Script::default() }),
            ..Outcome::default()
        }
        .into(),
        profile: None,
        names: Names {
            users: BTreeMap::from([(uid(65534), "nobody".to_owned())]),
            groups: BTreeMap::from([(gid(8), "mail".to_owned()), (gid(38), "list".to_owned())]),
        },
    }
}

/// A finished case with this verdict.
pub(crate) fn finished(scenario: &str, name: &str, verdict: Verdict) -> CaseFinished {
    let case = case(scenario, name);
    CaseFinished {
        id: case.id,
        name: case.name,
        scenario: scenario.to_owned(),
        cell: None,
        control: false,
        sources: Vec::new(),
        needs: case.needs,
        subject: case.subject,
        sealed: None,
        setting: 0,
        invocation: case.invocation,
        expected: case.expected,
        profile: None,
        outcome: case.outcome,
        verdict,
        evidence: None,
        probes: None,
        ledger: None,
        diagnoses: Vec::new(),
        runs: 1,
        ms: 1.25,
    }
}

/// Evidence of a subject that ended like this; with status 0 one script started.
pub(crate) fn evidence(end: End) -> Evidence {
    let gid = |number| Gid::new(number).expect("is a group");
    let uid = |number| Uid::new(number).expect("is a user");
    let ids = |gid: [Gid; 3], uid: Uid| Credentials {
        uid: Ids { real: uid, effective: uid, saved: uid, fs: uid },
        gid: Ids { real: gid[0], effective: gid[1], saved: gid[2], fs: gid[1] },
        groups: Vec::new(),
    };
    let witness = WitnessReport {
        pid: 3,
        same_process: true,
        exec_path: "/usr/local/mailman/scripts/post".into(),
        argv: ["post".into()].into(),
        env: vec!["PATH=/usr/bin:/bin".into()],
        credentials: ids([gid(38); 3], uid(65534)),
        regained: Vec::new(),
        descriptors: Vec::new(),
        umask: 0o22,
        cwd: "/".into(),
        ignored: BTreeSet::new(),
        blocked: BTreeSet::new(),
        pending: BTreeSet::new(),
        limits: Vec::new(),
        place: Place::default(),
        timers_us: [0; 3],
        timer_slack_ns: 50_000,
        capabilities: [0; 5],
        securebits: 0,
        no_new_privs: false,
        secure: true,
        dumpable: 0,
        stdin: Capture::default(),
    };
    let started = end == End::Exited(0);
    Evidence {
        stage: Stage::Ran,
        end: Some(end),
        stdout: Capture::default(),
        stderr: Capture::default(),
        syslog: Vec::new(),
        syslog_total: 0,
        witness: if started { vec![witness] } else { Vec::new() },
        witness_unfinished: 0,
        invoker: InvokerState {
            credentials: Some(ids([gid(8); 3], uid(65534))),
            place: Some(Place::default()),
            ..InvokerState::default()
        },
        installed: None,
        changes: Vec::new(),
        strays: 0,
        setup_us: 100,
        run_us: 200,
    }
}
