//! Names and numbers of a container: packages take numbers in the order in which they are installed, so scenarios name.

use crate::backend::docker::server::Server;
use crate::images::problem;
use crate::problem::Problem;
use lab_invocation::evidence::{Evidence, Stage};
use lab_invocation::{Gid, Identity, Invocation, Layout, Uid};
use std::collections::{BTreeMap, BTreeSet};

/// What the files of a container say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    users: BTreeMap<String, (Uid, Gid)>,
    groups: BTreeMap<String, Gid>,
}

/// Reads them.
pub(crate) fn accounts(server: &mut Server) -> Result<Accounts, Problem> {
    let (layout, _) = server.put(&Layout::default()).map_err(problem)?;
    let mut read = |path: &str| {
        let evidence = server.run(layout, &cat(path)).map_err(problem)?;
        text(path, &evidence)
    };
    Ok(Accounts::of(&read("/etc/passwd")?, &read("/etc/group")?))
}

/// Root, who can read everything there.
pub(super) fn root() -> Identity {
    let (uid, gid) = (Uid::ROOT, Gid::ROOT);
    Identity { uid, effective_uid: uid, gid, effective_gid: gid, groups: BTreeSet::new() }
}

/// cat(1) of a file.
pub(super) fn cat(path: &str) -> Invocation {
    Invocation { argv: ["cat", path].map(Into::into).into(), ..Invocation::quiet("/bin/cat".into(), root()) }
}

/// What cat(1) wrote, if that was the whole file.
pub(super) fn text(path: &str, evidence: &Evidence) -> Result<String, Problem> {
    let bytes = part(path, evidence)?;
    if evidence.stdout.truncated() {
        return Err(unread(path).found(format!("it has {} bytes, which is too long", evidence.stdout.total)));
    }
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// What a program wrote of a file, as far as it was kept.
pub(super) fn part<'a>(path: &str, evidence: &'a Evidence) -> Result<&'a [u8], Problem> {
    match &evidence.stage {
        Stage::Ran => Ok(evidence.stdout.bytes.as_slice()),
        stage => Err(unread(path).found(format!("{stage:?}"))),
    }
}

fn unread(path: &str) -> Problem {
    Problem::unresolved(format!("{path}: cannot be read in the container"))
}

impl Accounts {
    /// From the text of passwd(5) and group(5); the first row of a name counts.
    pub(super) fn of(passwd: &str, group: &str) -> Self {
        let number = |field: Option<&str>| field.and_then(|field| field.parse().ok());
        let mut accounts = Self::default();
        for fields in passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()) {
            let uid = number(fields.get(2).copied()).and_then(Uid::new);
            let gid = number(fields.get(3).copied()).and_then(Gid::new);
            if let (Some(&name), Some(uid), Some(gid)) = (fields.first(), uid, gid) {
                accounts.users.entry(name.to_owned()).or_insert((uid, gid));
            }
        }
        for fields in group.lines().map(|line| line.split(':').collect::<Vec<_>>()) {
            if let (Some(&name), Some(gid)) = (fields.first(), number(fields.get(2).copied()).and_then(Gid::new)) {
                accounts.groups.entry(name.to_owned()).or_insert(gid);
            }
        }
        accounts
    }

    /// The number of a group.
    pub(crate) fn gid(&self, name: &str) -> Result<Gid, Problem> {
        self.groups.get(name).copied().ok_or_else(|| stranger("group", name))
    }

    /// The number of a user, and of his group.
    pub(crate) fn user(&self, name: &str) -> Result<(Uid, Gid), Problem> {
        self.users.get(name).copied().ok_or_else(|| stranger("user", name))
    }
}

fn stranger(kind: &str, name: &str) -> Problem {
    Problem::usage(format!("{kind} `{name}`: the server's container has none of that name"))
}
