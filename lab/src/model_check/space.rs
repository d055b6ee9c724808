//! The small state space of the set*id calls: every state and every call over the ids 0, 1 and 2. Larger numbers behave
//! like these, since the kernel only compares ids with each other and with 0 (credentials(7), capabilities(7)).

use lab_invocation::trial::{Call, CapabilitySets, Groups, State};
use lab_model::capability::{CapSet, Capability, Securebits};
use lab_model::ids::KEEP;
use lab_model::setid::Kind;

const IDS: [u32; 3] = [0, 1, 2];
/// Likewise with -1, which each call must either take as "leave unchanged" or refuse.
const IDS_AND_KEEP: [u32; 4] = [0, 1, 2, KEEP];

/// A part of the space.
pub(super) struct Part {
    /// What it holds, for the report.
    pub name: &'static str,
    /// States.
    pub states: Vec<State>,
    /// Calls, each tried from each state.
    pub calls: Vec<Call>,
    /// Where they are tried.
    pub place: Place,
}

/// User namespace of the trials.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// That of the agent.
    Initial,
    /// One that maps 0 and 1 only.
    FirstTwo {
        /// Whether it allows setgroups(2).
        setgroups: bool,
    },
}

/// The whole space, for processes that have at most the capabilities `all`.
pub(super) fn parts(all: &CapabilitySets) -> Vec<Part> {
    let part = |name, states, calls| Part { name, states, calls, place: Place::Initial };
    let inside = |name, kind, calls, setgroups| {
        let place = Place::FirstTwo { setgroups };
        Part { name, states: mapped_states(kind, all), calls, place }
    };
    vec![
        part(
            "setuid, setreuid, setresuid, setfsuid",
            states(Kind::User, all, &[Sets::All, Sets::NoSetId], true),
            id_calls(Kind::User),
        ),
        part(
            "setgid, setregid, setresgid, setfsgid",
            states(Kind::Group, all, &[Sets::All, Sets::NoSetId], true),
            id_calls(Kind::Group),
        ),
        part(
            "uid calls with capabilities that are permitted only, or ambient",
            states(Kind::User, all, &[Sets::PermittedOnly, Sets::Ambient], false),
            id_calls(Kind::User),
        ),
        part("setgroups", states(Kind::Group, all, &[Sets::All, Sets::NoSetId], false), group_calls()),
        inside("uid calls where uid 2 is not mapped", Kind::User, id_calls(Kind::User), true),
        inside("gid calls where gid 2 is not mapped", Kind::Group, id_calls(Kind::Group), true),
        inside("setgroups where gid 2 is not mapped", Kind::Group, group_calls(), true),
        inside("setgroups where the user namespace denies it", Kind::Group, group_calls(), false),
    ]
}

/// Which capabilities a state has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sets {
    /// All, effective.
    All,
    /// All but the one that the calls ask about.
    NoSetId,
    /// All permitted, none effective.
    PermittedOnly,
    /// All, and one of them ambient.
    Ambient,
}

/// Real, effective, saved and (if `fs`) file-system id over three numbers; securebits that matter; these capabilities.
fn states(kind: Kind, all: &CapabilitySets, sets: &[Sets], fs: bool) -> Vec<State> {
    let mut states = Vec::new();
    for ids in quadruples(&IDS, fs) {
        for securebits in securebits() {
            for &sets in sets {
                states.push(state(kind, ids, capabilities(kind, all, sets), securebits));
            }
        }
    }
    states
}

/// Likewise over the two numbers that the namespace maps, with and without the capability.
fn mapped_states(kind: Kind, all: &CapabilitySets) -> Vec<State> {
    let mut states = Vec::new();
    for ids in quadruples(&[0, 1], false) {
        for sets in [Sets::All, Sets::NoSetId] {
            states.push(state(kind, ids, capabilities(kind, all, sets), Securebits::default()));
        }
    }
    states
}

fn state(kind: Kind, ids: [u32; 4], capabilities: CapabilitySets, securebits: Securebits) -> State {
    // The other kind has an id that none of the calls names.
    let (uid, gid) = match kind {
        Kind::User => (ids, [1; 4]),
        Kind::Group => ([1; 4], ids),
    };
    State { uid, gid, groups: Groups::new(&[1]), capabilities, securebits: securebits.0 }
}

fn quadruples(ids: &[u32], fs: bool) -> Vec<[u32; 4]> {
    let mut found = Vec::new();
    for &real in ids {
        for &effective in ids {
            for &saved in ids {
                let all_fs = if fs { ids } else { &[effective] };
                found.extend(all_fs.iter().map(|&fs| [real, effective, saved, fs]));
            }
        }
    }
    found
}

/// NO_SETUID_FIXUP and KEEP_CAPS, on and off.
fn securebits() -> [Securebits; 4] {
    let (no_fixup, keep) = (Securebits::NO_SETUID_FIXUP, Securebits::KEEP_CAPS);
    [Securebits::default(), no_fixup, keep, no_fixup.with(keep)]
}

fn capabilities(kind: Kind, all: &CapabilitySets, sets: Sets) -> CapabilitySets {
    let one = match kind {
        Kind::User => Capability::SETUID,
        Kind::Group => Capability::SETGID,
    };
    let everything = CapSet(all.permitted);
    let without = everything.without(CapSet::of(&[one])).0;
    let base = CapabilitySets {
        permitted: everything.0,
        effective: everything.0,
        inheritable: 0,
        ambient: 0,
        bounding: all.bounding,
    };
    match sets {
        Sets::All => base,
        Sets::NoSetId => CapabilitySets { permitted: without, effective: without, ..base },
        Sets::PermittedOnly => CapabilitySets { effective: 0, ..base },
        Sets::Ambient => {
            let ambient = CapSet::of(&[Capability::CHOWN]).0;
            CapabilitySets { inheritable: ambient, ambient, ..base }
        }
    }
}

/// Every call of one kind.
fn id_calls(kind: Kind) -> Vec<Call> {
    let of = |user: Call, group: Call| match kind {
        Kind::User => user,
        Kind::Group => group,
    };
    let mut calls = Vec::new();
    for a in IDS_AND_KEEP {
        calls.push(of(Call::SetUid(a), Call::SetGid(a)));
        calls.push(of(Call::SetFsUid(a), Call::SetFsGid(a)));
        for b in IDS_AND_KEEP {
            calls.push(of(Call::SetReUid(a, b), Call::SetReGid(a, b)));
            for c in IDS_AND_KEEP {
                calls.push(of(Call::SetResUid(a, b, c), Call::SetResGid(a, b, c)));
            }
        }
    }
    calls
}

fn group_calls() -> Vec<Call> {
    let lists: [&[u32]; 9] = [&[], &[0], &[1], &[2], &[1, 1], &[1, 2], &[2, 1], &[2, 0, 1, 0], &[KEEP]];
    lists.iter().map(|list| Call::SetGroups(Groups::new(list))).collect()
}

#[cfg(test)]
mod tests {
    use super::parts;
    use lab_invocation::trial::CapabilitySets;
    use std::collections::HashSet;

    #[test]
    fn the_space_holds_no_transition_twice_and_as_many_as_it_says() {
        let all = CapabilitySets { permitted: u64::MAX >> 23, effective: u64::MAX >> 23, ..CapabilitySets::default() };
        let parts = parts(&all);
        for part in &parts {
            let states: HashSet<_> = part.states.iter().collect();
            let calls: HashSet<_> = part.calls.iter().collect();
            assert_eq!((states.len(), calls.len()), (part.states.len(), part.calls.len()), "{}", part.name);
        }
        let sizes: Vec<usize> = parts.iter().map(|part| part.states.len() * part.calls.len()).collect();
        // 3 ids in 4 places, 4 securebits, 2 capability sets; 4 + 4 + 16 + 64 calls.
        let (initial, mapped) = (81 * 8 * 88, 8 * 2 * 88);
        assert_eq!(sizes, [initial, initial, 27 * 8 * 88, 27 * 8 * 9, mapped, mapped, 8 * 2 * 9, 8 * 2 * 9]);
    }
}
