//! User namespaces: which numbers a process can name, and what it reads for the others. See user_namespaces(7).
//!
//! Everywhere in this crate ids are those of the outermost namespace that matters (the sandbox's); only what a process
//! passes to a system call or reads from one is translated.

/// What a process reads for an id without a mapping: `/proc/sys/kernel/overflowuid` and `overflowgid`.
pub const OVERFLOW: u32 = 65534;

/// One line of `/proc/PID/uid_map` or `gid_map`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    /// First number inside the namespace.
    pub inside: u32,
    /// First number outside.
    pub outside: u32,
    /// How many numbers.
    pub count: u32,
}

/// A map between numbers inside and outside a user namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdMap(pub Vec<Extent>);

impl IdMap {
    /// Every number is itself: the initial namespace, or a full map.
    pub fn full() -> Self {
        Self(vec![Extent { inside: 0, outside: 0, count: u32::MAX }])
    }

    /// Every number is itself, save these, which have no mapping.
    pub fn full_without(unmapped: impl IntoIterator<Item = u32>) -> Self {
        let mut holes: Vec<u32> = unmapped.into_iter().collect();
        holes.sort_unstable();
        holes.dedup();
        let mut extents = Vec::new();
        let mut first = 0;
        for hole in holes.into_iter().chain([u32::MAX]) {
            if hole > first {
                extents.push(Extent { inside: first, outside: first, count: hole - first });
            }
            first = hole.saturating_add(1);
        }
        Self(extents)
    }

    /// The outer number which `inside` stands for; `None` without a mapping, as for 4294967295.
    pub fn outside(&self, inside: u32) -> Option<u32> {
        self.0.iter().find_map(|extent| {
            let offset = inside.checked_sub(extent.inside).filter(|&offset| offset < extent.count)?;
            extent.outside.checked_add(offset)
        })
    }

    /// The inner number of `outside`; `None` without a mapping.
    pub fn inside(&self, outside: u32) -> Option<u32> {
        self.0.iter().find_map(|extent| {
            let offset = outside.checked_sub(extent.outside).filter(|&offset| offset < extent.count)?;
            extent.inside.checked_add(offset)
        })
    }

    /// What a process reads for `outside`: user_namespaces(7), "Unmapped user and group IDs".
    pub fn seen(&self, outside: u32) -> u32 {
        self.inside(outside).unwrap_or(OVERFLOW)
    }

    /// Whether 0 to 4294967294 inside are all mapped, so that [`OVERFLOW`] can only mean the group of that number.
    pub fn is_full(&self) -> bool {
        let mut extents = self.0.clone();
        extents.sort_unstable_by_key(|extent| extent.inside);
        let mut next = 0;
        for extent in extents {
            if extent.inside != next {
                return false;
            }
            next = extent.inside.saturating_add(extent.count);
        }
        next == u32::MAX
    }
}

/// The user namespace of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserNamespace {
    /// Users.
    pub uids: IdMap,
    /// Groups.
    pub gids: IdMap,
    /// `/proc/self/setgroups` says `allow`.
    pub setgroups: bool,
}

impl UserNamespace {
    /// The initial one, or one that looks like it.
    pub fn initial() -> Self {
        Self { uids: IdMap::full(), gids: IdMap::full(), setgroups: true }
    }
}

#[cfg(test)]
mod tests {
    use super::{Extent, IdMap, OVERFLOW};
    use rstest::rstest;

    #[rstest]
    #[case::nothing_left_out(&[], 3, Some(3), true)]
    #[case::before_the_hole(&[4], 3, Some(3), false)]
    #[case::the_hole(&[4], 4, None, false)]
    #[case::after_the_hole(&[4], 5, Some(5), false)]
    #[case::first_number(&[0], 0, None, false)]
    #[case::two_neighbours(&[4, 5], 5, None, false)]
    #[case::never_minus_one(&[], u32::MAX, None, true)]
    fn a_map_with_holes(#[case] holes: &[u32], #[case] id: u32, #[case] outside: Option<u32>, #[case] full: bool) {
        let map = IdMap::full_without(holes.iter().copied());
        assert_eq!(map.outside(id), outside);
        assert_eq!(map.inside(id), outside, "the map is the identity");
        assert_eq!(map.is_full(), full);
    }

    #[test]
    fn an_unmapped_id_reads_as_the_overflow_id() {
        let map = IdMap(vec![Extent { inside: 0, outside: 1000, count: 1 }]);
        assert_eq!((map.seen(1000), map.seen(1001), map.outside(0)), (0, OVERFLOW, Some(1000)));
        assert!(!map.is_full());
    }
}
