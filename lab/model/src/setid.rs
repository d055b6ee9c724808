//! What setuid(2) and its kin do. The rules are those of `kernel/sys.c` (`__sys_setuid`, `__sys_setreuid`,
//! `__sys_setresuid`, `__sys_setfsuid` and their twins for groups), `kernel/groups.c` and, for capabilities,
//! `security/commoncap.c` (`cap_task_fix_setuid`); the manual pages describe them from outside.

use crate::capability::{CapSet, Capability, Securebits};
use crate::ids::{Ids, KEEP};
use crate::namespace::IdMap;
use crate::process::{Errno, Process};

/// Users or groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// setuid(2) and so on.
    User,
    /// setgid(2) and so on.
    Group,
}

/// One system call that changes ids; numbers as the process passes them, [`KEEP`] for -1. seteuid(3) is
/// `SetRes(KEEP, id, KEEP)`, as both glibc and musl make it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// setuid(2), setgid(2).
    Set(u32),
    /// setreuid(2), setregid(2): real, effective.
    SetRe(u32, u32),
    /// setresuid(2), setresgid(2): real, effective, saved.
    SetRes(u32, u32, u32),
    /// setfsuid(2), setfsgid(2).
    SetFs(u32),
}

/// What a call returns: a value, or an error.
pub type Answer = Result<u32, Errno>;

impl Process {
    /// Makes `call` on the ids of `kind`; a call that fails changes nothing.
    ///
    /// # Errors
    /// EINVAL for a number that the user namespace does not map (user_namespaces(7)), EPERM for one that the process may
    /// not have.
    pub fn set_id(&mut self, kind: Kind, call: &Call) -> Answer {
        let (old, map, capability) = match kind {
            Kind::User => (self.uid, &self.namespace.uids, Capability::SETUID),
            Kind::Group => (self.gid, &self.namespace.gids, Capability::SETGID),
        };
        let any = self.has(capability);
        let (answer, new) = match *call {
            Call::Set(id) => (0, set(old, id, any, map)?),
            Call::SetRe(real, effective) => (0, set_re(old, real, effective, any, map)?),
            Call::SetRes(real, effective, saved) => (0, set_res(old, [real, effective, saved], any, map)?),
            Call::SetFs(id) => (map.seen(old.fs), set_fs(old, id, any, map)),
        };
        match kind {
            Kind::User => {
                self.uid = new;
                self.follow_uids(old, call);
            }
            Kind::Group => self.gid = new,
        }
        Ok(answer)
    }

    /// setgroups(2): the whole list or nothing; there is no way for an unprivileged process to drop a group.
    ///
    /// # Errors
    /// EPERM without CAP_SETGID or where `/proc/self/setgroups` says `deny` (user_namespaces(7)); EINVAL for more than
    /// 65536 groups or for one that is not mapped. Permission is looked at first (`kernel/groups.c`, `setgroups`).
    pub fn set_groups(&mut self, list: &[u32]) -> Answer {
        if !self.has(Capability::SETGID) || !self.namespace.setgroups {
            return Err(Errno::EPERM);
        }
        if list.len() > 65_536 {
            return Err(Errno::EINVAL);
        }
        let mut groups = list.iter().map(|&gid| number(gid, &self.namespace.gids)).collect::<Result<Vec<_>, _>>()?;
        groups.sort_unstable();
        self.groups = groups;
        Ok(0)
    }

    /// What a change of uids does to the capability sets: capabilities(7), "Effect of user ID changes on capabilities".
    fn follow_uids(&mut self, old: Ids, call: &Call) {
        if self.securebits.contains(Securebits::NO_SETUID_FIXUP) {
            return;
        }
        let (new, root) = (self.uid, self.namespace.uids.outside(0));
        let is_root = |id: u32| root == Some(id);
        let sets = &mut self.capabilities;
        if matches!(call, Call::SetFs(_)) {
            // Point 4: the file capabilities follow the file-system uid.
            if is_root(old.fs) && !is_root(new.fs) {
                sets.effective = sets.effective.without(CapSet::FILE_SYSTEM);
            }
            if !is_root(old.fs) && is_root(new.fs) {
                sets.effective = sets.effective.union(sets.permitted.intersection(CapSet::FILE_SYSTEM));
            }
            return;
        }
        let any_root = |ids: Ids| is_root(ids.real) || is_root(ids.effective) || is_root(ids.saved);
        // Point 1: the last of the three root ids goes, and with it the capabilities. KEEP_CAPS saves all but the ambient ones.
        if any_root(old) && !any_root(new) {
            if !self.securebits.contains(Securebits::KEEP_CAPS) {
                sets.permitted = CapSet::EMPTY;
                sets.effective = CapSet::EMPTY;
            }
            sets.ambient = CapSet::EMPTY;
        }
        // Point 2: the effective uid stops being root.
        if is_root(old.effective) && !is_root(new.effective) {
            sets.effective = CapSet::EMPTY;
        }
        // Point 3: it becomes root again.
        if !is_root(old.effective) && is_root(new.effective) {
            sets.effective = sets.permitted;
        }
    }
}

/// A number from a call as an outer id. user_namespaces(7): one without a mapping is EINVAL; -1 never has one.
fn number(id: u32, map: &IdMap) -> Result<u32, Errno> {
    map.outside(id).ok_or(Errno::EINVAL)
}

/// Likewise, where -1 leaves the id unchanged.
fn number_or_keep(id: u32, map: &IdMap) -> Result<Option<u32>, Errno> {
    if id == KEEP { Ok(None) } else { number(id, map).map(Some) }
}

fn permit(allowed: bool) -> Result<(), Errno> {
    if allowed { Ok(()) } else { Err(Errno::EPERM) }
}

/// setuid(2): with the capability all ids change; without it the effective one becomes the real or the saved one, and
/// the saved one stays, which is how privilege comes back. The effective id itself is not among the choices.
fn set(old: Ids, id: u32, any: bool, map: &IdMap) -> Result<Ids, Errno> {
    let id = number(id, map)?;
    if any {
        return Ok(Ids::all(id));
    }
    permit(id == old.real || id == old.saved)?;
    Ok(Ids { effective: id, fs: id, ..old })
}

/// setreuid(2): the real id becomes real or effective, the effective one any of the three; the saved id follows the new
/// effective one if the real id is set at all, or the effective one is set to something other than the real id.
fn set_re(old: Ids, real: u32, effective: u32, any: bool, map: &IdMap) -> Result<Ids, Errno> {
    let (real, effective) = (number_or_keep(real, map)?, number_or_keep(effective, map)?);
    let mut new = old;
    if let Some(id) = real {
        permit(any || id == old.real || id == old.effective)?;
        new.real = id;
    }
    if let Some(id) = effective {
        permit(any || old.among_three(id))?;
        new.effective = id;
    }
    if real.is_some() || effective.is_some_and(|id| id != old.real) {
        new.saved = new.effective;
    }
    new.fs = new.effective;
    Ok(new)
}

/// setresuid(2): each id becomes any of the three. A call that would change nothing returns before the file-system id
/// is made to follow; only an effective id that is given counts its difference from the file-system id as a change.
fn set_res(old: Ids, [real, effective, saved]: [u32; 3], any: bool, map: &IdMap) -> Result<Ids, Errno> {
    let (real, effective, saved) =
        (number_or_keep(real, map)?, number_or_keep(effective, map)?, number_or_keep(saved, map)?);
    let unchanged = real.is_none_or(|id| id == old.real)
        && effective.is_none_or(|id| id == old.effective && id == old.fs)
        && saved.is_none_or(|id| id == old.saved);
    if unchanged {
        return Ok(old);
    }
    for id in [real, effective, saved].into_iter().flatten() {
        permit(any || old.among_three(id))?;
    }
    let effective = effective.unwrap_or(old.effective);
    Ok(Ids { real: real.unwrap_or(old.real), effective, saved: saved.unwrap_or(old.saved), fs: effective })
}

/// setfsuid(2): becomes any of the four, or stays; it returns the old id and never an error.
fn set_fs(old: Ids, id: u32, any: bool, map: &IdMap) -> Ids {
    match map.outside(id) {
        Some(id) if any || old.among_three(id) || id == old.fs => Ids { fs: id, ..old },
        _ => old,
    }
}

#[cfg(test)]
mod tests;
