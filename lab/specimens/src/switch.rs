//! The switch to the wrapper's group. The flawed ones put a kernel between themselves and the honest switch which does
//! less than it is asked, and says that all went well.

use crate::Flaw;
use nix::errno::Errno;
use wrapper::credentials::{Gid, GroupIds, Kernel};

/// The kernel, as a specimen uses it.
pub(crate) struct CarelessKernel {
    flaw: Flaw,
    caller: Gid,
    /// What was asked last: the answer of one who does not read back.
    asked: [u32; 3],
}

impl CarelessKernel {
    pub(crate) const fn new(flaw: Flaw, caller: Gid) -> Self {
        Self { flaw, caller, asked: [0; 3] }
    }

    const fn is_careless(&self) -> bool {
        matches!(
            self.flaw,
            Flaw::SwitchesWithSetgid
                | Flaw::KeepsSavedGid
                | Flaw::IgnoresSetresgid
                | Flaw::ReadsNothingBack
                | Flaw::TrustsRoot
        )
    }
}

impl GroupIds for CarelessKernel {
    fn set(&mut self, gids: [Option<Gid>; 3]) -> Result<(), Errno> {
        let [real, effective, saved] = gids;
        if self.is_careless() && real.is_none() {
            // The attempt to take the caller's group back, which a careless one does not make.
            return Err(Errno::EPERM);
        }
        self.asked = gids.map(|gid| gid.map_or(u32::MAX, Gid::as_raw));
        match self.flaw {
            // What setgid(2) does without CAP_SETGID: the effective gid, and nothing else.
            Flaw::SwitchesWithSetgid => Kernel.set([None, effective, None]),
            Flaw::KeepsSavedGid => Kernel.set([real, effective, Some(self.caller)]),
            Flaw::IgnoresSetresgid => {
                let _ = Kernel.set([real, effective, saved]);
                Ok(())
            }
            _ => Kernel.set(gids),
        }
    }

    fn get(&self) -> Result<[u32; 3], Errno> {
        if self.is_careless() { Ok(self.asked) } else { Kernel.get() }
    }
}
