//! Id maps of user namespaces inside the sandbox. See user_namespaces(7).

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::Pid;
use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;

/// Which map.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// `uid_map`.
    Users,
    /// `gid_map`.
    Groups,
}

impl Kind {
    fn file(self) -> &'static str {
        match self {
            Self::Users => "uid_map",
            Self::Groups => "gid_map",
        }
    }
}

/// Ranges of ids: first one and how many.
type Ranges = Vec<(u64, u64)>;

/// What the text of a map says is mapped. A line of a new map may not reach over two of these.
fn ranges(map: &str) -> Ranges {
    let lines = map.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace();
        let first = numbers.next()?.parse().ok()?;
        let count = numbers.nth(1)?.parse().ok()?;
        Some((first, count))
    });
    lines.collect()
}

/// Everything of `outer` except some ids, cut where one is left out.
fn without(outer: &str, excluded: &BTreeSet<u32>) -> Ranges {
    let mut pieces = Ranges::new();
    for (first, count) in ranges(outer) {
        let end = first + count;
        let mut from = first;
        for hole in excluded.iter().map(|&id| u64::from(id)).filter(|id| (first..end).contains(id)) {
            if hole > from {
                pieces.push((from, hole - from));
            }
            from = hole + 1;
        }
        if end > from {
            pieces.push((from, end - from));
        }
    }
    pieces
}

/// A map of everything that `outer` maps, to itself, except some ids.
pub(crate) fn all_but(outer: &str, excluded: &BTreeSet<u32>) -> String {
    without(outer, excluded).into_iter().map(|(first, count)| format!("{first} {first} {count}\n")).collect()
}

/// A map of everything that `outer` maps, to itself, except that two ids change places.
pub(crate) fn swapped(outer: &str, one: u32, other: u32) -> String {
    if one == other {
        return all_but(outer, &BTreeSet::new());
    }
    all_but(outer, &BTreeSet::from([one, other])) + &format!("{one} {other} 1\n{other} {one} 1\n")
}

/// Writes a map of process `pid`, which must be in a user namespace that has none yet.
pub(crate) fn write(proc: BorrowedFd<'_>, pid: Pid, kind: Kind, map: &str) -> Result<(), Errno> {
    let path = format!("{}/{}", pid.as_raw_nonzero(), kind.file());
    let file = rustix::fs::openat(proc, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    // One write is what the kernel takes a map from.
    match rustix::io::write(file, map.as_bytes())? {
        count if count == map.len() => Ok(()),
        _ => Err(Errno::IO),
    }
}

/// Text of a map of process `pid`.
pub(crate) fn read(proc: BorrowedFd<'_>, pid: Pid, kind: Kind) -> Result<String, Errno> {
    read_file(proc, pid, kind.file())
}

/// Text of a small file of process `pid`.
pub(crate) fn read_file(proc: BorrowedFd<'_>, pid: Pid, name: &str) -> Result<String, Errno> {
    let path = format!("{}/{name}", pid.as_raw_nonzero());
    let file = rustix::fs::openat(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match rustix::io::read(&file, &mut chunk)? {
            0 => return Ok(String::from_utf8_lossy(&text).into_owned()),
            count => text.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{all_but, swapped};
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_left_out_and_lines_respect_the_outer_map() {
        let full = "         0          0 4294967295\n";
        assert_eq!(all_but(full, &BTreeSet::from([38])), "0 0 38\n39 39 4294967256\n");
        assert_eq!(all_but(full, &BTreeSet::from([0])), "1 1 4294967294\n");
        let subordinate = "0 1000 1\n1 100000 65535\n";
        assert_eq!(all_but(subordinate, &BTreeSet::new()), "0 0 1\n1 1 65535\n");
        assert_eq!(all_but(subordinate, &BTreeSet::from([0, 65_535])), "1 1 65534\n");
    }

    #[test]
    fn two_ids_change_places() {
        assert_eq!(swapped("0 0 100\n", 5, 38), "0 0 5\n6 6 32\n39 39 61\n5 38 1\n38 5 1\n");
        assert_eq!(swapped("0 0 100\n", 5, 5), "0 0 100\n");
    }
}
