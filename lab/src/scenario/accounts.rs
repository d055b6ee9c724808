//! `identities.toml`: the users and groups which every sandbox has unless a case says otherwise, and the identities
//! under which real servers start a wrapper, each with the place where it was found.

use super::context::{Context, read_toml};
use super::raw::form::{At, Named};
use super::raw::value::{NameOrNumber, OneOrMany};
use super::report::{Report, Source};
use crate::case::Names;
use lab_invocation::layout::{Content, Layout, NodeKind};
use lab_invocation::{Gid, Identity, Uid};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The form of `identities.toml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawAccounts {
    /// Groups, in the order of /etc/group.
    pub group: Named<At<RawGroup>>,
    /// Users, in the order of /etc/passwd.
    pub user: Named<At<RawUser>>,
    /// Identities which scenarios name.
    pub identity: Named<At<RawIdentity>>,
}

/// A line of /etc/group. See group(5).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawGroup {
    /// Number.
    pub gid: At<i64>,
    /// Members by name.
    #[serde(default)]
    pub members: Vec<At<String>>,
}

/// A line of /etc/passwd. See passwd(5).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawUser {
    /// Number.
    pub uid: At<i64>,
    /// Primary group.
    pub group: At<NameOrNumber>,
    /// Home directory.
    pub home: Option<String>,
    /// Login shell.
    pub shell: Option<String>,
}

/// An identity, with its source.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawIdentity {
    /// Real user.
    pub user: At<NameOrNumber>,
    /// Real group.
    pub group: At<NameOrNumber>,
    /// Supplementary groups.
    pub supplementary: Option<At<OneOrMany>>,
    /// Where it was found.
    pub source: String,
}

/// A user of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Number.
    pub uid: Uid,
    /// Primary group.
    pub gid: Gid,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// A group of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Number.
    pub gid: Gid,
    /// Members by name.
    pub members: Vec<String>,
}

/// Users, groups and named identities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// In the order of /etc/passwd.
    pub users: Vec<User>,
    /// In the order of /etc/group.
    pub groups: Vec<Group>,
    /// Named identities with their sources.
    pub identities: BTreeMap<String, (Identity, String)>,
}

impl Accounts {
    /// Reads `identities.toml`.
    ///
    /// # Errors
    /// Every error in it.
    pub fn read(source: &Arc<Source>) -> Result<Self, Vec<Report>> {
        let raw: RawAccounts = read_toml(source).map_err(|report| vec![*report])?;
        let mut accounts = Self::default();
        let mut reports = Vec::new();
        for (name, group) in raw.group.0 {
            let empty = Self::default();
            let mut context = Context::new(source, &empty);
            let gid = context.gid_number(group.value.gid.value, &group.value.gid.span);
            reports.append(&mut context.reports);
            let members = group.value.members.into_iter().map(|member| member.value).collect();
            if let Some(gid) = gid {
                accounts.groups.push(Group { name: name.value, gid, members });
            }
        }
        for (name, user) in raw.user.0 {
            let mut context = Context::new(source, &accounts);
            let uid = context.uid_number(user.value.uid.value, &user.value.uid.span);
            let gid = context.gid(&user.value.group);
            reports.append(&mut context.reports);
            if let (Some(uid), Some(gid)) = (uid, gid) {
                let home = user.value.home.unwrap_or_else(|| "/nonexistent".to_owned());
                let shell = user.value.shell.unwrap_or_else(|| "/usr/sbin/nologin".to_owned());
                accounts.users.push(User { name: name.value, uid, gid, home, shell });
            }
        }
        let mut identities = BTreeMap::new();
        for (name, identity) in raw.identity.0 {
            let mut context = Context::new(source, &accounts);
            let RawIdentity { user, group, supplementary, source } = identity.value;
            let uid = context.uid(&user);
            let gid = context.gid(&group);
            let groups = supplementary.map(|list| context.gids(&list.items()));
            reports.append(&mut context.reports);
            if let (Some(uid), Some(gid)) = (uid, gid) {
                let groups = groups.unwrap_or_default();
                let identity = Identity { uid, effective_uid: uid, gid, effective_gid: gid, groups };
                identities.insert(name.value, (identity, source));
            }
        }
        accounts.identities = identities;
        if reports.is_empty() { Ok(accounts) } else { Err(reports) }
    }

    /// Names of numbers in a sandbox: those of its own databases, or of these where it has none that can be read.
    pub fn names_in(&self, layout: &Layout) -> Names {
        let mut names = self.names();
        if let Some(text) = text_of(layout, b"/etc/group") {
            names.groups.clear();
            for (name, number) in rows(text) {
                if let Some(gid) = Gid::new(number) {
                    names.groups.entry(gid).or_insert(name);
                }
            }
        }
        if let Some(text) = text_of(layout, b"/etc/passwd") {
            names.users.clear();
            for (name, number) in rows(text) {
                if let Some(uid) = Uid::new(number) {
                    names.users.entry(uid).or_insert(name);
                }
            }
        }
        names
    }

    /// The number of a group.
    pub fn gid(&self, name: &str) -> Option<Gid> {
        self.groups.iter().find(|group| group.name == name).map(|group| group.gid)
    }

    /// The number of a user.
    pub fn uid(&self, name: &str) -> Option<Uid> {
        self.users.iter().find(|user| user.name == name).map(|user| user.uid)
    }

    /// The first name of a group number.
    pub fn group_name(&self, gid: Gid) -> Option<&str> {
        self.groups.iter().find(|group| group.gid == gid).map(|group| group.name.as_str())
    }

    /// The first name of a user number.
    pub fn user_name(&self, uid: Uid) -> Option<&str> {
        self.users.iter().find(|user| user.uid == uid).map(|user| user.name.as_str())
    }

    /// Lines of /etc/passwd, without newlines.
    pub fn passwd_lines(&self) -> Vec<String> {
        let line = |u: &User| format!("{}:x:{}:{}:{}:{}:{}", u.name, u.uid, u.gid, u.name, u.home, u.shell);
        self.users.iter().map(line).collect()
    }

    /// Lines of /etc/group, without newlines.
    pub fn group_lines(&self) -> Vec<String> {
        self.groups.iter().map(|g| format!("{}:x:{}:{}", g.name, g.gid, g.members.join(","))).collect()
    }

    /// Names of all numbers, where the databases are these.
    fn names(&self) -> Names {
        let mut names = Names::default();
        for user in &self.users {
            names.users.entry(user.uid).or_insert_with(|| user.name.clone());
        }
        for group in &self.groups {
            names.groups.entry(group.gid).or_insert_with(|| group.name.clone());
        }
        names
    }
}

/// The primary group of a user by the sandbox's own user database, as getpwuid(3) finds it: in the first row.
pub fn primary_group(layout: &Layout, uid: Uid) -> Option<Gid> {
    let text = text_of(layout, b"/etc/passwd")?;
    let mut rows = text.split(|&byte| byte == b'\n').filter_map(|line| {
        let mut fields = std::str::from_utf8(line).ok()?.split(':').skip(2);
        Some((fields.next()?.parse::<u32>().ok()?, fields.next()?.parse::<u32>().ok()?))
    });
    rows.find(|(number, _)| *number == uid.as_raw()).and_then(|(_, group)| Gid::new(group))
}

/// The text of a file that holds one and that somebody may read.
fn text_of<'a>(layout: &'a Layout, path: &[u8]) -> Option<&'a [u8]> {
    layout.nodes.iter().find(|node| node.path.0 == path && node.mode & 0o004 != 0).and_then(|node| match &node.kind {
        NodeKind::File(Content::Inline(text)) => Some(text.0.as_slice()),
        _ => None,
    })
}

/// Rows of /etc/group or /etc/passwd as name and number: group(5), passwd(5), `name:password:number:…`. Lines of another
/// form have no number to be found by.
pub fn rows(text: &[u8]) -> Vec<(String, u32)> {
    text.split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(|&byte| byte == b':');
            let (name, number) = (fields.next()?, fields.nth(1)?);
            let number = std::str::from_utf8(number).ok()?;
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| number.parse().ok()).flatten()?;
            (!name.is_empty()).then(|| (String::from_utf8_lossy(name).into_owned(), number))
        })
        .collect()
}
