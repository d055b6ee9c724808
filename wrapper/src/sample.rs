//! What the unit tests decide about.

use crate::credentials::{Credentials, Gid};
use crate::policy::{Group, Interpreter, List, Owner, Policy, RefusalStyle, Task};
use crate::surroundings::{AccountName, Surroundings};
use std::cell::RefCell;

pub(crate) const MAIL: Group<'static> = Group { gid: gid(8), name: "mail" };
pub(crate) const LIST: Group<'static> = Group { gid: gid(38), name: "list" };
pub(crate) const OWNER: Owner<'static> = Owner { uid: 39, name: "mailman" };

pub(crate) const fn gid(number: u32) -> Gid {
    Gid::new(number).expect("tests use gids")
}

pub(crate) fn list<const N: usize>(texts: &[&'static str]) -> List<'static, N> {
    texts.iter().fold(List::default(), |mut list, text| {
        list.push(text).expect("tests use short lists");
        list
    })
}

/// A policy that trusts `mail`, is set-group-ID to `list` and has the commands `post` and `admin`.
pub(crate) fn mail_policy() -> Policy<'static> {
    Policy {
        trusted: MAIL,
        own: LIST,
        owner: OWNER,
        prefix: "/usr/local/mailman",
        interpreter: None,
        task: Task::Mail { commands: list(&["post", "admin"]) },
        variables: List::default(),
        refusal: RefusalStyle::Mailman,
    }
}

/// The same for the page `listinfo`, with an interpreter and a kept variable.
pub(crate) fn cgi_policy() -> Policy<'static> {
    Policy {
        interpreter: Some(Interpreter { path: "/usr/bin/python3", flags: list(&["-S", "-I"]) }),
        task: Task::Cgi { script: "listinfo" },
        variables: list(&["QUERY_STRING"]),
        ..mail_policy()
    }
}

/// A caller whom that policy admits.
pub(crate) fn trusted_caller() -> Credentials {
    Credentials { real: MAIL.gid, effective: LIST.gid, regains: None }
}

/// Answers, and what was asked.
pub(crate) struct Answers {
    pub(crate) every_gid: bool,
    pub(crate) name: AccountName,
    pub(crate) asked: RefCell<Vec<&'static str>>,
}

impl Answers {
    pub(crate) fn new(every_gid: bool, name: AccountName) -> Self {
        Self { every_gid, name, asked: RefCell::default() }
    }

    pub(crate) fn none() -> Self {
        Self::new(false, AccountName::Unreadable)
    }
}

impl Surroundings for Answers {
    fn maps_every_gid(&self) -> bool {
        self.asked.borrow_mut().push("gid map");
        self.every_gid
    }

    fn name_of(&self, _: Gid) -> AccountName {
        self.asked.borrow_mut().push("group name");
        self.name.clone()
    }
}
