//! Whom the witness must try to become, besides its own real, effective and saved ids, and how it then ends: a small file
//! of its layout, which saves it from waiting for an answer of stage 1.
//!
//! All numbers are u32 in the machine's byte order: owner and group of the subject's file, how many users, the users,
//! how many groups, the groups, then 0 and an exit status or 1 and a signal, and at last 1 if a web server is to be answered.

use lab_invocation::invocation::ScriptEnd;
use lab_invocation::{Gid, Identity, Uid};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::os::fd::AsFd;

/// The candidates, and the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// Users.
    pub(crate) uids: BTreeSet<Uid>,
    /// Groups.
    pub(crate) gids: BTreeSet<Gid>,
    /// How the witness ends.
    pub(crate) end: ScriptEnd,
    /// Whether a witness that a web server started answers it, as a CGI script does.
    pub(crate) answers: bool,
}

/// Everything but the first two numbers, which only the launcher knows, and leaves at root until then.
pub(crate) fn of_invoker(identity: &Identity, end: ScriptEnd, answers: bool) -> Vec<u8> {
    let uids = BTreeSet::from([Uid::ROOT, identity.uid, identity.effective_uid]);
    let mut gids = BTreeSet::from([Gid::ROOT, identity.gid, identity.effective_gid]);
    gids.extend(&identity.groups);
    let mut words = vec![0, 0, uids.len()];
    words.extend(uids.iter().map(|uid| uid.as_raw() as usize));
    words.push(gids.len());
    words.extend(gids.iter().map(|gid| gid.as_raw() as usize));
    words.extend(match end {
        ScriptEnd::Exit(status) => [0, usize::from(status)],
        ScriptEnd::Signal(signal) => [1, signal as usize],
    });
    words.push(usize::from(answers));
    words.into_iter().flat_map(|word| u32::try_from(word).unwrap_or(0).to_ne_bytes()).collect()
}

/// The launcher adds owner and group of the subject's file.
pub(crate) fn add_file(challenge: impl AsFd, owner: u32, group: u32) -> Result<(), Errno> {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&owner.to_ne_bytes());
    bytes[4..].copy_from_slice(&group.to_ne_bytes());
    match rustix::io::pwrite(challenge, &bytes, 0)? {
        8 => Ok(()),
        _ => Err(Errno::IO),
    }
}

impl Challenge {
    /// Reads one; `None` if it is not whole.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut words = bytes.chunks_exact(4).filter_map(|word| Some(u32::from_ne_bytes(word.try_into().ok()?)));
        let mut uids = BTreeSet::from([Uid::new(words.next()?)?]);
        let mut gids = BTreeSet::from([Gid::new(words.next()?)?]);
        for _ in 0..words.next()? {
            uids.insert(Uid::new(words.next()?)?);
        }
        for _ in 0..words.next()? {
            gids.insert(Gid::new(words.next()?)?);
        }
        let end = match (words.next()?, words.next()?) {
            (0, status) => ScriptEnd::Exit(u8::try_from(status).ok()?),
            (1, signal) => ScriptEnd::Signal(signal),
            _ => return None,
        };
        Some(Self { uids, gids, end, answers: words.next()? == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, of_invoker};
    use lab_invocation::invocation::ScriptEnd;
    use lab_invocation::{Gid, Identity, Uid};
    use std::collections::BTreeSet;

    #[test]
    fn what_is_written_is_read_and_a_cut_one_is_not() {
        let (uid, gid) = (Uid::new(101).expect("a uid"), Gid::new(8).expect("a gid"));
        let other = Gid::new(7).expect("a gid");
        let identity = Identity { uid, effective_uid: uid, gid, effective_gid: gid, groups: BTreeSet::from([other]) };
        for (end, answers) in [(ScriptEnd::Exit(75), false), (ScriptEnd::Signal(15), true)] {
            let bytes = of_invoker(&identity, end, answers);
            let (uids, gids) = (BTreeSet::from([Uid::ROOT, uid]), BTreeSet::from([Gid::ROOT, other, gid]));
            assert_eq!(Challenge::parse(&bytes), Some(Challenge { uids, gids, end, answers }));
            assert_eq!(Challenge::parse(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(Challenge::parse(&[]), None);
    }
}
