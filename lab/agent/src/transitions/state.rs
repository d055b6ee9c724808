//! Bringing a throw-away process into a state, and reading the state of a process. Nothing here allocates.

use crate::sys::{ids, set_ids};
use lab_invocation::trial::{Call, CapabilitySets, Groups, State, Step};
use rustix::io::Errno;
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets as KernelSets, capabilities, capabilities_secure_bits,
    capability_is_in_ambient_set, capability_is_in_bounding_set, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities, set_capabilities_secure_bits,
};

/// Which step failed, and how.
#[derive(Clone, Copy)]
pub(super) struct Stop {
    pub(super) step: Step,
    pub(super) errno: Errno,
}

/// Names the step of a failed call.
pub(super) trait At<T> {
    fn at(self, step: Step) -> Result<T, Stop>;
}

impl<T> At<T> for Result<T, Errno> {
    fn at(self, step: Step) -> Result<T, Stop> {
        self.map_err(|errno| Stop { step, errno })
    }
}

/// Sets ids and groups; capabilities stay as they are. The caller has CAP_SETUID, CAP_SETGID and CAP_SETPCAP.
pub(super) fn reach_ids(state: &State) -> Result<(), Stop> {
    set_capabilities_secure_bits(CapabilitiesSecureBits::NO_SETUID_FIXUP).at(Step::Securebits)?;
    let [real, effective, saved, fs] = state.gid;
    for call in [Call::SetGroups(state.groups), Call::SetResGid(real, effective, saved), Call::SetFsGid(fs)] {
        make(&call).at(Step::GroupIds)?;
    }
    let [real, effective, saved, fs] = state.uid;
    for call in [Call::SetResUid(real, effective, saved), Call::SetFsUid(fs)] {
        make(&call).at(Step::UserIds)?;
    }
    Ok(())
}

/// Takes on a uid as real, effective and saved one.
pub(super) fn take_uid(uid: u32) -> Result<(), Errno> {
    make(&Call::SetResUid(uid, uid, uid))
}

/// Sets capabilities and securebits. `from` is what the caller has; it includes CAP_SETPCAP.
pub(super) fn reach_capabilities(state: &State, from: &CapabilitySets) -> Result<(), Stop> {
    let wanted = &state.capabilities;
    if wanted.inheritable != 0 {
        let all = CapabilitySets { inheritable: wanted.inheritable, effective: from.permitted, ..*from };
        set_capabilities(None, kernel_sets(&all)).at(Step::Capabilities)?;
    }
    for capability in each(wanted.ambient) {
        configure_capability_in_ambient_set(capability, true).at(Step::Ambient)?;
    }
    for capability in each(from.bounding & !wanted.bounding) {
        remove_capability_from_bounding_set(capability).at(Step::Bounding)?;
    }
    let bits = CapabilitiesSecureBits::from_bits_retain(state.securebits);
    set_capabilities_secure_bits(bits).at(Step::Securebits)?;
    set_capabilities(None, kernel_sets(wanted)).at(Step::Capabilities)
}

/// Reads the state of the calling process; the bounding set only if asked, since that takes many calls.
pub(super) fn read(bounding: bool) -> Result<State, Errno> {
    let uid = ids::user_ids()?;
    let gid = ids::group_ids()?;
    let (gids, count) = set_ids::groups()?;
    let sets = capabilities(None)?;
    let mut ambient = 0;
    // An ambient capability is always inheritable too: capabilities(7).
    for capability in each(sets.inheritable.bits()) {
        if capability_is_in_ambient_set(capability)? {
            ambient |= capability.bits();
        }
    }
    let mut bounded = 0;
    // The first number that the kernel does not know ends the set: EINVAL.
    for capability in each(if bounding { u64::MAX } else { 0 }) {
        match capability_is_in_bounding_set(capability) {
            Ok(true) => bounded |= capability.bits(),
            Ok(false) => {}
            Err(_) => break,
        }
    }
    Ok(State {
        uid: [uid.real, uid.effective, uid.saved, uid.fs].map(u32::from),
        gid: [gid.real, gid.effective, gid.saved, gid.fs].map(u32::from),
        groups: Groups { count, gids },
        capabilities: CapabilitySets {
            permitted: sets.permitted.bits(),
            effective: sets.effective.bits(),
            inheritable: sets.inheritable.bits(),
            ambient,
            bounding: bounded,
        },
        securebits: capabilities_secure_bits()?.bits(),
    })
}

fn make(call: &Call) -> Result<(), Errno> {
    match i32::try_from(-set_ids::make(call)) {
        Ok(errno) if errno > 0 => Err(Errno::from_raw_os_error(errno)),
        _ => Ok(()),
    }
}

fn kernel_sets(sets: &CapabilitySets) -> KernelSets {
    KernelSets {
        permitted: CapabilitySet::from_bits_retain(sets.permitted),
        effective: CapabilitySet::from_bits_retain(sets.effective),
        inheritable: CapabilitySet::from_bits_retain(sets.inheritable),
    }
}

/// The members of a mask, one by one.
fn each(mask: u64) -> impl Iterator<Item = CapabilitySet> {
    (0..u64::BITS).map(|number| 1 << number).filter(move |bit| mask & bit != 0).map(CapabilitySet::from_bits_retain)
}
