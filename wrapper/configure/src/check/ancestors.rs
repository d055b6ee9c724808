//! The way from the root directory to the prefixes and to the wrappers: whoever can rename something there can put a
//! directory of his own in their place. What a wrapper starts is held to the wrapper's own rule, see `starts`.

use super::finding::{Finding, Row};
use super::installation::Installation;
use crate::stat::{FileKind, GROUP_WRITE, OTHER_WRITE, STICKY, Stat};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every directory and file on the way to `targets`, and to where they lead if symbolic links are on that way.
pub(crate) fn ways(targets: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    for target in targets {
        all.extend(target.ancestors().map(Path::to_owned));
        if let Ok(real) = std::fs::canonicalize(target) {
            all.extend(real.ancestors().map(Path::to_owned));
        }
    }
    all
}

/// What is wrong with one step of the way.
pub(crate) fn judge(path: &Path, stat: &Stat, installation: &Installation) -> Option<Finding> {
    if stat.kind == FileKind::Link {
        return None;
    }
    let (owner, own) = (&installation.owner, &installation.own);
    let mut faults = Vec::new();
    if ![0, owner.id].contains(&stat.uid) {
        faults.push(format!("owner {}", installation.accounts.users.describe(stat.uid)));
    }
    // In a sticky directory nobody can rename or remove what belongs to others.
    let protected = stat.kind == FileKind::Directory && stat.has(STICKY);
    if stat.has(OTHER_WRITE) && !protected {
        faults.push(format!("{}, writable for everybody", stat.shown_mode()));
    }
    if stat.has(GROUP_WRITE) && !protected && ![0, own.id].contains(&stat.gid) {
        let group = installation.accounts.groups.describe(stat.gid);
        faults.push(format!("{}, writable for group {group}", stat.shown_mode()));
    }
    (!faults.is_empty()).then(|| {
        Finding::by_hand(
            Row::Path,
            path,
            faults.join("; "),
            &format!("writable only for root, user {owner} and group {own}"),
            "whoever can write there can put something else in its place; use chown and chmod".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::installation;
    use rstest::rstest;

    const SOUND: Stat = Stat { kind: FileKind::Directory, uid: 0, gid: 0, mode: 0o755, links: 2, identity: (0, 0) };

    #[rstest]
    #[case::as_usual(SOUND, None)]
    #[case::owner_of_the_installation(Stat { uid: 39, ..SOUND }, None)]
    #[case::own_group_may_write(Stat { gid: 38, mode: 0o2775, ..SOUND }, None)]
    #[case::sticky_like_tmp(Stat { mode: 0o1777, ..SOUND }, None)]
    #[case::sticky_for_a_group_like_var_local(Stat { gid: 8, mode: 0o3775, ..SOUND }, None)]
    #[case::a_link_has_no_mode(Stat { kind: FileKind::Link, mode: 0o777, uid: 1000, ..SOUND }, None)]
    #[case::stranger_owns_it(Stat { uid: 1000, ..SOUND }, Some("owner 1000 (no name)"))]
    #[case::everybody_may_write(Stat { mode: 0o777, ..SOUND }, Some("writable for everybody"))]
    #[case::sticky_file_is_no_protection(Stat { kind: FileKind::File, mode: 0o1777, ..SOUND }, Some("everybody"))]
    #[case::other_group_may_write(Stat { gid: 8, mode: 0o775, ..SOUND }, Some("writable for group mail 8"))]
    fn steps(#[case] stat: Stat, #[case] found: Option<&str>) {
        let finding = judge(Path::new("/srv"), &stat, &installation(Path::new("/srv/mailman")));
        match (finding, found) {
            (None, None) => {}
            (Some(finding), Some(words)) => assert!(finding.found.contains(words), "{finding:?}"),
            (finding, words) => panic!("{finding:?}, where {words:?} is wanted"),
        }
    }

    #[test]
    fn the_way_through_a_link_has_both_ends() {
        let directory = tempfile::tempdir().expect("a directory");
        let real = directory.path().canonicalize().expect("it is there");
        std::fs::create_dir(real.join("real")).expect("a directory");
        std::os::unix::fs::symlink("real", real.join("link")).expect("a link");
        let ways = ways(&[real.join("link")]);
        for step in [real.join("link"), real.join("real"), real.clone(), PathBuf::from("/")] {
            assert!(ways.contains(&step), "{step:?} in {ways:?}");
        }
    }
}
