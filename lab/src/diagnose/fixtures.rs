//! A case that went as it must, for the tests to break in one place each.

use crate::case::{Case, CaseId, Group, Kind, Names, Outcome, Policy, ScenarioInfo, Script, Sealing, Style, Subject};
use crate::verdict::Difference;
use lab_invocation::evidence::{Capture, End, FileState, InvokerState, OpenDescriptor, Place, Stage, WitnessReport};
use lab_invocation::ids::Ids;
use lab_invocation::layout::{Content, MountFlags, Node, NodeKind, Order};
use lab_invocation::{Bytes, Credentials, Evidence, Gid, Identity, Invocation, Layout, Uid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const LIST: u32 = 38;
pub(super) const MAIL: u32 = 8;
pub(super) const USERS: u32 = 100;

pub(super) fn gid(number: u32) -> Gid {
    Gid::new(number).expect("a fixture uses real group numbers")
}

pub(super) fn uid(number: u32) -> Uid {
    Uid::new(number).expect("a fixture uses real user numbers")
}

pub(super) fn all<T: Copy>(id: T) -> Ids<T> {
    Ids { real: id, effective: id, saved: id, fs: id }
}

/// A failed case being made.
pub(super) struct Failure {
    pub(super) case: Case,
    pub(super) evidence: Evidence,
    pub(super) differences: Vec<Difference>,
}

impl Failure {
    /// Exim's pipe (uid 101, gid mail) started a wrapper that trusts mail and is set-group-ID list; all went well.
    pub(super) fn admitted() -> Self {
        let path = Bytes::from("/usr/local/mailman/mail/mailman");
        let script_path = Bytes::from("/usr/local/mailman/scripts/post");
        let names =
            [(0, "root"), (MAIL, "mail"), (LIST, "list"), (USERS, "users"), (33, "www-data"), (65534, "nogroup")];
        let policy = Policy {
            kind: Kind::Mail,
            trusts: Group { gid: gid(MAIL), name: "mail".into() },
            own: Group { gid: gid(LIST), name: "list".into() },
            owner: (uid(38), "list".into()),
            prefix: "/usr/local/mailman".into(),
            interpreter: None,
            commands: ["admin", "bounces", "post", "request"].map(Bytes::from).to_vec(),
            script: None,
            keep: None,
            refusal: Style::Mailman,
            condition: Sealing::Sound,
        };
        let identity = Identity {
            uid: uid(101),
            effective_uid: uid(101),
            gid: gid(MAIL),
            effective_gid: gid(MAIL),
            groups: BTreeSet::new(),
        };
        let mut invocation = Invocation::quiet(path.clone(), identity);
        invocation.argv.extend(["post".into(), "announce".into()]);
        let case = Case {
            id: CaseId("synthetic/one/case".into()),
            name: "case".to_owned(),
            sources: Vec::new(),
            scenario: Arc::new(ScenarioInfo {
                id: "synthetic/one".into(),
                title: "A made-up case".into(),
                why: "For tests.".into(),
                sources: Vec::new(),
                matrix: None,
            }),
            cell: None,
            control: false,
            needs: BTreeSet::new(),
            subject: Subject {
                program: "mail-wrapper".into(),
                policy,
                path,
                owner: uid(0),
                group: gid(LIST),
                mode: 0o2755,
                order: Order::ChownThenChmod,
                links: Vec::new(),
            },
            layout: Layout::default().into(),
            invocation: invocation.into(),
            expected: "admitted".into(),
            outcome: Outcome {
                exit: Some(0),
                script: Some(Script {
                    started: Some(true),
                    real_gid: Some(gid(LIST)),
                    effective_gid: Some(gid(LIST)),
                    saved_gid: Some(gid(LIST)),
                    nothing_regained: Some(true),
                    path: Some(script_path.clone()),
                    argv: Some([script_path.clone(), "announce".into()].into()),
                    env: Some(BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())])),
                    open_fds: Some(BTreeSet::from([0, 1, 2])),
                    umask: Some(0o022),
                    cwd: Some("/".into()),
                    ignored_signals: Some(BTreeSet::new()),
                    blocked_signals: Some(BTreeSet::new()),
                    pending_signals: Some(BTreeSet::new()),
                    core_limit: Some(0),
                    timers_off: Some(true),
                    timer_slack_ns: Some(50_000),
                    ..Script::default()
                }),
                ..Outcome::default()
            }
            .into(),
            profile: Some("synthetic".into()),
            names: Names {
                users: BTreeMap::from([(uid(0), "root".into()), (uid(101), "Debian-exim".into())]),
                groups: names.into_iter().map(|(number, name)| (gid(number), name.to_owned())).collect(),
            },
        };
        let descriptor = |number, access| OpenDescriptor { number, target: "pipe".into(), access };
        let witness = WitnessReport {
            pid: 7,
            same_process: true,
            exec_path: script_path.clone(),
            argv: [script_path, "announce".into()].into(),
            env: vec!["PATH=/usr/bin:/bin".into()],
            credentials: Credentials { uid: all(uid(101)), gid: all(gid(LIST)), groups: Vec::new() },
            regained: Vec::new(),
            descriptors: vec![descriptor(0, 0), descriptor(1, 1), descriptor(2, 1)],
            umask: 0o022,
            cwd: "/".into(),
            ignored: BTreeSet::new(),
            blocked: BTreeSet::new(),
            pending: BTreeSet::new(),
            limits: vec![(4, Some(0), Some(0))],
            place: Place::default(),
            timers_us: [0; 3],
            timer_slack_ns: 50_000,
            capabilities: [0; 5],
            securebits: 0,
            no_new_privs: false,
            secure: false,
            dumpable: 1,
            stdin: Capture::default(),
        };
        let evidence = Evidence {
            stage: Stage::Ran,
            end: Some(End::Exited(0)),
            stdout: Capture::default(),
            stderr: Capture::default(),
            syslog: Vec::new(),
            syslog_total: 0,
            witness: vec![witness],
            witness_unfinished: 0,
            invoker: InvokerState {
                place: Some(Place::default()),
                credentials: Some(Credentials { uid: all(uid(101)), gid: all(gid(MAIL)), groups: Vec::new() }),
                no_new_privs: false,
                gid_map: "         0          0 4294967295\n".into(),
                uid_map: "         0          0 4294967295\n".into(),
                traced: false,
            },
            installed: Some(FileState {
                owner: uid(0),
                group: gid(LIST),
                mode: 0o2755,
                links: 1,
                size: 500_000,
                mount: MountFlags::default(),
            }),
            changes: Vec::new(),
            strays: 0,
            setup_us: 150,
            run_us: 300,
        };
        Self { case, evidence, differences: Vec::new() }
    }

    /// The same installation, started by a caller who must be refused.
    pub(super) fn stranger(real: u32) -> Self {
        let mut failure = Self::admitted();
        failure.must_refuse("mismatch", 2);
        failure.caller(real);
        failure
    }

    /// Another real and effective gid of the caller.
    pub(super) fn caller(&mut self, real: u32) {
        let identity = &mut self.case.invocation.identity;
        (identity.gid, identity.effective_gid) = (gid(real), gid(real));
        if let Some(credentials) = &mut self.evidence.invoker.credentials {
            credentials.gid = all(gid(real));
        }
    }

    /// Supplementary groups of the caller.
    pub(super) fn member_of(&mut self, groups: &[u32]) {
        let groups: Vec<Gid> = groups.iter().map(|&number| gid(number)).collect();
        self.case.invocation.identity.groups = groups.iter().copied().collect();
        if let Some(credentials) = &mut self.evidence.invoker.credentials {
            credentials.groups.clone_from(&groups);
        }
        if let Some(script) = self.evidence.witness.first_mut() {
            script.credentials.groups = groups;
        }
    }

    /// The sandbox has this user database.
    pub(super) fn user_database(&mut self, text: &str) {
        self.case.layout.nodes.push(Node {
            path: "/etc/passwd".into(),
            owner: uid(0),
            group: gid(0),
            mode: 0o644,
            kind: NodeKind::File(Content::Inline(text.into())),
            order: Order::ChownThenChmod,
        });
    }

    /// The case wants a refusal.
    pub(super) fn must_refuse(&mut self, name: &str, exit: u8) {
        self.case.expected = name.to_owned();
        *self.case.outcome = Outcome {
            exit: Some(exit),
            script: Some(Script { started: Some(false), ..Script::default() }),
            ..Outcome::default()
        };
    }

    /// The subject refused.
    pub(super) fn refused(&mut self, exit: u8, text: &str) {
        self.evidence.end = Some(End::Exited(exit));
        self.evidence.witness.clear();
        self.evidence.stderr = Capture { bytes: text.into(), total: text.len() as u64 };
    }

    /// The subject ended without a decision, and without a script.
    pub(super) fn ended(&mut self, end: End) {
        self.evidence.end = Some(end);
        self.evidence.witness.clear();
    }

    /// The script's report.
    pub(super) fn script(&mut self) -> &mut WitnessReport {
        self.evidence.witness.first_mut().expect("the script of this fixture started")
    }

    /// The file as installed.
    pub(super) fn file(&mut self) -> &mut FileState {
        self.evidence.installed.as_mut().expect("the file of this fixture was looked at")
    }

    /// The set-group-ID bit did not act: the script has the caller's group.
    pub(super) fn without_the_bit(&mut self) {
        let real = self.evidence.invoker.credentials.as_ref().map(|credentials| credentials.gid);
        if let (Some(real), Some(script)) = (real, self.evidence.witness.first_mut()) {
            script.credentials.gid = real;
        }
    }

    /// What the findings say. The difference stands for whatever the judgement found.
    pub(super) fn diagnose(mut self) -> Vec<crate::finding::Diagnosis> {
        if self.differences.is_empty() {
            self.differences.push(Difference {
                field: "script.started".into(),
                expected: "something else".into(),
                observed: "this".into(),
            });
        }
        let found = super::diagnose(&self.case, &self.evidence, &self.differences);
        for diagnosis in &found {
            // Programs and paths of a case are in its sandbox, and a placeholder cannot be typed.
            let next = &diagnosis.next;
            assert!(next.starts_with("lab ") && !next.contains("RUN"), "{}: cannot be typed: {next}", diagnosis.code);
        }
        found
    }
}
