//! Becomes the user of the queue, for good.

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User, geteuid, getresgid, getresuid, setgroups, setresgid, setresuid};
use std::fmt;

/// Proof that the process is the user of the queue and cannot be anybody else.
#[derive(Debug, Clone)]
pub(crate) struct QueueUser {
    /// What the user is called.
    pub(crate) name: String,
    /// Its uid; never 0.
    pub(crate) uid: Uid,
    /// Its primary group, which the queue belongs to.
    pub(crate) gid: Gid,
    /// What that is called, for messages; empty if it has no name.
    pub(crate) group: String,
}

/// Why the process is not the user of the queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotQueueUser {
    /// There is no such user, or the user database cannot be read.
    Unknown {
        /// The name.
        name: String,
        /// Why.
        errno: Option<Errno>,
    },
    /// It is root, or has root's group: what the queue says would be done with root's rights.
    Root {
        /// The name.
        name: String,
    },
    /// Started by somebody else.
    Other {
        /// Who may.
        name: String,
        /// Who did.
        uid: Uid,
    },
    /// A call failed, or did not do what it says.
    NotSwitched {
        /// Which.
        call: &'static str,
        /// Why; `None`: it succeeded, and should not have, or the ids are others afterwards.
        errno: Option<Errno>,
    },
}

impl fmt::Display for NotQueueUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = |errno: &Option<Errno>| errno.map_or_else(String::new, |errno| format!(": {}", errno.desc()));
        match self {
            Self::Unknown { name, errno } => write!(
                f,
                "there is no user {name:?}{}; name the owner of the queue with --user, which sendmail calls RunAsUser",
                because(errno)
            ),
            Self::Root { name } => {
                write!(f, "user {name:?} has root's uid or gid; a queue needs a user and a group of its own")
            }
            Self::Other { name, uid } => {
                write!(f, "started by uid {uid}; only root and the user of the queue, {name:?}, may run it")
            }
            Self::NotSwitched { call, errno: Some(errno) } => {
                write!(
                    f,
                    "cannot become the user of the queue: {call}: {}; start it as root or as that user",
                    errno.desc()
                )
            }
            Self::NotSwitched { call, errno: None } => write!(
                f,
                "{call} did not do what it says: the process could still be somebody else than the user of the queue; look \
                 at the seccomp filter and the securebits of whatever starts it"
            ),
        }
    }
}

impl QueueUser {
    /// Becomes that user, if the process is root; else it must be that user already.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn become_user(name: &str) -> Result<Self, NotQueueUser> {
        let unknown = |errno| NotQueueUser::Unknown { name: name.into(), errno };
        let User { uid, gid, .. } =
            User::from_name(name).map_err(|errno| unknown(Some(errno)))?.ok_or(unknown(None))?;
        if uid.is_root() || gid.as_raw() == 0 {
            return Err(NotQueueUser::Root { name: name.into() });
        }
        // A group without a name is one all the same.
        let group = Group::from_gid(gid).ok().flatten().map_or_else(String::new, |group| group.name);
        let failed = |call| move |errno| NotQueueUser::NotSwitched { call, errno: Some(errno) };
        if geteuid().is_root() {
            setgroups(&[gid]).map_err(failed("setgroups(2)"))?;
        } else if geteuid() != uid {
            return Err(NotQueueUser::Other { name: name.into(), uid: geteuid() });
        }
        setresgid(gid, gid, gid).map_err(failed("setresgid(2)"))?;
        setresuid(uid, uid, uid).map_err(failed("setresuid(2)"))?;
        let uids = getresuid().map_err(failed("getresuid(2)"))?;
        let gids = getresgid().map_err(failed("getresgid(2)"))?;
        let lied = |call| NotQueueUser::NotSwitched { call, errno: None };
        if [uids.real, uids.effective, uids.saved] != [uid; 3] {
            return Err(lied("setresuid(2)"));
        }
        if [gids.real, gids.effective, gids.saved] != [gid; 3] {
            return Err(lied("setresgid(2)"));
        }
        // A capability that has stayed, as SECBIT_NO_SETUID_FIXUP leaves it, makes this succeed: capabilities(7).
        let root = Uid::from_raw(0);
        if setresuid(root, root, root).is_ok() {
            return Err(lied("giving up root for good, tried by setresuid(2),"));
        }
        Ok(Self { name: name.into(), uid, gid, group })
    }
}
