//! Who started the process, and the switch to the wrapper's own group.

use crate::caller::Admitted;
use crate::policy::Group;
use crate::process_state::SafeProcess;
use crate::refusal::{Refusal, SwitchFault};
use crate::sys;
use nix::errno::Errno;
use nix::unistd;
use std::fmt;

/// A group id.
///
/// Never 4294967295: to setresgid(2) that number is -1, "leave this id unchanged", so that a wrapper which
/// switched to it would quietly keep what it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gid(u32);

impl Gid {
    /// What a process reads for a gid that its user namespace does not map: user_namespaces(7).
    ///
    /// The kernel's default of `/proc/sys/kernel/overflowgid`. That file is not read: only root of the host can change it,
    /// and who does, and has a wrapper trust the new number, has to keep it out of user namespaces.
    pub const OVERFLOW: Self = Self(65534);

    /// The gid of that number; `None` for 4294967295.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number == u32::MAX { None } else { Some(Self(number)) }
    }

    /// The number.
    #[must_use]
    pub const fn as_raw(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Gid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the kernel says about this process, as far as the decision needs it.
///
/// The saved gid is not there: exec has made it equal to the effective one. Nor are the supplementary groups: being a
/// member of the trusted group is not enough, and without privilege they cannot be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials {
    /// Real gid: the group of whoever started the process. It alone admits.
    pub real: Gid,
    /// Effective gid: the wrapper's own group, if the set-group-ID bit acted.
    pub effective: Gid,
    /// What would bring any group back, after it had been given up.
    pub regains: Option<Regains>,
}

/// Why a process can take on any group whenever it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regains {
    /// Its real or effective uid is 0. Even where it has no capability now, the next exec gives it those of the
    /// bounding set: capabilities(7).
    Root,
    /// CAP_SETGID is permitted.
    Capability,
}

/// CAP_SETGID of linux/capability.h, as a bit of the first word.
const CAP_SETGID: u32 = 1 << 6;

impl Credentials {
    /// Asks the kernel, once.
    ///
    /// # Errors
    /// If it does not answer, as a seccomp filter can arrange.
    pub fn read(_: &SafeProcess) -> Result<Self, Refusal<'static>> {
        Self::of_process().map_err(|errno| Refusal::NotSwitched(SwitchFault::Unread(errno)))
    }

    /// The same of a process that may not be safe, for what has to be given up all the same.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn of_process() -> Result<Self, Errno> {
        let gids = unistd::getresgid()?;
        let uids = unistd::getresuid()?;
        let gid = |gid: unistd::Gid| Gid::new(gid.as_raw()).ok_or(Errno::EINVAL);
        let [capabilities, _] = sys::capabilities()?;
        Ok(Self {
            real: gid(gids.real)?,
            effective: gid(gids.effective)?,
            regains: regains([uids.real.as_raw(), uids.effective.as_raw()], capabilities.permitted),
        })
    }
}

/// What would bring any group back to a process with this real and effective uid, and these permitted capabilities of
/// the first word.
#[must_use]
pub fn regains(uids: [u32; 2], permitted: u32) -> Option<Regains> {
    if uids.contains(&0) {
        Some(Regains::Root)
    } else if permitted & CAP_SETGID != 0 {
        Some(Regains::Capability)
    } else {
        None
    }
}

/// Proof that real, effective and saved gid are the wrapper's own group, and that the caller's cannot be taken back.
#[derive(Debug)]
pub struct Switched(());

#[cfg(test)]
impl Switched {
    /// For tests of what comes after the switch.
    pub(crate) const fn assumed() -> Self {
        Self(())
    }
}

/// Takes on the wrapper's own group as real, effective and saved gid, and makes sure that it did.
///
/// setgid(2) would leave the saved gid, setegid(2) both others: each brings the caller's group back.
///
/// # Errors
/// If the kernel refuses, if other ids come out, or if the caller's group can be taken back.
pub fn switch_group<'p>(
    _: &Admitted,
    kernel: &mut impl GroupIds,
    own: Group<'p>,
    caller: Group<'p>,
) -> Result<Switched, Refusal<'p>> {
    switch(kernel, own, caller, caller.gid != own.gid).map(|()| Switched(())).map_err(Refusal::NotSwitched)
}

/// Makes one group the real, effective and saved gid, reads them back, and where the one before it must be gone tries to
/// have that again.
fn switch<'p>(
    kernel: &mut impl GroupIds,
    to: Group<'p>,
    from: Group<'p>,
    is_gone: bool,
) -> Result<(), SwitchFault<'p>> {
    if let Err(errno) = kernel.set([Some(to.gid); 3]) {
        return Err(SwitchFault::Refused { own: to, errno });
    }
    match kernel.get() {
        Err(errno) => return Err(SwitchFault::Unread(errno)),
        Ok(found) if found != [to.gid.as_raw(); 3] => {
            return Err(SwitchFault::Other { own: to, given_up: from, found });
        }
        Ok(_) => {}
    }
    if is_gone && kernel.set([None, Some(from.gid), None]).is_ok() {
        return Err(SwitchFault::Regained { own: to, given_up: from });
    }
    Ok(())
}

/// Proof that real, effective and saved gid are the caller's, and that the program's own cannot be taken back, unless the
/// caller can take any.
#[derive(Debug)]
pub struct Dropped(());

/// Gives the program's own group up for good, which nothing after it needs.
///
/// # Errors
/// If the kernel refuses, if other ids come out, or if the group can be taken back by a caller who cannot take any.
pub fn give_up_group<'p>(
    kernel: &mut impl GroupIds,
    own: Group<'p>,
    caller: Group<'p>,
    regains: Option<Regains>,
) -> Result<Dropped, SwitchFault<'p>> {
    switch(kernel, caller, own, regains.is_none() && caller.gid != own.gid).map(|()| Dropped(()))
}

/// Real, effective and saved gid of the process. The kernel has them; tests have a kernel of their own.
pub trait GroupIds {
    /// setresgid(2); `None` leaves an id unchanged.
    ///
    /// # Errors
    /// What the kernel says.
    fn set(&mut self, gids: [Option<Gid>; 3]) -> Result<(), Errno>;

    /// getresgid(2).
    ///
    /// # Errors
    /// What the kernel says.
    fn get(&self) -> Result<[u32; 3], Errno>;
}

/// The kernel that runs this process.
#[derive(Debug)]
pub struct Kernel;

impl GroupIds for Kernel {
    fn set(&mut self, gids: [Option<Gid>; 3]) -> Result<(), Errno> {
        let [real, effective, saved] = gids.map(|gid| unistd::Gid::from_raw(gid.map_or(u32::MAX, Gid::as_raw)));
        unistd::setresgid(real, effective, saved)
    }

    fn get(&self) -> Result<[u32; 3], Errno> {
        unistd::getresgid().map(|gids| [gids.real, gids.effective, gids.saved].map(unistd::Gid::as_raw))
    }
}

#[cfg(test)]
mod tests;
