//! A case for tests of this crate.

use crate::case::{Case, CaseId, Group, Kind, Names, Outcome, Policy, ScenarioInfo, Script, Sealing, Style, Subject};
use lab_invocation::layout::Order;
use lab_invocation::{Gid, Identity, Invocation, Layout, Uid};
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
        layout: Layout::default(),
        invocation: Invocation::quiet(
            path,
            Identity {
                uid: uid(65534),
                effective_uid: uid(65534),
                gid: gid(8),
                effective_gid: gid(8),
                groups: BTreeSet::new(),
            },
        ),
        expected: "admitted".to_owned(),
        outcome: Outcome {
            exit: Some(0),
            script: Some(Script { started: Some(true), ..Script::default() }),
            ..Outcome::default()
        },
        names: Names {
            users: BTreeMap::from([(uid(65534), "nobody".to_owned())]),
            groups: BTreeMap::from([(gid(8), "mail".to_owned()), (gid(38), "list".to_owned())]),
        },
    }
}
