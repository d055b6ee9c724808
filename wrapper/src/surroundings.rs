//! What the decision may have to ask of the system.

use crate::credentials::Gid;
use crate::group_names;
use std::fs::File;
use std::io::{self, Read};

/// Asked lazily: each answer only where the decision depends on it. Tests and fuzzers have answers of their own.
pub trait Surroundings {
    /// Whether the user namespace maps every gid: `/proc/self/gid_map` covers 0 to 4294967294.
    fn maps_every_gid(&self) -> bool;

    /// What a group is called. Asked only about a caller who is refused anyhow.
    fn name_of(&self, gid: Gid) -> AccountName;
}

/// What a gid or a uid is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountName {
    /// By the first row of the group or user file that has the number. Printable ASCII, bounded.
    Known(String),
    /// No row has it.
    Nameless,
    /// The file cannot be read, or is too large.
    Unreadable,
}

/// The system that this process runs on.
#[derive(Debug)]
pub struct System;

/// Most that is read of the map, in bytes: 340 rows of three numbers (user_namespaces(7)) are half of it.
const MAP_MAX: u64 = 1 << 15;

impl Surroundings for System {
    fn maps_every_gid(&self) -> bool {
        // A map that cannot be read may have holes.
        gid_map().is_ok_and(|map| covers_every_gid(&map))
    }

    fn name_of(&self, gid: Gid) -> AccountName {
        group_names::name_of(gid)
    }
}

fn gid_map() -> io::Result<Vec<u8>> {
    let mut map = Vec::new();
    File::open("/proc/self/gid_map")?.take(MAP_MAX).read_to_end(&mut map)?;
    Ok(map)
}

/// Rows of `first inside, first outside, count`, in any order.
fn covers_every_gid(map: &[u8]) -> bool {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for row in map.split(|byte| *byte == b'\n').filter(|row| !row.is_empty()) {
        let numbers: Vec<Option<u64>> =
            row.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(number).collect();
        let [Some(first), Some(_), Some(count)] = numbers[..] else { return false };
        ranges.push((first, first.saturating_add(count)));
    }
    ranges.sort_unstable();
    let end = ranges.iter().fold(0, |end, (first, after)| if *first <= end { end.max(*after) } else { end });
    end >= u64::from(u32::MAX)
}

fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{AccountName, Surroundings, System, covers_every_gid};
    use crate::sample::gid;
    use crate::sys::tests::in_child;
    use nix::sched::{CloneFlags, unshare};
    use rstest::rstest;

    #[rstest]
    #[case::initial_namespace(b"         0          0 4294967295\n", true)]
    #[case::two_halves(b"0 0 65536\n65536 100000 4294901759\n", true)]
    #[case::halves_the_other_way_round(b"65536 100000 4294901759\n0 0 65536\n", true)]
    #[case::one_too_few(b"0 0 4294967294\n", false)]
    #[case::not_from_0(b"1 1 4294967294\n", false)]
    #[case::a_hole(b"0 0 65534\n65535 65535 4294901760\n", false)]
    #[case::hole_covered_by_a_third(b"0 0 65534\n65535 65535 4294901760\n65534 65534 1\n", true)]
    #[case::subordinate_ids(b"0 1000 1\n1 100000 65536\n", false)]
    #[case::empty(b"", false)]
    #[case::two_numbers(b"0 4294967295\n", false)]
    #[case::four_numbers(b"0 0 4294967295 1\n", false)]
    #[case::no_number(b"0 0 all\n", false)]
    #[case::not_text(b"0 0 \xff\n", false)]
    #[case::a_bad_row_after_a_good_one(b"0 0 4294967295\nx\n", false)]
    fn a_map_is_full_if_it_has_no_hole(#[case] map: &[u8], #[case] full: bool) {
        assert_eq!(covers_every_gid(map), full);
    }

    #[test]
    fn the_system_is_asked() {
        assert_eq!(System.name_of(gid(0)), AccountName::Known("root".to_owned()));
        let map = std::fs::read("/proc/self/gid_map").expect("/proc is mounted");
        assert_eq!(System.maps_every_gid(), covers_every_gid(&map));
        // In a user namespace of its own a process has no gid mapped, until somebody writes the map.
        let alone = || unshare(CloneFlags::CLONE_NEWUSER).is_ok();
        if in_child(alone) {
            assert!(in_child(|| alone() && !System.maps_every_gid()));
        } else {
            crate::required::skip("namespace", "this user cannot have a user namespace");
        }
    }
}
