//! One attempt upon a subject, as a fuzzer makes it: what the subject is sealed with, what groups are called there, and
//! how it is started. Plain data; [`crate::text`] has its form in a file.

use crate::{Bytes, Gid, Identity, Invocation, Uid};

/// Everything that a wrapper's decision depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// What the subject is sealed with.
    pub sealed: Sealed,
    /// What groups are called.
    pub group_file: GroupFile,
    /// How it is started.
    pub invocation: Invocation,
}

/// What is sealed into a subject. The strings are bytes, so that an unsound policy can be written down, too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sealed {
    /// What the subject is.
    pub program: Program,
    /// Whom it trusts.
    pub trusted: Group,
    /// Its own group.
    pub own: Group,
    /// Besides root, who may own the scripts.
    pub owner: Owner,
    /// Directory that holds `scripts`.
    pub prefix: Bytes,
    /// Interpreter of the scripts, and its flags.
    pub interpreter: Option<(Bytes, Vec<Bytes>)>,
    /// Names of variables that reach the script.
    pub keep: Vec<Bytes>,
    /// Refusals that an administrator can mend make a mail server try again.
    pub defer: bool,
}

/// What a subject is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// The mail wrapper, with its commands.
    Mail(Vec<Bytes>),
    /// The CGI wrapper, with its page.
    Cgi(Bytes),
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Number.
    pub gid: Gid,
    /// Name.
    pub name: Bytes,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Number.
    pub uid: Uid,
    /// Name.
    pub name: Bytes,
}

/// The group file as the subject finds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupFile {
    /// It cannot be read.
    Unreadable,
    /// Its rows, in order.
    Rows(Vec<Group>),
}

impl Attempt {
    /// A stranger tries a usual mail wrapper: what a mutation starts from when there is nothing better. The caller is not
    /// trusted, so that whatever is found about trusted callers had to be reached.
    pub fn by_a_stranger() -> Self {
        let group = |number, name: &str| Group { gid: gid(number), name: name.into() };
        let (user, group_of_users) = (uid(1000), gid(100));
        let identity = Identity {
            uid: user,
            effective_uid: user,
            gid: group_of_users,
            effective_gid: group_of_users,
            groups: [group_of_users].into(),
        };
        let mut invocation = Invocation::quiet("/usr/local/mailman/mail/mailman".into(), identity);
        invocation.argv = ["mailman", "leave"].map(Bytes::from).into();
        Self {
            sealed: Sealed {
                program: Program::Mail(["admin", "post", "request"].map(Bytes::from).into()),
                trusted: group(8, "mail"),
                own: group(38, "list"),
                owner: Owner { uid: uid(38), name: "list".into() },
                prefix: "/usr/local/mailman".into(),
                interpreter: None,
                keep: ["HOST", "LANG"].map(Bytes::from).into(),
                defer: false,
            },
            group_file: GroupFile::Rows(vec![
                group(0, "root"),
                group(8, "mail"),
                group(38, "list"),
                group(100, "users"),
            ]),
            invocation,
        }
    }
}

/// Numbers in this file are none of them 4294967295.
const fn uid(number: u32) -> Uid {
    match Uid::new(number) {
        Some(uid) => uid,
        None => Uid::ROOT,
    }
}

/// Likewise.
const fn gid(number: u32) -> Gid {
    match Gid::new(number) {
        Some(gid) => gid,
        None => Gid::ROOT,
    }
}
