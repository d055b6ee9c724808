//! Who starts the subject.

use super::Edit;
use crate::attempt::GroupFile;
use crate::random::Random;
use crate::tokens::Tokens;
use crate::{Attempt, Gid, Uid};

pub(super) const EDITS: [Edit; 5] = [both_gids, both_gids, one_gid, membership, uids];

/// A gid that means something: the trusted one and its neighbours (also those that 16 bits cannot tell apart), the
/// subject's own, root's, the overflow gid, one of the caller's supplementary groups, one that has a name.
pub(super) fn gid(attempt: &Attempt, random: &mut Random) -> Gid {
    let trusted = attempt.sealed.trusted.gid.as_raw();
    let groups: Vec<u32> = attempt.invocation.identity.groups.iter().map(|gid| gid.as_raw()).collect();
    let number = match random.below(11) {
        0..=2 => trusted,
        3 => trusted.wrapping_add(1),
        4 => trusted.wrapping_sub(1),
        5 => trusted.wrapping_add(1 << 16),
        6 => attempt.sealed.own.gid.as_raw(),
        7 => 0,
        8 => Gid::OVERFLOW.as_raw(),
        9 => match &attempt.group_file {
            GroupFile::Rows(rows) => random.choose(rows).map_or(100, |row| row.gid.as_raw()),
            GroupFile::Unreadable => 100,
        },
        _ => random.choose(&groups).copied().unwrap_or(100),
    };
    Gid::new(number).unwrap_or(Gid::ROOT)
}

fn both_gids(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let gid = gid(attempt, random);
    let identity = &mut attempt.invocation.identity;
    (identity.gid, identity.effective_gid) = (gid, gid);
}

/// Real and effective gid differ where another set-group-ID program is the caller.
fn one_gid(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let gid = gid(attempt, random);
    let identity = &mut attempt.invocation.identity;
    *(if random.one_in(2) { &mut identity.gid } else { &mut identity.effective_gid }) = gid;
}

fn membership(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let gid = gid(attempt, random);
    let groups = &mut attempt.invocation.identity.groups;
    if !groups.remove(&gid) {
        groups.insert(gid);
    }
}

fn uids(attempt: &mut Attempt, random: &mut Random, _: &Tokens) {
    let choices = [Uid::ROOT, attempt.sealed.owner.uid, Uid::OVERFLOW, Uid::new(1000).unwrap_or(Uid::OVERFLOW)];
    let uid = random.choose(&choices).copied().unwrap_or(Uid::OVERFLOW);
    let identity = &mut attempt.invocation.identity;
    match random.below(4) {
        0 => identity.uid = uid,
        1 => identity.effective_uid = uid,
        _ => (identity.uid, identity.effective_uid) = (uid, uid),
    }
}
